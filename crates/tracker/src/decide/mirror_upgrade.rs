//! Completing the mirror after an upgrade: what an earlier version did not copy of the registry's entries.
//!
//! Invariants: nothing that followed from an entry is derived again, and the position that was followed to stays. The
//! version of the mirror is raised by the last of it, once every service request has the officer that follows.

use std::collections::BTreeMap;

use milepost_ledger::Decision;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_types::{DamagedRow, Position};

use super::Scope;
use super::days::Today;
use crate::convert::event::Events;
use crate::convert::mirror::assignment_bytes;
use crate::mirror::{AssignmentFact, Portfolio};
use crate::service_request::officer;
use crate::tables;
use crate::tables::mirror_version::MIRROR_VERSION;

/// Decides the entry that adds these assignments to the mirror, as the registry's entries up to `position` left them.
/// After the last of them it is decided until it does nothing more.
pub(super) fn decide(
    scope: &Scope<'_>,
    position: &Position,
    assignments: &[AssignmentFact],
    is_last: bool,
) -> Result<Decision, DamagedRow> {
    let rows = scope.rows.read;
    if tables::mirror_version::get(rows) >= MIRROR_VERSION {
        return Ok(Decision::default());
    }
    let mut events = Events::new(scope.context, "");
    let reserved = events.reserve(assignments.iter().map(assignment_bytes).sum());
    let is_whole = is_last && assign_officers(scope, assignments, &mut events)?;
    events.refollowed(reserved, position, assignments, if is_whole { MIRROR_VERSION } else { 0 });
    let decided_on = tables::source::get(rows).into_iter().collect();
    Ok(Decision { portfolio: String::new(), decided_on, events: events.finish() })
}

/// Gives the requests that were made meanwhile their officers, as far as an entry goes; `false` if some are left.
fn assign_officers(
    scope: &Scope<'_>,
    assignments: &[AssignmentFact],
    events: &mut Events<'_>,
) -> Result<bool, DamagedRow> {
    let mut leads = BTreeMap::new();
    for found in scope.rows.under::<ServiceRequest>(&[], None) {
        let (name, row) = found?;
        let request = scope.rows.read(&name, row)?;
        let project = name.parent();
        if !leads.contains_key(&project) {
            let portfolio = project.parent();
            let known = tables::portfolio::get(scope.rows.read, &portfolio)?;
            let known = known.unwrap_or_else(Portfolio::unknown);
            let today = Today::of(scope.rows.read, &portfolio, &known, scope.context.now)?.of_writes();
            let lead = officer::lead_of(scope, &project, assignments, today)?;
            leads.insert(project.clone(), (lead, today));
        }
        let Some((lead, today)) = leads.get(&project) else { continue };
        if let Some((change, _)) = officer::change(scope, &request, lead.as_ref(), *today) {
            let mark = events.len();
            events.add(change);
            if events.bytes() > scope.service.part_bytes && mark > 1 {
                events.truncate(mark);
                return Ok(false);
            }
        }
    }
    Ok(true)
}
