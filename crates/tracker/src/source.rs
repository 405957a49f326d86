//! Following the registry: what an entry of it brings.
//!
//! Invariant: an entry that goes on where the tracker stands is never refused: what cannot be derived from
//! it is a [`Reaction::Skip`].

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_types::{NameError, Position};

use crate::convert::mirror::AccessFacts;
use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact};
use crate::names::{MilestoneName, PortfolioName, ProjectName};
use crate::timeline::RuleName;

/// The type of the event that says that a project started.
pub(crate) const PROJECT_STARTED: &str = "milepost.project.started";
/// The type of the event that says that a project was cancelled.
pub(crate) const PROJECT_CANCELLED: &str = "milepost.project.cancelled";
/// The type of the event that says that fields of a portfolio changed.
const PORTFOLIO_UPDATED: &str = "milepost.portfolio.updated";

/// An entry of the registry, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceEntry {
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
    /// The assignments that it touches, as it left them; each once.
    pub(crate) assignments: Vec<AssignmentFact>,
    /// What it says of access.
    pub(crate) access: AccessFacts,
    /// What follows from it, in order.
    pub(crate) reactions: Vec<Reaction>,
    /// The events that timelines may tell of, encoded; after what follows besides.
    pub(crate) events: Vec<Bytes>,
}

/// The last thing that an event of the registry had an effect by, before the entry was full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Through {
    /// The milestone that a start changed.
    Milestone(MilestoneName),
    /// The rule that made an entry of a timeline.
    Rule(RuleName),
}

impl fmt::Display for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Through::Milestone(name) => name.fmt(f),
            Through::Rule(name) => name.fmt(f),
        }
    }
}

impl FromStr for Through {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let rule = text.parse().map(Through::Rule);
        rule.or_else(|_| text.parse().map(Through::Milestone))
    }
}

impl SourceEntry {
    /// How many facts it brings.
    pub(crate) fn fact_count(&self) -> u64 {
        (self.portfolios.len() + self.projects.len() + self.assignments.len()) as u64
    }
}

/// What may follow from an event of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// A project started.
    Started {
        /// The event's id.
        event_id: String,
        /// The project.
        project: ProjectName,
        /// The day.
        date: Date,
    },
    /// The day on which a project started may be another one than was said before.
    StartCorrected {
        /// The event's id.
        event_id: String,
        /// Its type.
        kind: String,
        /// The project.
        project: ProjectName,
        /// The day.
        date: Date,
    },
    /// Assignments of a project changed: once for all of them in an entry.
    Assigned {
        /// The id of the first event that says so.
        event_id: String,
        /// Its type.
        kind: String,
        /// The project.
        project: ProjectName,
    },
    /// The working calendar of a portfolio changed.
    Recalendared {
        /// The event's id.
        event_id: String,
        /// The portfolio.
        portfolio: PortfolioName,
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

impl Reaction {
    /// The id of the event.
    pub(crate) fn event_id(&self) -> &str {
        match self {
            Reaction::Started { event_id, .. }
            | Reaction::StartCorrected { event_id, .. }
            | Reaction::Assigned { event_id, .. }
            | Reaction::Recalendared { event_id, .. }
            | Reaction::Skip(Skipped { event_id, .. }) => event_id,
        }
    }

    /// The same reaction, from which nothing is to be derived.
    pub(crate) fn skipped(&self, reason: &str) -> Skipped {
        match self {
            Reaction::Started { event_id, .. } => Skipped {
                event_id: event_id.clone(),
                kind: PROJECT_STARTED.to_owned(),
                reason: reason.to_owned(),
            },
            Reaction::StartCorrected { event_id, kind, .. } | Reaction::Assigned { event_id, kind, .. } => {
                Skipped { event_id: event_id.clone(), kind: kind.clone(), reason: reason.to_owned() }
            }
            Reaction::Recalendared { event_id, .. } => Skipped {
                event_id: event_id.clone(),
                kind: PORTFOLIO_UPDATED.to_owned(),
                reason: reason.to_owned(),
            },
            Reaction::Skip(skipped) => skipped.clone(),
        }
    }
}
