//! Damage: whatever is changed, cut off or removed in a stored log, opening or reading it reports
//! what and where, writes nothing and skips nothing.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::disk::Disk;
use milepost_ledger::journal::file::{FileJournal, FileOptions, OpenError, verify};
use milepost_ledger::journal::sim::{Call, Fault, Rng, SimDisk};
use milepost_ledger::journal::{Damage, Entries, Journal, ReadError, ReadLimit};
use milepost_types::LogId;

use crate::layout::{FRAME_HEADER_BYTES, frames, reseal_frame, reseal_head, u32_at, u64_at};
use crate::support::{
    bodies, dir, expected, filled, full_message, name, open, open_read_only, path, segments, small,
};

/// Opens a damaged log in each way; returns the reported damage, after checking that nothing was written.
fn damage(disk: &SimDisk) -> Damage {
    match refusal(disk) {
        OpenError::Damaged(damage) => damage,
        other => panic!("damage, but: {}", full_message(&other)),
    }
}

/// Opens a log in each way that is refused; why, and nothing was written.
fn refusal(disk: &SimDisk) -> OpenError {
    let changes = disk.changes();
    let before: Vec<_> = segments(disk).iter().map(|path| disk.bytes(path)).collect();
    let refused = open(disk).map(|journal| journal.info().tail).expect_err("it must not open");
    let reader = open_read_only(disk).map(|journal| journal.info().tail).expect_err("nor for reading");
    assert_eq!(full_message(&refused), full_message(&reader));
    let verified = verify(dir(), expected(), disk, &mut |_| {}).expect_err("nor verify");
    assert_eq!(full_message(&refused), full_message(&verified));
    assert_eq!(disk.changes(), changes, "nothing is written to what cannot be read");
    assert!(segments(disk).iter().map(|path| disk.bytes(path)).eq(before));
    refused
}

#[test]
fn a_bit_flipped_anywhere_in_a_segment_is_located() {
    let (disk, chain) = filled(40, true);
    let mut rng = Rng::new(3);
    let all = segments(&disk);
    assert!(all.len() >= 4);
    for (index, path) in all.iter().enumerate() {
        let bytes = disk.bytes(path);
        let frames = frames(&bytes);
        let end = frames.last().unwrap().0.end;
        let interesting = (0..130).chain(4088..4100).chain(frames.iter().flat_map(|(frame, _)| {
            let header = frame.start..frame.start + FRAME_HEADER_BYTES + 40;
            header.chain(frame.end - 6..frame.end)
        }));
        let places: Vec<_> = interesting.chain((130..bytes.len()).step_by(61)).collect();
        for byte in places {
            let flipped = disk.copy();
            flipped.flip(path, byte, rng.below(8) as u32);
            if byte >= end && index + 1 == all.len() {
                // Room that was never used: no entry is touched, and it is made zero again.
                assert_holds(&open(&flipped).expect("no entry is touched"), &chain);
                assert_eq!(flipped.bytes(path), bytes);
                continue;
            }
            let damage = damage(&flipped);
            assert_eq!(&damage.segment, path, "byte {byte}: {damage}");
            let frame = frames.iter().find(|(frame, _)| frame.contains(&byte));
            let expected = match frame {
                Some((frame, first)) => (frame.start as u64, *first),
                None if byte < 4096 => (0, u64_at(&bytes, 48)),
                None => (end as u64, frames_after(&bytes)),
            };
            assert_eq!((damage.offset, damage.sequence), expected, "byte {byte}: {damage}");
        }
    }
}

/// The sequence after the last frame of a segment.
fn frames_after(segment: &[u8]) -> u64 {
    let (last, first) = frames(segment).pop().unwrap();
    first + u64::from(u32_at(segment, last.start + 24))
}

#[test]
fn a_bit_flipped_in_an_acknowledged_entry_is_damage_even_if_the_witness_is_behind() {
    let (disk, chain) = filled(43, false);
    let path = segments(&disk).pop().unwrap();
    let bytes = disk.bytes(&path);
    let witness = disk.bytes(&crate::support::path("witness"));
    let known = [40, 4096 + 40].map(|at| u64_at(&witness, at)).into_iter().max().unwrap();
    let frames = frames(&bytes);
    let (last, first) = frames.last().unwrap().clone();
    assert!(known < first && chain.entries().len() as u64 > known, "the last frame is not witnessed");
    let mut rng = Rng::new(4);
    for byte in last {
        let flipped = disk.copy();
        flipped.flip(&path, byte, rng.below(8) as u32);
        let damage = damage(&flipped);
        assert_eq!((&damage.segment, damage.sequence), (&path, first), "byte {byte}: {damage}");
    }
}

