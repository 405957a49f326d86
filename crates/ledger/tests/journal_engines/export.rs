//! Exports: a log exported and restored, and every way in which an export can be incomplete.

use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::export::{Error, export, import};
use milepost_ledger::journal::file::{FileJournal, FileOptions, OpenError, verify};
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::sim::{Call, Fault, Replay, Rng, SimDisk};
use milepost_ledger::journal::{Entries, Expected, Journal, ReadError, ReadLimit};
use milepost_types::{HashPrefix, LedgerName, LogId, Position};
use sha2::{Digest, Sha256};

use crate::support::{create, dir, expected, filled, full_message, name, open, small};

const RESTORED: &str = "/data/restored";

fn exported(journal: &dyn Journal) -> Vec<u8> {
    let mut bytes = Vec::new();
    let exported = export(journal, &mut bytes, &mut |_| {}).expect("it is exported");
    assert_eq!((exported.tail, exported.bytes), (journal.info().tail, bytes.len() as u64));
    bytes
}

/// An export of a small log.
fn small_export() -> (Vec<u8>, Chain) {
    let journal = MemoryJournal::new(LogId::from_bytes([0xA5; 16]));
    let mut chain = Chain::default();
    append(&journal, &mut chain, ["one", "two", "three"]);
    append(&journal, &mut chain, [vec![4; 400]]);
    (exported(&journal), chain)
}

fn new_disk() -> SimDisk {
    let disk = SimDisk::default();
    disk.create_dir_all(Path::new("/data")).unwrap();
    disk
}

fn restore(bytes: &[u8], disk: &SimDisk) -> Result<milepost_ledger::journal::export::Imported, Error> {
    import(&mut &*bytes, Path::new(RESTORED), expected(), small(), Arc::new(disk.clone()), &mut |_| {})
}

fn names(disk: &SimDisk, dir: &str) -> Vec<String> {
    let listed = disk.list(Path::new(dir)).unwrap();
    listed.into_iter().map(|listed| listed.name.into_string().unwrap()).collect()
}

#[test]
fn a_log_is_restored_under_a_new_id_with_its_parent() {
    let (disk, chain) = filled(60, true);
    let journal = open(&disk).expect("it opens");
    let bytes = exported(&journal);
    let imported = restore(&bytes, &disk).expect("it is restored");
    assert_eq!((imported.name, imported.lineage.parent()), (Some(name()), Some(journal.info().tail)));
    assert_ne!(imported.tail.log, journal.info().log);

    let restored = FileJournal::open(Path::new(RESTORED), expected(), small(), Arc::new(disk.clone()))
        .expect("it opens");
    assert_holds(&restored, &chain);
    let info = restored.info();
    assert_eq!((info.name, info.tail, &info.lineage), (Some(name()), imported.tail, &imported.lineage));
    let mut chain = chain;
    append(&restored, &mut chain, ["on"]);
    // Positions of the old log up to the fork are the restored log's own; beyond it, followers are refused.
    let old = journal.info().tail;
    let read = |after: Position| restored.read(&after, ReadLimit { entries: 1, bytes: 1 });
    for (sequence, entry) in (1..).zip(&chain.entries()[..old.sequence as usize]) {
        let after = Position::after(old.log, sequence, &entry.hash);
        assert_eq!(read(after).expect("it goes on")[0], chain.entries()[sequence as usize]);
        let other = Position { hash: HashPrefix::from_bytes([1; 8]), ..after };
        assert!(matches!(read(other), Err(ReadError::Diverged { .. })), "{other}");
    }
    assert_eq!(read(Position::start(old.log)).expect("it goes on")[0], chain.entries()[0]);
    let beyond = Position::after(old.log, old.sequence + 1, &chain.entries()[old.sequence as usize].hash);
    match read(beyond).expect_err("the old log had another entry there") {
        ReadError::Diverged { asked, have } => assert_eq!((asked, have), (beyond, imported.tail)),
        other => panic!("{other}"),
    }
    drop(restored);
    let verified = verify(Path::new(RESTORED), expected(), &disk, &mut |_| {}).expect("its chain holds");
    assert_eq!((verified.tail.sequence, verified.lineage), (chain.entries().len() as u64, info.lineage));
    assert_eq!(verified.name, Some(name()));
    assert_eq!(names(&disk, "/data"), ["journal", "restored"]);
}

fn other() -> LedgerName {
    "other".parse().unwrap()
}

