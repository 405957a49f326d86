//! Watching events: everything after a start that a selection matches, live and after any absence.
//!
//! Invariants: a batch, and the reset of a source, is given out with its cursor or not at all, each once; after
//! any interruption the watch goes on after the last one it gave out. A start that means "now" is fixed by the first
//! response, so that an interruption before the first event loses none. After a change of access the watch goes on with
//! what its caller may see now, and after the end of a credential with the one that has replaced it. An error that
//! another attempt cannot resolve (a cursor that expired, a log that diverged, a faulty request, access that is denied)
//! ends the watch.
//! Polled only: between calls of `next` nothing happens, and `next` may be cancelled at any time.

mod interruption;
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
use jiff::Timestamp;
use milepost_proto::codec::SmallBuffers;
use milepost_proto::event::v1::Event;
pub use milepost_proto::notifier::v1::EventSelection as Selection;
pub use milepost_proto::notifier::v1::watch_events_response::Phase;
pub use milepost_proto::notifier::v1::{EventRange, SourceResetNotice};
use milepost_proto::notifier::v1::{WatchEventsRequest, WatchEventsResponse, watch_events_request};
use milepost_types::Cursor;
use tokio::time::Sleep;
use tokio_stream::adapters::Timeout;
use tokio_stream::{Stream, StreamExt};
use tonic::{Status, Streaming};

use crate::backoff::{Backoff, Delays};
use crate::channel::{Lease, Pool};
use crate::error::{Error, Failure};
use interruption::Interruptions;

const WATCH: &str = "/milepost.notifier.v1.EventService/WatchEvents";
/// One response at most: a server sends up to 64 KiB, or one event of any size.
const RESPONSE_BYTES: usize = 128 << 20;
/// What the server uses if the request names no interval.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);

/// Where a watch starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// After this cursor.
    After(String),
    /// With everything committed at this time or later.
    At(Timestamp),
    /// With the earliest event that is kept.
    Earliest,
    /// With what is committed from now on.
    Latest,
}

/// How to watch.
#[derive(Debug, Clone, Copy, Default)]
pub struct WatchOptions {
    /// How long the stream may be quiet before the server sends a checkpoint. `None`: the server's
    /// default of 10 s. A connection that is silent for three of them is replaced.
    pub checkpoint_interval: Option<Duration>,
    /// How long to wait between attempts to connect.
    pub backoff: Backoff,
    /// End with the last failure if no attempt succeeds for this long. `None`: no limit.
    pub patience: Option<Duration>,
}

/// The next thing on the stream: events, or that some earlier ones are no longer true.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a reset takes back events that were given out before"]
pub enum Delivery {
    /// Events, or how far the log was looked through.
    Batch(Batch),
    /// A source is followed from another position on. Drop what was derived from its revoked events, read
    /// the resources that they concern again, and only then keep the cursor.
    Reset(Box<Reset>),
}

impl Delivery {
    /// Resume after this once the delivery has been handled.
    pub fn cursor(&self) -> &str {
        match self {
            Delivery::Batch(batch) => &batch.cursor,
            Delivery::Reset(reset) => &reset.cursor,
        }
    }
}

/// A source is followed from another position on, because it was restored or an operator said so.
#[derive(Debug, Clone, PartialEq)]
pub struct Reset {
    /// Which source, from where to where, and which events are revoked, repeated and omitted.
    pub notice: SourceResetNotice,
    /// Resume after this: just after the reset.
    pub cursor: String,
}

impl Reset {
    /// Whether an event that was given out before is no longer true.
    pub fn revokes(&self, event: &Event) -> bool {
        self.holds(self.notice.revoked_events.as_ref(), event)
    }

    /// Whether an event that was given out before comes again.
    pub fn repeats(&self, event: &Event) -> bool {
        self.holds(self.notice.repeated_events.as_ref(), event)
    }

    fn holds(&self, range: Option<&EventRange>, event: &Event) -> bool {
        event.source == self.notice.source
            && range.is_some_and(|range| {
                range.after_sequence < event.sequence && event.sequence <= range.up_to_sequence
            })
    }
}

