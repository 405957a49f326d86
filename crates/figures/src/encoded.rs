//! Plans and reported amounts, read from their encoded messages: a report walks over many thousands of them.
//!
//! Invariant: what is read is what the full decoder reads, of the fields that are read. Rows are trusted: what is not
//! there is zero, as in the schema.

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::wire::{self, Value};
use milepost_types::CurrencyCode;
use prost::DecodeError;

const NANOS: i128 = 1_000_000_000;

/// A civil date as one number of year, month and day, which orders as dates do; zero is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(
    /// Year, month and day as one number.
    pub u32,
);

impl Day {
    /// The date with these parts.
    const fn of(year: u64, month: u64, day: u64) -> Self {
        // Accepted dates are of the years 1 to 9999.
        Self((year * 10_000 + month * 100 + day) as u32)
    }

    /// The year.
    pub const fn year(self) -> u32 {
        self.0 / 10_000
    }

    /// The date; none if it is none.
    pub fn date(self) -> Option<Date> {
        let part = |part: u32| i8::try_from(part % 100).ok();
        Date::new(i16::try_from(self.year()).ok()?, part(self.0 / 100)?, part(self.0)?).ok()
    }

    /// Whether it is a date.
    pub const fn is_set(self) -> bool {
        self.0 != 0
    }

    /// An encoded date.
    ///
    /// # Errors
    /// If it cannot be decoded; so with all that is read here.
    pub fn read(run: &[u8]) -> Result<Self, DecodeError> {
        const YEAR: u8 = 1 << 3;
        const MONTH: u8 = 2 << 3;
        const DAY: u8 = 3 << 3;
        // Nearly all are encoded so: the fields in the order of their numbers, a year of two bytes.
        if let [YEAR, low @ 0x80..=0xff, high @ 0..=0x7f, MONTH, month @ 0..=0x7f, DAY, day @ 0..=0x7f] = *run
        {
            let year = u64::from(low & 0x7f) | u64::from(high) << 7;
            return Ok(Self::of(year, month.into(), day.into()));
        }
        let mut parts = [0; 3];
        for field in wire::fields(run) {
            if let (number @ 1..=3, Value::Number(part)) = field? {
                parts[number as usize - 1] = part;
            }
        }
        Ok(Self::of(parts[0], parts[1], parts[2]))
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        let part = |part: i16| u64::from(part.unsigned_abs());
        Self::of(part(date.year()), part(date.month().into()), part(date.day().into()))
    }
}

impl From<&gtype::Date> for Day {
    fn from(date: &gtype::Date) -> Self {
        let part = |part: i32| u64::from(part.unsigned_abs());
        Self::of(part(date.year), part(date.month), part(date.day))
    }
}

/// An amount in billionths, with the code of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// The code of its currency; zeros if that has not the length that every code has.
    pub currency: [u8; 3],
    /// Billionths of a unit.
    pub nanos: i128,
}

impl Amount {
    fn read(run: &[u8]) -> Result<Self, DecodeError> {
        let (mut currency, mut units, mut nanos) = ([0; 3], 0, 0);
        for field in wire::fields(run) {
            match field? {
                (1, Value::Run(code)) => currency = code.try_into().unwrap_or_default(),
                (2, Value::Number(number)) => units = number.cast_signed(),
                (3, Value::Number(number)) => nanos = number.cast_signed(),
                _ => {}
            }
        }
        Ok(Self { currency, nanos: i128::from(units) * NANOS + i128::from(nanos) })
    }

    /// Its billionths, if it is in this currency.
    pub fn in_currency(&self, currency: CurrencyCode) -> Option<i128> {
        (self.currency == *currency.as_str().as_bytes()).then_some(self.nanos)
    }
}

/// Completed investment, or received funds: both are encoded alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedAmount {
    /// The first day.
    pub start: Day,
    /// The last day.
    pub end: Day,
    /// How much.
    pub amount: Amount,
    /// The day of the report. None: it was not said.
    pub reported: Option<Day>,
}

