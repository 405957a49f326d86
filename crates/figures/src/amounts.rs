//! What is planned for a project in the year, and what it reported, in one currency.
//!
//! Invariant: a period counts whole or not at all, and so does its amount; of periods with a day in common one counts.

use milepost_types::CurrencyCode;

use crate::encoded::{Amount, Day, Plan, ReportedAmount};

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planned {
    /// Nothing was said.
    #[default]
    Nothing,
    /// An amount in another currency.
    Elsewhere,
    /// So many billionths.
    Amount(i128),
}

impl Planned {
    fn of(amount: Option<Amount>, currency: CurrencyCode) -> Self {
        match amount {
            None => Self::Nothing,
            Some(amount) => amount.in_currency(currency).map_or(Self::Elsewhere, Self::Amount),
        }
    }
}

/// What was reported of the days that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// Billionths of periods that are inside.
    pub nanos: i128,
    /// How many those are.
    pub inside: u32,
    /// The last day of the last of those; none: there are none.
    pub until: Day,
    /// Periods that cross the first or the last of these days.
    pub straddling: u32,
    /// Periods inside whose amount is in another currency.
    pub elsewhere: u32,
    /// Periods that begin before another one has ended, which earlier versions let be.
    pub overlapping: u32,
}

impl Reported {
    /// Adds up these reports between two days, if any day counts.
    pub fn of(reports: &[ReportedAmount], days: Option<(Day, Day)>, currency: CurrencyCode) -> Self {
        let mut sum = Self::default();
        let Some((first, last)) = days else { return sum };
        let by_days = |report: &ReportedAmount| (report.start, report.end);
        // Most are said in their order.
        let mut sorted = Vec::new();
        let reports = if reports.is_sorted_by_key(by_days) {
            reports
        } else {
            sorted.extend_from_slice(reports);
            sorted.sort_by_key(by_days);
            &sorted
        };
        let mut until = None;
        for report in reports {
            let overlaps = until.is_some_and(|until| report.start <= until);
            until = until.max(Some(report.end));
            if report.end < first || last < report.start {
                continue;
            }
            if overlaps {
                sum.overlapping += 1;
                continue;
            }
            if report.start < first || last < report.end {
                sum.straddling += 1;
                continue;
            }
            match report.amount.in_currency(currency) {
                Some(nanos) => {
                    (sum.nanos, sum.inside) = (sum.nanos + nanos, sum.inside + 1);
                    sum.until = sum.until.max(report.end);
                }
                None => sum.elsewhere += 1,
            }
        }
        sum
    }

    /// Whether there is no report of any of these days.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The plan of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plans {
    /// The investment.
    pub investment: Planned,
    /// The funds.
    pub funds: Planned,
    /// What its schedule comes to by the last day that counts; none: it has no schedule.
    pub scheduled: Option<i128>,
}

impl Plans {
    /// What a plan says, if there is one.
    pub fn of(plan: Option<&Plan>, days: Option<(Day, Day)>, currency: CurrencyCode) -> Self {
        let Some(plan) = plan else { return Self::default() };
        let is_by = |step: &&(Day, Amount)| days.is_some_and(|(_, last)| step.0 <= last);
        // Steps rise, and are in the currency of the plan.
        let last = plan.schedule.iter().rev().find(is_by).map_or(0, |(_, amount)| amount.nanos);
        Self {
            investment: Planned::of(plan.investment, currency),
            funds: Planned::of(plan.funds, currency),
            scheduled: (!plan.schedule.is_empty()).then_some(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::google::r#type::{Date, Money};
    use milepost_proto::registry::v1::{CompletedInvestment, Period};
    use prost::Message;

    use super::*;

    fn date(text: &str) -> Option<Date> {
        let mut parts = text.split('-').map(|part| part.parse().unwrap());
        let mut next = || parts.next().unwrap();
        Some(Date { year: next(), month: next(), day: next() })
    }

    /// Before it was refused, periods of a project could have days in common.
    #[test]
    fn of_reports_with_a_day_in_common_one_counts_and_the_other_is_missing() {
        let report = |start, end, units| {
            let amount = Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
            let period = Some(Period { start_date: date(start), end_date: date(end) });
            let report = CompletedInvestment { period, amount, reported_date: None };
            ReportedAmount::read(&report.encode_to_vec()).unwrap()
        };
        let reports = [
            report("2021-04-01", "2021-09-30", 100),
            report("2021-01-01", "2021-06-30", 100),
            report("2021-10-01", "2021-10-31", 1),
        ];
        let days = Some((Day(20_210_101), Day(20_211_231)));
        let currency = CurrencyCode::stored("CNY").unwrap();
        let sum = Reported::of(&reports, days, currency);
        let until = Day(20_211_031);
        let expected =
            Reported { nanos: 101_000_000_000, inside: 2, until, overlapping: 1, ..Reported::default() };
        assert_eq!(sum, expected);
    }
}
