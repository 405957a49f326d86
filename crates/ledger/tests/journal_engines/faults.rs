//! A failing disk: the result of an append, what readers see, and what is stored afterwards.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::file::{FileJournal, FileOptions, OpenError};
use milepost_ledger::journal::sim::{Call, Fault, Rng, SimDisk};
use milepost_ledger::journal::{AppendError, DiskRoom, Journal};

use crate::support::{bodies, create, dir, expected, filled, full_message, open, open_read_only, path, tear};

/// A journal with a few entries in its first segment, the first of them on the disk only.
fn begun() -> (SimDisk, FileJournal, Chain) {
    let disk = SimDisk::default();
    let journal = create(&disk);
    let mut chain = Chain::default();
    append(&journal, &mut chain, [vec![1; 4500], vec![2; 1]]);
    (0..2).for_each(|_| append(&journal, &mut chain, ["a", "b"]));
    assert!(!journal.in_memory(1));
    (disk, journal, chain)
}

/// Offers one more block, which must fail and poison the journal; then nothing more is taken, readers
/// see what they saw, and who waits for the tail learns that it is over.
fn assert_poisons(journal: &FileJournal, chain: &Chain, bytes: usize) -> String {
    let (mut after, mut tail) = (chain.clone(), journal.tail());
    tail.borrow_and_update();
    let block = after.block([vec![7; bytes]]);
    let Err(AppendError::Poisoned { reason }) = journal.append(&journal.info().tail, &block) else {
        panic!("the append must fail");
    };
    assert_eq!(journal.poisoned(), Some(reason.clone()));
    assert!(reason.contains("/data/journal/"), "{reason}");
    assert_holds(journal, chain);
    assert!(tail.has_changed().is_err(), "the tail is closed");
    assert_eq!(*journal.tail().borrow(), journal.info().tail);
    match journal.append(&journal.info().tail, &block) {
        Err(AppendError::Poisoned { reason: again }) => {
            assert_eq!(again, reason, "the first failure is reported")
        }
        other => panic!("a poisoned journal took an append: {other:?}"),
    }
    assert!(journal.close().is_err(), "a poisoned journal has no clean stop");
    reason
}

/// Opens the log again: what was acknowledged is there, perhaps the failed block too, and it goes on.
fn assert_goes_on(disk: &SimDisk, journal: FileJournal, chain: &Chain, bytes: usize) {
    drop(journal);
    let journal = open(disk).unwrap_or_else(|error| panic!("{}", full_message(&error)));
    let mut chain = chain.clone();
    if journal.info().tail.sequence > chain.entries().len() as u64 {
        chain.block([vec![7; bytes]]);
    }
    append(&journal, &mut chain, ["on"]);
    drop(journal);
    assert_holds(&open(disk).expect("it opens again"), &chain);
}

#[test]
fn an_append_is_one_write_and_one_sync_and_is_seen_after_it() {
    let (disk, journal, mut chain) = begun();
    for _ in 0..2 {
        // The second of these two would be the fifth append, at which the witness is written too.
        let (changes, syncs) = (disk.changes(), disk.syncs());
        append(&journal, &mut chain, (0..64).map(|_| vec![1; 20]));
        if chain.entries().len() == 6 + 64 {
            assert_eq!((disk.changes() - changes, disk.syncs() - syncs), (2, 1), "one write, one sync");
        } else {
            assert_eq!((disk.changes() - changes, disk.syncs() - syncs), (4, 2), "and those of the witness");
        }
    }
}

#[test]
fn a_failing_sync_poisons_for_ever() {
    let (disk, journal, chain) = begun();
    disk.fail(Fault::next(Call::SyncData, ErrorKind::Other));
    let reason = assert_poisons(&journal, &chain, 100);
    assert!(reason.contains("cannot sync"), "{reason}");
    assert_goes_on(&disk, journal, &chain, 100);
}

