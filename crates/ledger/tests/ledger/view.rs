//! Views: one consistent cut, at the sequence they report, while writers and checkpoints run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Journal, ReadLimit};
use milepost_ledger::{Direction, KeyRange, Options, Read, Submission, WaitError};
use milepost_types::{HashPrefix, LogId, Position};

use crate::domain::{Command, add, cell, cells, memory, open, open_with, options, shut, sum};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_view_is_one_cut_while_checkpoints_write() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    // No cache to speak of: reads go to sled, beside what checkpoints write.
    let ledger = open_with(dir.path(), journal, Options { cache_bytes: 1024, ..options() });
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut views = 0u64;
                    while !stop.load(Ordering::Relaxed) {
                        let view = ledger.view();
                        let listed = cells(&view);
                        let total: u64 = listed.iter().map(|(_, value)| value).sum();
                        assert_eq!(total, sum(&view));
                        assert_eq!(
                            total,
                            view.position().sequence * 40,
                            "each entry adds one to forty cells"
                        );
                        assert!(listed.iter().all(|(at, value)| cell(&view, *at) == *value));
                        views += 1;
                    }
                    views
                })
            })
            .collect();
        let writer = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // On a busy machine checkpoints are rarer, not absent.
                let mut round = 0;
                while round < 500 || ledger.stats().checkpoints() <= 10 {
                    round += 1;
                    ledger.submit(Submission::system("test", Command::AddToAll { cells: 40 })).await.unwrap();
                }
            });
            stop.store(true, Ordering::Relaxed);
        });
        writer.join().unwrap();
        assert!(readers.into_iter().map(|reader| reader.join().unwrap()).min().unwrap() > 10);
    });
    assert!(ledger.stats().checkpoints() > 10);
}

#[tokio::test]
async fn scans_cover_all_layers_in_both_directions() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    for round in 0..3 {
        for at in 0..30 {
            ledger.submit(add(at, 1)).await.unwrap();
        }
        ledger.submit(Submission::system("test", Command::Clear { cell: 7 + round })).await.unwrap();
    }
    let view = ledger.view();
    let range = KeyRange::prefix(&[1]).after(&[1, 4]).before(&[1, 12]);
    let forward: Vec<u8> = view.scan(&range, Direction::Forward).map(|(key, _)| key[1]).collect();
    let mut backward: Vec<u8> = view.scan(&range, Direction::Backward).map(|(key, _)| key[1]).collect();
    backward.reverse();
    assert_eq!(forward, [5, 6, 7, 8, 10, 11]);
    assert_eq!(backward, forward);
    assert_eq!(view.scan(&KeyRange::prefix(&[1]).before(&[1, 0]), Direction::Forward).count(), 0);
}

#[tokio::test]
async fn a_small_memory_table_makes_writers_wait_and_loses_nothing() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open_with(dir.path(), journal, Options { table_bytes: 200, group_size: 5, ..options() });
    let answers = ledger.submit_all((0..2000u64).map(|round| add((round % 100) as u8, 1)).collect()).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(sum(&ledger.view()), 2000);
    assert!(ledger.stats().checkpoint_waits() > 0);
}

#[tokio::test]
async fn a_reader_can_wait_for_a_position() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    let first = ledger.submit(add(1, 1)).await.unwrap().position;
    let soon = || Instant::now() + Duration::from_millis(20);
    ledger.wait_for(first, soon()).await.unwrap();
    let next = Position { sequence: 2, ..first };
    assert!(matches!(ledger.wait_for(next, soon()).await, Err(WaitError::TimedOut { .. })));
    let other_log = Position::start(LogId::from_bytes([1; 16]));
    assert!(matches!(ledger.wait_for(other_log, soon()).await, Err(WaitError::Diverged { .. })));
    let other_history = Position { hash: HashPrefix::from_bytes([1; 8]), ..first };
    assert!(matches!(ledger.wait_for(other_history, soon()).await, Err(WaitError::Diverged { .. })));
    let waiting = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.wait_for(next, Instant::now() + Duration::from_secs(30)).await }
    });
    tokio::task::yield_now().await;
    ledger.submit(add(1, 1)).await.unwrap();
    // The requested hash is not the second entry's; only reading the entry shows that.
    assert!(matches!(waiting.await.unwrap(), Err(WaitError::Diverged { .. })));
    // Nor is one believed that the log has long grown past.
    assert!(matches!(ledger.wait_for(other_history, soon()).await, Err(WaitError::Diverged { .. })));
    ledger.wait_for(first, soon()).await.unwrap();
}

#[tokio::test]
async fn a_reader_can_wait_for_a_position_of_the_log_before_a_restore_up_to_the_fork() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    for _ in 0..3 {
        ledger.submit(add(1, 1)).await.unwrap();
    }
    shut(ledger);
    let entries = journal.read_after(0, ReadLimit::default()).unwrap();
    let (old, new) = (journal.info().tail, tempfile::tempdir().unwrap());
    let restored = MemoryJournal::with_entries(LogId::generate(), Some(old), entries.clone());
    let ledger = open(new.path(), Arc::new(restored));
    let deadline = Instant::now() + Duration::from_secs(10);
    let second = Position::after(old.log, 2, &entries[1].hash);
    for same in [old, second, Position::start(old.log)] {
        ledger.wait_for(same, deadline).await.unwrap();
    }
    ledger.submit(add(1, 1)).await.unwrap();
    let other = Position { hash: HashPrefix::from_bytes([1; 8]), ..second };
    for lost in [Position { sequence: 4, ..old }, other] {
        let refused = ledger.wait_for(lost, deadline).await;
        assert!(matches!(refused, Err(WaitError::Diverged { asked, .. }) if asked == lost), "{refused:?}");
    }
}
