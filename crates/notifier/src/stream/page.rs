//! The events of some entries that a selection matches, up to a limit.
//!
//! Invariant: the cursor is after everything that was looked at and before the first matching event that
//! did not fit.

use std::sync::Arc;

use bytes::Bytes;
use milepost_types::Cursor;

use crate::convert::envelope::matches;
use crate::log::LoggedEntry;
use crate::selection::Selection;

/// A page in the making.
pub(crate) struct Page<'a> {
    selection: &'a Selection,
    cursor: Cursor,
    events: Vec<Bytes>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    full: bool,
}

impl<'a> Page<'a> {
    /// A page of what comes after a cursor.
    pub(crate) fn new(selection: &'a Selection, after: Cursor, max_events: usize, max_bytes: usize) -> Self {
        Self { selection, cursor: after, events: Vec::new(), bytes: 0, max_events, max_bytes, full: false }
    }

    /// Takes what fits of entries that go on where the page ends, and tells how many of them are done.
    pub(crate) fn take(&mut self, entries: &[Arc<LoggedEntry>]) -> usize {
        for (done, entry) in entries.iter().enumerate() {
            let (sequence, first) = self.cursor.next();
            let first = if entry.position.sequence == sequence { first as usize } else { 0 };
            for (index, event) in entry.events.iter().enumerate().skip(first) {
                if !self.offer(event) {
                    return done;
                }
                self.cursor = entry.cursor(index);
            }
            self.cursor = Cursor::after(entry.position);
        }
        entries.len()
    }

    /// Adds the event if it matches; false if it does and there is no room.
    fn offer(&mut self, event: &Bytes) -> bool {
        // `decide` looked at every envelope before it let the event in.
        if !matches(self.selection, event) {
            return true;
        }
        let fits = self.events.len() < self.max_events && self.bytes + event.len() <= self.max_bytes;
        if fits || self.events.is_empty() {
            self.bytes += event.len();
            self.events.push(event.clone());
            return true;
        }
        self.full = true;
        false
    }

    /// Whether a matching event did not fit.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The cursor so far.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The events, and how far the log was looked through.
    pub(crate) fn finish(self) -> (Vec<Bytes>, Cursor) {
        (self.events, self.cursor)
    }
}