#[test]
fn the_log_of_another_ledger_is_neither_restored_nor_opened_and_both_are_named() {
    let (disk, _) = filled(20, true);
    let bytes = exported(&open(&disk).expect("it opens"));
    let wrong = Expected::named(other());
    let refused =
        import(&mut &bytes[..], Path::new(RESTORED), wrong, small(), Arc::new(disk.clone()), &mut |_| {});
    let refused = refused.expect_err("it is another ledger's");
    assert!(
        matches!(refused, Error::OtherLedger { found, expected } if (found, expected) == (name(), other()))
    );
    assert!(full_message(&refused).contains("of the test, not of the other"), "{}", full_message(&refused));
    assert_eq!(names(&disk, "/data"), ["journal"], "nothing is left behind");

    let before = disk.bytes(&dir().join("witness"));
    let opened = [
        FileJournal::open(dir(), wrong, small(), Arc::new(disk.clone())).expect_err("it is another's"),
        FileJournal::open_read_only(dir(), wrong, small(), Arc::new(disk.clone()))
            .expect_err("it is another's"),
        verify(dir(), wrong, &disk, &mut |_| {}).expect_err("it is another's"),
    ];
    for refused in opened {
        assert!(
            matches!(refused, OpenError::OtherLedger { found, expected, .. } if (found, expected) == (name(), other())),
            "{refused}"
        );
    }
    assert_eq!(disk.bytes(&dir().join("witness")), before, "nothing was written");
}

#[test]
fn the_export_of_another_ledger_is_not_restored_though_it_has_no_entries() {
    let disk = new_disk();
    let bytes = exported(&create(&disk));
    let restore = |expected| {
        import(&mut &bytes[..], Path::new(RESTORED), expected, small(), Arc::new(disk.clone()), &mut |_| {})
    };
    let refused = restore(Expected::named(other())).expect_err("it is another ledger's");
    assert!(
        matches!(refused, Error::OtherLedger { found, expected } if (found, expected) == (name(), other())),
        "{refused}"
    );
    assert_eq!(names(&disk, "/data"), ["journal"], "nothing is left behind");
    assert_eq!(restore(expected()).expect("it is this ledger's").name, Some(name()));
}

#[test]
fn an_export_without_a_name_is_identified_by_its_first_entry() {
    let journal = MemoryJournal::new(LogId::generate());
    append(&journal, &mut Chain::default(), ["one", "two"]);
    let bytes = exported(&journal);
    // A journal in memory has no name, like an export of format 1.
    let by_first_entry = |name| Expected {
        name,
        writer_of: |entry| (entry.sequence == 1 && entry.bytes == "one").then(|| "test".parse().unwrap()),
    };
    let disk = new_disk();
    let restore = |expected| {
        import(&mut &bytes[..], Path::new(RESTORED), expected, small(), Arc::new(disk.clone()), &mut |_| {})
    };
    let refused = restore(by_first_entry(other())).expect_err("its first entry is another's");
    assert!(matches!(refused, Error::OtherLedger { found, .. } if found == name()), "{refused}");
    assert_eq!(names(&disk, "/data"), [""; 0]);
    assert_eq!(restore(by_first_entry(name())).expect("it is this ledger's").name, None);
}

#[test]
fn an_empty_log_and_a_large_one_are_restored() {
    for count in [0, 1, 5000] {
        let journal = MemoryJournal::new(LogId::generate());
        let mut chain = Chain::default();
        if count > 0 {
            append(&journal, &mut chain, (0..count).map(|number: u32| number.to_le_bytes().repeat(100)));
        }
        let dir = tempfile::tempdir().expect("a directory");
        let options = FileOptions { segment_bytes: 1 << 20, min_free_bytes: 0, ..FileOptions::default() };
        // An empty directory is as good as none.
        let (bytes, disk) = (exported(&journal), Arc::new(SystemDisk));
        let imported =
            import(&mut &bytes[..], dir.path(), expected(), options.clone(), disk.clone(), &mut |_| {});
        assert_eq!(imported.expect("it is restored").lineage.parent(), Some(journal.info().tail));
        assert_holds(&FileJournal::open(dir.path(), expected(), options, disk).expect("it opens"), &chain);
    }
}

#[test]
fn a_truncated_export_restores_nothing() {
    let (bytes, _) = small_export();
    let disk = new_disk();
    for length in 0..bytes.len() {
        let refused = restore(&bytes[..length], &disk).expect_err("it is not whole");
        match refused {
            Error::Truncated { offset, .. } => assert_eq!(offset, length as u64),
            other => panic!("{length} bytes: {other}"),
        }
        assert_eq!(names(&disk, "/data"), [""; 0], "{length} bytes");
    }
    restore(&bytes, &disk).expect("the whole of it is");
}

