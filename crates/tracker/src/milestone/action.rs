//! What may be done to a milestone that exists, and what comes of it.
//!
//! | action | from | to |
//! |---|---|---|
//! | achieve | PLANNED, PARTIALLY_ACHIEVED | ACHIEVED |
//! | partially achieve | PLANNED | PARTIALLY_ACHIEVED |
//! | miss | PLANNED, PARTIALLY_ACHIEVED | NOT_MET |
//! | cancel | PLANNED, PARTIALLY_ACHIEVED | CANCELLED |
//! | reopen | any other | PLANNED |
//!
//! A forecast is of something to come: only a PLANNED milestone is reforecast. A baseline may be approved,
//! details changed and evidence added in any state.
//! Invariants: a stale etag is refused before anything else, and a deleted milestone can only be
//! undeleted; what changes nothing is accepted and is `None`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_types::{Etag, LanguageTag, OrganizationName, Precondition, Rejection, Violations, limits};

use super::change::{Change, EventKind};
use super::{CONSTRUCTION_START, ChangeContext, Details, Evidence, Milestone, State};

/// A command to do something to a milestone.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Change what is said of it.
    Update(Box<Patch>),
    /// Delete it softly.
    Delete,
    /// Take the deletion back.
    Undelete,
    /// Expect another date; none: nothing else than the baseline.
    Reforecast { forecast: Option<Date>, reason: String },
    /// Approve another date.
    Rebaseline { baseline: Date, reason: String },
    /// It happened; on the current date where no date is given.
    Achieve { actual: Option<Date>, reason: String },
    /// It happened in part; on the current date where no date is given.
    PartiallyAchieve { actual: Option<Date>, reason: String },
    /// It did not happen.
    Miss { reason: String },
    /// It is no longer wanted.
    Cancel { reason: String },
    /// Take an outcome back.
    Reopen { reason: String },
    /// Add a document; its time is set by the rule.
    AddEvidence(Evidence),
}

/// What an update says; `None` is not named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patch {
    pub(crate) display_name: Option<String>,
    pub(crate) translations: Option<BTreeMap<LanguageTag, String>>,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) weight: Option<Option<i32>>,
    pub(crate) owner: Option<Option<OrganizationName>>,
    pub(crate) required_evidence: Option<Vec<String>>,
    pub(crate) remarks: Option<String>,
    pub(crate) duration_working_days: Option<i32>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    /// Dates that an update repeats but may not change.
    pub(crate) baseline: Option<Date>,
    pub(crate) forecast: Option<Date>,
}

/// What an action makes of a milestone; `None` if it changes nothing.
pub(crate) fn act(
    milestone: &Milestone,
    etag: Option<Etag>,
    action: &Action,
    at: &ChangeContext<'_>,
) -> Result<Option<Change>, Rejection> {
    Rejection::check_etag(&milestone.name, etag, milestone.etag)?;
    match action {
        Action::Delete => return Ok(delete(milestone, at)),
        Action::Undelete => return undelete(milestone, at).map(Some),
        _ if milestone.is_deleted() => return Err(Rejection::deleted(&milestone.name)),
        _ => {}
    }
    match action {
        Action::Delete | Action::Undelete => Ok(None),
        Action::Update(patch) => update(milestone, patch, at),
        Action::Reforecast { forecast, reason } => reforecast(milestone, *forecast, reason, at),
        Action::Rebaseline { baseline, reason } => Ok(rebaseline(milestone, *baseline, reason, at)),
        Action::Achieve { actual, reason } => {
            check_state(milestone, "achieve", &[State::Planned, State::PartiallyAchieved])?;
            let actual = day(*actual, at)?;
            check_evidence(milestone)?;
            Ok(Some(turn(milestone, State::Achieved, Some(actual), reason, at)))
        }
        Action::PartiallyAchieve { actual, reason } => {
            check_state(milestone, "partially achieve", &[State::Planned])?;
            let actual = day(*actual, at)?;
            Ok(Some(turn(milestone, State::PartiallyAchieved, Some(actual), reason, at)))
        }
        Action::Miss { reason } => {
            check_state(milestone, "miss", &[State::Planned, State::PartiallyAchieved])?;
            Ok(Some(turn(milestone, State::NotMet, None, reason, at)))
        }
        Action::Cancel { reason } => {
            check_state(milestone, "cancel", &[State::Planned, State::PartiallyAchieved])?;
            Ok(Some(turn(milestone, State::Cancelled, None, reason, at)))
        }
        Action::Reopen { reason } => {
            check_state(milestone, "reopen", &State::ALL[1..])?;
            Ok(Some(turn(milestone, State::Planned, None, reason, at)))
        }
        Action::AddEvidence(evidence) => add_evidence(milestone, evidence, at),
    }
}

