//! Why a ledger does not open, why a command has no receipt, and why a position was not reached.
//!
//! Invariant: for every `SubmitError` but `Failed` the command had no effect. What clients see of these is not here.

use std::path::PathBuf;
use std::time::Duration;

use milepost_types::{LedgerName, Position};

use crate::entry::EntryError;
use crate::journal::{DiskRoom, ReadError};
use crate::store::StoreError;

/// Why a ledger cannot be opened, or stopped working.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadError),
    /// An entry cannot be decoded.
    #[error("the journal holds an entry that this version cannot use")]
    Entry(#[from] EntryError),
    /// The store cannot be used, and rebuilding it failed or would not help.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// The store has applied entries that the journal lacks: they are lost, or it is the wrong journal.
    #[error(
        "the store in {} is at {store}, but its journal is at {journal}: entries are missing; replace the \
         journal with the right one, or, if it is the right one, rebuild the store from it with \
         `milepost store rebuild`",
        dir.display()
    )]
    StoreAhead {
        /// The directory of store and journal.
        dir: PathBuf,
        /// Where the store is.
        store: Position,
        /// Where the journal ends.
        journal: Position,
    },
    /// An entry cannot be decoded or applied: the journal is damaged, or not this ledger's. Nothing was
    /// skipped, and nothing after it was read.
    #[error(
        "entry {sequence} of {} cannot be used: {what}; nothing was skipped: put the right journal in place, or \
         restore the ledger from an export", journal_of(*ledger)
    )]
    Unusable {
        /// The ledger whose name the journal has.
        ledger: Option<LedgerName>,
        /// The entry.
        sequence: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

fn journal_of(ledger: Option<LedgerName>) -> String {
    ledger.map_or_else(|| "the journal".to_owned(), |ledger| format!("the {ledger}'s journal"))
}

/// Why a command has no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError<R> {
    /// The rules reject it.
    #[error("the command was rejected")]
    Rejected(R),
    /// Its request id was used before with another body.
    #[error("request id {id} was used before for another request")]
    RequestIdReused {
        /// The request id.
        id: String,
    },
    /// Its effect is too large for one entry.
    #[error("the change takes {bytes} bytes; one entry takes at most {limit}")]
    EntryTooLarge {
        /// The size of the entry.
        bytes: usize,
        /// The configured `max_entry_bytes`.
        limit: usize,
    },
    /// Its deadline passed before its turn; it had no effect.
    #[error("the deadline passed before the command took effect")]
    DeadlineExceeded,
    /// The queue stayed full until its deadline.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The rules panicked on it, or could not apply what they had decided; it had no effect.
    #[error("the command failed inside the server: {message}")]
    Panicked {
        /// The message of the panic, or of the rules.
        message: String,
    },
    /// The disk has too little space; it had no effect.
    #[error("{0}")]
    DiskLow(DiskRoom),
    /// The ledger is closing; it had no effect.
    #[error("the ledger is closing")]
    Closing,
    /// The journal or the store failed. Whether it had an effect is known after a restart: retry
    /// with the same request id.
    #[error("the ledger has failed: {reason}")]
    Failed {
        /// The first failure.
        reason: String,
    },
}

/// Why a position was not reached.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WaitError {
    /// It belongs to another log or history than this ledger's.
    #[error("position {asked} is of another history; this ledger is at {have}")]
    Diverged {
        /// The position that was waited for.
        asked: Position,
        /// Where the ledger is.
        have: Position,
    },
    /// It was not reached in time.
    #[error("position {asked} was not reached within {waited:?}; the ledger is at {have}")]
    TimedOut {
        /// The position that was waited for.
        asked: Position,
        /// Where the ledger is.
        have: Position,
        /// How long the call waited.
        waited: Duration,
    },
    /// The ledger closed or failed meanwhile.
    #[error("the ledger is closing")]
    Closing,
    /// The journal cannot be read to check the position.
    #[error("the journal cannot be read: {reason}")]
    Journal {
        /// Why.
        reason: String,
    },
}