/// Events that a response brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// In the order of the log; none in a checkpoint.
    pub events: Vec<Event>,
    /// Resume after this: everything up to here was given out.
    pub cursor: String,
    /// Whether the stream has reached the end of the log.
    pub phase: Phase,
    /// How many entries of the log are after the cursor.
    pub lag_entries: u64,
}

/// The connection of a watch to its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchState {
    /// No attempt has succeeded or failed yet.
    Connecting,
    /// Events come as they are committed.
    Connected,
    /// The stream is interrupted; attempts go on.
    Interrupted {
        /// Since when.
        since: Instant,
        /// Why, for people.
        reason: String,
    },
    /// The watch ended; `next` said why.
    Ended,
}

/// A stream of events that survives its connections.
pub struct Watch {
    lease: Lease,
    request: WatchEventsRequest,
    options: WatchOptions,
    /// The last cursor that was given out, if it is of a form that this version reads.
    reached: Option<Cursor>,
    interruptions: Interruptions,
    stage: Stage,
    delays: Delays,
    state: tokio::sync::watch::Sender<WatchState>,
}

enum Stage {
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Opening(BoxFuture<'static, Result<Streaming<WatchEventsResponse>, Status>>),
    /// Fails if the server is silent for too long.
    Open(Pin<Box<Timeout<Streaming<WatchEventsResponse>>>>),
    Ended,
}

impl Watch {
    /// A watch over a notifier. Connects when polled.
    pub fn new(pool: &Pool, start: Start, selection: Selection, options: WatchOptions) -> Self {
        let from = match start {
            Start::After(cursor) => watch_events_request::From::AfterCursor(cursor),
            Start::At(time) => watch_events_request::From::AtTime(prost_types::Timestamp {
                seconds: time.as_second(),
                nanos: time.subsec_nanosecond(),
            }),
            Start::Earliest => {
                watch_events_request::From::Start(watch_events_request::Start::Earliest.into())
            }
            Start::Latest => watch_events_request::From::Start(watch_events_request::Start::Latest.into()),
        };
        let interval = options.checkpoint_interval.and_then(|interval| interval.try_into().ok());
        Self {
            lease: pool.lease(),
            request: WatchEventsRequest {
                from: Some(from),
                selection: Some(selection),
                checkpoint_interval: interval,
            },
            reached: None,
            interruptions: Interruptions::new(pool.can_renew()),
            stage: Stage::Idle,
            delays: options.backoff.delays(),
            state: tokio::sync::watch::Sender::new(WatchState::Connecting),
            options,
        }
    }

    /// The next batch, possibly without events: then its cursor says how far the log was looked
    /// through. Or the reset of a source. `None` after an error. May be cancelled.
    pub async fn next(&mut self) -> Option<Result<Delivery, Error>> {
        std::future::poll_fn(|cx| self.poll_delivery(cx)).await
    }

    /// The state, now and as it changes.
    pub fn state(&self) -> tokio::sync::watch::Receiver<WatchState> {
        self.state.subscribe()
    }

    /// The cursor to resume after; `None` before the first batch of a watch that was given none.
    pub fn cursor(&self) -> Option<&str> {
        match &self.request.from {
            Some(watch_events_request::From::AfterCursor(cursor)) => Some(cursor),
            _ => None,
        }
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery, Error>>> {
        loop {
            let ended = match &mut self.stage {
                Stage::Idle => {
                    self.stage = Stage::Opening(self.open());
                    None
                }
                Stage::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.stage = Stage::Idle;
                    None
                }
                Stage::Opening(opening) => match ready!(opening.poll_unpin(cx)) {
                    Ok(stream) => {
                        self.stage = Stage::Open(Box::pin(stream.timeout(self.silence())));
                        None
                    }
                    Err(status) => self.interrupted(status.into()),
                },
                Stage::Open(stream) => match ready!(stream.as_mut().poll_next(cx)) {
                    Some(Ok(Ok(response))) => {
                        if let Some(delivery) = self.take(response) {
                            return Poll::Ready(Some(Ok(delivery)));
                        }
                        None
                    }
                    Some(Ok(Err(status))) => self.interrupted(status.into()),
                    Some(Err(_)) => self.interrupted(Status::unavailable("the server fell silent").into()),
                    None => self.interrupted(Status::unavailable("the stream ended").into()),
                },
                Stage::Ended => return Poll::Ready(None),
            };
            if let Some(failure) = ended {
                self.stage = Stage::Ended;
                self.state.send_replace(WatchState::Ended);
                return Poll::Ready(Some(Err(Error::Call(failure))));
            }
        }
    }

