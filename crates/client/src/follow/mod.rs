//! Following the journal of another server: every entry after a position, in order, without end.
//!
//! Invariants: entries come whole, with consecutive sequences, each once, whatever happens to the
//! server and the connection meanwhile; an entry's hash is SHA-256 over the hash of the entry before
//! and its bytes wherever the former is known. If the log was restored from the one
//! that was followed, the follower continues in it after the fork and reports that; a log of another history ends
//! it. A refusal does not: access may be granted, and a credential in a file replaced, at any time.
//! Polled only: between calls of `next` nothing happens, and `next` may be cancelled at any time.

mod assembly;
mod batch;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use milepost_proto::codec::SmallBuffers;
use milepost_proto::error::v1::Reason;
use milepost_proto::journal::v1::{FollowRequest, FollowResponse};
use milepost_types::{GoOn, LedgerKind, Lineage, Position};
use tokio::sync::watch;
use tokio::time::Sleep;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

use self::assembly::{Assembly, Fault};
pub use self::batch::{FollowBatch, FollowedEntry};
pub use self::state::{FollowError, FollowState};
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
    /// A connection that is silent for this long is replaced. Default: 35 s; servers
    /// send the tail every second.
    pub silence: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { max_entry_bytes: 256 << 20, backoff: Backoff::default(), silence: Duration::from_secs(35) }
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
    /// When the stream was asked for.
    asked: Instant,
    /// Whether this outage was logged as a warning.
    warned: bool,
}

enum Stage {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<Streaming<FollowResponse>, Status>>),
    Open {
        stream: Box<Streaming<FollowResponse>>,
        /// Whether the follower is waiting for the next response.
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
            asked: Instant::now(),
            warned: false,
            options,
        }
    }

    /// The next entries, or only the tail: an idle server says every second that there is nothing new. Waits without a
    /// limit; may be cancelled.
    ///
    /// # Errors
    /// If the log cannot be followed from here; again at each call.
    pub async fn next(&mut self) -> Result<FollowBatch, FollowError> {
        std::future::poll_fn(|cx| self.poll_batch(cx)).await
    }

    /// The state, now and as it changes.
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
                Stage::Idle => {
                    self.asked = Instant::now();
                    self.stage = Stage::Opening(self.open());
                }
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
                        // From when it is polled: a server in this process sends nothing to a busy follower.
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

    /// What a response brought; `None` if that is only a part of an entry.
    fn take(&mut self, response: FollowResponse) -> Result<Option<FollowBatch>, FollowError> {
        let Some(tail) = response.tail.as_ref().and_then(position::from_proto) else {
            self.lost("a response without the log's position".to_owned(), None);
            return Ok(None);
        };
        let Some(lineage) = response.lineage.iter().map(position::from_proto).collect::<Option<Vec<_>>>()
        else {
            self.lost("a lineage with a malformed position".to_owned(), None);
            return Ok(None);
        };
        let restored = self.adopt(&tail, &Lineage::new(lineage));
        // An earlier version does not say it.
        let elapsed = response.elapsed.and_then(|elapsed| Duration::try_from(elapsed).ok());
        let as_of = elapsed.and_then(|elapsed| self.asked.checked_add(elapsed)).unwrap_or_else(Instant::now);
        let is_tail_only = response.fragments.is_empty();
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
        let news = restored.is_some() || !entries.is_empty() || is_tail_only;
        Ok(news.then_some(FollowBatch { restored, entries, tail, as_of }))
    }

    /// Goes on in the log of the server if that was restored from the one that was followed. A restored log that is
    /// followed from its first entry on is reported, too: entries of other logs may refer to the logs before it.
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
        let was_connected = *self.state.borrow() == FollowState::Connected;
        match failure.reason {
            // No warning for an orderly stop, only for a server that does not return after it.
            Some(Reason::Draining) => self.retry(failure.message, failure.retry_after),
            // Nor for an end of which the next attempt says whether it matters: with the access of now, or the next
            // credential.
            Some(reason @ (Reason::AccessChanged | Reason::CredentialExpired)) if was_connected => {
                let why = match reason {
                    Reason::AccessChanged => "access has changed",
                    _ => "the credential has ended",
                };
                tracing::info!(ledger = %self.ledger, why, "the stream ended; following again");
                self.retry(why.to_owned(), failure.retry_after);
            }
            _ => self.lost(failure.message, failure.retry_after),
        }
        Ok(())
    }

    /// As [`retry`](Self::retry), after anything but an orderly stop: warns once for each outage.
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
