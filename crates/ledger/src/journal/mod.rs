//! The journal: what happened, in order, kept permanently. The trait that every engine implements.
//!
//! Invariants: sequences run 1, 2, 3 … without gaps; an append is durable whole when it returns and
//! absent whole when it is refused; `after` fences it, so two writers can never both append at one
//! position. A journal does not interpret entries: it keeps bytes, sequences and hashes.

#[doc(hidden)]
pub mod conformance;
pub mod disk;
mod engine;
mod entries;
pub mod export;
pub mod file;
mod frame;
pub mod memory;
mod room;
mod segment;
#[doc(hidden)]
pub mod sim;
mod stored_entry;
mod witness;

use std::path::PathBuf;

use milepost_types::{Hash, LedgerName, Lineage, LogId, Position};
use tokio::sync::watch;

pub use self::engine::{Engine, OpenMode, open};
pub use self::entries::Entries;
pub use self::room::DiskRoom;
pub(crate) use self::room::shortage;
pub use self::stored_entry::{StoredEntry, chain};

/// The entries of one group commit; never empty, sequences consecutive.
#[derive(Debug, Clone)]
pub struct Block {
    /// The hash of the entry before the first of `entries`; zero for the first of a log.
    pub previous: Hash,
    /// At least one.
    pub entries: Vec<StoredEntry>,
}

impl Block {
    /// Checks that the block continues the log after `tail`, whose whole hash is `hash`. Hashes are not computed.
    ///
    /// # Errors
    /// `Malformed` says what is wrong.
    pub fn check(&self, tail: &Position, hash: &Hash) -> Result<(), AppendError> {
        let what = if self.entries.is_empty() {
            "it has no entries"
        } else if !self
            .entries
            .iter()
            .map(|entry| entry.sequence)
            .eq((tail.sequence + 1..).take(self.entries.len()))
        {
            "its sequences do not follow the tail without gaps"
        } else if self.previous != *hash {
            "its previous hash is not the tail's"
        } else {
            return Ok(());
        };
        Err(AppendError::Malformed { what })
    }
}

/// How much one `read` may return; at least one entry is returned if there is one, however large.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// At most this many entries.
    pub entries: usize,
    /// Stop once this many bytes of entries were taken.
    pub bytes: usize,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { entries: 1024, bytes: 1 << 20 }
    }
}

/// The ledger whose log is opened or restored; the log of another is refused.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The name of the ledger.
    pub name: LedgerName,
    /// The ledger that wrote an entry, if the entry shows it: logs and exports of format 1 have no name, and
    /// are identified by their first entry.
    pub writer_of: fn(&StoredEntry) -> Option<LedgerName>,
}

impl Expected {
    /// The log of the ledger with this name; entries are not used to identify it.
    pub fn named(name: LedgerName) -> Self {
        Self { name, writer_of: |_| None }
    }

    /// The name of a log or, without one, the ledger that its first entry shows, if it differs from the expected
    /// one.
    pub(crate) fn other(&self, name: Option<LedgerName>, first: Option<&StoredEntry>) -> Option<LedgerName> {
        let found = name.or_else(|| first.and_then(self.writer_of));
        found.filter(|found| *found != self.name)
    }
}

/// What an engine knows about its log.
#[derive(Debug, Clone)]
pub struct JournalInfo {
    /// The ledger whose log it is; `None` if the engine does not know.
    pub name: Option<LedgerName>,
    /// The log's identity.
    pub log: LogId,
    /// The last durable position.
    pub tail: Position,
    /// The format the log is written in, from 1.
    pub format: u16,
    /// What this log was restored from.
    pub lineage: Lineage,
    /// The size of the log on disk in bytes, preallocated space included; 0 for an engine without a disk.
    pub disk_bytes: u64,
}

impl JournalInfo {
    /// The equivalent of a position in this log: for one of an ancestor log, the same sequence, up to the fork.
    /// `None`: it belongs to another history.
    pub fn resolve(&self, position: Position) -> Option<Position> {
        self.lineage.resolve(self.log, position)
    }
}

