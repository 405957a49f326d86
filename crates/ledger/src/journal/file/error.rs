//! Why a journal was not opened.
//!
//! Invariant: an open that fails has repaired nothing: what is stored is as it was, but for modes and the lock file.

use std::io;
use std::path::{Path, PathBuf};

use milepost_types::LedgerName;

use super::super::Damage;
use super::super::segment::FORMAT;

/// Why a journal was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The stored log is damaged; nothing was written.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A newer version wrote it; nothing was written.
    #[error(
        "{} was written by a newer version: its format is {format}, for readers of {min_reader} or later; \
         this version reads {FORMAT}", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u16,
        /// The oldest reader that may open it.
        min_reader: u16,
    },
    /// It is the log of another ledger; nothing was written.
    #[error(
        "{} holds the journal of the {found}, not of the {expected}; put the {expected}'s journal there, and \
         move this one to the directory of the {found}", dir.display()
    )]
    OtherLedger {
        /// The journal's directory.
        dir: PathBuf,
        /// The ledger that it is the journal of.
        found: LedgerName,
        /// The ledger that was expected.
        expected: LedgerName,
    },
    /// Another process has it open.
    #[error("{} is in use by {}", dir.display(), holder(*pid))]
    Locked {
        /// The journal's directory.
        dir: PathBuf,
        /// The id of that process, if it can be read.
        pid: Option<u32>,
    },
    /// The directory contains a file that does not belong to a journal.
    #[error("{} is not a file of a journal; a journal's directory may contain nothing else", path.display())]
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
    /// There is no journal.
    #[error("{} holds no journal", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds a journal already, and one was to be created.
    #[error("{} holds a journal already", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// A system call failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Makes the error of a system call an `OpenError`.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { action, path: path.to_owned(), source }
}
