//! The frame: one block of entries as bytes in a segment. Format 1, all numbers little-endian.
//!
//! ```text
//!  0   4  magic           FE 4D 50 46; FE is in no UTF-8 text
//!  4   2  version         1
//!  6   2  flags           0 (bit 0 is kept for a compressed body)
//!  8   4  length          bytes of the body
//! 12   4  body checksum   CRC-32C of the body
//! 16   8  first sequence  of the first entry
//! 24   4  count           of entries, at least 1
//! 28  32  previous hash   of the entry before the first; zero at the start of a log
//! 60   4  header checksum CRC-32C of log id (16), segment ordinal (8), offset in the file (8),
//!                         then bytes 0 to 59
//! 64   …  body            per entry: length u32, hash (32), bytes
//!  …   4  end mark        45 4E 44 FE
//! ```
//!
//! Invariants: a frame is valid at one location of one log only (the header checksum covers the
//! location), so copied or leftover bytes never pass for a frame. A frame ends in
//! a byte that is not zero, so that an incomplete write is detected.
//! No file is read or written here: bytes in, bytes out.

use bytes::Bytes;
use milepost_types::{Hash, LogId};

use super::{Block, StoredEntry};

/// The first bytes of every frame.
pub const MAGIC: [u8; 4] = [0xFE, b'M', b'P', b'F'];
/// The last bytes of every frame.
pub const END: [u8; 4] = [b'E', b'N', b'D', 0xFE];
/// The version this code writes, and the newest it reads.
pub const VERSION: u16 = 1;
/// Bytes before the body.
pub const HEADER_BYTES: usize = 64;
/// Bytes of a frame outside its body.
pub const OVERHEAD_BYTES: u64 = (HEADER_BYTES + END.len()) as u64;
/// Bytes in the body that each entry takes besides its own.
pub const ENTRY_OVERHEAD_BYTES: usize = 4 + 32;
/// The largest body that this engine writes or accepts, in bytes.
pub const MAX_BODY_BYTES: u64 = 1 << 30;

/// The location of a frame; read at any other location, the frame is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLocation {
    /// The log.
    pub log: LogId,
    /// The segment's ordinal in it.
    pub ordinal: u64,
    /// The offset in the segment's file.
    pub offset: u64,
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the body.
    pub length: u32,
    /// CRC-32C of the body.
    pub body_checksum: u32,
    /// The first entry's sequence.
    pub first: u64,
    /// How many entries.
    pub count: u32,
    /// The hash of the entry before the first.
    pub previous: Hash,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too few bytes are left for a header.
    #[error("too few bytes for a frame")]
    Short,
    /// The magic is missing.
    #[error("no frame begins here")]
    Magic,
    /// The header does not match its checksum.
    #[error("the frame's header does not match its checksum")]
    HeaderChecksum,
    /// The header is intact, but has a version or flags that this version does not know.
    #[error("the frame is of version {version} with flags {flags:#06x}, which this version does not read")]
    Newer {
        /// The frame's version.
        version: u16,
        /// The frame's flags.
        flags: u16,
    },
    /// The body would exceed the segment.
    #[error("the frame is longer than its segment")]
    Length,
    /// The body does not match its checksum.
    #[error("the frame's entries do not match their checksum")]
    BodyChecksum,
    /// The end mark is missing.
    #[error("the frame has no end mark")]
    End,
    /// The checksums hold, but the entries do not fill the body.
    #[error("the frame's entries do not add up to its length")]
    Entries,
}

impl Header {
    /// Bytes from the magic to the end mark.
    pub fn frame_bytes(&self) -> u64 {
        OVERHEAD_BYTES + u64::from(self.length)
    }

