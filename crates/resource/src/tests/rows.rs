//! Rows in a plain map, and how many of them were read.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use milepost_ledger::{Direction, KeyRange, Read, RowIter, Write};

/// Rows, and how many of them were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) rows: BTreeMap<Vec<u8>, Bytes>,
    /// Rows that were answered, by key or by scan; of copies together.
    read_count: Arc<AtomicUsize>,
}

impl Rows {
    fn count(&self) {
        self.read_count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many rows were answered since the last time.
    pub(crate) fn take_count(&self) -> usize {
        self.read_count.swap(0, Ordering::Relaxed)
    }
}

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.count();
        self.rows.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Box::new(std::iter::empty());
        }
        let end = range.end.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.rows.range((Bound::Included(range.start.clone()), end));
        let rows = rows.map(|(key, value)| (Bytes::from(key.clone()), value.clone()));
        let rows: RowIter<'a> = match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.rev()),
        };
        Box::new(rows.inspect(|_| self.count()))
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
