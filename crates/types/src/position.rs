//! Where an entry stands: log id, sequence, and the first bytes of the entry's hash.
//!
//! Invariant: two positions of one log with the same sequence and different hashes belong to
//! different histories (one was restored to an older state and grew again), so nothing may be
//! resumed from one in the other. Opaque text forms live in `cursor` and `revision`.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::violation::Fault;

/// The identity of one journal, made when the journal is created and never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(Uuid);

impl LogId {
    /// A log id from 128 bits that the caller drew.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// A new log id from the operating system's random source.
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }

    /// The 128 bits, big end first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a log id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a log id is a UUID of 36 characters such as 0195f3a0-7c1e-4b6e-9d55-2f1f0a8d3c11")]
pub struct LogIdError;

impl Fault for LogIdError {
    fn reason(&self) -> &'static str {
        "INVALID_LOG_ID"
    }
}

impl FromStr for LogId {
    type Err = LogIdError;

    fn from_str(text: &str) -> Result<Self, LogIdError> {
        if text.len() != 36 {
            return Err(LogIdError);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| LogIdError)
    }
}

/// The SHA-256 of an entry: over the hash of the entry before it and its own stored bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash "before" the first entry of every log.
    pub const ZERO: Hash = Hash([0; 32]);

    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes, as a position carries them.
    pub fn prefix(&self) -> HashPrefix {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.0[..8]);
        HashPrefix(prefix)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The first eight bytes of an entry's hash: enough to notice another history.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct HashPrefix([u8; 8]);

impl HashPrefix {
    /// A prefix from its bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The eight bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a log: just after the entry with this sequence. Sequence 0 is before the first entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Position {
    /// The log that the sequence counts in.
    pub log: LogId,
    /// The entry's sequence, from 1; 0 is the start of the log.
    pub sequence: u64,
    /// The first bytes of the entry's hash; zero at the start of the log.
    pub hash: HashPrefix,
}

impl Position {
    /// The position before the first entry of `log`.
    pub const fn start(log: LogId) -> Self {
        Self { log, sequence: 0, hash: HashPrefix([0; 8]) }
    }

    /// The position just after the entry with this sequence and hash.
    pub fn after(log: LogId, sequence: u64, hash: &Hash) -> Self {
        Self { log, sequence, hash: hash.prefix() }
    }

    /// `log id (16), sequence (8, big end first), hash prefix (8)`, as it is stored in tokens and rows.
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(self.log.as_bytes());
        bytes[16..24].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[24..].copy_from_slice(self.hash.as_bytes());
        bytes
    }

    /// The position of [`Position::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (mut log, mut sequence, mut hash) = ([0; 16], [0; 8], [0; 8]);
        log.copy_from_slice(&bytes[..16]);
        sequence.copy_from_slice(&bytes[16..24]);
        hash.copy_from_slice(&bytes[24..]);
        Self { log: LogId::from_bytes(log), sequence: u64::from_be_bytes(sequence), hash: HashPrefix(hash) }
    }

    /// The position that the fields of a message tell; `None` if one is malformed. At sequence 0 the hash is
    /// not looked at.
    pub fn from_fields(log_id: &str, sequence: u64, hash_prefix: &[u8]) -> Option<Self> {
        let log = log_id.parse().ok()?;
        if sequence == 0 {
            return Some(Position::start(log));
        }
        Some(Self { log, sequence, hash: HashPrefix(hash_prefix.try_into().ok()?) })
    }
}

/// For people and logs: `{log}/{sequence}@{hash prefix}`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.log, self.sequence, self.hash)
    }
}

/// A text that is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is {{log id}}/{{sequence}}@{{hash prefix}}")]
pub struct PositionError;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let read = || {
            let (log, rest) = text.split_once('/')?;
            let (sequence, hash) = rest.split_once('@')?;
            let hexadecimal = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            let hash = u64::from_str_radix(hash, 16).ok().filter(|_| hexadecimal)?;
            let (log, sequence) = (log.parse().ok()?, sequence.parse().ok()?);
            Some(Self { log, sequence, hash: HashPrefix(hash.to_be_bytes()) })
        };
        read().ok_or(PositionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Position = Position {
        log: LogId::from_bytes([7; 16]),
        sequence: 258,
        hash: HashPrefix([0xf0, 1, 2, 3, 4, 5, 6, 255]),
    };

    /// Persisted: tokens and stores hold these bytes.
    #[test]
    fn the_bytes_of_a_position_never_change() {
        let golden = [&[7; 16][..], &[0, 0, 0, 0, 0, 0, 1, 2], &[0xf0, 1, 2, 3, 4, 5, 6, 255]].concat();
        assert_eq!(POSITION.to_bytes(), *golden);
        assert_eq!(Position::from_bytes(&POSITION.to_bytes()), POSITION);
    }

    #[test]
    fn a_position_is_read_back_from_its_text_and_from_fields() {
        for position in [POSITION, Position::start(POSITION.log)] {
            let Position { log, sequence, hash } = position;
            assert_eq!(position.to_string().parse(), Ok(position));
            assert_eq!(Position::from_fields(&log.to_string(), sequence, hash.as_bytes()), Some(position));
        }
        for text in ["", "x/1@00", "12", &POSITION.to_string()[1..]] {
            assert_eq!(text.parse::<Position>(), Err(PositionError), "{text}");
        }
        let log = POSITION.log.to_string();
        assert_eq!(Position::from_fields(&log, 0, &[]), Some(Position::start(POSITION.log)));
        assert_eq!(Position::from_fields(&log, 1, &[1; 7]), None);
        assert_eq!(Position::from_fields("x", 1, &[1; 8]), None);
    }
}