    /// The sequence of the last entry.
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// Reads a header from the first bytes of `bytes`.
    ///
    /// # Errors
    /// If it is not valid at `location`.
    pub fn decode(bytes: &[u8], location: FrameLocation) -> Result<Self, Fault> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(Fault::Short)?;
        if bytes[..4] != MAGIC {
            return Err(Fault::Magic);
        }
        if header_checksum(bytes, location) != u32_at(bytes, 60) {
            return Err(Fault::HeaderChecksum);
        }
        let (version, flags) = (u16_at(bytes, 4), u16_at(bytes, 6));
        if version != VERSION || flags != 0 {
            return Err(Fault::Newer { version, flags });
        }
        let header = Self {
            length: u32_at(bytes, 8),
            body_checksum: u32_at(bytes, 12),
            first: u64_at(bytes, 16),
            count: u32_at(bytes, 24),
            previous: hash_at(bytes, 28),
        };
        let smallest = u64::from(header.count) * ENTRY_OVERHEAD_BYTES as u64;
        if header.count == 0 || u64::from(header.length) < smallest || header.first == 0 {
            return Err(Fault::Entries);
        }
        Ok(header)
    }

    /// Checks body and end mark, which follow the header.
    ///
    /// # Errors
    /// If they do not match the header.
    pub fn check(&self, body: &[u8], end: &[u8]) -> Result<(), Fault> {
        if end != END {
            return Err(Fault::End);
        }
        if crc32c::crc32c(body) != self.body_checksum {
            return Err(Fault::BodyChecksum);
        }
        let mut count = 0;
        for part in parts(body) {
            part?;
            count += 1;
        }
        if count == self.count { Ok(()) } else { Err(Fault::Entries) }
    }
}

/// The bytes that the frame of `block` takes.
pub fn frame_bytes(block: &Block) -> u64 {
    let entry = |entry: &StoredEntry| (ENTRY_OVERHEAD_BYTES + entry.bytes.len()) as u64;
    OVERHEAD_BYTES + block.entries.iter().map(entry).sum::<u64>()
}

/// Appends the frame of `block`, which has at least one entry and at most `MAX_BODY_BYTES`.
pub fn encode(out: &mut Vec<u8>, location: FrameLocation, block: &Block) {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    for entry in &block.entries {
        out.extend_from_slice(&(entry.bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(entry.hash.as_bytes());
        out.extend_from_slice(&entry.bytes);
    }
    let body = &out[start + HEADER_BYTES..];
    let (length, checksum) = (body.len() as u32, crc32c::crc32c(body));
    out.extend_from_slice(&END);

    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&VERSION.to_le_bytes());
    header[8..12].copy_from_slice(&length.to_le_bytes());
    header[12..16].copy_from_slice(&checksum.to_le_bytes());
    header[16..24].copy_from_slice(&block.entries[0].sequence.to_le_bytes());
    header[24..28].copy_from_slice(&(block.entries.len() as u32).to_le_bytes());
    header[28..60].copy_from_slice(block.previous.as_bytes());
    let checksum = header_checksum(&header, location);
    header[60..].copy_from_slice(&checksum.to_le_bytes());
    out[start..start + HEADER_BYTES].copy_from_slice(&header);
}

/// The location of one entry in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntrySpan {
    /// The entry's hash.
    pub hash: Hash,
    /// The start of the entry's bytes in the body.
    pub start: usize,
    /// Their end.
    pub end: usize,
}

/// The entries of a body, in order; an error ends it.
pub fn parts(body: &[u8]) -> impl Iterator<Item = Result<EntrySpan, Fault>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let part = body.get(at..at + ENTRY_OVERHEAD_BYTES).and_then(|head| {
            let start = at + ENTRY_OVERHEAD_BYTES;
            let end = start.checked_add(u32_at(head, 0) as usize)?;
            (end <= body.len()).then_some(EntrySpan { hash: hash_at(head, 4), start, end })
        });
        at = part.map_or(body.len(), |part| part.end);
        Some(part.ok_or(Fault::Entries))
    })
}

/// The entries of a checked body, without copying their bytes.
pub fn entries(header: &Header, body: &Bytes) -> impl Iterator<Item = StoredEntry> {
    let sequences = header.first..;
    parts(body).map_while(Result::ok).zip(sequences).map(|(part, sequence)| StoredEntry {
        sequence,
        hash: part.hash,
        bytes: body.slice(part.start..part.end),
    })
}

/// Whether a whole sector of these bytes (512 bytes of the file) was never written: it is still
/// zero. A power cut loses whole sectors; a flipped bit does not look like that.
pub fn lacks_a_sector(bytes: &[u8], offset: u64) -> bool {
    let to_boundary = (512 - offset % 512) as usize;
    let (head, rest) = bytes.split_at(to_boundary.min(bytes.len()));
    let lost = |piece: &[u8]| piece.iter().all(|byte| *byte == 0);
    lost(head) || rest.chunks(512).any(lost)
}

