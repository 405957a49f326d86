//! The periods that a policy evaluates.
//!
//! Invariant: the periods of a policy follow one another; each is known by its last day. One of given dates does not
//! begin before the year in which it ends: plans are of years.

use jiff::ToSpan;
use jiff::civil::Date;

/// A period: its first and its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: Date,
    pub(crate) end: Date,
}

/// How long periods are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Periods {
    Months,
    Quarters,
    /// Those that end on these days, which rise.
    EndingOn(Vec<Date>),
}

impl Periods {
    /// The first period that ends on a day or later; none if there is none.
    pub(crate) fn ending_from(&self, day: Date) -> Option<Period> {
        let end = match self {
            Self::Months => day.last_of_month(),
            Self::Quarters => {
                let left = (3 - day.month() % 3) % 3;
                day.first_of_month().checked_add(left.months()).ok()?.last_of_month()
            }
            Self::EndingOn(days) => *days.iter().find(|end| **end >= day)?,
        };
        self.ending_on(end)
    }

    /// The period that ends on a day, if one does.
    pub(crate) fn ending_on(&self, end: Date) -> Option<Period> {
        let start = match self {
            Self::Months => end.first_of_month(),
            Self::Quarters => end.first_of_month().checked_sub(2.months()).ok()?,
            Self::EndingOn(days) => {
                let place = days.iter().position(|day| *day == end)?;
                let before = place.checked_sub(1).and_then(|before| days.get(before));
                let start = before.and_then(|before| before.tomorrow().ok());
                start.map_or(end.first_of_year(), |start| start.max(end.first_of_year()))
            }
        };
        let ends = match self {
            Self::Months => end == end.last_of_month(),
            Self::Quarters => end == end.last_of_month() && end.month() % 3 == 0,
            Self::EndingOn(_) => true,
        };
        ends.then_some(Period { start, end })
    }

    /// The period after the one that ends on a day; none if there is none.
    pub(crate) fn after(&self, end: Date) -> Option<Period> {
        self.ending_from(end.tomorrow().ok()?)
    }

    /// The periods that end from one day to another, the earliest first.
    pub(crate) fn between(&self, from: Date, to: Date) -> impl Iterator<Item = Period> {
        let first = self.ending_from(from);
        std::iter::successors(first, |period| self.after(period.end))
            .take_while(move |period| period.end <= to)
    }

    /// From which day on no more than `most` periods end by another day, if more do from a first one on.
    pub(crate) fn first_of(&self, most: usize, from: Date, to: Date) -> Option<Date> {
        let ends: Vec<_> = self.between(from, to).map(|period| period.end).collect();
        let last_too_many = ends.len().checked_sub(most + 1).and_then(|place| ends.get(place))?;
        last_too_many.tomorrow().ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn ends(periods: &Periods, from: Date, to: Date) -> Vec<(Date, Date)> {
        periods.between(from, to).map(|period| (period.start, period.end)).collect()
    }

    #[test]
    fn months_and_quarters_end_with_their_last_day() {
        let found = ends(&Periods::Months, date(2021, 1, 31), date(2021, 3, 30));
        assert_eq!(found, [(date(2021, 1, 1), date(2021, 1, 31)), (date(2021, 2, 1), date(2021, 2, 28)),]);
        let found = ends(&Periods::Quarters, date(2020, 12, 1), date(2021, 6, 30));
        assert_eq!(
            found,
            [
                (date(2020, 10, 1), date(2020, 12, 31)),
                (date(2021, 1, 1), date(2021, 3, 31)),
                (date(2021, 4, 1), date(2021, 6, 30)),
            ]
        );
        for (day, end) in [(date(2021, 7, 1), date(2021, 9, 30)), (date(2021, 9, 30), date(2021, 9, 30))] {
            assert_eq!(Periods::Quarters.ending_from(day).unwrap().end, end, "{day}");
        }
        assert_eq!(Periods::Months.ending_on(date(2021, 2, 27)), None);
        assert_eq!(Periods::Quarters.ending_on(date(2021, 2, 28)), None);
        assert_eq!(Periods::Months.ending_on(date(2020, 2, 28)), None, "a leap year");
    }

    #[test]
    fn given_dates_follow_one_another_and_begin_with_their_year() {
        let days = [date(2020, 10, 31), date(2021, 3, 15), date(2021, 10, 31)];
        let periods = Periods::EndingOn(days.to_vec());
        assert_eq!(
            ends(&periods, Date::MIN, Date::MAX),
            [
                (date(2020, 1, 1), date(2020, 10, 31)),
                (date(2021, 1, 1), date(2021, 3, 15)),
                (date(2021, 3, 16), date(2021, 10, 31)),
            ]
        );
        assert_eq!(periods.after(date(2021, 10, 31)), None);
        assert_eq!(periods.ending_on(date(2021, 10, 30)), None);
    }

    #[test]
    fn where_too_many_end_it_is_known_from_which_day_on_they_do_not() {
        let first = |periods: &Periods, from| periods.first_of(60, from, date(2021, 10, 31));
        assert_eq!(first(&Periods::Months, date(2016, 11, 1)), None);
        assert_eq!(first(&Periods::Months, date(2016, 10, 31)), Some(date(2016, 11, 1)));
        assert_eq!(first(&Periods::Months, Date::MIN), Some(date(2016, 11, 1)));
        assert_eq!(first(&Periods::Quarters, Date::MIN), Some(date(2006, 10, 1)));
        assert_eq!(first(&Periods::EndingOn(vec![date(2021, 10, 31)]), Date::MIN), None);
    }

    #[test]
    fn the_last_days_that_there_are_end_no_process() {
        for periods in [Periods::Months, Periods::Quarters] {
            assert_eq!(periods.ending_from(Date::MAX).unwrap().end, Date::MAX);
            assert_eq!(periods.after(Date::MAX), None);
        }
    }
}
