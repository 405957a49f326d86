//! Whether an entry of a followed log is the next one, was applied before, or diverges.
//!
//! Invariant: entries are applied one after another, each once, and only in one history of one log; anything
//! else is an error with both positions, and never guessed about.

use crate::position::Position;
use crate::rejection::Rejection;

/// How an entry relates to what was applied before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowCheck {
    /// It is the next one.
    Next,
    /// It was applied before.
    Applied,
}

/// An entry is of another log or history, or there is a gap before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} does not go on from {own}")]
pub struct Diverged {
    /// The position just before the entry; the entry's own, if another entry has its sequence.
    pub given: Position,
    /// The last position that was followed.
    pub own: Position,
}

impl From<Diverged> for Rejection {
    fn from(Diverged { given, own }: Diverged) -> Self {
        Rejection::LogDiverged { given, own }
    }
}

impl FollowCheck {
    /// Compares an entry at `position`, just after `previous`, with the last position that was applied, if any.
    ///
    /// # Errors
    /// If it is of another log or history, or neither the next nor an earlier one.
    pub fn of(applied: Option<Position>, position: Position, previous: Position) -> Result<Self, Diverged> {
        let own = applied.unwrap_or(Position::start(position.log));
        if own.log == position.log && position.sequence <= own.sequence {
            if position.sequence == own.sequence && position.hash != own.hash {
                return Err(Diverged { given: position, own });
            }
            return Ok(FollowCheck::Applied);
        }
        if previous == own && position.sequence == own.sequence + 1 {
            return Ok(FollowCheck::Next);
        }
        Err(Diverged { given: previous, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::{HashPrefix, LogId};

    fn at(log: u8, sequence: u64, hash: u8) -> Position {
        let hash = HashPrefix::from_bytes([if sequence == 0 { 0 } else { hash }; 8]);
        Position { log: LogId::from_bytes([log; 16]), sequence, hash }
    }

    #[test]
    fn the_first_entry_and_each_after_the_last_is_next() {
        assert_eq!(FollowCheck::of(None, at(1, 1, 5), at(1, 0, 0)), Ok(FollowCheck::Next));
        assert_eq!(FollowCheck::of(Some(at(1, 0, 0)), at(1, 1, 5), at(1, 0, 0)), Ok(FollowCheck::Next));
        assert_eq!(FollowCheck::of(Some(at(1, 7, 3)), at(1, 8, 4), at(1, 7, 3)), Ok(FollowCheck::Next));
    }

    #[test]
    fn what_was_applied_is_not_applied_again() {
        assert_eq!(FollowCheck::of(Some(at(1, 7, 3)), at(1, 7, 3), at(1, 6, 2)), Ok(FollowCheck::Applied));
        assert_eq!(FollowCheck::of(Some(at(1, 7, 3)), at(1, 2, 9), at(1, 1, 9)), Ok(FollowCheck::Applied));
    }

    #[test]
    fn a_gap_another_history_and_another_log_are_refused_with_both_positions() {
        let own = at(1, 7, 3);
        for (position, previous, given) in [
            // A gap.
            (at(1, 9, 5), at(1, 8, 4), at(1, 8, 4)),
            // The entry before it is another than ours.
            (at(1, 8, 4), at(1, 7, 9), at(1, 7, 9)),
            // The same place with another entry.
            (at(1, 7, 9), at(1, 6, 2), at(1, 7, 9)),
            // Another log, from its start or not.
            (at(2, 1, 1), at(2, 0, 0), at(2, 0, 0)),
            (at(2, 8, 4), at(2, 7, 3), at(2, 7, 3)),
            // A sequence that jumps.
            (at(1, 10, 4), own, own),
        ] {
            assert_eq!(
                FollowCheck::of(Some(own), position, previous),
                Err(Diverged { given, own }),
                "{position}"
            );
        }
        let refusal = FollowCheck::of(None, at(1, 2, 2), at(1, 1, 1)).unwrap_err();
        assert_eq!(refusal, Diverged { given: at(1, 1, 1), own: at(1, 0, 0) });
    }
}
