//! The indexes of all portfolios as one.
//!
//! Invariant: places come out in order, as those of each portfolio do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// Several ordered runs as one.
pub(super) fn merged<'a>(
    runs: Vec<impl Iterator<Item = Vec<u8>> + 'a>,
    descending: bool,
) -> Box<dyn Iterator<Item = Vec<u8>> + 'a> {
    if descending { Box::new(Merged::new(runs, Some)) } else { Box::new(Merged::new(runs, Reverse)) }
}

/// A heap gives out its greatest; `W` turns the order round where the smallest comes first.
struct Merged<I, W> {
    runs: Vec<I>,
    heads: BinaryHeap<(W, usize)>,
    wrap: fn(Vec<u8>) -> W,
}

impl<I: Iterator<Item = Vec<u8>>, W: Ord> Merged<I, W> {
    fn new(mut runs: Vec<I>, wrap: fn(Vec<u8>) -> W) -> Self {
        let heads = runs.iter_mut().enumerate().filter_map(|(index, run)| Some((wrap(run.next()?), index)));
        Self { heads: heads.collect(), runs, wrap }
    }
}

impl<I: Iterator<Item = Vec<u8>>, W: Ord + Unwrap> Iterator for Merged<I, W> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let (head, index) = self.heads.pop()?;
        if let Some(next) = self.runs[index].next() {
            self.heads.push(((self.wrap)(next), index));
        }
        head.unwrap()
    }
}

trait Unwrap {
    fn unwrap(self) -> Option<Vec<u8>>;
}

impl Unwrap for Option<Vec<u8>> {
    fn unwrap(self) -> Option<Vec<u8>> {
        self
    }
}

impl Unwrap for Reverse<Vec<u8>> {
    fn unwrap(self) -> Option<Vec<u8>> {
        Some(self.0)
    }
}
