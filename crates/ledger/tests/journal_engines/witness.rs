//! The witness: when it is written, and how a log opens when the witness is damaged.

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::file::OpenError;
use milepost_ledger::journal::sim::SimDisk;

use crate::layout::u64_at;
use crate::support::{create, filled, full_message, open, open_read_only, path, tear};

/// What the newer slot of a witness says.
fn witnessed(disk: &SimDisk) -> u64 {
    let bytes = disk.bytes(&path("witness"));
    let newer = if u64_at(&bytes, 32) > u64_at(&bytes, 4096 + 32) { 0 } else { 4096 };
    u64_at(&bytes, newer + 40)
}

#[test]
fn the_witness_is_written_at_intervals_and_on_a_clean_stop() {
    let disk = SimDisk::default();
    let journal = create(&disk);
    let mut chain = Chain::default();
    for (appends, expected) in [(4, 0), (1, 5), (4, 5), (1, 10), (2, 10)] {
        (0..appends).for_each(|_| append(&journal, &mut chain, ["x"]));
        assert_eq!(witnessed(&disk), expected, "after {} appends", chain.entries().len());
    }
    milepost_ledger::journal::Journal::close(&journal).expect("a clean stop");
    assert_eq!(witnessed(&disk), 12);
}

#[test]
fn opening_writes_the_tail_to_the_witness() {
    let (disk, chain) = filled(13, false);
    assert!(witnessed(&disk) < chain.entries().len() as u64);
    drop(open(&disk).expect("it opens"));
    assert_eq!(witnessed(&disk), chain.entries().len() as u64);
}

#[test]
fn a_flipped_bit_in_the_witness_loses_nothing() {
    let (disk, chain) = filled(13, false);
    for byte in (0..90).chain(4096..4096 + 90).chain([8191]) {
        let flipped = disk.copy();
        flipped.flip(&path("witness"), byte, 3);
        assert_holds(&open_read_only(&flipped).expect("the log is whole"), &chain);
        assert_eq!(flipped.changes(), 0);
        assert_holds(&open(&flipped).expect("the log is whole"), &chain);
        assert_eq!(witnessed(&flipped), chain.entries().len() as u64, "byte {byte}");
        assert_holds(&open(&flipped).expect("and again"), &chain);
    }
}

#[test]
fn without_a_witness_an_intact_log_opens_and_a_torn_one_is_refused() {
    type Spoil = fn(&SimDisk);
    let ways: [(&str, Spoil); 5] = [
        ("missing", |disk| disk.lose(&path("witness"))),
        ("empty", |disk| disk.put(&path("witness"), Vec::new())),
        ("short", |disk| disk.put(&path("witness"), vec![1; 50])),
        ("zero", |disk| disk.put(&path("witness"), vec![0; 8192])),
        ("nonsense", |disk| disk.put(&path("witness"), vec![0xEE; 8192])),
    ];
    for (way, spoil) in ways {
        let (disk, chain) = filled(13, false);
        spoil(&disk);
        assert_holds(&open(&disk.copy()).unwrap_or_else(|error| panic!("{way}: {error}")), &chain);

        let first = tear(&disk);
        let torn = disk.copy();
        match open(&torn) {
            Err(OpenError::Damaged(damage)) => {
                assert_eq!(damage.sequence, first);
                assert!(damage.what.contains("no intact witness"), "{way}: {damage}");
            }
            other => panic!("{way}: {other:?}"),
        }
        assert_eq!(torn.changes(), 0, "{way}");
    }
}

#[test]
fn with_one_slot_damaged_a_torn_log_is_refused_too() {
    // The damaged slot may be the newer one, and have known of what looks torn now.
    let (disk, _) = filled(13, false);
    tear(&disk);
    assert!(open(&disk.copy()).is_ok(), "with both slots it is a torn tail");
    for slot in [0, 4096] {
        let flipped = disk.copy();
        flipped.flip(&path("witness"), slot + 45, 0);
        assert!(matches!(open(&flipped), Err(OpenError::Damaged(_))));
        assert_eq!(flipped.changes(), 0);
    }
}

#[test]
fn a_torn_frame_that_the_witness_records_as_durable_is_damage() {
    let (disk, _) = filled(13, true);
    let first = tear(&disk);
    let torn = disk.copy();
    let Err(OpenError::Damaged(damage)) = open(&torn) else { panic!("it was durable") };
    assert_eq!(damage.sequence, first, "{damage}");
    assert!(damage.what.contains("was durable") && damage.what.contains("end mark"), "{damage}");
    assert_eq!(torn.changes(), 0);
}

#[test]
fn a_witness_of_another_log_or_a_newer_version_is_refused() {
    let (disk, _) = filled(3, true);
    let other = SimDisk::default();
    drop(open(&other).expect("a log with another id"));
    let foreign = disk.copy();
    foreign.put(&path("witness"), other.bytes(&path("witness")));
    let Err(OpenError::Damaged(damage)) = open(&foreign) else { panic!("it speaks of another log") };
    assert!(damage.segment == path("witness") && damage.what.contains("the witness is of log"), "{damage}");

    let mut bytes = disk.bytes(&path("witness"));
    let newer = if u64_at(&bytes, 32) > u64_at(&bytes, 4096 + 32) { 0 } else { 4096 };
    bytes[newer + 10] = 2;
    let checksum = crc32c::crc32c(&bytes[newer..newer + 80]);
    bytes[newer + 80..newer + 84].copy_from_slice(&checksum.to_le_bytes());
    let later = disk.copy();
    later.put(&path("witness"), bytes);
    let refused = open(&later).expect_err("a newer version wrote it");
    assert!(
        matches!(&refused, OpenError::Newer { path: reported, .. } if *reported == path("witness")),
        "{}",
        full_message(&refused)
    );
    assert_eq!(later.changes(), 0);
}
