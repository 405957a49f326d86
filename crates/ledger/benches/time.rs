//! Times of the ledger's hot paths: `cargo bench -p milepost-ledger --bench time`.
//!
//! Noisy on a busy machine; `instructions` is not.

mod paths;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use divan::Bencher;
use divan::counter::ItemsCount;
use milepost_ledger::{Entry, Options, Read, Submission};
use milepost_types::Hash;

use crate::paths::{GROUP, Put, append, entry, group, journal, key, ledger, runtime, stored};

/// Rows of a checkpoint.
const ROWS: u32 = 20_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn entry_encode(bencher: Bencher) {
    let entry = entry(1);
    bencher.bench(|| black_box(&entry).encode(&Hash::ZERO));
}

#[divan::bench]
fn entry_decode(bencher: Bencher) {
    let stored = stored(1).remove(0);
    bencher.bench(|| Entry::decode(black_box(&stored)));
}

/// 64 commands decided, applied, appended to a journal in memory and answered.
#[divan::bench(args = [100, 100_000])]
fn group_decide_and_apply(bencher: Bencher, keys: u32) {
    let runtime = runtime();
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options::default();
    let ledger = ledger(&runtime, dir.path(), options);
    let mut round = 0;
    bencher
        .with_inputs(|| {
            round += 1;
            group(round, keys)
        })
        .input_counter(|commands| ItemsCount::new(commands.len()))
        .bench_local_values(|commands| runtime.block_on(ledger.submit_all(commands)));
    ledger.close();
}

/// A block of 64 entries written and synced.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn journal_append(bencher: Bencher) {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, blocks) = journal(&dir.path().join("journal"), 60, GROUP);
    let mut blocks = blocks.iter();
    bencher
        .counter(ItemsCount::new(GROUP))
        .with_inputs(|| blocks.next().expect("enough blocks"))
        .bench_local_values(|block| append(&journal, block));
}

/// Rows that a last checkpoint brings to the disk.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn checkpoint_rows(bencher: Bencher) {
    let runtime = runtime();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(|| {
            let dir = tempfile::tempdir().expect("a directory");
            let ledger = ledger(&runtime, dir.path(), Options::default());
            let put = Submission::system("bench", Put { key: 0, count: ROWS });
            runtime.block_on(ledger.submit(put)).expect("rows are put");
            (dir, ledger)
        })
        .bench_local_values(|(dir, ledger)| {
            ledger.close();
            dir
        });
}

/// One row read from a view while checkpoints run all the time, and while none does.
#[divan::bench(args = [false, true])]
fn read_of_a_row(bencher: Bencher, checkpoints: bool) {
    let dir = tempfile::tempdir().expect("a directory");
    let checkpoint_rows = if checkpoints { 1000 } else { usize::MAX };
    let runtime = runtime();
    let ledger = ledger(&runtime, dir.path(), Options { checkpoint_rows, ..Options::default() });
    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (ledger, stop) = (ledger.clone(), Arc::clone(&stop));
        move || {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                runtime.block_on(ledger.submit_all(group(round, ROWS)));
            }
        }
    });
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 7919) % ROWS;
        ledger.view().get(&key(number))
    });
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("the writer ends");
    ledger.close();
}
