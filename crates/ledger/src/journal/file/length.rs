//! The length of a new segment: as configured, or shorter if the disk has too little space for that.
//!
//! Invariant: a length is a whole number of pages and holds the header and the frame that begins the segment.
//! Halving leaves space to the other journals on the same disk, and makes few short segments. Free space is not
//! measured here.

use super::super::segment::HEADER_BYTES as SEGMENT_HEADER_BYTES;
use super::options::FileOptions;

const PAGE_BYTES: u64 = SEGMENT_HEADER_BYTES as u64;
/// A segment is no shorter than this fraction of a full one, or than `SHORTEST_BYTES` if that is less: each is a
/// file that stays open.
const SHORTEST_PART: u64 = 64;
const SHORTEST_BYTES: u64 = 256 << 10;

/// The least length of a segment whose first frame takes `bytes`, where a full one has `segment_bytes`.
pub(super) fn least(segment_bytes: u64, bytes: u64) -> u64 {
    let shortest = (segment_bytes / SHORTEST_PART).min(SHORTEST_BYTES);
    let shortest = shortest.next_multiple_of(PAGE_BYTES).max(2 * PAGE_BYTES);
    (PAGE_BYTES + bytes).next_multiple_of(PAGE_BYTES).max(shortest)
}

/// The lengths that a segment whose first frame takes `bytes` may have, in the order of preference: the
/// configured one, each half of the one before, and at last the least.
pub(super) fn lengths(options: &FileOptions, bytes: u64) -> impl Iterator<Item = u64> {
    let least = least(options.segment_bytes, bytes);
    let configured = options.segment_bytes.next_multiple_of(PAGE_BYTES).max(least);
    std::iter::successors(Some(configured), move |length| {
        (*length > least).then(|| (length / 2).next_multiple_of(PAGE_BYTES).max(least))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(segment_bytes: u64, bytes: u64) -> Vec<u64> {
        lengths(&FileOptions { segment_bytes, ..FileOptions::default() }, bytes).collect()
    }

    #[test]
    fn a_segment_is_as_configured_or_shorter_and_always_holds_its_first_frame() {
        assert_eq!(of(64 << 10, 100), [65536, 32768, 16384, 8192]);
        assert_eq!(of(20_000, 9000), [20480, 16384], "whole pages");
        assert_eq!(of(8192, 1 << 20), [(1 << 20) + 4096], "only the length that the frame needs");
        assert_eq!(of(0, 0), [8192]);
        assert_eq!(of(1 << 62, 0).len(), 45, "the sequence ends");
        assert_eq!(of(64 << 20, 0).last(), Some(&(256 << 10)), "short segments are few");
    }
}
