//! Inspections: planned, and done or cancelled once.
//!
//! Invariants: an inspection that is DONE has the day on which it took place; a FOLLOW_UP follows one of the same project
//! that is DONE, and does not take place before it; one that others are planned to follow is not given up. What is DONE
//! stays: findings and reviews refer to it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{InspectionCancelled, InspectionDone};
use milepost_proto::tracker::v1::Inspection;
use milepost_proto::tracker::v1::inspection::{Kind, State};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Unreadable, check_state, date, date_message, known_state,
};
use milepost_types::{DamagedRow, Precondition, Rejection, ResourceName as _, Violations};

use super::{InspectionName, in_project};
use crate::act::{act_day, check_day};
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;
use crate::parent::Followed;

/// The inspections of each portfolio by the day on which they took place, or for which they are planned.
const BY_DATE: Index = Index {
    tag: 41,
    under: 1,
    by: &[By::FirstDate(&["inspection_date", "planned_date"])],
    live: false,
    when: &[],
    orders: true,
};

/// The inspections of each project by the one that they follow.
const FOLLOW_UPS: Index =
    Index { tag: 42, under: 2, by: &[By::Field("follows")], live: true, when: &[], orders: false };

impl Rules<Tracker> for Inspection {
    type Above = Followed<Self>;

    const TABLE: u8 = 40;
    const TABLE_NAME: &'static str = "tracker.inspection";
    const ID_PREFIX: char = 'i';
    const INDEXES: &'static [Index] = &[BY_DATE, FOLLOW_UPS];

    fn check(&self, violations: &mut Violations) {
        if violations.are_of("kind") {
            return;
        }
        let (reason, description) = match (self.kind(), self.follows.is_empty()) {
            (Kind::FollowUp, true) => {
                ("REQUIRED", "a FOLLOW_UP looks at what another inspection found; say which it follows")
            }
            (Kind::FollowUp, false) | (_, true) => return,
            (_, false) => (
                "NOT_A_FOLLOW_UP",
                "only a FOLLOW_UP follows another inspection; make it one, or leave this empty",
            ),
        };
        violations.push("follows", reason, description);
    }

    fn check_stored(&self) -> Result<(), Unreadable> {
        if known_state(self)? == State::Done && date(self.inspection_date.as_ref()).is_none() {
            return Err(Unreadable::of("inspection_date", "is missing"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Planned);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let planned = |inspection: &Self| {
            let Self { title, kind, aspects, planned_date, inspectors, follows, .. } = inspection;
            let what = (title.clone(), *kind, aspects.clone());
            (what, *planned_date, inspectors.clone(), follows.clone())
        };
        if let Some(before) = before.filter(|before| !before.is_deleted()) {
            if planned(before) == planned(after) {
                return Ok(());
            }
            check_state(before, "update", &[State::Planned])?;
        }
        // What is CANCELLED and comes back stays what it was.
        if after.state() == State::Planned { check_followed(scope, after) } else { Ok(()) }
    }

    fn release(scope: &Scope<'_>, inspection: &Checked<Self>) -> Result<(), Rejection> {
        check_state(inspection, "delete", &[State::Planned, State::Cancelled])?;
        // What is CANCELLED found nothing, whether it is there or not.
        if inspection.state() == State::Planned { check_not_awaited(scope, inspection) } else { Ok(()) }
    }

    /// The date of a creation event is the planned day.
    fn describe(
        _: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        Ok(if before.is_none() { change.on(date(after.planned_date.as_ref())) } else { change })
    }
}

/// The inspection that another one follows; none if it follows none.
fn followed(inspection: &Checked<Inspection>) -> Result<Option<InspectionName>, Rejection> {
    if inspection.follows.is_empty() {
        return Ok(None);
    }
    in_project("inspection.follows", &inspection.follows, &inspection.name().parent()).map(Some)
}

/// Refuses to follow what never can be DONE: an inspection that is not there, or CANCELLED, or that follows in turn, by
/// others or by itself, the one that is to follow it.
fn check_followed(scope: &Scope<'_>, inspection: &Checked<Inspection>) -> Result<(), Rejection> {
    let Some(direct) = followed(inspection)? else { return Ok(()) };
    let refuse =
        |kind, description: &str| Err(Rejection::precondition(kind, direct.to_string(), description));
    let found = |name: &InspectionName| -> Result<Option<Checked<Inspection>>, DamagedRow> {
        Ok(scope.rows.get(name)?.filter(|found| !found.is_deleted()))
    };
    if direct != *inspection.name() {
        match found(&direct)?.map(|found| found.state()) {
            None => {
                let description =
                    "there is no such inspection to follow; name one that there is, or create it first";
                return refuse("INSPECTION_NOT_FOUND", description);
            }
            Some(State::Cancelled) => {
                let description =
                    "it is CANCELLED, and found nothing that is to be followed up; name another one";
                return refuse("INSPECTION_CANCELLED", description);
            }
            Some(_) => {}
        }
    }
    // What is DONE follows what was so before, and what is CANCELLED waits for nothing. Those that are there already may
    // follow each other: each is looked at once.
    let (mut next, mut seen) = (Some(direct.clone()), BTreeSet::new());
    while let Some(name) = next.take().filter(|name| seen.insert(name.clone())) {
        if name == *inspection.name() {
            let description = "by it the inspection would follow itself, and could never be DONE; name another one to follow";
            return refuse("FOLLOWS_CYCLE", description);
        }
        let waiting = found(&name)?.filter(|found| found.state() == State::Planned);
        next = waiting.map(|waiting| followed(&waiting)).transpose()?.flatten();
    }
    Ok(())
}

/// Those that follow an inspection.
fn follow_ups<'a>(
    scope: &Scope<'a>,
    name: &InspectionName,
) -> impl Iterator<Item = InspectionName> + use<'a> {
    let fields = [name.id().as_str().as_bytes(), &[0]].concat();
    scope.rows.names::<Inspection>(FOLLOW_UPS, name.parent_ids(), &fields)
}

