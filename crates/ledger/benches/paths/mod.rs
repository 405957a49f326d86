//! The hot paths, prepared so that a bench measures only the path.
//!
//! Payloads have the size of a reforecast milestone's event. The ledger's domain here is a row for each
//! key: it measures the ledger itself, without the rules of a service.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions};
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Block, Expected, Journal, StoredEntry};
use milepost_ledger::{
    Actor, CommandId, Context, Decision, Domain, Entry, Ledger, Options, Read, Submission, Unusable, Write,
};
use milepost_types::{Hash, LogId, SystemClock};
use tokio::runtime::{Builder, Runtime};

/// Bytes of an event.
pub const EVENT_BYTES: usize = 480;
/// Commands of a group, as 64 clients make it.
pub const GROUP: usize = 64;

pub const LOG: LogId = LogId::from_bytes([7; 16]);

/// An entry with one event.
pub fn entry(sequence: u64) -> Entry {
    Entry {
        sequence,
        commit_time: Timestamp::UNIX_EPOCH,
        actor: Actor::default(),
        command_id: CommandId::Server("018f3c1e-0000-7000-8000-000000000000".into()),
        decided_on: Vec::new(),
        portfolio: "wsc".into(),
        events: vec![vec![b'e'; EVENT_BYTES].into()],
    }
}

/// Stored entries, chained from the first.
pub fn stored(count: u64) -> Vec<StoredEntry> {
    let mut hash = Hash::ZERO;
    let store = |sequence| {
        let stored = entry(sequence).encode(&hash);
        hash = stored.hash;
        stored
    };
    (1..=count).map(store).collect()
}

/// A row for each key: an entry replaces the rows that its event names.
pub struct Rows;

/// The first key, and how many rows to put.
#[derive(Clone, Copy)]
pub struct Put {
    pub key: u32,
    pub count: u32,
}

impl Domain for Rows {
    type Command = Put;
    type Rejection = ();
    const STORE_VERSION: u32 = 1;

    fn decide(&self, rows: &dyn Read, put: &Put, context: &Context) -> Result<Decision, ()> {
        let before = rows.get(&key(put.key)).map_or(0, |row| row[0]);
        let mut event = vec![before; EVENT_BYTES];
        event[..4].copy_from_slice(&put.key.to_be_bytes());
        event[4..8].copy_from_slice(&put.count.to_be_bytes());
        event[8..16].copy_from_slice(&context.sequence.to_be_bytes());
        Ok(Decision { portfolio: "wsc".into(), decided_on: Vec::new(), events: vec![event.into()] })
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        let event = &entry.events[0];
        let number = |at: usize| u32::from_be_bytes([event[at], event[at + 1], event[at + 2], event[at + 3]]);
        for number in (number(0)..).take(number(4) as usize) {
            rows.put(key(number), event.slice(8..8 + 256));
        }
        Ok(())
    }
}

pub fn key(number: u32) -> Vec<u8> {
    [&[1], number.to_be_bytes().as_slice()].concat()
}

/// A runtime of one thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A ledger of rows on a journal in memory, which is watched in the runtime.
pub fn ledger(runtime: &Runtime, dir: &Path, options: Options) -> Ledger<Rows> {
    let _inside = runtime.enter();
    let journal = Arc::new(MemoryJournal::new(LOG));
    Ledger::open("bench", dir, journal, Arc::new(Rows), Arc::new(SystemClock), options)
        .expect("a new ledger opens")
}

/// The commands of one group, the next keys of `keys` in turn.
pub fn group(round: u32, keys: u32) -> Vec<Submission<Put>> {
    let put = |index| Put { key: (round * GROUP as u32 + index) % keys, count: 1 };
    (0..GROUP as u32).map(|index| Submission::system("bench", put(index))).collect()
}

/// A file journal, and blocks of so many entries to append to it in this order.
pub fn journal(dir: &Path, blocks: usize, entries: usize) -> (FileJournal, Vec<Block>) {
    let expected = Expected::named("bench".parse().expect("it is a name"));
    let journal = FileJournal::open(dir, expected, FileOptions::default(), Arc::new(SystemDisk));
    let journal = journal.expect("a new journal opens");
    let mut previous = Hash::ZERO;
    let block = |chunk: &[StoredEntry]| {
        let block = Block { previous, entries: chunk.to_vec() };
        previous = chunk.last().map_or(previous, |last| last.hash);
        block
    };
    let blocks = stored((blocks * entries) as u64).chunks(entries).map(block).collect();
    (journal, blocks)
}

/// Appends a block; the journal's tail is where it belongs.
pub fn append(journal: &FileJournal, block: &Block) {
    let tail = *journal.tail().borrow();
    journal.append(&tail, block).expect("an append to a sound disk");
}
