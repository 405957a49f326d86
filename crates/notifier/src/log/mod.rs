//! Reading the event log: from a cursor on, from a time on, one event by its id.
//!
//! Invariants: a cursor is compared with the log before anything is read after it, so that nobody reads
//! on in another history; events come as they were stored. Reads answer what is durable and nothing else.

mod backward;
mod find;
mod shared_entries;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::journal::{ReadError, ReadLimit, StoredEntry};
use milepost_ledger::{CommandId, Entry, EntryError, Source};
use milepost_types::{Cursor, LogId, Position, Rejection};

pub(crate) use self::backward::BackwardReader;
pub(crate) use self::find::PlaceOf;
use self::shared_entries::SharedEntries;
use crate::convert::notice::notice;
use crate::error::ReadFailure;

/// An entry of the log.
#[derive(Debug)]
pub(crate) struct LoggedEntry {
    /// Its position in the log.
    pub(crate) position: Position,
    /// The encoded events.
    pub(crate) events: Vec<Bytes>,
    /// The encoded notice of a reset, which every reader that passes the entry gets, whatever it selected.
    pub(crate) notice: Option<Bytes>,
    stored: StoredEntry,
}

impl LoggedEntry {
    /// An entry as a reader of events sees it; the rest of it is read when it is asked for.
    pub(crate) fn new(log: LogId, stored: StoredEntry) -> Result<Self, EntryError> {
        let position = Position::after(log, stored.sequence, &stored.hash);
        let events = Entry::decode_events(&stored)?;
        Ok(Self { position, notice: notice(&events), events, stored })
    }

    /// Entries as they were read.
    pub(crate) fn all(log: LogId, stored: Vec<StoredEntry>) -> Result<Vec<Arc<Self>>, EntryError> {
        stored.into_iter().map(|stored| Self::new(log, stored).map(Arc::new)).collect()
    }

    /// When it was committed here: not earlier than at its source.
    pub(crate) fn commit_time(&self) -> Result<Timestamp, EntryError> {
        Ok(Entry::decode(&self.stored)?.commit_time)
    }

    /// The entry of a source that it took over; `None` for a reset.
    pub(crate) fn taken_over(&self) -> Result<Option<Position>, EntryError> {
        Ok(match Entry::decode(&self.stored)?.command_id {
            CommandId::Source(position) => Some(position),
            CommandId::Request { .. } | CommandId::Server(_) => None,
        })
    }

    /// The cursor after the event with this index, and before the notice if there is one.
    pub(crate) fn cursor(&self, index: usize) -> Cursor {
        if index + 1 == self.events.len() && self.notice.is_none() {
            return Cursor::after(self.position);
        }
        Cursor::inside(self.position, u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// The log, for readers; clones share it.
#[derive(Clone)]
pub(crate) struct EventLog {
    source: Source,
    earliest: Position,
    shared_entries: Arc<SharedEntries>,
}

impl EventLog {
    /// The log behind a ledger's journal, of which everything after `earliest` is kept.
    pub(crate) fn new(source: Source, earliest: Position) -> Self {
        Self { source, earliest, shared_entries: Arc::default() }
    }

    /// The last durable position.
    pub(crate) fn tail(&self) -> Position {
        self.source.tail()
    }

    /// The cursor before the earliest event that is kept.
    pub(crate) fn earliest(&self) -> Cursor {
        Cursor::after(self.earliest)
    }

    /// The cursor after the latest event.
    pub(crate) fn latest(&self) -> Cursor {
        Cursor::after(self.tail())
    }

    /// The cursor in this log that events can be read after: of a log that this one was restored from, the same
    /// place up to the fork.
    ///
    /// # Errors
    /// If it is of another log or another history, ahead of the log, or older than what is kept.
    pub(crate) async fn check(&self, cursor: &Cursor) -> Result<Cursor, ReadFailure> {
        let (given, tail, earliest) = (cursor.position, self.tail(), self.earliest());
        let here = if given.log == tail.log { Some(given) } else { self.source.resolve(given) };
        let Some(here) = here else {
            if let Some(fork) = self.source.info().lineage.fork_of(given.log) {
                let own = Position { log: tail.log, ..fork };
                return Err(Rejection::CursorDiverged { given, own, earliest }.into());
            }
            return Err(Rejection::CursorOfOtherLog { given, own: tail, earliest }.into());
        };
        let cursor = Cursor { position: here, ..*cursor };
        if given.sequence > tail.sequence {
            return Err(Rejection::CursorAhead { given, own: tail, earliest }.into());
        }
        if cursor.next() < earliest.next() {
            return Err(Rejection::CursorExpired { earliest }.into());
        }
        match self.source.read(given, ReadLimit { entries: 1, bytes: 1 }).await {
            Err(ReadError::Diverged { have: own, .. }) => {
                Err(Rejection::CursorDiverged { given, own, earliest }.into())
            }
            Err(ReadError::Ahead { tail: own, .. }) => {
                Err(Rejection::CursorAhead { given, own, earliest }.into())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(cursor),
        }
    }

    /// The entries from the one with the first event after a cursor on; none at the tail. At least one
    /// comes back if there is one, however large. The cursor was checked.
    pub(crate) async fn read(
        &self,
        after: &Cursor,
        limit: ReadLimit,
    ) -> Result<Vec<Arc<LoggedEntry>>, ReadFailure> {
        let (sequence, _) = after.next();
        self.read_from(sequence, limit).await
    }

    async fn read_from(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<Arc<LoggedEntry>>, ReadFailure> {
        if let Some(entry) = self.shared_entries.get(sequence) {
            return Ok(vec![entry]);
        }
        let log = self.tail().log;
        let logged = move |stored| LoggedEntry::all(log, stored);
        let entries = self.source.map_after(sequence.saturating_sub(1), limit, logged).await??;
        for entry in &entries {
            self.shared_entries.put(entry, entry.stored.bytes.len());
        }
        Ok(entries)
    }
}
