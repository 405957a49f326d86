//! Keys and values that never change, and that every entry of a source is found in its block.

use std::collections::BTreeMap;

use bytes::Bytes;
use milepost_ledger::{Direction, KeyRange, RowIter, Write};
use milepost_types::HashPrefix;
use proptest::prelude::*;

use super::*;

/// Rows in memory.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Map(pub(crate) BTreeMap<Vec<u8>, Bytes>);

impl Read for Map {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        let end = range.end.clone();
        let rows = self.0.range(range.start.clone()..);
        let rows = rows.take_while(move |(key, _)| end.as_ref().is_none_or(|end| *key < end));
        let rows = rows.map(|(key, value)| (Bytes::from(key.clone()), value.clone()));
        match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.collect::<Vec<_>>().into_iter().rev()),
        }
    }
}

impl Write for Map {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.0.insert(key, value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

fn at(log: u8, sequence: u64) -> Position {
    Position { log: LogId::from_bytes([log; 16]), sequence, hash: HashPrefix::from_bytes([9; 8]) }
}

/// Persisted: if this fails, `STORE_VERSION` must rise.
#[test]
fn the_bytes_of_every_row() {
    let mut rows = Map::default();
    applied::put(&mut rows, LedgerKind::Tracker, &at(7, 258));
    block_index::end_block(&mut rows, 512, &at(7, 258));
    abandoned_logs::raise(&mut rows, LogId::from_bytes([7; 16]), 3);
    later_logs::put(&mut rows, LogId::from_bytes([7; 16]), &at(8, 258));
    let log = [7; 16];
    let sequence = [0, 0, 0, 0, 0, 0, 1, 2];
    let expected: BTreeMap<Vec<u8>, Vec<u8>> = [
        (vec![1, 2], [&log[..], &sequence, &[9; 8]].concat()),
        ([&[2][..], &log, &sequence].concat(), vec![0, 0, 0, 0, 0, 0, 2, 0]),
        ([&[3][..], &log].concat(), vec![0, 0, 0, 0, 0, 0, 0, 3]),
        ([&[4][..], &log, &[8; 16]].concat(), [&sequence[..], &[9; 8]].concat()),
    ]
    .into();
    let found = rows.0.iter().map(|(key, value)| (key.clone(), value.to_vec())).collect();
    assert_eq!(expected, found);
}

#[test]
fn rows_are_read_back() {
    let mut rows = Map::default();
    assert_eq!(applied::get(&rows, LedgerKind::Registry), None);
    applied::put(&mut rows, LedgerKind::Registry, &at(7, 1));
    applied::put(&mut rows, LedgerKind::Registry, &at(7, u64::MAX));
    assert_eq!(applied::get(&rows, LedgerKind::Registry), Some(at(7, u64::MAX)));
    assert_eq!(applied::get(&rows, LedgerKind::Tracker), None);
    let log = LogId::from_bytes([1; 16]);
    abandoned_logs::raise(&mut rows, log, 9);
    abandoned_logs::raise(&mut rows, log, 4);
    assert_eq!(
        (abandoned_logs::get(&rows, log), abandoned_logs::get(&rows, LogId::from_bytes([2; 16]))),
        (Some(9), None)
    );
    for (log, fork) in [(1, at(2, 5)), (1, at(3, 4)), (2, at(3, 4))] {
        later_logs::put(&mut rows, LogId::from_bytes([log; 16]), &fork);
    }
    assert_eq!(later_logs::of(&rows, log), [at(2, 5), at(3, 4)]);
    assert_eq!(later_logs::of(&rows, LogId::from_bytes([3; 16])), []);
}

proptest! {
    /// Any interleaving of two sources, one of which may go back once within its log.
    #[test]
    fn every_entry_is_found_in_its_block(
        runs in prop::collection::vec((any::<bool>(), 1u64..400), 1..30),
        reset in prop::option::of((1usize..30, 0u64..3000)),
    ) {
        let mut rows = Map::default();
        let mut applied = [0u64; 2];
        // Where each entry of each source is; the latest place where a source went back.
        let mut truth = [BTreeMap::new(), BTreeMap::new()];
        let mut sequence = 0;
        for (index, (second, length)) in runs.into_iter().enumerate() {
            let source = usize::from(second);
            if let Some((when, back)) = reset
                && when == index
            {
                let back = back.min(applied[0]);
                sequence += 1;
                block_index::forget_after(&mut rows, &at(0, back), sequence);
                applied[0] = back;
                truth[0].split_off(&(back + 1));
                end(&mut rows, sequence, applied);
            }
            for _ in 0..length {
                sequence += 1;
                applied[source] += 1;
                truth[source].insert(applied[source], sequence);
                end(&mut rows, sequence, applied);
            }
        }
        for (source, places) in truth.iter().enumerate() {
            for (own, place) in places {
                let before = block_index::before_block(&rows, at(source as u8, 0).log, *own, sequence);
                prop_assert!(before < *place && *place <= before + block_index::BLOCK, "{source} {own}: {place} not after {before}");
            }
        }
    }
}

fn end(rows: &mut Map, sequence: u64, applied: [u64; 2]) {
    if sequence.is_multiple_of(block_index::BLOCK) {
        for (source, applied) in applied.into_iter().enumerate().filter(|(_, applied)| *applied > 0) {
            block_index::end_block(rows, sequence, &at(source as u8, applied));
        }
    }
}
