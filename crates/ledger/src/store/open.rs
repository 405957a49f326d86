//! Opening a store beside its journal, and swapping in one that was rebuilt.
//!
//! Layout under the ledger's directory: `store/` is in use, `store.rebuild/` is being built and not usable
//! yet, `store.old/` is being removed. Invariant: a rebuilt store is renamed into place only when it
//! is complete. Whether a store must be rebuilt is decided in `state`.

use std::io;
use std::path::{Path, PathBuf};

use super::base::Base;
use super::copy;
use super::error::StoreError;
use super::mark::Mark;

const IN_USE: &str = "store";
const REBUILD: &str = "store.rebuild";
const OLD: &str = "store.old";

/// The store in use under `dir`, with its mark. `Damaged` is an error that a rebuild repairs; the others are not.
pub(crate) fn open_or_start(dir: &Path, cache_bytes: usize) -> Result<(Base, Option<Mark>), StoreError> {
    remove_if_present(&dir.join(REBUILD))?;
    let in_use = dir.join(IN_USE);
    // After a crash between the two renames of a swap there is only the old one; it is removed.
    remove_if_present(&dir.join(OLD))?;
    Base::open(&in_use, cache_bytes)
}

/// The mark of the store in use under `dir`, if there is one, after counting its rows. sled writes where it
/// only reads, so a copy in `scratch` is opened, an empty directory: the store itself may be on a file system
/// that is read-only. Directories beside it are not touched: another process may be rebuilding it.
pub(crate) fn read_mark(dir: &Path, scratch: &Path, cache_bytes: usize) -> Result<Option<Mark>, StoreError> {
    let in_use = dir.join(IN_USE);
    let refused = |dir: &Path| {
        let dir = dir.to_owned();
        move |source| StoreError::Io { dir, source }
    };
    match std::fs::metadata(&in_use) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(refused(&in_use))?,
    };
    // Keeps others from opening it while it is copied.
    let _lock = copy::lock(&in_use)?;
    let copied = scratch.join(IN_USE);
    copy::copy(&in_use, &copied).map_err(|copy::Fault { path, source }| refused(&path)(source))?;
    let opened = Base::open(&copied, cache_bytes).map(|(_base, mark)| mark);
    opened.map_err(|error| error.of_original(&in_use))
}

/// The directory to rebuild a store in, emptied.
pub(crate) fn rebuild_dir(dir: &Path) -> Result<PathBuf, StoreError> {
    let rebuild = dir.join(REBUILD);
    remove_if_present(&rebuild)?;
    Ok(rebuild)
}

/// Puts the rebuilt store in the place of the one in use. Both must be closed.
pub(crate) fn swap_in(dir: &Path) -> Result<(), StoreError> {
    let (in_use, old) = (dir.join(IN_USE), dir.join(OLD));
    remove_if_present(&old)?;
    let rename = |from: &Path, to: &Path| {
        std::fs::rename(from, to).map_err(|source| StoreError::Io { dir: from.to_owned(), source })
    };
    if in_use.exists() {
        rename(&in_use, &old)?;
    }
    rename(&dir.join(REBUILD), &in_use)?;
    std::fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|source| StoreError::Io { dir: dir.to_owned(), source })?;
    remove_if_present(&old)
}

/// Removes the store under `dir`, unless it is open somewhere; the next open rebuilds it.
pub(crate) fn discard(dir: &Path) -> Result<(), StoreError> {
    let in_use = dir.join(IN_USE);
    if in_use.is_dir() {
        Base::check_free(&in_use)?;
    }
    [IN_USE, REBUILD, OLD].iter().try_for_each(|name| remove_if_present(&dir.join(name)))
}

fn remove_if_present(dir: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Io { dir: dir.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}
