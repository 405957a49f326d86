//! Reading a whole log: every segment, every frame, every link, before any of it is used.
//!
//! Invariants: writes nothing. What it returns is one unbroken chain of whole frames from sequence
//! 1; whatever else is on the disk is either a torn tail, described so that `open` may cut it off,
//! or an error that names file, offset and sequence. Entry hashes are trusted here (the checksums
//! cover them); `verify` recomputes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{Hash, LedgerName, Lineage, LogId};

use super::super::disk::{Access, Disk};
use super::super::frame;
use super::super::segment::{self, HEADER_BYTES as SEGMENT_HEADER_BYTES, SegmentHeader};
use super::super::witness;
use super::super::{Damage, Expected, StoredEntry};
use super::directory::{check_no_entries_lost, list, read_witness, witness_gap};
use super::durable::Indexed;
use super::error::{OpenError, io_error};
use super::frames::{Frame, Frames, Next};
use super::segment_file::{Identity, Segment};
use super::torn::{Torn, check_torn, nonzero};

/// How much of a segment is read at a time.
const PIECE_BYTES: usize = 1 << 20;
/// A line of progress is logged after this many bytes.
const PROGRESS_BYTES: u64 = 1 << 30;

/// What a scan reads.
pub(super) struct Scan<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) dir: &'a Path,
    /// The ledger whose log it should be.
    pub(super) expected: Expected,
    /// The ordinals of the segment files that are there, sorted.
    pub(super) ordinals: &'a [u64],
    /// The witness, read before this scan began.
    pub(super) witness: witness::Found,
    /// Whether another process may be appending: then a fault is read a second time before it counts.
    pub(super) live: bool,
}

/// Called with each frame that is whole and continues the log.
pub(super) type Visit<'a> = dyn FnMut(&Segment, &Frame) -> Result<(), Damage> + 'a;

/// A log that was read to its end.
pub(super) struct Scanned {
    pub(super) identity: Identity,
    pub(super) segments: Vec<Indexed>,
    /// The last entry; 0 for none.
    pub(super) sequence: u64,
    pub(super) hash: Hash,
    /// Segment, offset and length of the last frame.
    pub(super) last_frame: Option<(Arc<Segment>, u64, u64)>,
    pub(super) torn: Option<Torn>,
}

