//! Opening and creating a file journal: take the lock, check every name, read everything, and only then repair
//! what a power cut may have left.
//!
//! Invariants: everything is read before anything is written (but the lock file, and modes: the permissions of
//! others than the owner on files of earlier versions are removed first). Repaired are a torn tail (zeroed, with a
//! warning), an unfinished segment (removed), the last frame (written again as it is, because an earlier process may
//! have failed to sync it and the kernel forgotten that) and the witness; nothing else is. When it returns, all that
//! was read is durable and recorded in the witness.

use std::path::Path;
use std::sync::Arc;

use milepost_types::{Hash, LedgerName, Lineage, LogId, Position};
use parking_lot::{Mutex, RwLock};

use super::super::disk::{Disk, DiskLock, make_private};
use super::super::segment::{self, HEADER_BYTES as SEGMENT_HEADER_BYTES};
use super::super::witness::{self, Witness};
use super::super::{Expected, Journal};
use super::FileJournal;
use super::directory::{
    Names, check_no_entries_lost, list, lock, read_witness, remove_unfinished, witness_gap,
};
use super::durable::{Durable, Indexed};
use super::error::{OpenError, io_error};
use super::length::{self, lengths};
use super::options::FileOptions;
use super::scan::{Scan, Scanned, scan_read_only};
use super::segment_file::{Identity, Segment, create_segment, first_header};
use super::torn::Torn;
use super::writer::{Start, Writer};

impl FileJournal {
    /// Opens the journal in `dir` for reading and appending, after reading all of it; creates one
    /// with a new log id if the directory is empty or missing. Cuts off a torn tail, with a warning.
    ///
    /// # Errors
    /// If it belongs to another ledger, is damaged, newer, in use or not a journal, or the disk fails.
    pub fn open(
        dir: &Path,
        expected: Expected,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let lock = lock(dir, &*disk)?;
        let names = list(dir, &*disk)?;
        make_private(&*disk, names.paths(dir));
        let witness = read_witness(dir, &*disk)?;
        if names.segments.is_empty() {
            check_no_entries_lost(dir, &witness)?;
            let identity =
                Identity { name: expected.name, log: LogId::generate(), lineage: Default::default() };
            return create_locked(dir, identity, options, disk, lock, &names);
        }
        let scan = Scan { disk: &*disk, dir, expected, ordinals: &names.segments, witness, live: false };
        let scanned = scan.run(&mut |_, _| Ok(()))?;
        resume(dir, options, disk.clone(), lock, &names, witness, scanned)
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
        let identity = Identity { name, log, lineage: lineage.into() };
        let lock = lock(dir, &*disk)?;
        let names = list(dir, &*disk)?;
        make_private(&*disk, names.paths(dir));
        let witness = read_witness(dir, &*disk)?;
        if !names.segments.is_empty() {
            return Err(OpenError::Exists { dir: dir.to_owned() });
        }
        check_no_entries_lost(dir, &witness)?;
        create_locked(dir, identity, options, disk, lock, &names)
    }

    /// Opens the journal in `dir` for reading, after reading all of it. Writes nothing and takes no
    /// lock: it may run beside a live process, and then sees the log as it was about now. A torn
    /// tail is left in place and not shown. Appends are refused.
    ///
    /// # Errors
    /// If it belongs to another ledger, is damaged, newer, missing or not a journal, or the disk fails.
    pub fn open_read_only(
        dir: &Path,
        expected: Expected,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let scanned = scan_read_only(dir, expected, &*disk, &mut |_, _| Ok(()))?;
        if let Some(torn) = &scanned.torn {
            tracing::warn!(
                segment = %torn.segment.path.display(), offset = torn.from, after = scanned.sequence,
                "the journal ends in a torn write, which is left in place"
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
    // The witness before the segment, so that a directory with an entry always has both.
    let path = dir.join(segment::WITNESS);
    let witness = Witness::create(&*disk, &path, log, 0, Hash::ZERO).map_err(io_error("write", &path))?;
    disk.sync_dir(dir).map_err(io_error("sync", dir))?;
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
        at: SEGMENT_HEADER_BYTES as u64,
        tail: Position::start(log),
        hash: Hash::ZERO,
        witness,
        lock,
    };
    Ok(journal(start, segments))
}

/// Creates a log's first segment. A log can always be begun: where the floor leaves no space, the segment is as
/// short as possible, and the first append is refused.
fn first_segment(
    disk: &dyn Disk,
    dir: &Path,
    identity: &Identity,
    options: &FileOptions,
) -> Result<Segment, OpenError> {
    let free = disk.free_bytes(dir).map_err(io_error("measure", dir))?;
    let most = free.saturating_sub(options.min_free_bytes).max(length::least(options.segment_bytes, 0));
    let mut lengths = lengths(options, 0).filter(|length| *length <= most).peekable();
    loop {
        let capacity = lengths.next().unwrap_or_else(|| length::least(options.segment_bytes, 0));
        let error = match create_segment(disk, dir, first_header(identity, capacity)) {
            Ok(segment) => return Ok(segment),
            Err(error) => error,
        };
        if error.is_disk_full() && lengths.peek().is_some() {
            continue;
        }
        return Err(io_error("create segment", &error.path)(error.error));
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
    if let Some(why) = witness_gap(&found) {
        tracing::warn!(
            dir = %dir.display(), why, sequence = scanned.sequence,
            "cannot tell whether entries are missing at the journal's end; continuing from there"
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
        let frame = frame.map_err(io_error("read", &segment.path))?;
        let written = segment.file.write_all_at(&frame, *offset);
        written.map_err(|error| io_error("write", &segment.path)(error.source))?;
        segment.file.sync_data().map_err(io_error("sync", &segment.path))?;
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
    let witness = witness.map_err(io_error("write", &path))?;

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

/// Fills a torn tail with zeros, durably.
fn cut(torn: &Torn, sequence: u64) -> Result<(), OpenError> {
    let path = &torn.segment.path;
    tracing::warn!(
        segment = %path.display(), offset = torn.from, bytes = torn.to - torn.from, after = sequence,
        fault = %torn.fault, "cut off a torn write at the journal's end; it was never acknowledged"
    );
    let zeros = vec![0; (torn.to - torn.from) as usize];
    let written = torn.segment.file.write_all_at(&zeros, torn.from);
    written.map_err(|error| io_error("write", path)(error.source))?;
    torn.segment.file.sync_data().map_err(io_error("sync", path))
}
