//! Shared by the cases: journals on a simulated disk, and logs to put in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append};
use milepost_ledger::journal::disk::Disk;
use milepost_ledger::journal::file::{FileJournal, FileOptions, OpenError};
use milepost_ledger::journal::sim::{Rng, SimDisk};
use milepost_ledger::journal::{Expected, Journal};
use milepost_types::{LedgerName, LogId};

use crate::layout::frames;

/// Where the journal is on a simulated disk.
pub const DIR: &str = "/data/journal";

pub fn dir() -> &'static Path {
    Path::new(DIR)
}

pub fn path(name: &str) -> PathBuf {
    dir().join(name)
}

/// The ledger that the journals are of.
pub fn name() -> LedgerName {
    "test".parse().expect("it is a name")
}

pub fn expected() -> Expected {
    Expected::named(name())
}

/// Segments so small that a few appends fill one, and a witness every five appends.
pub fn small() -> FileOptions {
    FileOptions {
        segment_bytes: 16 << 10,
        min_free_bytes: 1 << 20,
        cache_bytes: 4 << 10,
        witness_appends: 5,
        ..FileOptions::default()
    }
}

pub fn open(disk: &SimDisk) -> Result<FileJournal, OpenError> {
    FileJournal::open(dir(), expected(), small(), Arc::new(disk.clone()))
}

pub fn open_read_only(disk: &SimDisk) -> Result<FileJournal, OpenError> {
    FileJournal::open_read_only(dir(), expected(), small(), Arc::new(disk.clone()))
}

/// A new journal with a log id that is always the same.
pub fn create(disk: &SimDisk) -> FileJournal {
    let log = LogId::from_bytes([0xA5; 16]);
    FileJournal::create(dir(), name(), log, None, small(), Arc::new(disk.clone())).expect("a new journal")
}

/// Bodies without long runs of zeros, as encoded entries are.
pub fn bodies(rng: &mut Rng, count: usize, most: usize) -> Vec<Vec<u8>> {
    let body = |rng: &mut Rng| {
        let length = 1 + rng.below(most);
        (0..length).map(|_| rng.bits() as u8 | 1).collect()
    };
    (0..count).map(|_| body(rng)).collect()
}

/// A journal of a few segments, closed cleanly (or not), and what it holds.
pub fn filled(appends: usize, close: bool) -> (SimDisk, Chain) {
    let disk = SimDisk::default();
    let journal = create(&disk);
    let (mut rng, mut chain) = (Rng::new(7), Chain::default());
    for number in 0..appends {
        append(&journal, &mut chain, bodies(&mut rng, 1 + number % 4, 900));
    }
    if close {
        journal.close().expect("a clean stop");
    }
    drop(journal);
    (disk.copy(), chain)
}

/// The segment files of a journal, in order.
pub fn segments(disk: &SimDisk) -> Vec<PathBuf> {
    let files = disk.list(dir()).unwrap().into_iter().filter(|listed| !listed.directory);
    let paths = files.map(|listed| path(listed.name.to_str().unwrap()));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "segment")).collect()
}

/// Takes away the end of the last frame, as if it had never been written; its first sequence.
pub fn tear(disk: &SimDisk) -> u64 {
    let path = segments(disk).pop().unwrap();
    let mut bytes = disk.bytes(&path);
    let (last, first) = frames(&bytes).pop().unwrap();
    bytes[last.end - 20..].fill(0);
    disk.put(&path, bytes);
    first
}

/// The message of an error, with its causes.
pub fn full_message(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
