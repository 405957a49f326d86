//! The bytes on the disk, as documented in `segment`, `frame`, `witness` and `export::header`: what one
//! version wrote, every later one must read. The layouts are written here a second time, by hand.

use std::ops::Range;
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::disk::Disk;
use milepost_ledger::journal::export::{export, import};
use milepost_ledger::journal::file::{FileJournal, OpenError};
use milepost_ledger::journal::sim::SimDisk;
use milepost_ledger::journal::{Entries, Expected, Journal};
use milepost_types::{HashPrefix, Lineage, LogId, Position};

use crate::support::{create, dir, open, path, small};

/// Where frames begin in a segment.
pub const HEAD_BYTES: usize = 4096;
/// Bytes of a frame before its entries.
pub const FRAME_HEADER_BYTES: usize = 64;

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The frames of a segment: where each is, and its first sequence.
pub fn frames(segment: &[u8]) -> Vec<(Range<usize>, u64)> {
    let mut at = HEAD_BYTES;
    let mut frames = Vec::new();
    while segment.get(at..at + 4) == Some(b"\xFEMPF") {
        let end = at + FRAME_HEADER_BYTES + u32_at(segment, at + 8) as usize + 4;
        frames.push((at..end, u64_at(segment, at + 16)));
        at = end;
    }
    frames
}

/// Makes the checksums of the frame at `at` right again.
pub fn reseal_frame(segment: &mut [u8], at: usize) {
    let body = at + FRAME_HEADER_BYTES..at + FRAME_HEADER_BYTES + u32_at(segment, at + 8) as usize;
    let checksum = crc32c::crc32c(&segment[body]);
    segment[at + 12..at + 16].copy_from_slice(&checksum.to_le_bytes());
    let mut place = segment[16..32].to_vec();
    place.extend_from_slice(&segment[32..40]);
    place.extend_from_slice(&(at as u64).to_le_bytes());
    let checksum = crc32c::crc32c(&[&place, &segment[at..at + 60]].concat());
    segment[at + 60..at + 64].copy_from_slice(&checksum.to_le_bytes());
}

