//! What the beginning of a day brings to the service requests of a portfolio: another officer, a higher level.
//!
//! Invariant: a request whose day is done needs nothing more of it, so a day that takes several entries goes on with
//! those that are left, wherever the entry before ended. Only requests that the day touches are read: those whose level
//! was to rise by now, and those of projects with an assignment that begins on it, or ended the day before.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_resource::{Change, Checked, date, date_message};
use milepost_types::DamagedRow;

use super::clock::{is_final, level_on, next_rise};
use super::{NEXT_RISE, escalated, officer};
use crate::decide::Scope;
use crate::mirror::{AssignmentFact, Portfolio};
use crate::names::{PortfolioName, ProjectName, ServiceRequestName};
use crate::tables;

/// Requests as the days before left them that are swept in the same entry.
pub(crate) type Swept = BTreeMap<ServiceRequestName, Checked<ServiceRequest>>;

/// What the beginning of a day makes of a request.
pub(crate) struct DayChange {
    /// One after another.
    pub(crate) changes: Vec<Change>,
    /// How it is after them.
    pub(crate) after: Checked<ServiceRequest>,
}

/// What the beginning of a day makes of requests that it changes, in the order of names.
pub(crate) fn changes(
    scope: &Scope<'_>,
    portfolio: &PortfolioName,
    swept: &Swept,
    day: Date,
) -> Result<Vec<DayChange>, DamagedRow> {
    let known = scope.service.portfolio(scope.rows.read, portfolio)?;
    let mut leads = BTreeMap::new();
    let mut all = Vec::new();
    for name in touched(scope, portfolio, swept, day)? {
        let before =
            swept.get(&name).cloned().map_or_else(|| scope.rows.get(&name), |swept| Ok(Some(swept)))?;
        let Some(request) = before else { continue };
        let lead = match leads.entry(name.parent()) {
            Entry::Occupied(lead) => lead.into_mut(),
            Entry::Vacant(place) => place.insert(officer::lead_of(scope, &name.parent(), &[], day)?),
        };
        let change = of_request(scope, request, known.as_deref(), lead.as_ref(), day);
        all.extend((!change.changes.is_empty()).then_some(change));
    }
    Ok(all)
}

/// What the beginning of a day makes of a request.
fn of_request(
    scope: &Scope<'_>,
    request: Checked<ServiceRequest>,
    portfolio: Option<&Portfolio>,
    lead: Option<&AssignmentFact>,
    day: Date,
) -> DayChange {
    let (mut changes, mut request) = (Vec::new(), request);
    if is_final(&request) || request.is_deleted() {
        return DayChange { changes, after: request };
    }
    if let Some((change, after)) = officer::change(scope, &request, lead, day) {
        changes.push(change);
        request = after;
    }
    let unknown = milepost_schedule::Calendar::default();
    let calendar = portfolio.map_or(&unknown, |portfolio| &portfolio.calendar);
    let level = level_on(&request, calendar, day);
    if level > request.level {
        let kind = escalated(request.level, level, day);
        let after = request.changed(scope, |request| {
            request.level = level;
            request.escalation_date = next_rise(request, calendar, day).map(date_message);
        });
        changes.push(Change::of(kind, Some(&request), after.clone()).on(Some(day)));
        request = after;
    }
    DayChange { changes, after: request }
}

/// The requests that the beginning of a day touches.
fn touched(
    scope: &Scope<'_>,
    portfolio: &PortfolioName,
    swept: &Swept,
    day: Date,
) -> Result<BTreeSet<ServiceRequestName>, DamagedRow> {
    let mut names: BTreeSet<_> = swept.keys().cloned().collect();
    for name in scope.rows.names::<ServiceRequest>(NEXT_RISE, portfolio.ids(), &[]) {
        let request = scope.rows.get(&name)?;
        let rises = request.and_then(|request| date(request.escalation_date.as_ref()));
        if rises.is_none_or(|rises| rises > day) {
            break;
        }
        names.insert(name);
    }
    let projects: BTreeSet<ProjectName> = tables::assignment::projects_on(scope.rows.read, portfolio, day)?;
    for project in projects {
        for found in scope.rows.under::<ServiceRequest>(project.ids(), None) {
            names.insert(found?.0);
        }
    }
    Ok(names)
}
