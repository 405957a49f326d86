//! Requests for reports: from what they say to what is computed.
//!
//! Invariant: reading a request finds every fault of it at once.

use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::query_statistics_request::{Basis, TimeBasis};
use milepost_proto::registry::v1::{Project, QueryStatisticsRequest};
use milepost_proto::resource::Resource;
use milepost_resource::{enum_value, optional_date, query};
use milepost_types::filter::Schema;
use milepost_types::{Filter, Violations, limits};

use super::Named;
use crate::report::group::GroupBy;
use crate::report::{ReportQuery, answer};

/// The methods of reports.
pub(crate) fn of_reports() -> Vec<Named> {
    vec![query("QueryStatistics", read, |request: &QueryStatisticsRequest| &request.min_revisions, answer)]
}

fn read(request: &QueryStatisticsRequest, violations: &mut Violations) -> Option<ReportQuery> {
    let portfolio = violations.check("parent", request.parent.parse());
    let before = violations.count();
    let group_by = GroupBy::read(&request.group_by, violations);
    let year = Some(request.year).filter(|year| *year != 0);
    if let Some(year) = year.filter(|year| !limits::YEARS.contains(year)) {
        let description = format!("{year} is not from {} to {}", limits::YEARS.start(), limits::YEARS.end());
        violations.push("year", "OUT_OF_RANGE", description);
    }
    let date = optional_date("date", request.date, violations);
    let basis = choice("basis", request.basis, Basis::Listed, violations);
    let knowledge = choice("knowledge", request.knowledge, Knowledge::Latest, violations);
    let time_basis = choice("time_basis", request.time_basis, TimeBasis::Months, violations);
    let filter = Filter::parse(&request.filter, &Schema::new(Project::FILTER));
    // Alone it is refused as lists refuse it: with what stands where.
    if let Err(error) = &filter
        && (portfolio.is_none() || violations.count() > before)
    {
        violations.check::<(), _>("filter", Err(error.clone()));
    }
    Some(ReportQuery {
        portfolio: portfolio?,
        filter,
        paths: request.group_by.clone(),
        group_by,
        year,
        date: date?,
        basis: basis?,
        knowledge: knowledge?,
        time_basis: time_basis?,
    })
}

/// A value of an enum; if none was chosen, the usual one.
fn choice<E: TryFrom<i32>>(field: &str, number: i32, usual: E, violations: &mut Violations) -> Option<E> {
    if number == 0 { Some(usual) } else { enum_value(field, number, violations) }
}
