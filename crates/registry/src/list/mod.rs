//! Lists: filtered, ordered, page by page, read from the rows as they are.
//!
//! Invariants: every order is total, because the name decides last; a page goes on after the place of
//! the last one looked at, not after a count, so what comes and goes between pages neither repeats nor
//! hides what stays. A page holds no more than one answer does ([`Room`]) and looks at no more rows than
//! any page does ([`Search`]): a search for few among many is cut into pages that may hold few, even none,
//! and still have a next one. Nothing is sorted here: what a list can be ordered by is an index.
//!
//! Rows are the messages that are answered, so lists match and answer messages; nothing is decided on
//! them. What can be filtered by stands as a schema in each noun's module.

pub(crate) mod batches;
pub(crate) mod organizations;
pub(crate) mod phases;
pub(crate) mod portfolios;
mod project_fields;
pub(crate) mod projects;
mod scan;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use milepost_ledger::{Direction, Read};
use milepost_types::filter::{Fields, Operand, Pattern};
use milepost_types::{DamagedRow, Filter, Rejection, Room, Search};

use crate::convert::request::Resource;

/// What a list asks for; `F` are the fields to filter by, `O` is what to order by.
#[derive(Debug, Clone)]
pub(crate) struct Query<F, O> {
    pub(crate) filter: Filter<F>,
    pub(crate) order: O,
    pub(crate) direction: Direction,
    pub(crate) show_deleted: bool,
    /// How many resources a page has at most.
    pub(crate) size: usize,
    /// Where the page before ended.
    pub(crate) after: Option<Place>,
}

/// Where a resource stands in a list: by what it is ordered, and its row's key. Places compare as the
/// list's order does, from the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Bytes that order as the field does; none in the order of names.
    pub(crate) order: Vec<u8>,
    /// The key of the resource's row.
    pub(crate) key: Vec<u8>,
}

impl Place {
    /// The bytes that a page token carries.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // An order is at most a display name.
        let length = u16::try_from(self.order.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes()[..], &self.order, &self.key].concat()
    }

    /// The place in a page token; `None` if it is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (order, key) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some(Self { order: order.to_vec(), key: key.to_vec() })
    }

    /// Whether this is further on than another.
    fn is_beyond(&self, other: &Place, direction: Direction) -> bool {
        match direction {
            Direction::Forward => self > other,
            Direction::Backward => self < other,
        }
    }
}

/// A resource that a list may tell. Candidates order as their places do.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    place: Place,
    /// Its row, if it came along with the place.
    row: Option<Bytes>,
}

type Candidates<'a> = Box<dyn Iterator<Item = Candidate> + 'a>;

/// A page.
#[derive(Debug)]
pub(crate) struct Page<M> {
    pub(crate) resources: Vec<M>,
    /// Where it ended, if there may be more.
    pub(crate) next: Option<Place>,
    /// How many were looked at for it.
    pub(crate) looked_at: usize,
}

/// The page of these candidates, which begin after the query's place. `current` makes of a stored
/// resource what is answered.
///
/// # Errors
/// What `current` says, or if the row of a candidate cannot be decoded or is not there.
fn page<M: Resource + Fields<F>, F: Copy + Eq, O>(
    rows: &dyn Read,
    query: &Query<F, O>,
    candidates: Candidates<'_>,
    current: impl Fn(M) -> Result<M, Rejection>,
) -> Result<Page<M>, Rejection> {
    let (mut room, mut search) = (Room::page(query.size), Search::default());
    let (mut resources, mut next, mut last) = (Vec::new(), None, None);
    for candidate in candidates {
        if room.is_full() {
            next = last;
            break;
        }
        let key = &candidate.place.key;
        let damaged = |what: String| DamagedRow::new(M::TABLE.name(), key, what);
        // Index and rows are of one cut, so the row is there.
        let row = candidate.row.or_else(|| rows.get(key));
        let row = row.ok_or_else(|| damaged("an index has it, but it is not there".to_owned()))?;
        if !search.look(row.len()) {
            next = last;
            break;
        }
        let message = M::decode(row).map_err(|error| damaged(error.to_string()))?;
        if (query.show_deleted || !message.is_deleted()) && query.filter.matches(&message) {
            let message = current(message)?;
            if !room.admit(message.encoded_len()) {
                next = last;
                break;
            }
            resources.push(message);
        }
        last = Some(candidate.place);
    }
    Ok(Page { resources, next, looked_at: search.rows() })
}

/// The text that a field must be equal to, if there is one.
fn equal_text<F: Copy + Eq>(filter: &Filter<F>, field: F) -> Option<&str> {
    match filter.equality_on(field)? {
        Operand::Text(Pattern::Whole(text)) => Some(text),
        Operand::Enum(name) => Some(name),
        _ => None,
    }
}
