//! What may be asked of the tracker.
//!
//! Invariant: a command holds checked values only; whether it fits what is there is decided later.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_service::access::Permit;
use milepost_types::{GoOn, Position};

use crate::decide::Tracker;
use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact};
use crate::names::PortfolioName;
use crate::source::SourceEntry;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// A change of resources.
    Resources(Arc<milepost_resource::Command<Tracker>>),
    /// Make a day a portfolio's current date, as far as an entry goes.
    AdvanceDate(Arc<AdvanceDate>),
    /// Take over an entry of the registry.
    Ingest {
        /// The entry.
        source_entry: Arc<SourceEntry>,
        /// If given, nothing is derived from it, for this reason.
        skip: Option<String>,
    },
    /// Copy what entries of the registry said and an earlier version did not copy.
    UpgradeMirror {
        /// The last of the entries.
        position: Position,
        /// The portfolios as the last of all entries left them.
        portfolios: Arc<Vec<PortfolioFact>>,
        /// The projects as these entries left them, in the order of the entries.
        projects: Arc<Vec<ProjectFact>>,
        /// The assignments as these entries left them.
        assignments: Arc<Vec<AssignmentFact>>,
        /// Whether these are the last.
        is_last: bool,
    },
    /// Follow the registry from another position on.
    ResetFollower {
        /// Where.
        to: GoOn,
        /// Why.
        reason: String,
    },
    /// Follow the log that was restored from the one that was followed.
    FollowRestored {
        /// Where the registry was followed to; `None`: it was not.
        from: Option<Position>,
        /// Where it is followed on.
        to: GoOn,
    },
}

/// The day to be a portfolio's current date.
#[derive(Debug)]
pub(crate) struct AdvanceDate {
    /// The portfolio.
    pub(crate) portfolio: PortfolioName,
    /// The day.
    pub(crate) date: Date,
    /// Only count what it would announce, in all its entries.
    pub(crate) preview: bool,
    /// The W3C trace context of the request; empty: none was given.
    pub(crate) traceparent: String,
    /// What its caller may do.
    pub(crate) permit: Permit,
}

impl From<Arc<milepost_resource::Command<Tracker>>> for Command {
    fn from(command: Arc<milepost_resource::Command<Tracker>>) -> Self {
        Self::Resources(command)
    }
}
