//! The choice of a journal engine, and the one function that opens it.
//!
//! Invariant: only this file and tests name a concrete engine; everybody else has a `Journal`, so that a later engine
//! is added here alone. The memory engine is for tests and cannot be configured.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use milepost_types::{Lineage, LogId};

use super::disk::{Disk, SystemDisk};
use super::file::{FileJournal, FileOptions, OpenError};
use super::{Expected, Journal};

/// The engine that a configuration asks for.
#[derive(Clone)]
pub enum Engine {
    /// Append-only segment files in a directory.
    File {
        /// How they are kept.
        options: FileOptions,
        /// The disk that they are on.
        disk: Arc<dyn Disk>,
    },
}

impl Engine {
    /// The file engine on the disk of this machine.
    pub fn file(options: FileOptions) -> Self {
        Self::File { options, disk: Arc::new(SystemDisk) }
    }
}

impl Default for Engine {
    /// The file engine with its default options.
    fn default() -> Self {
        Self::file(FileOptions::default())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { options, .. } => {
                f.debug_struct("File").field("options", options).finish_non_exhaustive()
            }
        }
    }
}

/// What a journal is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading and appending, by this process alone; a missing log is created.
    ReadWrite,
    /// For reading, beside a process that may be appending; nothing is written.
    ReadOnly,
    /// For a new log, which must not exist yet.
    Create {
        /// The id of the new log.
        log: LogId,
        /// The logs that it is restored from.
        lineage: Lineage,
    },
}

/// Opens the journal of a ledger in `dir` with the engine that the configuration asks for. May take long: all of it
/// is read.
///
/// # Errors
/// If it belongs to another ledger, is damaged, newer or in use, is missing or exists against the mode, or the disk
/// fails.
pub fn open(
    engine: Engine,
    dir: &Path,
    expected: Expected,
    mode: OpenMode,
) -> Result<Arc<dyn Journal>, OpenError> {
    let Engine::File { options, disk } = engine;
    let journal = match mode {
        OpenMode::ReadWrite => FileJournal::open(dir, expected, options, disk)?,
        OpenMode::ReadOnly => FileJournal::open_read_only(dir, expected, options, disk)?,
        OpenMode::Create { log, lineage } => {
            FileJournal::create(dir, expected.name, log, lineage, options, disk)?
        }
    };
    Ok(Arc::new(journal))
}
