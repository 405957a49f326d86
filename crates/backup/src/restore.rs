//! Restoring: a data directory of all ledgers, each up to the entry that was chosen.
//!
//! Steps: the journals are built beside the directory, in a hidden one of a name of its own; everything is
//! synced; it is renamed. Invariants: the directory appears whole or not at all, for its owner alone; what
//! exists is never written to; each log is a new one, whose lineage names the log in the backup and the fork, so
//! that cursors and followers up to there go on. What is known after the fork and must outlive it is appended to
//! the finished journals before the rename, and nowhere else.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::export::{self, ExportHeader, LogReader};
use milepost_ledger::journal::file::FileOptions;
use milepost_ledger::journal::{Expected, StoredEntry};
use milepost_types::{Hash, LedgerKind, Lineage, Position};
use tokio::runtime::Handle;

use crate::chain::{Chain, LogBackup};
use crate::cut::Chosen;
use crate::error::Error;
use crate::range;
use crate::target::BackupTarget;

/// How a data directory is laid out, which its owner knows.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The directory of a ledger's journal.
    pub journal_dir: fn(&Path, LedgerKind) -> PathBuf,
    /// How the log of a ledger is recognized.
    pub expected: fn(LedgerKind) -> Expected,
}

/// A ledger that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Which one.
    pub ledger: LedgerKind,
    /// Its last position, in its new log.
    pub tail: Position,
    /// What it was restored from: the log in the backup and the fork first.
    pub lineage: Lineage,
}

/// Called with a ledger and the sequence up to which it is restored.
pub type Progress = Arc<dyn Fn(LedgerKind, u64) + Send + Sync>;

/// Why what is done with a restored directory before it appears has failed.
pub type FinishError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the directory `dir` with the ledgers of a chain, each up to where `chosen` says. Once its journals are
/// complete, and before it appears, `finish` is called with where they are; what that returns is returned too.
/// Must run on a runtime.
///
/// # Errors
/// If the directory exists or cannot be made, a range cannot be read, or `finish` fails; then nothing was made.
pub async fn restore<T: Send + 'static>(
    target: &BackupTarget,
    chain: &Chain,
    chosen: &[Chosen],
    dir: &Path,
    layout: Layout,
    progress: Progress,
    finish: impl FnOnce(&Path) -> Result<T, FinishError> + Send + 'static,
) -> Result<(Vec<Restored>, T), Error> {
    let logs =
        chosen.iter().filter_map(|chosen| Some((chosen.clone(), chain.ledgers.get(&chosen.ledger)?.clone())));
    let (logs, target, dir, handle) =
        (logs.collect::<Vec<_>>(), target.clone(), dir.to_owned(), Handle::current());
    let build = move || build(&logs, &target, &dir, layout, &progress, finish, &handle);
    tokio::task::spawn_blocking(build).await.expect("it does not panic, and nothing cancels it")
}

fn build<T>(
    logs: &[(Chosen, LogBackup)],
    target: &BackupTarget,
    dir: &Path,
    layout: Layout,
    progress: &Progress,
    finish: impl FnOnce(&Path) -> Result<T, FinishError>,
    handle: &Handle,
) -> Result<(Vec<Restored>, T), Error> {
    let disk = Arc::new(SystemDisk);
    check_absent(dir)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Make { path, source }
    };
    let above = match dir.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    disk.create_dir_all(above).map_err(failed(above))?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let beside = tempfile::Builder::new()
        .prefix(&format!(".{name}.restoring-"))
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(above);
    let beside = beside.map_err(failed(above))?;
    let mut restored = Vec::new();
    for (chosen, backup) in logs {
        let kind = chosen.ledger;
        let journal = (layout.journal_dir)(beside.path(), kind);
        if let Some(parent) = journal.parent() {
            disk.create_dir_all(parent).map_err(failed(parent))?;
        }
        let mut reader = RangeReader { handle, target, chosen, backup, next: 0, read: VecDeque::new() };
        let (options, expected) = (FileOptions::default(), (layout.expected)(kind));
        let on_entry = &mut |sequence| progress(kind, sequence);
        let imported = export::import_log(&mut reader, &journal, expected, options, disk.clone(), on_entry);
        let imported =
            imported.map_err(|source| Error::Restore { ledger: kind, source: Box::new(source) })?;
        restored.push(Restored { ledger: kind, tail: imported.tail, lineage: imported.lineage });
    }
    let finished = finish(beside.path()).map_err(Error::Finish)?;
    disk.sync_dir(beside.path()).map_err(failed(beside.path()))?;
    check_absent(dir)?;
    std::fs::rename(beside.path(), dir).map_err(failed(dir))?;
    // It has another name now, and is not to be removed.
    let _ = beside.keep();
    disk.sync_dir(above).map_err(failed(above))?;
    Ok((restored, finished))
}

fn check_absent(dir: &Path) -> Result<(), Error> {
    match dir.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Make { path: dir.to_owned(), source }),
        Ok(_) => Err(Error::Exists { dir: dir.to_owned() }),
    }
}

/// A log of a backup up to an entry, read range by range.
struct RangeReader<'a> {
    handle: &'a Handle,
    target: &'a BackupTarget,
    chosen: &'a Chosen,
    backup: &'a LogBackup,
    next: usize,
    read: VecDeque<StoredEntry>,
}

impl LogReader for RangeReader<'_> {
    fn header(&mut self) -> Result<ExportHeader, export::Error> {
        Ok(ExportHeader {
            log: self.backup.log,
            sequence: self.chosen.sequence,
            last: self.chosen.hash,
            name: Some(self.chosen.ledger.into()),
            lineage: self.backup.lineage.clone(),
        })
    }

    fn entry(&mut self, previous: &Hash) -> Result<Option<StoredEntry>, export::Error> {
        if self.read.is_empty()
            && let Some(next) = self.backup.ranges.get(self.next)
        {
            let (target, ledger, log) = (self.target, self.chosen.ledger, self.backup.log);
            if next.first <= self.chosen.sequence {
                let read = self.handle.block_on(range::read(target, ledger, log, next, previous));
                self.read = read.map_err(|error| export::Error::Source(Box::new(error)))?.into();
                self.next += 1;
            }
        }
        Ok(self.read.pop_front().filter(|entry| entry.sequence <= self.chosen.sequence))
    }

    fn end(&mut self, complete: bool) -> Result<(), export::Error> {
        let what = "its ranges end before the entry that was chosen";
        match complete {
            true => Ok(()),
            false => Err(export::Error::Damaged { offset: 0, sequence: self.chosen.sequence, what }),
        }
    }
}
