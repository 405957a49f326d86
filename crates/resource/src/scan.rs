//! How lists find what they answer: ranges of rows or of an index, each from a sort key on.
//!
//! Invariant: every source answers in the order of sort keys, and begins after the one it is given.

use std::cmp::Ordering;

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::{DamagedRow, ResourceId, limits};

use crate::index::{Index, RowView};
use crate::row;
use crate::rules::Rules;
use crate::token::SortKey;

/// A resource that a list may answer. They order as their sort keys do.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScanItem {
    pub(crate) sort_key: SortKey,
    /// Its row, if it came along.
    pub(crate) row: Option<Bytes>,
}

pub(crate) type ScanItems<'a> = Box<dyn Iterator<Item = ScanItem> + 'a>;

/// The rows of a range, in the order of names.
pub(crate) fn by_name<'a>(
    rows: &'a dyn Read,
    range: KeyRange,
    direction: Direction,
    after: Option<&SortKey>,
) -> ScanItems<'a> {
    let range = range.beyond(after.map(|after| after.key.as_slice()), direction);
    Box::new(rows.scan(&range, direction).map(|(key, row)| ScanItem {
        sort_key: SortKey { order: Vec::new(), key: key.into() },
        row: Some(row),
    }))
}

/// The rows of a range in the order of an index that has those of others between them: as many as a page looks at, and
/// one more. `None` if they are more than `most`, if there is such a bound.
pub(crate) fn sorted<'a, D, R: Rules<D>>(
    rows: &'a dyn Read,
    range: &KeyRange,
    index: &Index,
    direction: Direction,
    after: Option<&SortKey>,
    most: Option<usize>,
) -> Result<Option<ScanItems<'a>>, DamagedRow> {
    let comes_later = |key: &SortKey| match (after, direction) {
        (None, _) => true,
        (Some(after), Direction::Forward) => key > after,
        (Some(after), Direction::Backward) => key < after,
    };
    let mut items: Vec<ScanItem> = Vec::new();
    for (count, (key, row)) in rows.scan(range, Direction::Forward).enumerate() {
        if most.is_some_and(|most| count >= most) {
            return Ok(None);
        }
        let fields = RowView::of(&row).and_then(|row| index.fields::<R>(&row));
        let fields = fields.map_err(|error| row::damaged::<D, R>(&key, error))?;
        // What lists are ordered by has one key a row.
        let sort_key =
            fields.first().map(|fields| SortKey { order: index.order::<R>(fields), key: key.into() });
        // Without the row: together they may be large.
        items.extend(sort_key.filter(comes_later).map(|sort_key| ScanItem { sort_key, row: None }));
        if items.len() > 2 * limits::PAGE_ROWS {
            keep_first(&mut items, direction);
        }
    }
    keep_first(&mut items, direction);
    Ok(Some(Box::new(items.into_iter())))
}

/// Sorts them, and keeps as many as a page looks at, and one more.
fn keep_first(items: &mut Vec<ScanItem>, direction: Direction) {
    items.sort_unstable();
    if direction == Direction::Backward {
        items.reverse();
    }
    items.truncate(limits::PAGE_ROWS + 1);
}

/// What of an index is read.
pub(crate) struct IndexScan {
    pub(crate) index: &'static Index,
    /// The first fields of the keys, as bytes. If they are all fields, the order is that of names.
    pub(crate) fields: Vec<u8>,
    /// Whether all fields are given.
    pub(crate) equal: bool,
}

impl IndexScan {
    /// The rows of the index under these ids, in its order. There are as many ids as the index is under; those `below`
    /// follow them in names, and leave out what is not under them where the keys allow it: if all fields are given.
    pub(crate) fn items<'a, D, R: Rules<D>>(
        &self,
        rows: &'a dyn Read,
        ids: &[ResourceId],
        below: &[ResourceId],
        direction: Direction,
        after: Option<&SortKey>,
    ) -> ScanItems<'a> {
        let below = if self.equal { below } else { &[] };
        let key = self.index.start(ids).bytes(&self.fields);
        let mut range = KeyRange::prefix(&below.iter().fold(key, Key::under).done());
        if let Some(bound) = after.and_then(|after| self.seek::<D, R>(ids, after, direction)) {
            range = match direction {
                Direction::Forward => KeyRange { start: range.start.max(bound), ..range },
                Direction::Backward => range.before(&bound),
            };
        }
        let (index, equal) = (self.index, self.equal);
        Box::new(rows.scan(&range, direction).filter_map(move |(key, _)| {
            let (key, fields) = index.row_key::<D, R>(&key)?;
            let order = if equal { Vec::new() } else { index.order::<R>(fields) };
            Some(ScanItem { sort_key: SortKey { order, key }, row: None })
        }))
    }

    /// Where the keys under these ids begin that are beyond a sort key, or end in the other direction.
    fn seek<D, R: Rules<D>>(
        &self,
        ids: &[ResourceId],
        after: &SortKey,
        direction: Direction,
    ) -> Option<Vec<u8>> {
        let name = row::name::<D, R>(&after.key)?;
        let fields = if self.equal {
            self.fields.clone()
        } else {
            let end: &[u8] = if self.index.ends_with_text::<R>() { &[0] } else { &[] };
            [after.order.as_slice(), end].concat()
        };
        // How the keys begin that are of the same order: names decide among them, so all of them are before
        // the sort key, or all are after it.
        let same = || self.index.start(ids).bytes(&fields).done();
        Some(match ids.cmp(&name.ids()[..ids.len()]) {
            Ordering::Equal => {
                let mut own = self.index.key(name.ids(), &fields);
                // The key itself is behind in both directions.
                own.extend((direction == Direction::Forward).then_some(0));
                own
            }
            Ordering::Greater => same(),
            Ordering::Less => {
                let same = KeyRange::prefix(&same());
                same.end.unwrap_or(same.start)
            }
        })
    }

    /// The ids that the index has keys under, as many as it is under, beginning with these as far as they go.
    pub(crate) fn prefixes(&self, rows: &dyn Read, ids: &[ResourceId]) -> Vec<Vec<ResourceId>> {
        let ids = &ids[..ids.len().min(self.index.under)];
        let Some(missing) = self.index.under.checked_sub(ids.len()).filter(|missing| *missing > 0) else {
            return vec![ids.to_vec()];
        };
        let mut range = KeyRange::prefix(&self.index.start(ids).done());
        let mut found = Vec::new();
        while let Some((key, _)) = rows.scan(&range, Direction::Forward).next() {
            let own = Parts::of(&key, self.index.tag).and_then(|mut parts| {
                (0..ids.len() + missing).map(|_| parts.parent()).collect::<Option<Vec<_>>>()
            });
            let Some(own) = own else { break };
            let Some(next) = KeyRange::prefix(&self.index.start(&own).done()).end else { break };
            range.start = next;
            found.push(own);
        }
        found
    }
}