/// What the start of the project on `date` makes of a milestone: a planned construction start is
/// achieved, whatever evidence was asked for, because the registry's word is the evidence. `None`
/// for any other milestone.
pub(crate) fn started(
    milestone: &Milestone,
    date: Date,
    reason: &str,
    at: &ChangeContext<'_>,
) -> Option<Change> {
    let awaits = milestone.state == State::Planned
        && milestone.details.kind == CONSTRUCTION_START
        && !milestone.is_deleted();
    awaits.then(|| turn(milestone, State::Achieved, Some(date), reason, at))
}

fn delete(milestone: &Milestone, at: &ChangeContext<'_>) -> Option<Change> {
    if milestone.is_deleted() {
        return None;
    }
    let after = Milestone { delete_time: Some(at.commit_time), ..milestone.clone() };
    Some(Change::between(milestone, after, EventKind::Deleted, None, at))
}

/// Refuses a milestone that is not deleted (AIP-164).
fn undelete(milestone: &Milestone, at: &ChangeContext<'_>) -> Result<Change, Rejection> {
    if !milestone.is_deleted() {
        return Err(Rejection::not_deleted(&milestone.name));
    }
    let after = Milestone { delete_time: None, ..milestone.clone() };
    Ok(Change::between(milestone, after, EventKind::Undeleted, None, at))
}

fn update(milestone: &Milestone, patch: &Patch, at: &ChangeContext<'_>) -> Result<Option<Change>, Rejection> {
    let mut violations = Violations::new();
    for (field, given, have, method) in [
        ("milestone.baseline_date", patch.baseline, milestone.baseline, "RebaselineMilestone"),
        ("milestone.forecast_date", patch.forecast, milestone.forecast, "ReforecastMilestone"),
    ] {
        if given.is_some() && given != have {
            let description = format!("this date is not changed by an update; use {method}");
            violations.push(field, "CHANGED_BY_METHOD", description);
        }
    }
    violations.into_result(())?;
    let mut after = milestone.clone();
    after.details.apply(patch);
    if after.details == milestone.details {
        return Ok(None);
    }
    Ok(Some(Change::between(milestone, after, EventKind::Updated, None, at)))
}

impl Details {
    fn apply(&mut self, patch: &Patch) {
        fn set<T: Clone>(field: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                field.clone_from(value);
            }
        }
        set(&mut self.display_name, &patch.display_name);
        set(&mut self.translations, &patch.translations);
        set(&mut self.kind, &patch.kind);
        set(&mut self.code, &patch.code);
        set(&mut self.weight, &patch.weight);
        set(&mut self.owner, &patch.owner);
        set(&mut self.required_evidence, &patch.required_evidence);
        set(&mut self.remarks, &patch.remarks);
        set(&mut self.duration_working_days, &patch.duration_working_days);
        set(&mut self.labels, &patch.labels);
    }
}

fn reforecast(
    milestone: &Milestone,
    forecast: Option<Date>,
    reason: &str,
    at: &ChangeContext<'_>,
) -> Result<Option<Change>, Rejection> {
    check_state(milestone, "reforecast", &[State::Planned])?;
    if milestone.forecast == forecast {
        return Ok(None);
    }
    let after = Milestone { forecast, forecast_sequence: at.sequence, ..milestone.clone() };
    let event_kind = EventKind::Reforecast {
        previous: milestone.forecast,
        forecast,
        slip: at.slip(milestone.due(), after.due()),
        reason: reason.to_owned(),
        previous_sequence: milestone.forecast_sequence,
    };
    let date = after.due();
    Ok(Some(Change::between(milestone, after, event_kind, date, at)))
}

