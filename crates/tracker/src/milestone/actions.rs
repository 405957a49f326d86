//! What may be done to a milestone besides the standard methods, and what comes of it.
//!
//! | action | from | to |
//! |---|---|---|
//! | achieve | PLANNED, PARTIALLY_ACHIEVED | ACHIEVED |
//! | partially achieve | PLANNED | PARTIALLY_ACHIEVED |
//! | miss | PLANNED, PARTIALLY_ACHIEVED | NOT_MET |
//! | cancel | PLANNED, PARTIALLY_ACHIEVED | CANCELLED |
//! | reopen | any other | PLANNED |
//!
//! A forecast is of something to come: only a PLANNED milestone is reforecast, and a PARTIALLY_ACHIEVED one along with
//! another that it is coupled with. An outcome is taken back on its own day or later. A baseline may be approved and
//! evidence added in any state. What a template made has rules besides, which stand [there](crate::template).
//! Invariant: what changes nothing is accepted and leaves no trace.

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::{Evidence, Milestone};
use milepost_resource::{
    Change, Checked, EventKind, add_person, check_another_person, check_state, date, date_message,
    has_document,
};
use milepost_service::value::instant_message;
use milepost_types::{DamagedRow, Precondition, Rejection, Violations, limits};

use super::outlook::announcement;
use super::{CONSTRUCTION_START, ChangeContext, due, refresh_derived};
use crate::act::check_day;
use crate::decide::Scope;
use crate::parent::incomplete;
use crate::tables;
use crate::template::{self, Settled};

/// Expect another date; none: nothing else than the baseline.
#[derive(Debug)]
pub(crate) struct Reforecast {
    pub(crate) forecast: Option<Date>,
    /// Empty: not said.
    pub(crate) reason: String,
    /// The day on which it was reported; none: that of the commit.
    pub(crate) reported: Option<Date>,
}

/// What comes of a new forecast: for those that are coupled with it, too.
pub(crate) fn reforecast(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    asked: &Reforecast,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "reforecast", &[State::Planned])?;
    let context = ChangeContext::of(scope, before.name())?;
    let mut violations = Violations::new();
    check_reported(asked.reported, (None, context.current_date), &mut violations);
    violations.into_result(())?;
    let mut all = vec![before.clone()];
    all.extend(template::reforecast_with(scope, before)?);
    Ok(all.iter().filter_map(|before| reforecast_one(scope, before, asked, &context)).collect())
}

/// The same, for this one alone; none if it has that forecast.
fn reforecast_one(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    Reforecast { forecast, reason, reported }: &Reforecast,
    context: &ChangeContext,
) -> Option<Change> {
    let forecast_date = forecast.map(date_message);
    if before.forecast_date == forecast_date {
        return None;
    }
    let after = before.changed(scope, |milestone| {
        milestone.forecast_date = forecast_date;
        milestone.forecast_sequence = scope.context.sequence;
        add_person(&mut milestone.date_authors, &scope.context.actor);
        refresh_derived(milestone, context);
    });
    let payload = Payload::MilestoneReforecast(event::MilestoneReforecast {
        previous_date: before.forecast_date,
        forecast_date,
        slip_working_days: context.slip(due(before), due(&after)),
        reason: reason.clone(),
        previous_sequence: before.forecast_sequence,
        reported_date: reported.map(date_message),
    });
    let (kind, date) = (EventKind::custom("milepost.milestone.reforecast", payload), due(&after));
    Some(announced(before, after, kind, context).on(date))
}

