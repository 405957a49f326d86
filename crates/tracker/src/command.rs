//! What may be asked of the tracker.
//!
//! Invariant: a command holds checked values only; whether it fits what is there is decided later.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_types::{
    DamagedRow, Etag, GoOn, MilestoneName, PortfolioName, Position, Rejection, ResourceKind,
};

use crate::milestone::{Action, Draft};
use crate::source::SourceEntry;

/// What is asked, and the trace that it is part of.
#[derive(Debug)]
pub(crate) struct TracedCommand {
    /// What is asked.
    pub(crate) command: Command,
    /// The W3C trace context of the request; empty: none was given.
    pub(crate) traceparent: String,
}

impl From<Command> for TracedCommand {
    fn from(command: Command) -> Self {
        Self { command, traceparent: String::new() }
    }
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create milestones, all or none; all in this portfolio.
    Create {
        /// The portfolio.
        portfolio: PortfolioName,
        /// At least one; no id twice.
        drafts: Vec<Draft>,
    },
    /// Do something to a milestone.
    Act {
        /// Which one.
        name: MilestoneName,
        /// If given, it must be current.
        etag: Option<Etag>,
        /// What.
        action: Action,
    },
    /// Make a day a portfolio's current date, as far as an entry goes.
    AdvanceDate {
        /// The portfolio.
        portfolio: PortfolioName,
        /// The day.
        date: Date,
        /// Only count what it would announce, in all its entries.
        preview: bool,
    },
    /// Take over an entry of the registry.
    Ingest {
        /// The entry.
        source_entry: Arc<SourceEntry>,
        /// If given, nothing is derived from it, for this reason.
        skip: Option<String>,
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

/// Why a command is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// Why.
    pub(crate) rejection: Rejection,
    /// Whether it rests on what was followed of the registry, which may say otherwise by now.
    pub(crate) on_mirror: bool,
}

impl Refusal {
    /// A refusal that rests on what was followed.
    pub(crate) fn on_mirror(rejection: Rejection) -> Self {
        Self { rejection, on_mirror: true }
    }

    /// There is no such portfolio or project, as far as the registry was followed.
    pub(crate) fn unknown(kind: ResourceKind, name: &impl std::fmt::Display) -> Self {
        Self::on_mirror(Rejection::NotFound { kind, name: name.to_string() })
    }
}

impl From<DamagedRow> for Refusal {
    fn from(row: DamagedRow) -> Self {
        Rejection::from(row).into()
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, on_mirror: false }
    }
}
