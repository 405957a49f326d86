//! Milestones: what one is, and the rules of what may happen to it.
//!
//! Invariants of every milestone: it has an actual date exactly while it is ACHIEVED or
//! PARTIALLY_ACHIEVED; it has an outlook exactly while it is PLANNED and has a date; its etag is the
//! sequence of its last change. Rules take a milestone and give what it becomes, or refuse; they read no
//! clock and no row. How a milestone is stored and sent is no matter of theirs.

mod action;
mod change;
mod create;
mod outlook;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_schedule::Calendar;
use milepost_types::{Etag, LanguageTag, MilestoneName, OrganizationName};

pub(crate) use action::{Action, Patch, act, started};
pub(crate) use change::{Change, EventKind};
pub(crate) use create::{Draft, create};
pub(crate) use outlook::{Nearness, Outlook, Slippage, Timeliness, on, passed, touched};

/// The type of the milestone that a project's start achieves, as OC4IDS spells it.
pub(crate) const CONSTRUCTION_START: &str = "constructionStart";

/// The greatest weight.
pub(crate) const WEIGHT_MAX: i32 = 1_000_000;
/// The longest duration, in working days.
pub(crate) const DURATION_MAX: i32 = milepost_types::limits::DURATION_WORKING_DAYS;

/// A dated point of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Milestone {
    /// Its name.
    pub(crate) name: MilestoneName,
    /// What is said of it.
    pub(crate) details: Details,
    /// The documents that show that it happened.
    pub(crate) evidence: Vec<Evidence>,
    /// The approved date.
    pub(crate) baseline: Option<Date>,
    /// The expected date; none: nothing else than the baseline is expected.
    pub(crate) forecast: Option<Date>,
    /// When it happened.
    pub(crate) actual: Option<Date>,
    /// Whether it happened.
    pub(crate) state: State,
    /// Why it is in this state; empty: not said.
    pub(crate) state_reason: String,
    /// How it stands to its dates.
    pub(crate) timeliness: Timeliness,
    /// Working days from the baseline to the actual date, or to the forecast where there is none.
    pub(crate) variance_working_days: Option<i32>,
    /// The sequence at which the forecast last changed; 0: never.
    pub(crate) forecast_sequence: u64,
    /// When it was created.
    pub(crate) create_time: Timestamp,
    /// When it last changed.
    pub(crate) update_time: Timestamp,
    /// When it was deleted, if it is.
    pub(crate) delete_time: Option<Timestamp>,
    /// The sequence of its last change.
    pub(crate) etag: Etag,
}

impl Milestone {
    /// The date that it is due: the forecast, or the baseline where there is none.
    pub(crate) fn due(&self) -> Option<Date> {
        self.forecast.or(self.baseline)
    }

    /// How it stands to its dates, in one word; none if it is not PLANNED or has no date.
    pub(crate) fn outlook(&self) -> Option<Outlook> {
        self.timeliness.outlook()
    }

    /// Whether it is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }
}

/// What is said of a milestone: what an update may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Details {
    /// What people call it.
    pub(crate) display_name: String,
    /// The same in other languages.
    pub(crate) translations: BTreeMap<LanguageTag, String>,
    /// What kind of milestone, an OC4IDS code or free text; empty: not said.
    pub(crate) kind: String,
    /// A code of the office's own; empty: none.
    pub(crate) code: String,
    /// How much it counts among the project's milestones.
    pub(crate) weight: Option<i32>,
    /// Who answers for it.
    pub(crate) owner: Option<OrganizationName>,
    /// What must be shown before it may be achieved, one title each.
    pub(crate) required_evidence: Vec<String>,
    /// Remarks; empty: none.
    pub(crate) remarks: String,
    /// How many working days of work lead to it; 0: it is a point.
    pub(crate) duration_working_days: i32,
    /// Free labels.
    pub(crate) labels: BTreeMap<String, String>,
}

/// A document that shows that something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Which one of the required ones, or what else it shows.
    pub(crate) title: String,
    /// Where it is.
    pub(crate) uri: String,
    /// The SHA-256 of it.
    pub(crate) sha256: [u8; 32],
    /// When it was given.
    pub(crate) create_time: Timestamp,
}

impl Evidence {
    /// What it takes in its milestone, with what surrounds it there.
    pub(crate) fn bytes(&self) -> usize {
        /// The hash, the time, and what precedes each field.
        const SURROUNDINGS: usize = 72;
        self.title.len() + self.uri.len() + SURROUNDINGS
    }
}

/// Whether a milestone happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// To come.
    Planned,
    /// It happened.
    Achieved,
    /// It happened in part.
    PartiallyAchieved,
    /// It did not happen and will not as it was meant.
    NotMet,
    /// It is no longer wanted.
    Cancelled,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [State; 5] =
        [State::Planned, State::Achieved, State::PartiallyAchieved, State::NotMet, State::Cancelled];

    /// The name, as the API spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            State::Planned => "STATE_PLANNED",
            State::Achieved => "STATE_ACHIEVED",
            State::PartiallyAchieved => "STATE_PARTIALLY_ACHIEVED",
            State::NotMet => "STATE_NOT_MET",
            State::Cancelled => "STATE_CANCELLED",
        }
    }
}

/// When and where a rule is applied: all that it may depend on besides the milestone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeContext<'a> {
    /// The sequence of the entry that it is part of.
    pub(crate) sequence: u64,
    /// The time of that entry.
    pub(crate) commit_time: Timestamp,
    /// Which day it is, for whatever a rule asks it.
    pub(crate) current_date: Date,
    /// The portfolio's working days.
    pub(crate) calendar: &'a Calendar,
}

impl ChangeContext<'_> {
    /// Working days from one date to another, positive if it is later; none without both. The slip of a
    /// forecast, of a baseline, and the variance are all this.
    pub(crate) fn slip(&self, from: Option<Date>, to: Option<Date>) -> Option<i32> {
        from.zip(to).map(|(from, to)| self.calendar.working_days_between(from, to))
    }
}

#[cfg(test)]
pub(crate) mod samples;
