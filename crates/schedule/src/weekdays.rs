//! The working days of every week, as a set of weekdays.
//!
//! Invariant: seven bits, Monday first. An empty set is allowed: a calendar may work only on days that
//! are named one by one.

use jiff::civil::Weekday;

/// A set of weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

/// A number that stands for no weekday, or a weekday given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeekdayError {
    /// Not from 1 to 7.
    #[error("{0} is no weekday; they run from 1 for Monday to 7 for Sunday")]
    Unknown(i32),
    /// Given before.
    #[error("weekday {0} is given twice")]
    Twice(i32),
}

impl Weekdays {
    /// Monday to Friday.
    pub const MONDAY_TO_FRIDAY: Self = Self(0b001_1111);

    /// The weekdays with these numbers, 1 (Monday) to 7 (Sunday), as in ISO 8601.
    ///
    /// # Errors
    /// The first number that is no weekday or stands twice.
    pub fn from_numbers(numbers: impl IntoIterator<Item = i32>) -> Result<Self, WeekdayError> {
        let mut set = 0_u8;
        for number in numbers {
            if !(1..=7).contains(&number) {
                return Err(WeekdayError::Unknown(number));
            }
            let bit = 1 << (number - 1);
            if set & bit != 0 {
                return Err(WeekdayError::Twice(number));
            }
            set |= bit;
        }
        Ok(Self(set))
    }

    /// Whether the weekday is in the set.
    pub fn contains(self, weekday: Weekday) -> bool {
        self.0 >> weekday.to_monday_zero_offset() & 1 == 1
    }

    /// How many weekdays are in the set: 0 to 7.
    pub(crate) fn count(self) -> i32 {
        self.0.count_ones() as i32
    }

    /// How many of the first `days` days of a week, from Monday, are in the set.
    pub(crate) fn count_first(self, days: i32) -> i32 {
        (u32::from(self.0) & ((1 << days) - 1)).count_ones() as i32
    }
}

impl Default for Weekdays {
    fn default() -> Self {
        Self::MONDAY_TO_FRIDAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_iso_8601() {
        let set = Weekdays::from_numbers([7, 1]).unwrap();
        assert!(set.contains(Weekday::Sunday) && set.contains(Weekday::Monday));
        assert!(!set.contains(Weekday::Saturday));
        assert_eq!(Weekdays::from_numbers([1, 2, 3, 4, 5]), Ok(Weekdays::default()));
        assert_eq!(Weekdays::from_numbers([0]), Err(WeekdayError::Unknown(0)));
        assert_eq!(Weekdays::from_numbers([1, 8]), Err(WeekdayError::Unknown(8)));
        assert_eq!(Weekdays::from_numbers([3, 3]), Err(WeekdayError::Twice(3)));
    }
}
