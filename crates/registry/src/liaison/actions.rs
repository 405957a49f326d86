//! What is done to an assignment: it is handed over, or ended.
//!
//! Invariant: either happens once, on a day that has come, and what the rules say of days holds after it.

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{AssignmentEnded, AssignmentHandedOver};
use milepost_proto::registry::v1::assignment::State;
use milepost_proto::registry::v1::{Assignment, Organization};
use milepost_resource::{Change, Checked, EventKind, Name, Presence, Rules, check_state, date, date_message};
use milepost_types::{Rejection, ResourceId, Violations};

use super::{Damaged, check_terms, portfolio};
use crate::portfolio::{check_not_after, today};
use crate::reference;
use crate::tables::Scope;

/// To whom an assignment is handed over, and why.
pub(crate) struct HandOver {
    pub(crate) person: String,
    /// Empty: not said.
    pub(crate) organization: String,
    /// The first day of the new officer; none: today.
    pub(crate) date: Option<Date>,
    pub(crate) reason: String,
    /// The id of the new assignment; none: one is made.
    pub(crate) successor: Option<ResourceId>,
}

/// Ends an assignment, and begins one of another person on the next day.
///
/// # Errors
/// If it was handed over or ended before, if the day is none for it, or if a rule about days would not hold.
pub(crate) fn hand_over(
    scope: &Scope<'_>,
    before: &Checked<Assignment>,
    HandOver { person, organization, date: given, reason, successor }: &HandOver,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "hand over", &[State::Assigned])?;
    let (start, end) = ends(before)?;
    let today = today(scope, &portfolio(before.name()))?;
    let day = given.unwrap_or(today);
    let mut violations = Violations::new();
    check_not_after("date", *given, today, "give the day on which it happened", &mut violations);
    if day <= start {
        let description = format!(
            "{day} is not after {start}, the first day of the assignment; update or delete it instead"
        );
        violations.push("date", "DATE_TOO_EARLY", description);
    }
    check_has_not_ended(day, end, &mut violations);
    if *person == before.person {
        let description = "this person serves already; name another";
        violations.push("person", "SAME_OFFICER", description);
    }
    violations.into_result(())?;
    // It is after another day.
    let last = day.yesterday().unwrap_or(day);
    let id = successor.clone().unwrap_or_else(|| {
        ResourceId::from_seed(<Assignment as Rules<_>>::ID_PREFIX, scope.context.seed.to_be_bytes())
    });
    let name = Name::<Assignment>::under(before.name().parent_ids(), id);
    let there = scope.rows.presence(&name)?;
    if there != Presence::Missing {
        return Err(Rejection::already_exists(&name, there == Presence::Deleted));
    }
    let after = before.changed(scope, |assignment| {
        assignment.end_date = Some(date_message(last));
        assignment.set_state(State::HandedOver);
        reason.clone_into(&mut assignment.state_reason);
        assignment.successor = name.to_string();
    });
    let new = Assignment {
        person: person.clone(),
        organization: organization.clone(),
        lead: before.lead,
        start_date: Some(date_message(day)),
        end_date: before.end_date,
        state: State::Assigned.into(),
        predecessor: before.name().to_string(),
        ..Assignment::default()
    };
    let new = Checked::created(name, &new, scope);
    let mut conditions = Vec::new();
    reference::check::<Organization>(scope, "organization", organization, &mut conditions)?;
    let changed = [(Some(before), &after), (None, &new)];
    check_terms(scope, before.name(), &changed, Damaged::Refused, today, &mut conditions)?;
    Rejection::unless_met(conditions)?;
    let payload = Payload::AssignmentHandedOver(AssignmentHandedOver {
        successor: new.name().to_string(),
        person: person.clone(),
        reason: reason.clone(),
    });
    let kind = EventKind::custom("milepost.assignment.handed_over", payload);
    let handed_over = Change::new(scope, kind, Some(before), after)?.on(Some(day));
    let created = Change::new(scope, EventKind::Created, None, new)?.on(Some(day)).because_of(0);
    Ok(vec![handed_over, created])
}

/// When an assignment ends, and why.
pub(crate) struct End {
    /// Its last day; none: today, or the last day that it has if that is earlier.
    pub(crate) date: Option<Date>,
    /// Empty: not said.
    pub(crate) reason: String,
}

/// Ends an assignment.
///
/// # Errors
/// As [`hand_over`].
pub(crate) fn end(
    scope: &Scope<'_>,
    before: &Checked<Assignment>,
    End { date: given, reason }: &End,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "end", &[State::Assigned])?;
    let (start, end) = ends(before)?;
    let today = today(scope, &portfolio(before.name()))?;
    let day = given.unwrap_or_else(|| end.map_or(today, |end| end.min(today)));
    let mut violations = Violations::new();
    check_not_after("date", *given, today, "give the day on which it happened", &mut violations);
    if day < start {
        let description =
            format!("{day} is before {start}, the first day of the assignment; update or delete it instead");
        violations.push("date", "DATE_TOO_EARLY", description);
    }
    check_has_not_ended(day, end, &mut violations);
    violations.into_result(())?;
    let after = before.changed(scope, |assignment| {
        assignment.end_date = Some(date_message(day));
        assignment.set_state(State::Ended);
        reason.clone_into(&mut assignment.state_reason);
    });
    let mut conditions = Vec::new();
    let changed = [(Some(before), &after)];
    check_terms(scope, before.name(), &changed, Damaged::LeftOut, day, &mut conditions)?;
    Rejection::unless_met(conditions)?;
    let payload = Payload::AssignmentEnded(AssignmentEnded { reason: reason.clone() });
    let kind = EventKind::custom("milepost.assignment.ended", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// The first day of an assignment, and its last.
fn ends(assignment: &Checked<Assignment>) -> Result<(Date, Option<Date>), Rejection> {
    let start = date(assignment.start_date.as_ref());
    let start = start.ok_or_else(|| assignment.name().damaged("start_date: is missing"))?;
    Ok((start, date(assignment.end_date.as_ref())))
}

fn check_has_not_ended(day: Date, end: Option<Date>, violations: &mut Violations) {
    if let Some(end) = end.filter(|end| day > *end) {
        let description = format!("{day} is after {end}, the last day of the assignment; create another one");
        violations.push("date", "DATE_TOO_LATE", description);
    }
}
