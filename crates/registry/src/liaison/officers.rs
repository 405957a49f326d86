//! Officers: who serves how many projects of a portfolio on a day, the busiest first.
//!
//! Invariant: the order is total, because a person is listed once. What is deleted, and what is of a deleted project, does
//! not count. Pages are not known here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::registry::v1::{Assignment, Officer, OfficerProject, Portfolio, Project};
use milepost_resource::Name;
use milepost_types::Rejection;

use super::{is_present, kind, period};
use crate::tables::Rows;

/// Projects of one officer that are named.
const PROJECTS_NAMED: usize = 100;

/// Where an officer stands in the order: the number of projects, downwards, then the person.
pub(crate) type SortKey = (Reverse<u32>, String);

/// The officers of a portfolio on a day, in order.
///
/// # Errors
/// If a row that it needs cannot be decoded.
pub(crate) fn by_workload(
    rows: &Rows<'_>,
    portfolio: &Name<Portfolio>,
    day: Date,
) -> Result<BTreeMap<SortKey, Officer>, Rejection> {
    let (mut present, mut active) = (BTreeMap::new(), Vec::new());
    let mut counts = BTreeMap::<Name<Project>, usize>::new();
    for found in rows.under::<Assignment>(portfolio.ids(), None) {
        let (name, row) = found?;
        let assignment = rows.read(&name, row)?;
        let is_active = !assignment.is_deleted() && period(&assignment, day).contains(day);
        if is_active && is_present(rows, &name.parent(), &mut present)? {
            *counts.entry(name.parent()).or_default() += 1;
            active.push(assignment);
        }
    }
    let mut officers = BTreeMap::<&str, Officer>::new();
    for assignment in &active {
        let project = assignment.name().parent();
        let count = counts.get(&project).copied().unwrap_or_default();
        let lead = assignment.lead || count == 1;
        let officer = officers.entry(&assignment.person).or_default();
        officer.project_count += 1;
        officer.lead_count += i32::from(lead);
        if officer.projects.len() < PROJECTS_NAMED {
            officer.projects.push(OfficerProject {
                project: project.to_string(),
                assignment: assignment.name().to_string(),
                lead,
                kind: kind(count).into(),
            });
        }
    }
    let ordered = officers.into_iter().map(|(person, officer)| {
        let key = (Reverse(officer.project_count.cast_unsigned()), person.to_owned());
        (key, Officer { person: person.to_owned(), ..officer })
    });
    Ok(ordered.collect())
}
