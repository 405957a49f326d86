//! Opening and creating: take the lock, look at every name, read everything, and only then put right
//! what a power cut may have left.
//!
//! Invariants: everything is read before anything is written (but the lock file, and modes: what others
//! than the owner may do with the files of earlier versions is taken away first); what is put right
//! is a torn tail (zeroed, with a warning), an unfinished segment (removed), the last frame (written
//! again as it is, because an earlier process may have failed to sync it and the kernel forgotten
//! that) and the witness. When it returns, all that was read is durable and the witness says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{Hash, LogId, Position};
use parking_lot::{Mutex, RwLock};

use super::super::disk::{Disk, DiskLock, LockError, make_private};
use super::super::segment::{self, HEAD_BYTES, Named};
use super::super::witness::{self, Witness};
use super::super::{Damage, Expected, Journal};
use super::append::{Start, Writer, first_head, make_segment};
use super::length::{self, lengths};
use super::read::{Durable, Indexed};
use super::scan::{Scan, Scanned, Torn, Visit};
use super::{FileJournal, FileOptions, Identity, OpenError, Segment, refused};

/// The names in a journal's directory.
#[derive(Debug, Default)]
struct Names {
    /// Sorted ordinals.
    segments: Vec<u64>,
    unfinished: Vec<std::ffi::OsString>,
}

impl Names {
    /// The directory of an existing journal, and the files that stay in it.
    fn paths(&self, dir: &Path) -> impl Iterator<Item = PathBuf> {
        let segments: Vec<_> = self.segments.iter().map(|ordinal| segment::path(dir, *ordinal)).collect();
        let others = [segment::WITNESS, segment::LOCK].map(|name| dir.join(name));
        std::iter::once(dir.to_owned()).chain(others).chain(segments)
    }
}

pub(super) fn open(
    dir: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
) -> Result<FileJournal, OpenError> {
    let lock = lock(dir, &*disk)?;
    let names = names(dir, &*disk)?;
    make_private(&*disk, names.paths(dir));
    let witness = read_witness(dir, &*disk)?;
    if names.segments.is_empty() {
        check_nothing_was_there(dir, &witness)?;
        let identity = Identity { name: expected.name, log: LogId::generate(), lineage: Default::default() };
        return create_locked(dir, identity, options, disk, lock, &names);
    }
    let scan = Scan { disk: &*disk, dir, expected, ordinals: &names.segments, witness, live: false };
    let scanned = scan.run(&mut |_, _| Ok(()))?;
    resume(dir, options, disk.clone(), lock, &names, witness, scanned)
}

pub(super) fn create(
    dir: &Path,
    identity: Identity,
    options: FileOptions,
    disk: Arc<dyn Disk>,
) -> Result<FileJournal, OpenError> {
    let lock = lock(dir, &*disk)?;
    let names = names(dir, &*disk)?;
    make_private(&*disk, names.paths(dir));
    let witness = read_witness(dir, &*disk)?;
    if !names.segments.is_empty() {
        return Err(OpenError::Exists { dir: dir.to_owned() });
    }
    check_nothing_was_there(dir, &witness)?;
    create_locked(dir, identity, options, disk, lock, &names)
}

pub(super) fn open_read_only(
    dir: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
) -> Result<FileJournal, OpenError> {
    let scanned = scan_read_only(dir, expected, &*disk, &mut |_, _| Ok(()))?;
    if let Some(torn) = &scanned.torn {
        tracing::warn!(
            segment = %torn.segment.path.display(), offset = torn.from, after = scanned.sequence,
            "the journal ends in a torn write, which is left alone"
        );
    }
    let Identity { name, log, lineage } = scanned.identity;
    let tail = Position::after(log, scanned.sequence, &scanned.hash);
    let (_, receiver) = tokio::sync::watch::channel(tail);
    Ok(FileJournal {
        disk,
        dir: dir.to_owned(),
        floor_bytes: options.min_free_bytes,
        segment_bytes: options.segment_bytes,
        name,
        log,
        lineage,
        durable: RwLock::new(Durable::new(scanned.segments, tail, options.cache_bytes)),
        writer: Mutex::new(None),
        tail: receiver,
        poisoned: Mutex::new(None),
    })
}

