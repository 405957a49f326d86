//! Civil dates and periods.
//!
//! Invariant: a date is a day that exists, in the years 1 to 9999; a period that is accepted does not end
//! before it starts. A partial date (`google.type.Date` with a zero) is refused, never completed.

use jiff::civil::Date;

use crate::violation::Fault;

/// Why there is no such date or period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The year, the month or the day is zero.
    #[error("the date {year:04}-{month:02}-{day:02} is partial; give year, month and day, or no date at all")]
    Partial {
        /// As given.
        year: i32,
        /// As given.
        month: i32,
        /// As given.
        day: i32,
    },
    /// There is no such day.
    #[error(
        "there is no date {year:04}-{month:02}-{day:02}; give a day of the calendar in the years 1 to 9999"
    )]
    Impossible {
        /// As given.
        year: i32,
        /// As given.
        month: i32,
        /// As given.
        day: i32,
    },
    /// The end is before the start.
    #[error("the period ends on {end}, before it starts on {start}; exchange them or correct one")]
    Reversed {
        /// The first day.
        start: Date,
        /// The last day.
        end: Date,
    },
}

impl Fault for DateError {
    fn reason(&self) -> &'static str {
        match self {
            DateError::Partial { .. } => "PARTIAL_DATE",
            DateError::Impossible { .. } => "INVALID_DATE",
            DateError::Reversed { .. } => "INVALID_PERIOD",
        }
    }
}

/// The date with these parts, as `google.type.Date` carries them.
pub fn date_from_parts(year: i32, month: i32, day: i32) -> Result<Date, DateError> {
    if year == 0 || month == 0 || day == 0 {
        return Err(DateError::Partial { year, month, day });
    }
    let date = || {
        let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    date().ok_or(DateError::Impossible { year, month, day })
}

/// From a first to a last day, both included; either may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Period {
    start: Option<Date>,
    end: Option<Date>,
}

impl Period {
    /// The period from `start` to `end`, both included.
    pub fn new(start: Option<Date>, end: Option<Date>) -> Result<Self, DateError> {
        match (start, end) {
            (Some(start), Some(end)) if end < start => Err(DateError::Reversed { start, end }),
            _ => Ok(Self { start, end }),
        }
    }

    /// The period that was stored: it was checked when it was accepted.
    pub const fn stored(start: Option<Date>, end: Option<Date>) -> Self {
        Self { start, end }
    }

    /// The first day; `None` is open.
    pub const fn start(&self) -> Option<Date> {
        self.start
    }

    /// The last day; `None` is open.
    pub const fn end(&self) -> Option<Date> {
        self.end
    }

    /// Whether neither day is known.
    pub const fn is_empty(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }

    /// Whether the day is in the period.
    pub fn contains(&self, date: Date) -> bool {
        self.start.is_none_or(|start| start <= date) && self.end.is_none_or(|end| date <= end)
    }

    /// Whether a day is in both periods.
    pub fn overlaps(&self, other: &Period) -> bool {
        let begins_by =
            |start: Option<Date>, end: Option<Date>| start.zip(end).is_none_or(|(start, end)| start <= end);
        begins_by(self.start, other.end) && begins_by(other.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_zero_part_is_partial_and_a_day_that_is_not_is_impossible() {
        assert_eq!(date_from_parts(2021, 5, 27), Ok(date(2021, 5, 27)));
        assert_eq!(date_from_parts(2020, 2, 29), Ok(date(2020, 2, 29)));
        for (year, month, day) in [(0, 5, 27), (2021, 0, 27), (2021, 5, 0), (0, 0, 0)] {
            let error = date_from_parts(year, month, day).unwrap_err();
            assert_eq!(error, DateError::Partial { year, month, day });
        }
        for (year, month, day) in [
            (2021, 2, 30),
            (2021, 2, 29),
            (2021, 13, 1),
            (2021, 1, -1),
            (-1, 1, 1),
            (10_000, 1, 1),
            (2021 + 65_536, 1, 1),
            (2021, 5 + 256, 1),
            (i32::MAX, i32::MAX, i32::MAX),
        ] {
            let error = date_from_parts(year, month, day).unwrap_err();
            assert_eq!(error, DateError::Impossible { year, month, day });
        }
    }

    #[test]
    fn periods_overlap_if_they_share_a_day() {
        let period = |from: Option<i8>, to: Option<i8>| {
            let day = |day| date(2021, 5, day);
            Period::stored(from.map(day), to.map(day))
        };
        let middle = period(Some(10), Some(20));
        for (from, to, shared) in [
            (Some(20), None, true),
            (Some(21), None, false),
            (None, Some(10), true),
            (None, Some(9), false),
            (Some(12), Some(13), true),
            (Some(1), Some(31), true),
            (None, None, true),
        ] {
            let other = period(from, to);
            assert_eq!((middle.overlaps(&other), other.overlaps(&middle)), (shared, shared), "{other:?}");
        }
    }

    #[test]
    fn a_period_includes_both_days_and_may_be_open() {
        let (first, last) = (date(2021, 5, 27), date(2023, 12, 31));
        let period = Period::new(Some(first), Some(last)).unwrap();
        assert!(period.contains(first) && period.contains(last));
        assert!(!period.contains(date(2021, 5, 26)) && !period.contains(date(2024, 1, 1)));
        assert!(Period::new(Some(first), Some(first)).is_ok());
        assert!(Period::new(None, Some(last)).unwrap().contains(date(1, 1, 1)));
        assert!(Period::new(Some(first), None).unwrap().contains(date(9999, 1, 1)));
        assert!(Period::default().is_empty());
        let reversed = Period::new(Some(last), Some(first)).unwrap_err();
        assert_eq!(reversed, DateError::Reversed { start: last, end: first });
    }
}