    fn open(&self) -> BoxFuture<'static, Result<Streaming<WatchEventsResponse>, Status>> {
        let request = tonic::Request::new(self.request.clone());
        let mut grpc =
            tonic::client::Grpc::new(self.lease.channel()).max_decoding_message_size(RESPONSE_BYTES);
        async move {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let codec = SmallBuffers::<WatchEventsRequest, WatchEventsResponse>::default();
            Ok(grpc.server_streaming(request, PathAndQuery::from_static(WATCH), codec).await?.into_inner())
        }
        .boxed()
    }

    fn silence(&self) -> Duration {
        3 * self.options.checkpoint_interval.unwrap_or(CHECKPOINT_INTERVAL)
    }

    /// What a response delivers; `None` if it holds nothing that was not given out before.
    fn take(&mut self, response: WatchEventsResponse) -> Option<Delivery> {
        self.delays.reset();
        self.interruptions.connected();
        self.state.send_if_modified(|state| {
            std::mem::replace(state, WatchState::Connected) != WatchState::Connected
        });
        let phase = response.phase();
        if let Some(drain) = response.drain {
            let asked = drain.reconnect_after.and_then(|after| after.try_into().ok());
            let delay = self.delays.next(asked);
            self.wait("the server is stopping".to_owned(), delay);
        }
        if response.cursor.is_empty() {
            return None;
        }
        let cursor: Option<Cursor> = response.cursor.parse().ok();
        if let (Some(cursor), Some(reached)) = (cursor, self.reached)
            && cursor.position.log == reached.position.log
            && (cursor.next() < reached.next()
                || cursor.next() == reached.next()
                    && (!response.events.is_empty() || response.source_reset.is_some()))
        {
            tracing::warn!(
                events = response.events.len(),
                "the server repeats what it sent before; left out"
            );
            return None;
        }
        self.reached = cursor;
        self.request.from = Some(watch_events_request::From::AfterCursor(response.cursor.clone()));
        let (cursor, lag_entries) = (response.cursor, response.lag_entries);
        Some(match response.source_reset {
            Some(notice) => Delivery::Reset(Box::new(Reset { notice, cursor })),
            None => Delivery::Batch(Batch { events: response.events, cursor, phase, lag_entries }),
        })
    }

    /// Schedules the next attempt, or returns the failure if no attempt can succeed.
    fn interrupted(&mut self, failure: Failure) -> Option<Box<Failure>> {
        let reason = match self.interruptions.take(&failure) {
            Some(reason) => reason,
            None => return Some(Box::new(failure)),
        };
        // Before the first response, only the server knows where the watch is.
        if self.cursor().is_none()
            && let Some(cursor) = failure.fact("cursor").filter(|cursor| !cursor.is_empty())
        {
            self.request.from = Some(watch_events_request::From::AfterCursor(cursor.to_owned()));
        }
        let delay = self.delays.next(failure.retry_after);
        if let (Some(patience), WatchState::Interrupted { since, .. }) =
            (self.options.patience, &*self.state.borrow())
            && since.elapsed() + delay > patience
        {
            return Some(Box::new(failure));
        }
        self.wait(reason, delay);
        None
    }

    fn wait(&mut self, reason: String, delay: Duration) {
        self.stage = Stage::Waiting(Box::pin(tokio::time::sleep(delay)));
        self.state.send_modify(|state| match state {
            WatchState::Interrupted { reason: last, .. } => *last = reason,
            _ => {
                tracing::debug!(reason, ?delay, "the watch is interrupted; trying again");
                *state = WatchState::Interrupted { since: Instant::now(), reason };
            }
        });
    }
}

impl Stream for Watch {
    type Item = Result<Delivery, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_delivery(cx)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("cursor", &self.cursor())
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}