#[test]
fn a_bit_flipped_under_an_open_journal_is_located_by_the_read() {
    let (disk, chain) = filled(40, true);
    let mut rng = Rng::new(5);
    for path in segments(&disk) {
        for (frame, first) in frames(&disk.bytes(&path)) {
            for _ in 0..4 {
                let flipped = disk.copy();
                let journal = open(&flipped).expect("it is whole");
                let byte = frame.start + rng.below(frame.len());
                flipped.flip(&path, byte, rng.below(8) as u32);
                let mut read = Vec::new();
                let damage = Entries::after(&journal, 0).find_map(|entry| match entry {
                    Ok(entry) => {
                        read.push(entry);
                        None
                    }
                    Err(ReadError::Damaged(damage)) => Some(damage),
                    Err(other) => panic!("{other}"),
                });
                let damage = damage.expect("it is noticed");
                assert_eq!((&damage.segment, damage.offset), (&path, frame.start as u64), "byte {byte}");
                assert_eq!(damage.sequence, first);
                assert!(read.len() < first as usize && chain.entries().starts_with(&read));
            }
        }
    }
}

#[test]
fn a_truncated_or_lengthened_segment_is_named() {
    let (disk, _) = filled(40, true);
    for path in segments(&disk) {
        let bytes = disk.bytes(&path);
        for length in [0, 1, 100, 4095, 4096, 5000, bytes.len() - 4096, bytes.len() - 1] {
            let cut = disk.copy();
            cut.put(&path, bytes[..length].to_vec());
            let damage = damage(&cut);
            assert_eq!((&damage.segment, damage.offset), (&path, length as u64), "{damage}");
            assert!(damage.what.contains("truncated"), "{damage}");
        }
        let longer = disk.copy();
        longer.put(&path, [bytes, vec![0; 512]].concat());
        assert!(damage(&longer).what.contains("too long"));
    }
}

#[test]
fn a_missing_segment_is_named() {
    let (disk, chain) = filled(40, true);
    let all = segments(&disk);
    for path in &all {
        let fewer = disk.copy();
        fewer.lose(path);
        let damage = damage(&fewer);
        if Some(path) == all.last() {
            let durable = format!("sequence {} was durable", chain.entries().len());
            assert!(damage.what.contains(&durable), "{damage}");
        } else {
            assert_eq!(&damage.segment, path, "{damage}");
            assert!(damage.what.contains("missing"), "{damage}");
        }
    }
    let none = disk.copy();
    all.iter().for_each(|path| none.lose(path));
    let damage = damage(&none);
    assert!(damage.what.contains("missing") && damage.segment == all[0], "{damage}");
}

#[test]
fn a_segment_under_the_name_of_another_is_named() {
    let (disk, _) = filled(40, true);
    let all = segments(&disk);
    let swapped = disk.copy();
    swapped.put(&all[1], disk.bytes(&all[2]));
    swapped.put(&all[2], disk.bytes(&all[1]));
    let found = damage(&swapped);
    assert!(found.segment == all[1] && found.what.contains("holds segment 3"), "{found}");

    let other = SimDisk::default();
    let journal = FileJournal::open(dir(), expected(), small(), Arc::new(other.clone())).unwrap();
    let mut chain = Chain::default();
    (0..40).for_each(|_| append(&journal, &mut chain, [vec![1; 2000]]));
    let foreign = disk.copy();
    foreign.put(&all[1], other.bytes(&all[1]));
    let found = damage(&foreign);
    assert!(found.segment == all[1] && found.what.contains("is of log"), "{found}");

    // A frame of another place, checksums and all.
    let mut bytes = disk.bytes(&all[1]);
    let frames = frames(&bytes);
    let copied = bytes[frames[0].0.clone()].to_vec();
    let at = frames[1].0.start;
    bytes[at..at + copied.len()].copy_from_slice(&copied);
    let moved = disk.copy();
    moved.put(&all[1], bytes.clone());
    let found = damage(&moved);
    assert_eq!((found.offset, found.sequence), (at as u64, frames[1].1), "{found}");
    reseal_frame(&mut bytes, at);
    moved.put(&all[1], bytes);
    assert!(damage(&moved).what.contains("begins at sequence"));
}

#[test]
fn a_segment_replaced_by_an_older_copy_is_named() {
    // The end of the log as it was some appends ago: whole, but not all that was acknowledged.
    let disk = SimDisk::default();
    let journal = crate::support::create(&disk);
    let mut chain = Chain::default();
    append(&journal, &mut chain, [vec![1; 500]]);
    let older = disk.bytes(&path("00000001.segment"));
    append(&journal, &mut chain, [vec![2; 500]]);
    journal.close().expect("a clean stop");
    drop(journal);
    disk.put(&path("00000001.segment"), older);
    let damage = damage(&disk.copy());
    assert!(damage.what.contains("ends at sequence 1, but sequence 2 was durable"), "{damage}");
}

