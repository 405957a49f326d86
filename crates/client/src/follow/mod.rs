//! Following the journal of another server: every entry after a position, in order, for ever.
//!
//! Invariants: entries come whole, with consecutive sequences, each once, whatever happens to the
//! server and the connection meanwhile; an entry's hash is SHA-256 over the hash of the entry before
//! and its bytes wherever the former is known. In a log that was restored from the one that was followed it
//! goes on by itself up to the fork, and says so; a log of another history ends it: nothing is guessed.
//! Polled only: between calls of `next` nothing happens, and `next` may be cancelled at any time.

mod assembly;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use milepost_proto::codec::SmallBuffers;
use milepost_proto::error::v1::Reason;
use milepost_proto::journal::v1::{FollowRequest, FollowResponse};
use milepost_types::{GoOn, Hash, LedgerKind, Lineage, Position};
use tokio::sync::watch;
use tokio::time::Sleep;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

use self::assembly::{Assembly, Fault};
use crate::backoff::{Backoff, Delays};
use crate::error::Failure;
use crate::position;
use crate::transport::{Transport, TransportChannel};

const FOLLOW: &str = "/milepost.journal.v1.JournalService/Follow";
/// One response at most; a server sends far smaller ones.
const RESPONSE_BYTES: usize = 16 << 20;

/// How to follow.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions {
    /// An entry of more bytes ends the follower. Default: 256 MiB, four times what a ledger writes by
    /// default.
    pub max_entry_bytes: usize,
    /// How long to wait between attempts to connect.
    pub backoff: Backoff,
    /// A connection on which nothing comes for this long is given up for another. Default: 35 s; servers
    /// tell the tail every 10 s.
    pub silence: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { max_entry_bytes: 256 << 20, backoff: Backoff::default(), silence: Duration::from_secs(35) }
    }
}

/// An entry as it is stored in the log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedEntry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// Its place in the chain.
    pub hash: Hash,
    /// The encoded `milepost.journal.v1.Entry`.
    pub bytes: Bytes,
}

/// What a response brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowBatch {
    /// Set if the log is another than the one that was followed, and was restored from it: these entries, and
    /// all that follow, are of the new one, and go on after this.
    pub restored: Option<GoOn>,
    /// Whole entries in order; none if only the tail was told.
    pub entries: Vec<FollowedEntry>,
    /// The last durable position of the log when this was sent.
    pub tail: Position,
}

/// How it stands with the log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowState {
    /// No attempt has succeeded or failed yet.
    Connecting,
    /// Entries come as they become durable.
    Connected,
    /// It cannot be followed at the moment; attempts go on.
    Unreachable {
        /// Since when.
        since: Instant,
        /// What the last attempt said, for people.
        reason: String,
    },
    /// The follower ended.
    Ended(FollowError),
}

/// Why a follower ended. Nothing but an operator helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log is another, or was restored and went on differently.
    #[error(
        "the {ledger} cannot be followed: {asked} is where this follower stands, the log there is at {}; \
         it was restored, or is another one",
        Known(.have)
    )]
    Diverged {
        /// The log that was followed.
        ledger: LedgerKind,
        /// Where the follower stands.
        asked: Position,
        /// What the log has there, or its tail; `None` if the server did not say.
        have: Option<Position>,
    },
    /// An entry is larger than this follower takes.
    #[error("entry {sequence} of the {ledger} has more than {limit} bytes, more than this follower takes")]
    EntryTooLarge {
        /// The log that was followed.
        ledger: LedgerKind,
        /// The entry.
        sequence: u64,
        /// The bound, in bytes.
        limit: usize,
    },
}

struct Known<'a>(&'a Option<Position>);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(position) => position.fmt(f),
            None => f.write_str("another position"),
        }
    }
}

/// Follows one journal.
pub struct Follower {
    channel: TransportChannel,
    ledger: LedgerKind,
    options: FollowOptions,
    assembly: Assembly,
    stage: Stage,
    delays: Delays,
    state: watch::Sender<FollowState>,
    told: Option<Position>,
    /// Whether it was warned of since the last connection.
    warned: bool,
}

