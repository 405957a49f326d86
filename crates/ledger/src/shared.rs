//! The committed state that the handles of a ledger read and its writer changes.
//!
//! Invariants: everything in it is durable in the journal; a failure, once set, stays. It starts no thread and
//! decides nothing.

use std::sync::Arc;

use milepost_types::Position;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::journal::{self, DiskRoom};
use crate::state::State;
use crate::stats::Stats;
use crate::store::{Base, View};

/// What handles and writer share.
pub(crate) struct Shared {
    /// Written only while a durable group, or a durable entry of another process, is applied.
    pub(crate) state: RwLock<State>,
    pub(crate) base: Arc<Base>,
    /// The last entry in `state`. The writer sends it, after the entry is in `state`; it ends with the writer.
    position: watch::Receiver<Position>,
    pub(crate) stats: Stats,
    /// The disk space at the last append that was refused for lack of it; `None` once there is enough again.
    pub(crate) disk_low: watch::Sender<Option<DiskRoom>>,
}

impl Shared {
    /// The state that a ledger opens with, and what its writer sends positions by.
    pub(crate) fn new(state: State) -> (Self, watch::Sender<Position>) {
        let (sender, position) = watch::channel(state.layers.tip.position);
        let shared = Self {
            base: Arc::clone(&state.layers.base),
            position,
            state: RwLock::new(state),
            stats: Stats::default(),
            disk_low: watch::Sender::new(None),
        };
        (shared, sender)
    }

    /// The committed rows as one consistent cut.
    pub(crate) fn view(&self) -> View<'_> {
        View::enter();
        // The guard first: a checkpoint between the two would write rows that the loaded layers do not cover.
        let cut = self.base.cut.read();
        View::new(self.state.read().layers.clone(), cut)
    }

    /// Notifies of positions after the present one.
    pub(crate) fn positions(&self) -> watch::Receiver<Position> {
        let mut positions = self.position.clone();
        positions.mark_unchanged();
        positions
    }

    /// The last entry in the state.
    pub(crate) fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Whether the ledger has failed and takes no more commands.
    pub(crate) fn failed(&self) -> bool {
        self.base.failure.borrow().is_some()
    }

    /// Ends the ledger for this reason, unless it has failed before.
    pub(crate) fn fail(&self, reason: &str) {
        self.base.fail(reason);
    }

    /// The shortage of disk space, if there is one: from the space measured `now`, and the last refusal that was known
    /// before it was measured. Clears that refusal if there is none.
    pub(crate) fn shortage(&self, now: Option<DiskRoom>, refused: Option<DiskRoom>) -> Option<DiskRoom> {
        let shortage = now.and_then(|now| journal::shortage(refused, now));
        if shortage.is_none() {
            // Unless a command was refused meanwhile.
            let over = |latest: &mut Option<DiskRoom>| *latest == refused && latest.take().is_some();
            self.disk_low.send_if_modified(over);
        }
        shortage
    }
}