impl Scan<'_> {
    /// Reads the log; there is at least one segment.
    pub(super) fn run(&self, visit: &mut Visit<'_>) -> Result<Scanned, OpenError> {
        let identity = Identity {
            name: self.expected.name,
            log: LogId::from_bytes([0; 16]),
            lineage: Lineage::default(),
        };
        let (segments, last_frame, torn) = (Vec::new(), None, None);
        let mut log = Scanned { identity, segments, sequence: 0, hash: Hash::ZERO, last_frame, torn };
        let (mut bytes, mut logged) = (0, 0);
        for (ordinal, found) in (1..).zip(self.ordinals) {
            if ordinal != *found {
                return Err(missing(segment::path(self.dir, ordinal), log.sequence + 1).into());
            }
            let segment = Arc::new(self.segment(ordinal, &log)?);
            let last = ordinal == self.ordinals.len() as u64;
            self.frames(segment, last, &mut log, visit)?;
            bytes += log.segments.last().map_or(0, |indexed| indexed.segment.header.capacity);
            if bytes - logged >= PROGRESS_BYTES {
                logged = bytes;
                let of = self.ordinals.len();
                tracing::info!(dir = %self.dir.display(), ordinal, of, sequence = log.sequence, "reading the journal");
            }
        }
        self.check_end(&log)?;
        if let Some(first) = log.segments.first() {
            log.identity.log = first.segment.header.log;
            log.identity.lineage = first.segment.header.lineage.clone();
        }
        Ok(log)
    }

    /// Opens a segment and checks that it continues the log.
    fn segment(&self, ordinal: u64, log: &Scanned) -> Result<Segment, OpenError> {
        let path = segment::path(self.dir, ordinal);
        let access = if self.live { Access::Read } else { Access::Write };
        let file = self.disk.open(&path, access).map_err(io_error("open", &path))?;
        let length = file.size().map_err(io_error("measure", &path))?;
        let sequence = log.sequence + 1;
        let damage = |offset, what: String| Damage { segment: path.clone(), offset, sequence, what };

        let bytes = file.read_exact_at((SEGMENT_HEADER_BYTES as u64).min(length) as usize, 0);
        let bytes = bytes.map_err(io_error("read", &path))?;
        let header = match SegmentHeader::decode(&bytes) {
            Ok(header) => header,
            Err(segment::Fault::Newer { format, min_reader }) => {
                return Err(OpenError::Newer { path, format, min_reader });
            }
            Err(segment::Fault::Short) => {
                return Err(damage(length, "the segment is truncated within its header".to_owned()).into());
            }
            Err(fault) => return Err(damage(0, fault.to_string()).into()),
        };
        if length != header.capacity {
            let how = if length < header.capacity { "truncated" } else { "too long" };
            let what = format!("the segment is {how}: {length} bytes instead of {}", header.capacity);
            return Err(damage(length.min(header.capacity), what).into());
        }
        if header.ordinal != ordinal {
            return Err(damage(0, format!("the file holds segment {} of the log", header.ordinal)).into());
        }
        if let Some(first) = log.segments.first() {
            let first = &first.segment.header;
            if header.log != first.log || header.lineage != first.lineage {
                return Err(
                    damage(0, format!("the segment is of log {}, not {}", header.log, first.log)).into()
                );
            }
        }
        self.check_ledger(header.name, None)?;
        if header.first != sequence {
            let what = format!(
                "the segment begins at sequence {}, but the one before ends at {}",
                header.first, log.sequence
            );
            return Err(damage(0, what).into());
        }
        if header.previous != log.hash {
            return Err(
                damage(0, "the segment does not continue the hash of the one before".to_owned()).into()
            );
        }
        Ok(Segment { path, file, header })
    }

    /// Walks the frames of a segment.
    fn frames(
        &self,
        segment: Arc<Segment>,
        last: bool,
        log: &mut Scanned,
        visit: &mut Visit<'_>,
    ) -> Result<(), OpenError> {
        let capacity = segment.header.capacity;
        let mut indexed = Indexed::new(segment.clone());
        let mut frames = Frames::new(&segment, SEGMENT_HEADER_BYTES as u64, capacity, PIECE_BYTES);
        let mut retried = None;
        loop {
            match frames.next().map_err(io_error("read", &segment.path))? {
                Next::End => break,
                Next::Frame(frame) => {
                    self.link(&segment, &frame, log)?;
                    if frame.header.first == 1 {
                        let first = frame::entries(&frame.header, &frame.body).next();
                        self.check_ledger(segment.header.name, first.as_ref())?;
                    }
                    visit(&segment, &frame)?;
                    indexed.note(&frame.header, frame.offset);
                    log.last_frame = Some((segment.clone(), frame.offset, frame.header.frame_bytes()));
                }
                Next::Fault(offset, fault) => {
                    let Some((_, to)) = nonzero(&segment, offset, capacity)? else { break };
                    match check_torn(&self.witness, &segment, last, offset, to, fault, log.sequence + 1) {
                        Ok(()) => {
                            log.torn = Some(Torn { segment: segment.clone(), from: offset, to, fault });
                            break;
                        }
                        Err(_) if self.live && retried != Some(offset) => {
                            retried = Some(offset);
                            frames = Frames::new(&segment, offset, capacity, PIECE_BYTES);
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        log.segments.push(indexed);
        Ok(())
    }

    /// Checks that a log with this name, or with this first entry, is the expected one.
    fn check_ledger(&self, name: Option<LedgerName>, first: Option<&StoredEntry>) -> Result<(), OpenError> {
        match self.expected.other(name, first) {
            Some(found) => {
                let (dir, expected) = (self.dir.to_owned(), self.expected.name);
                Err(OpenError::OtherLedger { dir, found, expected })
            }
            None => Ok(()),
        }
    }

    /// Checks that a whole frame continues the log, and moves past it.
    fn link(&self, segment: &Segment, frame: &Frame, log: &mut Scanned) -> Result<(), Damage> {
        let (header, sequence) = (&frame.header, log.sequence + 1);
        if header.first != sequence {
            let what = format!("the frame begins at sequence {}", header.first);
            return Err(segment.damage(frame.offset, sequence, what));
        }
        if header.previous != log.hash {
            let what = "the frame does not continue the hash of the entry before";
            return Err(segment.damage(frame.offset, sequence, what));
        }
        for (part, sequence) in frame::parts(&frame.body).zip(sequence..) {
            log.hash = part.map_err(|fault| segment.damage(frame.offset, sequence, fault))?.hash;
            if let witness::Found::Known { slot, .. } = &self.witness
                && slot.sequence == sequence
                && slot.hash != log.hash
            {
                let what = format!("the entry's hash is {}, but {} was durable", log.hash, slot.hash);
                return Err(segment.damage(frame.offset, sequence, what));
            }
        }
        log.sequence = header.last();
        Ok(())
    }

    /// Checks the end of the log against the witness.
    fn check_end(&self, log: &Scanned) -> Result<(), Damage> {
        let witness::Found::Known { slot, .. } = &self.witness else { return Ok(()) };
        let of = log.segments.first().map(|first| first.segment.header.log);
        if of != Some(slot.log) {
            return Err(witness_damage(self.dir, slot.log, of));
        }
        if slot.sequence > log.sequence {
            return Err(lost_end(self.dir, self.ordinals.len() as u64, log, slot.sequence));
        }
        Ok(())
    }
}

fn missing(segment: PathBuf, sequence: u64) -> Damage {
    Damage { segment, offset: 0, sequence, what: "the segment is missing".to_owned() }
}

fn witness_damage(dir: &Path, witness: LogId, of: Option<LogId>) -> Damage {
    let of = of.map_or_else(String::new, |of| of.to_string());
    let what = format!("the witness is of log {witness}, but the segments are of log {of}");
    Damage { segment: dir.join(segment::WITNESS), offset: 0, sequence: 0, what }
}

/// The log ends before an entry that was durable.
fn lost_end(dir: &Path, ordinal: u64, log: &Scanned, durable: u64) -> Damage {
    let offset = log.segments.last().map_or(0, |indexed| indexed.end);
    let what = format!("the log ends at sequence {}, but sequence {durable} was durable", log.sequence);
    Damage { segment: segment::path(dir, ordinal), offset, sequence: log.sequence + 1, what }
}

/// Reads a log that another process may be appending to.
pub(super) fn scan_read_only(
    dir: &Path,
    expected: Expected,
    disk: &dyn Disk,
    visit: &mut Visit<'_>,
) -> Result<Scanned, OpenError> {
    // The witness first: what it records as durable will be there when the segments are read.
    let witness = read_witness(dir, disk)?;
    let names = list(dir, disk)?;
    if names.segments.is_empty() {
        check_no_entries_lost(dir, &witness)?;
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    if let Some(why) = witness_gap(&witness) {
        tracing::warn!(dir = %dir.display(), why, "cannot tell whether entries are missing at the journal's end");
    }
    Scan { disk, dir, expected, ordinals: &names.segments, witness, live: true }.run(visit)
}
