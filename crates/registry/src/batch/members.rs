//! The members of a batch: which projects start with it.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added. A member is not
//! removed once the batch is started, and what is added then starts with it.

use milepost_proto::event::v1::BatchMembersChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::batch::State;
use milepost_proto::registry::v1::{Batch, Project};
use milepost_resource::{Change, Checked, EventKind, Name, check_state, money};
use milepost_types::Rejection;

use super::figures::Figures;
use super::start::{start_all, with_starts};
use crate::members::{self, MemberChange, names_of};
use crate::portfolio::act_date;
use crate::tables::Scope;

/// The members of a batch that was read.
pub(super) fn of(batch: &Checked<Batch>) -> Result<Vec<Name<Project>>, Rejection> {
    Ok(members::stored(&batch.members).map_err(|error| batch.name().damaged(error))?)
}

/// Adds members; those that are members already are left out. What joins a batch that is started starts on
/// its day.
///
/// # Errors
/// If the batch is given up, if the day is to come, if it would have too many, or if a project is not there or cannot
/// start.
pub(crate) fn add(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    MemberChange { members: given, date }: &MemberChange,
) -> Result<Vec<Change>, Rejection> {
    check_state(batch, "add members", &[State::Planned, State::Started])?;
    let day = act_date(scope, &batch.name().parent(), "date", *date)?;
    let added = members::BATCH.added(&of(batch)?, given)?;
    if added.is_empty() {
        return Ok(Vec::new());
    }
    let (mut started, mut registered) = (Vec::new(), None);
    if batch.state() == State::Started {
        started = start_all(scope, batch, &added, Vec::new())?;
        let investments = started.iter().map(|moved| money(moved.after.investment.as_ref()));
        registered = Some(Figures::stored(batch).with(batch.name(), investments)?);
    } else {
        Rejection::unless_met(members::missing(scope, &added)?)?;
    }
    let after = batch.changed(scope, |batch| {
        batch.members.extend(names_of(&added));
        if let Some(registered) = &registered {
            registered.set(batch);
        }
    });
    let first = Change::new(scope, changed(&added, &[]), Some(batch), after)?.on(Some(day));
    with_starts(scope, batch, first, started)
}

/// Takes members out; those that are none are left out.
///
/// # Errors
/// If the batch is not planned any more, or if the day is to come.
pub(crate) fn remove(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    MemberChange { members: given, date }: &MemberChange,
) -> Result<Vec<Change>, Rejection> {
    check_state(batch, "remove members", &[State::Planned])?;
    let day = act_date(scope, &batch.name().parent(), "date", *date)?;
    let (kept, removed) = members::without(of(batch)?, given);
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let after = batch.changed(scope, |batch| batch.members = names_of(&kept));
    Ok(vec![Change::new(scope, changed(&[], &removed), Some(batch), after)?.on(Some(day))])
}

fn changed(added: &[Name<Project>], removed: &[Name<Project>]) -> EventKind {
    let payload = BatchMembersChanged { added: names_of(added), removed: names_of(removed) };
    EventKind::custom("milepost.batch.members_changed", Payload::BatchMembersChanged(payload))
}
