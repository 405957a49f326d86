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
}

/// For people and logs: `{log}/{sequence}@{hash prefix}`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.log, self.sequence, self.hash)
    }
}
