//! What happened to a milestone: what it is afterwards, what changed, and what is announced of it.
//!
//! Invariant: `fields` names every field of the resource that differs, sorted, but `etag` and
//! `update_time`, which differ always; a creation names none.

use jiff::civil::Date;

use super::{ChangeContext, Evidence, Milestone, Nearness, State, Timeliness, on};

/// What one command or day did to one milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// It afterwards.
    pub(crate) milestone: Milestone,
    /// Which fields of it changed, as the API names them, sorted.
    pub(crate) fields: Vec<&'static str>,
    /// What happened.
    pub(crate) event_kind: EventKind,
    /// The civil date that this speaks of.
    pub(crate) date: Option<Date>,
    /// What is announced besides, right after it and because of it: that it made the milestone due soon or
    /// overdue.
    pub(crate) announcement: Option<EventKind>,
}

/// What can happen to a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// It is new.
    Created,
    /// What is said of it changed.
    Updated,
    /// It was deleted.
    Deleted,
    /// The deletion was taken back.
    Undeleted,
    /// What is expected changed.
    Reforecast {
        /// The forecast before.
        previous: Option<Date>,
        /// The forecast.
        forecast: Option<Date>,
        /// Working days from the due date before to the due date now: without a forecast it is the
        /// baseline.
        slip: Option<i32>,
        /// Why; empty: not said.
        reason: String,
        /// The sequence at which the forecast changed before; 0: never.
        previous_sequence: u64,
    },
    /// A new baseline was approved.
    Rebaselined {
        /// The baseline before.
        previous: Option<Date>,
        /// The baseline.
        baseline: Date,
        /// Working days from the former to the latter.
        slip: Option<i32>,
        /// Why.
        reason: String,
    },
    /// It went from one state to another.
    StateChanged {
        /// The state before.
        previous: State,
        /// The state.
        state: State,
        /// Why; empty: not said.
        reason: String,
    },
    /// A document was added.
    EvidenceAdded(Evidence),
    /// Its outlook changed because a day passed, or it is announced to be due soon or overdue.
    OutlookChanged {
        /// How it stood.
        previous: Timeliness,
        /// How it stands.
        now: Timeliness,
        /// The day.
        current_date: Date,
    },
}

impl EventKind {
    /// The type of the event. Public, and the same for ever.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            EventKind::Created => "milepost.milestone.created",
            EventKind::Updated => "milepost.milestone.updated",
            EventKind::Deleted => "milepost.milestone.deleted",
            EventKind::Undeleted => "milepost.milestone.undeleted",
            EventKind::Reforecast { .. } => "milepost.milestone.reforecast",
            EventKind::Rebaselined { .. } => "milepost.milestone.rebaselined",
            EventKind::StateChanged { state, .. } => match state {
                State::Planned => "milepost.milestone.reopened",
                State::Achieved => "milepost.milestone.achieved",
                State::PartiallyAchieved => "milepost.milestone.partially_achieved",
                State::NotMet => "milepost.milestone.not_met",
                State::Cancelled => "milepost.milestone.cancelled",
            },
            EventKind::EvidenceAdded(_) => "milepost.milestone.evidence_added",
            EventKind::OutlookChanged { .. } => match self.comes_to() {
                Some(Nearness::DueSoon) => "milepost.milestone.due_soon",
                Some(Nearness::Overdue) => "milepost.milestone.overdue",
                Some(Nearness::Ahead) | None => "milepost.milestone.outlook_changed",
            },
        }
    }

    /// The day that it speaks of because that day is the current date.
    pub(crate) fn day(&self) -> Option<Date> {
        match self {
            EventKind::OutlookChanged { current_date, .. } => Some(*current_date),
            _ => None,
        }
    }

    /// How near the due date came by it; none if that did not change.
    pub(crate) fn comes_to(&self) -> Option<Nearness> {
        match self {
            EventKind::OutlookChanged { previous, now, .. } if previous.nearness != now.nearness => {
                now.nearness
            }
            _ => None,
        }
    }
}

