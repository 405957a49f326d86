//! What is planned for a project in the year, and what it reported, in the currency of the report.
//!
//! Invariant: a period counts whole or not at all, and so does its amount.

use bytes::Bytes;
use milepost_resource::Unreadable;
use milepost_types::CurrencyCode;

use crate::tables::encoded::{Amount, Day, Plan, ReportedAmount};

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Planned {
    /// Nothing was said.
    #[default]
    Nothing,
    /// An amount in another currency.
    Elsewhere,
    /// So many billionths.
    Amount(i128),
}

impl Planned {
    fn of(amount: Option<Amount<'_>>, currency: CurrencyCode) -> Self {
        match amount {
            None => Self::Nothing,
            Some(amount) => amount.in_currency(currency).map_or(Self::Elsewhere, Self::Amount),
        }
    }
}

/// What was reported of the days that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reported {
    /// Billionths of periods that are inside.
    pub(super) nanos: i128,
    /// How many those are.
    pub(super) inside: u32,
    /// Periods that cross the first or the last of these days.
    pub(super) straddling: u32,
    /// Periods inside whose amount is in another currency.
    pub(super) elsewhere: u32,
}

impl Reported {
    /// Adds up these reports between two days, if any day counts.
    pub(super) fn of(
        reports: &[Bytes],
        days: Option<(Day, Day)>,
        currency: CurrencyCode,
    ) -> Result<Self, Unreadable> {
        let mut sum = Self::default();
        let Some((first, last)) = days else { return Ok(sum) };
        for report in reports {
            let report = ReportedAmount::read(report)?;
            if report.end < first || last < report.start {
                continue;
            }
            if report.start < first || last < report.end {
                sum.straddling += 1;
                continue;
            }
            match report.amount.in_currency(currency) {
                Some(nanos) => (sum.nanos, sum.inside) = (sum.nanos + nanos, sum.inside + 1),
                None => sum.elsewhere += 1,
            }
        }
        Ok(sum)
    }

    /// Whether there is no report of any of these days.
    pub(super) fn is_empty(&self) -> bool {
        self.inside == 0 && self.straddling == 0 && self.elsewhere == 0
    }
}

/// The plan of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Plans {
    pub(super) investment: Planned,
    pub(super) funds: Planned,
    /// What its schedule comes to by the last day that counts; none: it has no schedule.
    pub(super) scheduled: Option<i128>,
}

impl Plans {
    /// What a plan says, if there is one.
    pub(super) fn of(
        plan: Option<&Bytes>,
        days: Option<(Day, Day)>,
        currency: CurrencyCode,
    ) -> Result<Self, Unreadable> {
        let Some(plan) = plan else { return Ok(Self::default()) };
        let plan = Plan::read(plan)?;
        let is_by = |step: &&(Day, Amount<'_>)| days.is_some_and(|(_, last)| step.0 <= last);
        // Steps rise, and are in the currency of the plan.
        let last = plan.schedule.iter().rev().find(is_by).map_or(0, |(_, amount)| amount.nanos);
        Ok(Self {
            investment: Planned::of(plan.investment, currency),
            funds: Planned::of(plan.funds, currency),
            scheduled: (!plan.schedule.is_empty()).then_some(last),
        })
    }
}
