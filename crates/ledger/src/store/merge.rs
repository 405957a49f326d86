//! Reading one layer of changes over the rows behind it, in key order and in both directions.
//!
//! Invariant: for one key the nearer layer decides, and a tombstone yields no row. Nothing is collected: rows are
//! merged as they are asked for.

use std::iter::Peekable;
use std::ops::Bound;

use bytes::Bytes;

use super::change::{Change, ChangeIter};
use crate::domain::{Direction, KeyRange, RowIter};

/// Rows with the changes of a nearer layer applied.
pub(super) fn over<'a>(near: ChangeIter<'a>, rows: RowIter<'a>, direction: Direction) -> RowIter<'a> {
    let far = Box::new(rows.map(|(key, value)| (key, Some(value))));
    let merged = Merge::new(near, far, direction);
    Box::new(merged.filter_map(|(key, value)| value.map(|value| (key, value))))
}

/// The changes of a map within a range, in its order.
pub(super) fn ordered<'a, I>(
    range: &KeyRange,
    direction: Direction,
    rows: impl FnOnce((Bound<Bytes>, Bound<Bytes>)) -> I,
) -> ChangeIter<'a>
where
    I: DoubleEndedIterator<Item = (&'a Bytes, &'a Option<Bytes>)> + Send + 'a,
{
    if range.end.as_ref().is_some_and(|end| *end <= range.start) {
        return Box::new(std::iter::empty());
    }
    let start = Bound::Included(Bytes::copy_from_slice(&range.start));
    let end = match &range.end {
        Some(end) => Bound::Excluded(Bytes::copy_from_slice(end)),
        None => Bound::Unbounded,
    };
    let rows = rows((start, end)).map(|(key, value)| (key.clone(), value.clone()));
    match direction {
        Direction::Forward => Box::new(rows),
        Direction::Backward => Box::new(rows.rev()),
    }
}

/// Merges two ordered sequences; of two changes with one key, the near one is kept.
struct Merge<'a> {
    near: Peekable<ChangeIter<'a>>,
    far: Peekable<ChangeIter<'a>>,
    direction: Direction,
}

impl<'a> Merge<'a> {
    fn new(near: ChangeIter<'a>, far: ChangeIter<'a>, direction: Direction) -> Self {
        Self { near: near.peekable(), far: far.peekable(), direction }
    }
}

impl Iterator for Merge<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let (Some(near), Some(far)) = (self.near.peek(), self.far.peek()) else {
            return self.near.next().or_else(|| self.far.next());
        };
        let order = match self.direction {
            Direction::Forward => near.0.cmp(&far.0),
            Direction::Backward => far.0.cmp(&near.0),
        };
        match order {
            Less => self.near.next(),
            Greater => self.far.next(),
            Equal => {
                self.far.next();
                self.near.next()
            }
        }
    }
}
