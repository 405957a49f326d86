//! The file journal: the truth of a ledger in append-only segment files of our own.
//!
//! A directory holds `00000001.segment` and so on (layout: `segment` and `frame`), `witness` (how
//! far the log is known to be durable) and `lock`; nothing else is tolerated there.
//!
//! Invariants: an append is one `pwrite` and one `fdatasync`, and nobody sees it before the sync;
//! the first error of a write or sync ends all writing for ever (never retry a failed sync: the
//! kernel may have dropped the data and forgotten the error). What cannot be read is never written
//! over: the one thing that opening cuts off is a torn tail, and it says so. Segments are never
//! removed. This file holds the parts together; `scan` and `open` recover, `append` writes, `read`
//! reads, `verify` walks the hash chain.

mod append;
mod frames;
mod length;
mod open;
mod read;
mod scan;
mod verify;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{LedgerName, Lineage, LogId, Position};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use self::verify::{Verified, verify};
use super::disk::{Disk, DiskFile};
use super::segment::{FORMAT, Head};
use super::witness;
use super::{
    AppendError, Block, Damage, DiskRoom, Expected, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry,
};

/// How a file journal is kept; every value has a sound default.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// The length of a segment file in bytes, reserved when it is made (default 64 MiB; at least
    /// 8 KiB). A block that is larger gets a segment of its own size; where the disk has too little
    /// room above the floor, a segment is shorter.
    pub segment_bytes: u64,
    /// So many bytes stay free on the file system (default 256 MiB): below, and where not even the
    /// shortest segment that holds a block fits above, appends are refused.
    pub min_free_bytes: u64,
    /// The newest entries kept in memory for followers, in bytes (default 8 MiB).
    pub cache_bytes: usize,
    /// The witness is written after at most this many appends (default 128) …
    pub witness_appends: u32,
    /// … or this many bytes (default 4 MiB), and on a clean stop.
    pub witness_bytes: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            min_free_bytes: 256 << 20,
            cache_bytes: 8 << 20,
            witness_appends: 128,
            witness_bytes: 4 << 20,
        }
    }
}

/// Why a journal was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is stored cannot be trusted; nothing was written.
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
        "{} holds the journal of the {found}, not of the {expected}; put the {expected}'s own journal there, and \
         this one where the {found} keeps its own", dir.display()
    )]
    OtherLedger {
        /// The journal's directory.
        dir: PathBuf,
        /// Whose journal it is.
        found: LedgerName,
        /// Whose it was to be.
        expected: LedgerName,
    },
    /// Somebody else has it open.
    #[error("{} is in use by {}", dir.display(), holder(*pid))]
    Locked {
        /// The journal's directory.
        dir: PathBuf,
        /// The process that has it, if it can be told.
        pid: Option<u32>,
    },
    /// Something in the directory that no journal puts there.
    #[error("{} is not a file of a journal; a journal's directory holds nothing else", path.display())]
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
    /// There is no journal to read.
    #[error("{} holds no journal", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// There is a journal already where one was to be created.
    #[error("{} holds a journal already", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// The disk refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// An `OpenError` for a call of the operating system.
fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { action, path: path.to_owned(), source }
}

/// An open segment file.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    head: Head,
}

impl Segment {
    fn damage(&self, offset: u64, sequence: u64, what: impl fmt::Display) -> Damage {
        Damage { segment: self.path.clone(), offset, sequence, what: what.to_string() }
    }
}

/// What the next append is expected to take at most, when it is asked whether there is room for it.
const NEXT_BYTES: u64 = 4096;

/// What a log is, as the heads of its segments say.
#[derive(Debug, Clone)]
struct Identity {
    name: LedgerName,
    log: LogId,
    lineage: Lineage,
}

/// A journal in a directory.
pub struct FileJournal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    floor_bytes: u64,
    segment_bytes: u64,
    name: LedgerName,
    log: LogId,
    lineage: Lineage,
    /// What readers may see; never held during I/O.
    durable: RwLock<read::Durable>,
    /// Holds the lock too. None when it is closed, poisoned or was opened for reading only.
    writer: Mutex<Option<append::Writer>>,
    tail: watch::Receiver<Position>,
    /// Apart from the writer, which is locked during a sync.
    poisoned: Mutex<Option<String>>,
}

impl FileJournal {
    /// Opens the journal in `dir` for reading and appending, after reading all of it; creates one
    /// with a new log id if the directory is empty or missing. Cuts off a torn tail, with a warning.
    ///
    /// # Errors
    /// If it is another ledger's, damaged, newer, in use, not a journal, or the disk refuses.
    pub fn open(
        dir: &Path,
        expected: Expected,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, OpenError> {
        open::open(dir, expected, options, disk)
    }

    /// Creates a journal with this log id in `dir`, which is empty or missing; `lineage` is what the log
    /// was restored from.
    ///
    /// # Errors
    /// `Exists` if there is one; else as `open`.
    pub fn create(
        dir: &Path,
        name: LedgerName,
        log: LogId,
        lineage: impl Into<Lineage>,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, OpenError> {
        open::create(dir, Identity { name, log, lineage: lineage.into() }, options, disk)
    }

    /// Opens the journal in `dir` for reading, after reading all of it. Writes nothing and takes no
    /// lock: it may run beside a live process, and then sees the log as it was about now. A torn
    /// tail is left alone and not shown. Appends are refused.
    ///
    /// # Errors
    /// If it is another ledger's, damaged, newer, not a journal, missing, or the disk refuses.
    pub fn open_read_only(
        dir: &Path,
        expected: Expected,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, OpenError> {
        open::open_read_only(dir, expected, options, disk)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Journal for FileJournal {
    fn append(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        self.append_block(after, block)
    }

    fn read(&self, after: &Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.read_after(after, true, limit)
    }

    fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        let after = Position { sequence, ..Position::start(self.log) };
        self.read_after(&after, false, limit)
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.tail.clone()
    }

    fn info(&self) -> JournalInfo {
        let durable = self.durable.read();
        let segments: u64 = durable.segments.iter().map(|indexed| indexed.segment.head.capacity).sum();
        JournalInfo {
            name: Some(self.name),
            log: self.log,
            tail: durable.tail,
            format: FORMAT,
            lineage: self.lineage.clone(),
            disk_bytes: segments + witness::FILE_BYTES,
        }
    }

    fn room(&self) -> io::Result<Option<DiskRoom>> {
        let (end, capacity) = match self.durable.read().segments.last() {
            Some(last) => (last.end, last.segment.head.capacity),
            None => (0, 0),
        };
        let needed_bytes =
            if end + NEXT_BYTES > capacity { length::least(self.segment_bytes, NEXT_BYTES) } else { 0 };
        let free_bytes = self.disk.free_bytes(&self.dir)?;
        Ok(Some(DiskRoom { free_bytes, floor_bytes: self.floor_bytes, needed_bytes }))
    }

    fn in_memory(&self, sequence: u64) -> bool {
        self.durable.read().keeps(sequence)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn poisoned(&self) -> Option<String> {
        self.poisoned.lock().clone()
    }

    fn close(&self) -> io::Result<()> {
        self.close_writer()
    }
}

impl fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJournal")
            .field("dir", &self.dir)
            .field("name", &self.name)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