/// Makes the checksum of a segment's head right again.
pub fn reseal_head(segment: &mut [u8]) {
    let checksum = crc32c::crc32c(&segment[..4092]);
    segment[4092..4096].copy_from_slice(&checksum.to_le_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// SHA-256 of 32 zero bytes and "one", as `(head -c 32 /dev/zero; printf one) | sha256sum` says.
const HASH_OF_ONE: &str = "4e233ba6ac7032d3894ecea5974fd96176e564b024af45747eb46357af8d2401";
/// SHA-256 of that hash and "two!".
const HASH_OF_TWO: &str = "d12c6010ef9ae6f75a62e31dc67186a05e8520df6da871abc82e5a1285f3a9a6";

/// The lineage in headers since format 2: two logs that this one was restored from, the nearest first.
const LINEAGE: &str = "
    02000000 00000000
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 0900000000000000 0102030405060708
    3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c 0400000000000000 0807060504030201";
/// `registry`, filled up with zeros.
const NAME: &str = "7265676973747279 0000000000000000";

/// A segment's head up to its lineage.
const SEGMENT_HEAD: &str = "
    8f4d505345470d0a 0200 0200 00100000
    a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
    0100000000000000 0040000000000000 0100000000000000
    0000000000000000000000000000000000000000000000000000000000000000";
const SEGMENT_CHECKSUM: &str = "cde2da41";

/// Format 1 had no name, and one ancestor at most. Kept for ever: such journals are out there.
const OLD_SEGMENT_HEAD: &str = "
    8f4d505345470d0a 0100 0100 00100000
    a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
    0100000000000000 0040000000000000 0100000000000000
    0000000000000000000000000000000000000000000000000000000000000000
    01000000 00000000
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 0900000000000000 0102030405060708";
const OLD_SEGMENT_CHECKSUM: &str = "eae8f24c";

fn golden_frame() -> String {
    format!(
        "fe4d5046 0100 0000 4f000000 4f59a34b 0100000000000000 02000000
        0000000000000000000000000000000000000000000000000000000000000000 552dc98c
        03000000 {HASH_OF_ONE} 6f6e65
        04000000 {HASH_OF_TWO} 74776f21
        454e44fe"
    )
}

fn golden_slot() -> String {
    format!(
        "8f4d505749540d0a 0100 0100 00000000 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
        0200000000000000 0200000000000000 {HASH_OF_TWO} e3ca9f73"
    )
}

fn golden_head() -> Vec<u8> {
    let mut head = unhex(&[SEGMENT_HEAD, LINEAGE].concat());
    head.resize(2144, 0);
    head.extend(unhex(NAME));
    head.resize(4092, 0);
    head.extend(unhex(SEGMENT_CHECKSUM));
    head
}

fn golden_entries() -> String {
    format!(
        "01 03000000 {HASH_OF_ONE} 6f6e65
        01 04000000 {HASH_OF_TWO} 74776f21
        00 0200000000000000"
    )
}

fn golden_export() -> Vec<u8> {
    let mut export = unhex(&format!(
        "8f4d504558500d0a 0200 0200 00000000 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
        0200000000000000 {HASH_OF_TWO} {LINEAGE}"
    ));
    export.resize(2128, 0);
    export.extend(unhex(NAME));
    export.extend(unhex(&golden_entries()));
    export.extend(unhex("e3be07495ea12b577faf816e992b0059fba1675e49654871abf9c35b7200a8a1"));
    export
}

/// The same log as format 1 exported it, with one ancestor and no name.
fn old_export() -> Vec<u8> {
    unhex(&format!(
        "8f4d504558500d0a 0100 0100 00000000 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
        0200000000000000 {HASH_OF_TWO}
        01000000 00000000 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 0900000000000000 0102030405060708
        {} f09607d6704f6f35cb67a9f647cfdeb367f7ef6c6aa8625a64e88123956e6d77",
        golden_entries()
    ))
}

/// A disk with the log of `written` as format 1 wrote it.
fn old_disk() -> SimDisk {
    let disk = SimDisk::default();
    drop(create(&disk));
    let mut segment = unhex(OLD_SEGMENT_HEAD);
    segment.resize(4092, 0);
    segment.extend(unhex(OLD_SEGMENT_CHECKSUM));
    segment.extend(unhex(&golden_frame()));
    segment.resize(16 << 10, 0);
    disk.put(&path("00000001.segment"), segment);
    disk.put(&path("witness"), [unhex(&golden_slot()), vec![0; 8192 - 84]].concat());
    disk
}

/// The position in the log that both were restored from.
fn parent() -> Position {
    let hash = HashPrefix::from_bytes([1, 2, 3, 4, 5, 6, 7, 8]);
    Position { log: LogId::from_bytes([0x5A; 16]), sequence: 9, hash }
}

/// A log of two entries in one block, restored from a log that was restored from another, closed cleanly.
fn written() -> (SimDisk, Chain) {
    let disk = SimDisk::default();
    let hash = HashPrefix::from_bytes([8, 7, 6, 5, 4, 3, 2, 1]);
    let oldest = Position { log: LogId::from_bytes([0x3C; 16]), sequence: 4, hash };
    let lineage = Lineage::default().restored_at(oldest).restored_at(parent());
    let (name, log) = ("registry".parse().unwrap(), LogId::from_bytes([0xA5; 16]));
    let journal = FileJournal::create(dir(), name, log, lineage, small(), Arc::new(disk.clone())).unwrap();
    let mut chain = Chain::default();
    append(&journal, &mut chain, ["one", "two!"]);
    journal.close().expect("a clean stop");
    (disk, chain)
}

fn registry() -> Expected {
    Expected::named("registry".parse().unwrap())
}

#[test]
fn a_segment_has_the_documented_layout() {
    let (disk, chain) = written();
    assert_eq!(
        [hex(chain.entries()[0].hash.as_bytes()), hex(chain.entries()[1].hash.as_bytes())],
        [HASH_OF_ONE, HASH_OF_TWO]
    );
    let segment = disk.bytes(&path("00000001.segment"));
    assert_eq!(segment.len(), 16 << 10);
    assert_eq!(hex(&segment[..4096]), hex(&golden_head()));
    let frame = unhex(&golden_frame());
    assert_eq!(hex(&segment[4096..4096 + frame.len()]), hex(&frame));
    assert!(segment[4096 + frame.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn the_witness_has_the_documented_layout() {
    let (disk, _) = written();
    let witness = disk.bytes(&path("witness"));
    assert_eq!(witness.len(), 8192);
    assert_eq!(hex(&witness[..84]), hex(&unhex(&golden_slot())));
    assert_eq!(u64_at(&witness, 4096 + 32), 1, "the slot before is in the other half");
    assert_eq!(u64_at(&witness, 4096 + 40), 0);
}

#[test]
fn an_export_has_the_documented_layout() {
    let (disk, _) = written();
    let journal = FileJournal::open(dir(), registry(), small(), Arc::new(disk)).unwrap();
    let mut bytes = Vec::new();
    let exported = export(&journal, &mut bytes, &mut |_| {}).expect("it is exported");
    assert_eq!(hex(&bytes), hex(&golden_export()));
    assert_eq!(exported.bytes, bytes.len() as u64);
}

#[test]
fn a_segment_of_format_1_that_is_written_by_hand_is_read_and_goes_on_in_format_2() {
    let disk = old_disk();
    let mut journal = open(&disk).expect("it opens");
    let mut chain = Chain::default();
    chain.block(["one", "two!"]);
    assert_holds(&journal, &chain);
    assert_eq!(journal.info().lineage.forks(), [parent()]);
    append(&journal, &mut chain, [vec![1; 15 << 10]]);
    drop(journal);
    let old = disk.bytes(&path("00000001.segment"));
    assert_eq!(hex(&old[..128]), hex(&unhex(OLD_SEGMENT_HEAD)), "a head is never written again");
    let new = disk.bytes(&path("00000002.segment"));
    assert_eq!((new[8], &new[2144..2160]), (2, &b"test\0\0\0\0\0\0\0\0\0\0\0\0"[..]));
    journal = open(&disk).expect("it opens again");
    assert_eq!(journal.info().lineage.forks(), [parent()]);
    assert_eq!(Entries::after(&journal, 2).next().unwrap().unwrap().bytes, [1; 15 << 10][..]);
    // From the first segment of format 2 on, it has a name.
    drop(journal);
    let other = FileJournal::open(dir(), registry(), small(), Arc::new(disk)).unwrap_err();
    assert!(matches!(other, OpenError::OtherLedger { .. }), "{other}");
}

#[test]
fn a_journal_of_format_1_is_known_by_its_first_entry_and_where_that_does_not_tell_it_is_believed() {
    let by_first_entry = |name: &str| Expected {
        name: name.parse().unwrap(),
        writer_of: |entry| (entry.sequence == 1 && entry.bytes == "one").then(|| "test".parse().unwrap()),
    };
    let disk = old_disk();
    let open = |expected| FileJournal::open(dir(), expected, small(), Arc::new(disk.clone()));
    let read = |expected| FileJournal::open_read_only(dir(), expected, small(), Arc::new(disk.clone()));
    for refused in
        [open(by_first_entry("registry")).unwrap_err(), read(by_first_entry("registry")).unwrap_err()]
    {
        let text = refused.to_string();
        assert!(text.contains("holds the journal of the test, not of the registry"), "{text}");
    }
    assert_eq!(open(by_first_entry("test")).unwrap().info().tail.sequence, 2);
    assert_eq!(open(registry()).unwrap().info().name, Some("registry".parse().unwrap()));
}

#[test]
fn an_export_of_format_1_that_is_written_by_hand_is_restored() {
    for (export, forks) in [(old_export(), 2), (golden_export(), 3)] {
        let disk = SimDisk::default();
        disk.create_dir_all(dir().parent().unwrap()).unwrap();
        let from = &mut &export[..];
        let imported = import(from, dir(), registry(), small(), Arc::new(disk.clone()), &mut |_| {});
        let imported = imported.expect("it is restored");
        let journal = FileJournal::open(dir(), registry(), small(), Arc::new(disk)).expect("it opens");
        assert_eq!(journal.info().lineage, imported.lineage);
        assert_eq!(imported.lineage.forks().len(), forks);
        let exported = imported.lineage.parent().unwrap();
        assert_eq!((exported.log, exported.sequence), (LogId::from_bytes([0xA5; 16]), 2));
        // The log before it had come no further than the export, so neither has it.
        assert_eq!(imported.lineage.forks()[1], Position { log: parent().log, ..exported });
    }
}
