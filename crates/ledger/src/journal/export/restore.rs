//! Restoring an export as a new log.
//!
//! Invariant: the log gets its name only when the export was read to its last byte and everything is on the disk;
//! an attempt that fails, or is interrupted, leaves nothing that could be taken for a journal.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{Hash, LedgerName, Lineage, LogId, Position};

use super::super::disk::{Disk, LockError, parent, with_suffix};
use super::super::engine::{Engine, OpenMode, open};
use super::super::file::{FileOptions, OpenError};
use super::super::segment::{FileKind, LOCK, file_kind};
use super::super::{Block, Expected, StoredEntry};
use super::error::Error;
use super::header::ExportHeader;
use super::read::ExportReader;

/// The suffix of a log's directory while the log is being restored.
const IMPORTING: &str = ".importing";
/// A block of a restored log holds about so many bytes, or so many entries.
const BLOCK_BYTES: usize = 1 << 20;
const BLOCK_ENTRIES: usize = 1024;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The restored log's last position, with its new log id.
    pub tail: Position,
    /// The ledger that the export names; `None` in one of format 1.
    pub name: Option<LedgerName>,
    /// The ancestors of the restored log; the nearest is the exported log, at its last position.
    pub lineage: Lineage,
}

/// A log that is read to be restored: one export, or what a backup has of a log.
pub trait LogReader {
    /// Which log it is, and where it ends. Called once, first.
    ///
    /// # Errors
    /// If it cannot be read or is no log.
    fn header(&mut self) -> Result<ExportHeader, Error>;

    /// The next entry, in order from sequence 1, whose hash continues `previous`; `None` after the last.
    ///
    /// # Errors
    /// If it cannot be read, or its hash does not continue the chain.
    fn entry(&mut self, previous: &Hash) -> Result<Option<StoredEntry>, Error>;

    /// Checks what follows the last entry; `complete` says whether that was the one which the header names.
    ///
    /// # Errors
    /// If it was not, or what follows is wrong.
    fn end(&mut self, complete: bool) -> Result<(), Error>;
}

/// Restores the export `from` as a new log in `dir`: see [`import_log`].
///
/// # Errors
/// If the export is of another ledger than the expected one, or incomplete, or the disk fails; then nothing was
/// restored.
pub fn import(
    from: &mut dyn Read,
    dir: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Error> {
    import_log(&mut ExportReader::new(from), dir, expected, options, disk, progress)
}

/// Restores a log as a new one in `dir`, which is missing or empty. The log is created beside it, as
/// `{dir}.importing`, and renamed when it is complete. `progress` is called with sequences as they are restored.
///
/// # Errors
/// If the log is of another ledger than the expected one, or incomplete, or the disk fails; then nothing was
/// restored.
pub fn import_log(
    source: &mut dyn LogReader,
    dir: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Error> {
    match disk.list(dir) {
        Ok(names) if names.is_empty() => {}
        Ok(_) => return Err(Error::Exists { dir: dir.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(OpenError::Io { action: "list", path: dir.to_owned(), source }.into()),
    }
    let partial = with_suffix(dir, IMPORTING);
    discard(&*disk, &partial)?;
    let restored = restore(source, &partial, expected, options, disk.clone(), progress);
    if restored.is_err() {
        // The first error is the one to report; the next attempt removes what is left.
        let _ = discard(&*disk, &partial);
        return restored;
    }
    let above = parent(dir);
    let named = disk.rename(&partial, dir).and_then(|()| disk.sync_dir(above));
    named.map_err(|source| OpenError::Io { action: "name", path: dir.to_owned(), source })?;
    restored
}

fn restore(
    source: &mut dyn LogReader,
    partial: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Error> {
    let ExportHeader { log: exported, sequence, last, name, lineage } = source.header()?;
    let check = |first: Option<&StoredEntry>| match expected.other(name, first) {
        Some(found) => Err(Error::OtherLedger { found, expected: expected.name }),
        None => Ok(()),
    };
    check(None)?;
    let lineage = lineage.restored_at(Position::after(exported, sequence, &last));
    let mode = OpenMode::Create { log: LogId::generate(), lineage: lineage.clone() };
    let journal = open(Engine::File { options, disk }, partial, expected, mode)?;
    let mut tail = journal.info().tail;
    let mut hash = Hash::ZERO;
    let mut more = true;
    while more {
        let mut block = Block { previous: hash, entries: Vec::new() };
        let mut bytes = 0;
        while more && bytes < BLOCK_BYTES && block.entries.len() < BLOCK_ENTRIES {
            match source.entry(&hash)? {
                Some(entry) => {
                    if entry.sequence == 1 {
                        check(Some(&entry))?;
                    }
                    hash = entry.hash;
                    bytes += entry.bytes.len();
                    block.entries.push(entry);
                }
                None => more = false,
            }
        }
        if !block.entries.is_empty() {
            tail = journal.append(&tail, &block)?;
            progress(tail.sequence);
        }
    }
    source.end((tail.sequence, hash) == (sequence, last))?;
    let closed = journal.close();
    closed.map_err(|source| OpenError::Io { action: "close", path: partial.to_owned(), source })?;
    Ok(Imported { tail, name, lineage })
}

/// Removes what an interrupted attempt left; it never had the name of a journal.
fn discard(disk: &dyn Disk, partial: &Path) -> Result<(), OpenError> {
    let failed = |action, path: PathBuf| move |source| OpenError::Io { action, path, source };
    let names = match disk.list(partial) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("list", partial.to_owned())(source)),
    };
    if let Some(foreign) =
        names.iter().find(|listed| listed.directory || file_kind(&listed.name) == FileKind::Unknown)
    {
        return Err(OpenError::UnknownFile { path: partial.join(&foreign.name) });
    }
    let path = partial.join(LOCK);
    let lock = disk.lock(&path).map_err(|error| match error {
        LockError::Held { pid } => OpenError::Locked { dir: partial.to_owned(), pid },
        LockError::Io(source) => failed("lock", path)(source),
    })?;
    for listed in disk.list(partial).map_err(failed("list", partial.to_owned()))? {
        let path = partial.join(listed.name);
        disk.remove_file(&path).map_err(failed("remove", path.clone()))?;
    }
    disk.remove_dir(partial).map_err(failed("remove", partial.to_owned()))?;
    drop(lock);
    Ok(())
}
