//! A working calendar: which days are worked, and counting by them.
//!
//! A calendar is a weekly pattern with exceptions: holidays, which are not worked although their
//! weekday is, and make-up days, which are worked although their weekday is not (in China the
//! weekends around long holidays).
//!
//! # The counting rule
//! The working days between two dates are those in `(from, to]`: the first date is not counted, the
//! last one is if it is worked. So from a Friday to the Monday after is one working day, from a Friday to
//! the Saturday after is none, and from a date to itself is none. The other way round the number is the
//! same and negative. It follows that distances add up: `a` to `b` plus `b` to `c` is `a` to `c`.
//!
//! Invariant: counting is exact for every pair of dates and takes time logarithmic in the number of
//! exceptions, however far apart the dates are. Exceptions that say what the weekly pattern says
//! anyway are not kept.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::weekdays::Weekdays;

/// The day that days are numbered from: a Monday.
const EPOCH: Date = Date::constant(1, 1, 1);
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The first and the last day that a calculation may end on, as numbers.
const FIRST_DAY: i32 = 0;
const LAST_DAY: i32 = 3_652_058;

/// Which days are worked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    weekdays: Weekdays,
    /// Days that are not as their weekday says, in order, each with the sum of what it and those
    /// before it add to the count: a make-up day one, a holiday minus one.
    exceptions: Box<[(i32, i32)]>,
}

impl Calendar {
    /// The calendar with this weekly pattern and these exceptions. A day given twice counts once; one
    /// that is a holiday and a make-up day is a holiday.
    pub fn new(
        weekdays: Weekdays,
        holidays: impl IntoIterator<Item = Date>,
        make_up_days: impl IntoIterator<Item = Date>,
    ) -> Self {
        let mut days = BTreeMap::new();
        for date in make_up_days {
            if !weekdays.contains(date.weekday()) {
                days.insert(number(date), 1);
            }
        }
        for date in holidays {
            if weekdays.contains(date.weekday()) {
                days.insert(number(date), -1);
            } else {
                days.remove(&number(date));
            }
        }
        let mut sum = 0;
        let exceptions = days.into_iter().map(|(day, change)| {
            sum += change;
            (day, sum)
        });
        Self { weekdays, exceptions: exceptions.collect() }
    }

    /// Whether the day is worked.
    pub fn is_working_day(&self, date: Date) -> bool {
        let day = number(date);
        self.count_through(day) > self.count_through(day - 1)
    }

    /// The number of working days in `(from, to]`; if `to` is before `from`, minus the number of those
    /// in `(to, from]`.
    pub fn working_days_between(&self, from: Date, to: Date) -> i32 {
        if from == to { 0 } else { self.count_through(number(to)) - self.count_through(number(from)) }
    }

