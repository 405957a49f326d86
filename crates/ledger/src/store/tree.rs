//! The sled tree that holds the rows on disk: the only place that names sled.
//!
//! Invariants: a panic inside sled is reported as damage and never leaves this file; after a failed write the handle
//! is leaked, because dropping it would block forever on unwritten data; `sync` returns only when everything written
//! is on the disk, sled's large-value files included. It knows no row's meaning.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use super::error::StoreError;
use crate::domain::{Direction, KeyRange};
use crate::journal::disk::{Disk, SystemDisk, make_private};

/// sled releases its lock a moment after the process or handle that held it is gone.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// sled's cache where nothing is read.
const CHECK_CACHE_BYTES: usize = 1 << 20;

/// Key and value, as sled returns them.
pub(super) type RawRow = (sled::IVec, sled::IVec);

/// Values that are longer are shared with sled and not copied: of large rows a list or a report reads many.
const COPIED_BYTES: usize = 256;

/// A value, as rows have it.
pub(super) fn shared(value: sled::IVec) -> Bytes {
    if value.len() > COPIED_BYTES { Bytes::from_owner(value) } else { Bytes::copy_from_slice(&value) }
}

/// An open sled database.
pub(super) struct Tree {
    dir: PathBuf,
    db: sled::Db,
    /// Large-value files that are on the disk.
    synced_blobs: Mutex<BTreeSet<OsString>>,
}

impl Tree {
    /// Creates the directory, makes it private, and removes what would keep sled from opening.
    pub(super) fn prepare(dir: &Path) -> Result<(), StoreError> {
        SystemDisk.create_dir_all(dir).map_err(|source| StoreError::Io { dir: dir.to_owned(), source })?;
        // sled creates its files readable for everybody; the directory's mode keeps others out.
        make_private(&SystemDisk, [dir.to_owned()]);
        remove_unfinished_snapshots(dir)
    }

    /// Opens or creates the database in `dir`.
    pub(super) fn open(dir: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let db = guard(dir, || open_sled(dir, cache_bytes)).and_then(|opened| opened)?;
        Ok(Self { dir: dir.to_owned(), db, synced_blobs: Mutex::default() })
    }

    /// Checks that the database in `dir` is not open anywhere, even if it is damaged.
    ///
    /// # Errors
    /// `Locked` if it is open.
    pub(super) fn check_free(dir: &Path) -> Result<(), StoreError> {
        match guard(dir, || open_sled(dir, CHECK_CACHE_BYTES)) {
            Ok(Err(error @ StoreError::Locked { .. })) => Err(error),
            // Damaged or not, no process has it open.
            _ => Ok(()),
        }
    }

    /// Runs a longer use of the database; a panic in it is damage.
    pub(super) fn guard<T>(&self, run: impl FnOnce() -> T) -> Result<T, StoreError> {
        guard(&self.dir, run)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.guard(|| self.db.get(key))?.map_err(|error| self.sled_error(error))?;
        Ok(value.map(shared))
    }

    /// The rows of a non-empty range, key and value.
    pub(super) fn range<'a>(
        &'a self,
        range: &KeyRange,
        direction: Direction,
    ) -> impl Iterator<Item = Result<RawRow, StoreError>> + use<'a> {
        let mut rows = match &range.end {
            Some(end) => self.db.range(range.start.as_slice()..end.as_slice()),
            None => self.db.range(range.start.as_slice()..),
        };
        std::iter::from_fn(move || {
            let row = self.guard(|| match direction {
                Direction::Forward => rows.next(),
                Direction::Backward => rows.next_back(),
            });
            row.and_then(|row| row.transpose().map_err(|error| self.sled_error(error))).transpose()
        })
    }

    /// Every row, key and value. The caller guards the whole walk.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<RawRow, StoreError>> {
        self.db.iter().map(|row| row.map_err(|error| self.sled_error(error)))
    }

    /// Sets and removes rows one by one, in this order. A sled batch was rejected: it blocks every reader of the
    /// process while it is applied, and costs half as much again.
    pub(super) fn write<'a>(
        &self,
        rows: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<(), StoreError> {
        self.writing(|| {
            rows.into_iter().try_for_each(|(key, value)| {
                match value {
                    Some(value) => self.db.insert(key, value)?,
                    None => self.db.remove(key)?,
                };
                Ok(())
            })
        })
    }

    /// Brings what was written to the disk. sled's flush is no fsync, so its file is synced after it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.writing(|| self.db.flush())?;
        let synced = std::fs::File::open(self.dir.join("db")).and_then(|file| file.sync_all());
        synced
            .and_then(|()| self.sync_blobs())
            .map_err(|source| StoreError::Io { dir: self.dir.clone(), source })
    }

    /// Brings the files to the disk that sled keeps large pages in, which it never syncs itself.
    fn sync_blobs(&self) -> std::io::Result<()> {
        let dir = self.dir.join("blobs");
        let mut present = BTreeSet::new();
        let mut synced = self.synced_blobs.lock();
        let files = match std::fs::read_dir(&dir) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for file in files {
            let file = file?;
            if !synced.contains(&file.file_name()) {
                match std::fs::File::open(file.path()) {
                    Ok(file) => file.sync_all()?,
                    // sled removes the files that it no longer needs.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
            }
            present.insert(file.file_name());
        }
        if present != *synced {
            std::fs::File::open(&dir)?.sync_all()?;
            *synced = present;
        }
        Ok(())
    }

    /// Runs a sled write. On failure the handle is leaked: dropping it would block forever on unwritten data, and
    /// the process could not end.
    fn writing<T>(&self, write: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        let written = self.guard(write).and_then(|done| done.map_err(|error| self.sled_error(error)));
        if written.is_err() {
            std::mem::forget(self.db.clone());
        }
        written
    }

    fn sled_error(&self, error: sled::Error) -> StoreError {
        from_sled(&self.dir, error)
    }
}

fn open_sled(dir: &Path, cache_bytes: usize) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(cache_bytes as u64)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput);
    let started = Instant::now();
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(error) if is_locked(&error) && started.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) if is_locked(&error) => return Err(StoreError::Locked { dir: dir.to_owned() }),
            Err(error) => return Err(from_sled(dir, error)),
        }
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

fn from_sled(dir: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) if !is_loss(&source) => StoreError::Io { dir: dir.to_owned(), source },
        error => StoreError::Damaged { dir: dir.to_owned(), what: error.to_string(), reached: None },
    }
}

/// Whether a file that sled wrote is missing or truncated: damage, which a rebuild repairs.
fn is_loss(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof)
}

/// Removes snapshots that sled had not finished writing: a torn one keeps it from opening, and its log suffices
/// without them.
fn remove_unfinished_snapshots(dir: &Path) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { dir: dir.to_owned(), source };
    for file in std::fs::read_dir(dir).map_err(io)? {
        let path = file.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path).map_err(io)?;
        }
    }
    Ok(())
}

/// Runs code that calls sled; a panic there means that the store is damaged.
fn guard<T>(dir: &Path, run: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| StoreError::Damaged {
        dir: dir.to_owned(),
        what: crate::panic::message(panic.as_ref()),
        reached: None,
    })
}
