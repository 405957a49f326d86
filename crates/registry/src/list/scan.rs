//! How lists find what they tell: ranges of rows or of an index, each from a place on.
//!
//! Invariant: every source answers in the order of places, and begins after the place it is given.

use std::cmp::Ordering;

use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::ResourceId;

use super::{Candidate, Candidates, Place};

/// The rows of a range, in the order of names.
pub(super) fn by_name<'a>(
    rows: &'a dyn Read,
    range: KeyRange,
    direction: Direction,
    after: Option<&Place>,
) -> Candidates<'a> {
    let range = range.beyond(after.map(|place| place.key.as_slice()), direction);
    let rows = rows.scan(&range, direction);
    Box::new(
        rows.map(|(key, row)| Candidate {
            place: Place { order: Vec::new(), key: key.into() },
            row: Some(row),
        }),
    )
}

/// The rows of an index in its order, which is that of places. `seek` says where what is beyond a place
/// begins; without an answer the range is looked through from its first row.
pub(super) fn by_index<'a>(
    rows: &'a dyn Read,
    range: KeyRange,
    direction: Direction,
    after: Option<&Place>,
    seek: impl Fn(&Place) -> Option<Seek>,
    place: impl Fn(&[u8]) -> Option<Place> + 'a,
) -> Candidates<'a> {
    let range = match after.and_then(seek) {
        None => range,
        Some(Seek::After(key)) => range.beyond(Some(&key), direction),
        Some(Seek::From(key)) => from(range, direction, key),
    };
    let after = after.cloned();
    let places = rows.scan(&range, direction).filter_map(move |(key, _)| place(&key));
    let beyond = places
        .skip_while(move |place| after.as_ref().is_some_and(|after| !place.is_beyond(after, direction)));
    Box::new(beyond.map(|place| Candidate { place, row: None }))
}

/// Where to look in an index for what is beyond a place.
pub(super) enum Seek {
    /// After this key, which is the place's own.
    After(Vec<u8>),
    /// From this key on, which is none of the index: rows from it on come after the place in the order,
    /// rows before it come before the place.
    From(Vec<u8>),
}

/// Where to look in the index of one portfolio for what is beyond a place in the portfolio `theirs`. `key`
/// is the place's own key, if it is in this index; `same` is how the keys begin that are of the place's
/// order: names decide among them, so all of them are before the place, or all are after it.
pub(super) fn seek(
    portfolio: &ResourceId,
    theirs: &ResourceId,
    key: impl FnOnce() -> Vec<u8>,
    same: impl FnOnce() -> Vec<u8>,
) -> Seek {
    match portfolio.cmp(theirs) {
        Ordering::Equal => Seek::After(key()),
        Ordering::Greater => Seek::From(same()),
        Ordering::Less => {
            let same = KeyRange::prefix(&same());
            Seek::From(same.end.unwrap_or(same.start))
        }
    }
}

fn from(mut range: KeyRange, direction: Direction, key: Vec<u8>) -> KeyRange {
    match direction {
        Direction::Forward => {
            range.start = range.start.max(key);
            range
        }
        Direction::Backward => range.before(&key),
    }
}