    /// For a positive number the date of that working day after `date`, for a negative one of that
    /// working day before it, and `date` itself, worked or not, for zero.
    ///
    /// `None` if there is no such day in the years 1 to 9999.
    pub fn add_working_days(&self, date: Date, days: i32) -> Option<Date> {
        let day = number(date);
        if days == 0 {
            return Some(date);
        }
        // The count steps up by one at each working day, so the day looked for is where it first
        // reaches a value; counted from the day before, if the day itself does not count.
        let before = self.count_through(if days > 0 { day } else { day - 1 });
        let wanted = before.checked_add(if days > 0 { days } else { days + 1 })?;
        let (mut low, mut high) = if days > 0 { (day + 1, LAST_DAY) } else { (FIRST_DAY, day - 1) };
        if low > high || self.count_through(high) < wanted || self.count_through(low - 1) >= wanted {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.count_through(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        EPOCH.checked_add(low.days()).ok()
    }

    /// The number of working days from the epoch to this day, both included; beyond the epoch it counts
    /// down.
    fn count_through(&self, day: i32) -> i32 {
        let (weeks, rest) = ((day + 1).div_euclid(7), (day + 1).rem_euclid(7));
        let regular = weeks * self.weekdays.count() + self.weekdays.count_first(rest);
        match self.exceptions.partition_point(|(other, _)| *other <= day) {
            0 => regular,
            past => regular + self.exceptions[past - 1].1,
        }
    }
}

/// The number of a date: days since the epoch.
fn number(date: Date) -> i32 {
    (date.duration_since(EPOCH).as_secs() / DAY_SECONDS) as i32
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// The May holidays of 2021 in China: 1 to 5 May, worked on Sunday 25 April and Saturday 8 May.
    fn china() -> Calendar {
        let holidays = (1..=5).map(|day| date(2021, 5, day));
        Calendar::new(Weekdays::default(), holidays, [date(2021, 4, 25), date(2021, 5, 8)])
    }

    #[test]
    fn the_first_day_is_not_counted_and_the_last_is_if_it_is_worked() {
        let calendar = Calendar::default();
        let (friday, saturday, monday) = (date(2021, 5, 21), date(2021, 5, 22), date(2021, 5, 24));
        assert_eq!(calendar.working_days_between(friday, monday), 1);
        assert_eq!(calendar.working_days_between(friday, saturday), 0);
        assert_eq!(calendar.working_days_between(saturday, monday), 1);
        assert_eq!(calendar.working_days_between(monday, friday), -1);
        assert_eq!(calendar.working_days_between(monday, monday), 0);
    }

    #[test]
    fn holidays_and_make_up_days_count_as_they_are_worked() {
        let calendar = china();
        assert!(calendar.is_working_day(date(2021, 4, 25)) && calendar.is_working_day(date(2021, 5, 8)));
        assert!(!calendar.is_working_day(date(2021, 5, 3)) && !calendar.is_working_day(date(2021, 5, 1)));
        assert_eq!(calendar.working_days_between(date(2021, 4, 30), date(2021, 5, 8)), 3);
        assert_eq!(calendar.add_working_days(date(2021, 4, 30), 3), Some(date(2021, 5, 8)));
        assert_eq!(calendar.add_working_days(date(2021, 4, 30), 1), Some(date(2021, 5, 6)));
        assert_eq!(calendar.add_working_days(date(2021, 5, 6), -1), Some(date(2021, 4, 30)));
        assert_eq!(calendar.add_working_days(date(2021, 5, 1), 0), Some(date(2021, 5, 1)));
    }

    #[test]
    fn a_day_given_twice_counts_once_and_a_holiday_wins() {
        let saturday = date(2021, 5, 8);
        let twice = Calendar::new(Weekdays::default(), [], [saturday, saturday]);
        assert_eq!(twice, Calendar::new(Weekdays::default(), [], [saturday]));
        let both = Calendar::new(Weekdays::default(), [saturday], [saturday]);
        assert_eq!(both, Calendar::default());
    }

    #[test]
    fn there_is_no_day_beyond_the_years_or_where_nothing_is_worked() {
        let calendar = Calendar::default();
        assert_eq!(calendar.add_working_days(date(9999, 12, 30), 1), Some(date(9999, 12, 31)));
        assert_eq!(calendar.add_working_days(date(9999, 12, 31), 1), None);
        assert_eq!(calendar.add_working_days(date(1, 1, 2), -1), Some(date(1, 1, 1)));
        assert_eq!(calendar.add_working_days(date(1, 1, 1), -1), None);
        assert_eq!(calendar.add_working_days(date(2021, 1, 1), i32::MAX), None);
        assert_eq!(calendar.add_working_days(date(2021, 1, 1), i32::MIN), None);
        let never = Calendar::new(Weekdays::from_numbers([]).unwrap(), [], [date(2021, 5, 8)]);
        assert_eq!(never.add_working_days(date(2021, 1, 1), 1), Some(date(2021, 5, 8)));
        assert_eq!(never.add_working_days(date(2021, 1, 1), 2), None);
        assert_eq!(never.add_working_days(date(2021, 5, 8), -1), None);
        assert_eq!(never.working_days_between(date(1, 1, 1), date(9999, 12, 31)), 1);
    }

    /// A calendar and the sets that it was made of.
    fn calendars() -> impl Strategy<Value = (u8, Vec<Date>, Vec<Date>)> {
        (0u8..128, proptest::collection::vec(days(), 0..40), proptest::collection::vec(days(), 0..40))
    }

    fn days() -> impl Strategy<Value = Date> {
        (-120i64..120).prop_map(|day| date(2021, 5, 27).saturating_add(day.days()))
    }

    fn build(mask: u8, holidays: &[Date], make_up: &[Date]) -> Calendar {
        let weekdays = Weekdays::from_numbers((1..=7).filter(|day| mask >> (day - 1) & 1 == 1)).unwrap();
        Calendar::new(weekdays, holidays.iter().copied(), make_up.iter().copied())
    }

    /// The same said day by day.
    fn worked(mask: u8, holidays: &[Date], make_up: &[Date], day: Date) -> bool {
        let regular = mask >> day.weekday().to_monday_zero_offset() & 1 == 1;
        !holidays.contains(&day) && (regular || make_up.contains(&day))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn counting_is_the_same_as_day_by_day((mask, holidays, make_up) in calendars(), a in days(), b in days()) {
            let calendar = build(mask, &holidays, &make_up);
            let (first, last) = (a.min(b), a.max(b));
            let mut counted = 0;
            let mut day = first;
            while day < last {
                day = day.tomorrow().unwrap();
                counted += i32::from(worked(mask, &holidays, &make_up, day));
            }
            prop_assert_eq!(calendar.working_days_between(first, last), counted);
            prop_assert_eq!(calendar.working_days_between(last, first), -counted);
            prop_assert_eq!(calendar.is_working_day(a), worked(mask, &holidays, &make_up, a));
        }

        #[test]
        fn distances_add_up((mask, holidays, make_up) in calendars(), a in days(), b in days(), c in days()) {
            let calendar = build(mask, &holidays, &make_up);
            let sum = calendar.working_days_between(a, b) + calendar.working_days_between(b, c);
            prop_assert_eq!(sum, calendar.working_days_between(a, c));
        }

        #[test]
        fn adding_is_the_same_as_walking((mask, holidays, make_up) in calendars(), from in days(), steps in -30i32..30) {
            let calendar = build(mask | 1, &holidays, &make_up);
            let mut day = from;
            let mut left = steps.abs();
            while left > 0 {
                day = if steps > 0 { day.tomorrow() } else { day.yesterday() }.unwrap();
                left -= i32::from(worked(mask | 1, &holidays, &make_up, day));
            }
            prop_assert_eq!(calendar.add_working_days(from, steps), Some(day));
            if steps > 0 {
                prop_assert_eq!(calendar.working_days_between(from, day), steps);
            }
        }
    }
}
