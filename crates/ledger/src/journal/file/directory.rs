//! The directory of a file journal: its lock, its file names, and its witness.
//!
//! Invariant: a name that no journal uses is refused, never ignored or removed. Only `lock` and `remove_unfinished`
//! write.

use std::path::{Path, PathBuf};

use super::super::Damage;
use super::super::disk::{Disk, DiskLock, LockError};
use super::super::segment::{self, FileKind};
use super::super::witness;
use super::error::{OpenError, io_error};

/// The names in a journal's directory.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Sorted ordinals.
    pub(super) segments: Vec<u64>,
    pub(super) unfinished: Vec<std::ffi::OsString>,
}

impl Names {
    /// The directory of an existing journal, and the files that stay in it.
    pub(super) fn paths(&self, dir: &Path) -> impl Iterator<Item = PathBuf> {
        let segments: Vec<_> = self.segments.iter().map(|ordinal| segment::path(dir, *ordinal)).collect();
        let others = [segment::WITNESS, segment::LOCK].map(|name| dir.join(name));
        std::iter::once(dir.to_owned()).chain(others).chain(segments)
    }
}

pub(super) fn lock(dir: &Path, disk: &dyn Disk) -> Result<Box<dyn DiskLock>, OpenError> {
    disk.create_dir_all(dir).map_err(io_error("create directory", dir))?;
    let path = dir.join(segment::LOCK);
    disk.lock(&path).map_err(|error| match error {
        LockError::Held { pid } => OpenError::Locked { dir: dir.to_owned(), pid },
        LockError::Io(source) => io_error("lock", &path)(source),
    })
}

pub(super) fn list(dir: &Path, disk: &dyn Disk) -> Result<Names, OpenError> {
    let mut names = Names::default();
    for listed in disk.list(dir).map_err(io_error("list", dir))? {
        match segment::file_kind(&listed.name) {
            _ if listed.directory => return Err(OpenError::UnknownFile { path: dir.join(listed.name) }),
            FileKind::Segment(ordinal) => names.segments.push(ordinal),
            FileKind::Unfinished => names.unfinished.push(listed.name),
            FileKind::Witness | FileKind::Lock => {}
            FileKind::Unknown => return Err(OpenError::UnknownFile { path: dir.join(listed.name) }),
        }
    }
    names.segments.sort_unstable();
    Ok(names)
}

pub(super) fn read_witness(dir: &Path, disk: &dyn Disk) -> Result<witness::Found, OpenError> {
    let path = dir.join(segment::WITNESS);
    match witness::read(disk, &path).map_err(io_error("read", &path))? {
        witness::Found::Newer { format, min_reader } => Err(OpenError::Newer { path, format, min_reader }),
        found => Ok(found),
    }
}

/// Why the witness cannot show that the end of the log is complete, if it cannot.
pub(super) fn witness_gap(witness: &witness::Found) -> Option<&'static str> {
    match witness {
        witness::Found::Known { damaged: false, .. } => None,
        witness::Found::Known { damaged: true, .. } => Some("one slot of the witness is damaged"),
        witness::Found::Missing => Some("the witness is missing"),
        witness::Found::Blank => Some("the witness is empty"),
        witness::Found::Damaged | witness::Found::Newer { .. } => Some("the witness is damaged"),
    }
}

/// Checks that a directory without segments never held entries, as far as the witness shows.
pub(super) fn check_no_entries_lost(dir: &Path, witness: &witness::Found) -> Result<(), Damage> {
    let what = match witness {
        witness::Found::Known { slot, .. } if slot.sequence > 0 => {
            format!("the segment is missing: sequence {} of log {} was durable", slot.sequence, slot.log)
        }
        witness::Found::Damaged | witness::Found::Known { damaged: true, .. } => {
            "there is no segment, and the witness is damaged".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Damage { segment: segment::path(dir, 1), offset: 0, sequence: 1, what })
}

/// Removes segments whose creation was interrupted; they hold nothing.
pub(super) fn remove_unfinished(dir: &Path, disk: &dyn Disk, names: &Names) -> Result<(), OpenError> {
    for name in &names.unfinished {
        let path = dir.join(name);
        disk.remove_file(&path).map_err(io_error("remove", &path))?;
    }
    Ok(())
}
