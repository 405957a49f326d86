//! A watch stream: a cursor that moves through the log, and the responses it sends.
//!
//! Polled only, and it does nothing for a client that does not read. While the hub keeps what comes after
//! the cursor, the stream takes it from there; when it does not, because the stream starts far back or
//! its client was slow, the stream reads from the log until the hub does again.
//!
//! Invariants: every event after the start that the selection matches is sent once, in order, and so is the
//! reset of a source, whatever the selection; a response's cursor is never ahead of anything that was not
//! sent. A stream holds at most one response's worth of
//! events, or one entry if that is larger, shared with whoever else is in it; a few that are far behind
//! hold more and read on meanwhile.

mod backward_page;
mod page;

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use milepost_ledger::journal::ReadLimit;
use milepost_service::access::StreamAccess;
use milepost_types::{Cursor, Room};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tonic::Status;

pub(crate) use self::backward_page::{BackwardPage, Place};
pub(crate) use self::page::{Done, Page};
use crate::convert::reply::{Drain, Phase, WatchReply};
use crate::error::ReadFailure;
use crate::grpc::status;
use crate::hub::{Hub, Membership, Taken};
use crate::log::{EventLog, LoggedEntry};
use crate::selection::Selection;

/// Events of one response at most.
pub(crate) const RESPONSE_EVENTS: usize = 256;
/// Bytes of events of one response at most, unless there is only one.
pub(crate) const RESPONSE_BYTES: usize = 64 * 1024;
/// What is read from the log at once: about what a response takes.
const READ: ReadLimit = ReadLimit { entries: RESPONSE_EVENTS, bytes: RESPONSE_BYTES };
/// The same for a stream that may read ahead.
const READ_AHEAD: ReadLimit = ReadLimit { entries: 16 * RESPONSE_EVENTS, bytes: 16 * RESPONSE_BYTES };
/// How many streams may read ahead at the same time; each holds up to twice what it reads.
pub(crate) const AHEAD: usize = 16;

/// What all streams share.
#[derive(Clone)]
pub(crate) struct Streams {
    /// Where events are read from.
    pub(crate) log: EventLog,
    /// Where new ones are met.
    pub(crate) hub: Hub,
    /// How many streams read from the log at the same time.
    pub(crate) readers: Arc<Semaphore>,
    /// Which of those that are far behind read more at once than they send at once, and on while they send.
    pub(crate) ahead: Arc<Semaphore>,
    /// About how long clients are asked to wait before they reconnect after a planned end.
    pub(crate) reconnect_after: Duration,
    /// About how long a stream may last.
    pub(crate) max_age: Option<Duration>,
}

type Reading = BoxFuture<'static, Result<Vec<Arc<LoggedEntry>>, ReadFailure>>;

/// The responses to one `WatchEvents` call.
pub(crate) struct WatchStream {
    streams: Streams,
    group: Membership,
    at: Cursor,
    stage: Stage,
    /// Read and not sent yet, from `sent` on.
    rest: Vec<Arc<LoggedEntry>>,
    sent: usize,
    /// What comes after the rest is being read already.
    next: Option<Reading>,
    /// May read ahead.
    ahead: Option<OwnedSemaphorePermit>,
    /// Whether the client knows that it is at the end of the log.
    live: bool,
    interval: Duration,
    last_sent: Instant,
    ends: Option<Instant>,
    /// What the client may see: as long as it is this, the stream goes on.
    access: StreamAccess,
    timer: Pin<Box<Sleep>>,
}

enum Stage {
    Running,
    Reading(Reading),
    /// The end was announced.
    Drained(Duration),
    Ended,
}

