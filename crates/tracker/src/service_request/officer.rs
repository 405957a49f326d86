//! The officer of a service request: the one who leads the liaison officers of its project, as the registry says.
//!
//! Invariant: on a day with one active assignment that officer leads; on a day with several it is the one that leads. A
//! request that is CLOSED or WITHDRAWN keeps the officer that it had.

use jiff::civil::Date;
use milepost_proto::event::v1::ServiceRequestOfficerChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_resource::{Change, Checked, EventKind};
use milepost_types::DamagedRow;

use super::clock::is_final;
use crate::decide::Scope;
use crate::mirror::AssignmentFact;
use crate::names::ProjectName;
use crate::tables;

/// Who leads the officers of a project on a day, where the registry said these assignments last.
pub(crate) fn lead_of(
    scope: &Scope<'_>,
    project: &ProjectName,
    said_last: &[AssignmentFact],
    day: Date,
) -> Result<Option<AssignmentFact>, DamagedRow> {
    let found = tables::assignment::of_project(scope.rows.read, project, said_last);
    let mut active = found.collect::<Result<Vec<_>, _>>()?;
    active.extend(said_last.iter().filter(|fact| fact.name.parent() == *project).cloned());
    active.retain(|fact| fact.is_active(day));
    if active.len() == 1 {
        return Ok(active.pop());
    }
    Ok(active.into_iter().find(|fact| fact.lead))
}

/// Sets the officer of a request.
pub(super) fn set(request: &mut ServiceRequest, officer: Option<&AssignmentFact>) {
    request.officer = officer.map(|officer| officer.person.clone()).unwrap_or_default();
    request.officer_assignment = officer.map(|officer| officer.name.to_string()).unwrap_or_default();
}

/// What comes of it that this officer leads on a day, if a request had another.
pub(crate) fn change(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    officer: Option<&AssignmentFact>,
    day: Date,
) -> Option<(Change, Checked<ServiceRequest>)> {
    if is_final(before) || before.is_deleted() {
        return None;
    }
    let after = before.changed(scope, |request| set(request, officer));
    if after.officer == before.officer && after.officer_assignment == before.officer_assignment {
        return None;
    }
    let payload = Payload::ServiceRequestOfficerChanged(ServiceRequestOfficerChanged {
        previous_officer: before.officer.clone(),
        previous_assignment: before.officer_assignment.clone(),
        officer: after.officer.clone(),
        assignment: after.officer_assignment.clone(),
    });
    let kind = EventKind::custom("milepost.service_request.officer_changed", payload);
    Some((Change::of(kind, Some(before), after.clone()).on(Some(day)), after))
}