#[test]
fn a_failing_or_short_write_poisons_and_is_cut_off() {
    for short in [0, 1, 3, 20, 63, 64, 70, 167, 500, 600, 1500, 2100] {
        for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
            let (disk, journal, chain) = begun();
            disk.fail(Fault { short, ..Fault::next(Call::Write, kind) });
            if short == 0 && kind == ErrorKind::StorageFull {
                // Not one byte was taken: the journal goes on.
                let block = chain.clone().block([vec![7; 2000]]);
                let refused = journal.append(&journal.info().tail, &block);
                assert!(matches!(refused, Err(AppendError::DiskLow { .. })), "{refused:?}");
                assert_eq!(journal.poisoned(), None);
                append(&journal, &mut chain.clone(), ["on"]);
                continue;
            }
            let reason = assert_poisons(&journal, &chain, 2000);
            assert!(reason.contains("cannot write"), "{reason}");
            assert_goes_on(&disk, journal, &chain, 2000);
        }
    }
}

/// A journal whose next append needs a new segment.
fn before_a_new_segment() -> (SimDisk, FileJournal, Chain) {
    let (disk, journal, mut chain) = begun();
    append(&journal, &mut chain, [vec![1; 6500]]);
    (disk, journal, chain)
}

#[test]
fn without_space_for_a_new_segment_an_append_is_refused_and_leaves_nothing() {
    for call in [Call::Allocate, Call::Write] {
        let (disk, journal, mut chain) = before_a_new_segment();
        // A quota: the system reports enough free space. A whole segment does not fit, nor the shortest.
        (0..2).for_each(|_| disk.fail(Fault::next(call, ErrorKind::StorageFull)));
        let block = chain.clone().block([vec![7; 2000]]);
        let refused = journal.append(&journal.info().tail, &block);
        match refused {
            Err(AppendError::DiskLow(room)) => {
                assert!(room.suffices() && !room.to_string().contains("floor"), "{room}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(journal.poisoned(), None);
        assert_eq!(disk.list(dir()).unwrap().len(), 3, "lock, witness and the first segment");
        assert_holds(&journal, &chain);
        append(&journal, &mut chain, [vec![7; 2000]]);
        drop(journal);
        assert_holds(&open(&disk).expect("it opens again"), &chain);
    }
}

#[test]
fn a_new_segment_that_cannot_be_created_poisons() {
    let calls = [Call::OpenToWrite, Call::Allocate, Call::Write, Call::SyncData, Call::Rename, Call::SyncDir];
    for call in calls {
        let (disk, journal, chain) = before_a_new_segment();
        disk.fail(Fault::next(call, ErrorKind::Other));
        let reason = assert_poisons(&journal, &chain, 2000);
        assert!(reason.contains("00000002.segment"), "{reason}");
        assert_goes_on(&disk, journal, &chain, 2000);
    }
}

#[test]
fn a_new_segment_is_durable_with_its_name_before_it_is_used() {
    let (disk, journal, mut chain) = before_a_new_segment();
    let syncs = disk.syncs();
    append(&journal, &mut chain, [vec![1; 2000]]);
    // The segment, its directory, the block, and the witness: it is the fifth append.
    assert_eq!(disk.syncs() - syncs, 4);
}

#[test]
fn a_witness_that_cannot_be_written_poisons_after_the_append() {
    let (disk, journal, mut chain) = begun();
    append(&journal, &mut chain, ["fourth"]);
    disk.fail(Fault { after: 1, ..Fault::next(Call::SyncData, ErrorKind::Other) });
    append(&journal, &mut chain, ["fifth"]);
    assert!(journal.poisoned().is_some_and(|reason| reason.contains("witness")));
    assert_holds(&journal, &chain);
    assert_goes_on(&disk, journal, &chain, 0);
}

#[test]
fn below_the_floor_nothing_is_written_and_reads_continue() {
    let (disk, journal, mut chain) = begun();
    disk.set_free_bytes((1 << 20) - 1);
    // Free space is measured at intervals: some appends still pass.
    let mut passed = 0;
    let refused = loop {
        let changes = disk.changes();
        let mut after = chain.clone();
        let block = after.block([vec![1; 50]]);
        match journal.append(&journal.info().tail, &block) {
            Ok(_) => {
                chain = after;
                passed += 1;
                assert!(passed < 100, "the floor is never checked");
            }
            Err(refused) => {
                assert_eq!(disk.changes(), changes, "refused before anything was written");
                break refused;
            }
        }
    };
    assert!(passed > 10, "free space is not measured at each append");
    let low = DiskRoom { free_bytes: (1 << 20) - 1, floor_bytes: 1 << 20, needed_bytes: 8192 };
    assert!(matches!(refused, AppendError::DiskLow(room) if room == low), "{refused}");
    assert!(!journal.room().unwrap().unwrap().suffices(), "who asks without a write hears it too");
    assert_eq!(journal.poisoned(), None);
    assert_holds(&journal, &chain);
    assert!(journal.append(&journal.info().tail, &chain.clone().block(["x"])).is_err(), "it is still low");
    disk.set_free_bytes(1 << 20);
    append(&journal, &mut chain, ["again"]);
}

#[test]
fn a_new_segment_does_not_go_below_the_floor() {
    let (disk, journal, mut chain) = before_a_new_segment();
    disk.set_free_bytes((1 << 20) + 5000);
    let block = chain.clone().block([vec![7; 2000]]);
    let refused = journal.append(&journal.info().tail, &block);
    let needed = DiskRoom { free_bytes: (1 << 20) + 5000, floor_bytes: 1 << 20, needed_bytes: 8192 };
    assert!(matches!(refused, Err(AppendError::DiskLow(room)) if room == needed), "{refused:?}");
    assert_eq!(journal.room().unwrap(), Some(needed), "it is known without a write too");
    append(&journal, &mut chain, [vec![1; 100]]);
    disk.set_free_bytes(1 << 30);
    assert!(journal.room().unwrap().unwrap().suffices());
    append(&journal, &mut chain, [vec![7; 2000]]);
    assert_holds(&journal, &chain);
}

#[test]
fn a_shorter_segment_is_created_if_a_full_one_does_not_fit_above_the_floor() {
    let (disk, journal, mut chain) = before_a_new_segment();
    // Room for less than a whole segment of 16 KiB and for more than the least of 8 KiB.
    disk.set_free_bytes((1 << 20) + (12 << 10));
    let mut accepted = 0;
    let refused = loop {
        let mut after = chain.clone();
        let block = after.block([vec![7; 2000]]);
        match journal.append(&journal.info().tail, &block) {
            Ok(_) => chain = after,
            Err(refused) => break refused,
        }
        accepted += 1;
    };
    assert_eq!(accepted, 1, "as many as fit into 8 KiB with its head");
    assert_eq!(disk.bytes(&path("00000002.segment")).len(), 8192);
    let left = DiskRoom { free_bytes: (1 << 20) + (4 << 10), floor_bytes: 1 << 20, needed_bytes: 8192 };
    assert!(matches!(refused, AppendError::DiskLow(room) if room == left), "{refused}");
    disk.set_free_bytes(1 << 30);
    append(&journal, &mut chain, [vec![7; 2000]]);
    assert_eq!(disk.bytes(&path("00000003.segment")).len(), 16 << 10, "whole again once there is room");
    drop(journal);
    assert_holds(&open(&disk).expect("it opens again"), &chain);
}

#[test]
fn a_block_that_is_refused_for_its_size_does_not_block_smaller_ones() {
    let (disk, journal, mut chain) = before_a_new_segment();
    disk.set_free_bytes((1 << 20) + (20 << 10));
    let large = chain.clone().block([vec![7; 30_000]]);
    let refused = journal.append(&journal.info().tail, &large);
    assert!(
        matches!(refused, Err(AppendError::DiskLow(room)) if room.needed_bytes == 36 << 10),
        "what that block takes: {refused:?}"
    );
    append(&journal, &mut chain, [vec![7; 2000]]);
    assert_holds(&journal, &chain);
}

#[test]
fn a_disk_that_accepts_less_than_it_reports_gets_a_shorter_segment() {
    for call in [Call::Allocate, Call::Write] {
        let (disk, journal, mut chain) = before_a_new_segment();
        disk.fail(Fault::next(call, ErrorKind::StorageFull));
        append(&journal, &mut chain, [vec![7; 2000]]);
        assert_eq!(disk.bytes(&path("00000002.segment")).len(), 8192);
        drop(journal);
        assert_holds(&open(&disk).expect("it opens again"), &chain);
    }
}

#[test]
fn a_new_log_gets_a_shorter_segment_if_a_full_one_does_not_fit() {
    for (above_floor, length) in [(12 << 10, 8192), (0, 8192), (16 << 10, 16 << 10)] {
        let disk = SimDisk::default();
        disk.set_free_bytes((1 << 20) + (8 << 10) + above_floor); // The witness takes 8 KiB.
        let journal = create(&disk);
        assert_eq!(disk.bytes(&path("00000001.segment")).len(), length);
        disk.set_free_bytes(1 << 30);
        append(&journal, &mut Chain::default(), ["a"]);
    }
    let full = SimDisk::default();
    full.set_free_bytes(12 << 10);
    let refused = open(&full).expect_err("there is no room for the shortest one either");
    assert!(full_message(&refused).contains("cannot create segment"), "{}", full_message(&refused));
    full.set_free_bytes(1 << 30);
    append(&open(&full).expect("nothing is in the way"), &mut Chain::default(), ["a"]);
}

#[test]
fn a_read_only_directory_is_refused_for_writing_and_can_be_read() {
    let (disk, chain) = filled(12, true);
    disk.set_read_only(true);
    let refused = open(&disk).expect_err("nothing may be written");
    assert!(matches!(&refused, OpenError::Io { path: at, source, .. }
        if at.starts_with(dir()) && source.kind() == ErrorKind::ReadOnlyFilesystem));
    assert!(full_message(&refused).contains("/data/journal/lock: read-only"), "{}", full_message(&refused));
    assert_eq!(disk.changes(), 0);
    assert_holds(&open_read_only(&disk).expect("it can be read"), &chain);

    let empty = SimDisk::default();
    empty.set_read_only(true);
    let refused = open(&empty).expect_err("nothing may be made");
    assert!(
        full_message(&refused).contains("cannot create directory /data/journal"),
        "{}",
        full_message(&refused)
    );
}

#[test]
fn a_disk_failure_while_a_journal_is_created_is_reported_and_the_next_attempt_succeeds() {
    let calls =
        [Call::MakeDir, Call::OpenToWrite, Call::Allocate, Call::Write, Call::SyncData, Call::SyncDir];
    for call in calls.into_iter().chain([Call::Rename]) {
        for after in 0..2 {
            for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
                let disk = SimDisk::default();
                disk.fail(Fault { after, ..Fault::next(call, kind) });
                match open(&disk) {
                    Err(OpenError::Io { path: at, source, .. }) => {
                        assert!(at.starts_with("/data") && source.kind() == kind, "{call:?} {after}");
                    }
                    Ok(_) if after == 1 => continue,
                    other => panic!("{call:?} {after}: {other:?}"),
                }
                let journal =
                    open(&disk).unwrap_or_else(|error| panic!("{call:?} {after}: {}", full_message(&error)));
                append(&journal, &mut Chain::default(), ["a"]);
            }
        }
    }
}

#[test]
fn a_disk_failure_while_a_torn_tail_is_cut_off_is_reported_and_nothing_is_lost() {
    for (call, after) in [(Call::Write, 0), (Call::SyncData, 0), (Call::Write, 1), (Call::SyncData, 1)] {
        let (disk, chain) = filled(13, false);
        let first = tear(&disk);
        disk.fail(Fault { after, ..Fault::next(call, ErrorKind::Other) });
        let refused = open(&disk).expect_err("the disk refuses");
        assert!(
            matches!(&refused, OpenError::Io { path: at, .. } if at.starts_with(dir())),
            "{}",
            full_message(&refused)
        );
        let left = Chain::of(chain.entries()[..first as usize - 1].to_vec());
        assert_holds(&open(&disk).expect("the next attempt succeeds"), &left);
    }
}

#[test]
fn a_real_directory_that_cannot_be_created_is_named() {
    let options = FileOptions { min_free_bytes: 0, ..FileOptions::default() };
    let file = tempfile::NamedTempFile::new().expect("a file");
    for dir in [Path::new("/proc/milepost"), &file.path().join("journal"), file.path()] {
        let refused = FileJournal::open(dir, expected(), options.clone(), Arc::new(SystemDisk))
            .expect_err("it cannot be made");
        assert!(full_message(&refused).contains(&dir.display().to_string()), "{}", full_message(&refused));
    }
}

#[test]
fn a_segment_larger_than_the_real_disk_is_shortened_to_respect_the_floor() {
    let dir = tempfile::tempdir().expect("a directory");
    // More than any file system holds, and a floor that leaves nothing of it.
    let options = FileOptions { segment_bytes: 1 << 62, min_free_bytes: u64::MAX, ..FileOptions::default() };
    let journal =
        FileJournal::open(dir.path(), expected(), options, Arc::new(SystemDisk)).expect("it can be begun");
    assert_eq!(std::fs::metadata(dir.path().join("00000001.segment")).unwrap().len(), 256 << 10);
    drop(journal);
    let options = FileOptions { segment_bytes: 8192, min_free_bytes: 0, ..FileOptions::default() };
    let journal =
        FileJournal::open(dir.path(), expected(), options, Arc::new(SystemDisk)).expect("it opens again");
    append(&journal, &mut Chain::default(), ["a"]);
}

#[test]
fn a_real_torn_tail_is_cut_off() {
    use std::os::unix::fs::FileExt;
    let dir = tempfile::tempdir().expect("a directory");
    let options = FileOptions { segment_bytes: 1 << 20, min_free_bytes: 0, ..FileOptions::default() };
    let open = || FileJournal::open(dir.path(), expected(), options.clone(), Arc::new(SystemDisk));
    let (mut rng, mut chain) = (Rng::new(1), Chain::default());
    let journal = open().expect("a new journal");
    (0..5).for_each(|_| append(&journal, &mut chain, bodies(&mut rng, 3, 900)));
    drop(journal);
    let segment =
        std::fs::OpenOptions::new().write(true).read(true).open(dir.path().join("00000001.segment"));
    let segment = segment.expect("the segment");
    let mut bytes = vec![0; 1 << 20];
    segment.read_exact_at(&mut bytes, 0).expect("it can be read");
    let (frame, first) = crate::layout::frames(&bytes).pop().unwrap();
    let middle = (frame.start + frame.end) / 2;
    segment.write_all_at(&vec![0; frame.end - middle], middle as u64).expect("it can be torn");
    let left = Chain::of(chain.entries()[..first as usize - 1].to_vec());
    assert_holds(&open().expect("a torn tail is no damage"), &left);
    segment.read_exact_at(&mut bytes, 0).expect("it can be read");
    assert!(bytes[frame.start..].iter().all(|byte| *byte == 0), "nothing of it is left");
}

#[test]
fn free_space_is_that_of_the_file_system() {
    let dir = tempfile::tempdir().expect("a directory");
    let free = SystemDisk.free_bytes(dir.path()).expect("a file system");
    assert!(free > 1 << 20);
    let options = FileOptions { segment_bytes: 8192, min_free_bytes: u64::MAX, ..FileOptions::default() };
    let journal = FileJournal::open(dir.path(), expected(), options, Arc::new(SystemDisk))
        .expect("it can be read, at least");
    let block = Chain::default().block(["x"]);
    let refused = journal.append(&journal.info().tail, &block);
    assert!(
        matches!(refused, Err(AppendError::DiskLow(DiskRoom { floor_bytes: u64::MAX, .. }))),
        "{refused:?}"
    );
}
