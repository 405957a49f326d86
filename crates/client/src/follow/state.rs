//! The state of a follower: connecting, connected, retrying, or ended by what no retry resolves.
//!
//! Invariant: an error names the ledger and the positions that an operator needs to decide what to do.

use std::fmt;
use std::time::Instant;

use milepost_types::{LedgerKind, Position};

/// The connection of a follower to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowState {
    /// No attempt has succeeded or failed yet.
    Connecting,
    /// Entries come as they become durable.
    Connected,
    /// It cannot be followed at the moment; attempts go on.
    Unreachable {
        /// Since when.
        since: Instant,
        /// What the last attempt said, for people.
        reason: String,
    },
    /// The follower ended.
    Ended(FollowError),
}

/// Why a follower ended. Only an operator can resolve it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log is another, or was restored and went on differently.
    #[error(
        "the {ledger} cannot be followed: {asked} is where this follower stands, the log there is at {}; \
         it was restored, or is another one",
        Known(.have)
    )]
    Diverged {
        /// The log that was followed.
        ledger: LedgerKind,
        /// Where the follower stands.
        asked: Position,
        /// What the log has there, or its tail; `None` if the server did not say.
        have: Option<Position>,
    },
    /// An entry is larger than this follower takes.
    #[error("entry {sequence} of the {ledger} has more than {limit} bytes, more than this follower takes")]
    EntryTooLarge {
        /// The log that was followed.
        ledger: LedgerKind,
        /// The entry.
        sequence: u64,
        /// The bound, in bytes.
        limit: usize,
    },
}

/// A position that the server may not have named.
struct Known<'a>(&'a Option<Position>);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(position) => position.fmt(f),
            None => f.write_str("another position"),
        }
    }
}
