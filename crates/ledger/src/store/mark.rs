//! The mark: the entry that the rows of a store are at, and their digest.
//!
//! Layout, persisted, never reused: layout number u8 (1), store version u32, log id 16, sequence u64, hash 32,
//! commit time seconds i64 and nanoseconds i32, digest rows u64, digest sum u128; integers big end first.
//!
//! Invariant: bytes of another layout or length are never read as a mark. Whether it fits a journal is decided in
//! `state`.

use jiff::Timestamp;
use milepost_types::{Hash, LogId, Position};

use super::digest::Digest;

const LAYOUT: u8 = 1;
pub(super) const MARK_BYTES: usize = 1 + 4 + 16 + 8 + 32 + 8 + 4 + 8 + 16;

/// The entry that the rows are at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) version: u32,
    pub(crate) log: LogId,
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
    pub(crate) commit_time: Timestamp,
    pub(crate) digest: Digest,
}

impl Mark {
    /// The last entry that the rows include.
    pub(crate) fn position(&self) -> Position {
        Position::after(self.log, self.sequence, &self.hash)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MARK_BYTES);
        bytes.push(LAYOUT);
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.log.as_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.hash.as_bytes());
        bytes.extend(self.commit_time.as_second().to_be_bytes());
        bytes.extend(self.commit_time.subsec_nanosecond().to_be_bytes());
        bytes.extend(self.digest.rows.to_be_bytes());
        bytes.extend(self.digest.sum.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, rest) = take::<1>(bytes)?;
        if layout != [LAYOUT] || bytes.len() != MARK_BYTES {
            return None;
        }
        let (version, rest) = take::<4>(rest)?;
        let (log, rest) = take::<16>(rest)?;
        let (sequence, rest) = take::<8>(rest)?;
        let (hash, rest) = take::<32>(rest)?;
        let (seconds, rest) = take::<8>(rest)?;
        let (nanos, rest) = take::<4>(rest)?;
        let (rows, rest) = take::<8>(rest)?;
        let (sum, _) = take::<16>(rest)?;
        Some(Self {
            version: u32::from_be_bytes(version),
            log: LogId::from_bytes(log),
            sequence: u64::from_be_bytes(sequence),
            hash: Hash::from_bytes(hash),
            commit_time: Timestamp::new(i64::from_be_bytes(seconds), i32::from_be_bytes(nanos)).ok()?,
            digest: Digest { rows: u64::from_be_bytes(rows), sum: u128::from_be_bytes(sum) },
        })
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(head, rest)| (*head, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_decodes_to_what_was_encoded() {
        let mark = Mark {
            version: 2,
            log: LogId::from_bytes([3; 16]),
            sequence: 4,
            hash: Hash::from_bytes([5; 32]),
            commit_time: Timestamp::new(6, 7).unwrap(),
            digest: Digest { rows: 8, sum: 9 },
        };
        let bytes = mark.encode();
        assert_eq!(bytes.len(), MARK_BYTES);
        assert_eq!(Mark::decode(&bytes), Some(mark));
        assert_eq!(Mark::decode(&bytes[1..]), None);
    }
}
