//! The layers of rows above the base, and how they are read as one.
//!
//! Invariants: a nearer layer hides a farther one, a tombstone hides a row; a `View` is one
//! consistent cut, because a checkpoint writes the base only once no view is held that has not its
//! table in front. Tables are persistent maps: what a view holds is a clone, and costs nothing but a copy of
//! the nodes that are written to while it is held.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use imbl::OrdMap;
use jiff::Timestamp;
use milepost_types::{Hash, Position};
use parking_lot::RwLockReadGuard;

use super::base::Base;
use crate::domain::{Direction, KeyRange, Read, Row, Write};
use crate::entry::Entry;

/// Rows in memory; `None` is a tombstone.
pub(crate) type Table = OrdMap<Bytes, Option<Bytes>>;

/// What a command puts and removes.
pub(crate) type Changes = BTreeMap<Bytes, Option<Bytes>>;

/// All rows at one sequence.
#[derive(Clone)]
pub(crate) struct Layers {
    /// What was committed since the last freeze.
    pub(crate) table: Table,
    /// What a checkpoint is writing to the base.
    pub(crate) frozen: Option<Table>,
    pub(crate) base: Arc<Base>,
    /// The entry that they are just after.
    pub(crate) tip: Tip,
}

/// The entry that rows are just after.
#[derive(Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) position: Position,
    /// Its whole hash.
    pub(crate) hash: Hash,
    /// When it was committed; the Unix epoch before the first entry.
    pub(crate) commit_time: Timestamp,
}

impl Tip {
    /// Just after `entry`, which is the next.
    pub(crate) fn after(&self, entry: &Entry, hash: &Hash) -> Self {
        let position = Position::after(self.position.log, entry.sequence, hash);
        Self { position, hash: *hash, commit_time: entry.commit_time }
    }
}

impl Layers {
    /// Puts changes into the memory table; tells how many bytes they are.
    pub(crate) fn take_in(&mut self, changes: Changes) -> usize {
        let mut bytes = 0;
        for (key, value) in changes {
            bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
            self.table.insert(key, value);
        }
        bytes
    }
}

impl Read for Layers {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        if let Some(known) = self.table.get(key) {
            return known.clone();
        }
        if let Some(known) = self.frozen.as_ref().and_then(|frozen| frozen.get(key)) {
            return known.clone();
        }
        self.base.get(key)
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 'a> {
        let mut rows = self.base.scan(range, direction);
        for table in self.frozen.iter().chain([&self.table]) {
            rows = over(ordered(range, direction, |bounds| table.range(bounds)), rows, direction);
        }
        rows
    }
}

/// Rows with changes laid over them.
fn over<'a>(
    near: Box<dyn Iterator<Item = Change> + 'a>,
    rows: Box<dyn Iterator<Item = Row> + 'a>,
    direction: Direction,
) -> Box<dyn Iterator<Item = Row> + 'a> {
    let far = Box::new(rows.map(|(key, value)| (key, Some(value))));
    let merged = Merge::new(near, far, direction);
    Box::new(merged.filter_map(|(key, value)| value.map(|value| (key, value))))
}

/// A row that was put, or with `None` removed.
pub(crate) type Change = (Bytes, Option<Bytes>);

/// The changes of a map within a range, in its order.
fn ordered<'a, I>(
    range: &KeyRange,
    direction: Direction,
    rows: impl FnOnce((Bound<Bytes>, Bound<Bytes>)) -> I,
) -> Box<dyn Iterator<Item = Change> + 'a>
where
    I: DoubleEndedIterator<Item = (&'a Bytes, &'a Option<Bytes>)> + 'a,
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

/// Two ordered runs as one; of two with one key, the near one.
struct Merge<'a> {
    near: Peekable<Box<dyn Iterator<Item = Change> + 'a>>,
    far: Peekable<Box<dyn Iterator<Item = Change> + 'a>>,
    direction: Direction,
}

impl<'a> Merge<'a> {
    fn new(
        near: Box<dyn Iterator<Item = Change> + 'a>,
        far: Box<dyn Iterator<Item = Change> + 'a>,
        direction: Direction,
    ) -> Self {
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

/// Rows that a command is being decided and applied on: what it changes, in front of what the commands of its
/// group before it have changed, in front of what is committed. Dropping it undoes everything.
pub(crate) struct Draft<'a> {
    committed: &'a Layers,
    group: &'a Changes,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// A draft in which nothing has changed yet.
    pub(crate) fn new(committed: &'a Layers, group: &'a Changes) -> Self {
        Self { committed, group, changes: Changes::new() }
    }

    /// What was changed.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}

impl Read for Draft<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        match self.changes.get(key).or_else(|| self.group.get(key)) {
            Some(changed) => changed.clone(),
            None => self.committed.get(key),
        }
    }

