//! The events of some entries that a selection matches, the newest first, up to a limit; or the reset of a source
//! between them.
//!
//! Invariants: as of a page in the order of the log, with before and after exchanged. The place is just before
//! everything that was scanned and after the first matching event that did not fit; a page that passes a reset holds
//! its notice and nothing else. In an entry, the notice stands after the events.

use std::sync::Arc;

use bytes::Bytes;
use milepost_types::Room;

use crate::convert::envelope::matches;
use crate::log::LoggedEntry;
use crate::selection::Selection;

/// A sequence and the index of an event in its entry, as `Cursor::next` counts; the notice has the index after that
/// of the last event.
pub(crate) type Place = (u64, u32);

/// A page in the making.
pub(crate) struct BackwardPage<'a> {
    selection: &'a Selection,
    place: Place,
    end: Place,
    events: Vec<Bytes>,
    notice: Option<Bytes>,
    room: Room,
    full: bool,
}

impl<'a> BackwardPage<'a> {
    /// A page of what stands before a place and not before the end, as much as there is room for.
    pub(crate) fn new(selection: &'a Selection, before: Place, end: Place, room: Room) -> Self {
        Self { selection, place: before, end, events: Vec::new(), notice: None, room, full: false }
    }

    /// The sequence of the last entry that it has not looked through; `None` at the end.
    pub(crate) fn wants(&self) -> Option<u64> {
        let (sequence, index) = self.place;
        (self.place > self.end).then(|| if index > 0 { sequence } else { sequence - 1 })
    }

    /// Takes what fits of entries, in the order of the log, of which the last one is the one that it wants.
    pub(crate) fn take(&mut self, entries: &[Arc<LoggedEntry>]) {
        for entry in entries.iter().rev() {
            self.take_entry(entry);
            if self.full {
                return;
            }
        }
    }

    fn take_entry(&mut self, entry: &LoggedEntry) {
        let sequence = entry.position.sequence;
        let within = |(at, index): Place, beyond| if at == sequence { index } else { beyond };
        let (first, last) = (within(self.end, 0), within(self.place, u32::MAX));
        if let Some(notice) = &entry.notice
            && let index = u32::try_from(entry.events.len()).unwrap_or(u32::MAX)
            && (first..last).contains(&index)
        {
            self.full = true;
            if self.events.is_empty() {
                self.notice = Some(notice.clone());
                self.place = (sequence, index);
            }
            return;
        }
        let events = entry.events.iter().zip(0_u32..);
        let events = events.take_while(|(_, index)| *index < last).skip_while(|(_, index)| *index < first);
        for (event, index) in events.collect::<Vec<_>>().into_iter().rev() {
            if matches(self.selection, event) {
                if !self.room.admit(event.len()) {
                    self.full = true;
                    return;
                }
                self.events.push(event.clone());
            }
            self.place = (sequence, index);
        }
        self.place = (sequence, first);
    }

    /// Whether a matching event or a notice did not fit, or it holds a notice.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// How far it looked: everything from here on, up to where it began.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The encoded events, and the notice of a reset just after the place, encoded; then there are no events.
    pub(crate) fn finish(self) -> (Vec<Bytes>, Option<Bytes>) {
        (self.events, self.notice)
    }
}
