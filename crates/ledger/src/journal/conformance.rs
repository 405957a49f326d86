//! The conformance suite of journal engines: an engine that passes can be used by a ledger.
//!
//! Invariant: only the trait is used, so that it runs on every later engine unchanged. Disk faults
//! are not covered here; they are in the file engine's own tests. Panics where an engine fails.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use milepost_types::{Hash, HashPrefix, LogId, Position};
use tokio::sync::watch;

use super::{AppendError, Block, Entries, Journal, ReadError, ReadLimit, StoredEntry};
use crate::journal::chain;

/// An engine under test, with a log that starts empty.
pub trait Fixture {
    /// The engine.
    fn journal(&self) -> &dyn Journal;

    /// Closes the engine and opens the log again; false if the engine keeps nothing.
    fn reopen(&mut self) -> bool;
}

/// Makes consecutive blocks, and keeps their entries.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    entries: Vec<StoredEntry>,
}

impl Chain {
    /// A chain that begins where a log with these entries ends.
    pub fn of(entries: Vec<StoredEntry>) -> Self {
        Self { entries }
    }

    /// The next block: one entry for each of `bodies`.
    pub fn block<B: Into<Bytes>>(&mut self, bodies: impl IntoIterator<Item = B>) -> Block {
        let (from, previous) = (self.entries.len(), self.hash());
        for body in bodies {
            let bytes = body.into();
            let (sequence, hash) = (self.entries.len() as u64 + 1, chain(&self.hash(), &bytes));
            self.entries.push(StoredEntry { sequence, hash, bytes });
        }
        Block { previous, entries: self.entries[from..].to_vec() }
    }

    /// Everything so far.
    pub fn entries(&self) -> &[StoredEntry] {
        &self.entries
    }

    /// The last entry's hash; zero before the first.
    pub fn hash(&self) -> Hash {
        self.entries.last().map_or(Hash::ZERO, |last| last.hash)
    }

    /// The position after the entry with this sequence, in a log with this id.
    pub fn position(&self, log: LogId, sequence: u64) -> Position {
        match sequence.checked_sub(1) {
            Some(index) => Position::after(log, sequence, &self.entries[index as usize].hash),
            None => Position::start(log),
        }
    }
}

/// Appends `bodies` as one block to a log that holds what `chain` does.
///
/// # Panics
/// If the append fails.
pub fn append<B: Into<Bytes>>(journal: &dyn Journal, chain: &mut Chain, bodies: impl IntoIterator<Item = B>) {
    let after = journal.info().tail;
    let block = chain.block(bodies);
    let tail = journal.append(&after, &block).expect("the append succeeds");
    assert_eq!(
        tail,
        chain.position(after.log, chain.entries.len() as u64),
        "the position that an append returns"
    );
    assert_eq!(tail, journal.info().tail, "the tail after an append");
}

/// Checks that a log holds exactly what `chain` does.
///
/// # Panics
/// If it does not.
pub fn assert_holds(journal: &dyn Journal, chain: &Chain) {
    let read: Vec<_> = Entries::after(journal, 0).map(|entry| entry.expect("the log can be read")).collect();
    assert!(read == chain.entries, "the log holds {} entries, not these {}", read.len(), chain.entries.len());
    let info = journal.info();
    assert_eq!(info.tail, chain.position(info.log, chain.entries.len() as u64), "the tail");
}

const ALL: ReadLimit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };

/// Runs the suite; `make` creates an engine with an empty log each time it is called.
///
/// # Panics
/// If the engine does not conform.
pub fn run<F: Fixture>(make: impl Fn() -> F) {
    empty_log(&make());
    sequences_without_gaps(make());
    fence(&make());
    malformed_blocks(&make());
    read_limits(&make());
    other_histories(&make());
    tail_moves(&make());
    in_memory_reports_the_newest_entries(&make());
    big_blocks(make());
    many_blocks(make());
    concurrent_readers(&make());
    competing_writers(&make());
    close_is_clean(make());
}