/// Reads a log that somebody else may be appending to.
pub(super) fn scan_read_only(
    dir: &Path,
    expected: Expected,
    disk: &dyn Disk,
    visit: &mut Visit<'_>,
) -> Result<Scanned, OpenError> {
    // The witness first: what it says is durable then will be there when the segments are read.
    let witness = read_witness(dir, disk)?;
    let names = names(dir, disk)?;
    if names.segments.is_empty() {
        check_nothing_was_there(dir, &witness)?;
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    if let Some(why) = untrusted(&witness) {
        tracing::warn!(dir = %dir.display(), why, "nothing tells whether the journal's end is whole");
    }
    Scan { disk, dir, expected, ordinals: &names.segments, witness, live: true }.run(visit)
}

fn lock(dir: &Path, disk: &dyn Disk) -> Result<Box<dyn DiskLock>, OpenError> {
    disk.create_dir_all(dir).map_err(refused("make directory", dir))?;
    let path = dir.join(segment::LOCK);
    disk.lock(&path).map_err(|error| match error {
        LockError::Held { pid } => OpenError::Locked { dir: dir.to_owned(), pid },
        LockError::Io(source) => refused("lock", &path)(source),
    })
}

fn names(dir: &Path, disk: &dyn Disk) -> Result<Names, OpenError> {
    let mut names = Names::default();
    for listed in disk.list(dir).map_err(refused("list", dir))? {
        match segment::named(&listed.name) {
            _ if listed.directory => return Err(OpenError::UnknownFile { path: dir.join(listed.name) }),
            Named::Segment(ordinal) => names.segments.push(ordinal),
            Named::Unfinished => names.unfinished.push(listed.name),
            Named::Witness | Named::Lock => {}
            Named::Unknown => return Err(OpenError::UnknownFile { path: dir.join(listed.name) }),
        }
    }
    names.segments.sort_unstable();
    Ok(names)
}

fn read_witness(dir: &Path, disk: &dyn Disk) -> Result<witness::Found, OpenError> {
    let path = dir.join(segment::WITNESS);
    match witness::read(disk, &path).map_err(refused("read", &path))? {
        witness::Found::Newer { format, min_reader } => Err(OpenError::Newer { path, format, min_reader }),
        found => Ok(found),
    }
}

/// Why the witness does not tell the log's end, if it does not.
fn untrusted(witness: &witness::Found) -> Option<&'static str> {
    match witness {
        witness::Found::Known { damaged: false, .. } => None,
        witness::Found::Known { damaged: true, .. } => Some("one slot of the witness is damaged"),
        witness::Found::Missing => Some("the witness is missing"),
        witness::Found::Blank => Some("the witness is empty"),
        witness::Found::Damaged | witness::Found::Newer { .. } => Some("the witness is damaged"),
    }
}