impl Change {
    /// The change from `before` to `after`, whose derived fields are brought up to date.
    pub(super) fn between(
        before: &Milestone,
        mut after: Milestone,
        event_kind: EventKind,
        date: Option<Date>,
        at: &ChangeContext<'_>,
    ) -> Self {
        settle(&mut after, at);
        let announcement = announcement(before.timeliness, &after, at);
        Self { fields: differences(before, &after), milestone: after, event_kind, date, announcement }
    }

    /// The beginning of a day changed how a milestone stands.
    pub(crate) fn of_day(
        mut milestone: Milestone,
        previous: Timeliness,
        now: Timeliness,
        day: Date,
        at: &ChangeContext<'_>,
    ) -> Self {
        milestone.timeliness = now;
        stamp(&mut milestone, at);
        let fields = timeliness_differences(previous, now);
        let fields = fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
        let event_kind = EventKind::OutlookChanged { previous, now, current_date: day };
        Self { milestone, fields, event_kind, date: Some(day), announcement: None }
    }
}

/// What is announced of a milestone besides its change: that its due date is near or passed, if that is so
/// since then.
pub(super) fn announcement(
    previous: Timeliness,
    milestone: &Milestone,
    at: &ChangeContext<'_>,
) -> Option<EventKind> {
    let (now, current_date) = (milestone.timeliness, at.current_date);
    let change = EventKind::OutlookChanged { previous, now, current_date };
    matches!(change.comes_to(), Some(Nearness::DueSoon | Nearness::Overdue)).then_some(change)
}

/// Brings up to date what follows from the rest.
pub(super) fn settle(milestone: &mut Milestone, at: &ChangeContext<'_>) {
    milestone.timeliness = on(milestone, at.current_date).unwrap_or(milestone.timeliness);
    let end = milestone.actual.or(milestone.forecast);
    milestone.variance_working_days = at.slip(milestone.baseline, end);
    stamp(milestone, at);
}

fn stamp(milestone: &mut Milestone, at: &ChangeContext<'_>) {
    milestone.update_time = at.commit_time;
    milestone.etag.0 = at.sequence;
}

/// The fields that differ, sorted by name.
fn differences(before: &Milestone, after: &Milestone) -> Vec<&'static str> {
    let (a, b) = (&before.details, &after.details);
    let [nearness, outlook, slippage] = timeliness_differences(before.timeliness, after.timeliness);
    [
        ("actual_date", before.actual != after.actual),
        ("baseline_date", before.baseline != after.baseline),
        ("code", a.code != b.code),
        ("delete_time", before.delete_time != after.delete_time),
        ("display_name", a.display_name != b.display_name),
        ("duration_working_days", a.duration_working_days != b.duration_working_days),
        ("evidence", before.evidence != after.evidence),
        ("forecast_date", before.forecast != after.forecast),
        ("forecast_sequence", before.forecast_sequence != after.forecast_sequence),
        ("labels", a.labels != b.labels),
        nearness,
        outlook,
        ("owner", a.owner != b.owner),
        ("remarks", a.remarks != b.remarks),
        ("required_evidence", a.required_evidence != b.required_evidence),
        slippage,
        ("state", before.state != after.state),
        ("state_reason", before.state_reason != after.state_reason),
        ("translations", a.translations != b.translations),
        ("type", a.kind != b.kind),
        ("variance_working_days", before.variance_working_days != after.variance_working_days),
        ("weight", a.weight != b.weight),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// The fields that say how timely a milestone is, and whether they differ, sorted by name.
fn timeliness_differences(before: Timeliness, after: Timeliness) -> [(&'static str, bool); 3] {
    [
        ("nearness", before.nearness != after.nearness),
        ("outlook", before.outlook() != after.outlook()),
        ("slippage", before.slippage != after.slippage),
    ]
}
