//! What may be done to a rectification order, and what comes of it.
//!
//! | act | from | to |
//! |---|---|---|
//! | answer | ISSUED, RETURNED | ANSWERED |
//! | accept | ANSWERED | CLOSED |
//! | return | ANSWERED | RETURNED |
//! | ask for an extension | ISSUED, RETURNED | the same |
//! | extend | ISSUED, ANSWERED, RETURNED | the same, due later |
//! | withdraw | ISSUED, ANSWERED, RETURNED | WITHDRAWN |
//!
//! Invariants: each has a day; days of acts do not go back. Who accepts or returns gave none of the answers, and who
//! grants an extension did not ask for it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::rectification_order::State;
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use milepost_proto::tracker::v1::{
    Evidence, Inspection, RectificationAnswer, RectificationExtension, RectificationOrder,
};
use milepost_resource::{
    Change, Checked, EventKind, check_state, date, date_message, instant_message, require_another_person,
    require_person,
};
use milepost_types::{Precondition, Rejection, Violations, limits};

use super::order::{context, findings};
use super::{InspectionName, bytes, check_bytes, in_project, inspection};
use crate::act::{act_day, check_day, unmet};
use crate::decide::Scope;

/// What has not ended.
const LIVE: [State; 3] = [State::Issued, State::Answered, State::Returned];
/// What waits for an answer.
const AWAITS_ANSWER: [State; 2] = [State::Issued, State::Returned];

/// Before which day no act is.
const LAST_ACT: &str = "the day of the last act on the order";

/// The day of an act: the current date if none is given.
fn day(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    given: Option<Date>,
) -> Result<Date, Rejection> {
    let current = context(scope, before.name())?.current_date;
    act_day(current, date(before.act_date.as_ref()), given, LAST_ACT)
}

/// What comes of an act on a day: the change, which is complete but for what follows from it.
fn acted(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    kind: EventKind,
    day: Date,
    act: impl FnOnce(&mut RectificationOrder),
) -> Result<Vec<Change>, Rejection> {
    let after = before.changed(scope, |order| {
        act(order);
        order.act_date = Some(date_message(day));
    });
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// The same, to another state.
fn moved(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    (event_type, state): (&'static str, State),
    reason: &str,
    day: Date,
    act: impl FnOnce(&mut RectificationOrder),
) -> Result<Vec<Change>, Rejection> {
    let payload = Payload::RectificationOrderStateChanged(event::RectificationOrderStateChanged {
        previous_state: before.state,
        state: state.into(),
        reason: reason.to_owned(),
    });
    acted(scope, before, EventKind::custom(event_type, payload), day, |order| {
        order.set_state(state);
        reason.clone_into(&mut order.state_reason);
        act(order);
    })
}

/// What is answered.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) date: Option<Date>,
}

/// Those who are responsible answer.
///
/// # Errors
/// If the state or the day does not allow it; so with all acts. If it is not known who answers: then nobody could review
/// it.
pub(crate) fn answer(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    Answer { text, evidence, date: given }: &Answer,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "answer", &AWAITS_ANSWER)?;
    let name = before.name().to_string();
    let person = require_person(&name, &scope.context.actor, "review the answer")?;
    let day = day(scope, before, *given)?;
    if before.answers.len() >= limits::ORDER_ANSWERS {
        let limit = limits::ORDER_ANSWERS as u64;
        return Err(Rejection::LimitExceeded { what: "answers to one rectification order", limit });
    }
    let all = bytes(before.answers.iter().flat_map(|answer| &answer.evidence).chain(evidence));
    check_bytes("bytes of the documents of one rectification order", all, limits::ORDER_EVIDENCE_BYTES)?;
    let create_time = Some(instant_message(scope.context.commit_time));
    let to = ("milepost.rectification_order.answered", State::Answered);
    moved(scope, before, to, "", day, |order| {
        let evidence = evidence.iter().map(|document| Evidence { create_time, ..document.clone() });
        order.answers.push(RectificationAnswer {
            text: text.clone(),
            evidence: evidence.collect(),
            answer_date: Some(date_message(day)),
            answered_by: Some(person),
            ..RectificationAnswer::default()
        });
    })
}

/// What comes of a review.
pub(crate) struct Review {
    pub(crate) verdict: Verdict,
    /// Empty: not said.
    pub(crate) reason: String,
    pub(crate) date: Option<Date>,
}

/// Another person than those who answered accepts the answer, or returns it.
pub(crate) fn review(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    Review { verdict, reason, date: given }: &Review,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "review", &[State::Answered])?;
    let day = day(scope, before, *given)?;
    let answered_by = before.answers.iter().map(|answer| answer.answered_by.clone().unwrap_or_default());
    let (name, answered_by): (_, Vec<_>) = (before.name().to_string(), answered_by.collect());
    let mut conditions = Vec::new();
    let another = require_another_person(&name, &scope.context.actor, &answered_by, "answered the order");
    unmet(another, &mut conditions)?;
    let accepts = *verdict == Verdict::Accept;
    if accepts {
        conditions.extend(missing_follow_ups(scope, before, day)?);
    }
    Rejection::unless_met(conditions)?;
    let to = if accepts {
        ("milepost.rectification_order.closed", State::Closed)
    } else {
        ("milepost.rectification_order.returned", State::Returned)
    };
    moved(scope, before, to, reason, day, |order| {
        let due = date(order.due_date.as_ref());
        let Some(answer) = order.answers.last_mut() else { return };
        answer.review_date = Some(date_message(day));
        if accepts {
            order.on_time = Some(date(answer.answer_date.as_ref()) <= due);
        } else {
            answer.return_reason.clone_from(reason);
        }
    })
}