#[test]
fn an_end_that_was_replaced_by_another_history_is_named() {
    let disk = SimDisk::default();
    let journal = crate::support::create(&disk);
    append(&journal, &mut Chain::default(), [vec![1; 500]]);
    journal.close().expect("a clean stop");
    let other = SimDisk::default();
    append(&crate::support::create(&other), &mut Chain::default(), [vec![2; 500]]);
    drop(journal);
    disk.put(&path("00000001.segment"), other.bytes(&path("00000001.segment")));
    let damage = damage(&disk.copy());
    assert!(damage.what.contains("was durable") && damage.sequence == 1, "{damage}");
}

#[test]
fn a_gap_before_a_later_frame_is_damage() {
    // Nothing of the last segment is witnessed, and a lost sector looks as a torn write does; but a
    // later frame, at whatever byte it is, proves that the one before it was durable.
    let disk = SimDisk::default();
    let options = FileOptions { witness_appends: 1000, ..small() };
    let journal = FileJournal::open(dir(), expected(), options, Arc::new(disk.clone())).unwrap();
    let (mut rng, mut chain) = (Rng::new(9), Chain::default());
    (0..6).for_each(|_| append(&journal, &mut chain, bodies(&mut rng, 1, 2500)));
    drop(journal);
    let path = segments(&disk).pop().unwrap();
    let bytes = disk.bytes(&path);
    let frames = frames(&bytes);
    assert!(frames.len() >= 3);
    let (last, rest) = frames.split_last().unwrap();
    for (frame, first) in rest {
        for sector in frame.start / 512..=(frame.end - 1) / 512 {
            let mut lost = bytes.clone();
            let from = (sector * 512).max(frame.start);
            lost[from..((sector + 1) * 512).min(frame.end)].fill(0);
            let holed = disk.copy();
            holed.put(&path, lost);
            let damage = damage(&holed);
            assert_eq!((damage.offset, damage.sequence), (frame.start as u64, *first), "{damage}");
            assert!(damage.what.contains("follows at byte"), "{damage}");
        }
    }
    // The last frame may have been torn: it is cut off, and the log goes on.
    let mut lost = bytes.clone();
    lost[last.0.start..last.0.start + 100].fill(0);
    let holed = disk.copy();
    holed.put(&path, lost);
    let journal = open(&holed).expect("a torn tail is no damage");
    let mut left = Chain::of(chain.entries()[..last.1 as usize - 1].to_vec());
    assert_holds(&journal, &left);
    append(&journal, &mut left, [vec![1; 10]]);
    drop(journal);
    assert_holds(&open(&holed).expect("it opens again"), &left);
}

#[test]
fn a_torn_end_of_a_segment_that_is_not_the_last_is_named() {
    // Even if no witness knows better: what follows was written after it was durable.
    let disk = SimDisk::default();
    let options = FileOptions { witness_appends: 1000, ..small() };
    let journal = FileJournal::open(dir(), expected(), options, Arc::new(disk.clone())).unwrap();
    let (mut rng, mut chain) = (Rng::new(9), Chain::default());
    (0..40).for_each(|_| append(&journal, &mut chain, bodies(&mut rng, 2, 900)));
    drop(journal);
    let all = segments(&disk);
    for path in &all[..all.len() - 1] {
        let mut bytes = disk.bytes(path);
        let (last, first) = frames(&bytes).pop().unwrap();
        bytes[last.end - 300..].fill(0);
        let torn = disk.copy();
        torn.put(path, bytes);
        let damage = damage(&torn);
        assert_eq!(
            (&damage.segment, damage.offset, damage.sequence),
            (path, last.start as u64, first),
            "{damage}"
        );
    }
}

