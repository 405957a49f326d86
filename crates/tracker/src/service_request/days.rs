//! What the beginning of a day brings to the service requests of a portfolio: another officer, a higher level.
//!
//! Invariant: a request whose day is done needs nothing more of it, so a day that takes several entries goes on with
//! those that are left, wherever the entry before ended. Only requests that the day touches are read: those whose level
//! was to rise by now, and those of projects with an assignment that begins on it, or ended the day before.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_resource::{Change, Checked};
use milepost_types::DamagedRow;

use super::clock::is_final;
use super::{NEXT_RISE, escalated, officer, refresh_derived};
use crate::decide::Scope;
use crate::decide::works::{Changes, due};
use crate::mirror::{AssignmentFact, Portfolio};
use crate::names::{PortfolioName, ProjectName, ServiceRequestName};
use crate::tables;

/// What the beginning of a day makes of the requests that it touches, in the order of names, and which rows it cannot do
/// without.
///
/// # Errors
/// If the portfolio cannot be decoded.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    let known = scope.service.portfolio(scope.rows.read, portfolio)?;
    let known = known.unwrap_or_else(|| Arc::new(Portfolio::unknown()));
    let mut lead = None::<(ProjectName, Option<AssignmentFact>)>;
    let (names, damaged) = touched(scope, portfolio, day);
    let changes = names.into_iter().map(move |name| {
        let Some(request) = scope.rows.get(&name)? else { return Ok(Vec::new()) };
        let project = name.parent();
        // Those of a project come one after another.
        let lead = match &mut lead {
            Some((of, lead)) if *of == project => lead,
            other => &mut other.insert((project.clone(), officer::lead_of(scope, &project, &[], day)?)).1,
        };
        Ok(of_request(scope, request, &known, lead.as_ref(), day))
    });
    Ok(Box::new(damaged.into_iter().map(Err).chain(changes)))
}

/// What the beginning of a day makes of a request.
fn of_request(
    scope: &Scope<'_>,
    request: Checked<ServiceRequest>,
    portfolio: &Portfolio,
    lead: Option<&AssignmentFact>,
    day: Date,
) -> Vec<Change> {
    let (mut changes, mut request) = (Vec::new(), request);
    if is_final(&request) || request.is_deleted() {
        return changes;
    }
    if let Some((change, after)) = officer::change(scope, &request, lead, day) {
        changes.push(change);
        request = after;
    }
    let after = request.changed(scope, |after| {
        refresh_derived(after, Some(&request), &portfolio.calendar, day);
    });
    if after.level > request.level {
        let kind = escalated(request.level, after.level, day);
        changes.push(Change::of(kind, Some(&request), after).on(Some(day)));
    }
    changes
}

/// The requests that the beginning of a day touches, and rows by which there may be more.
fn touched(
    scope: &Scope<'_>,
    portfolio: &PortfolioName,
    day: Date,
) -> (BTreeSet<ServiceRequestName>, Vec<DamagedRow>) {
    let mut names: BTreeSet<_> = due(&scope.rows, NEXT_RISE, portfolio, day).collect();
    let mut damaged = Vec::new();
    let mut projects = BTreeSet::new();
    for project in tables::assignment::projects_on(scope.rows.read, portfolio, day) {
        match project {
            Ok(project) => _ = projects.insert(project),
            Err(row) => damaged.push(row),
        }
    }
    for project in projects {
        for found in scope.rows.under::<ServiceRequest>(project.ids(), None) {
            match found {
                Ok((name, _)) => _ = names.insert(name),
                Err(row) => damaged.push(row),
            }
        }
    }
    (names, damaged)
}
