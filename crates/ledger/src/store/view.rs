//! The committed rows as a reader of the API sees them.
//!
//! Invariant: one consistent cut: a checkpoint writes the base only once no view is held that lacks the frozen table
//! in front of it. A view copies no rows, but it delays checkpoints while it is held.

use std::cell::Cell;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::Position;
use parking_lot::RwLockReadGuard;

use super::layers::Layers;
use crate::domain::{Direction, KeyRange, Read, RowIter};

/// The committed rows at one sequence. While it is held, a checkpoint waits, and then other views do: read
/// and drop it.
pub struct View<'a> {
    layers: Layers,
    _cut: RwLockReadGuard<'a, ()>,
}

thread_local! {
    /// Whether this thread holds a view.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

impl<'a> View<'a> {
    /// Records that this thread is about to hold a view.
    pub(crate) fn enter() {
        debug_assert!(!HELD.replace(true), "a thread must not hold two views at once");
    }

    pub(crate) fn new(layers: Layers, cut: RwLockReadGuard<'a, ()>) -> Self {
        Self { layers, _cut: cut }
    }

    /// The last entry that the rows include.
    pub fn position(&self) -> Position {
        self.layers.tip.position
    }

    /// When that entry was committed; the Unix epoch in an empty ledger.
    pub fn commit_time(&self) -> Timestamp {
        self.layers.tip.commit_time
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

impl Read for View<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.layers.get(key)
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        self.layers.scan(range, direction)
    }
}
