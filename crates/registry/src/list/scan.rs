//! How lists find what they tell: ranges of rows or of an index, each from a place on.
//!
//! Invariant: every source answers in the order of places, and begins after the place it is given.

use milepost_ledger::{Direction, KeyRange, Read};

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

/// The rows of an index in its order, which is that of places. `seek` tells the index key from which
/// on to look for what is beyond a place; what it lets through of the same order is left out here.
pub(super) fn by_index<'a>(
    rows: &'a dyn Read,
    range: KeyRange,
    direction: Direction,
    after: Option<&Place>,
    seek: impl Fn(&Place) -> Seek,
    place: impl Fn(&[u8]) -> Option<Place> + 'a,
) -> Candidates<'a> {
    let range = match after.map(seek) {
        None => range,
        Some(Seek::After(key)) => range.beyond(Some(&key), direction),
        Some(Seek::Within(prefix)) => within(range, direction, &prefix),
    };
    let places = rows.scan(&range, direction).filter_map(move |(key, _)| place(&key));
    beyond(Box::new(places), after, direction)
}

/// Places in order, sorted here, of which those beyond a place are told.
pub(super) fn sorted<'a>(
    mut places: Vec<Place>,
    direction: Direction,
    after: Option<&Place>,
) -> Candidates<'a> {
    places.sort_unstable();
    if direction == Direction::Backward {
        places.reverse();
    }
    beyond(Box::new(places.into_iter()), after, direction)
}

fn beyond<'a>(
    places: Box<dyn Iterator<Item = Place> + 'a>,
    after: Option<&Place>,
    direction: Direction,
) -> Candidates<'a> {
    let after = after.cloned();
    let places = places
        .skip_while(move |place| after.as_ref().is_some_and(|after| !place.is_beyond(after, direction)));
    Box::new(places.map(|place| Candidate { place, row: None }))
}

/// Where to look in an index for what is beyond a place.
pub(super) enum Seek {
    /// After this key, which is the place's own.
    After(Vec<u8>),
    /// From the keys with this beginning on, which are of the place's order.
    Within(Vec<u8>),
}

fn within(mut range: KeyRange, direction: Direction, prefix: &[u8]) -> KeyRange {
    let same = KeyRange::prefix(prefix);
    match direction {
        Direction::Forward => {
            range.start = range.start.max(same.start);
            range
        }
        Direction::Backward => match same.end {
            Some(end) => range.before(&end),
            None => range,
        },
    }
}