fn numbered(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| format!("entry {number}").into_bytes())
}

fn empty_log(engine: &impl Fixture) {
    let journal = engine.journal();
    let info = journal.info();
    let start = Position::start(info.log);
    assert_eq!(info.tail, start, "the tail of an empty log is its start");
    assert_eq!(*journal.tail().borrow(), start);
    assert_eq!(info.lineage.parent(), None);
    assert!(info.format >= 1);
    assert_eq!(journal.poisoned(), None);
    assert_eq!(journal.read(&start, ALL).expect("an empty log can be read"), []);
    assert_eq!(journal.read_after(0, ALL).expect("an empty log can be read"), []);
    assert!(matches!(journal.read_after(1, ALL), Err(ReadError::Ahead { .. })));
}

fn sequences_without_gaps(mut engine: impl Fixture) {
    let mut chain = Chain::default();
    for size in [1, 3, 1, 64, 2] {
        append(engine.journal(), &mut chain, numbered(size));
    }
    append(engine.journal(), &mut chain, [Vec::new(), Vec::new()]);
    assert_holds(engine.journal(), &chain);
    let log = engine.journal().info().log;
    if engine.reopen() {
        assert_eq!(engine.journal().info().log, log, "a log keeps its id");
        assert_holds(engine.journal(), &chain);
        append(engine.journal(), &mut chain, numbered(5));
        assert_holds(engine.journal(), &chain);
    }
}

fn fence(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    append(journal, &mut chain, numbered(3));
    append(journal, &mut chain, numbered(2));
    let tail = journal.info().tail;
    let other_hash = Position { hash: HashPrefix::from_bytes([7; 8]), ..tail };
    let ahead = Position { sequence: 6, ..tail };
    let foreign = Position { log: LogId::from_bytes([7; 16]), ..tail };
    let stale = [chain.position(tail.log, 0), chain.position(tail.log, 3), chain.position(tail.log, 4)];
    for after in stale.into_iter().chain([other_hash, ahead, foreign]) {
        // The block of a writer whose copy of the log ends there.
        let known = chain.entries[..(after.sequence as usize).min(5)].to_vec();
        let block = Chain::of(known).block(numbered(2));
        match journal.append(&after, &block) {
            Err(AppendError::Conflict { tail: reported }) => assert_eq!(reported, tail),
            other => panic!("an append after {after} to a log that ends at {tail}: {other:?}"),
        }
        assert_holds(journal, &chain);
        assert_eq!(journal.poisoned(), None, "a conflict does not poison the journal");
    }
    append(journal, &mut chain, numbered(1));
    assert_holds(journal, &chain);
}

fn malformed_blocks(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    append(journal, &mut chain, numbered(2));
    let good = chain.clone().block(numbered(3));
    let mut gap = good.clone();
    gap.entries.remove(1);
    let mut unlinked = good.clone();
    unlinked.previous = Hash::ZERO;
    let empty = Block { previous: good.previous, entries: Vec::new() };
    for block in [gap, unlinked, empty] {
        let refused = journal.append(&journal.info().tail, &block);
        assert!(matches!(refused, Err(AppendError::Malformed { .. })), "{refused:?}");
        assert_holds(journal, &chain);
    }
    append(journal, &mut chain, numbered(1));
}

fn read_limits(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    for size in [4, 1, 7, 3] {
        append(journal, &mut chain, (0..size).map(|_| vec![size as u8; 100]));
    }
    let log = journal.info().log;
    for after in 0..=15 {
        for entries in [0, 1, 2, 5, 100] {
            let limit = ReadLimit { entries, bytes: usize::MAX };
            let read = journal.read(&chain.position(log, after), limit).expect("it can be read");
            let until = (after as usize + entries.max(1)).min(15);
            assert_eq!(read, chain.entries[after as usize..until], "{entries} entries after {after}");
        }
        for (bytes, count) in [(0, 1), (1, 1), (100, 1), (101, 2), (450, 5)] {
            let limit = ReadLimit { entries: usize::MAX, bytes };
            let read = journal.read_after(after, limit).expect("it can be read");
            let until = (after as usize + count).min(15);
            assert_eq!(read, chain.entries[after as usize..until], "{bytes} bytes after {after}");
        }
    }
}

