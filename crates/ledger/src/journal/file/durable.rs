//! What readers may see of a file journal: a sparse index of each segment, and the newest blocks in memory.
//!
//! Invariant: nothing after the durable tail is in it, and the blocks in memory have no gap up to the tail. It never
//! reads the disk, so its lock is held only for look-ups.

use std::collections::VecDeque;
use std::sync::Arc;

use milepost_types::{Hash, Position};

use super::super::frame::Header;
use super::super::segment::HEADER_BYTES as SEGMENT_HEADER_BYTES;
use super::super::{ReadLimit, StoredEntry};
use super::segment_file::Segment;

/// One indexed frame for this many bytes of segment.
const INDEX_BYTES: u64 = 64 << 10;

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
        Self { segment, points: Vec::new(), end: SEGMENT_HEADER_BYTES as u64 }
    }

    /// Records the next durable frame.
    pub(super) fn note(&mut self, header: &Header, offset: u64) {
        self.note_frame(header.first, offset, header.frame_bytes());
    }

    /// Records the next durable frame by its values.
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
pub(super) struct Kept {
    pub(super) previous: Hash,
    pub(super) entries: Vec<StoredEntry>,
    bytes: usize,
}

/// The durable part of the log.
pub(super) struct Durable {
    pub(super) segments: Vec<Indexed>,
    pub(super) tail: Position,
    /// Blocks without a gap up to the tail.
    recent: VecDeque<Arc<Kept>>,
    recent_bytes: usize,
    recent_limit: usize,
}

impl Durable {
    /// What was found on the disk; no entry of it is in memory.
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
    pub(super) fn kept_after(&self, sequence: u64, limit: ReadLimit) -> Option<Vec<Arc<Kept>>> {
        let first = self.recent.front()?.entries.first()?.sequence;
        if sequence + 1 < first {
            return None;
        }
        let past = |kept: &Arc<Kept>| kept.entries.last().is_some_and(|last| last.sequence <= sequence);
        let from = self.recent.partition_point(past);
        let (mut entries, mut bytes) = (0, 0);
        let wanted = self.recent.range(from..).enumerate().take_while(|(index, kept)| {
            // The first block does not count: some of its entries may be before the wanted ones.
            let more = entries < limit.entries && bytes < limit.bytes;
            if *index > 0 {
                entries += kept.entries.len();
                bytes += kept.bytes;
            }
            *index == 0 || more
        });
        Some(wanted.map(|(_, kept)| kept.clone()).collect())
    }

    /// Where a walk to `sequence` begins: at the nearest indexed frame before it.
    pub(super) fn locate(&self, sequence: u64) -> Option<Walk> {
        let after = self.segments.partition_point(|indexed| indexed.segment.header.first <= sequence);
        let indexed = self.segments[..after].last()?;
        let (first, offset) = indexed.before(sequence)?;
        Some(Walk { segment: indexed.segment.clone(), first, offset, end: indexed.end })
    }
}

/// Where to read frames from, to reach an entry.
pub(super) struct Walk {
    pub(super) segment: Arc<Segment>,
    pub(super) first: u64,
    pub(super) offset: u64,
    pub(super) end: u64,
}
