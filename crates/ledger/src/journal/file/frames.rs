//! Walking the frames of one segment file, a large piece of it at a time.
//!
//! Invariant: a frame that is returned is whole (both checksums, end mark, entries that add up);
//! anything else is a fault with its offset. Whether a fault is the end of the log, a torn tail or
//! damage is decided by `scan`. Never reads past `limit`, never writes.

use std::io;

use bytes::Bytes;

use super::super::frame::{Fault, FrameLocation, HEADER_BYTES, Header};
use super::segment_file::Segment;

/// A whole frame.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Its offset in the file.
    pub(super) offset: u64,
    pub(super) header: Header,
    pub(super) body: Bytes,
}

/// What a walk finds next.
pub(super) enum Next {
    Frame(Frame),
    /// No whole frame at this offset; the walk ends here.
    Fault(u64, Fault),
    /// The limit.
    End,
}

/// A walk from one frame to the next.
pub(super) struct Frames<'a> {
    segment: &'a Segment,
    at: u64,
    limit: u64,
    piece: usize,
    buffer: Bytes,
    buffer_at: u64,
}

impl<'a> Frames<'a> {
    /// From the frame at `at` to `limit`, reading `piece` bytes at a time or one frame if it is larger.
    pub(super) fn new(segment: &'a Segment, at: u64, limit: u64, piece: usize) -> Self {
        Self { segment, at, limit, piece, buffer: Bytes::new(), buffer_at: at }
    }

    /// Reads the next frame.
    ///
    /// # Errors
    /// If the file cannot be read; `UnexpectedEof` if it ends before the limit.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let left = self.limit - self.at;
        if left == 0 {
            return Ok(Next::End);
        }
        let offset = self.at;
        let location =
            FrameLocation { log: self.segment.header.log, ordinal: self.segment.header.ordinal, offset };
        let header = self.bytes(left.min(HEADER_BYTES as u64) as usize)?;
        let header = match Header::decode(&header, location) {
            Ok(header) if header.frame_bytes() <= left => header,
            Ok(_) => return Ok(Next::Fault(offset, Fault::Length)),
            Err(fault) => return Ok(Next::Fault(offset, fault)),
        };
        let bytes = self.bytes(header.frame_bytes() as usize)?;
        let body_end = HEADER_BYTES + header.length as usize;
        let body = bytes.slice(HEADER_BYTES..body_end);
        if let Err(fault) = header.check(&body, &bytes[body_end..]) {
            return Ok(Next::Fault(offset, fault));
        }
        self.at += header.frame_bytes();
        Ok(Next::Frame(Frame { offset, header, body }))
    }

    /// The `length` bytes at the current location.
    fn bytes(&mut self, length: usize) -> io::Result<Bytes> {
        let from = (self.at - self.buffer_at) as usize;
        if from + length <= self.buffer.len() {
            return Ok(self.buffer.slice(from..from + length));
        }
        let left = (self.limit - self.at) as usize;
        let read = self.segment.file.read_exact_at(self.piece.max(length).min(left), self.at)?;
        self.buffer = Bytes::from(read);
        self.buffer_at = self.at;
        Ok(self.buffer.slice(..length))
    }
}
