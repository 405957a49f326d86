//! The rules of taking over another log: what comes next, and what it has to wait for.
//!
//! Invariants: a source's entries are taken over in order, each exactly once, and only in one history;
//! none is taken over before everything that it was decided on, in whichever of the logs that were restored
//! from one another that comes. Both are refused with the positions, so that nothing is ever guessed.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::{Diverged, FollowCheck, GoOn, LedgerKind, LogId, Position, same_places};

/// An entry of a source, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceEntry {
    /// Whose it is.
    pub(crate) source: LedgerKind,
    /// Where it stands in the source's log.
    pub(crate) position: Position,
    /// The position just before it.
    pub(crate) after: Position,
    /// When the source committed it.
    pub(crate) commit_time: Timestamp,
    /// The id of the portfolio that it concerns; empty for none.
    pub(crate) portfolio: String,
    /// What the source had followed of other logs when it decided it.
    pub(crate) decided_on: Vec<Position>,
    /// The encoded events, at least one.
    pub(crate) events: Vec<Bytes>,
}

/// What may be asked of the notifier's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Take over an entry.
    Ingest(SourceEntry),
    /// Follow a source from another position on, because an operator says so.
    Reset {
        /// Whose log.
        source: LedgerKind,
        /// Where.
        to: GoOn,
        /// Why, for people.
        reason: String,
    },
    /// Follow the log that was restored from the one that was followed.
    FollowRestored {
        /// Whose log.
        source: LedgerKind,
        /// What was taken over last; `None`: nothing was.
        from: Option<Position>,
        /// Where it is followed on.
        to: GoOn,
    },
}

/// Why it may refuse. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The entry does not go on where the log has come to.
    #[error("the {source_kind} is at {given}, but {own} was taken over last: another history, or a gap")]
    Diverged {
        /// Whose log.
        source_kind: LedgerKind,
        /// The position just before the entry, or the entry's own.
        given: Position,
        /// The last position that was taken over.
        own: Position,
    },
    /// The entry was decided on something that is not in the log yet.
    #[error("entry {position} of the {source_kind} waits for {needs}")]
    NotYet {
        /// Whose log.
        source_kind: LedgerKind,
        /// The entry.
        position: Position,
        /// What it was decided on.
        needs: Position,
    },
    /// The entry cannot be understood.
    #[error("entry {position} of the {source_kind} cannot be taken over: {what}")]
    Malformed {
        /// Whose log.
        source_kind: LedgerKind,
        /// The entry.
        position: Position,
        /// What is wrong.
        what: String,
    },
}

/// How far each log was followed, as rows say.
pub(crate) trait Followed {
    /// The last position of a source that was taken over; `None` if there was none.
    fn applied(&self, source: LedgerKind) -> Option<Position>;

    /// The sequence up to which a log, which a reset left, counts as taken over; `None` if none did.
    fn abandoned(&self, log: LogId) -> Option<u64>;

    /// Where later logs part from a log that they were restored from, each position counted in the later one.
    fn later(&self, log: LogId) -> Vec<Position>;
}

impl SourceEntry {
    /// How it stands to what was taken over of its source.
    ///
    /// # Errors
    /// `Diverged` if it is of another log or history, or not the next.
    pub(crate) fn follow_check(&self, followed: &impl Followed) -> Result<FollowCheck, Refusal> {
        FollowCheck::of(followed.applied(self.source), self.position, self.after)
            .map_err(|Diverged { given, own }| Refusal::Diverged { source_kind: self.source, given, own })
    }

    /// The first position that it was decided on and that is not taken over yet.
    pub(crate) fn needs(&self, followed: &impl Followed) -> Option<Position> {
        self.decided_on.iter().copied().find(|needed| reached(followed, needed) == Reached::NotYet)
    }
}

/// How a position of a source stands to what is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Everything up to it is there.
    Yes,
    /// It is not there, and will be: or its log is not known here, and may be soon.
    NotYet,
    /// It was lost when the source was restored: nobody waits for it.
    Never,
}