/// What comes of a new baseline, for a reason: approved by another person than proposed it.
pub(crate) fn rebaseline(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    (baseline, reason): &(Date, String),
) -> Result<Vec<Change>, Rejection> {
    let baseline_date = Some(date_message(*baseline));
    if before.baseline_date == baseline_date {
        return Ok(Vec::new());
    }
    let (name, actor) = (before.name().to_string(), &scope.context.actor);
    check_another_person(&name, actor, &before.date_authors, "set its dates")?;
    let context = ChangeContext::of(scope, before.name())?;
    let after = before.changed(scope, |milestone| {
        milestone.baseline_date = baseline_date;
        milestone.date_authors.clear();
        refresh_derived(milestone, &context);
    });
    let payload = Payload::MilestoneRebaselined(event::MilestoneRebaselined {
        previous_date: before.baseline_date,
        baseline_date,
        slip_working_days: context.slip(date(before.baseline_date.as_ref()), Some(*baseline)),
        reason: reason.clone(),
    });
    let kind = EventKind::custom("milepost.milestone.rebaselined", payload);
    Ok(vec![announced(before, after, kind, &context).on(Some(*baseline))])
}

/// What comes of a document.
pub(crate) fn add_evidence(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    given: &Evidence,
) -> Result<Vec<Change>, Rejection> {
    if has_document(&before.evidence, given) {
        return Ok(Vec::new());
    }
    if before.evidence.len() >= limits::EVIDENCE {
        let limit = limits::EVIDENCE as u64;
        return Err(Rejection::LimitExceeded { what: "documents of one milestone", limit });
    }
    let bytes: usize = before.evidence.iter().chain([given]).map(bytes).sum();
    if bytes > limits::EVIDENCE_BYTES {
        let limit = limits::EVIDENCE_BYTES as u64;
        return Err(Rejection::LimitExceeded { what: "bytes of the documents of one milestone", limit });
    }
    let create_time = Some(instant_message(scope.context.commit_time));
    let evidence = Evidence { create_time, ..given.clone() };
    let context = ChangeContext::of(scope, before.name())?;
    let after = before.changed(scope, |milestone| {
        milestone.evidence.push(evidence.clone());
        refresh_derived(milestone, &context);
    });
    let payload = event::MilestoneEvidenceAdded { evidence: Some(evidence) };
    let kind =
        EventKind::custom("milepost.milestone.evidence_added", Payload::MilestoneEvidenceAdded(payload));
    Ok(vec![announced(before, after, kind, &context)])
}

/// What a document takes in its milestone, with what surrounds it there.
fn bytes(evidence: &Evidence) -> usize {
    /// The hash, the time, and what precedes each field.
    const SURROUNDINGS: usize = 72;
    evidence.title.len() + evidence.uri.len() + SURROUNDINGS
}

/// A change of state. Where no date is given it happened on the current date.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StateChange {
    Achieve(Option<Date>),
    /// Whatever is coupled with it.
    AchieveAlone(Option<Date>),
    PartiallyAchieve(Option<Date>),
    Miss(Option<Date>),
    Cancel(Option<Date>),
    Reopen(Option<Date>),
}

impl StateChange {
    /// The verb for people, the states from which it goes, and the one that it goes to.
    fn rule(self) -> (&'static str, &'static [State], State) {
        use State::{Achieved, Cancelled, NotMet, PartiallyAchieved, Planned};
        match self {
            StateChange::Achieve(_) | StateChange::AchieveAlone(_) => {
                ("achieve", &[Planned, PartiallyAchieved], Achieved)
            }
            StateChange::PartiallyAchieve(_) => ("partially achieve", &[Planned], PartiallyAchieved),
            StateChange::Miss(_) => ("miss", &[Planned, PartiallyAchieved], NotMet),
            StateChange::Cancel(_) => ("cancel", &[Planned, PartiallyAchieved], Cancelled),
            StateChange::Reopen(_) => ("reopen", &[Achieved, PartiallyAchieved, NotMet, Cancelled], Planned),
        }
    }

    /// The day that is given, and the field that gives it.
    fn day(self) -> (&'static str, Option<Date>) {
        match self {
            StateChange::Achieve(day)
            | StateChange::AchieveAlone(day)
            | StateChange::PartiallyAchieve(day) => ("actual_date", day),
            StateChange::Miss(day) | StateChange::Cancel(day) | StateChange::Reopen(day) => ("date", day),
        }
    }
}

/// The state that a milestone comes to, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct To {
    pub(crate) state: State,
    /// The day on which it came to it.
    pub(crate) day: Date,
    /// The day on which that was reported; none: that of the commit.
    pub(crate) reported: Option<gtype::Date>,
}

