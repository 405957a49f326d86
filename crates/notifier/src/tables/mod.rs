//! The tables of the notifier's store, on one page.
//!
//! A key begins with its table's tag; numbers are big-endian. A position is log id (16), sequence (8), hash
//! prefix (8). The events themselves are in the journal only: there is no row per event.
//!
//! Invariant: only `apply` writes rows. Changing a layout means a new [`STORE_VERSION`]: stores are rebuilt.
//!
//! | table | tag | key after the tag | value | |
//! |---|---|---|---|---|
//! | applied | 1 | source (u8) | position | the last entry of a source that was taken over |
//! | block index | 2 | log id, source sequence (u64) | sequence (u64) | where blocks of the log end; see `block_index` |
//! | abandoned logs | 3 | log id | sequence (u64) | logs that a reset left, and up to where they count as followed |
//! | later logs | 4 | log id, log id of a later log | sequence (u64), hash prefix | the last entry that both logs have |

pub(crate) mod abandoned_logs;
pub(crate) mod applied;
pub(crate) mod block_index;
pub(crate) mod later_logs;

#[cfg(test)]
pub(crate) mod tests;

use milepost_ledger::Read;
use milepost_ledger::key::Key;
use milepost_types::{LedgerKind, LogId, Position};

use crate::source::Followed;

/// Raised when a table or `apply` changes: stores of another version are rebuilt.
pub(crate) const STORE_VERSION: u32 = 3;

/// The first byte of every key. Persisted; a tag is never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Applied = 1,
    BlockIndex = 2,
    AbandonedLogs = 3,
    LaterLogs = 4,
}

impl From<Tag> for u8 {
    fn from(tag: Tag) -> u8 {
        tag as u8
    }
}

/// Rows, asked how far each log was followed.
pub(crate) struct Rows<'a>(pub(crate) &'a dyn Read);

impl Followed for Rows<'_> {
    fn applied(&self, source: LedgerKind) -> Option<Position> {
        applied::get(self.0, source)
    }

    fn abandoned(&self, log: LogId) -> Option<u64> {
        abandoned_logs::get(self.0, log)
    }

    fn later(&self, log: LogId) -> Vec<Position> {
        later_logs::of(self.0, log)
    }
}

/// A tag and the id of a log.
fn log_key(tag: Tag, log: LogId) -> Key {
    Key::of(tag).bytes(log.as_bytes())
}

/// # Panics
/// If the row is of another length: only `apply` writes rows.
fn take_position(row: &[u8]) -> Position {
    Position::from_bytes(row.try_into().expect("a position has 32 bytes"))
}

/// # Panics
/// If the row is of another length: only `apply` writes rows.
fn take_sequence(row: &[u8]) -> u64 {
    u64::from_be_bytes(row.try_into().expect("a sequence has eight bytes"))
}
