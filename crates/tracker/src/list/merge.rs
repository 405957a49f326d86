//! The indexes of all portfolios as one.
//!
//! Invariant: places come out in order, as those of each portfolio do.

use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read};

use crate::tables::Table;
use crate::tables::key::{DAY_BYTES, split_portfolio};

/// The range in the index of due dates of each portfolio that has milestones.
pub(super) fn portfolios(rows: &dyn Read) -> Vec<KeyRange> {
    let mut ranges = Vec::new();
    let mut rest = KeyRange::prefix(&Key::of(Table::Due).done());
    while let Some((key, _)) = first(rows, &rest) {
        let range = KeyRange::prefix(&Key::of(Table::Due).bytes(split_portfolio(&key).0).done());
        let Some(end) = range.end.clone() else { break };
        rest.start = end;
        ranges.push(range);
    }
    ranges
}

fn first(rows: &dyn Read, range: &KeyRange) -> Option<milepost_ledger::Row> {
    rows.scan(range, Direction::Forward).next()
}

/// Where `place`, which may be in another portfolio, lies in the range of one portfolio: rows are before
/// or after it.
pub(super) fn key_at(range: &KeyRange, place: &[u8]) -> Vec<u8> {
    let (day, name) = place.split_at(DAY_BYTES.min(place.len()));
    let portfolio = range.start.get(1..).unwrap_or_default();
    let (theirs, rest) = match name.iter().position(|byte| *byte == 0) {
        Some(end) => name.split_at(end + 1),
        None => (name, &[][..]),
    };
    let mut key = range.start.clone();
    key.extend_from_slice(day);
    match portfolio.cmp(theirs) {
        std::cmp::Ordering::Equal => key.extend_from_slice(rest),
        // Of the same day, going up this portfolio's come before theirs and are done; going down they are
        // still to come. Either way the place is after them all.
        std::cmp::Ordering::Less => key.push(0xff),
        std::cmp::Ordering::Greater => {}
    }
    key
}