impl ReportedAmount {
    /// Whether an encoded one may have a day between these two: false if its years alone say that it has none. Of the
    /// reports of many years all but a few are passed over so, without being read.
    pub fn may_touch(run: &[u8], (first, last): (Day, Day)) -> bool {
        years_of_report(run).is_none_or(|(start, end)| start <= last.year() && first.year() <= end)
    }

    /// An encoded one.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn read(run: &[u8]) -> Result<Self, DecodeError> {
        let mut report = Self { start: Day(0), end: Day(0), amount: Amount::default(), reported: None };
        for field in wire::fields(run) {
            match field? {
                (1, Value::Run(period)) => (report.start, report.end) = period_of(period)?,
                (2, Value::Run(amount)) => report.amount = Amount::read(amount)?,
                (3, Value::Run(date)) => report.reported = Some(Day::read(date)?),
                _ => {}
            }
        }
        Ok(report)
    }
}

/// The years in which the period of a report begins and ends, if it is encoded as usual: the fields in the order of
/// their numbers, years of two bytes.
fn years_of_report(run: &[u8]) -> Option<(u32, u32)> {
    const FIRST_RUN: u8 = 1 << 3 | 2;
    const SECOND_RUN: u8 = 2 << 3 | 2;
    const YEAR: u8 = 1 << 3;
    let year = |date: &[u8]| match *date {
        [YEAR, low, high, ..] if low >= 0x80 && high < 0x80 => {
            Some(u32::from(low & 0x7f) | u32::from(high) << 7)
        }
        _ => None,
    };
    let [FIRST_RUN, _, FIRST_RUN, length, dates @ ..] = run else { return None };
    let (start, rest) = dates.split_at_checked(usize::from(*length))?;
    let [SECOND_RUN, length, rest @ ..] = rest else { return None };
    let end = rest.get(..usize::from(*length))?;
    Some((year(start)?, year(end)?))
}

/// The ends of an encoded period; zero if it has none.
pub(crate) fn period_of(run: &[u8]) -> Result<(Day, Day), DecodeError> {
    let (mut start, mut end) = (Day(0), Day(0));
    for field in wire::fields(run) {
        match field? {
            (1, Value::Run(date)) => start = Day::read(date)?,
            (2, Value::Run(date)) => end = Day::read(date)?,
            _ => {}
        }
    }
    Ok((start, end))
}

/// The plan of a year.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The year.
    pub year: i64,
    /// The investment that is planned.
    pub investment: Option<Amount>,
    /// The funds that are planned.
    pub funds: Option<Amount>,
    /// What is to be completed by which day.
    pub schedule: Vec<(Day, Amount)>,
    /// The day of the report. None: it was not said.
    pub reported: Option<Day>,
}

impl Plan {
    /// The year of an encoded plan.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn year_of(run: &[u8]) -> Result<i64, DecodeError> {
        for field in wire::fields(run) {
            if let (1, Value::Number(year)) = field? {
                return Ok(year.cast_signed());
            }
        }
        Ok(0)
    }

    /// An encoded plan.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn read(run: &[u8]) -> Result<Self, DecodeError> {
        let mut plan = Self::default();
        for field in wire::fields(run) {
            match field? {
                (1, Value::Number(year)) => plan.year = year.cast_signed(),
                (2, Value::Run(amount)) => plan.investment = Some(Amount::read(amount)?),
                (4, Value::Run(step)) => plan.schedule.push(step_of(step)?),
                (5, Value::Run(amount)) => plan.funds = Some(Amount::read(amount)?),
                (6, Value::Run(date)) => plan.reported = Some(Day::read(date)?),
                _ => {}
            }
        }
        Ok(plan)
    }
}

