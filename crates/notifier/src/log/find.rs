//! Finding a place in the log: by time, and by an event's id.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::Read;
use milepost_ledger::journal::ReadLimit;
use milepost_types::{Cursor, EventId, Position};

use super::{EventLog, LoggedEntry};
use crate::error::ReadFailure;
use crate::tables::places;

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
        rows: PlaceOf,
        id: &EventId,
    ) -> Result<Option<(Bytes, Cursor)>, ReadFailure> {
        let index = id.index as usize;
        let entry = match rows {
            PlaceOf::Own => match self.entry(id.sequence).await? {
                Some(entry) if entry.taken_over()?.is_none() => Some(entry),
                _ => None,
            },
            PlaceOf::Source { before } => self.look_after(before, id).await?,
        };
        Ok(entry.and_then(|entry| Some((entry.events.get(index)?.clone(), entry.cursor(index)))))
    }

    /// The entry that took over the one of the id, in the block after `before`.
    async fn look_after(&self, before: u64, id: &EventId) -> Result<Option<Arc<LoggedEntry>>, ReadFailure> {
        let is_it = |taken: Position| taken.log == id.log && taken.sequence == id.sequence;
        let (mut next, mut found) = (before + 1, None);
        while next <= before + places::BLOCK {
            let entries = self.read_from(next, LOOK).await?;
            let Some(last) = entries.last() else { break };
            next = last.position.sequence + 1;
            // The last one counts: a source that went back in its log has made the sequence again.
            for entry in entries {
                if entry.taken_over()?.is_some_and(is_it) {
                    found = Some(entry);
                }
            }
        }
        Ok(found)
    }

    /// The entry with this sequence; `None` if there is none.
    async fn entry(&self, sequence: u64) -> Result<Option<Arc<LoggedEntry>>, ReadFailure> {
        if sequence == 0 || sequence > self.tail().sequence {
            return Ok(None);
        }
        let entries = self.read_from(sequence, ReadLimit { entries: 1, bytes: 1 }).await?;
        Ok(entries.into_iter().next())
    }
}

/// Where to look for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceOf {
    /// It is of this log itself.
    Own,
    /// It is of a source; if it is here, then in the block after this sequence.
    Source {
        /// The sequence just before the block.
        before: u64,
    },
}

impl PlaceOf {
    /// Where an event is by the rows at `position`.
    pub(crate) fn event(rows: &dyn Read, position: &Position, id: &EventId) -> Self {
        if id.log == position.log {
            return Self::Own;
        }
        Self::Source { before: places::before_block(rows, id.log, id.sequence, position.sequence) }
    }
}
