//! Rows in a plain map, for tests of what reads and writes rows.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use milepost_ledger::{Direction, KeyRange, Read, Row, Write};

/// Rows, and how often they were asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) rows: BTreeMap<Vec<u8>, Bytes>,
    /// Rows that were read, by key or by scan.
    pub(crate) reads: Cell<usize>,
}

impl Rows {
    fn count(&self, count: usize) {
        self.reads.set(self.reads.get() + count);
    }
}

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.count(1);
        self.rows.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 'a> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Box::new(std::iter::empty());
        }
        let end = range.end.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.rows.range((Bound::Included(range.start.clone()), end));
        let rows = rows.map(|(key, value)| (Bytes::from(key.clone()), value.clone()));
        let rows: Box<dyn Iterator<Item = Row> + 'a> = match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.rev()),
        };
        Box::new(rows.inspect(|_| self.count(1)))
    }
}

impl Write for Rows {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.rows.insert(key, value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.rows.remove(key);
    }
}
