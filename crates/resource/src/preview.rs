//! The rows as they will be: those that are there, and a resource that a decision puts.
//!
//! Invariant: what is read here is what is read after the decision is applied. Nothing is written anywhere.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use milepost_ledger::{Direction, KeyRange, Read, RowIter, Write};
use milepost_service::merge::merged;
use milepost_types::DamagedRow;

use crate::Checked;
use crate::row;
use crate::rules::{Rows, Rules};

/// Rows that will be.
pub struct Preview<'a> {
    there: &'a dyn Read,
    /// What is put besides; none: it is gone.
    changed: BTreeMap<Vec<u8>, Option<Bytes>>,
}

impl<'a> Preview<'a> {
    /// These rows with this resource as it is now.
    ///
    /// # Errors
    /// If the resource's row cannot be decoded as it is.
    pub fn of<D, R: Rules<D>>(rows: &Rows<'a, D>, resource: &Checked<R>) -> Result<Self, DamagedRow> {
        let mut preview = Self { there: rows.read, changed: BTreeMap::new() };
        let put = row::put::<D, R>(&mut preview, resource.encode_to_vec().into());
        put.map_err(|error| resource.name().damaged(error))?;
        Ok(preview)
    }
}

impl Read for Preview<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.changed.get(key).cloned().unwrap_or_else(|| self.there.get(key))
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        let there = self.there.scan(range, direction).filter(|(key, _)| !self.changed.contains_key(&**key));
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Box::new(there);
        }
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let changed = self.changed.range::<[u8], _>((Bound::Included(range.start.as_slice()), end));
        let row = |(key, row): (&Vec<u8>, &Option<Bytes>)| Some((Bytes::from(key.clone()), row.clone()?));
        let changed: RowIter<'a> = match direction {
            Direction::Forward => Box::new(changed.filter_map(row)),
            Direction::Backward => Box::new(changed.rev().filter_map(row)),
        };
        Box::new(merged(vec![Box::new(there) as RowIter<'a>, changed], direction))
    }
}

impl Write for Preview<'_> {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.changed.insert(key, Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.changed.insert(key.to_vec(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::rows::Rows as Map;

    #[test]
    fn what_will_be_is_read_in_place_of_what_is_in_both_directions() {
        let mut there = Map::default();
        for key in [b"b", b"d", b"f"] {
            there.put(key.to_vec(), Bytes::from_static(b"was"));
        }
        let mut preview = Preview { there: &there, changed: BTreeMap::new() };
        preview.delete(b"d");
        for key in [b"a", b"e", b"f"] {
            preview.put(key.to_vec(), Bytes::from_static(b"is"));
        }
        let read = |from: &[u8], to: Option<&[u8]>, direction| {
            let range = KeyRange { start: from.to_vec(), end: to.map(<[u8]>::to_vec) };
            let rows = preview.scan(&range, direction);
            rows.map(|(key, row)| format!("{}={}", key.escape_ascii(), row.escape_ascii()))
                .collect::<Vec<_>>()
        };
        assert_eq!(read(b"", None, Direction::Forward), ["a=is", "b=was", "e=is", "f=is"]);
        assert_eq!(read(b"b", Some(b"f"), Direction::Backward), ["e=is", "b=was"]);
        assert_eq!(read(b"f", Some(b"b"), Direction::Forward), [""; 0]);
        assert_eq!(preview.get(b"d"), None);
        assert_eq!(preview.get(b"b").as_deref(), Some(&b"was"[..]));
        assert_eq!(there.rows.len(), 3);
    }
}