/// A change of state, and what is said of it.
#[derive(Debug)]
pub(crate) struct StateReport {
    pub(crate) change: StateChange,
    /// Empty: not said.
    pub(crate) reason: String,
    /// The day on which it was reported; none: that of the commit.
    pub(crate) reported: Option<Date>,
}

/// What comes of a change of state.
pub(crate) fn change_state(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    StateReport { change, reason, reported }: &StateReport,
) -> Result<Vec<Change>, Rejection> {
    let (verb, allowed, state) = change.rule();
    check_state(before, verb, allowed)?;
    let context = ChangeContext::of(scope, before.name())?;
    let (field, given) = change.day();
    // Not before the outcome. A start may have a day that has not begun in this portfolio: then not before today.
    let outcome = before.actual_date.as_ref().or(before.state_date.as_ref());
    let first = date(outcome).filter(|_| state == State::Planned).map(|day| day.min(context.current_date));
    let first = (first, "the day of the outcome that it takes back");
    let (day, reported) = context.outcome_days(field, (given, first), *reported)?;
    let to = To { state, day, reported };
    if template::is_made(before) {
        let may_break = matches!(change, StateChange::AchieveAlone(_));
        match state {
            State::Achieved => return template::achieve(scope, before, (to, may_break), reason, &context),
            State::Planned => return template::reopen(scope, before, to, reason, &context),
            _ => {}
        }
    } else if state == State::Achieved {
        Rejection::unless_met(missing_evidence(before))?;
    }
    Ok(states_changed(scope, &[before], to, reason, &context, |_| {})?)
}

/// Why a milestone is achieved that awaited the start of its project. By this text a stored milestone is known to be achieved
/// by the start, so it never changes.
pub(crate) fn start_reason(date: Date) -> String {
    format!("the registry started the project on {date}")
}

/// What the start of their project on a date makes of milestones that await it, or that it achieved on another day before
/// that was corrected: they are achieved, whatever evidence was asked for, because the registry's word is the evidence. The
/// reason says what happened, for people.
pub(crate) fn achieve_started(
    scope: &Scope<'_>,
    awaiting: &[&Checked<Milestone>],
    date: Date,
    context: &ChangeContext,
) -> Result<Vec<Change>, DamagedRow> {
    let reason = start_reason(date);
    let to = To { state: State::Achieved, day: date, reported: None };
    states_changed(scope, awaiting, to, &reason, context, |_| {})
}

/// What the start of its project, which the registry said before, makes of a milestone that comes to await it by this change.
/// What a template makes, or brings up to a version, it has achieved itself. What awaited the start already and was reopened on
/// that day or later awaits it no more.
///
/// # Errors
/// If a row cannot be decoded, or if not all is known of the registry that is followed anew: a start that was followed before
/// does not come again.
pub(super) fn achieved_at_once(
    scope: &Scope<'_>,
    before: Option<&Checked<Milestone>>,
    after: &Checked<Milestone>,
) -> Result<Vec<Change>, Rejection> {
    let is_start = |milestone: &Milestone| milestone.r#type == CONSTRUCTION_START;
    let is_undeleted = before.is_some_and(Checked::is_deleted);
    let awaited_before = before.is_some_and(|before| is_start(before) && !before.is_deleted());
    let awaits = is_start(after) && after.state() == State::Planned && !after.is_deleted();
    if !awaits || awaited_before || (template::is_made(after) && !is_undeleted) {
        return Ok(Vec::new());
    }
    Rejection::unless_met(incomplete(scope.rows.read, after.name()).into_iter().collect())?;
    let project = after.name().parent();
    let kept = tables::project::mirrored(scope.rows.read, &project)?;
    let kept = kept.map(|row| tables::project::decoded(&project, &row)).transpose()?;
    let actual = kept.and_then(|project| project.actual_period);
    let Some(day) = actual.and_then(|period| date(period.start_date.as_ref())) else { return Ok(Vec::new()) };
    let reopened = date(after.state_date.as_ref()).filter(|_| before.is_some_and(|before| is_start(before)));
    if reopened.is_some_and(|reopened| reopened >= day) {
        return Ok(Vec::new());
    }
    let context = ChangeContext::of(scope, after.name())?;
    Ok(achieve_started(scope, &[after], day, &context)?)
}

