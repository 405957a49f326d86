//! How far a source is known to be, for whoever asks how far behind the log is.

use std::time::Instant;

use milepost_service::freshness::Freshness;
use milepost_types::Position;
use parking_lot::Mutex;

/// How far a source was when its follower last received something.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    tail: Mutex<Option<Position>>,
    /// How old what was taken over may be.
    pub(crate) freshness: Freshness,
}

impl Progress {
    /// Records the source's tail, as it was at this moment.
    pub(super) fn record_tail(&self, tail: Position, as_of: Instant) {
        *self.tail.lock() = Some(tail);
        self.freshness.record_tail(tail, as_of);
    }

    /// Where the source's log was last; `None` if it was never reached.
    pub(crate) fn tail(&self) -> Option<Position> {
        *self.tail.lock()
    }

    /// How many entries the source is ahead of what was taken over; `None` if it was never reached.
    pub(crate) fn lag(&self, applied: Option<&Position>) -> Option<u64> {
        let tail = (*self.tail.lock())?;
        let own = applied.filter(|own| own.log == tail.log).map_or(0, |own| own.sequence);
        Some(tail.sequence.saturating_sub(own))
    }
}
