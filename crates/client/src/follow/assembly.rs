//! Assembles whole entries from fragments and checks each against the entry before.
//!
//! Invariant: the output is a gapless run after the start, whose hashes chain. Of a response that breaks this,
//! the entries before the break are returned with the fault; the rest changes nothing.

use bytes::{Bytes, BytesMut};
use milepost_proto::journal::v1::EntryFragment;
use milepost_types::{Hash, LogId, Position};
use sha2::{Digest, Sha256};

use super::FollowedEntry;

/// Why a response is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the log is another than that of {asked}")]
    OtherLog { asked: Position },
    #[error("entry {found} came where entry {expected} was due")]
    OutOfOrder { expected: u64, found: u64 },
    #[error("entry {sequence} came without its hash")]
    NoHash { sequence: u64 },
    #[error("entry {sequence} does not fit the hash chain")]
    Unchained { sequence: u64 },
    #[error("entry {sequence} is too large")]
    TooLarge { sequence: u64 },
}

/// The last whole entry, and the fragments of the next.
#[derive(Debug)]
pub(super) struct Assembly {
    after: Option<Position>,
    /// The whole hash of the last entry, once it is known.
    hash: Option<Hash>,
    partial: Option<Partial>,
    max_entry_bytes: usize,
}

/// An entry that came in one piece stays where it was received; one in several is copied together.
#[derive(Debug)]
enum Partial {
    One(Bytes),
    Many(BytesMut),
}

impl Partial {
    fn len(&self) -> usize {
        match self {
            Partial::One(bytes) => bytes.len(),
            Partial::Many(bytes) => bytes.len(),
        }
    }

    fn with(self, data: &[u8]) -> Self {
        let mut bytes = match self {
            Partial::One(bytes) => BytesMut::from(bytes),
            Partial::Many(bytes) => bytes,
        };
        bytes.extend_from_slice(data);
        Partial::Many(bytes)
    }

    fn whole(self) -> Bytes {
        match self {
            Partial::One(bytes) => bytes,
            Partial::Many(bytes) => bytes.freeze(),
        }
    }
}

impl Assembly {
    pub(super) fn new(after: Option<Position>, max_entry_bytes: usize) -> Self {
        // Only before the first entry is the whole hash known from a position.
        let hash = after.is_none_or(|after| after.sequence == 0).then_some(Hash::ZERO);
        Self { after, hash, partial: None, max_entry_bytes }
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.after
    }

    /// The same place in another log: hashes do not contain the log's id, so the chain goes on.
    pub(super) fn go_on(&mut self, after: Position) {
        self.after = Some(after);
    }

    /// The connection is gone: the entry comes again from its first byte.
    pub(super) fn forget_partial(&mut self) {
        self.partial = None;
    }

    /// Takes a response of a server whose log is at `tail`.
    pub(super) fn take(
        &mut self,
        fragments: Vec<EntryFragment>,
        tail: &Position,
    ) -> (Vec<FollowedEntry>, Option<Fault>) {
        if let Some(asked) = self.after.filter(|after| after.log != tail.log) {
            return (Vec::new(), Some(Fault::OtherLog { asked }));
        }
        let mut entries = Vec::new();
        for fragment in fragments {
            match self.fragment(fragment, tail.log) {
                Ok(None) => {}
                Ok(Some(entry)) => entries.push(entry),
                Err(fault) => return (entries, Some(fault)),
            }
        }
        (entries, None)
    }

    fn fragment(&mut self, fragment: EntryFragment, log: LogId) -> Result<Option<FollowedEntry>, Fault> {
        let sequence = fragment.sequence;
        let expected = self.after.map_or(0, |after| after.sequence) + 1;
        if sequence != expected {
            return Err(Fault::OutOfOrder { expected, found: sequence });
        }
        if self.partial.as_ref().map_or(0, Partial::len) + fragment.data.len() > self.max_entry_bytes {
            return Err(Fault::TooLarge { sequence });
        }
        let partial = match self.partial.take() {
            None => Partial::One(fragment.data),
            Some(partial) => partial.with(&fragment.data),
        };
        if !fragment.last {
            self.partial = Some(partial);
            return Ok(None);
        }
        let hash: [u8; 32] = fragment.hash.as_ref().try_into().map_err(|_| Fault::NoHash { sequence })?;
        let (hash, bytes) = (Hash::from_bytes(hash), partial.whole());
        if self.hash.is_some_and(|previous| chain(&previous, &bytes) != hash) {
            return Err(Fault::Unchained { sequence });
        }
        self.hash = Some(hash);
        self.after = Some(Position::after(log, sequence, &hash));
        Ok(Some(FollowedEntry { sequence, hash, bytes }))
    }
}

/// As the ledger chains its entries.
pub(super) fn chain(previous: &Hash, bytes: &[u8]) -> Hash {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(bytes);
    Hash::from_bytes(digest.finalize().into())
}