/// For each grave finding of an order that no inspection followed up after its last answer, by the day of the review,
/// the condition that it does not meet.
fn missing_follow_ups(
    scope: &Scope<'_>,
    order: &Checked<RectificationOrder>,
    day: Date,
) -> Result<Vec<Precondition>, Rejection> {
    let answered = order.answers.last().and_then(|answer| date(answer.answer_date.as_ref()));
    let answered = answered.ok_or_else(|| order.name().damaged("its answer is missing"))?;
    let (mut grave, project) = (BTreeMap::new(), order.name().parent());
    for name in findings(order)? {
        let finding = scope.rows.find(&name)?;
        if matches!(finding.severity(), Severity::Major | Severity::Critical) {
            let found_by: InspectionName =
                in_project::<Inspection>("finding.inspection", &finding.inspection, &project)?;
            grave.insert(name, (finding.severity(), found_by));
        }
    }
    let inspections = grave.values().map(|(_, inspection)| inspection.clone()).collect();
    let without = inspection::without_follow_up(scope, inspections, answered, day)?;
    let missing = grave.into_iter().filter(|(_, (_, inspection))| without.contains(inspection));
    let condition = |(finding, (severity, inspection)): (super::FindingName, (Severity, InspectionName))| {
        let severity = severity.as_str_name().trim_start_matches("SEVERITY_");
        let description = format!(
            "it is {severity}: complete a FOLLOW_UP that follows {inspection} and takes place after {answered}, the day of \
             the answer, by {day}"
        );
        Precondition { kind: "FOLLOW_UP", subject: finding.to_string(), description }
    };
    Ok(missing.map(condition).collect())
}

/// A later due date that is asked for.
pub(crate) struct ExtensionRequest {
    pub(crate) due: Date,
    pub(crate) reason: String,
    pub(crate) date: Option<Date>,
}

/// The refusal of another extension.
fn already_extended(name: &str) -> Precondition {
    let description = "its due date was extended, and it is extended only once".to_owned();
    Precondition { kind: "ALREADY_EXTENDED", subject: name.to_owned(), description }
}

/// Those who are responsible ask for a later due date, by the one that there is.
pub(crate) fn request_extension(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    ExtensionRequest { due: later, reason, date: given }: &ExtensionRequest,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "ask to extend", &AWAITS_ANSWER)?;
    let name = before.name().to_string();
    let current = context(scope, before.name())?.current_date;
    let (day, mut violations) = (given.unwrap_or(current), Violations::new());
    check_day("date", day, (date(before.act_date.as_ref()), current), LAST_ACT, &mut violations);
    let due = date(before.due_date.as_ref());
    if let Some(due) = due.filter(|due| later <= due) {
        let description = format!("{later} is not after {due}, the due date; give a later day");
        violations.push("due_date", "DATE_TOO_EARLY", description);
    }
    violations.into_result(())?;
    let mut conditions = Vec::new();
    let requested_by = require_person(&name, &scope.context.actor, "grant the extension");
    let requested_by = unmet(requested_by, &mut conditions)?;
    if before.extension.as_ref().is_some_and(|extension| extension.grant_date.is_some()) {
        conditions.push(already_extended(&name));
    }
    if let Some(due) = due.filter(|due| day > *due) {
        let description =
            format!("it was due on {due}, and an extension is asked for by then; this is of {day}");
        conditions.push(Precondition { kind: "TOO_LATE", subject: name, description });
    }
    Rejection::unless_met(conditions)?;
    let requested_date = Some(date_message(*later));
    let payload = event::RectificationOrderExtensionRequested {
        due_date: before.due_date,
        requested_date,
        reason: reason.clone(),
    };
    let payload = Payload::RectificationOrderExtensionRequested(payload);
    let kind = EventKind::custom("milepost.rectification_order.extension_requested", payload);
    acted(scope, before, kind, day, |order| {
        order.extension = Some(RectificationExtension {
            due_date: requested_date,
            request_reason: reason.clone(),
            request_date: Some(date_message(day)),
            requested_by,
            ..RectificationExtension::default()
        });
    })
}

/// Another person than the one who asked grants the later due date, for a reason.
pub(crate) fn extend(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "extend", &LIVE)?;
    let (name, day) = (before.name().to_string(), day(scope, before, *given)?);
    let Some(extension) = before.extension.as_ref() else {
        let description = "nobody asked for an extension; have those who are responsible do so first";
        return Err(Rejection::precondition("EXTENSION_NOT_REQUESTED", name, description));
    };
    let mut conditions = Vec::new();
    if extension.grant_date.is_some() {
        conditions.push(already_extended(&name));
    }
    let requested_by = [extension.requested_by.clone().unwrap_or_default()];
    let another =
        require_another_person(&name, &scope.context.actor, &requested_by, "asked for the extension");
    unmet(another, &mut conditions)?;
    Rejection::unless_met(conditions)?;
    let (previous_due_date, due_date) = (before.due_date, extension.due_date);
    let payload = event::RectificationOrderExtended { previous_due_date, due_date, reason: reason.clone() };
    let payload = Payload::RectificationOrderExtended(payload);
    let kind = EventKind::custom("milepost.rectification_order.extended", payload);
    acted(scope, before, kind, day, |order| {
        order.due_date = due_date;
        if let Some(extension) = &mut order.extension {
            extension.grant_date = Some(date_message(day));
            extension.grant_reason.clone_from(reason);
            extension.previous_due_date = previous_due_date;
        }
    })
}

/// It is wanted no longer, for a reason: its findings are OPEN again.
pub(crate) fn withdraw(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "withdraw", &LIVE)?;
    let day = day(scope, before, *given)?;
    let to = ("milepost.rectification_order.withdrawn", State::Withdrawn);
    moved(scope, before, to, reason, day, |_| {})
}
