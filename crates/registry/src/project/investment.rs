//! What a project costs: by use, by source, by year, and what was completed.
//!
//! Invariant: amounts are exact and never negative; the amounts of a list, added up per currency, can
//! be held. Sums are never stored: they are what the list says.

use std::collections::BTreeSet;

use milepost_proto::google::r#type::Money as MoneyMessage;
use milepost_proto::registry::v1::Project;
use milepost_resource::money;
use milepost_types::{Fault, MoneySums, Violations};

/// Finds what is wrong between a project's amounts.
pub(super) fn check(project: &Project, violations: &mut Violations) {
    check_breakdown(project, violations);
    let mut years = BTreeSet::new();
    for (i, plan) in project.annual_plans.iter().enumerate() {
        if !years.insert(plan.year) {
            violations.push(format!("annual_plans[{i}].year"), "DUPLICATE", "a year has one plan");
        }
    }
    let Project { breakdown, funding, annual_plans, completed_investments, .. } = project;
    check_sum("breakdown", breakdown.iter().map(|item| item.amount.as_ref()), violations);
    check_sum("funding", funding.iter().map(|source| source.amount.as_ref()), violations);
    check_sum("annual_plans", annual_plans.iter().map(|plan| plan.investment.as_ref()), violations);
    let completed = completed_investments.iter().map(|completed| completed.amount.as_ref());
    check_sum("completed_investments", completed, violations);
}

/// The breakdown is in the currency of the investment; without one, in any one currency.
fn check_breakdown(project: &Project, violations: &mut Violations) {
    let currency = |money: &Option<MoneyMessage>| money.as_ref().map(|money| money.currency_code.clone());
    let amounts = || project.breakdown.iter().map(|item| currency(&item.amount).unwrap_or_default());
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

fn check_sum<'a>(
    field: &str,
    amounts: impl Iterator<Item = Option<&'a MoneyMessage>>,
    violations: &mut Violations,
) {
    let mut sums = MoneySums::new();
    amounts.filter_map(money).for_each(|amount| sums.add(&amount));
    if let Err(error) = sums.totals() {
        let description = format!("the amounts of {field} together: {error}");
        violations.push(field, error.reason(), description);
    }
}