enum Stage {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<Streaming<FollowResponse>, Status>>),
    Open {
        stream: Box<Streaming<FollowResponse>>,
        /// Whether the server was waited for since it last said something.
        waiting: bool,
        silence: Pin<Box<Sleep>>,
    },
}

impl Follower {
    /// A follower of a journal after a position; `None`: from the first entry. Connects when polled.
    pub fn new(
        transport: impl Into<Transport>,
        ledger: LedgerKind,
        after: Option<Position>,
        options: FollowOptions,
    ) -> Self {
        Self {
            channel: transport.into().stream_channel(),
            ledger,
            assembly: Assembly::new(after, options.max_entry_bytes),
            stage: Stage::Idle,
            delays: options.backoff.delays(),
            state: watch::Sender::new(FollowState::Connecting),
            told: None,
            warned: false,
            options,
        }
    }

    /// The next entries, or the tail if it moved without any. Waits for ever; may be cancelled.
    ///
    /// # Errors
    /// If the log cannot be followed from here; again at each call.
    pub async fn next(&mut self) -> Result<FollowBatch, FollowError> {
        std::future::poll_fn(|cx| self.poll_batch(cx)).await
    }

    /// How it stands, now and as it changes.
    pub fn state(&self) -> watch::Receiver<FollowState> {
        self.state.subscribe()
    }

    /// The last entry that was given out; `None` if there was none and no start was given.
    pub fn position(&self) -> Option<Position> {
        self.assembly.position()
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<FollowBatch, FollowError>> {
        if let FollowState::Ended(error) = &*self.state.borrow() {
            return Poll::Ready(Err(error.clone()));
        }
        loop {
            match &mut self.stage {
                Stage::Idle => self.stage = Stage::Opening(self.open()),
                Stage::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.stage = Stage::Idle;
                }
                Stage::Opening(opening) => match ready!(opening.poll_unpin(cx)) {
                    Ok(stream) => {
                        let silence = Box::pin(tokio::time::sleep(self.options.silence));
                        self.stage = Stage::Open { stream: Box::new(stream), waiting: false, silence };
                    }
                    Err(status) => self.failed(status)?,
                },
                Stage::Open { stream, waiting, silence } => match Pin::new(stream).poll_next(cx) {
                    Poll::Ready(Some(Ok(response))) => {
                        *waiting = false;
                        if let Some(batch) = self.take(response)? {
                            return Poll::Ready(Ok(batch));
                        }
                        // A part of a large entry: a server of this process has the next at once.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(Err(status))) => self.failed(status)?,
                    Poll::Ready(None) => self.lost("the server ended the stream".to_owned(), None),
                    Poll::Pending => {
                        // From when it was asked: a server of this process says nothing to a busy follower.
                        if !std::mem::replace(waiting, true) {
                            silence.as_mut().reset(tokio::time::Instant::now() + self.options.silence);
                        }
                        ready!(silence.as_mut().poll(cx));
                        self.lost("the server fell silent".to_owned(), None);
                    }
                },
            }
        }
    }

    fn open(&self) -> BoxFuture<'static, Result<Streaming<FollowResponse>, Status>> {
        let after = self.assembly.position().map(|after| position::to_proto(&after));
        let request = FollowRequest { ledger: self.ledger.to_string(), after };
        let mut grpc =
            tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(RESPONSE_BYTES);
        async move {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let codec = SmallBuffers::<FollowRequest, FollowResponse>::default();
            let path = PathAndQuery::from_static(FOLLOW);
            Ok(grpc.server_streaming(tonic::Request::new(request), path, codec).await?.into_inner())
        }
        .boxed()
    }

