//! What a follower delivers: whole entries as they are stored, and the tail of the log that they come from.
//!
//! Invariant: the bytes are those of the source's journal, so that their hash can be checked; nothing is decoded
//! here.

use std::time::Instant;

use bytes::Bytes;
use milepost_types::{GoOn, Hash, Position};

/// An entry as it is stored in the log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedEntry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// Its place in the chain.
    pub hash: Hash,
    /// The encoded `milepost.journal.v1.Entry`.
    pub bytes: Bytes,
}

/// What a response brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowBatch {
    /// Set if the log is another than the one that was followed, and was restored from it: these entries, and
    /// all that follow, are of the new one, and go on after this.
    pub restored: Option<GoOn>,
    /// Whole entries in order; none if the response only carried the tail.
    pub entries: Vec<FollowedEntry>,
    /// The last durable position of the log when this was sent.
    pub tail: Position,
    /// A moment before this was sent, at most as much earlier as its stream took to open: the tail is no older, however
    /// late this is read.
    pub as_of: Instant,
}
