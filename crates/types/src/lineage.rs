//! Where a log comes from: the logs that it was restored from, and up to where they are one history.
//!
//! A log that is restored from an export has the same entries as the log before, under a new log id: up to
//! its *fork*, the last entry that both have, every position of the old log is one of the new log's. Hashes
//! do not contain the log id, so only the id changes. After the fork the two are different histories.
//!
//! Invariant: no fork comes after that of a nearer ancestor: what both were restored from cannot have more in
//! common with this log than the log between them has.

use std::sync::Arc;

use crate::position::{LogId, Position};

/// The ancestors of a log, nearest first, each as the position in it at which this log begins to differ. Cheap
/// to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lineage(Arc<[Position]>);

impl Lineage {
    /// More ancestors than this are forgotten, oldest first: a log was then restored 64 times since, and who
    /// still stands in the oldest gets the error that it is of another history.
    pub const LIMIT: usize = 64;

    /// Ancestors by their forks, nearest first. A fork after a nearer one is brought to that, and what is beyond
    /// the limit is left out.
    pub fn new(forks: impl IntoIterator<Item = Position>) -> Self {
        let mut nearest: Option<Position> = None;
        let clamped = forks.into_iter().take(Self::LIMIT).map(|fork| {
            let fork = match nearest {
                Some(nearer) if fork.sequence > nearer.sequence => Position { log: fork.log, ..nearer },
                _ => fork,
            };
            nearest = Some(fork);
            fork
        });
        Self(clamped.collect())
    }

    /// The lineage of a log that is restored from a log of this lineage, as it was at `fork`.
    #[must_use]
    pub fn restored_at(&self, fork: Position) -> Self {
        Self::new(std::iter::once(fork).chain(self.forks().iter().copied()))
    }

    /// The forks, nearest ancestor first.
    pub fn forks(&self) -> &[Position] {
        &self.0
    }

    /// Where the log was restored from, if it was.
    pub fn parent(&self) -> Option<Position> {
        self.0.first().copied()
    }

    /// The last position that a log has in common with this one, counted in that log; `None`: it is no ancestor.
    pub fn fork_of(&self, log: LogId) -> Option<Position> {
        self.0.iter().copied().find(|fork| fork.log == log)
    }

    /// The place in `own`, the log of this lineage, that a position is: the position itself if it is of `own`;
    /// of an ancestor up to its fork, the same sequence and hash. `None`: it is of another history. Whether
    /// the log has an entry of that hash there is for its reader to compare.
    pub fn resolve(&self, own: LogId, position: Position) -> Option<Position> {
        if position.log == own {
            return Some(position);
        }
        let fork = self.fork_of(position.log)?;
        let differs = position.sequence > fork.sequence
            || (position.sequence == fork.sequence && position.hash != fork.hash);
        (!differs).then_some(Position { log: own, ..position })
    }
}

impl From<Option<Position>> for Lineage {
    /// No ancestor, or one.
    fn from(parent: Option<Position>) -> Self {
        Self::new(parent)
    }
}

/// Where a follower goes on in a log that is another than the one it followed, or was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoOn {
    /// The last position that is not followed any more.
    pub after: Position,
    /// The last position that the log before and this one have in common, counted in this one; `None` if that
    /// is not known.
    pub fork: Option<Position>,
    /// What the log was restored from.
    pub lineage: Lineage,
}

impl GoOn {
    /// After a position of a log of which nothing else is known.
    pub fn after(position: Position) -> Self {
        Self { after: position, fork: None, lineage: Lineage::default() }
    }

    /// Where a follower at `own` (`None`: it has followed nothing yet) goes on by itself in a log of this
    /// lineage; `None` if it stands after the fork, or the log has nothing to do with the one it followed.
    pub fn by_itself(own: Option<Position>, log: LogId, lineage: &Lineage) -> Option<Self> {
        let own = own.unwrap_or(Position::start(log));
        let after = lineage.resolve(log, own)?;
        let fork = lineage.fork_of(own.log).map(|fork| Position { log, ..fork });
        Some(Self { after, fork, lineage: lineage.clone() })
    }
}

impl GoOn {
    /// Which logs have something in common with the one that is gone on in: each with the last common
    /// position, counted in the latter. `previous` is where the follower stood before.
    pub fn in_common(&self, previous: Option<Position>) -> Vec<(LogId, Position)> {
        let here = |fork: &Position| (fork.log, Position { log: self.after.log, ..*fork });
        let mut found: Vec<_> = self.lineage.forks().iter().map(here).collect();
        if let (Some(previous), Some(fork)) = (previous, self.fork)
            && previous.log != fork.log
            && self.lineage.fork_of(previous.log).is_none()
        {
            found.push((previous.log, fork));
        }
        found
    }
}

