//! Why the notifier does not open, and why a read of the log has no answer.

use milepost_ledger::EntryError;
use milepost_ledger::journal::ReadError;
use milepost_types::{LedgerKind, Rejection};

/// Why the notifier cannot be opened or an operator's reset is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be opened.
    #[error("the notifier's ledger cannot be opened")]
    Ledger(#[from] milepost_ledger::Error),
    /// A source's URL is malformed.
    #[error("the {source_kind} cannot be followed")]
    Source {
        /// Whose.
        source_kind: LedgerKind,
        /// What is wrong with it.
        source: milepost_client::Error,
    },
    /// A follower could not be reset.
    #[error("the follower of the {source_kind} cannot be reset: {what}")]
    Reset {
        /// Whose.
        source_kind: LedgerKind,
        /// Why.
        what: String,
    },
}

/// Why a read of the log has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFailure {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] Rejection),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadError),
    /// An entry cannot be understood.
    #[error("an entry cannot be understood")]
    Entry(#[from] EntryError),
}
