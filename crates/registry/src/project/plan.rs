//! The plans of a project: what a year is to bring, step by step, and how a plan is adjusted.
//!
//! Invariants: the steps of a schedule rise, stay in its year, and end at the plan at most. The event of an adjustment
//! says what was planned before.

use jiff::civil::Date;
use milepost_proto::event::v1::ProjectPlanAdjusted;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{AnnualPlan, Project};
use milepost_resource::{Change, Checked, EventKind, date, money};
use milepost_types::{Money, Rejection, Violations, limits};

use super::investment;
use crate::portfolio::{check_not_after, today};
use crate::tables::Scope;

/// What to do about a report of what has not happened.
pub(super) const REPORTED: &str = "give the day on which it was reported, or leave it out";

/// Finds what is wrong between the fields of a plan at this path.
pub(crate) fn check_plan(plan: &AnnualPlan, path: &str, violations: &mut Violations) {
    let investment = money(plan.investment.as_ref());
    let mut wanted = investment.map(|investment| investment.currency());
    let mut before: Option<(Date, Money)> = None;
    for (i, step) in plan.schedule.iter().enumerate() {
        let (Some(day), Some(amount)) = (date(step.date.as_ref()), money(step.cumulative.as_ref())) else {
            continue;
        };
        let dot = if path.is_empty() { "" } else { "." };
        let at = |field: &str| format!("{path}{dot}schedule[{i}].{field}");
        if i32::from(day.year()) != plan.year {
            let description = format!("{day} is not in {}, the year of the plan", plan.year);
            violations.push(at("date"), "OUT_OF_RANGE", description);
        }
        let currency = *wanted.get_or_insert(amount.currency());
        if currency != amount.currency() {
            let description =
                format!("the amount is in {}; give it in {currency}, as the plan", amount.currency());
            violations.push(at("cumulative.currency_code"), "MIXED_CURRENCIES", description);
        }
        if investment.is_some_and(|investment| amount > investment) {
            let most = investment.map(|investment| investment.to_string()).unwrap_or_default();
            let description = format!("{amount} is more than the plan of {most}; correct one of them");
            violations.push(at("cumulative"), "ABOVE_PLAN", description);
        }
        if let Some((last, least)) = before {
            if day <= last {
                let description = format!("{day} is not after {last}, the step before it; steps rise");
                violations.push(at("date"), "NOT_RISING", description);
            }
            if amount < least {
                let description = format!(
                    "{amount} is less than {least}, the step before it; steps add up from the first day"
                );
                violations.push(at("cumulative"), "NOT_RISING", description);
            }
        }
        before = Some((day, amount));
    }
}

/// An adjustment of the plan of a year.
pub(crate) struct Adjust {
    pub(crate) plan: AnnualPlan,
    pub(crate) reason: String,
    /// None: today.
    pub(crate) date: Option<Date>,
}

/// Adjusts the plan of a year, or adds it.
///
/// # Errors
/// If a day is after today, or if the plans together cannot be held or are too many.
pub(crate) fn adjust(
    scope: &Scope<'_>,
    project: &Checked<Project>,
    Adjust { plan, reason, date: given }: &Adjust,
) -> Result<Vec<Change>, Rejection> {
    let today = today(scope, &project.name().parent())?;
    let mut violations = Violations::new();
    check_not_after("date", *given, today, "give the day on which it happened", &mut violations);
    let reported = date(plan.reported_date.as_ref());
    check_not_after("annual_plan.reported_date", reported, today, REPORTED, &mut violations);
    let previous = project.annual_plans.iter().position(|held| held.year == plan.year);
    let previous_plan = previous.and_then(|i| project.annual_plans.get(i)).cloned();
    let after = project.changed(scope, |project| match previous {
        Some(i) => project.annual_plans[i].clone_from(plan),
        None => project.annual_plans.push(plan.clone()),
    });
    let mut found = Violations::new();
    investment::check_plan_sums(&after, &mut found);
    violations.nest("annual_plan", found);
    violations.into_result(())?;
    if after.annual_plans.len() > limits::ANNUAL_PLANS {
        let limit = limits::ANNUAL_PLANS as u64;
        return Err(Rejection::LimitExceeded { what: "annual plans of one project", limit });
    }
    if previous_plan.as_ref() == Some(plan) {
        return Ok(Vec::new());
    }
    let payload = Payload::ProjectPlanAdjusted(ProjectPlanAdjusted {
        previous_plan,
        plan: Some(plan.clone()),
        reason: reason.clone(),
    });
    let kind = EventKind::custom("milepost.project.plan_adjusted", payload);
    let change = Change::new(scope, kind, Some(project), after)?;
    Ok(vec![change.on(Some(given.unwrap_or(today)))])
}