#[test]
fn random_damage_is_always_detected() {
    let (disk, chain) = filled(40, true);
    let all = segments(&disk);
    let mut rng = Rng::new(6);
    for round in 0..400 {
        let damaged = disk.copy();
        let path = &all[rng.below(all.len())];
        let mut bytes = damaged.bytes(path);
        let from = rng.below(bytes.len());
        let most = [4, 600, 9000][rng.below(3)];
        let to = (from + 1 + rng.below(most)).min(bytes.len());
        match rng.below(3) {
            0 => bytes[from..to].fill(0),
            1 => bytes[from..to].iter_mut().for_each(|byte| *byte = rng.bits() as u8),
            _ => {
                let source = rng.below(bytes.len() - (to - from) + 1);
                bytes.copy_within(source..source + (to - from), from);
            }
        }
        damaged.put(path, bytes);
        match open(&damaged) {
            // Only room that was never used was hit.
            Ok(journal) => assert_holds(&journal, &chain),
            Err(OpenError::Damaged(damage)) => {
                assert_eq!(&damage.segment, path, "round {round}");
                assert_eq!(damaged.changes(), 0, "round {round}");
            }
            Err(other) => panic!("round {round}: {}", full_message(&other)),
        }
    }
}

#[test]
fn files_that_do_not_belong_to_a_journal_are_refused() {
    for name in
        ["notes.txt", "1.segment", "00000001.segment.bak", "0000000a.segment", "00000000.segment", "witness2"]
    {
        let (disk, _) = filled(3, true);
        disk.put(&path(name), b"x".to_vec());
        let refused = refusal(&disk.copy());
        assert!(
            matches!(&refused, OpenError::UnknownFile { path: reported } if *reported == path(name)),
            "{refused}"
        );
    }
    let (disk, _) = filled(3, true);
    let within = path("00000002.segment");
    disk.create_dir_all(&within).unwrap();
    assert!(matches!(refusal(&disk.copy()), OpenError::UnknownFile { path } if path == within));
    let (disk, _) = filled(3, true);
    disk.put(&path("00000002.segment"), vec![b'x'; 16 << 10]);
    let damage = damage(&disk.copy());
    assert!(damage.segment == path("00000002.segment") && damage.offset == 0, "{damage}");
    assert!(damage.what.contains("does not begin like a segment"), "{damage}");
}

#[test]
fn a_log_of_a_newer_version_is_refused_and_one_that_old_readers_may_read_is_not() {
    let (disk, chain) = filled(12, true);
    let name = path("00000001.segment");
    let mut bytes = disk.bytes(&name);
    bytes[8] = 3;
    reseal_head(&mut bytes);
    let newer = disk.copy();
    newer.put(&name, bytes.clone());
    assert_holds(&open(&newer).expect("its min reader is 2"), &chain);

    bytes[10] = 3;
    reseal_head(&mut bytes);
    let newer = disk.copy();
    newer.put(&name, bytes);
    let refused = refusal(&newer);
    assert!(
        matches!(&refused, OpenError::Newer { path, format: 3, min_reader: 3 } if *path == name),
        "{}",
        full_message(&refused)
    );

    // A frame of a later version, or with a flag that this one does not know.
    for byte in [4, 6] {
        let mut bytes = disk.bytes(&name);
        let (frame, _) = frames(&bytes)[1].clone();
        bytes[frame.start + byte] ^= 3;
        reseal_frame(&mut bytes, frame.start);
        let newer = disk.copy();
        newer.put(&name, bytes);
        assert!(matches!(refusal(&newer), OpenError::Newer { path, .. } if path == name));
    }
}

