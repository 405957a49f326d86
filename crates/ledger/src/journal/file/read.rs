//! What readers may see, and how they find it: a sparse index of each segment, the newest entries in
//! memory, and walking frames from the nearest indexed one.
//!
//! Invariants: nothing after the durable tail is ever read; the lock is held to look places up, not
//! to read the disk; every frame from the disk is checked before an entry of it is handed out, and
//! entries share the bytes that were read. Never waits for new entries.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use milepost_types::{Hash, Position};

use super::super::frame::{self, Header};
use super::super::segment::HEAD_BYTES;
use super::super::{Damage, ReadError, ReadLimit, StoredEntry};
use super::frames::{Frame, Frames, Next};
use super::{FileJournal, Segment};

/// One indexed frame for so many bytes of segment.
const INDEX_BYTES: u64 = 64 << 10;
/// At least and at most so much is read from the disk at a time (a larger frame is read whole).
const PIECE_BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 20;

/// A segment and where its frames are.
pub(super) struct Indexed {
    pub(super) segment: Arc<Segment>,
    /// (first sequence, offset) of some frames, the first one among them.
    points: Vec<(u64, u64)>,
    /// The byte after the last durable frame.
    pub(super) end: u64,
}

impl Indexed {
    /// A segment without frames.
    pub(super) fn new(segment: Arc<Segment>) -> Self {
        Self { segment, points: Vec::new(), end: HEAD_BYTES as u64 }
    }

    /// Takes note of the next durable frame.
    pub(super) fn note(&mut self, header: &Header, offset: u64) {
        self.note_frame(header.first, offset, header.frame_bytes());
    }

    /// Takes note of the next durable frame by its values.
    pub(super) fn note_frame(&mut self, first: u64, offset: u64, bytes: u64) {
        if self.points.last().is_none_or(|(_, last)| offset - last >= INDEX_BYTES) {
            self.points.push((first, offset));
        }
        self.end = offset + bytes;
    }

    /// The last indexed frame that begins at or before `sequence`.
    fn before(&self, sequence: u64) -> Option<(u64, u64)> {
        let after = self.points.partition_point(|(first, _)| *first <= sequence);
        self.points[..after].last().copied()
    }
}

/// A block that is kept in memory.
struct Kept {
    previous: Hash,
    entries: Vec<StoredEntry>,
    bytes: usize,
}

/// What is durable.
pub(super) struct Durable {
    pub(super) segments: Vec<Indexed>,
    pub(super) tail: Position,
    /// Blocks without a gap up to the tail.
    recent: VecDeque<Arc<Kept>>,
    recent_bytes: usize,
    recent_limit: usize,
}

impl Durable {
    /// What was found on the disk; nothing of it is in memory.
    pub(super) fn new(segments: Vec<Indexed>, tail: Position, recent_limit: usize) -> Self {
        Self { segments, tail, recent: VecDeque::new(), recent_bytes: 0, recent_limit }
    }

    /// Keeps a block that has just become durable, and drops the oldest beyond the limit.
    pub(super) fn keep(&mut self, previous: Hash, entries: &[StoredEntry]) {
        let bytes = entries.iter().map(|entry| entry.bytes.len() + size_of::<StoredEntry>()).sum();
        self.recent.push_back(Arc::new(Kept { previous, entries: entries.to_vec(), bytes }));
        self.recent_bytes += bytes;
        while self.recent_bytes > self.recent_limit
            && let Some(oldest) = self.recent.pop_front()
        {
            self.recent_bytes -= oldest.bytes;
        }
    }

    /// Whether the entry with this sequence is kept in memory.
    pub(super) fn keeps(&self, sequence: u64) -> bool {
        let first = self.recent.front().and_then(|kept| kept.entries.first());
        first.is_some_and(|first| (first.sequence..=self.tail.sequence).contains(&sequence))
    }

    /// The kept blocks from the one with the entry after `sequence`, if they reach back so far, as
    /// many as a reader with this limit can use.
    fn kept_after(&self, sequence: u64, limit: ReadLimit) -> Option<Vec<Arc<Kept>>> {
        let first = self.recent.front()?.entries.first()?.sequence;
        if sequence + 1 < first {
            return None;
        }
        let past = |kept: &Arc<Kept>| kept.entries.last().is_some_and(|last| last.sequence <= sequence);
        let from = self.recent.partition_point(past);
        let (mut entries, mut bytes) = (0, 0);
        let wanted = self.recent.range(from..).enumerate().take_while(|(index, kept)| {
            // The first block counts for nothing: some of it may be before the wanted entries.
            let more = entries < limit.entries && bytes < limit.bytes;
            if *index > 0 {
                entries += kept.entries.len();
                bytes += kept.bytes;
            }
            *index == 0 || more
        });
        Some(wanted.map(|(_, kept)| kept.clone()).collect())
    }

    /// Where to walk from to come to `sequence`: segment, first sequence and offset of a frame, end.
    fn place(&self, sequence: u64) -> Option<Walk> {
        let after = self.segments.partition_point(|indexed| indexed.segment.head.first <= sequence);
        let indexed = self.segments[..after].last()?;
        let (first, offset) = indexed.before(sequence)?;
        Some(Walk { segment: indexed.segment.clone(), first, offset, end: indexed.end })
    }
}

struct Walk {
    segment: Arc<Segment>,
    first: u64,
    offset: u64,
    end: u64,
}

/// Entries being gathered for one reader.
struct Gathered {
    entries: Vec<StoredEntry>,
    bytes: usize,
    limit: ReadLimit,
}

impl Gathered {
    fn full(&self) -> bool {
        !self.entries.is_empty()
            && (self.entries.len() >= self.limit.entries || self.bytes >= self.limit.bytes)
    }

    /// Takes what comes after `sequence` until it is full.
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
        let mut gathered = Gathered { entries: Vec::new(), bytes: 0, limit };
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
                gathered.take(kept.entries.iter().cloned(), after.sequence);
            }
            return Ok(gathered.entries);
        }

        let mut next = after.sequence + 1;
        while !gathered.full() {
            // The tail may have moved since: what it is now is durable too.
            let Some(walk) = self.durable.read().place(next) else { break };
            let walked = self.walk(&walk, next, &mut gathered, &mut |frame| {
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
        Ok(gathered.entries)
    }

    /// Gathers entries from `next` on to the end of one segment; returns the sequence after them.
    fn walk(
        &self,
        walk: &Walk,
        next: u64,
        gathered: &mut Gathered,
        see: &mut dyn FnMut(&Frame) -> Result<(), ReadError>,
    ) -> Result<u64, ReadError> {
        let segment = &walk.segment;
        let piece = gathered.limit.bytes.clamp(*PIECE_BYTES.start(), *PIECE_BYTES.end());
        let mut frames = Frames::new(segment, walk.offset, walk.end, piece);
        let mut expected = walk.first;
        while !gathered.full() {
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
                see(&frame)?;
                gathered.take(frame::entries(&frame.header, &frame.body), next - 1);
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
