//! The file journal: the truth of a ledger in append-only segment files of our own.
//!
//! A directory holds `00000001.segment` and so on (layout: `segment` and `frame`), `witness` (how far the log is
//! known to be durable) and `lock`; nothing else is tolerated there.
//!
//! Invariants: an append is one `pwrite` and one `fdatasync`, and nobody sees it before the sync; the first error of
//! a write or sync ends all writing permanently (never retry a failed sync: the kernel may have dropped the data and
//! forgotten the error). What cannot be read is never overwritten: the one thing that opening cuts off is a torn
//! tail, and it logs that. Segments are never removed. This file holds the engine together; `directory`, `scan`,
//! `torn` and `open` recover, `writer` and `append` write, `durable` and `read` read, `verify` walks the hash chain, `formats` reads the headers alone.

mod append;
mod directory;
mod durable;
mod error;
mod formats;
mod frames;
mod length;
mod open;
mod options;
mod read;
mod scan;
mod segment_file;
mod torn;
mod verify;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{LedgerName, Lineage, LogId, Position};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use self::error::OpenError;
pub use self::formats::{Formats, formats};
pub use self::options::FileOptions;
pub use self::verify::{Verified, verify};
use super::disk::Disk;
use super::segment::FORMAT;
use super::witness;
use super::{AppendError, Block, DiskRoom, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry};

/// The size of the next append, when its space is asked for in advance.
const NEXT_BYTES: u64 = 4096;

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
    durable: RwLock<durable::Durable>,
    /// Holds the lock too. `None` when closed, poisoned or opened read-only.
    writer: Mutex<Option<writer::Writer>>,
    tail: watch::Receiver<Position>,
    /// Not in the writer, which is locked during a sync.
    poisoned: Mutex<Option<String>>,
}

impl FileJournal {
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
        let segments: u64 = durable.segments.iter().map(|indexed| indexed.segment.header.capacity).sum();
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
            Some(last) => (last.end, last.segment.header.capacity),
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
