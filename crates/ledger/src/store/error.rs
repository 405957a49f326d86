//! Why a store cannot be used.
//!
//! Invariant: `Damaged` is what a rebuild from the journal repairs; nothing else is reported as damage.

use std::path::{Path, PathBuf};

use milepost_types::Position;

/// Why a store cannot be used. Its journal can rebuild it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is damaged, or was not completely written.
    #[error("the store in {} is damaged: {what}", dir.display())]
    Damaged {
        /// Its directory.
        dir: PathBuf,
        /// What was found.
        what: String,
        /// The last entry that the store has recorded as applied, if that can still be read.
        reached: Option<Position>,
    },
    /// Another process has it open.
    #[error("the store in {} is open in another process", dir.display())]
    Locked {
        /// Its directory.
        dir: PathBuf,
    },
    /// An operation on its files failed.
    #[error("cannot use the store in {}", dir.display())]
    Io {
        /// Its directory.
        dir: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl StoreError {
    /// The same error, where damage carries the position that the store had reached, unless it has one already.
    pub(super) fn with_reached(self, reached: Option<Position>) -> Self {
        match self {
            Self::Damaged { dir, what, reached: known } => {
                Self::Damaged { dir, what, reached: known.or(reached) }
            }
            other => other,
        }
    }

    /// The error of a copy, reported with the directory `original`.
    pub(super) fn of_original(self, original: &Path) -> Self {
        let original = original.to_owned();
        match self {
            Self::Damaged { what, reached, .. } => Self::Damaged { dir: original, what, reached },
            Self::Locked { .. } => Self::Locked { dir: original },
            // The copy's own disk failed, so its directory is the one to report.
            Self::Io { dir, source } => Self::Io { dir, source },
        }
    }

    /// The message with its cause, in one line.
    pub(crate) fn with_source(&self) -> String {
        let source = std::error::Error::source(self).map(|source| format!(": {source}"));
        format!("{self}{}", source.unwrap_or_default())
    }
}
