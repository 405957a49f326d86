//! The clock of the notifier's ledger: never behind what a source committed.
//!
//! Invariant: an entry's commit time is not earlier than its source's, also where the source's clock runs
//! ahead of ours, so that reading from a time on misses nothing that was committed then or later.

use std::sync::Arc;

use jiff::Timestamp;
use milepost_types::Clock;
use parking_lot::Mutex;

/// A clock that shows at least the time it was raised to.
pub(crate) struct SourceClock {
    own: Arc<dyn Clock>,
    floor: Mutex<Timestamp>,
}

impl SourceClock {
    /// As the clock given, until it is raised.
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self { own, floor: Mutex::new(Timestamp::MIN) }
    }

    /// From now on it shows at least this time.
    pub(crate) fn raise(&self, time: Timestamp) {
        let mut floor = self.floor.lock();
        *floor = time.max(*floor);
    }
}

impl Clock for SourceClock {
    fn now(&self) -> Timestamp {
        self.own.now().max(*self.floor.lock())
    }
}
