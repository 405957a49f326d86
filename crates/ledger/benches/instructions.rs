//! Instruction counts of the ledger's hot paths, independent of the load of the host. Needs valgrind, and
//! `cargo install gungraun-runner --version 0.20.0`; then `cargo bench -p milepost-ledger --bench
//! instructions`.

#![expect(missing_docs, clippy::disallowed_methods, reason = "of the code that the macros make")]

mod paths;

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::journal::file::FileJournal;
use milepost_ledger::journal::{Block, Journal, ReadLimit};
use milepost_ledger::{Entry, Ledger, Options, Submission};
use milepost_types::Hash;
use tokio::runtime::Runtime;

use crate::paths::{GROUP, Put, Rows, append, entry, group, journal, ledger, runtime, stored};

/// Groups of one measurement, so that starting threads weighs little.
const ROUNDS: u32 = 32;

#[library_benchmark]
#[bench::one(entry(1))]
fn entry_encode(entry: Entry) -> StoredEntry {
    black_box(entry).encode(&Hash::ZERO)
}

#[library_benchmark]
#[bench::one(stored(1).remove(0))]
fn entry_decode(stored: StoredEntry) -> bool {
    Entry::decode(black_box(&stored)).is_ok()
}

fn a_journal() -> (tempfile::TempDir, FileJournal, Vec<Block>) {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, blocks) = journal(&dir.path().join("journal"), ROUNDS as usize, GROUP);
    (dir, journal, blocks)
}

#[library_benchmark]
#[bench::blocks(setup = a_journal)]
fn journal_append((dir, journal, blocks): (tempfile::TempDir, FileJournal, Vec<Block>)) -> tempfile::TempDir {
    blocks.iter().for_each(|block| append(&journal, block));
    dir
}

fn a_history() -> (tempfile::TempDir, FileJournal) {
    let (dir, journal, blocks) = a_journal();
    blocks.iter().for_each(|block| append(&journal, block));
    (dir, journal)
}

#[library_benchmark]
#[bench::entries(setup = a_history)]
fn journal_read((dir, journal): (tempfile::TempDir, FileJournal)) -> (tempfile::TempDir, usize) {
    let read = journal.read_after(0, ReadLimit { entries: usize::MAX, bytes: usize::MAX });
    (dir, read.map_or(0, |entries| entries.len()))
}

type Commands = Vec<Vec<Submission<Put>>>;

fn a_ledger() -> (tempfile::TempDir, Runtime, Ledger<Rows>, Commands) {
    let (dir, runtime) = (tempfile::tempdir().expect("a directory"), runtime());
    let ledger = ledger(&runtime, dir.path(), Options::default());
    (dir, runtime, ledger, (0..ROUNDS).map(|round| group(round, 100_000)).collect())
}

#[library_benchmark]
#[bench::groups(setup = a_ledger)]
fn group_decide_and_apply(
    (dir, runtime, ledger, commands): (tempfile::TempDir, Runtime, Ledger<Rows>, Commands),
) -> tempfile::TempDir {
    for commands in commands {
        runtime.block_on(ledger.submit_all(commands));
    }
    dir
}

library_benchmark_group!(
    name = paths_of_the_ledger,
    benchmarks = [entry_encode, entry_decode, journal_append, journal_read, group_decide_and_apply]
);
main!(library_benchmark_groups = paths_of_the_ledger);
