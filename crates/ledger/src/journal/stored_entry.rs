//! One entry as a journal keeps it, and the hash chain that connects entries.
//!
//! Invariant: an entry's hash is SHA-256 over the hash of the entry before and the entry's bytes; this never
//! changes. The bytes are not interpreted here.

use bytes::Bytes;
use milepost_types::Hash;
use sha2::{Digest, Sha256};

/// One entry as a journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// SHA-256 over the hash of the entry before and `bytes`.
    pub hash: Hash,
    /// The encoded `milepost.journal.v1.Entry`.
    pub bytes: Bytes,
}

/// The hash of an entry with these stored bytes, chained to the hash of the entry before.
pub fn chain(previous: &Hash, bytes: &[u8]) -> Hash {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(bytes);
    Hash::from_bytes(digest.finalize().into())
}