fn other_histories(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    append(journal, &mut chain, numbered(3));
    append(journal, &mut chain, numbered(3));
    let tail = journal.info().tail;
    let (other_hash, other_log) = (HashPrefix::from_bytes([9; 8]), LogId::from_bytes([9; 16]));
    for sequence in 0..=6 {
        let right = chain.position(tail.log, sequence);
        assert!(journal.read(&right, ALL).is_ok());
        let wrong = Position { hash: other_hash, ..right };
        match journal.read(&wrong, ALL) {
            Err(ReadError::Diverged { asked, have }) => assert_eq!((asked, have), (wrong, right)),
            other => panic!("reading after {wrong}: {other:?}"),
        }
        let foreign = Position { log: other_log, ..right };
        match journal.read(&foreign, ALL) {
            Err(ReadError::Diverged { asked, have }) => assert_eq!((asked, have), (foreign, tail)),
            other => panic!("reading after {foreign}: {other:?}"),
        }
        assert!(journal.read_after(sequence, ALL).is_ok());
    }
    let ahead = Position { sequence: 7, ..tail };
    match journal.read(&ahead, ALL) {
        Err(ReadError::Ahead { asked, tail: end }) => assert_eq!((asked, end), (ahead, tail)),
        other => panic!("reading after {ahead}: {other:?}"),
    }
    assert!(matches!(journal.read_after(u64::MAX, ALL), Err(ReadError::Ahead { .. })));
}

fn tail_moves(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    let mut tail = journal.tail();
    tail.borrow_and_update();
    for round in 1..4 {
        append(journal, &mut chain, numbered(round));
        assert!(tail.has_changed().expect("the tail lives"), "an append moves the tail");
        assert_eq!(*tail.borrow_and_update(), journal.info().tail);
        assert_eq!(*journal.tail().borrow(), journal.info().tail, "a later receiver sees the same");
    }
    assert!(!tail.has_changed().expect("the tail lives"));
}

fn in_memory_reports_the_newest_entries(engine: &impl Fixture) {
    let journal = engine.journal();
    let mut chain = Chain::default();
    assert!(!journal.in_memory(1), "an empty log has nothing in memory");
    append(journal, &mut chain, numbered(3));
    assert!(journal.in_memory(3), "the newest entries are in memory");
    assert!(!journal.in_memory(4), "an entry that does not exist is not in memory");
    assert!(!journal.in_memory(0));
}

fn big_blocks(mut engine: impl Fixture) {
    let mut chain = Chain::default();
    append(engine.journal(), &mut chain, numbered(1));
    append(engine.journal(), &mut chain, [vec![b'a'; 3_000_000], vec![b'b'; 10]]);
    append(engine.journal(), &mut chain, numbered(2));
    append(engine.journal(), &mut chain, (0..2_000).map(|number: u32| number.to_le_bytes().to_vec()));
    assert_holds(engine.journal(), &chain);
    let one = engine.journal().read_after(1, ReadLimit { entries: 5, bytes: 10 }).expect("it can be read");
    assert_eq!(one, chain.entries[1..2], "an entry is returned however large it is");
    if engine.reopen() {
        assert_holds(engine.journal(), &chain);
    }
}

