//! The header of a segment file, and the file names of a journal. Format 2, all numbers little-endian.
//!
//! ```text
//!    0   8  magic           8F 4D 50 53 45 47 0D 0A
//!    8   2  format          2
//!   10   2  min reader      2: the oldest reader that may open the log
//!   12   4  header bytes    4096; frames begin here
//!   16  16  log id
//!   32   8  ordinal         from 1, without gaps; also the file's name, `00000001.segment`
//!   40   8  capacity        length of the file in bytes; never changes
//!   48   8  first sequence  of the first entry that it holds or will hold
//!   56  32  previous hash   of the entry before that; zero at the start of a log
//!   88   4  ancestors       how many logs it was restored from, one after the other: 0 to 64
//!   92   4                  0
//!   96   …  lineage         per ancestor, nearest first: log id (16), sequence (8), hash prefix (8) of the fork
//! 2144  16  name            of the ledger, in ASCII, filled up with zeros
//! 2160   …                  0
//! 4092   4  checksum        CRC-32C of bytes 0 to 4091
//! ```
//!
//! Format 1 has no name (zeros) and at most one ancestor. It always stays readable; a log that began in it
//! continues in segments of format 2. Magic, format, min reader, header bytes and the offset of the checksum are the
//! same in every later format, so that a newer file is distinguished from a damaged one.
//!
//! Invariants: a file with a segment's name has a durable header and its full length, because
//! it is created under another name, synced and then renamed. The header is never written again: it has
//! its own page. After the last frame everything is zero. No file is read or written here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use milepost_types::{Hash, HashPrefix, LedgerName, Lineage, LogId, Position};

use super::frame::{array_at, hash_at, u16_at, u32_at, u64_at};

/// The first bytes of every segment.
pub const MAGIC: [u8; 8] = [0x8F, b'M', b'P', b'S', b'E', b'G', b'\r', b'\n'];
/// The format this code writes, and the newest whose `min reader` it meets.
pub const FORMAT: u16 = 2;
/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 4096;

const CHECKSUM_AT: usize = HEADER_BYTES - 4;
/// The offset of the number of ancestors.
const ANCESTORS_AT: usize = 88;
/// The offset of the lineage.
const LINEAGE_AT: usize = 96;
/// Bytes of one ancestor.
const FORK_BYTES: usize = 32;
/// The offset of the name.
const NAME_AT: usize = LINEAGE_AT + Lineage::LIMIT * FORK_BYTES;

/// The header of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The ledger whose log it is; `None` in format 1.
    pub name: Option<LedgerName>,
    /// The log it is of.
    pub log: LogId,
    /// Its place among the log's segments, from 1.
    pub ordinal: u64,
    /// The length of its file in bytes.
    pub capacity: u64,
    /// The sequence of its first entry.
    pub first: u64,
    /// The hash of the entry before that.
    pub previous: Hash,
    /// What the log was restored from.
    pub lineage: Lineage,
}

/// Why bytes are not the header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer bytes than a header.
    #[error("the file is too short for a segment")]
    Short,
    /// Not a segment at all.
    #[error("the file does not begin like a segment")]
    Magic,
    /// Damaged.
    #[error("the segment's header does not match its checksum")]
    Checksum,
    /// Intact, and of a format that this version may not read.
    #[error("the segment has format {format}, for readers of {min_reader} or later")]
    Newer {
        /// The format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
    /// The checksum matches, but the values are impossible.
    #[error("the segment's header has invalid values")]
    Values,
}

