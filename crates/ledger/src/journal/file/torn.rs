//! Telling a torn tail from damage.
//!
//! Invariant: only what an interrupted last write can have left, after everything that the witness records as durable,
//! counts as torn. Anything else is damage; in doubt it is damage. Writes nothing.

use std::sync::Arc;

use super::super::frame::{self, Fault, FrameLocation, HEADER_BYTES, Header};
use super::super::witness;
use super::error::{OpenError, io_error};
use super::segment_file::Segment;

/// How much of a segment is read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A write that was cut short, after the end of the log.
pub(super) struct Torn {
    pub(super) segment: Arc<Segment>,
    /// From here …
    pub(super) from: u64,
    /// … to here the file is not zero.
    pub(super) to: u64,
    pub(super) fault: Fault,
}

/// Checks that the bytes at `offset`, where no whole frame is, are a torn tail; an error if they are damage. `to` is
/// the end of the bytes that are not zero, `last` whether no segment follows.
pub(super) fn check_torn(
    witness: &witness::Found,
    segment: &Segment,
    last: bool,
    offset: u64,
    to: u64,
    fault: Fault,
    sequence: u64,
) -> Result<(), OpenError> {
    if let Fault::Newer { version, .. } = fault {
        return Err(OpenError::Newer { path: segment.path.clone(), format: version, min_reader: version });
    }
    let damage = |why: &str| Err(segment.damage(offset, sequence, format!("{fault} ({why})")).into());
    if !last {
        return damage("a later segment follows");
    }
    if let Some(later) = later_frame(segment, offset + 1)? {
        let why = format!("the frame of sequence {} follows at byte {}", later.1.first, later.0);
        return damage(&why);
    }
    match witness {
        witness::Found::Known { slot, .. } if slot.sequence >= sequence => {
            return damage(&format!("sequence {} was durable", slot.sequence));
        }
        witness::Found::Known { damaged: false, .. } => {}
        _ => return damage("no intact witness shows whether it was durable"),
    }
    // A write that a power cut or an error interrupted: the end of the frame or some sectors of it are missing, and
    // nothing follows it.
    let location = FrameLocation { log: segment.header.log, ordinal: segment.header.ordinal, offset };
    let room = segment.header.capacity - offset;
    let read = |length: u64| {
        let read = segment.file.read_exact_at(length.min(room) as usize, offset);
        read.map_err(io_error("read", &segment.path))
    };
    let header = read(HEADER_BYTES as u64)?;
    let torn = match Header::decode(&header, location) {
        Ok(header) if header.frame_bytes() > room => false,
        Ok(header) => {
            let end = offset + header.frame_bytes();
            to < end || (to == end && frame::lacks_a_sector(&read(header.frame_bytes())?, offset))
        }
        Err(_) => to <= offset + HEADER_BYTES as u64 || frame::lacks_a_sector(&header, offset),
    };
    if torn { Ok(()) } else { damage("it was written completely, so it is not a torn write") }
}

/// The first frame header at or after `from`, at any alignment. A header alone is proof enough: its
/// checksum holds at this location of this log only.
fn later_frame(segment: &Segment, from: u64) -> Result<Option<(u64, Header)>, OpenError> {
    let mut found = None;
    pieces(segment, from, segment.header.capacity, HEADER_BYTES - 1, &mut |at, bytes| {
        let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == frame::MAGIC[0]);
        found = starts.map(|(start, _)| start).find_map(|start| {
            let offset = at + start as u64;
            let location = FrameLocation { log: segment.header.log, ordinal: segment.header.ordinal, offset };
            match Header::decode(&bytes[start..], location) {
                Ok(header) => Some((offset, header)),
                Err(_) => None,
            }
        });
        found.is_none()
    })?;
    Ok(found)
}

/// The range from the first to the last byte that is not zero, if there is one.
pub(super) fn nonzero(segment: &Segment, from: u64, to: u64) -> Result<Option<(u64, u64)>, OpenError> {
    let mut range: Option<(u64, u64)> = None;
    pieces(segment, from, to, 0, &mut |at, bytes| {
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(last);
            let start = range.map_or(at + first as u64, |(start, _)| start);
            range = Some((start, at + last as u64 + 1));
        }
        true
    })?;
    Ok(range)
}

/// Calls `visit` with a part of a file piece by piece, each with `overlap` bytes of the next, until it returns false.
fn pieces(
    segment: &Segment,
    mut from: u64,
    to: u64,
    overlap: usize,
    visit: &mut dyn FnMut(u64, &[u8]) -> bool,
) -> Result<(), OpenError> {
    while from < to {
        let length = ((to - from) as usize).min(PIECE_BYTES + overlap);
        let piece = segment.file.read_exact_at(length, from);
        if !visit(from, &piece.map_err(io_error("read", &segment.path))?) {
            break;
        }
        from += PIECE_BYTES.min(length) as u64;
    }
    Ok(())
}