/// The journal of one ledger.
pub trait Journal: Send + Sync + 'static {
    /// Appends `block` just after `after`, durably.
    ///
    /// # Errors
    /// `Conflict` if the tail is not `after`; nothing was written. Any other error but `DiskLow`,
    /// `TooLarge` and `Malformed` poisons the journal: it must not be appended to again in this process.
    fn append(&self, after: &Position, block: &Block) -> Result<Position, AppendError>;

    /// The entries after `after`, in order; empty at the tail. Never blocks for new entries. `after` may be a
    /// position of a log that this one was restored from, up to the fork: see [`JournalInfo::resolve`].
    ///
    /// # Errors
    /// `Diverged` if `after` is not a position of this history, `Ahead` if it is past the tail,
    /// `Damaged` if what is stored cannot be trusted.
    fn read(&self, after: &Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError>;

    /// Like `read`: the entries after the one with this sequence (0: from the first), which the
    /// caller trusts; no hashes are compared.
    ///
    /// # Errors
    /// As `read`, without `Diverged`.
    fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError>;

    /// The last durable position; changes when it moves. Closed when the journal is poisoned.
    fn tail(&self) -> watch::Receiver<Position>;

    /// Identity, format and size.
    fn info(&self) -> JournalInfo;

    /// The disk space for the next append, measured now; `None` if the engine has no disk of its own.
    /// May block.
    ///
    /// # Errors
    /// If the disk cannot be measured.
    fn room(&self) -> std::io::Result<Option<DiskRoom>> {
        Ok(None)
    }

    /// Whether a read of the entry with this sequence is answered from memory, without waiting for a
    /// disk or a network.
    fn in_memory(&self, sequence: u64) -> bool;

    /// Whether another process may append to the same log: then the ledger watches the tail.
    fn is_shared(&self) -> bool;

    /// Why the journal takes no more appends, if it does not.
    fn poisoned(&self) -> Option<String>;

    /// Records a clean stop on the disk. Called once, after the last append.
    ///
    /// # Errors
    /// If it could not be recorded.
    fn close(&self) -> std::io::Result<()>;
}

/// Damage in a stored log: what, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}, in {} at byte {offset}, near sequence {sequence}", segment.display())]
pub struct Damage {
    /// The file.
    pub segment: PathBuf,
    /// The byte in the file where the bad frame starts.
    pub offset: u64,
    /// The sequence that was expected there.
    pub sequence: u64,
    /// What was found.
    pub what: String,
}

/// Why an append did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another process appended first.
    #[error("the journal's tail is {tail}, not the position that the append was to follow")]
    Conflict {
        /// The tail.
        tail: Position,
    },
    /// The disk has less space than the block and the configured floor need; nothing was written.
    #[error("{0}")]
    DiskLow(DiskRoom),
    /// The block does not continue the log after its `after`; nothing was written. A bug of the caller.
    #[error("the block is malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The block is larger than the engine can frame; nothing was written.
    #[error("the block has {bytes} bytes; the engine takes at most {limit}")]
    TooLarge {
        /// The size of the block.
        bytes: u64,
        /// The engine's limit.
        limit: u64,
    },
    /// A write or sync failed, now or before; whether this block is durable is unknown.
    #[error("the journal is closed for writing: {reason}")]
    Poisoned {
        /// The first failure.
        reason: String,
    },
}

impl ReadError {
    /// A position that a log of this lineage, which ends at `tail`, cannot resolve.
    pub(crate) fn elsewhere(asked: Position, lineage: &Lineage, tail: Position) -> Self {
        let fork = lineage.fork_of(asked.log);
        Self::Diverged { asked, have: fork.map_or(tail, |fork| Position { log: tail.log, ..fork }) }
    }
}

/// Why a read did not return entries.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The position belongs to another log or another history of this one.
    #[error("position {asked} is of another history; this log has {have}")]
    Diverged {
        /// The requested position.
        asked: Position,
        /// This log's position at that sequence; the fork, if the requested position is after it in an ancestor
        /// log; the tail, if it is in an unrelated log.
        have: Position,
    },
    /// The position is past the tail.
    #[error("position {asked} is ahead of the log, which ends at {tail}")]
    Ahead {
        /// The requested position.
        asked: Position,
        /// Where the log ends.
        tail: Position,
    },
    /// The stored log is damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
