//! Reading entries of a file journal: from memory, or by walking frames from the nearest indexed one.
//!
//! Invariants: nothing after the durable tail is ever read; every frame from the disk is checked before an entry of
//! it is returned, and entries share the bytes that were read. Never waits for new entries.

use std::io;

use milepost_types::Position;

use super::super::frame;
use super::super::{Damage, ReadError, ReadLimit, StoredEntry};
use super::FileJournal;
use super::durable::Walk;
use super::frames::{Frame, Frames, Next};
use super::segment_file::Segment;

/// At least and at most this much is read from the disk at a time (a larger frame is read whole).
const PIECE_BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 20;

/// The entries collected for one reader.
struct Collected {
    entries: Vec<StoredEntry>,
    bytes: usize,
    limit: ReadLimit,
}

impl Collected {
    fn full(&self) -> bool {
        !self.entries.is_empty()
            && (self.entries.len() >= self.limit.entries || self.bytes >= self.limit.bytes)
    }

    /// Adds the entries after `sequence` until it is full.
    fn take(&mut self, entries: impl Iterator<Item = StoredEntry>, sequence: u64) {
        for entry in entries.skip_while(|entry| entry.sequence <= sequence) {
            if self.full() {
                break;
            }
            self.bytes += entry.bytes.len();
            self.entries.push(entry);
        }
    }
}

impl FileJournal {
    pub(super) fn read_after(
        &self,
        after: &Position,
        compare: bool,
        limit: ReadLimit,
    ) -> Result<Vec<StoredEntry>, ReadError> {
        let compare = |have: Position| match compare && have.hash != after.hash {
            true => Err(ReadError::Diverged { asked: *after, have }),
            false => Ok(()),
        };
        let mut collected = Collected { entries: Vec::new(), bytes: 0, limit };
        let kept = {
            let durable = self.durable.read();
            if self.lineage.resolve(self.log, *after).is_none() {
                return Err(ReadError::elsewhere(*after, &self.lineage, durable.tail));
            }
            if after.sequence > durable.tail.sequence {
                return Err(ReadError::Ahead { asked: *after, tail: durable.tail });
            }
            if after.sequence == durable.tail.sequence {
                return compare(durable.tail).map(|()| Vec::new());
            }
            durable.kept_after(after.sequence, limit)
        };
        if let Some(kept) = kept {
            if let Some(first) = kept.first() {
                let entry = first.entries.iter().find(|entry| entry.sequence == after.sequence);
                let hash = entry.map_or(first.previous, |entry| entry.hash);
                compare(Position::after(self.log, after.sequence, &hash))?;
            }
            for kept in kept {
                collected.take(kept.entries.iter().cloned(), after.sequence);
            }
            return Ok(collected.entries);
        }

        let mut next = after.sequence + 1;
        while !collected.full() {
            // The tail may have moved since: what it is now is durable too.
            let Some(walk) = self.durable.read().locate(next) else { break };
            let walked = self.walk(&walk, next, &mut collected, &mut |frame| {
                if frame.header.first > after.sequence + 1 {
                    return Ok(());
                }
                let mut parts = frame::parts(&frame.body).map_while(Result::ok).zip(frame.header.first..);
                let part = parts.find(|(_, sequence)| *sequence == after.sequence);
                let hash = part.map_or(frame.header.previous, |(part, _)| part.hash);
                compare(Position::after(self.log, after.sequence, &hash))
            })?;
            if walked == next {
                break;
            }
            next = walked;
        }
        Ok(collected.entries)
    }

    /// Collects entries from `next` to the end of one segment; returns the sequence after them.
    fn walk(
        &self,
        walk: &Walk,
        next: u64,
        collected: &mut Collected,
        check: &mut dyn FnMut(&Frame) -> Result<(), ReadError>,
    ) -> Result<u64, ReadError> {
        let segment = &walk.segment;
        let piece = collected.limit.bytes.clamp(*PIECE_BYTES.start(), *PIECE_BYTES.end());
        let mut frames = Frames::new(segment, walk.offset, walk.end, piece);
        let mut expected = walk.first;
        while !collected.full() {
            let frame = match frames.next() {
                Ok(Next::Frame(frame)) if frame.header.first == expected => frame,
                Ok(Next::Frame(frame)) => {
                    let what = format!("the frame begins at sequence {}", frame.header.first);
                    return Err(segment.damage(frame.offset, expected, what).into());
                }
                Ok(Next::Fault(offset, fault)) => return Err(segment.damage(offset, expected, fault).into()),
                Ok(Next::End) => break,
                Err(source) => return Err(unreadable(segment, expected, source)),
            };
            expected = frame.header.last() + 1;
            if expected > next {
                check(&frame)?;
                collected.take(frame::entries(&frame.header, &frame.body), next - 1);
            }
        }
        Ok(expected.max(next))
    }
}

fn unreadable(segment: &Segment, sequence: u64, source: io::Error) -> ReadError {
    if source.kind() != io::ErrorKind::UnexpectedEof {
        return ReadError::Io { path: segment.path.clone(), source };
    }
    let offset = segment.file.size().unwrap_or(0);
    let what = "the segment was truncated while it was open".to_owned();
    Damage { segment: segment.path.clone(), offset, sequence, what }.into()
}