fn rebaseline(milestone: &Milestone, baseline: Date, reason: &str, at: &ChangeContext<'_>) -> Option<Change> {
    if milestone.baseline == Some(baseline) {
        return None;
    }
    let after = Milestone { baseline: Some(baseline), ..milestone.clone() };
    let event_kind = EventKind::Rebaselined {
        previous: milestone.baseline,
        baseline,
        slip: at.slip(milestone.baseline, Some(baseline)),
        reason: reason.to_owned(),
    };
    Some(Change::between(milestone, after, event_kind, Some(baseline), at))
}

fn add_evidence(
    milestone: &Milestone,
    evidence: &Evidence,
    at: &ChangeContext<'_>,
) -> Result<Option<Change>, Rejection> {
    let same = |other: &Evidence| {
        (&other.title, &other.uri, &other.sha256) == (&evidence.title, &evidence.uri, &evidence.sha256)
    };
    if milestone.evidence.iter().any(same) {
        return Ok(None);
    }
    if milestone.evidence.len() >= limits::EVIDENCE {
        let limit = limits::EVIDENCE as u64;
        return Err(Rejection::LimitExceeded { what: "documents of one milestone", limit });
    }
    let bytes: usize = milestone.evidence.iter().chain([evidence]).map(Evidence::bytes).sum();
    if bytes > limits::EVIDENCE_BYTES {
        let limit = limits::EVIDENCE_BYTES as u64;
        return Err(Rejection::LimitExceeded { what: "bytes of the documents of one milestone", limit });
    }
    let evidence = Evidence { create_time: at.commit_time, ..evidence.clone() };
    let mut after = milestone.clone();
    after.evidence.push(evidence.clone());
    Ok(Some(Change::between(milestone, after, EventKind::EvidenceAdded(evidence), None, at)))
}

/// The change of state.
fn turn(
    milestone: &Milestone,
    state: State,
    actual: Option<Date>,
    reason: &str,
    at: &ChangeContext<'_>,
) -> Change {
    let after = Milestone { state, actual, state_reason: reason.to_owned(), ..milestone.clone() };
    let event_kind = EventKind::StateChanged { previous: milestone.state, state, reason: reason.to_owned() };
    Change::between(milestone, after, event_kind, actual, at)
}

fn check_state(milestone: &Milestone, action: &'static str, allowed: &[State]) -> Result<(), Rejection> {
    if allowed.contains(&milestone.state) {
        return Ok(());
    }
    Err(Rejection::WrongState {
        name: milestone.name.to_string(),
        action,
        state: milestone.state.as_str().to_owned(),
        allowed: allowed.iter().map(|state| state.as_str().to_owned()).collect(),
    })
}

/// The day on which it happened: the current date if none is given, and never after it.
fn day(actual: Option<Date>, at: &ChangeContext<'_>) -> Result<Date, Rejection> {
    let current = at.current_date;
    match actual {
        Some(date) if date > current => Err(Rejection::invalid(
            "actual_date",
            "DATE_IN_FUTURE",
            format!(
                "{date} is after {current}, the portfolio's current date; say that it happened when it has, and \
                 that day has begun"
            ),
        )),
        Some(date) => Ok(date),
        None => Ok(current),
    }
}

/// Refuses unless every document that is required is there.
fn check_evidence(milestone: &Milestone) -> Result<(), Rejection> {
    let missing = |title: &&String| !milestone.evidence.iter().any(|evidence| evidence.title == **title);
    let conditions: Vec<_> = milestone.details.required_evidence.iter().filter(missing).collect();
    if conditions.is_empty() {
        return Ok(());
    }
    let subject = milestone.name.to_string();
    Err(Rejection::Preconditions(
        conditions
            .into_iter()
            .map(|title| Precondition {
                kind: "EVIDENCE_MISSING",
                subject: subject.clone(),
                description: format!("\"{title}\" is required; add it by AddMilestoneEvidence"),
            })
            .collect(),
    ))
}

#[cfg(test)]
mod tests;