#[test]
fn a_damaged_export_restores_nothing() {
    let (bytes, _) = small_export();
    let disk = new_disk();
    let mut rng = Rng::new(8);
    for byte in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1 << rng.below(8);
        let refused = restore(&flipped, &disk).expect_err("it is damaged");
        let expected = match byte {
            0..8 => matches!(refused, Error::NotAnExport),
            10..12 => matches!(refused, Error::Newer { .. } | Error::Damaged { .. }),
            _ => matches!(refused, Error::Damaged { .. } | Error::Truncated { .. }),
        };
        assert!(expected, "byte {byte}: {}", full_message(&refused));
        assert_eq!(names(&disk, "/data"), [""; 0], "byte {byte}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(restore(&longer, &disk), Err(Error::Damaged { .. })));
    assert!(matches!(restore(b"PK\x03\x04 something else", &disk), Err(Error::NotAnExport)));
    assert_eq!(names(&disk, "/data"), [""; 0]);
}

#[test]
fn an_inconsistent_export_with_a_valid_checksum_restores_nothing() {
    let (bytes, _) = small_export();
    let disk = new_disk();
    let end = bytes.len() - 32;
    // The last entry's bytes, the count, the last sequence and the last hash in the header.
    for (byte, what) in [(end - 10, "hash"), (end - 8, "count"), (32, "does not end"), (40, "does not end")] {
        let mut forged = bytes.clone();
        forged[byte] ^= 1;
        let checksum = Sha256::digest(&forged[..end]);
        forged[end..].copy_from_slice(&checksum);
        let refused = restore(&forged, &disk).expect_err("it contradicts itself");
        assert!(
            matches!(refused, Error::Damaged { .. }) && full_message(&refused).contains(what),
            "{}",
            full_message(&refused)
        );
        assert_eq!(names(&disk, "/data"), [""; 0]);
    }
}

#[test]
fn a_damaged_log_is_not_exported() {
    let mut chain = Chain::default();
    chain.block(["one", "two", "three"]);
    let mut entries = chain.entries().to_vec();
    entries[1].bytes = "owt".into();
    let journal = MemoryJournal::with_entries(LogId::generate(), None, entries);
    let refused = export(&journal, &mut Vec::new(), &mut |_| {}).expect_err("its chain is broken");
    assert!(matches!(refused, Error::Chain { sequence: 2 }), "{refused}");
}

#[test]
fn nothing_is_restored_into_a_directory_that_is_not_empty() {
    let (bytes, chain) = small_export();
    let disk = new_disk();
    restore(&bytes, &disk).expect("it is restored");
    assert!(matches!(restore(&bytes, &disk), Err(Error::Exists { .. })));
    let journal = FileJournal::open(Path::new(RESTORED), expected(), small(), Arc::new(disk.clone()))
        .expect("it opens");
    assert_holds(&journal, &chain);
}

#[test]
fn a_failing_disk_leaves_nothing_under_the_name() {
    let (bytes, _) = small_export();
    for call in [Call::Write, Call::SyncData, Call::SyncDir, Call::Allocate, Call::MakeDir, Call::Rename] {
        for after in 0..4 {
            let disk = new_disk();
            disk.fail(Fault { after, ..Fault::next(call, std::io::ErrorKind::StorageFull) });
            let names_the_name = names(&disk, "/data").contains(&"restored".to_owned());
            match restore(&bytes, &disk) {
                Ok(_) => continue,
                // The very last step: it is whole, and only its name may not be durable.
                Err(_) if call == Call::SyncDir && names(&disk, "/data") == ["restored"] => {}
                Err(_) => assert!(!names_the_name, "{call:?} {after}"),
            }
        }
    }
}

#[test]
fn a_power_cut_leaves_the_whole_log_or_nothing_under_the_name() {
    let (bytes, chain) = small_export();
    let disk = new_disk();
    restore(&bytes, &disk).expect("it is restored");
    let (mut rng, mut replay) = (Rng::new(12), Replay::of(&disk));
    let (mut whole, mut none) = (0, 0);
    loop {
        for _ in 0..4 {
            let image = replay.image(&mut rng);
            if image.list(Path::new(RESTORED)).is_ok() {
                let journal = FileJournal::open(Path::new(RESTORED), expected(), small(), Arc::new(image));
                assert_holds(&journal.expect("it is whole"), &chain);
                whole += 1;
            } else {
                image.create_dir_all(Path::new("/data")).unwrap();
                restore(&bytes, &image)
                    .unwrap_or_else(|error| panic!("what is left over: {}", full_message(&error)));
                none += 1;
            }
        }
        if !replay.step() {
            break;
        }
    }
    assert!(whole > 0 && none > 50, "{whole} whole, {none} without");
    for _ in 0..20 {
        let image = replay.image(&mut rng);
        assert!(image.list(Path::new(RESTORED)).is_ok(), "once it was said to be restored, it is");
    }
}

#[test]
fn entries_can_be_read_in_order_from_any_sequence() {
    let (disk, chain) = filled(30, true);
    let journal = open(&disk).expect("it opens");
    for after in 0..=chain.entries().len() {
        let read: Vec<_> = Entries::after(&journal, after as u64).map(Result::unwrap).collect();
        assert_eq!(read, chain.entries()[after..]);
    }
}