impl SegmentHeader {
    /// The header as bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[10..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..16].copy_from_slice(&(HEADER_BYTES as u32).to_le_bytes());
        bytes[16..32].copy_from_slice(self.log.as_bytes());
        bytes[32..40].copy_from_slice(&self.ordinal.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.capacity.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first.to_le_bytes());
        bytes[56..88].copy_from_slice(self.previous.as_bytes());
        put_lineage(&mut bytes, ANCESTORS_AT, LINEAGE_AT, &self.lineage);
        put_name(&mut bytes, NAME_AT, self.name);
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// If the bytes are not a header that this version may read.
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(Fault::Short)?;
        if bytes[..8] != MAGIC {
            return Err(Fault::Magic);
        }
        if crc32c::crc32c(&bytes[..CHECKSUM_AT]) != u32_at(bytes, CHECKSUM_AT) {
            return Err(Fault::Checksum);
        }
        let (format, min_reader) = (u16_at(bytes, 8), u16_at(bytes, 10));
        if min_reader > FORMAT {
            return Err(Fault::Newer { format, min_reader });
        }
        let most = if format == 1 { 1 } else { Lineage::LIMIT };
        let header = Self {
            // Format 1 has zeros there, which mean no name.
            name: name_at(bytes, NAME_AT).ok_or(Fault::Values)?,
            log: LogId::from_bytes(array_at(bytes, 16)),
            ordinal: u64_at(bytes, 32),
            capacity: u64_at(bytes, 40),
            first: u64_at(bytes, 48),
            previous: hash_at(bytes, 56),
            lineage: lineage_at(bytes, ANCESTORS_AT, LINEAGE_AT, most).ok_or(Fault::Values)?,
        };
        let sane = header.ordinal > 0 && header.first > 0 && header.capacity >= HEADER_BYTES as u64;
        if sane && u32_at(bytes, 12) == HEADER_BYTES as u32 { Ok(header) } else { Err(Fault::Values) }
    }
}

/// Writes the number of ancestors, and their forks, as in the headers of segments and exports.
pub(super) fn put_lineage(bytes: &mut [u8], count_at: usize, at: usize, lineage: &Lineage) {
    let forks = lineage.forks();
    bytes[count_at..count_at + 4].copy_from_slice(&(forks.len() as u32).to_le_bytes());
    for (fork, room) in forks.iter().zip(bytes[at..].chunks_exact_mut(FORK_BYTES)) {
        room[..16].copy_from_slice(fork.log.as_bytes());
        room[16..24].copy_from_slice(&fork.sequence.to_le_bytes());
        room[24..].copy_from_slice(fork.hash.as_bytes());
    }
}

/// Reads what `put_lineage` wrote; `None` if it is not a lineage of at most this many ancestors.
pub(super) fn lineage_at(bytes: &[u8], count_at: usize, at: usize, most: usize) -> Option<Lineage> {
    let count = u32_at(bytes, count_at) as usize;
    if count > most {
        return None;
    }
    let fork = |at| Position {
        log: LogId::from_bytes(array_at(bytes, at)),
        sequence: u64_at(bytes, at + 16),
        hash: HashPrefix::from_bytes(array_at(bytes, at + 24)),
    };
    let forks: Vec<_> = (0..count).map(|index| fork(at + index * FORK_BYTES)).collect();
    let lineage = Lineage::new(forks.iter().copied());
    (lineage.forks() == forks).then_some(lineage)
}

/// Writes a name, or nothing.
pub(super) fn put_name(bytes: &mut [u8], at: usize, name: Option<LedgerName>) {
    if let Some(name) = name {
        bytes[at..at + LedgerName::BYTES].copy_from_slice(&name.to_bytes());
    }
}

/// Reads what `put_name` wrote; the outer `None` if it is not a name.
pub(super) fn name_at(bytes: &[u8], at: usize) -> Option<Option<LedgerName>> {
    let bytes: [u8; LedgerName::BYTES] = array_at(bytes, at);
    if bytes == [0; LedgerName::BYTES] {
        return Some(None);
    }
    LedgerName::from_bytes(bytes).map(Some)
}

/// The path of the segment with this ordinal.
pub fn path(dir: &Path, ordinal: u64) -> PathBuf {
    dir.join(format!("{ordinal:08}.segment"))
}

/// The kind of a file in a journal's directory, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// The segment with this ordinal.
    Segment(u64),
    /// A segment whose creation was interrupted; it holds nothing.
    Unfinished,
    /// The witness.
    Witness,
    /// The lock.
    Lock,
    /// Not a file of a journal.
    Unknown,
}

/// The name of the witness file.
pub const WITNESS: &str = "witness";
/// The name of the lock file.
pub const LOCK: &str = "lock";
/// The suffix of an unfinished segment, after a segment's whole name.
pub const UNFINISHED: &str = ".new";