fn header_checksum(header: &[u8; HEADER_BYTES], location: FrameLocation) -> u32 {
    let mut salt = [0; 32];
    salt[..16].copy_from_slice(location.log.as_bytes());
    salt[16..24].copy_from_slice(&location.ordinal.to_le_bytes());
    salt[24..].copy_from_slice(&location.offset.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&salt), &header[..60])
}

/// A number of two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// A number of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// A number of eight bytes.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// A hash.
pub(super) fn hash_at(bytes: &[u8], at: usize) -> Hash {
    Hash::from_bytes(array_at(bytes, at))
}

/// `N` bytes; the caller has checked the length.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block() -> impl Strategy<Value = (FrameLocation, Block)> {
        let bodies = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..9);
        let ids = (any::<[u8; 16]>(), any::<u64>(), any::<u64>(), any::<[u8; 32]>(), 1..u64::MAX / 2);
        (ids, bodies).prop_map(|((log, ordinal, offset, hash, first), bodies)| {
            let hash = Hash::from_bytes(hash);
            let entry =
                |(sequence, bytes): (u64, Vec<u8>)| StoredEntry { sequence, hash, bytes: bytes.into() };
            let entries = (first..).zip(bodies).map(entry).collect();
            (
                FrameLocation { log: LogId::from_bytes(log), ordinal, offset },
                Block { previous: hash, entries },
            )
        })
    }

    fn decode(bytes: &[u8], location: FrameLocation) -> Result<(Header, Vec<StoredEntry>), Fault> {
        let header = Header::decode(bytes, location)?;
        let end = HEADER_BYTES + header.length as usize;
        let body = Bytes::copy_from_slice(bytes.get(HEADER_BYTES..end).ok_or(Fault::Length)?);
        header.check(&body, bytes.get(end..).ok_or(Fault::Length)?)?;
        Ok((header, entries(&header, &body).collect()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_frame_decodes_to_its_block((location, block) in block()) {
            let mut bytes = vec![1, 2, 3];
            encode(&mut bytes, location, &block);
            let frame = &bytes[3..];
            prop_assert_eq!(frame.len() as u64, frame_bytes(&block));
            let (header, entries) = decode(frame, location).unwrap();
            prop_assert_eq!(header.frame_bytes(), frame_bytes(&block));
            prop_assert_eq!((header.first, header.previous), (block.entries[0].sequence, block.previous));
            prop_assert_eq!(header.last(), block.entries.last().unwrap().sequence);
            prop_assert_eq!(entries, block.entries);
        }

        #[test]
        fn a_frame_is_valid_only_unchanged_and_at_its_location((location, block) in block(), at: usize, bit in 0..8_u8) {
            let mut bytes = Vec::new();
            encode(&mut bytes, location, &block);
            let elsewhere = [
                FrameLocation { offset: location.offset ^ 1, ..location },
                FrameLocation { ordinal: location.ordinal ^ 1, ..location },
                FrameLocation { log: LogId::from_bytes([0; 16]), ..location },
            ];
            prop_assert!(elsewhere.iter().all(|location| decode(&bytes, *location).is_err()));
            let at = at % bytes.len();
            prop_assert!(decode(&bytes[..at], location).is_err());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes, location).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parts(&bytes).count() <= bytes.len());
            let location = FrameLocation { log: LogId::from_bytes([0; 16]), ordinal: 1, offset: 4096 };
            prop_assert!(decode(&bytes, location).is_err());
        }
    }

    #[test]
    fn a_missing_sector_is_detected_at_the_sector_boundaries_of_the_file() {
        let whole = vec![1; 2000];
        assert!(!lacks_a_sector(&whole, 700));
        // From 700, boundaries are at 324, 836, 1348, 1860.
        for (from, to, missed) in [
            (0, 324, true),
            (1, 324, false),
            (324, 836, true),
            (325, 900, false),
            (300, 835, false),
            (1860, 2000, true),
            (1861, 2000, false),
        ] {
            let mut bytes = whole.clone();
            bytes[from..to].fill(0);
            assert_eq!(lacks_a_sector(&bytes, 700), missed, "{from} to {to}");
        }
    }
}
