//! The bytes on the disk, as the tables in `segment`, `frame`, `witness` and `export` say: what one
//! version wrote, every later one must read. Written down here a second time, by hand.

use std::ops::Range;
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::export::export;
use milepost_ledger::journal::file::FileJournal;
use milepost_ledger::journal::sim::SimDisk;
use milepost_ledger::journal::{Entries, Journal};
use milepost_types::{HashPrefix, LogId, Position};

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

const SEGMENT_HEAD: &str = "
    8f4d505345470d0a 0100 0100 00100000
    a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
    0100000000000000 0040000000000000 0100000000000000
    0000000000000000000000000000000000000000000000000000000000000000
    01000000 00000000
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 0900000000000000 0102030405060708";
const SEGMENT_CHECKSUM: &str = "eae8f24c";

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

fn golden_export() -> String {
    format!(
        "8f4d504558500d0a 0100 0100 00000000 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5
        0200000000000000 {HASH_OF_TWO}
        01000000 00000000 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 0900000000000000 0102030405060708
        01 03000000 {HASH_OF_ONE} 6f6e65
        01 04000000 {HASH_OF_TWO} 74776f21
        00 0200000000000000 f09607d6704f6f35cb67a9f647cfdeb367f7ef6c6aa8625a64e88123956e6d77"
    )
}

/// A log of two entries in one block, restored from another log, closed cleanly.
fn written() -> (SimDisk, Chain) {
    let disk = SimDisk::default();
    let hash = HashPrefix::from_bytes([1, 2, 3, 4, 5, 6, 7, 8]);
    let parent = Position { log: LogId::from_bytes([0x5A; 16]), sequence: 9, hash };
    let log = LogId::from_bytes([0xA5; 16]);
    let journal = FileJournal::create(dir(), log, Some(parent), small(), Arc::new(disk.clone())).unwrap();
    let mut chain = Chain::default();
    append(&journal, &mut chain, ["one", "two!"]);
    journal.close().expect("a clean stop");
    (disk, chain)
}

#[test]
fn a_segment_is_written_as_its_table_says() {
    let (disk, chain) = written();
    assert_eq!(
        [hex(chain.entries()[0].hash.as_bytes()), hex(chain.entries()[1].hash.as_bytes())],
        [HASH_OF_ONE, HASH_OF_TWO]
    );
    let segment = disk.bytes(&path("00000001.segment"));
    assert_eq!(segment.len(), 16 << 10);
    assert_eq!(hex(&segment[..128]), hex(&unhex(SEGMENT_HEAD)));
    assert!(segment[128..4092].iter().all(|byte| *byte == 0));
    assert_eq!(hex(&segment[4092..4096]), SEGMENT_CHECKSUM);
    let frame = unhex(&golden_frame());
    assert_eq!(hex(&segment[4096..4096 + frame.len()]), hex(&frame));
    assert!(segment[4096 + frame.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn the_witness_is_written_as_its_table_says() {
    let (disk, _) = written();
    let witness = disk.bytes(&path("witness"));
    assert_eq!(witness.len(), 8192);
    assert_eq!(hex(&witness[..84]), hex(&unhex(&golden_slot())));
    assert_eq!(u64_at(&witness, 4096 + 32), 1, "the slot before is in the other half");
    assert_eq!(u64_at(&witness, 4096 + 40), 0);
}

#[test]
fn an_export_is_written_as_its_table_says() {
    let (disk, _) = written();
    let mut bytes = Vec::new();
    let exported = export(&open(&disk).unwrap(), &mut bytes, &mut |_| {}).expect("it is exported");
    assert_eq!(hex(&bytes), hex(&unhex(&golden_export())));
    assert_eq!(exported.bytes, bytes.len() as u64);
}

#[test]
fn a_segment_that_is_written_by_hand_is_read() {
    let disk = SimDisk::default();
    drop(create(&disk));
    let mut segment = unhex(SEGMENT_HEAD);
    segment.resize(4092, 0);
    segment.extend(unhex(SEGMENT_CHECKSUM));
    segment.extend(unhex(&golden_frame()));
    segment.resize(16 << 10, 0);
    disk.put(&path("00000001.segment"), segment);
    disk.put(&path("witness"), [unhex(&golden_slot()), vec![0; 8192 - 84]].concat());

    let mut journal = open(&disk).expect("it opens");
    let mut chain = Chain::default();
    chain.block(["one", "two!"]);
    assert_holds(&journal, &chain);
    let parent = journal.info().parent.expect("it was restored");
    assert_eq!((parent.sequence, parent.log), (9, LogId::from_bytes([0x5A; 16])));
    append(&journal, &mut chain, ["three"]);
    drop(journal);
    journal = open(&disk).expect("it opens again");
    assert_eq!(Entries::after(&journal, 2).next().unwrap().unwrap().bytes, "three");
}
