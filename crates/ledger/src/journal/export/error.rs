//! Why a log was not exported or restored.
//!
//! Invariant: whichever it is, nothing was restored. What is wrong inside an export is named by byte and sequence.

use std::io;
use std::path::PathBuf;

use milepost_types::LedgerName;

use super::super::file::OpenError;
use super::super::{AppendError, ReadError};
use super::header::FORMAT;

/// Why a log was not exported or restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadError),
    /// The hash chain of the exported log is broken.
    #[error("the hash of entry {sequence} is not that of its bytes; the journal is damaged")]
    Chain {
        /// The first entry that is wrong.
        sequence: u64,
    },
    /// The export cannot be written or read.
    #[error("the export cannot be {action}")]
    Stream {
        /// `written` or `read`.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What a log is restored from cannot be read; nothing was restored.
    #[error("the log cannot be read from where it is kept")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stream is not an export.
    #[error("this is not an export of a journal")]
    NotAnExport,
    /// A newer version wrote it.
    #[error(
        "the export has format {format}, for readers of {min_reader} or later; this version reads {FORMAT}"
    )]
    Newer {
        /// Its format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
    /// It is an export of another ledger; nothing was restored.
    #[error(
        "this is an export of the {found}, not of the {expected}; nothing was restored: give the {expected}'s \
         export, or restore this one as the {found}"
    )]
    OtherLedger {
        /// The ledger that it is an export of.
        found: LedgerName,
        /// The ledger that was expected.
        expected: LedgerName,
    },
    /// The export was changed after it was written; nothing was restored.
    #[error("the export is damaged at byte {offset}, near sequence {sequence}: {what}")]
    Damaged {
        /// The byte of the stream.
        offset: u64,
        /// The entry that was being read.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The export ends early; nothing was restored.
    #[error("the export is truncated: it ends at byte {offset}, near sequence {sequence}")]
    Truncated {
        /// Its length.
        offset: u64,
        /// The entry that was being read.
        sequence: u64,
    },
    /// The directory to restore into is not empty.
    #[error("{} exists and is not empty", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// The restored log cannot be created.
    #[error("the journal cannot be restored")]
    Open(#[from] OpenError),
    /// The restored log cannot be written.
    #[error("the journal cannot be restored")]
    Append(#[from] AppendError),
}
