//! What `today()` means for a row, and rows together with it.
//!
//! Invariant: no clock is read here; the caller that matches rows provides the date. A row's date is read
//! only by comparisons with `today()` or `days(n)`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::fields::{Fields, Value};
use crate::zone::TimeZoneId;

/// The day that `today()` is, and the time zone in which instants have dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentDate {
    date: Date,
    zone: TimeZone,
}

impl CurrentDate {
    /// The current date of a portfolio, and its time zone.
    pub fn new(date: Date, zone: &TimeZoneId) -> Self {
        Self { date, zone: zone.rules().clone() }
    }

    /// The date in UTC at an instant.
    pub fn utc(instant: Timestamp) -> Self {
        Self { date: TimeZoneId::UTC.date_at(instant), zone: TimeZone::UTC }
    }

    /// The date so many days later; the last or first date there is if it is beyond that.
    pub(super) fn plus(&self, days: i32) -> Date {
        self.date.saturating_add(days.days())
    }

    /// The date at an instant, in the zone.
    pub(super) fn date_at(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }
}

/// A row with its current date. The closure is called for every comparison with `today()`: it should remember
/// what it found.
#[derive(Debug, Clone, Copy)]
pub struct Dated<'a, R: ?Sized, D> {
    row: &'a R,
    current_date: D,
}

impl<'a, R: ?Sized, D: Fn() -> Option<CurrentDate>> Dated<'a, R, D> {
    /// A row whose current date the closure says; `None` if it is not known.
    pub fn new(row: &'a R, current_date: D) -> Self {
        Self { row, current_date }
    }
}

impl<F, R: Fields<F> + ?Sized, D: Fn() -> Option<CurrentDate>> Fields<F> for Dated<'_, R, D> {
    fn value(&self, field: F) -> Value<'_> {
        self.row.value(field)
    }

    fn any(&self, field: F, test: &dyn Fn(&str) -> bool) -> bool {
        self.row.any(field, test)
    }

    fn any_value(&self, field: F, test: &dyn Fn(&Value<'_>) -> bool) -> bool {
        self.row.any_value(field, test)
    }

    fn entry(&self, field: F, key: &str) -> Option<&str> {
        self.row.entry(field, key)
    }

    fn current_date(&self) -> Option<CurrentDate> {
        (self.current_date)()
    }
}
