//! The events of some entries that a selection matches, up to a limit; or the reset of a source between them.
//!
//! Invariants: the cursor is after everything that was scanned and before the first matching event that
//! did not fit. A page that passes a reset holds its notice and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use milepost_types::{Cursor, Room};

use crate::convert::envelope::matches;
use crate::log::LoggedEntry;
use crate::selection::Selection;

/// A page in the making.
pub(crate) struct Page<'a> {
    selection: &'a Selection,
    cursor: Cursor,
    events: Vec<Bytes>,
    notice: Option<Bytes>,
    room: Room,
    scanned_bytes: usize,
    full: bool,
}

/// A finished page.
#[derive(Debug)]
pub(crate) struct Done {
    /// Encoded, in order.
    pub(crate) events: Vec<Bytes>,
    /// How far the log was scanned.
    pub(crate) cursor: Cursor,
    /// The notice of a reset just before the cursor, encoded; then there are no events.
    pub(crate) notice: Option<Bytes>,
}

impl<'a> Page<'a> {
    /// A page of what comes after a cursor, as much as there is room for.
    pub(crate) fn new(selection: &'a Selection, after: Cursor, room: Room) -> Self {
        Self {
            selection,
            cursor: after,
            events: Vec::new(),
            notice: None,
            room,
            scanned_bytes: 0,
            full: false,
        }
    }

    /// Takes what fits of entries that go on where the page ends, and returns how many of them are done.
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
            if let Some(notice) = &entry.notice {
                self.full = true;
                if !self.events.is_empty() {
                    return done;
                }
                self.notice = Some(notice.clone());
                self.cursor = Cursor::after(entry.position);
                return done + 1;
            }
            self.cursor = Cursor::after(entry.position);
        }
        entries.len()
    }

    /// Adds the event if it matches; false if it does and there is no room.
    fn offer(&mut self, event: &Bytes) -> bool {
        self.scanned_bytes = self.scanned_bytes.saturating_add(event.len());
        // `decide` read every envelope before the event was taken over.
        if !matches(self.selection, event) {
            return true;
        }
        if !self.room.admit(event.len()) {
            self.full = true;
            return false;
        }
        self.events.push(event.clone());
        true
    }

    /// The bytes of all events that were scanned.
    pub(crate) fn scanned_bytes(&self) -> usize {
        self.scanned_bytes
    }

    /// Whether a matching event or a notice did not fit, or it holds a notice.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The cursor so far.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The finished page.
    pub(crate) fn finish(self) -> Done {
        Done { events: self.events, cursor: self.cursor, notice: self.notice }
    }
}
