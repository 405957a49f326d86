//! The members of a batch: which projects start with it.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added. A member is not
//! removed once the batch is started, and what is added then starts with it.

use std::collections::HashSet;

use milepost_proto::event::v1::BatchMembersChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::batch::State;
use milepost_proto::registry::v1::{Batch, Portfolio, Project};
use milepost_resource::{Change, Checked, EventKind, Name, Presence, Unreadable, money, names};
use milepost_types::{Precondition, Rejection, Violations, limits};

use super::check_state;
use super::figures::Figures;
use super::start::{start_all, with_starts};
use crate::tables::Scope;

/// The members of a batch that was stored.
///
/// # Errors
/// If one is no name of a project.
pub(super) fn stored(batch: &Batch) -> Result<Vec<Name<Project>>, Unreadable> {
    let read = |member: &String| member.parse().map_err(|error| Unreadable::of("members", error));
    batch.members.iter().map(read).collect()
}

/// The members of a batch that was read.
pub(super) fn of(batch: &Checked<Batch>) -> Result<Vec<Name<Project>>, Rejection> {
    Ok(stored(batch).map_err(|error| batch.name().damaged(error))?)
}

/// Reads the names of members at a field of a request, each with its index.
pub(crate) fn read(
    field: &str,
    given: &[String],
    portfolio: Option<&Name<Portfolio>>,
    violations: &mut Violations,
) -> Vec<(usize, Name<Project>)> {
    if !violations.check_count(field, given.len(), limits::BATCH_MEMBERS) {
        return Vec::new();
    }
    let members: Vec<(usize, Name<Project>)> = names(field, given, violations);
    let elsewhere = |member: &Name<Project>| portfolio.is_some_and(|portfolio| *portfolio != member.parent());
    for (i, member) in members.iter().filter(|(_, member)| elsewhere(member)) {
        let description = format!("{member} is in another portfolio than the batch");
        violations.push(format!("{field}[{i}]"), "OTHER_PORTFOLIO", description);
    }
    members
}

/// Finds what is wrong with the members of a batch in a request to create it under this portfolio.
pub(crate) fn check_given(
    given: &[String],
    portfolio: Option<&Name<Portfolio>>,
    violations: &mut Violations,
) {
    let members = read("batch.members", given, portfolio, violations);
    let mut seen = HashSet::new();
    for (i, twice) in members.iter().filter(|(_, member)| !seen.insert(member)) {
        violations.push(format!("batch.members[{i}]"), "DUPLICATE", format!("{twice} is a member already"));
    }
}

/// Refuses members that are not there, every one of them.
pub(super) fn check(scope: &Scope<'_>, members: &[Name<Project>]) -> Result<(), Rejection> {
    let mut conditions = Vec::new();
    for member in members {
        let (kind, description) = match scope.rows.presence(member)? {
            Presence::Present => continue,
            Presence::Missing => ("MEMBER_NOT_FOUND", "there is no such project; leave it out"),
            Presence::Deleted => ("MEMBER_DELETED", "the project is deleted; undelete it, or leave it out"),
        };
        let (subject, description) = (member.to_string(), description.to_owned());
        conditions.push(Precondition { kind, subject, description });
    }
    if conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(conditions)) }
}

/// Adds members; those that are members already are left out. What joins a batch that is started starts on
/// its day.
///
/// # Errors
/// If the batch is given up, if it would have too many, or if a project is not there or cannot start.
pub(crate) fn add(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    members: &[Name<Project>],
) -> Result<Vec<Change>, Rejection> {
    check_state(batch, "add members", &[State::Planned, State::Started])?;
    let held = of(batch)?;
    let mut known: HashSet<&Name<Project>> = held.iter().collect();
    let added: Vec<_> = members.iter().filter(|member| known.insert(member)).cloned().collect();
    if added.is_empty() {
        return Ok(Vec::new());
    }
    if known.len() > limits::BATCH_MEMBERS {
        let limit = limits::BATCH_MEMBERS as u64;
        return Err(Rejection::LimitExceeded { what: "members of one batch", limit });
    }
    let (mut started, mut registered) = (Vec::new(), None);
    if batch.state() == State::Started {
        started = start_all(scope, batch, &added, Vec::new())?;
        let investments = started.iter().map(|moved| money(moved.after.investment.as_ref()));
        registered = Some(Figures::stored(batch).with(batch.name(), investments)?);
    } else {
        check(scope, &added)?;
    }
    let after = batch.changed(scope, |batch| {
        batch.members.extend(added.iter().map(ToString::to_string));
        if let Some(registered) = &registered {
            registered.set(batch);
        }
    });
    let first = Change::new(scope, changed(&added, &[]), Some(batch), after)?;
    with_starts(scope, batch, first, started)
}

/// Takes members out; those that are none are left out.
///
/// # Errors
/// If the batch is not planned any more.
pub(crate) fn remove(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    members: &[Name<Project>],
) -> Result<Vec<Change>, Rejection> {
    check_state(batch, "remove members", &[State::Planned])?;
    let leaving: HashSet<&Name<Project>> = members.iter().collect();
    let (removed, kept): (Vec<_>, Vec<_>) =
        of(batch)?.into_iter().partition(|member| leaving.contains(member));
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let after = batch.changed(scope, |batch| batch.members = kept.iter().map(ToString::to_string).collect());
    Ok(vec![Change::new(scope, changed(&[], &removed), Some(batch), after)?])
}

fn changed(added: &[Name<Project>], removed: &[Name<Project>]) -> EventKind {
    let names = |projects: &[Name<Project>]| projects.iter().map(ToString::to_string).collect();
    let payload = BatchMembersChanged { added: names(added), removed: names(removed) };
    EventKind::custom("milepost.batch.members_changed", Payload::BatchMembersChanged(payload))
}
