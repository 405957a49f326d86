//! Counters of a ledger since it was opened.
//!
//! Invariant: counters only rise; a reader takes differences. Names and help texts of metrics are not here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters of one ledger.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) groups: Counter,
    pub(crate) entries: Counter,
    pub(crate) refused: Counter,
    pub(crate) disk_low: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) decide_nanos: Counter,
    pub(crate) append_nanos: Counter,
    pub(crate) checkpoints: Counter,
    pub(crate) checkpoint_rows: Counter,
    pub(crate) checkpoint_waits: Counter,
}

impl Stats {
    /// Group commits that wrote entries.
    pub fn groups(&self) -> u64 {
        self.groups.get()
    }

    /// Entries committed by this ledger.
    pub fn entries(&self) -> u64 {
        self.entries.get()
    }

    /// Commands that were rejected, or failed, without an effect.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Commands that were refused for lack of space on the journal's disk; they count as refused too.
    pub fn disk_low(&self) -> u64 {
        self.disk_low.get()
    }

    /// Appends that failed because another process had appended first.
    pub fn conflicts(&self) -> u64 {
        self.conflicts.get()
    }

    /// Time spent deciding and applying.
    pub fn decide_time(&self) -> Duration {
        Duration::from_nanos(self.decide_nanos.get())
    }

    /// Time spent appending and syncing.
    pub fn append_time(&self) -> Duration {
        Duration::from_nanos(self.append_nanos.get())
    }

    /// Checkpoints begun.
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints.get()
    }

    /// Rows of the tables that checkpoints wrote.
    pub fn checkpoint_rows(&self) -> u64 {
        self.checkpoint_rows.get()
    }

    /// How often the writer had to wait for a checkpoint.
    pub fn checkpoint_waits(&self) -> u64 {
        self.checkpoint_waits.get()
    }
}

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn add_since(&self, started: std::time::Instant) {
        self.add(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
