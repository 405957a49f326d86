//! The start of a batch, and of what joins it later: all members, or none.
//!
//! Invariant: either every member starts on the batch's day, or nothing changes and every member that
//! refuses is named with its reason. What was registered at a start stays when others join.

use milepost_proto::event::v1::BatchStarted;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::batch::State;
use milepost_proto::registry::v1::{Batch, Project};
use milepost_resource::{Change, Checked, EventKind, Name, money};
use milepost_types::{Precondition, Rejection};

use super::figures::Figures;
use super::{check_state, members, start_date};
use crate::portfolio::today;
use crate::project::status::{Moved, change, start_in_batch};
use crate::tables::Scope;

/// Starts a batch and all its members.
///
/// # Errors
/// If it is not planned any more, if its day is still to come, or if a member cannot start.
pub(crate) fn start(scope: &Scope<'_>, batch: &Checked<Batch>, (): &()) -> Result<Vec<Change>, Rejection> {
    let today = today(scope, &batch.name().parent())?;
    check_state(batch, "start", &[State::Planned])?;
    let date = start_date(batch)?;
    let mut refusals = Vec::new();
    if date > today {
        refusals.push(Precondition {
            kind: "START_DATE_IN_FUTURE",
            subject: batch.name().to_string(),
            description: format!(
                "the batch starts on {date}, which is after today, {today} in the portfolio's time zone; start it then, or correct its start_date"
            ),
        });
    }
    let started = start_all(scope, batch, &members::of(batch)?, refusals)?;
    let investments = started.iter().map(|moved| money(moved.after.investment.as_ref()));
    let registered = Figures::default().with(batch.name(), investments)?;
    let after = batch.changed(scope, |batch| {
        batch.set_state(State::Started);
        registered.set(batch);
    });
    let count = i32::try_from(started.len()).unwrap_or(i32::MAX);
    let payload = Payload::BatchStarted(BatchStarted { count });
    let kind = EventKind::custom("milepost.batch.started", payload);
    let first = Change::new(scope, kind, Some(batch), after)?.on(Some(date));
    with_starts(scope, batch, first, started)
}

/// Starts these projects on the batch's day, unless one refuses or there are `refusals` already.
pub(super) fn start_all(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    names: &[Name<Project>],
    mut refusals: Vec<Precondition>,
) -> Result<Vec<Moved>, Rejection> {
    let date = start_date(batch)?;
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        let project = scope.rows.get(name)?.ok_or_else(|| Precondition {
            kind: "MEMBER_NOT_FOUND",
            subject: name.to_string(),
            description: "there is no such project; leave it out of the batch".to_owned(),
        });
        match project.and_then(|project| start_in_batch(scope, project, batch.name(), date)) {
            Ok(moved) => members.push(moved),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(members) } else { Err(Rejection::Preconditions(refusals)) }
}

/// A change of a batch, and then the starts of members because of it.
pub(super) fn with_starts(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    first: Change,
    started: Vec<Moved>,
) -> Result<Vec<Change>, Rejection> {
    let mut changes = Vec::with_capacity(1 + started.len());
    changes.push(first);
    for moved in started {
        changes.push(change(scope, moved, Some(batch.name()))?.because_of(0));
    }
    Ok(changes)
}
