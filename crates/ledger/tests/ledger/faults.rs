//! A failing journal: nothing that is not durable is visible, and the ledger stops with the reason.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use milepost_ledger::journal::conformance::Chain;
use milepost_ledger::journal::file::{FileJournal, FileOptions};
use milepost_ledger::journal::memory::{Failure, MemoryJournal};
use milepost_ledger::journal::sim::{Call, Fault, SimDisk};
use milepost_ledger::journal::{
    AppendError, Block, DiskRoom, Expected, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry,
};
use milepost_ledger::{
    Context, Decision, Domain, Entry, Ledger, Options, Read, Submission, SubmitError, Unusable, Write,
};
use milepost_types::{Hash, LogId, Position};
use tokio::sync::watch;

use crate::domain::{Cells, Command, add, asked, cell, clock, memory, open, options, shut, sum};

#[tokio::test]
async fn a_failed_append_changes_nothing_visible_and_ends_the_ledger() {
    for failure in [Failure::Lost, Failure::Stored] {
        let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
        let ledger = open(dir.path(), journal.clone());
        ledger.submit(add(1, 1)).await.unwrap();
        journal.fail_next(failure);
        let command = || asked("office", "r", Command::Add { cell: 1, amount: 5 });
        assert!(matches!(ledger.submit(command()).await, Err(SubmitError::Failed { .. })));
        assert!(matches!(ledger.submit(add(2, 1)).await, Err(SubmitError::Failed { .. })));
        assert_eq!(sum(&ledger.view()), 1, "readers go on with what is durable");
        assert!(ledger.failure().borrow().is_some());
        shut(ledger);

        // After a restart the same request id returns the outcome, and the effect happens at most once.
        let journal = Arc::new(journal.reopened());
        let ledger = open(dir.path(), journal);
        let again = ledger.submit(command()).await.unwrap();
        assert_eq!(again.replayed, failure == Failure::Stored);
        assert_eq!(cell(&ledger.view(), 1), 6);
    }
}

