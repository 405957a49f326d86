//! The reset of a source: which of its events are revoked, repeated and omitted for subscribers.
//!
//! A source's events are counted by the sequence of their entry, whatever log they were first written in: a
//! restored log has the entries up to the fork, and their events keep their ids.
//!
//! Invariants: what is revoked, repeated and omitted is derived from the positions alone, and never less of it
//! than there is: what is not known to be shared by both logs counts as lost. A reset without any of the
//! three changes nothing for subscribers.

use milepost_types::Position;

/// A source that is followed from another position on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reset {
    /// The last position that was followed before; `None`: nothing was.
    pub(crate) previous: Option<Position>,
    /// The position after which it is followed now.
    pub(crate) position: Position,
    /// The last position that both logs have in common, if that is known.
    pub(crate) fork: Option<Position>,
}

/// Entries of the source after a sequence, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// The last sequence before it.
    pub(crate) after: u64,
    /// The last sequence in it.
    pub(crate) up_to: u64,
}

impl Reset {
    /// What was followed and is not in the log any more.
    pub(crate) fn revoked(&self) -> Option<Range> {
        Range::of(self.kept(), self.had())
    }

    /// What was followed, is still in the log, and is followed once more.
    pub(crate) fn repeated(&self) -> Option<Range> {
        Range::of(self.position.sequence, self.kept())
    }

    /// What is in the log, was not followed, and never is.
    pub(crate) fn omitted(&self) -> Option<Range> {
        Range::of(self.kept(), self.position.sequence)
    }

    /// Whether it changes anything for a subscriber.
    pub(crate) fn is_announced(&self) -> bool {
        self.revoked().is_some() || self.repeated().is_some() || self.omitted().is_some()
    }

    /// The sequence that was followed to.
    fn had(&self) -> u64 {
        self.previous.map_or(0, |previous| previous.sequence)
    }

    /// The last sequence that was followed and is known to be in the log as it is now.
    fn kept(&self) -> u64 {
        let (Some(previous), position) = (self.previous, self.position) else { return 0 };
        let shared = match self.fork {
            Some(fork) => fork.sequence,
            // Hashes are chained: entries that have the same have the same before them.
            None if (previous.sequence, previous.hash) == (position.sequence, position.hash) => {
                position.sequence
            }
            // Another place of the same log. Whether what came after it is still there is not known.
            None if previous.log == position.log && previous.sequence != position.sequence => {
                position.sequence
            }
            None => 0,
        };
        shared.min(previous.sequence)
    }
}

impl Range {
    fn of(after: u64, up_to: u64) -> Option<Self> {
        (after < up_to).then_some(Self { after, up_to })
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;

    fn at(log: u8, sequence: u64) -> Position {
        history(log, sequence, 1)
    }

    /// A position whose hash differs from that of other histories.
    fn history(log: u8, sequence: u64, history: u8) -> Position {
        let hash = if sequence == 0 { [0; 8] } else { [history; 8] };
        Position { log: LogId::from_bytes([log; 16]), sequence, hash: HashPrefix::from_bytes(hash) }
    }

    type Ranges = [Option<(u64, u64)>; 3];

    #[track_caller]
    fn check(previous: Option<Position>, position: Position, fork: Option<Position>, expected: Ranges) {
        let reset = Reset { previous, position, fork };
        let ranges = [reset.revoked(), reset.repeated(), reset.omitted()];
        let ranges = ranges.map(|range| range.map(|range| (range.after, range.up_to)));
        assert_eq!(ranges, expected, "{reset:?}");
        assert_eq!(reset.is_announced(), expected != [None; 3], "{reset:?}");
    }

    #[test]
    fn what_came_after_the_fork_is_revoked() {
        // Exported at 503, continued to 523, restored.
        check(Some(at(1, 523)), at(2, 503), Some(at(2, 503)), [Some((503, 523)), None, None]);
        // An operator goes on further back than need be.
        check(Some(at(1, 523)), at(2, 500), Some(at(2, 503)), [Some((503, 523)), Some((500, 503)), None]);
        // Or after what the restored log has got since.
        check(Some(at(1, 523)), at(2, 510), Some(at(2, 503)), [Some((503, 523)), None, Some((503, 510))]);
    }

    #[test]
    fn a_reset_that_changes_nothing_is_not_announced() {
        // It had not come past the fork, and goes on exactly where it was.
        check(Some(at(1, 503)), at(2, 503), Some(at(2, 503)), [None; 3]);
        check(Some(at(1, 400)), at(2, 400), Some(at(2, 503)), [None; 3]);
        check(None, at(2, 0), None, [None; 3]);
        check(Some(at(1, 0)), at(2, 0), None, [None; 3]);
        // The same entries, as their hash says, whatever is known of the fork.
        check(Some(at(1, 400)), at(2, 400), None, [None; 3]);
    }

    #[test]
    fn going_back_repeats_and_going_ahead_leaves_out() {
        check(Some(at(1, 9)), at(1, 4), Some(at(1, 9)), [None, Some((4, 9)), None]);
        check(Some(at(1, 4)), at(1, 9), Some(at(1, 4)), [None, None, Some((4, 9))]);
        check(Some(at(1, 4)), at(1, 9), None, [None, None, Some((4, 9))]);
        check(None, at(1, 9), None, [None, None, Some((0, 9))]);
    }

    #[test]
    fn what_is_not_known_to_be_shared_counts_as_lost() {
        check(Some(at(1, 9)), at(2, 4), None, [Some((0, 9)), None, Some((0, 4))]);
        check(Some(at(1, 9)), at(1, 4), None, [Some((4, 9)), None, None]);
        // A copy of the log that grew another way.
        check(Some(at(1, 9)), history(1, 9, 2), None, [Some((0, 9)), None, Some((0, 9))]);
        check(Some(at(1, 9)), history(2, 9, 2), None, [Some((0, 9)), None, Some((0, 9))]);
    }
}