/// The kind of the file with this name.
pub fn file_kind(name: &OsStr) -> FileKind {
    let ordinal = |name: &str| {
        let digits = name.strip_suffix(".segment")?;
        let plain = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let ordinal = digits.parse().ok().filter(|ordinal| plain && *ordinal > 0)?;
        (name == format!("{ordinal:08}.segment")).then_some(ordinal)
    };
    match name.to_str() {
        Some(WITNESS) => FileKind::Witness,
        Some(LOCK) => FileKind::Lock,
        Some(name) => match (ordinal(name), name.strip_suffix(UNFINISHED).and_then(ordinal)) {
            (Some(ordinal), _) => FileKind::Segment(ordinal),
            (None, Some(_)) => FileKind::Unfinished,
            (None, None) => FileKind::Unknown,
        },
        None => FileKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_header_decodes_to_its_values_and_no_changed_one_passes(
            ids: ([u8; 16], [u8; 32]),
            numbers in (1..u64::MAX, HEADER_BYTES as u64..u64::MAX, 1..u64::MAX),
            name in prop::option::of("[a-z][a-z0-9-]{0,15}"),
            forks in prop::collection::vec(any::<([u8; 16], u64, [u8; 8])>(), 0..=Lineage::LIMIT),
            at in 0..HEADER_BYTES,
            bit in 0..8_u8,
        ) {
            let lineage = Lineage::new(forks.into_iter().map(|(log, sequence, hash)| {
                let (log, hash) = (LogId::from_bytes(log), HashPrefix::from_bytes(hash));
                Position { log, sequence, hash }
            }));
            let (log, previous) = (LogId::from_bytes(ids.0), Hash::from_bytes(ids.1));
            let (ordinal, capacity, first) = numbers;
            let name = name.map(|name| name.parse().unwrap());
            let header = SegmentHeader { name, log, ordinal, capacity, first, previous, lineage };
            let mut bytes = header.encode();
            prop_assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
            prop_assert_eq!(SegmentHeader::decode(&bytes[..HEADER_BYTES - 1]), Err(Fault::Short));
            bytes[at] ^= 1 << bit;
            prop_assert!(SegmentHeader::decode(&bytes).is_err());
        }

        #[test]
        fn each_ordinal_has_one_file_name(ordinal in 1..u64::MAX) {
            let path = path(Path::new("/x"), ordinal);
            prop_assert_eq!(file_kind(path.file_name().unwrap()), FileKind::Segment(ordinal));
            let unfinished = super::super::disk::with_suffix(&path, UNFINISHED);
            prop_assert_eq!(file_kind(unfinished.file_name().unwrap()), FileKind::Unfinished);
        }
    }

    #[test]
    fn impossible_values_are_refused_although_the_checksum_matches() {
        let fork = |log: u8, sequence| Position { sequence, ..Position::start(LogId::from_bytes([log; 16])) };
        let header = SegmentHeader {
            name: Some("registry".parse().unwrap()),
            log: LogId::from_bytes([9; 16]),
            ordinal: 1,
            capacity: 1 << 20,
            first: 1,
            previous: Hash::ZERO,
            lineage: Lineage::new([fork(2, 7), fork(1, 5)]),
        };
        let forged = |change: &dyn Fn(&mut [u8])| {
            let mut bytes = header.encode();
            change(&mut bytes);
            let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
            bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
            SegmentHeader::decode(&bytes)
        };
        assert_eq!(forged(&|_| {}), Ok(header.clone()));
        for change in [
            &(|bytes: &mut [u8]| bytes[ANCESTORS_AT] = 65) as &dyn Fn(&mut [u8]),
            // The older ancestor's fork would come after the nearer one's.
            &|bytes| bytes[LINEAGE_AT + FORK_BYTES + 16] = 8,
            // Two ancestors, which format 1 does not have.
            &|bytes| bytes[8] = 1,
            &|bytes| bytes[NAME_AT] = b'R',
            &|bytes| bytes[NAME_AT + 3] = 0,
            &|bytes| bytes[32] = 0,
        ] {
            assert_eq!(forged(change), Err(Fault::Values));
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for name in
            ["", "1.segment", "000000001.segment", "00000000.segment", "+0000001.segment", "x", "lock.new"]
        {
            assert_eq!(file_kind(OsStr::new(name)), FileKind::Unknown, "{name}");
        }
        assert_eq!(
            [file_kind(OsStr::new(WITNESS)), file_kind(OsStr::new(LOCK))],
            [FileKind::Witness, FileKind::Lock]
        );
    }
}