#[tokio::test]
async fn no_answer_depends_on_state_that_a_failed_append_lost() {
    for failure in [Failure::DiskLow, Failure::Lost, Failure::Stored] {
        let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
        let ledger = open(dir.path(), journal.clone());
        journal.fail_next(failure);
        let command = || asked("office", "r", Command::Add { cell: 1, amount: 600_000 });
        // The first writes; the others rest on it: the same again, a refusal, a trial, one without an effect.
        let tried = Submission { validate_only: true, ..add(1, 1) };
        let nothing = Submission::system("test", Command::Clear { cell: 2 });
        let group = vec![command(), command(), add(1, 600_000), tried, nothing];
        for answer in ledger.submit_all(group).await {
            match failure {
                Failure::DiskLow => assert!(matches!(answer, Err(SubmitError::DiskLow { .. })), "{answer:?}"),
                _ => assert!(matches!(answer, Err(SubmitError::Failed { .. })), "{answer:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_entry_that_does_not_match_its_hash_is_not_applied() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    for _ in 0..3 {
        ledger.submit(add(1, 1)).await.unwrap();
    }
    shut(ledger);
    let mut entries = journal.read_after(0, ReadLimit::default()).unwrap();
    let mut second = Entry::decode(&entries[1]).unwrap();
    second.events = Entry::decode(&entries[2]).unwrap().events;
    entries[1] = StoredEntry { bytes: second.encode(&entries[0].hash).bytes, ..entries[1].clone() };
    let changed = Arc::new(MemoryJournal::with_entries(journal.info().log, None, entries));
    let elsewhere = tempfile::tempdir().unwrap();
    let opened = Ledger::open("cells", elsewhere.path(), changed, Arc::new(Cells::<1>), clock(), options());
    let error = opened.err().expect("the second entry is another than was written");
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    assert!(causes.join(": ").contains("does not match its hash"), "{causes:?}");
}

#[tokio::test]
async fn an_unusable_entry_is_named_and_neither_skipped_nor_a_panic() {
    let entry = |sequence, events: &[&'static [u8]]| Entry {
        sequence,
        commit_time: "2021-05-27T08:00:00Z".parse().unwrap(),
        actor: Default::default(),
        command_id: milepost_ledger::CommandId::Server("s".into()),
        decided_on: vec![],
        portfolio: String::new(),
        events: events.iter().map(|event| Bytes::from_static(event)).collect(),
    };
    let bytes = |entry: Entry| entry.encode(&Hash::ZERO).bytes.to_vec();
    let good = bytes(entry(1, &[b"\x01\0\0\0\0\0\0\0\x05"]));
    for (what, second) in [
        ("a question", bytes(entry(2, &[b"\x01\0\0\0\0\0\0\0\x06", b"?"]))),
        ("in apply", bytes(entry(2, &[b"!"]))),
        ("its sequence is not the one", bytes(entry(9, &[b"x"]))),
        ("Protobuf", vec![0xff, 0xff]),
    ] {
        let mut chain = Chain::default();
        chain.block([good.clone(), second.clone(), bytes(entry(3, &[b"x"]))]);
        let log = LogId::generate();
        let open = |entries: &[StoredEntry]| {
            let journal = Arc::new(MemoryJournal::with_entries(log, None, entries.to_vec()));
            let dir = tempfile::tempdir().unwrap();
            let rebuilt = milepost_ledger::rebuild(dir.path(), &*journal, &Cells::<1>, &options());
            let opened = Ledger::open("cells", dir.path(), journal, Arc::new(Cells::<1>), clock(), options());
            (opened.map(drop).map_err(|error| error.to_string()), rebuilt.map_err(|error| error.to_string()))
        };
        assert!(open(&chain.entries()[..1]).0.is_ok());
        let (opened, rebuilt) = open(chain.entries());
        for refused in [opened.unwrap_err(), rebuilt.unwrap_err()] {
            assert!(
                refused.contains("entry 2 of the journal") && refused.contains(what),
                "{what}: {refused}"
            );
        }
    }

    // If another process appends it while the ledger is open, the ledger fails with the reason.
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    let stored = entry(1, &[b"?"]).encode(&Hash::ZERO);
    let block = Block { previous: Hash::ZERO, entries: vec![stored] };
    journal.append(&journal.info().tail, &block).unwrap();
    let reason = ledger.failure().wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(reason.contains("entry 1") && reason.contains("a question"), "{reason}");
}

#[tokio::test]
async fn a_low_disk_refuses_writes_and_the_ledger_stays_usable() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    journal.fail_next(Failure::DiskLow);
    assert!(matches!(
        ledger.submit(add(1, 1)).await,
        Err(SubmitError::DiskLow(DiskRoom { floor_bytes: 1, .. }))
    ));
    assert_eq!(sum(&ledger.view()), 0);
    assert_eq!(ledger.submit(add(1, 1)).await.unwrap().position.sequence, 1);
    assert!(ledger.failure().borrow().is_none());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails_the_ledger() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    // The directory goes from under the store: the sync of the next checkpoint cannot succeed.
    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    let mut failure = ledger.failure();
    for round in 0..100 {
        let _ = ledger.submit(add(round, 1)).await;
    }
    failure.wait_for(Option::is_some).await.unwrap();
    let failed = ledger.submit(add(1, 1)).await;
    assert!(matches!(failed, Err(SubmitError::Failed { .. })), "{failed:?}");
    shut(ledger);
    let ledger = open(dir.path(), journal);
    assert_eq!(sum(&ledger.view()), ledger.position().sequence, "the journal brings it back");
}

/// Rows of a kilobyte under the numbers that are asked for; the event is the row that was there before.
struct Blobs;

fn blob(number: u32) -> Vec<u8> {
    [&[1], number.to_be_bytes().as_slice()].concat()
}

impl Domain for Blobs {
    type Command = u32;
    type Rejection = ();
    const STORE_VERSION: u32 = 1;

    fn decide(&self, rows: &dyn Read, number: &u32, _: &Context) -> Result<Decision, ()> {
        let key = blob(*number);
        let before = rows.get(&key).unwrap_or_default();
        Ok(Decision { events: vec![key.into(), before], ..Decision::default() })
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        let key = entry.events[0].to_vec();
        rows.put(key, vec![entry.sequence as u8; 1024].into());
        Ok(())
    }
}

#[tokio::test]
async fn unreadable_rows_fail_the_ledger_instead_of_one_command_after_another() {
    const ROWS: u32 = 3000;
    for by_a_command in [true, false] {
        let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
        let open = |cache_bytes, checkpoint_rows| {
            let options = Options { cache_bytes, checkpoint_rows, ..options() };
            Ledger::open("blobs", dir.path(), journal.clone(), Arc::new(Blobs), clock(), options).unwrap()
        };
        let ledger = open(4096, 10);
        for number in 0..ROWS {
            ledger.submit(Submission::system("test", number)).await.unwrap();
        }
        shut(ledger);
        // All rows are on the disk, and only few of them in memory. Under the open store, it loses them. No
        // checkpoint: one that cannot write keeps the store's lock for the life of the process.
        let ledger = open(4096, usize::MAX);
        let db = dir.path().join("store/db");
        let length = std::fs::metadata(&db).unwrap().len();
        std::fs::write(&db, vec![0xa5; length as usize]).unwrap();
        let mut unread = 0;
        for number in 0..ROWS {
            if by_a_command {
                let answer = ledger.submit(Submission::system("test", number)).await;
                assert!(matches!(answer, Ok(_) | Err(SubmitError::Failed { .. })), "{answer:?}");
                unread += usize::from(answer.is_err());
            } else {
                let read = || drop(ledger.view().get(&blob(number)));
                unread += usize::from(catch_unwind(AssertUnwindSafe(read)).is_err());
            }
        }
        assert!(unread > 0, "every row was still in memory");
        let reason = ledger.failure().borrow().clone().unwrap();
        assert!(reason.contains("the store in"), "{reason}");
        let written = ledger.position();
        shut(ledger);
        assert_eq!(open(1 << 20, 10).position(), written, "the journal brings it back");
    }
}

/// A journal that panics once, before or after it has stored.
struct Panicking {
    inner: Arc<MemoryJournal>,
    stored: bool,
    armed: AtomicBool,
}

impl Journal for Panicking {
    fn append(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        if !self.armed.load(Ordering::Relaxed) {
            return self.inner.append(after, block);
        }
        if self.stored {
            self.inner.append(after, block)?;
        }
        panic!("the journal's own fault")
    }

    fn read(&self, after: &Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.inner.read(after, limit)
    }

    fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.inner.read_after(sequence, limit)
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.inner.tail()
    }

    fn info(&self) -> JournalInfo {
        self.inner.info()
    }

    fn in_memory(&self, sequence: u64) -> bool {
        self.inner.in_memory(sequence)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn poisoned(&self) -> Option<String> {
        None
    }

    fn close(&self) -> std::io::Result<()> {
        self.inner.close()
    }
}

#[tokio::test]
async fn a_writer_panic_is_reported_and_its_group_is_answered_as_failed() {
    for stored in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Arc::new(Panicking { inner: memory(), stored, armed: AtomicBool::new(false) });
        let ledger = open(dir.path(), journal.clone());
        ledger.submit(add(1, 1)).await.unwrap();
        journal.armed.store(true, Ordering::Relaxed);
        let answer = ledger.submit(add(1, 1)).await;
        assert!(matches!(answer, Err(SubmitError::Failed { .. })), "{answer:?}");
        let mut failure = ledger.failure();
        let reason = failure.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(reason.contains("the journal's own fault"), "{reason}");
        let later = ledger.submit(add(1, 1)).await;
        assert!(matches!(later, Err(SubmitError::Closing)), "{later:?}");
        assert_eq!(sum(&ledger.view()), 1);
        shut(ledger);
        assert_eq!(sum(&open(dir.path(), journal.inner.clone()).view()), 1 + u64::from(stored));
    }
}

#[tokio::test]
async fn a_shortage_of_space_is_reported_and_counted_and_ends_without_a_write() {
    let disk = SimDisk::default();
    let options = FileOptions { segment_bytes: 8192, min_free_bytes: 1 << 20, ..FileOptions::default() };
    let expected = Expected::named("cells".parse().unwrap());
    let journal =
        FileJournal::open(Path::new("/journal"), expected, options, Arc::new(disk.clone())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path(), Arc::new(journal));
    assert_eq!(ledger.shortage().unwrap(), None);

    // Nothing was written yet: it shows all the same.
    disk.set_free_bytes(1 << 19);
    assert_eq!(ledger.shortage().unwrap().unwrap().free_bytes, 1 << 19);
    let mut refusals = ledger.refusals_for_room();
    refusals.mark_unchanged();
    assert!(matches!(ledger.submit(add(1, 1)).await, Err(SubmitError::DiskLow(_))));
    assert!(refusals.has_changed().unwrap(), "watchers are notified at once");
    assert_eq!((ledger.stats().disk_low(), ledger.stats().refused()), (1, 1));

    disk.set_free_bytes(1 << 30);
    assert_eq!(ledger.shortage().unwrap(), None, "nothing had to be written for it");
    assert_eq!(*refusals.borrow_and_update(), None);
    ledger.submit(add(1, 1)).await.unwrap();

    // A quota cannot be measured: only a write that succeeds shows that it is over.
    disk.set_free_bytes(1 << 30);
    disk.fail(Fault::next(Call::Allocate, ErrorKind::StorageFull));
    let refused = loop {
        match ledger.submit(add(1, 1)).await {
            Ok(_) => {}
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, SubmitError::DiskLow(room) if room.suffices()), "{refused}");
    assert!(ledger.shortage().unwrap().is_some());
    ledger.submit(add(1, 1)).await.unwrap();
    assert_eq!(ledger.shortage().unwrap(), None);
    shut(ledger);
}