/// Refuses that an inspection is given up while others are PLANNED to follow it, which could never be DONE.
fn check_not_awaited(scope: &Scope<'_>, inspection: &Checked<Inspection>) -> Result<(), Rejection> {
    let mut conditions = Vec::new();
    for name in follow_ups(scope, inspection.name()).filter(|name| name != inspection.name()) {
        if scope.rows.get(&name)?.is_some_and(|follow_up| follow_up.state() == State::Planned) {
            conditions.push(Precondition {
                kind: "FOLLOW_UP_PLANNED",
                subject: name.to_string(),
                description: format!(
                    "it is PLANNED to follow {}; cancel it first, or have it follow another one",
                    inspection.name()
                ),
            });
        }
    }
    Rejection::unless_met(conditions)
}

/// The day on which an inspection took place.
///
/// # Errors
/// If it did not, or there is none of this name.
pub(super) fn done_on(scope: &Scope<'_>, name: &InspectionName) -> Result<Date, Rejection> {
    let found = scope.rows.get(name)?.filter(|inspection| !inspection.is_deleted());
    let done = found.filter(|inspection| inspection.state() == State::Done);
    done.and_then(|inspection| date(inspection.inspection_date.as_ref())).ok_or_else(|| {
        let description = "the inspection is not DONE; complete it first, or name one that is";
        Rejection::precondition("INSPECTION_NOT_DONE", name.to_string(), description)
    })
}

/// Those of these inspections that no other one followed up on a day after `after`, up to `until`.
pub(super) fn without_follow_up(
    scope: &Scope<'_>,
    names: BTreeSet<InspectionName>,
    after: Date,
    until: Date,
) -> Result<BTreeSet<InspectionName>, DamagedRow> {
    let mut without = BTreeSet::new();
    for name in names {
        let mut is_followed_up = false;
        for follow_up in follow_ups(scope, &name) {
            let day = scope.rows.get(&follow_up)?.and_then(|follow_up| {
                let is_done = follow_up.state() == State::Done && follow_up.kind() == Kind::FollowUp;
                date(follow_up.inspection_date.as_ref()).filter(|_| is_done)
            });
            is_followed_up |= day.is_some_and(|day| after < day && day <= until);
        }
        if !is_followed_up {
            without.insert(name);
        }
    }
    Ok(without)
}

/// Which day it is in the portfolio of the inspection of this name.
fn current_date(scope: &Scope<'_>, name: &InspectionName) -> Result<Date, DamagedRow> {
    Ok(ChangeContext::in_portfolio(scope, &name.parent().parent())?.current_date)
}

/// It took place on a day, which was reported on another: each the current date if it is not given.
///
/// # Errors
/// If it is not planned any more, if a day is none for it, or if it follows one that is not DONE.
pub(crate) fn complete(
    scope: &Scope<'_>,
    before: &Checked<Inspection>,
    (given, reported): &(Option<Date>, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "complete", &[State::Planned])?;
    let current = current_date(scope, before.name())?;
    let first = followed(before)?.map(|followed| done_on(scope, &followed)).transpose()?;
    let day = given.unwrap_or(current);
    let mut violations = Violations::new();
    let what = "the day of the inspection that it follows";
    check_day("date", day, (first, current), what, &mut violations);
    if let Some(reported) = *reported {
        let what = "the day on which it took place";
        check_day("reported_date", reported, (Some(day), current), what, &mut violations);
    }
    violations.into_result(())?;
    let after = before.changed(scope, |inspection| {
        inspection.set_state(State::Done);
        inspection.inspection_date = Some(date_message(day));
        inspection.reported_date = Some(date_message(reported.unwrap_or(current)));
    });
    let kind = EventKind::custom("milepost.inspection.done", Payload::InspectionDone(InspectionDone {}));
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// It does not take place, for a reason.
///
/// # Errors
/// If it is not planned any more, if the day has not come, or if others are planned to follow it.
pub(crate) fn cancel(
    scope: &Scope<'_>,
    before: &Checked<Inspection>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "cancel", &[State::Planned])?;
    let day = act_day(current_date(scope, before.name())?, None, *given, "")?;
    check_not_awaited(scope, before)?;
    let after = before.changed(scope, |inspection| {
        inspection.set_state(State::Cancelled);
        inspection.state_reason.clone_from(reason);
        inspection.cancel_date = Some(date_message(day));
    });
    let payload = Payload::InspectionCancelled(InspectionCancelled { reason: reason.clone() });
    let kind = EventKind::custom("milepost.inspection.cancelled", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}
