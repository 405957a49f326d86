//! What a project costs: by use, by source, by year, what was completed of it, and what was received for it.
//!
//! Invariant: amounts are exact and never negative; the amounts of a list, added up per currency, can
//! be held; no day is reported twice. Sums are never stored: they are what the list says.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::google::r#type::{Date as DateMessage, Money as MoneyMessage};
use milepost_proto::registry::v1::{Period as PeriodMessage, Project};
use milepost_resource::{date, money, period};
use milepost_types::{Fault, MoneySums, Violations};

use super::plan::{REPORTED, check_plan};
use crate::portfolio::check_not_after;

/// Finds what is wrong between a project's amounts.
pub(super) fn check(project: &Project, violations: &mut Violations) {
    check_breakdown(project, violations);
    let mut years = BTreeSet::new();
    for (i, plan) in project.annual_plans.iter().enumerate() {
        if !years.insert(plan.year) {
            violations.push(format!("annual_plans[{i}].year"), "DUPLICATE", "a year has one plan");
        }
        check_plan(plan, &format!("annual_plans[{i}]"), violations);
    }
    let Project { breakdown, funding, completed_investments, received_funds, .. } = project;
    let completed = || completed_investments.iter();
    let received = || received_funds.iter();
    check_overlaps("completed_investments", completed().map(|report| report.period.as_ref()), violations);
    check_overlaps("received_funds", received().map(|report| report.period.as_ref()), violations);
    check_sum("breakdown", "breakdown", breakdown.iter().map(|item| item.amount.as_ref()), violations);
    check_sum("funding", "funding", funding.iter().map(|source| source.amount.as_ref()), violations);
    let plans = project.annual_plans.iter();
    check_sum("annual_plans", "annual_plans", plans.map(|plan| plan.investment.as_ref()), violations);
    let plans = project.annual_plans.iter();
    check_sum("annual_plans", "planned funds", plans.map(|plan| plan.funds.as_ref()), violations);
    let amounts = completed().map(|completed| completed.amount.as_ref());
    check_sum("completed_investments", "completed_investments", amounts, violations);
    let amounts = received().map(|received| received.amount.as_ref());
    check_sum("received_funds", "received_funds", amounts, violations);
}

/// The same of the sums of a project's plans alone, by the fields of a plan.
pub(super) fn check_plan_sums(project: &Project, violations: &mut Violations) {
    let plans = project.annual_plans.iter();
    check_sum("investment", "annual_plans", plans.map(|plan| plan.investment.as_ref()), violations);
    let plans = project.annual_plans.iter();
    check_sum("funds", "planned funds", plans.map(|plan| plan.funds.as_ref()), violations);
}

/// The breakdown is in the currency of the investment; without one, in any one currency.
fn check_breakdown(project: &Project, violations: &mut Violations) {
    let currency = |money: &Option<MoneyMessage>| money.as_ref().map(|money| money.currency_code.clone());
    let amounts = || project.breakdown.iter().map(|item| currency(&item.amount).unwrap_or_default());
    // It is not known which is wanted if the investment is at fault.
    if violations.are_of("investment") {
        return;
    }
    let Some(wanted) = currency(&project.investment).or_else(|| amounts().next()) else { return };
    for (i, given) in amounts().enumerate().filter(|(_, given)| *given != wanted) {
        violations.push(
            format!("breakdown[{i}].amount.currency_code"),
            "MIXED_CURRENCIES",
            format!(
                "the amount is in {given}; the breakdown is of an investment in {wanted}, give it in that currency"
            ),
        );
    }
}

/// Finds periods of a list that have days in common with one that begins before them.
fn check_overlaps<'a>(
    field: &str,
    periods: impl Iterator<Item = Option<&'a PeriodMessage>>,
    violations: &mut Violations,
) {
    let ends = |(i, given): (usize, Option<&PeriodMessage>)| {
        let period = period(given);
        Some((period.start()?, period.end()?, i))
    };
    let mut spans: Vec<(Date, Date, usize)> = periods.enumerate().filter_map(ends).collect();
    spans.sort_unstable();
    // The one that ends last, of those that begin earlier.
    let mut last: Option<(Date, Date, usize)> = None;
    for span @ (start, end, i) in spans {
        if let Some((first, until, other)) = last.filter(|(_, until, _)| start <= *until) {
            let description = format!(
                "{start} to {end} has days in common with {first} to {until} of {field}[{other}]; report each day once"
            );
            violations.push(format!("{field}[{i}].period"), "OVERLAP", description);
        }
        last = last.filter(|(_, until, _)| *until >= end).or(Some(span));
    }
}

fn check_sum<'a>(
    field: &str,
    what: &str,
    amounts: impl Iterator<Item = Option<&'a MoneyMessage>>,
    violations: &mut Violations,
) {
    let mut sums = MoneySums::new();
    amounts.filter_map(money).for_each(|amount| sums.add(&amount));
    if let Err(error) = sums.totals() {
        let description = format!("the amounts of {what} together: {error}");
        violations.push(field, error.reason(), description);
    }
}

/// The days of a project that are not after today, with where they stand and what to do instead.
fn days(project: &Project) -> impl Iterator<Item = (String, Option<&DateMessage>, &'static str)> {
    let at = |list: &str, i: usize| format!("{list}[{i}].reported_date");
    let plans = project.annual_plans.iter().enumerate();
    let plans = plans.map(move |(i, plan)| (at("annual_plans", i), plan.reported_date.as_ref(), REPORTED));
    let completed = project.completed_investments.iter().enumerate();
    let completed = completed
        .map(move |(i, report)| (at("completed_investments", i), report.reported_date.as_ref(), REPORTED));
    let received = project.received_funds.iter().enumerate();
    let received =
        received.map(move |(i, report)| (at("received_funds", i), report.reported_date.as_ref(), REPORTED));
    let enrolment = ("enrolment_date".to_owned(), project.enrolment_date.as_ref(), "leave it out until then");
    plans.chain(completed).chain(received).chain([enrolment])
}

/// Whether a project has days of reports, or of its enrolment, that the one before it had not.
pub(super) fn has_new_days(before: Option<&Project>, after: &Project) -> bool {
    let given = |project| days(project).filter_map(|(at, day, _)| Some((at, *day?)));
    match before {
        None => given(after).next().is_some(),
        Some(before) => !given(before).eq(given(after)),
    }
}

/// Finds days of reports, and of the enrolment, that are after today, in the project at this field of the request.
pub(super) fn find_future(field: &str, project: &Project, today: Date, violations: &mut Violations) {
    for (at, day, instead) in days(project) {
        check_not_after(&format!("{field}.{at}"), date(day), today, instead, violations);
    }
}