#[test]
fn verify_names_the_first_entry_whose_hash_is_wrong() {
    let (disk, chain) = filled(40, true);
    let verified = verify(dir(), expected(), &disk, &mut |_| {}).expect("it is whole");
    assert_eq!(verified.tail.sequence, chain.entries().len() as u64);
    assert_eq!(verified.bytes, chain.entries().iter().map(|entry| entry.bytes.len() as u64).sum::<u64>());
    assert_eq!(verified.segments, segments(&disk).len());

    // Somebody changes an entry and makes every checksum right again.
    for path in segments(&disk) {
        let mut bytes = disk.bytes(&path);
        let (frame, first) = frames(&bytes).pop().unwrap();
        let entry = frame.start + FRAME_HEADER_BYTES;
        bytes[entry + 36] ^= 1;
        reseal_frame(&mut bytes, frame.start);
        let forged = disk.copy();
        forged.put(&path, bytes);
        assert!(open_read_only(&forged).is_ok(), "the checksums match");
        let damage = match verify(dir(), expected(), &forged, &mut |_| {}) {
            Err(OpenError::Damaged(damage)) => damage,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (&damage.segment, damage.offset, damage.sequence),
            (&path, entry as u64, first),
            "{damage}"
        );
        assert_eq!(forged.changes(), 0);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let (disk, _) = filled(12, true);
    for after in 0..8 {
        let failing = disk.copy();
        failing.fail(Fault { after, ..Fault::next(Call::Read, ErrorKind::Other) });
        let refused = open(&failing).map(|journal| journal.info().tail).expect_err("a read fails");
        assert!(matches!(&refused, OpenError::Io { action: "read", path, .. } if path.starts_with(dir())));
        assert_eq!(failing.changes(), 0);
    }
    let journal = open(&disk).expect("it is whole");
    disk.fail(Fault::next(Call::Read, ErrorKind::Other));
    let failed = journal.read_after(0, ReadLimit::default()).expect_err("a read fails");
    assert!(matches!(&failed, ReadError::Io { path, .. } if *path == segments(&disk)[0]), "{failed}");
    assert!(journal.read_after(0, ReadLimit::default()).is_ok(), "and the next one does not");
}

#[test]
fn a_missing_log_cannot_be_read_and_is_not_created() {
    let disk = SimDisk::default();
    assert!(matches!(open_read_only(&disk), Err(OpenError::Io { .. })));
    disk.create_dir_all(dir()).unwrap();
    let changes = disk.changes();
    assert!(matches!(open_read_only(&disk), Err(OpenError::Missing { .. })));
    assert!(matches!(verify(dir(), expected(), &disk, &mut |_| {}), Err(OpenError::Missing { .. })));
    assert_eq!(disk.changes(), changes);

    let (disk, chain) = filled(3, true);
    let again = FileJournal::create(dir(), name(), LogId::generate(), None, small(), Arc::new(disk.clone()));
    assert!(matches!(again, Err(OpenError::Exists { .. })));
    assert_holds(&open(&disk).expect("it is untouched"), &chain);
}

#[test]
fn a_reader_takes_no_lock_and_appends_nothing() {
    let (disk, chain) = filled(12, false);
    let writer = open(&disk).expect("it opens");
    let reader = open_read_only(&disk).expect("beside a writer");
    assert_holds(&reader, &chain);
    let block = chain.clone().block(["no"]);
    let changes = disk.changes();
    assert!(reader.append(&reader.info().tail, &block).is_err());
    assert_eq!(disk.changes(), changes);
    append(&writer, &mut chain.clone(), ["yes"]);
}

#[test]
fn a_reader_beside_a_writer_never_reports_an_append_as_damage() {
    // Whenever the reader reads, the writer has just appended.
    for seed in 1..20 {
        let disk = SimDisk::default();
        let writer = crate::support::create(&disk);
        let state = Mutex::new((Rng::new(seed), Chain::default()));
        let go_on = move || {
            let (rng, chain) = &mut *state.lock().unwrap();
            append(&writer, chain, bodies(rng, 2, 300));
        };
        (0..seed).for_each(|_| go_on());
        disk.before_read(go_on);
        let reader =
            open_read_only(&disk).unwrap_or_else(|error| panic!("seed {seed}: {}", full_message(&error)));
        let read = Entries::after(&reader, 0).inspect(|entry| assert!(entry.is_ok())).count() as u64;
        assert_eq!(read, reader.info().tail.sequence);
        assert!(read >= 2 * seed);
    }
}

#[test]
fn a_segment_or_frame_that_does_not_continue_the_one_before_is_named_though_its_checksums_hold() {
    let (disk, _) = filled(40, true);
    let path = &segments(&disk)[1];
    for (byte, what) in [(48, "begins at sequence"), (56, "does not continue the hash")] {
        let mut bytes = disk.bytes(path);
        bytes[byte] ^= 1;
        reseal_head(&mut bytes);
        let forged = disk.copy();
        forged.put(path, bytes);
        let damage = damage(&forged);
        assert!(damage.segment == *path && damage.offset == 0 && damage.what.contains(what), "{damage}");
    }
    let mut bytes = disk.bytes(path);
    let (frame, first) = frames(&bytes)[1].clone();
    bytes[frame.start + 28] ^= 1;
    reseal_frame(&mut bytes, frame.start);
    let forged = disk.copy();
    forged.put(path, bytes);
    let damage = damage(&forged);
    assert_eq!(
        (&damage.segment, damage.offset, damage.sequence),
        (path, frame.start as u64, first),
        "{damage}"
    );
    assert!(damage.what.contains("does not continue the hash"), "{damage}");
}

#[test]
fn an_unfinished_segment_is_removed_by_a_writer_only() {
    let (disk, chain) = filled(12, true);
    let left = path("00000009.segment.new");
    disk.put(&left, vec![1; 100]);
    assert_holds(&open_read_only(&disk).expect("it holds nothing"), &chain);
    assert_eq!((disk.changes(), disk.bytes(&left).len()), (0, 100));
    assert_holds(&open(&disk).expect("it holds nothing"), &chain);
    assert!(!disk.list(dir()).unwrap().iter().any(|listed| *listed.name == *"00000009.segment.new"));
}
