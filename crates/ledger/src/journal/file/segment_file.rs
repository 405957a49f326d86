//! A segment as an open file, how it is created, and what identifies its log.
//!
//! Invariant: a file gets a segment's name only when its header is durable and its full length is reserved. Frames are
//! written and read elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use milepost_types::{Hash, LedgerName, Lineage, LogId};

use super::super::Damage;
use super::super::disk::{Access, Disk, DiskFile, is_full, with_suffix};
use super::super::segment::{self, SegmentHeader, UNFINISHED};

/// What identifies a log, as the headers of its segments have it.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) name: LedgerName,
    pub(super) log: LogId,
    pub(super) lineage: Lineage,
}

/// An open segment file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) header: SegmentHeader,
}

impl Segment {
    pub(super) fn damage(&self, offset: u64, sequence: u64, what: impl fmt::Display) -> Damage {
        Damage { segment: self.path.clone(), offset, sequence, what: what.to_string() }
    }
}

/// A segment that could not be created.
pub(super) struct CreateError {
    pub(super) error: io::Error,
    pub(super) path: PathBuf,
    /// Whether the file may have its final name already.
    named: bool,
}

impl CreateError {
    /// Whether the disk was full, and the attempt left nothing that matters.
    pub(super) fn is_disk_full(&self) -> bool {
        !self.named && is_full(&self.error)
    }
}

/// Creates a segment: reserves it, writes and syncs its header under another name, then renames it, durably.
pub(super) fn create_segment(
    disk: &dyn Disk,
    dir: &Path,
    header: SegmentHeader,
) -> Result<Segment, CreateError> {
    let path = segment::path(dir, header.ordinal);
    let unfinished = with_suffix(&path, UNFINISHED);
    let failed = |named| {
        let path = path.clone();
        move |error| CreateError { error, path, named }
    };
    let fill = || {
        let file = disk.open(&unfinished, Access::Create)?;
        file.allocate(header.capacity)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        Ok(file)
    };
    let filled = fill().map_err(failed(false)).inspect_err(|error| {
        if error.is_disk_full() {
            // Frees the space at once; a leftover would only be removed on the next open.
            let _ = disk.remove_file(&unfinished);
        }
    });
    let file = filled?;
    disk.rename(&unfinished, &path).and_then(|()| disk.sync_dir(dir)).map_err(failed(true))?;
    Ok(Segment { path, file, header })
}

/// The header of a log's first segment.
pub(super) fn first_header(identity: &Identity, capacity: u64) -> SegmentHeader {
    SegmentHeader {
        name: Some(identity.name),
        log: identity.log,
        ordinal: 1,
        capacity,
        first: 1,
        previous: Hash::ZERO,
        lineage: identity.lineage.clone(),
    }
}
