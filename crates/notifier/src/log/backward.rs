//! Reading the log from its end to its beginning, in pieces that fit the memory of one read.
//!
//! Journals are read forward only: a piece is read from a guessed sequence on, and if it does not reach the place
//! where the one before began, because its entries are large, it is guessed a quarter as long.
//!
//! Invariants: pieces have no gap between them; a read holds what [`READ`] allows, or one entry if that is larger.
//! What was read in vain counts as read, so that a caller that bounds its work bounds all of it.

use std::sync::Arc;

use milepost_ledger::journal::ReadLimit;
use milepost_types::{Cursor, Position};

use super::{EventLog, LoggedEntry};
use crate::error::ReadFailure;

/// What is read at once at most.
const READ: ReadLimit = ReadLimit { entries: 1000, bytes: 1 << 20 };
/// Entries of the first piece: most lists want the few newest events.
const FIRST_ENTRIES: u64 = 64;

/// A reader of the log that goes backward.
pub(crate) struct BackwardReader<'a> {
    log: &'a EventLog,
    /// Entries of the next piece.
    entries: u64,
    bytes_read: usize,
}

impl<'a> BackwardReader<'a> {
    /// A reader that has read nothing yet.
    pub(crate) fn new(log: &'a EventLog) -> Self {
        Self { log, entries: FIRST_ENTRIES, bytes_read: 0 }
    }

    /// The last entries of those from `first` up to `last`, which is in the log and not before `first`: at least the
    /// last one, in the order of the log.
    pub(crate) async fn read(&mut self, first: u64, last: u64) -> Result<Vec<Arc<LoggedEntry>>, ReadFailure> {
        loop {
            let entries = self.entries.min(last + 1 - first);
            let from = last + 1 - entries;
            let limit = ReadLimit { entries: usize::try_from(entries).unwrap_or(usize::MAX), ..READ };
            let read = self.log.read_from(from, limit).await?;
            let bytes: usize = read.iter().map(|entry| entry.stored.bytes.len()).sum();
            self.bytes_read = self.bytes_read.saturating_add(bytes);
            if entries == 1 || read.last().is_some_and(|entry| entry.position.sequence >= last) {
                if bytes <= READ.bytes / 4 {
                    self.entries = (2 * entries).clamp(1, READ.entries as u64);
                }
                return Ok(read);
            }
            self.entries = (entries / 4).max(1);
        }
    }

    /// The bytes of all entries that were read, also of those that were read in vain.
    pub(crate) fn bytes_read(&self) -> usize {
        self.bytes_read
    }
}

impl EventLog {
    /// The cursor before an event, or the notice, with this sequence and index in its entry, as [`Cursor::next`]
    /// counts. The entry is in the log, and after the earliest position.
    pub(crate) async fn before(&self, sequence: u64, index: u32) -> Result<Cursor, ReadFailure> {
        if let Some(index) = index.checked_sub(1) {
            return Ok(Cursor::inside(self.position(sequence).await?, index));
        }
        Ok(Cursor::after(self.position(sequence - 1).await?))
    }

    async fn position(&self, sequence: u64) -> Result<Position, ReadFailure> {
        if sequence <= self.earliest.sequence {
            return Ok(self.earliest);
        }
        let entry = self.entry(sequence).await?;
        Ok(entry.expect("an entry that was passed is in the log").position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::logs::log_of;

    /// A log of entries with one event of so many bytes each.
    fn log(sizes: &[usize]) -> EventLog {
        log_of(sizes.iter().map(|size| vec![vec![0; *size].into()]).collect())
    }

    /// Reads all of it; the sequences of each piece, and the bytes read.
    async fn pieces(log: &EventLog) -> (Vec<Vec<u64>>, usize) {
        let (mut reader, mut last, mut pieces) = (BackwardReader::new(log), log.tail().sequence, Vec::new());
        while last > 0 {
            let read = reader.read(1, last).await.unwrap();
            let piece: Vec<u64> = read.iter().map(|entry| entry.position.sequence).collect();
            last = piece[0] - 1;
            pieces.push(piece);
        }
        (pieces, reader.bytes_read())
    }

    #[tokio::test]
    async fn pieces_have_no_gap_grow_while_entries_are_small_and_shrink_where_they_are_large() {
        // 200 small entries, three of more than a piece, 400 small ones.
        let large = 2 << 20;
        let sizes = [vec![10; 200], vec![large; 3], vec![10; 400]].concat();
        let log = log(&sizes);
        let (pieces, bytes) = pieces(&log).await;
        let read: Vec<u64> = pieces.iter().rev().flatten().copied().collect();
        assert_eq!(read, (1..=603).collect::<Vec<_>>());
        let lengths: Vec<_> = pieces.iter().map(Vec::len).collect();
        assert_eq!(lengths[..2], [64, 128], "{lengths:?}");
        assert!(lengths.windows(3).any(|window| window == [1, 1, 1]), "{lengths:?}");
        assert!(bytes >= 3 * large && bytes <= 10 * large, "{bytes}");
    }

    #[tokio::test]
    async fn the_end_of_a_long_log_is_read_without_the_rest() {
        let log = log(&vec![1000; 2000]);
        let mut reader = BackwardReader::new(&log);
        assert_eq!(reader.read(1, 2000).await.unwrap().len(), 64);
        assert!(reader.bytes_read() < 64 * 1500, "{}", reader.bytes_read());
        assert_eq!(reader.read(1930, 1936).await.unwrap().len(), 7, "not before what was asked for");
    }

    #[tokio::test]
    async fn the_cursor_before_an_event_is_one_that_readers_go_on_after() {
        let log = log(&[1, 1, 1]);
        assert_eq!(log.before(1, 0).await.unwrap(), log.earliest());
        for place in [(1, 0), (2, 0), (3, 0), (3, 1)] {
            let cursor = log.before(place.0, place.1).await.unwrap();
            assert_eq!(cursor.next(), place);
            assert_eq!(log.check(&cursor).await.unwrap(), cursor);
        }
    }
}
