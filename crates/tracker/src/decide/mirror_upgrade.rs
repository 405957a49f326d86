//! Completing the mirror after an upgrade: what an earlier version did not copy of the registry's entries.
//!
//! Invariants: nothing that followed from an entry is derived again, and the position that was followed to stays. The
//! version of the mirror is raised by the last of it, once every service request has the officer that follows. A request
//! that cannot be decoded keeps the one that it has, and does not hold up the others.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_ledger::Decision;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_types::{DamagedRow, Position};

use super::Scope;
use super::days::Today;
use crate::convert::event::{Events, MirrorUpdate};
use crate::convert::mirror::{assignment_bytes, portfolio_bytes, project_bytes};
use crate::mirror::{AssignmentFact, Portfolio};
use crate::names::ProjectName;
use crate::service_request::officer;
use crate::tables;
use crate::tables::mirror_version::MIRROR_VERSION;

/// Decides the entry that adds these portfolios, projects and assignments to the mirror, as the registry's entries up to
/// `position` left them. After the last of them it is decided until it does nothing more.
pub(super) fn decide(
    scope: &Scope<'_>,
    position: &Position,
    update: MirrorUpdate<'_>,
    is_last: bool,
) -> Decision {
    let rows = scope.rows.read;
    if tables::mirror_version::is_complete(rows) {
        return Decision::default();
    }
    let mut events = Events::new(scope.context, "");
    let bytes =
        update.portfolios.iter().map(portfolio_bytes).chain(update.projects.iter().map(project_bytes));
    let bytes = bytes.chain(update.assignments.iter().map(assignment_bytes));
    let reserved = events.reserve(bytes.sum());
    let is_whole = is_last && assign_officers(scope, update.assignments, &mut events);
    events.refollowed(reserved, position, update, if is_whole { MIRROR_VERSION } else { 0 });
    let decided_on = tables::source::get(rows).into_iter().collect();
    Decision { portfolio: String::new(), decided_on, events: events.finish() }
}

/// Gives the requests that were made meanwhile their officers, as far as an entry goes; `false` if some are left.
fn assign_officers(scope: &Scope<'_>, assignments: &[AssignmentFact], events: &mut Events<'_>) -> bool {
    let mut leads = BTreeMap::new();
    for found in scope.rows.under::<ServiceRequest>(&[], None) {
        let read = found.and_then(|(name, row)| Ok((scope.rows.read(&name, row)?, name)));
        let Some((request, name)) = sound(read) else { continue };
        let project = name.parent();
        let lead =
            leads.entry(project).or_insert_with_key(|project| sound(lead_of(scope, project, assignments)));
        let Some((lead, today)) = lead else { continue };
        if let Some((change, _)) = officer::change(scope, &request, lead.as_ref(), *today) {
            let mark = events.len();
            events.add(change);
            if events.bytes() > scope.service.part_bytes && mark > 1 {
                events.truncate(mark);
                return false;
            }
        }
    }
    true
}

/// What was read; if it cannot be decoded, that is said, and the others go on.
fn sound<T>(read: Result<T, DamagedRow>) -> Option<T> {
    read.map_err(|damage| tracing::error!(%damage, "a service request does not get its officer")).ok()
}

/// Who leads the officers of a project today, and which day that is.
fn lead_of(
    scope: &Scope<'_>,
    project: &ProjectName,
    assignments: &[AssignmentFact],
) -> Result<(Option<AssignmentFact>, Date), DamagedRow> {
    let portfolio = project.parent();
    let known = tables::portfolio::get(scope.rows.read, &portfolio)?;
    let known = known.unwrap_or_else(Portfolio::unknown);
    let today = Today::of(scope.rows.read, &portfolio, &known, scope.context.now)?.of_writes();
    Ok((officer::lead_of(scope, project, assignments, today)?, today))
}
