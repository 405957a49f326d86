//! Walking the hash chain of a stored journal: every entry's hash is computed again from its bytes
//! and the hash before it.
//!
//! Invariant: a log that passes holds exactly the bytes whose hashes it shows; the first entry that
//! does not is named with file, byte and sequence. Writes nothing, takes no lock, interprets no
//! entry.

use std::path::Path;

use milepost_types::{Hash, LedgerName, Lineage, Position};

use super::super::disk::Disk;
use super::super::frame::{ENTRY_OVERHEAD_BYTES, HEADER_BYTES, parts};
use super::super::{Damage, Expected};
use super::error::OpenError;
use super::frames::Frame;
use super::scan::scan_read_only;
use super::segment_file::Segment;
use crate::journal::chain;

/// A log whose hash chain is intact.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its last position; its sequence is the number of entries.
    pub tail: Position,
    /// The ledger that its newest segment names; `None` in a log entirely of format 1.
    pub name: Option<LedgerName>,
    /// What the log was restored from.
    pub lineage: Lineage,
    /// The number of segment files.
    pub segments: usize,
    /// The bytes of the entries, without headers.
    pub bytes: u64,
    /// Where a torn write follows the last entry (segment file, byte): it was never acknowledged,
    /// and the next start cuts it off.
    pub torn: Option<(std::path::PathBuf, u64)>,
}

/// Reads the journal in `dir` and checks every checksum, link and hash; `progress` is called with the last
/// sequence of each frame.
///
/// # Errors
/// `Damaged` names the first bad entry or frame, `OtherLedger` whose log it is; else as
/// `FileJournal::open_read_only`.
pub fn verify(
    dir: &Path,
    expected: Expected,
    disk: &dyn Disk,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, OpenError> {
    let (mut hash, mut bytes) = (Hash::ZERO, 0);
    let scanned = scan_read_only(dir, expected, disk, &mut |segment, frame| {
        bytes += check(segment, frame, &mut hash)?;
        progress(frame.header.last());
        Ok(())
    })?;
    Ok(Verified {
        tail: Position::after(scanned.identity.log, scanned.sequence, &scanned.hash),
        name: scanned.segments.last().and_then(|last| last.segment.header.name),
        lineage: scanned.identity.lineage,
        segments: scanned.segments.len(),
        bytes,
        torn: scanned.torn.map(|torn| (torn.segment.path.clone(), torn.from)),
    })
}

fn check(segment: &Segment, frame: &Frame, hash: &mut Hash) -> Result<u64, Damage> {
    let mut bytes = 0;
    for (part, sequence) in parts(&frame.body).zip(frame.header.first..) {
        let part = part.map_err(|fault| segment.damage(frame.offset, sequence, fault))?;
        let computed = chain(hash, &frame.body[part.start..part.end]);
        if computed != part.hash {
            let at = frame.offset + (HEADER_BYTES + part.start - ENTRY_OVERHEAD_BYTES) as u64;
            let what = format!("the entry's hash is {}, but its bytes give {computed}", part.hash);
            return Err(segment.damage(at, sequence, what));
        }
        *hash = computed;
        bytes += (part.end - part.start) as u64;
    }
    Ok(bytes)
}
