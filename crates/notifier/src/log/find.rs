//! Finding a place in the log: by time, and by an event's id.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::Read;
use milepost_ledger::journal::ReadLimit;
use milepost_types::{Cursor, EventId, Lineage, LogId, Position, same_places};

use super::{EventLog, LoggedEntry};
use crate::convert::envelope::envelope;
use crate::error::ReadFailure;
use crate::tables::{block_index, later_logs};

/// How much is read at once while looking for an entry.
const LOOK: ReadLimit = ReadLimit { entries: 64, bytes: 256 * 1024 };

impl EventLog {
    /// The cursor before the first entry that was committed at this time or later.
    ///
    /// Commit times never fall, and are not earlier than those of the sources; so everything that any
    /// source committed at this time or later is after the cursor.
    pub(crate) async fn at(&self, time: Timestamp) -> Result<Cursor, ReadFailure> {
        // Everything up to `early` is too early, and nothing after `late` is.
        let (mut early, mut late) = (self.earliest, self.tail().sequence);
        while early.sequence < late {
            let middle = early.sequence + (late - early.sequence).div_ceil(2);
            match self.entry(middle).await? {
                Some(entry) if entry.commit_time()? < time => early = entry.position,
                _ => late = middle - 1,
            }
        }
        Ok(Cursor::after(early))
    }

    /// The event with this id, and the cursor after it.
    pub(crate) async fn find(
        &self,
        place: PlaceOf,
        id: &EventId,
    ) -> Result<Option<(Bytes, Cursor)>, ReadFailure> {
        let PlaceOf::Source(places) = place else {
            let own = self.entry(id.sequence).await?;
            return Ok(own.and_then(|entry| event_of(&entry, id)));
        };
        for (log, before) in places {
            let entry = self.look_after(before, log, id.sequence).await?;
            if let Some(found) = entry.and_then(|entry| event_of(&entry, id)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The entry that took over the one of a source's log with this sequence, in the block after `before`.
    async fn look_after(
        &self,
        before: u64,
        log: LogId,
        sequence: u64,
    ) -> Result<Option<Arc<LoggedEntry>>, ReadFailure> {
        let is_it = |taken: Position| taken.log == log && taken.sequence == sequence;
        let (mut next, mut found) = (before + 1, None);
        while next <= before + block_index::BLOCK {
            let entries = self.read_from(next, LOOK).await?;
            let Some(last) = entries.last() else { break };
            next = last.position.sequence + 1;
            // The last one counts: a source that was restored has committed the sequence again.
            for entry in entries {
                if entry.taken_over()?.is_some_and(is_it) {
                    found = Some(entry);
                }
            }
        }
        Ok(found)
    }

    /// The entry with this sequence; `None` if there is none.
    pub(super) async fn entry(&self, sequence: u64) -> Result<Option<Arc<LoggedEntry>>, ReadFailure> {
        if sequence == 0 || sequence > self.tail().sequence {
            return Ok(None);
        }
        let entries = self.read_from(sequence, ReadLimit { entries: 1, bytes: 1 }).await?;
        Ok(entries.into_iter().next())
    }
}

/// The event of an entry with this id, and the cursor after it. An event that a source's log has from a log that
/// it was restored from has the id that it got there, so the entry's sequence alone does not identify it.
fn event_of(entry: &LoggedEntry, id: &EventId) -> Option<(Bytes, Cursor)> {
    let index = id.index as usize;
    let event = entry.events.get(index)?;
    let is_it = envelope(event).is_ok_and(|event| event.event_id == id.to_string());
    is_it.then(|| (event.clone(), entry.cursor(index)))
}

/// Where to look for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaceOf {
    /// It is of this log itself, or of one that it was restored from.
    Own,
    /// It is of a source; if it is here, then taken over from one of these logs, in the block after this sequence.
    Source(Vec<(LogId, u64)>),
}

impl PlaceOf {
    /// Where an event is by the rows at `position`, in a log of this lineage.
    pub(crate) fn event(rows: &dyn Read, position: &Position, lineage: &Lineage, id: &EventId) -> Self {
        if id.log == position.log || lineage.fork_of(id.log).is_some() {
            return Self::Own;
        }
        let of_source = Position { sequence: id.sequence, ..Position::start(id.log) };
        let places = same_places(of_source, &|log| later_logs::of(rows, log));
        let before = |log| block_index::before_block(rows, log, id.sequence, position.sequence);
        Self::Source(places.into_iter().map(|place| (place.log, before(place.log))).collect())
    }
}