/// Whether everything up to a position of a source is in the log, in whichever of its logs it was taken over.
pub(crate) fn reached(followed: &impl Followed, position: &Position) -> Reached {
    let own = |log: LogId| {
        let mut applied = LedgerKind::ALL.iter().filter_map(|source| followed.applied(*source));
        applied.find(|own| own.log == log)
    };
    // A log that was left as a whole and is followed again is there as far as it was followed.
    let abandoned = |place: &Position| {
        followed.abandoned(place.log).filter(|sequence| *sequence != u64::MAX || own(place.log).is_none())
    };
    let is_there = |place: &Position| {
        own(place.log).is_some_and(|own| own.sequence >= place.sequence)
            || abandoned(place).is_some_and(|sequence| sequence >= place.sequence)
    };
    // In most cases it is of the log that is followed, and there.
    if position.sequence == 0 || is_there(position) {
        return Reached::Yes;
    }
    let places = same_places(*position, &|log| followed.later(log));
    if places.iter().any(is_there) {
        Reached::Yes
    } else if places.iter().any(|place| own(place.log).is_some()) {
        Reached::NotYet
    } else if places.iter().any(|place| abandoned(place).is_some() || !followed.later(place.log).is_empty()) {
        Reached::Never
    } else {
        Reached::NotYet
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::HashPrefix;

    use super::*;

    fn at(log: u8, sequence: u64, hash: u8) -> Position {
        let hash = HashPrefix::from_bytes([if sequence == 0 { 0 } else { hash }; 8]);
        Position { log: LogId::from_bytes([log; 16]), sequence, hash }
    }

    /// What was taken over of the registry, a log that was left, and what logs have in common with later ones.
    #[derive(Default)]
    struct Rows(Option<Position>, Option<(LogId, u64)>, Vec<(LogId, Position)>);

    impl Followed for Rows {
        fn applied(&self, source: LedgerKind) -> Option<Position> {
            self.0.filter(|_| source == LedgerKind::Registry)
        }

        fn abandoned(&self, log: LogId) -> Option<u64> {
            self.1.filter(|(abandoned, _)| *abandoned == log).map(|(_, sequence)| sequence)
        }

        fn later(&self, log: LogId) -> Vec<Position> {
            self.2.iter().filter(|(earlier, _)| *earlier == log).map(|(_, fork)| *fork).collect()
        }
    }

    fn entry(position: Position, after: Position) -> SourceEntry {
        SourceEntry {
            source: LedgerKind::Registry,
            position,
            after,
            commit_time: Timestamp::UNIX_EPOCH,
            portfolio: String::new(),
            decided_on: vec![],
            events: vec![],
        }
    }

    #[test]
    fn an_entry_that_does_not_go_on_is_refused_with_its_source_and_both_positions() {
        let (own, given) = (at(1, 7, 3), at(1, 8, 4));
        let rows = Rows(Some(own), None, vec![]);
        assert_eq!(entry(at(1, 8, 4), own).follow_check(&rows), Ok(FollowCheck::Next));
        let refused = entry(at(1, 9, 5), given).follow_check(&rows);
        let source_kind = LedgerKind::Registry;
        assert_eq!(refused, Err(Refusal::Diverged { source_kind, given, own }));
    }

    #[test]
    fn an_entry_waits_for_what_it_was_decided_on() {
        let tracker = |needed| SourceEntry {
            source: LedgerKind::Tracker,
            decided_on: vec![needed],
            ..entry(at(2, 1, 1), at(2, 0, 0))
        };
        let rows = Rows(Some(at(1, 7, 3)), Some((LogId::from_bytes([9; 16]), 40)), vec![]);
        for reached in [at(1, 7, 3), at(1, 1, 1), at(1, 0, 0), at(3, 0, 0), at(9, 40, 1)] {
            assert_eq!(tracker(reached).needs(&rows), None, "{reached}");
        }
        for missing in [at(1, 8, 3), at(3, 1, 1)] {
            assert_eq!(tracker(missing).needs(&rows), Some(missing));
        }
    }

    #[test]
    fn a_log_that_was_left_as_a_whole_and_is_followed_again_is_there_as_far_as_it_was_followed() {
        let abandoned = Some((LogId::from_bytes([1; 16]), u64::MAX));
        assert_eq!(reached(&Rows(Some(at(2, 7, 1)), abandoned, vec![]), &at(1, 9, 1)), Reached::Yes);
        assert_eq!(reached(&Rows(Some(at(1, 7, 1)), abandoned, vec![]), &at(1, 9, 1)), Reached::NotYet);
        assert_eq!(reached(&Rows(Some(at(1, 9, 1)), abandoned, vec![]), &at(1, 9, 1)), Reached::Yes);
    }

    #[test]
    fn what_was_decided_on_in_a_log_before_a_restore_is_waited_for_in_the_later_log() {
        let log = |log: u8| LogId::from_bytes([log; 16]);
        // Log 1 was left at 35; 2 was restored from it at 40, and 3 from that at 38, which is at 37 now.
        let common = vec![(log(1), at(2, 40, 1)), (log(2), at(3, 38, 1)), (log(1), at(3, 38, 1))];
        let rows = Rows(Some(at(3, 37, 1)), Some((log(1), 35)), common);
        for (position, expected) in [
            (at(1, 35, 1), Reached::Yes),
            (at(1, 37, 1), Reached::Yes),
            (at(2, 37, 1), Reached::Yes),
            (at(1, 38, 1), Reached::NotYet),
            (at(2, 38, 1), Reached::NotYet),
            (at(3, 39, 1), Reached::NotYet),
            // Lost by the second restore, or by the first.
            (at(1, 39, 1), Reached::Never),
            (at(2, 39, 1), Reached::Never),
            (at(1, 41, 1), Reached::Never),
            // Of this log nothing is known.
            (at(4, 1, 1), Reached::NotYet),
        ] {
            assert_eq!(reached(&rows, &position), expected, "{position}");
        }
    }
}
