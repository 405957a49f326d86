//! The rows that a command is decided and applied on, with its own changes in front.
//!
//! Invariant: nothing outside sees the changes before `into_changes`; dropping the draft undoes them.

use bytes::Bytes;

use super::change::Changes;
use super::layers::Layers;
use super::merge::{ordered, over};
use crate::domain::{Direction, KeyRange, Read, RowIter, Write};

/// The rows for one command: its own changes, in front of those of the commands before it in its group, in front of
/// the committed rows.
pub(crate) struct Draft<'a> {
    committed: &'a Layers,
    group: &'a Changes,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// A draft in which nothing has changed yet.
    pub(crate) fn new(committed: &'a Layers, group: &'a Changes) -> Self {
        Self { committed, group, changes: Changes::new() }
    }

    /// The changes that were made.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}

impl Read for Draft<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        match self.changes.get(key).or_else(|| self.group.get(key)) {
            Some(changed) => changed.clone(),
            None => self.committed.get(key),
        }
    }

    fn scan<'s>(&'s self, range: &KeyRange, direction: Direction) -> RowIter<'s> {
        let mut rows = self.committed.scan(range, direction);
        for changes in [self.group, &self.changes] {
            if !changes.is_empty() {
                rows = over(ordered(range, direction, |bounds| changes.range(bounds)), rows, direction);
            }
        }
        rows
    }
}

impl Write for Draft<'_> {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.changes.insert(Bytes::from(key), Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.changes.insert(Bytes::copy_from_slice(key), None);
    }
}
