//! What was added up, as figures.
//!
//! Invariant: every figure is rounded once, from its exact quotient. What cannot be held is refused.

use milepost_figures::{Window, fraction};
use milepost_proto::figure::v1::Figure;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::Statistics;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_types::{CurrencyCode, Fraction, Rejection};

use super::tally::{Flow, Missing, Share, Tally};

const NANOS: i128 = 1_000_000_000;
/// Percent and points.
const PERCENT: u32 = 100;
/// Digits after the point of percent and points.
const PLACES: u32 = 1;

/// How figures are written.
pub(super) struct Writer<'a> {
    /// The name of the portfolio.
    pub(super) portfolio: &'a str,
    pub(super) currency: CurrencyCode,
    pub(super) window: Window,
    pub(super) time_basis: TimeBasis,
}

impl Writer<'_> {
    /// The figures of a tally.
    pub(super) fn statistics(&self, tally: Tally) -> Result<Statistics, Rejection> {
        let Tally { listed, split, start, completion, enrolment, investment, funds, schedule } = tally;
        let money = |what, nanos| self.money(what, nanos).map(Some);
        let mut statistics = Statistics {
            listed_count: listed,
            split_count: split,
            planned_investment: money("plans", investment.planned)?,
            completed_investment: money("completed investments", investment.reported)?,
            unplanned_investment: money("completed investments without a plan", investment.unplanned)?,
            planned_funds: money("planned funds", funds.planned)?,
            received_funds: money("received funds", funds.reported)?,
            unplanned_funds: money("received funds without a plan", funds.unplanned)?,
            ..Statistics::default()
        };
        let rate = self.quotient(investment.reported, investment.planned)?;
        let schedule_nanos = schedule.nanos;
        let (time, progress) = match self.time_basis {
            TimeBasis::Schedule => {
                let quotient = self.quotient(schedule.nanos, investment.planned)?;
                let quotient = quotient.filter(|_| schedule.missing.count == 0);
                let parts = [decimal(schedule.nanos), decimal(investment.planned)];
                (quotient, figure(quotient, parts, schedule.counted, schedule.missing))
            }
            TimeBasis::Days => self.of_year(self.window.passed()),
            TimeBasis::Unspecified | TimeBasis::Months => self.of_year(self.window.months()),
        };
        let ahead = self.difference(rate, time, investment.reported - schedule_nanos, investment.planned)?;
        statistics.ahead = Some(of_ahead(ahead, &investment, &progress));
        statistics.time_progress = Some(progress);
        statistics.investment_rate = Some(of_flow(rate, investment));
        let rate = self.quotient(funds.reported, funds.planned)?;
        statistics.funds_rate = Some(of_flow(rate, funds));
        statistics.start_rate = Some(of_share(start));
        statistics.completion_rate = Some(of_share(completion));
        statistics.enrolment_rate = Some(of_share(enrolment));
        Ok(statistics)
    }

    fn of_year(&self, parts: (i32, i32)) -> (Option<Fraction>, Figure) {
        let quotient = fraction(parts);
        let texts = [parts.0.to_string(), parts.1.to_string()];
        (quotient, figure(quotient, texts, parts.1, Missing::default()))
    }

    /// How far a rate is ahead of time: by schedules, that are shares of the same plans, it is so much of so much.
    fn difference(
        &self,
        rate: Option<Fraction>,
        time: Option<Fraction>,
        ahead: i128,
        planned: i128,
    ) -> Result<Option<Fraction>, Rejection> {
        let (Some(rate), Some(time)) = (rate, time) else { return Ok(None) };
        if self.time_basis == TimeBasis::Schedule {
            return self.quotient(ahead, planned);
        }
        let what = "the investment rate and the time progress";
        rate.checked_sub(time).map(Some).ok_or_else(|| self.overflow(what))
    }

    fn quotient(&self, numerator: i128, denominator: i128) -> Result<Option<Fraction>, Rejection> {
        if denominator == 0 {
            return Ok(None);
        }
        Fraction::new(numerator, denominator).map(Some).ok_or_else(|| self.overflow("the amounts"))
    }

    fn money(&self, what: &str, nanos: i128) -> Result<Money, Rejection> {
        let units = i64::try_from(nanos / NANOS).ok();
        let units = units.ok_or_else(|| self.overflow(&format!("the {what} of these projects together")))?;
        let nanos = i32::try_from(nanos % NANOS).unwrap_or_default();
        Ok(Money { currency_code: self.currency.to_string(), units, nanos })
    }

    fn overflow(&self, what: &str) -> Rejection {
        let description = format!(
            "{what} are beyond what can be held; correct the largest amount, or leave it out by a filter"
        );
        Rejection::precondition("MONEY_OVERFLOW", self.portfolio, description)
    }
}

fn of_ahead(ahead: Option<Fraction>, investment: &Flow, progress: &Figure) -> Figure {
    let parts = ahead.map_or_else(Default::default, |ahead| {
        [ahead.numerator().to_string(), ahead.denominator().to_string()]
    });
    let Missing { count, is_above, is_open, .. } = investment.missing;
    // They are named where they are missing.
    let count = count.saturating_add(progress.missing_count);
    figure(ahead, parts, investment.counted, Missing { count, is_above, is_open, ..Missing::default() })
}

fn of_flow(rate: Option<Fraction>, flow: Flow) -> Figure {
    figure(rate, [decimal(flow.reported), decimal(flow.planned)], flow.counted, flow.missing)
}

fn of_share(share: Share) -> Figure {
    let Share { part, whole, missing } = share;
    figure(fraction((part, whole)), [part.to_string(), whole.to_string()], whole, missing)
}

fn figure(
    quotient: Option<Fraction>,
    [numerator, denominator]: [String; 2],
    counted: i32,
    missing: Missing,
) -> Figure {
    Figure {
        value: quotient.map(|quotient| quotient.rounded(PERCENT, PLACES)),
        numerator,
        denominator,
        counted,
        lower_bound: missing.is_lower_bound() && quotient.is_some(),
        missing: missing.named,
        missing_count: missing.count,
    }
}

/// The shortest decimal number of so many billionths.
fn decimal(nanos: i128) -> String {
    let (units, places) = (nanos / NANOS, (nanos % NANOS).unsigned_abs());
    if places == 0 {
        return units.to_string();
    }
    let sign = if nanos < 0 && units == 0 { "-" } else { "" };
    format!("{sign}{units}.{}", format!("{places:09}").trim_end_matches('0'))
}
