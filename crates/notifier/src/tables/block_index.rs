//! Where entries of a source are in the log: one row a source and block of [`BLOCK`] entries.
//!
//! The log is cut into blocks that end at multiples of [`BLOCK`]. At the end of a block, a source that
//! came further in it gets a row: from its last sequence to the block's end. So the source entry with
//! sequence `s` is in the block of the first row from `s` on; without such a row, after the last block.
//! An event is found by its id by reading one block, and no row is kept for it.

use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::{LogId, Position};

use super::{Tag, log_key, take_sequence};

/// Entries of a block.
pub(crate) const BLOCK: u64 = 256;

fn key(log: LogId, sequence: u64) -> Vec<u8> {
    log_key(Tag::BlockIndex, log).bytes(&sequence.to_be_bytes()).done()
}

/// The block's end and after it nothing of this log: the rows from a source's sequence on.
fn from(log: LogId, sequence: u64) -> KeyRange {
    KeyRange { start: key(log, sequence), ..KeyRange::prefix(&log_key(Tag::BlockIndex, log).done()) }
}

/// Notes at the end of a block how far a source had come.
pub(crate) fn end_block(rows: &mut dyn Write, end: u64, source: &Position) {
    let key = key(source.log, source.sequence);
    // A source that came no further keeps the row of the block that it last came further in.
    if rows.get(&key).is_none() {
        rows.put(key, end.to_be_bytes().to_vec().into());
    }
}

/// The sequence just before the block that the entry of a source is in, if it is in the log at all.
pub(crate) fn before_block(rows: &dyn Read, log: LogId, sequence: u64, tail: u64) -> u64 {
    let end = rows.scan(&from(log, sequence), Direction::Forward).next();
    end.map_or(tail - tail % BLOCK, |(_, row)| take_sequence(&row) - BLOCK)
}

/// A source goes back to an earlier place of the same log: what it has after it is indexed again by the
/// entries that follow `now`.
pub(crate) fn forget_after(rows: &mut dyn Write, source: &Position, now: u64) {
    let later: Vec<_> = rows.scan(&from(source.log, source.sequence), Direction::Forward).collect();
    let end = later.first().map_or(now.next_multiple_of(BLOCK), |(_, row)| take_sequence(row));
    for (key, _) in &later {
        rows.delete(key);
    }
    rows.put(key(source.log, source.sequence), end.to_be_bytes().to_vec().into());
}