/// The places that are the same as a position, in logs that were restored from one another: the position itself
/// first. `common` tells of a log up to where later ones have it in common, counted in the later ones.
pub fn same_places(position: Position, common: &dyn Fn(LogId) -> Vec<Position>) -> Vec<Position> {
    let mut places = vec![position];
    let mut next = 0;
    while let Some(place) = places.get(next).copied() {
        next += 1;
        for fork in common(place.log) {
            let known = places.iter().any(|known| known.log == fork.log);
            if place.sequence <= fork.sequence && !known {
                places.push(Position { log: fork.log, ..place });
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::position::HashPrefix;

    /// One history that all logs of a test share.
    fn at(log: u8, sequence: u64) -> Position {
        let hash = HashPrefix::from_bytes(sequence.to_be_bytes());
        Position { log: LogId::from_bytes([log; 16]), sequence, hash }
    }

    const OWN: LogId = LogId::from_bytes([9; 16]);

    #[test]
    fn a_position_of_an_ancestor_is_one_of_the_log_up_to_the_fork() {
        let lineage = Lineage::default().restored_at(at(1, 50)).restored_at(at(2, 70));
        assert_eq!((lineage.forks(), lineage.parent()), (&[at(2, 70), at(1, 50)][..], Some(at(2, 70))));
        for (given, resolved) in [
            (at(9, 5000), Some(at(9, 5000))),
            (at(2, 70), Some(at(9, 70))),
            (at(2, 71), None),
            (at(1, 0), Some(at(9, 0))),
            (at(1, 50), Some(at(9, 50))),
            (at(1, 51), None),
            (at(3, 1), None),
            (Position { hash: HashPrefix::from_bytes([7; 8]), ..at(1, 50) }, None),
        ] {
            assert_eq!(lineage.resolve(OWN, given), resolved, "{given}");
        }
    }

    #[test]
    fn a_fork_is_never_after_a_nearer_one_and_the_oldest_are_forgotten() {
        let lineage = Lineage::default().restored_at(at(1, 50)).restored_at(at(2, 30));
        assert_eq!(lineage.forks(), [at(2, 30), at(1, 30)]);
        assert_eq!(lineage.resolve(OWN, at(1, 31)), None, "the log between has lost it");
        let long = (0..100).fold(Lineage::default(), |lineage, log| lineage.restored_at(at(log, 5)));
        assert_eq!((long.forks().len(), long.parent()), (Lineage::LIMIT, Some(at(99, 5))));
        assert_eq!((long.resolve(OWN, at(35, 5)), long.resolve(OWN, at(36, 5))), (None, Some(at(9, 5))));
    }

    #[test]
    fn a_follower_goes_on_by_itself_up_to_the_fork_and_not_after_it() {
        let lineage = Lineage::default().restored_at(at(1, 50));
        let goes_on = |own| GoOn::by_itself(own, OWN, &lineage).map(|on| (on.after, on.fork));
        assert_eq!(goes_on(Some(at(1, 40))), Some((at(9, 40), Some(at(9, 50)))));
        assert_eq!(goes_on(Some(at(1, 50))), Some((at(9, 50), Some(at(9, 50)))));
        assert_eq!((goes_on(Some(at(1, 51))), goes_on(Some(at(4, 1)))), (None, None));
        assert_eq!(goes_on(Some(at(9, 60))), Some((at(9, 60), None)));
        assert_eq!(goes_on(None), Some((Position::start(OWN), None)));
    }

    #[test]
    fn a_position_is_found_in_every_log_that_has_it_in_common_and_circles_end() {
        // 2 was restored from 1 at 50, 3 from 2 at 30, 4 from 1 at 60; and somebody went back from 4 to 1.
        let common = |log: LogId| match log.as_bytes()[0] {
            1 => vec![at(2, 50), at(4, 60)],
            2 => vec![at(3, 30)],
            4 => vec![at(1, 60)],
            _ => vec![],
        };
        let places = |position| same_places(position, &common);
        assert_eq!(places(at(1, 20)), [at(1, 20), at(2, 20), at(4, 20), at(3, 20)]);
        assert_eq!(places(at(1, 40)), [at(1, 40), at(2, 40), at(4, 40)]);
        assert_eq!(places(at(1, 55)), [at(1, 55), at(4, 55)]);
        assert_eq!(places(at(1, 61)), [at(1, 61)]);
        assert_eq!(places(at(3, 1)), [at(3, 1)]);
    }

    #[test]
    fn what_a_log_has_in_common_with_others_is_what_its_lineage_says_and_what_was_said_of_the_one_before() {
        let lineage = Lineage::default().restored_at(at(1, 50)).restored_at(at(2, 30));
        let on = GoOn { after: at(9, 20), fork: Some(at(9, 10)), lineage };
        let both = [(at(2, 0).log, at(9, 30)), (at(1, 0).log, at(9, 30))];
        assert_eq!(on.in_common(Some(at(2, 20))), both);
        assert_eq!(on.in_common(None), both);
        assert_eq!(on.in_common(Some(at(5, 20))), [&both[..], &[(at(5, 0).log, at(9, 10))]].concat());
        assert_eq!(GoOn::after(at(9, 20)).in_common(Some(at(5, 20))), []);
    }

    proptest! {
        /// However often a log was restored and at whatever places, a position is in it exactly if every log on
        /// the way had it.
        #[test]
        fn restores_in_a_row_resolve_as_one_after_the_other(forks in prop::collection::vec(0u64..20, 1..8)) {
            let lineage = (0..).zip(&forks).fold(Lineage::default(), |lineage, (log, fork)| {
                // Restored from log `log`, which may have grown again since it was restored itself.
                lineage.restored_at(at(log, *fork))
            });
            for from in 0..forks.len() {
                let common = forks[from..].iter().min().unwrap();
                for sequence in 0..25 {
                    let resolved = lineage.resolve(OWN, at(from as u8, sequence));
                    prop_assert_eq!(resolved, (sequence <= *common).then_some(at(9, sequence)));
                }
            }
        }
    }
}