/// A directory without segments is a new journal's, unless the witness knows better.
fn check_nothing_was_there(dir: &Path, witness: &witness::Found) -> Result<(), Damage> {
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

fn create_locked(
    dir: &Path,
    identity: Identity,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    lock: Box<dyn DiskLock>,
    names: &Names,
) -> Result<FileJournal, OpenError> {
    remove_unfinished(dir, &*disk, names)?;
    let log = identity.log;
    // The witness before the segment: from the first entry on, a directory has both.
    let path = dir.join(segment::WITNESS);
    let witness = Witness::create(&*disk, &path, log, 0, Hash::ZERO).map_err(refused("write", &path))?;
    disk.sync_dir(dir).map_err(refused("sync", dir))?;
    let segment = first_segment(&*disk, dir, &identity, &options)?;
    tracing::info!(dir = %dir.display(), ledger = %identity.name, %log, "created a journal");

    let segment = Arc::new(segment);
    let segments = vec![Indexed::new(segment.clone())];
    let start = Start {
        disk,
        dir: dir.to_owned(),
        options,
        identity,
        segment,
        at: HEAD_BYTES as u64,
        tail: Position::start(log),
        hash: Hash::ZERO,
        witness,
        lock,
    };
    Ok(journal(start, segments))
}

/// Makes a log's first segment. A log can always be begun: where the floor leaves no room, the segment is the
/// shortest there is, and the first append says so.
fn first_segment(
    disk: &dyn Disk,
    dir: &Path,
    identity: &Identity,
    options: &FileOptions,
) -> Result<Segment, OpenError> {
    let free = disk.free_bytes(dir).map_err(refused("measure", dir))?;
    let most = free.saturating_sub(options.min_free_bytes).max(length::least(options.segment_bytes, 0));
    let mut lengths = lengths(options, 0).filter(|length| *length <= most).peekable();
    loop {
        let capacity = lengths.next().unwrap_or_else(|| length::least(options.segment_bytes, 0));
        let unmade = match make_segment(disk, dir, first_head(identity, capacity)) {
            Ok(segment) => return Ok(segment),
            Err(unmade) => unmade,
        };
        if unmade.is_for_want_of_room() && lengths.peek().is_some() {
            continue;
        }
        return Err(refused("make segment", &unmade.path)(unmade.error));
    }
}

fn resume(
    dir: &Path,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    lock: Box<dyn DiskLock>,
    names: &Names,
    found: witness::Found,
    scanned: Scanned,
) -> Result<FileJournal, OpenError> {
    let identity = scanned.identity;
    let log = identity.log;
    let tail = Position::after(log, scanned.sequence, &scanned.hash);
    if let Some(why) = untrusted(&found) {
        tracing::warn!(
            dir = %dir.display(), why, sequence = scanned.sequence,
            "nothing tells whether the journal's end is whole; going on from there"
        );
    }
    remove_unfinished(dir, &*disk, names)?;
    if let Some(torn) = &scanned.torn {
        cut(torn, scanned.sequence)?;
    }
    let path = dir.join(segment::WITNESS);
    let witnessed =
        matches!(found, witness::Found::Known { slot, damaged: false } if slot.sequence == scanned.sequence);
    if !witnessed && let Some((segment, offset, bytes)) = &scanned.last_frame {
        let frame = segment.file.read_exact_at(*bytes as usize, *offset);
        let frame = frame.map_err(refused("read", &segment.path))?;
        let written = segment.file.write_all_at(&frame, *offset);
        written.map_err(|error| refused("write", &segment.path)(error.source))?;
        segment.file.sync_data().map_err(refused("sync", &segment.path))?;
    }
    let witness = match &found {
        witness::Found::Known { slot, .. } => Witness::resume(&*disk, &path, slot).and_then(|mut witness| {
            if !witnessed {
                witness.write(scanned.sequence, scanned.hash)?;
            }
            Ok(witness)
        }),
        _ => Witness::create(&*disk, &path, log, scanned.sequence, scanned.hash)
            .and_then(|witness| disk.sync_dir(dir).map(|()| witness)),
    };
    let witness = witness.map_err(refused("write", &path))?;

    let Some(last) = scanned.segments.last() else { return Err(OpenError::Missing { dir: dir.to_owned() }) };
    let start = Start {
        disk,
        dir: dir.to_owned(),
        options,
        identity,
        segment: last.segment.clone(),
        at: last.end,
        tail,
        hash: scanned.hash,
        witness,
        lock,
    };
    let journal = journal(start, scanned.segments);
    tracing::info!(
        dir = %dir.display(), %log, sequence = tail.sequence, bytes = journal.info().disk_bytes,
        "opened the journal"
    );
    Ok(journal)
}

fn journal(start: Start, segments: Vec<Indexed>) -> FileJournal {
    let durable = Durable::new(segments, start.tail, start.options.cache_bytes);
    let (disk, dir) = (start.disk.clone(), start.dir.clone());
    let Identity { name, log, lineage } = start.identity.clone();
    let (floor_bytes, segment_bytes) = (start.options.min_free_bytes, start.options.segment_bytes);
    let (writer, tail) = Writer::new(start);
    FileJournal {
        disk,
        dir,
        floor_bytes,
        segment_bytes,
        name,
        log,
        lineage,
        durable: RwLock::new(durable),
        writer: Mutex::new(Some(writer)),
        tail,
        poisoned: Mutex::new(None),
    }
}

fn remove_unfinished(dir: &Path, disk: &dyn Disk, names: &Names) -> Result<(), OpenError> {
    for name in &names.unfinished {
        let path = dir.join(name);
        disk.remove_file(&path).map_err(refused("remove", &path))?;
    }
    Ok(())
}

/// Fills a torn tail with zeros, durably.
fn cut(torn: &Torn, sequence: u64) -> Result<(), OpenError> {
    let path = &torn.segment.path;
    tracing::warn!(
        segment = %path.display(), offset = torn.from, bytes = torn.to - torn.from, after = sequence,
        fault = %torn.fault, "cut off a torn write at the journal's end; it was never acknowledged"
    );
    let zeros = vec![0; (torn.to - torn.from) as usize];
    let written = torn.segment.file.write_all_at(&zeros, torn.from);
    written.map_err(|error| refused("write", path)(error.source))?;
    torn.segment.file.sync_data().map_err(refused("sync", path))
}