    /// The whole entries of a response; `None` if it brought nothing new.
    fn take(&mut self, response: FollowResponse) -> Result<Option<FollowBatch>, FollowError> {
        let Some(tail) = response.tail.as_ref().and_then(position::from_proto) else {
            self.lost("a response without the log's position".to_owned(), None);
            return Ok(None);
        };
        let Some(lineage) = response.lineage.iter().map(position::from_proto).collect::<Option<Vec<_>>>()
        else {
            self.lost("a lineage that is none".to_owned(), None);
            return Ok(None);
        };
        let restored = self.adopt(&tail, &Lineage::new(lineage));
        let (entries, fault) = self.assembly.take(response.fragments, &tail);
        match fault {
            None => self.connected(),
            Some(Fault::OtherLog { asked }) => {
                return Err(self.end(FollowError::Diverged { ledger: self.ledger, asked, have: Some(tail) }));
            }
            // What came before it is given out first; the entry comes again with the next connection.
            Some(Fault::TooLarge { sequence }) if entries.is_empty() => {
                let limit = self.options.max_entry_bytes;
                return Err(self.end(FollowError::EntryTooLarge { ledger: self.ledger, sequence, limit }));
            }
            Some(fault) => self.lost(fault.to_string(), None),
        }
        let news = restored.is_some() || !entries.is_empty() || self.told != Some(tail);
        self.told = Some(tail);
        Ok(news.then_some(FollowBatch { restored, entries, tail }))
    }

    /// Goes on in a log that was restored from the one that was followed, if it is one. One that is followed from
    /// its first entry on is told of, too, if it was restored: others may speak of the logs before.
    fn adopt(&mut self, tail: &Position, lineage: &Lineage) -> Option<GoOn> {
        let own = self.assembly.position();
        if own.is_some_and(|own| own.log == tail.log) || (own.is_none() && lineage.parent().is_none()) {
            return None;
        }
        let on = GoOn::by_itself(own, tail.log, lineage)?;
        tracing::info!(ledger = %self.ledger, before = ?own, after = %on.after, "the log was restored; going on in it");
        self.assembly.go_on(on.after);
        Some(on)
    }

    fn connected(&mut self) {
        self.delays.reset();
        self.warned = false;
        let changed = self.state.send_if_modified(|state| {
            let news = *state != FollowState::Connected;
            *state = FollowState::Connected;
            news
        });
        if changed {
            tracing::info!(ledger = %self.ledger, "following");
        }
    }

    fn failed(&mut self, status: Status) -> Result<(), FollowError> {
        let failure = Failure::from(status);
        if failure.reason == Some(Reason::LogDiverged)
            && let Some(asked) = self.assembly.position()
        {
            let have = failure.fact("have").and_then(|have| have.parse().ok());
            return Err(self.end(FollowError::Diverged { ledger: self.ledger, asked, have }));
        }
        // An orderly stop is no reason to warn; a server that then does not come back is.
        if failure.reason == Some(Reason::Draining) {
            self.retry(failure.message, failure.retry_after);
        } else {
            self.lost(failure.message, failure.retry_after);
        }
        Ok(())
    }

    /// As [`retry`](Self::retry), for every end but an orderly stop: warns once for each outage.
    fn lost(&mut self, reason: String, asked: Option<Duration>) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(ledger = %self.ledger, reason, "cannot be followed at the moment; trying again");
        }
        self.retry(reason, asked);
    }

    /// Drops the connection; the next attempt goes on after the last whole entry.
    fn retry(&mut self, reason: String, asked: Option<Duration>) {
        self.assembly.forget_partial();
        let delay = self.delays.next(asked);
        self.stage = Stage::Waiting(Box::pin(tokio::time::sleep(delay)));
        self.state.send_modify(|state| match state {
            FollowState::Unreachable { reason: last, .. } => *last = reason,
            _ => *state = FollowState::Unreachable { since: Instant::now(), reason },
        });
    }

    fn end(&mut self, error: FollowError) -> FollowError {
        self.stage = Stage::Idle;
        self.state.send_replace(FollowState::Ended(error.clone()));
        error
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("ledger", &self.ledger)
            .field("position", &self.position())
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}