/// The changes of milestones to another state in one act, with what else is set, and with what that brings to others of
/// their templates: the first says so.
pub(crate) fn states_changed(
    scope: &Scope<'_>,
    all: &[&Checked<Milestone>],
    To { state, day, reported }: To,
    reason: &str,
    context: &ChangeContext,
    set: impl Fn(&mut Milestone),
) -> Result<Vec<Change>, DamagedRow> {
    let happened = matches!(state, State::Achieved | State::PartiallyAchieved);
    let changed = |before: &&Checked<Milestone>| {
        let mut after = (***before).clone();
        after.set_state(state);
        after.actual_date = happened.then(|| date_message(day));
        after.state_date = (!happened).then(|| date_message(day));
        after.outcome_reported_date = reported;
        reason.clone_into(&mut after.state_reason);
        set(&mut after);
        // A start whose day is corrected takes nothing back.
        if (before.state(), state) != (State::Achieved, State::Achieved) {
            template::take_back(&mut after);
        }
        refresh_derived(&mut after, context);
        Settled { before: (**before).clone(), after }
    };
    let (settled, others) = template::settle_all(scope, all.iter().map(changed).collect(), context)?;
    let event_type = match state {
        State::Achieved => "milepost.milestone.achieved",
        State::PartiallyAchieved => "milepost.milestone.partially_achieved",
        State::NotMet => "milepost.milestone.not_met",
        State::Cancelled => "milepost.milestone.cancelled",
        State::Planned | State::Unspecified => "milepost.milestone.reopened",
    };
    let mut others = template::settled_besides(scope, others, day, context);
    let change = |Settled { before, after }: Settled| {
        let after = before.changed(scope, |milestone| *milestone = after);
        let besides = template::announcements(&before, &after, (day, context.current_date));
        let payload = Payload::MilestoneStateChanged(event::MilestoneStateChanged {
            previous_state: before.state,
            state: state.into(),
            reason: reason.to_owned(),
        });
        let change = announced(&before, after, EventKind::custom(event_type, payload), context).on(Some(day));
        change.announcing(besides).announcing(std::mem::take(&mut others))
    };
    Ok(settled.into_iter().map(change).collect())
}

/// A change, with what it makes of the due date.
fn announced(
    before: &Checked<Milestone>,
    after: Checked<Milestone>,
    kind: EventKind,
    context: &ChangeContext,
) -> Change {
    let announcement = announcement(Some(before), &after, context);
    Change::of(kind, Some(before), after).announcing(announcement)
}

/// Records that the day on which something was reported has not come, or is before the day of what it reports.
pub(super) fn check_reported(
    given: Option<Date>,
    (was, current): (Option<Date>, Date),
    violations: &mut Violations,
) {
    match given {
        Some(day) if day > current => {
            let description =
                format!("{day} is after {current}, the portfolio's current date; nothing was reported then");
            violations.push("reported_date", "DATE_IN_FUTURE", description);
        }
        Some(day) => {
            let what = "the day on which it happened";
            check_day("reported_date", day, (was, current), what, violations);
        }
        None => {}
    }
}

/// The documents that are required and are not there.
pub(crate) fn missing_evidence(milestone: &Checked<Milestone>) -> Vec<Precondition> {
    let missing = |title: &&String| !milestone.evidence.iter().any(|evidence| evidence.title == **title);
    let condition = |title: &String| Precondition {
        kind: "MISSING_EVIDENCE",
        subject: milestone.name().to_string(),
        description: format!("\"{title}\" is required; add it by AddMilestoneEvidence"),
    };
    milestone.required_evidence.iter().filter(missing).map(condition).collect()
}

#[cfg(test)]
mod tests;