fn step_of(run: &[u8]) -> Result<(Day, Amount), DecodeError> {
    let (mut date, mut amount) = (Day(0), Amount::default());
    for field in wire::fields(run) {
        match field? {
            (1, Value::Run(run)) => date = Day::read(run)?,
            (2, Value::Run(run)) => amount = Amount::read(run)?,
            _ => {}
        }
    }
    Ok((date, amount))
}

#[cfg(test)]
mod tests {
    use milepost_proto::google::r#type::{Date as DateMessage, Money};
    use milepost_proto::registry::v1::{AnnualPlan, CompletedInvestment, Period, PlanStep, ReceivedFunds};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn date(year: i32, month: i32, day: i32) -> Option<DateMessage> {
        Some(DateMessage { year, month, day })
    }

    fn money(units: i64, nanos: i32) -> Option<Money> {
        Some(Money { currency_code: "CNY".into(), units, nanos })
    }

    fn cny(nanos: i128) -> Amount {
        Amount { currency: *b"CNY", nanos }
    }

    #[test]
    fn a_plan_is_read_with_its_schedule() {
        let step = |month, units| PlanStep { date: date(2021, month, 28), cumulative: money(units, 0) };
        let plan = AnnualPlan {
            year: 2021,
            investment: money(7, 500_000_000),
            content: "土建".into(),
            schedule: vec![step(3, 2), step(9, 7)],
            funds: money(3, 0),
            reported_date: date(2021, 1, 5),
        };
        let run = plan.encode_to_vec();
        let read = Plan::read(&run).unwrap();
        assert_eq!((read.year, Plan::year_of(&run).unwrap()), (2021, 2021));
        assert_eq!((read.investment, read.funds), (Some(cny(7_500_000_000)), Some(cny(3_000_000_000))));
        let steps = [(Day(20_210_328), cny(2_000_000_000)), (Day(20_210_928), cny(7_000_000_000))];
        assert_eq!((&read.schedule[..], read.reported), (&steps[..], Some(Day(20_210_105))));
        assert_eq!(Plan::read(&[]).unwrap(), Plan::default());
    }

    proptest! {
        #[test]
        fn a_report_is_read_as_it_was_written(
            start in (1..10_000i32, 1..13, 1..29), end in (1..10_000i32, 1..13, 1..29),
            units in any::<i64>(), nanos in 0..1_000_000_000i32, is_reported in any::<bool>(),
        ) {
            let nanos = if units < 0 { -nanos } else { nanos };
            let (first, last) = (date(start.0, start.1, start.2), date(end.0, end.1, end.2));
            let period = Some(Period { start_date: first, end_date: last });
            let reported_date = if is_reported { last } else { None };
            let completed = CompletedInvestment { period, amount: money(units, nanos), reported_date };
            let run = completed.encode_to_vec();
            let read = ReportedAmount::read(&run).unwrap();
            let day = |date: Option<DateMessage>| date.as_ref().map(Day::from);
            prop_assert_eq!((Some(read.start), Some(read.end)), (day(first), day(last)));
            prop_assert_eq!(read.amount, cny(i128::from(units) * NANOS + i128::from(nanos)));
            let years = (read.start.year(), read.end.year());
            prop_assert!(years_of_report(&run).is_none_or(|read| read == years));
            prop_assert_eq!(years_of_report(&run).is_some(), years.0.min(years.1) >= 128);
            let of_years = |first, last| ReportedAmount::may_touch(&run, (Day::of(first, 6, 1), Day::of(last, 6, 30)));
            prop_assert!(of_years(u64::from(years.0), u64::from(years.0)) || years.1 < years.0);
            prop_assert!(of_years(10_000, 10_000) == (years.0.min(years.1) < 128));
            prop_assert_eq!(read.reported, day(reported_date));
            let received = ReceivedFunds { period, amount: money(units, nanos), reported_date };
            prop_assert_eq!(received.encode_to_vec(), run, "both are encoded alike");
        }
    }
}
