//! Activities: what members of an alliance do together on a day.
//!
//! Invariants: an activity is held or cancelled once, and not held before its day; who takes part is a member on the day
//! for which it is planned, and on the day on which it is held.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{ActivityCancelled, ActivityHeld};
use milepost_proto::registry::v1::activity::State;
use milepost_proto::registry::v1::{Activity, ActivityEvidence, Alliance};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Under, Unreadable, check_state, date, date_message,
    has_document, instant_message, known_state,
};
use milepost_types::{Rejection, limits};

use super::members;
use crate::portfolio::act_date;
use crate::tables::{Registry, Scope};

/// The activities of each alliance by date.
const BY_DATE: Index =
    Index { tag: 55, under: 2, by: &[By::Field("date")], live: false, when: &[], orders: true };

impl Rules<Registry> for Activity {
    type Above = Under<Alliance>;

    const TABLE: u8 = 54;
    const TABLE_NAME: &'static str = "registry.activities";
    const ID_PREFIX: char = 'y';
    const INDEXES: &'static [Index] = &[BY_DATE, Index { tag: 56, under: 1, ..BY_DATE }];

    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self).map(|_| ())
    }

    fn begin(&mut self) {
        self.set_state(State::Planned);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let planned = |activity: &Self| (activity.date, activity.kind, activity.participants.clone());
        let live = before.filter(|before| !before.is_deleted());
        if live.is_some_and(|before| planned(before) == planned(after)) {
            return Ok(());
        }
        if let Some(before) = live {
            check_state(before, "change its day, kind or participants", &[State::Planned])?;
        }
        let day = date(after.held_date.as_ref()).or_else(|| date(after.date.as_ref()));
        day.map_or(Ok(()), |day| check_members(scope, after, day))
    }

    fn release(_: &Scope<'_>, activity: &Checked<Self>) -> Result<(), Rejection> {
        check_state(activity, "delete", &[State::Planned, State::Cancelled])
    }

    /// The date of a creation event is the planned day.
    fn describe(
        _: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        Ok(if before.is_none() { change.on(date(after.date.as_ref())) } else { change })
    }
}

/// Refuses participants that are no members on a day, all of them.
fn check_members(scope: &Scope<'_>, activity: &Checked<Activity>, day: Date) -> Result<(), Rejection> {
    let alliance = scope.rows.find(&activity.name().parent())?;
    let there = alliance.members.iter().filter(|member| members::period(member).contains(day));
    let there: BTreeSet<_> = there.map(|member| &member.organization).collect();
    let absent = activity.participants.iter().filter(|participant| !there.contains(participant));
    Rejection::unless_met(absent.map(|participant| members::not_member(participant, day)).collect())
}

/// Marks an activity as held, on `given` or else today.
///
/// # Errors
/// If it is not planned any more, if the day is to come, or if a participant is no member on it.
pub(crate) fn hold(
    scope: &Scope<'_>,
    before: &Checked<Activity>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "hold", &[State::Planned])?;
    let day = act_date(scope, &before.name().parent().parent(), "date", *given)?;
    check_members(scope, before, day)?;
    let after = before.changed(scope, |activity| {
        activity.set_state(State::Held);
        activity.held_date = Some(date_message(day));
    });
    let kind = EventKind::custom("milepost.activity.held", Payload::ActivityHeld(ActivityHeld {}));
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// Cancels an activity, for a reason, on `given` or else today.
///
/// # Errors
/// If it is not planned any more, or if the day is to come.
pub(crate) fn cancel(
    scope: &Scope<'_>,
    before: &Checked<Activity>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "cancel", &[State::Planned])?;
    let day = act_date(scope, &before.name().parent().parent(), "date", *given)?;
    let after = before.changed(scope, |activity| {
        activity.set_state(State::Cancelled);
        activity.state_reason.clone_from(reason);
    });
    let payload = Payload::ActivityCancelled(ActivityCancelled { reason: reason.clone() });
    let kind = EventKind::custom("milepost.activity.cancelled", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// Adds a document; one that is there already changes nothing.
///
/// # Errors
/// If it is cancelled, or if it would have too many.
pub(crate) fn add_evidence(
    scope: &Scope<'_>,
    before: &Checked<Activity>,
    given: &ActivityEvidence,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "add evidence", &[State::Planned, State::Held])?;
    if has_document(&before.evidence, given) {
        return Ok(Vec::new());
    }
    if before.evidence.len() >= limits::EVIDENCE {
        let limit = limits::EVIDENCE as u64;
        return Err(Rejection::LimitExceeded { what: "documents of one activity", limit });
    }
    if before.evidence.iter().chain([given]).map(bytes).sum::<usize>() > limits::EVIDENCE_BYTES {
        let limit = limits::EVIDENCE_BYTES as u64;
        return Err(Rejection::LimitExceeded { what: "bytes of the documents of one activity", limit });
    }
    let create_time = Some(instant_message(scope.context.commit_time));
    let evidence = ActivityEvidence { create_time, ..given.clone() };
    let after = before.changed(scope, |activity| activity.evidence.push(evidence));
    Ok(vec![Change::new(scope, EventKind::Updated, Some(before), after)?])
}

/// What a document takes in its activity, with what surrounds it there.
fn bytes(evidence: &ActivityEvidence) -> usize {
    /// The hash, the time, and what precedes each field.
    const SURROUNDINGS: usize = 72;
    evidence.title.len() + evidence.uri.len() + SURROUNDINGS
}