fn many_blocks(mut engine: impl Fixture) {
    let mut chain = Chain::default();
    for number in 0..300_usize {
        append(
            engine.journal(),
            &mut chain,
            (0..1 + number % 5).map(|part| vec![part as u8; number * 7 % 900]),
        );
    }
    let log = engine.journal().info().log;
    let check = |journal: &dyn Journal| {
        assert_holds(journal, &chain);
        for after in (0..chain.entries.len() as u64).step_by(37) {
            let limit = ReadLimit { entries: 50, bytes: usize::MAX };
            let read = journal.read(&chain.position(log, after), limit).expect("it can be read");
            let until = chain.entries.len().min(after as usize + 50);
            assert_eq!(read, chain.entries[after as usize..until]);
        }
    };
    check(engine.journal());
    if engine.reopen() {
        check(engine.journal());
    }
}

/// Waits for the tail to move; false once it is closed.
fn moved(tail: &mut watch::Receiver<Position>) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(tail.changed()).is_ok()
}

fn concurrent_readers(engine: &impl Fixture) {
    const BLOCKS: usize = 200;
    let journal = engine.journal();
    let mut made = Chain::default();
    let blocks: Vec<_> =
        (0..BLOCKS).map(|number| made.block((0..3).map(|_| vec![number as u8; 200]))).collect();
    std::thread::scope(|threads| {
        for reader in 0..4 {
            let made = &made;
            threads.spawn(move || {
                let mut tail = journal.tail();
                let limit = ReadLimit { entries: 1 + reader * 10, bytes: usize::MAX };
                let mut after = journal.info().tail;
                let mut seen = made.entries[..after.sequence as usize].to_vec();
                while seen.len() < made.entries.len() {
                    let read = journal.read(&after, limit).expect("a reader beside a writer");
                    match read.last() {
                        Some(last) => {
                            after = Position::after(after.log, last.sequence, &last.hash);
                            assert!(
                                journal.info().tail.sequence >= last.sequence,
                                "read before it was durable"
                            );
                            seen.extend(read);
                        }
                        None => assert!(moved(&mut tail), "the journal ended"),
                    }
                }
                assert!(seen == made.entries, "a reader saw other entries than were written");
            });
        }
        for block in &blocks {
            journal.append(&journal.info().tail, block).expect("the append succeeds");
        }
    });
}

fn competing_writers(engine: &impl Fixture) {
    let journal = engine.journal();
    let failed = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for writer in 0..3_u8 {
            let failed = &failed;
            threads.spawn(move || {
                let mut chain = Chain::default();
                let mut written = 0;
                while written < 30 && !failed.load(Ordering::Relaxed) {
                    let after = chain.position(journal.info().log, chain.entries.len() as u64);
                    let block = chain.clone().block([vec![writer, written]]);
                    match journal.append(&after, &block) {
                        Ok(_) => written += 1,
                        Err(AppendError::Conflict { .. }) => {}
                        Err(error) => {
                            failed.store(true, Ordering::Relaxed);
                            panic!("a writer beside others: {error}");
                        }
                    }
                    let missed = journal.read(&after, ALL).expect("the entries of other writers can be read");
                    chain.entries.extend(missed);
                }
            });
        }
    });
    let read: Vec<_> = Entries::after(journal, 0).map(|entry| entry.expect("the log can be read")).collect();
    assert_eq!(read.len(), 90, "each append took effect once");
    for writer in 0..3 {
        let own = read.iter().map(|entry| &entry.bytes).filter(|bytes| bytes[0] == writer);
        assert!(own.map(|bytes| bytes[1]).eq(0..30), "the appends of writer {writer}, in their order");
    }
    let mut hash = Hash::ZERO;
    for entry in read {
        hash = chain(&hash, &entry.bytes);
        assert_eq!(entry.hash, hash, "one chain over all writers");
    }
}

fn close_is_clean(mut engine: impl Fixture) {
    let mut chain = Chain::default();
    append(engine.journal(), &mut chain, numbered(9));
    engine.journal().close().expect("a clean stop");
    assert_holds(engine.journal(), &chain);
    if engine.reopen() {
        assert_holds(engine.journal(), &chain);
        append(engine.journal(), &mut chain, numbered(1));
    }
}
