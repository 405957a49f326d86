//! The last entry of each source that was taken over: one row a source, overwritten by every entry.

use milepost_ledger::{Read, Write};
use milepost_types::{LedgerKind, Position};

use super::{Tag, take_position};

fn key(source: LedgerKind) -> Vec<u8> {
    vec![Tag::Applied as u8, source as u8]
}

/// The last position of a source that was taken over; `None` if there was none.
pub(crate) fn get(rows: &dyn Read, source: LedgerKind) -> Option<Position> {
    rows.get(&key(source)).map(|row| take_position(&row))
}

/// Notes it.
pub(crate) fn put(rows: &mut dyn Write, source: LedgerKind, position: &Position) {
    rows.put(key(source), position.to_bytes().to_vec().into());
}
