//! What a project costs: by use, by source, by year, and what was completed.
//!
//! Invariant: amounts are exact and never negative; the amounts of a list, added up per currency, can
//! be held. Sums are never stored: they are what the list says.

use milepost_types::{CurrencyCode, Fault, Money, MoneySums, OrganizationName, Period, Violations};

use super::Details;

/// A part of the investment by use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InvestmentItem {
    pub(crate) category: String,
    pub(crate) amount: Money,
}

/// A part of the investment by source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FundingSource {
    pub(crate) source: String,
    pub(crate) organization: Option<OrganizationName>,
    /// `None`: not said, which is not zero.
    pub(crate) amount: Option<Money>,
}

/// What a year is to bring.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnnualPlan {
    pub(crate) year: i16,
    /// `None`: not said.
    pub(crate) investment: Option<Money>,
    pub(crate) content: String,
}

/// Investment completed in a period whose ends are both known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CompletedInvestment {
    pub(crate) period: Period,
    pub(crate) amount: Money,
}

/// The rules between a project's amounts.
pub(super) fn rules(details: &Details, violations: &mut Violations) {
    check_breakdown(details, violations);
    let mut years = std::collections::BTreeSet::new();
    for (i, plan) in details.annual_plans.iter().enumerate() {
        if !years.insert(plan.year) {
            violations.push(format!("annual_plans[{i}].year"), "DUPLICATE", "a year has one plan");
        }
    }
    check_sum("breakdown", details.breakdown.iter().map(|item| &item.amount), violations);
    check_sum("funding", details.funding.iter().filter_map(|source| source.amount.as_ref()), violations);
    check_sum(
        "annual_plans",
        details.annual_plans.iter().filter_map(|plan| plan.investment.as_ref()),
        violations,
    );
    check_sum(
        "completed_investments",
        details.completed_investments.iter().map(|completed| &completed.amount),
        violations,
    );
}

/// The breakdown is in the currency of the investment; without one, in any one currency.
fn check_breakdown(details: &Details, violations: &mut Violations) {
    let amounts = || details.breakdown.iter().map(|item| item.amount.currency());
    let Some(currency) = details.investment.as_ref().map(Money::currency).or_else(|| amounts().next()) else {
        return;
    };
    for (i, other) in amounts().enumerate().filter(|(_, other)| *other != currency) {
        violations.push(
            format!("breakdown[{i}].amount.currency_code"),
            "MIXED_CURRENCIES",
            mixed(other, currency),
        );
    }
}

fn mixed(given: CurrencyCode, wanted: CurrencyCode) -> String {
    format!(
        "the amount is in {given}; the breakdown is of an investment in {wanted}, give it in that currency"
    )
}

fn check_sum<'a>(field: &str, amounts: impl Iterator<Item = &'a Money>, violations: &mut Violations) {
    let mut sums = MoneySums::new();
    amounts.for_each(|amount| sums.add(amount));
    if let Err(error) = sums.totals() {
        let description = format!("the amounts of {field} together: {error}");
        violations.push(field, error.reason(), description);
    }
}
