//! Findings: recorded, ordered to be put right, and closed; or withdrawn.
//!
//! Invariants: a finding is of an inspection that is DONE, and not dated before it; orders alone make it ORDERED and
//! CLOSED, and only what is OPEN can be withdrawn, or changed but for its labels and its evidence.

use jiff::civil::Date;
use milepost_proto::event::v1::FindingStateChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::finding::State;
use milepost_proto::tracker::v1::{Evidence, Finding};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Unreadable, check_state, date, date_message, has_document,
    instant_message, known_state,
};
use milepost_types::{DamagedRow, Rejection, Violations, limits};

use super::{FindingName, bytes, check_bytes, in_project, inspection};
use crate::act::{act_day, check_day};
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;
use crate::parent::Followed;

/// The findings of each portfolio by the day on which they were found.
const BY_DATE: Index = Index {
    tag: 44,
    under: 1,
    by: &[By::FirstDate(&["finding_date"])],
    live: false,
    when: &[],
    orders: true,
};

impl Rules<Tracker> for Finding {
    type Above = Followed<Self>;

    const TABLE: u8 = 43;
    const TABLE_NAME: &'static str = "tracker.finding";
    const ID_PREFIX: char = 'f';
    const INDEXES: &'static [Index] = &[BY_DATE];

    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        if [&self.finding_date, &self.state_date].into_iter().any(|day| date(day.as_ref()).is_none()) {
            return Err(Unreadable::new("one of its days is missing"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Open);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let said = |finding: &Self| {
            let Self { inspection, title, text, aspect, severity, responsible, .. } = finding;
            let what = (inspection.clone(), title.clone(), text.clone(), responsible.clone());
            (what, *aspect, *severity, finding.finding_date, finding.reported_date)
        };
        if let Some(before) = before.filter(|before| !before.is_deleted()) {
            if said(before) == said(after) {
                return Ok(());
            }
            check_state(before, "update", &[State::Open])?;
        }
        let inspected = inspected_on(scope, after.name(), after)?;
        let current = current_date(scope, after.name())?;
        let found = date(after.finding_date.as_ref());
        let mut violations = Violations::new();
        if let Some(found) = found {
            let (field, what) = ("finding.finding_date", "the day of its inspection");
            check_day(field, found, (Some(inspected), current), what, &mut violations);
        }
        if let Some(reported) = date(after.reported_date.as_ref()) {
            let (first, what) = (found.or(Some(inspected)), "the day on which it was found");
            check_day("finding.reported_date", reported, (first, current), what, &mut violations);
        }
        Ok(violations.into_result(())?)
    }

    fn release(_: &Scope<'_>, finding: &Checked<Self>) -> Result<(), Rejection> {
        check_state(finding, "delete", &[State::Open, State::Withdrawn])
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &FindingName,
        before: Option<&Checked<Self>>,
        finding: &mut Self,
    ) -> Result<(), Rejection> {
        if !matches!(kind, EventKind::Created | EventKind::Updated) {
            return Ok(());
        }
        if finding.finding_date.is_none() {
            finding.finding_date = Some(date_message(inspected_on(scope, name, finding)?));
        }
        if finding.reported_date.is_none() {
            finding.reported_date = Some(date_message(current_date(scope, name)?));
        }
        // What no order was withdrawn of is OPEN since it was found.
        if before.is_none_or(|before| before.state_date == before.finding_date) {
            finding.state_date = finding.finding_date;
        }
        Ok(())
    }

    /// The date of a creation event is the day on which it was found.
    fn describe(
        _: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        Ok(if before.is_none() { change.on(date(after.finding_date.as_ref())) } else { change })
    }
}

/// The day of the inspection that found it, which is DONE.
fn inspected_on(scope: &Scope<'_>, name: &FindingName, finding: &Finding) -> Result<Date, Rejection> {
    let inspection = in_project("finding.inspection", &finding.inspection, &name.parent())?;
    inspection::done_on(scope, &inspection)
}

/// Which day it is in the portfolio of the finding of this name.
fn current_date(scope: &Scope<'_>, name: &FindingName) -> Result<Date, DamagedRow> {
    Ok(ChangeContext::in_portfolio(scope, &name.parent().parent())?.current_date)
}

/// What an order makes of one of its findings on a day: the state, and the type of the event that says so.
pub(super) fn moved(
    scope: &Scope<'_>,
    finding: &Checked<Finding>,
    (event_type, state): (&'static str, State),
    (order, reason): (String, &str),
    day: Date,
) -> Change {
    let payload = FindingStateChanged {
        previous_state: finding.state,
        state: state.into(),
        reason: reason.to_owned(),
        rectification_order: order.clone(),
    };
    let after = finding.changed(scope, |finding| {
        finding.set_state(state);
        reason.clone_into(&mut finding.state_reason);
        finding.state_date = Some(date_message(day));
        let is_of_order = matches!(state, State::Ordered | State::Closed);
        finding.rectification_order = if is_of_order { order } else { String::new() };
    });
    let kind = EventKind::custom(event_type, Payload::FindingStateChanged(payload));
    Change::of(kind, Some(finding), after).on(Some(day))
}

/// It was none, for a reason.
///
/// # Errors
/// If it is not OPEN, or the day is none for it.
pub(crate) fn withdraw(
    scope: &Scope<'_>,
    before: &Checked<Finding>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "withdraw", &[State::Open])?;
    let current = current_date(scope, before.name())?;
    let what = "the day since which the finding is in its state";
    let day = act_day(current, date(before.state_date.as_ref()), *given, what)?;
    let to = ("milepost.finding.withdrawn", State::Withdrawn);
    Ok(vec![moved(scope, before, to, (String::new(), reason), day)])
}

/// Adds a document; one that is there already changes nothing.
///
/// # Errors
/// If it is over, or if it would have too many.
pub(crate) fn add_evidence(
    scope: &Scope<'_>,
    before: &Checked<Finding>,
    given: &Evidence,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "add evidence to", &[State::Open, State::Ordered])?;
    if has_document(&before.evidence, given) {
        return Ok(Vec::new());
    }
    if before.evidence.len() >= limits::FINDING_EVIDENCE {
        let limit = limits::FINDING_EVIDENCE as u64;
        return Err(Rejection::LimitExceeded { what: "documents of one finding", limit });
    }
    let all = bytes(before.evidence.iter().chain([given]));
    check_bytes("bytes of the documents of one finding", all, limits::FINDING_EVIDENCE_BYTES)?;
    let create_time = Some(instant_message(scope.context.commit_time));
    let evidence = Evidence { create_time, ..given.clone() };
    let after = before.changed(scope, |finding| finding.evidence.push(evidence));
    Ok(vec![Change::new(scope, EventKind::Updated, Some(before), after)?])
}
