//! The year of a report: which of its days count, and how far it has come.
//!
//! Invariant: nothing of a day after the report's day counts; the day itself does.

use jiff::civil::{Date, date};
use milepost_types::Fraction;

use crate::encoded::Day;

/// A year up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day of the year.
    first: Date,
    /// The last day that counts, if one does: of the year, and not after the report's day.
    last: Option<Date>,
}

impl Window {
    /// A year, up to a day before it, in it, or after it.
    pub fn new(year: i32, day: Date) -> Self {
        // Years are of four digits: they were checked.
        let year = i16::try_from(year).unwrap_or(i16::MAX).min(Date::MAX.year());
        let (first, end) = (date(year, 1, 1), date(year, 12, 31));
        Self { first, last: (day >= first).then(|| day.min(end)) }
    }

    /// The first day and the last day that counts; none if no day does.
    pub fn days(&self) -> Option<(Day, Day)> {
        Some((self.first.into(), self.last?.into()))
    }

    /// The months that have ended, of 12.
    pub fn months(&self) -> (i32, i32) {
        let ended = self.last.map_or(0, |last| {
            let is_end = last == last.last_of_month();
            i32::from(last.month()) - i32::from(!is_end)
        });
        (ended, 12)
    }

    /// The days that have passed, of all of the year.
    pub fn passed(&self) -> (i32, i32) {
        let passed = self.last.map_or(0, |last| i32::from(last.day_of_year()));
        (passed, i32::from(self.first.days_in_year()))
    }
}

/// `part / whole` as a fraction; `None` if `whole` is 0.
pub fn fraction((part, whole): (i32, i32)) -> Option<Fraction> {
    Fraction::new(part.into(), whole.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(year: i32, day: &str) -> Window {
        Window::new(year, day.parse().unwrap())
    }

    /// office.md, section 1, time-progress: MONTHS ended ÷ 12.
    #[test]
    fn a_month_has_ended_on_its_last_day() {
        for (day, ended) in [
            ("2020-12-31", 0),
            ("2021-01-01", 0),
            ("2021-01-30", 0),
            ("2021-01-31", 1),
            ("2021-02-27", 1),
            ("2021-02-28", 2),
            ("2021-10-31", 10),
            ("2021-12-30", 11),
            ("2021-12-31", 12),
            ("2022-05-01", 12),
        ] {
            assert_eq!(window(2021, day).months(), (ended, 12), "{day}");
        }
        assert_eq!(window(2020, "2020-02-28").months().0, 1, "a leap year");
        assert_eq!(window(2020, "2020-02-29").months().0, 2, "a leap year");
    }

    /// office.md, section 1, time-progress: DAYS.
    #[test]
    fn days_are_those_of_the_year_and_none_before_it() {
        for (year, day, passed) in [
            (2021, "2020-12-31", (0, 365)),
            (2021, "2021-01-01", (1, 365)),
            (2021, "2021-03-01", (60, 365)),
            (2020, "2020-03-01", (61, 366)),
            (2020, "2020-12-31", (366, 366)),
            (2020, "2021-06-30", (366, 366)),
            (1900, "1900-12-31", (365, 365)),
            (2000, "2000-12-31", (366, 366)),
        ] {
            assert_eq!(window(year, day).passed(), passed, "{year} on {day}");
        }
    }

    #[test]
    fn what_counts_ends_with_the_day_or_with_the_year() {
        let days = |year, day| window(year, day).days().map(|(first, last)| (first.0, last.0));
        assert_eq!(days(2021, "2021-10-31"), Some((20_210_101, 20_211_031)));
        assert_eq!(days(2021, "2022-02-01"), Some((20_210_101, 20_211_231)));
        assert_eq!(days(2021, "2020-12-31"), None);
    }
}
