//! The layers of committed rows: memory table, frozen table, base; and how they are read as one.
//!
//! Invariants: a nearer layer hides a farther one, a tombstone hides a row. Tables are persistent maps: a clone
//! costs nothing but a copy of the nodes that are written to while it is held.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::{Hash, Position};

use super::base::Base;
use super::change::{Changes, Table};
use super::merge::{ordered, over};
use crate::domain::{Direction, KeyRange, Read, RowIter};
use crate::entry::Entry;

/// All rows at one sequence.
#[derive(Clone)]
pub(crate) struct Layers {
    /// What was committed since the last freeze.
    pub(crate) table: Table,
    /// What a checkpoint is writing to the base.
    pub(crate) frozen: Option<Table>,
    pub(crate) base: Arc<Base>,
    /// The last entry that they include.
    pub(crate) tip: Tip,
}

/// The last entry that the rows include.
#[derive(Clone, Copy)]
pub(crate) struct Tip {
    pub(crate) position: Position,
    /// Its whole hash.
    pub(crate) hash: Hash,
    /// When it was committed; the Unix epoch before the first entry.
    pub(crate) commit_time: Timestamp,
}

impl Tip {
    /// The tip after `entry`, which is the next one.
    pub(crate) fn after(&self, entry: &Entry, hash: &Hash) -> Self {
        let position = Position::after(self.position.log, entry.sequence, hash);
        Self { position, hash: *hash, commit_time: entry.commit_time }
    }
}

impl Layers {
    /// Puts changes into the memory table; returns their size in bytes.
    pub(crate) fn apply(&mut self, changes: Changes) -> usize {
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

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        let mut rows = self.base.scan(range, direction);
        for table in self.frozen.iter().chain([&self.table]) {
            rows = over(ordered(range, direction, |bounds| table.range(bounds)), rows, direction);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::LogId;

    use super::*;
    use crate::domain::{Row, Write};
    use crate::store::change::Change;
    use crate::store::{Digest, Draft, Mark};

    fn row(key: &str, value: &str) -> Change {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        (bytes(key), (value != "gone").then(|| bytes(value)))
    }

    #[test]
    fn a_nearer_layer_hides_a_farther_one_and_a_tombstone_hides_a_row() {
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