impl WatchStream {
    /// A stream of what a selection, which is for this access, matches after a cursor, which was checked. Quiet streams
    /// tell how far they are at each interval.
    pub(crate) fn new(
        streams: Streams,
        selection: &Selection,
        access: StreamAccess,
        after: Cursor,
        interval: Duration,
    ) -> Self {
        let now = Instant::now();
        let ends = streams.max_age.map(|age| now + around(age));
        let first = wake(now + interval, [ends, access.ends()]);
        Self {
            group: streams.hub.join(selection),
            at: after,
            stage: Stage::Running,
            rest: Vec::new(),
            sent: 0,
            next: None,
            ahead: None,
            live: false,
            interval,
            last_sent: now,
            timer: Box::pin(tokio::time::sleep_until(first)),
            ends,
            access,
            streams,
        }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<WatchReply, Status>>> {
        loop {
            match &mut self.stage {
                Stage::Running => {
                    if self.is_over() {
                        return Poll::Ready(Some(Ok(self.announce_end())));
                    }
                    // What was read is no newer than what this is checked with.
                    if let Err(status) = self.check_access() {
                        return Poll::Ready(Some(Err(status)));
                    }
                }
                Stage::Reading(reading) => {
                    let read = ready!(reading.poll_unpin(cx));
                    self.stage = Stage::Running;
                    match read {
                        Ok(entries) => self.take_rest(entries, cx),
                        Err(failure) => return Poll::Ready(Some(Err(self.fail(failure)))),
                    }
                    continue;
                }
                Stage::Drained(pause) => {
                    let status = status::draining(*pause);
                    self.stage = Stage::Ended;
                    return Poll::Ready(Some(Err(status)));
                }
                Stage::Ended => return Poll::Ready(None),
            }
            if self.sent < self.rest.len() {
                if let Some(reply) = self.send_rest() {
                    return Poll::Ready(Some(Ok(reply)));
                }
                // Nothing that matches: let others run before reading on.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(next) = self.next.take() {
                self.stage = Stage::Reading(next);
                continue;
            }
            match self.group.take(&self.at, RESPONSE_EVENTS, RESPONSE_BYTES, cx.waker()) {
                Taken::Events { events, cursor } => {
                    if let Err(status) = self.check_access() {
                        return Poll::Ready(Some(Err(status)));
                    }
                    self.ahead = None;
                    self.at = cursor;
                    self.live = true;
                    return Poll::Ready(Some(Ok(self.reply(events, Phase::Live))));
                }
                Taken::Reset { notice, cursor } => {
                    if let Err(status) = self.check_access() {
                        return Poll::Ready(Some(Err(status)));
                    }
                    self.ahead = None;
                    self.at = cursor;
                    self.live = true;
                    return Poll::Ready(Some(Ok(self.announce_reset(notice, Phase::Live))));
                }
                Taken::Nothing(cursor) => {
                    // What did not match by an access that has changed meanwhile is not passed.
                    if let Err(status) = self.check_access() {
                        return Poll::Ready(Some(Err(status)));
                    }
                    self.ahead = None;
                    self.at = cursor;
                    // Since it was last asked; from here on the hub wakes this stream.
                    if self.is_over() {
                        continue;
                    }
                    if !std::mem::replace(&mut self.live, true) {
                        return Poll::Ready(Some(Ok(self.reply(Vec::new(), Phase::Live))));
                    }
                    ready!(self.timer.as_mut().poll(cx));
                    let due = self.last_sent + self.interval;
                    if Instant::now() >= due {
                        return Poll::Ready(Some(Ok(self.reply(Vec::new(), Phase::Live))));
                    }
                    let at = wake(due, [self.ends, self.access.ends()]);
                    self.timer.as_mut().reset(at);
                }
                Taken::Behind => {
                    if std::mem::replace(&mut self.live, false) {
                        self.streams.hub.metrics().fell_behind.inc();
                    }
                    if self.ahead.is_none() {
                        self.ahead = Arc::clone(&self.streams.ahead).try_acquire_owned().ok();
                    }
                    self.stage = Stage::Reading(self.read(self.at));
                }
            }
        }
    }

    fn read(&self, after: Cursor) -> Reading {
        let (log, readers) = (self.streams.log.clone(), Arc::clone(&self.streams.readers));
        if self.ahead.is_some() {
            // Its permit is the stream's: one that waits for its client must not hold up other readers.
            return async move { log.read(&after, READ_AHEAD).await }.boxed();
        }
        async move {
            // The semaphore is never closed.
            let _permit = readers.acquire().await;
            log.read(&after, READ).await
        }
        .boxed()
    }

    /// Goes on with what was read, and reads on if it may.
    fn take_rest(&mut self, entries: Vec<Arc<LoggedEntry>>, cx: &mut Context<'_>) {
        if let (Some(last), Some(_)) = (entries.last(), &self.ahead) {
            let mut next = self.read(Cursor::after(last.position));
            // The first poll starts it. It is polled again when it is needed, so its answer can wait here.
            if let Poll::Ready(read) = next.poll_unpin(cx) {
                next = std::future::ready(read).boxed();
            }
            self.next = Some(next);
        }
        (self.rest, self.sent) = (entries, 0);
    }

    /// A response out of what was read, if any of it matches, or a sign of life is due.
    fn send_rest(&mut self) -> Option<WatchReply> {
        let mut page = Page::new(self.group.selection(), self.at, Room::new(RESPONSE_EVENTS, RESPONSE_BYTES));
        self.sent += page.take(&self.rest[self.sent..]);
        let Done { events, cursor, notice } = page.finish();
        self.at = cursor;
        if self.sent == self.rest.len() {
            // A stream that waits for its client holds nothing that was sent.
            self.rest = Vec::new();
            self.sent = 0;
        }
        if let Some(notice) = notice {
            return Some(self.announce_reset(notice, Phase::CatchUp));
        }
        let due = self.last_sent + self.interval;
        if events.is_empty() && Instant::now() < due {
            return None;
        }
        Some(self.reply(events, Phase::CatchUp))
    }

    fn reply(&mut self, events: Vec<Bytes>, phase: Phase) -> WatchReply {
        self.last_sent = Instant::now();
        let metrics = self.streams.hub.metrics();
        metrics.responses.inc();
        metrics.delivered_events.inc_by(events.len() as u64);
        WatchReply {
            checkpoint: events.is_empty(),
            events,
            cursor: self.at.to_string(),
            phase: phase.into(),
            lag_entries: self.streams.log.tail().sequence.saturating_sub(self.at.position.sequence),
            drain: None,
            source_reset: None,
        }
    }

    /// A response of its own, whose cursor is just after the reset.
    fn announce_reset(&mut self, notice: Bytes, phase: Phase) -> WatchReply {
        WatchReply { checkpoint: false, source_reset: Some(notice), ..self.reply(Vec::new(), phase) }
    }

    fn check_access(&mut self) -> Result<(), Status> {
        let at = self.at;
        let checked = self.access.check(|| at.to_string());
        if checked.is_err() {
            self.stage = Stage::Ended;
        }
        checked
    }

    fn is_over(&self) -> bool {
        self.streams.hub.draining() || self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    fn announce_end(&mut self) -> WatchReply {
        let pause = around(self.streams.reconnect_after);
        self.stage = Stage::Drained(pause);
        let phase = if self.live { Phase::Live } else { Phase::CatchUp };
        let drain = Drain { reconnect_after: pause.try_into().ok() };
        WatchReply { drain: Some(drain), ..self.reply(Vec::new(), phase) }
    }

    fn fail(&mut self, failure: ReadFailure) -> Status {
        self.stage = Stage::Ended;
        status::read_failure(failure)
    }
}

impl Stream for WatchStream {
    type Item = Result<WatchReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_reply(cx)
    }
}

fn wake(due: Instant, ends: [Option<Instant>; 2]) -> Instant {
    ends.into_iter().flatten().fold(due, Instant::min)
}

/// Between half and one and a half times as long, so that not all come at once.
fn around(duration: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1001;
    duration / 2 + duration.mul_f64(random as f64 / 1000.0)
}