    fn scan<'s>(&'s self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 's> {
        let mut rows = self.committed.scan(range, direction);
        for changes in [self.group, &self.changes] {
            if !changes.is_empty() {
                rows = over(ordered(range, direction, |bounds| changes.range(bounds)), rows, direction);
            }
        }
        rows
    }
}

impl Write for Draft<'_> {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.changes.insert(Bytes::from(key), Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.changes.insert(Bytes::copy_from_slice(key), None);
    }
}

/// The committed rows at one sequence. Holding it keeps a checkpoint waiting, and then other views: read
/// and let go.
pub struct View<'a> {
    layers: Layers,
    _cut: RwLockReadGuard<'a, ()>,
}

thread_local! {
    /// Whether this thread holds a view.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

impl<'a> View<'a> {
    /// Notes that this thread is about to hold a view.
    pub(crate) fn enter() {
        debug_assert!(!HELD.replace(true), "a thread must not hold two views at once");
    }

    pub(crate) fn new(layers: Layers, cut: RwLockReadGuard<'a, ()>) -> Self {
        Self { layers, _cut: cut }
    }

    /// The entry that the rows are just after.
    pub fn position(&self) -> Position {
        self.layers.tip.position
    }

    /// When that entry was committed; the Unix epoch in an empty ledger.
    pub fn commit_time(&self) -> Timestamp {
        self.layers.tip.commit_time
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

impl Read for View<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.layers.get(key)
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.layers.scan(range, direction)
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::LogId;

    use super::*;
    use crate::store::{Digest, Mark};

    fn row(key: &str, value: &str) -> Change {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        (bytes(key), (value != "gone").then(|| bytes(value)))
    }

    #[test]
    fn a_nearer_layer_hides_a_farther_one_and_a_tombstone_a_row_in_gets_and_in_scans_of_both_directions() {
        let dir = tempfile::tempdir().unwrap();
        let (base, _) = Base::open(dir.path(), 1 << 20).unwrap();
        let (log, hash, commit_time) =
            (LogId::from_bytes([7; 16]), Hash::from_bytes([1; 32]), Timestamp::UNIX_EPOCH);
        let rows = ["a", "b", "c", "d", "e", "f"].map(|key| row(key, "base"));
        base.write(
            &rows,
            &Mark { version: 1, log, sequence: 1, hash, commit_time, digest: Digest::default() },
        )
        .unwrap();
        let committed = Layers {
            table: Table::from_iter([row("c", "table"), row("d", "gone"), row("x", "gone")]),
            frozen: Some(Table::from_iter([row("b", "frozen"), row("c", "gone")])),
            base: Arc::new(base),
            tip: Tip { position: Position::after(log, 1, &hash), hash, commit_time },
        };
        let group = Changes::from_iter([row("a", "group"), row("d", "group"), row("e", "gone")]);
        let mut draft = Draft::new(&committed, &group);
        draft.delete(b"a");
        draft.put(b"e".to_vec(), Bytes::from_static(b"own"));
        draft.put(b"g".to_vec(), Bytes::from_static(b"own"));

        let expected =
            [("b", "frozen"), ("c", "table"), ("d", "group"), ("e", "own"), ("f", "base"), ("g", "own")];
        let expected: Vec<Row> = expected.map(|(key, value)| (key.into(), value.into())).into();
        let range = KeyRange { start: b"a".to_vec(), end: Some(b"z".to_vec()) };
        let mut scanned: Vec<Row> = draft.scan(&range, Direction::Backward).collect();
        scanned.reverse();
        assert_eq!(scanned, expected);
        assert_eq!(draft.scan(&range, Direction::Forward).collect::<Vec<_>>(), expected);
        for key in ["a", "b", "c", "d", "e", "f", "g", "x"] {
            let known = expected.iter().find(|row| row.0 == key).map(|row| row.1.clone());
            assert_eq!(draft.get(key.as_bytes()), known, "{key}");
        }
    }
}
