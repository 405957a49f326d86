//! The layout of an export, and its header. Format 2, all numbers little-endian.
//!
//! ```text
//!    0   8  magic      8F 4D 50 45 58 50 0D 0A
//!    8   2  format     2
//!   10   2  min reader 2
//!   12   4             0
//!   16  16  log id
//!   32   8  the last entry's sequence
//!   40  32  its hash
//!   72   4  ancestors  how many logs this one was restored from: 0 to 64
//!   76   4             0
//!   80   …  lineage    as in a segment's header
//! 2128  16  name       of the ledger, as in a segment's header; zeros if it was not known
//! 2144   …  per entry: 1 (one byte), length u32, hash (32), bytes; the first is sequence 1
//!    …   9  end: 0 (one byte), count of entries u64
//!    …  32  SHA-256 of everything before
//! ```
//!
//! Invariant: format 1 always stays readable: its header ends at byte 112, and it has one ancestor at most and no
//! name. A header that does not encode to the same bytes again is refused.

use milepost_types::{Hash, LedgerName, Lineage, LogId};

use super::super::frame::{array_at, hash_at, u16_at, u64_at};
use super::super::segment::{lineage_at, name_at, put_lineage, put_name};

/// The first bytes of every export.
pub const MAGIC: [u8; 8] = [0x8F, b'M', b'P', b'E', b'X', b'P', b'\r', b'\n'];
/// The format this code writes, and the newest whose `min reader` it meets.
pub const FORMAT: u16 = 2;

/// The header of format 1.
pub(super) const OLD_HEADER_BYTES: usize = 112;
pub(super) const HEADER_BYTES: usize = NAME_AT + LedgerName::BYTES;
/// The byte before each entry.
pub(super) const ENTRY: u8 = 1;
/// The byte after the last entry.
pub(super) const END: u8 = 0;

const ANCESTORS_AT: usize = 72;
const LINEAGE_AT: usize = 80;
const NAME_AT: usize = LINEAGE_AT + Lineage::LIMIT * 32;

/// The part of an export before its entries: which log it is, and where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// The id of the exported log.
    pub log: LogId,
    /// The sequence of the last entry; 0 for none.
    pub sequence: u64,
    /// The hash of that entry; zero for none.
    pub last: Hash,
    /// The ledger whose log it is; `None` if that is not known.
    pub name: Option<LedgerName>,
    /// What the exported log was restored from.
    pub lineage: Lineage,
}

impl ExportHeader {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        header[10..12].copy_from_slice(&FORMAT.to_le_bytes());
        header[16..32].copy_from_slice(self.log.as_bytes());
        header[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        header[40..72].copy_from_slice(self.last.as_bytes());
        put_lineage(&mut header, ANCESTORS_AT, LINEAGE_AT, &self.lineage);
        put_name(&mut header, NAME_AT, self.name);
        header
    }

    /// Reads a header; `None` if encoding it again does not give the same bytes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let old = u16_at(bytes, 8) == 1;
        let most = if old { 1 } else { Lineage::LIMIT };
        let header = Self {
            log: LogId::from_bytes(array_at(bytes, 16)),
            sequence: u64_at(bytes, 32),
            last: hash_at(bytes, 40),
            name: if old { None } else { name_at(bytes, NAME_AT)? },
            lineage: lineage_at(bytes, ANCESTORS_AT, LINEAGE_AT, most)?,
        };
        let mut again = header.encode();
        if old {
            again[8..12].copy_from_slice(&[1, 0, 1, 0]);
        }
        (again.get(..bytes.len()) == Some(bytes)).then_some(header)
    }
}
