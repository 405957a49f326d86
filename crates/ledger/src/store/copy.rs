//! A copy of a store, to read rows where the store itself must not be written to.
//!
//! Invariant: the store is only read, and locked against writers meanwhile. Opening the copy is not done here.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::tree::LOCK_TIMEOUT;
use crate::journal::disk::{Disk, SystemDisk};

/// The file that sled locks while it has a store open.
const LOCKED: &str = "db";

/// The file that could not be copied or created, and why.
pub(super) struct Fault {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

/// Keeps others from opening the store in `dir` until the lock is dropped; `None` if there is nothing in it
/// to lock yet. A shared lock needs no write permission, and excludes sled's.
pub(super) fn lock(dir: &Path) -> Result<Option<File>, StoreError> {
    let io = |source| StoreError::Io { dir: dir.to_owned(), source };
    let file = match File::open(dir.join(LOCKED)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let started = Instant::now();
    loop {
        match file.try_lock_shared() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
    }
}

/// Copies the directory `from` with all that is in it to `to`, which must not exist.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| Fault { path, source }
    };
    SystemDisk.create_dir_all(to).map_err(fault(to))?;
    for listed in SystemDisk.list(from).map_err(fault(from))? {
        let (from, to) = (from.join(&listed.name), to.join(&listed.name));
        if listed.directory {
            copy(&from, &to)?;
        } else {
            // The mode is not copied: a read-only file would be read-only here too.
            let mut source = File::open(&from).map_err(fault(&from))?;
            let mut target = File::create_new(&to).map_err(fault(&to))?;
            io::copy(&mut source, &mut target).map_err(fault(&to))?;
        }
    }
    Ok(())
}
