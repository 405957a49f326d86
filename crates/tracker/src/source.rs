//! Following the registry: what an entry of it brings, and whether it is the next one.
//!
//! Invariants: entries are taken over in order, each once, and only from one history of one log; what
//! does not go on where the tracker stands is refused with both positions. An entry that is next is never
//! refused: what cannot be derived from it is a [`Lesson::Skip`].

use jiff::civil::Date;
use milepost_types::{Position, ProjectName, Rejection};

use crate::facts::{PortfolioFact, ProjectFact};

/// The type of the event that says that a project started.
pub(crate) const PROJECT_STARTED: &str = "milepost.project.started";

/// An entry of the registry, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Where it stands in the registry's log.
    pub(crate) position: Position,
    /// The position that it goes on from.
    pub(crate) previous: Position,
    /// The id of the portfolio that it concerns; empty for none.
    pub(crate) portfolio: String,
    /// The portfolios that it touches, as it left them; each once.
    pub(crate) portfolios: Vec<PortfolioFact>,
    /// The projects that it touches, as it left them; each once.
    pub(crate) projects: Vec<ProjectFact>,
    /// What follows from it, in order.
    pub(crate) lessons: Vec<Lesson>,
}

/// What may follow from an event of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// A project started.
    Started {
        /// The event's id.
        event_id: String,
        /// The project.
        project: ProjectName,
        /// The day.
        date: Date,
    },
    /// Nothing can be derived.
    Skip(Skipped),
}

/// An event of the registry that nothing came of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The event's id.
    pub(crate) event_id: String,
    /// Its type; empty if that is not known.
    pub(crate) kind: String,
    /// Why, for people.
    pub(crate) reason: String,
}

impl Lesson {
    /// The same lesson, from which nothing is to be derived.
    pub(crate) fn skipped(&self, reason: &str) -> Skipped {
        match self {
            Lesson::Started { event_id, .. } => Skipped {
                event_id: event_id.clone(),
                kind: PROJECT_STARTED.to_owned(),
                reason: reason.to_owned(),
            },
            Lesson::Skip(skipped) => skipped.clone(),
        }
    }
}

/// How an arrival stands to what was taken over before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the next one.
    Next,
    /// It was taken over before.
    Applied,
}

/// How an entry at `position` after `previous` stands to the last one that was applied, if any was.
pub(crate) fn standing(
    applied: Option<Position>,
    position: Position,
    previous: Position,
) -> Result<Standing, Rejection> {
    let own = applied.unwrap_or(Position::start(position.log));
    if own.log == position.log && position.sequence <= own.sequence {
        if position.sequence == own.sequence && position.hash != own.hash {
            return Err(Rejection::LogDiverged { given: position, own });
        }
        return Ok(Standing::Applied);
    }
    if previous == own && position.sequence == own.sequence + 1 {
        return Ok(Standing::Next);
    }
    Err(Rejection::LogDiverged { given: previous, own })
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;

    fn at(log: u8, sequence: u64, hash: u8) -> Position {
        let hash = HashPrefix::from_bytes([if sequence == 0 { 0 } else { hash }; 8]);
        Position { log: LogId::from_bytes([log; 16]), sequence, hash }
    }

    #[test]
    fn the_first_entry_and_each_after_the_last_is_next() {
        assert_eq!(standing(None, at(1, 1, 5), at(1, 0, 0)), Ok(Standing::Next));
        assert_eq!(standing(Some(at(1, 0, 0)), at(1, 1, 5), at(1, 0, 0)), Ok(Standing::Next));
        assert_eq!(standing(Some(at(1, 7, 3)), at(1, 8, 4), at(1, 7, 3)), Ok(Standing::Next));
    }

    #[test]
    fn what_was_applied_is_not_applied_again() {
        assert_eq!(standing(Some(at(1, 7, 3)), at(1, 7, 3), at(1, 6, 2)), Ok(Standing::Applied));
        assert_eq!(standing(Some(at(1, 7, 3)), at(1, 2, 9), at(1, 1, 9)), Ok(Standing::Applied));
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
                standing(Some(own), position, previous),
                Err(Rejection::LogDiverged { given, own }),
                "{position}"
            );
        }
        let refusal = standing(None, at(1, 2, 2), at(1, 1, 1)).unwrap_err();
        assert_eq!(refusal, Rejection::LogDiverged { given: at(1, 1, 1), own: at(1, 0, 0) });
    }
}
