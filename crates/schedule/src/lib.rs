//! Working calendars; pure, no I/O.
//!
//! Invariant: everything here depends on nothing but its arguments. Dates are civil: time zones, and
//! which day it is, are the caller's business.

mod calendar;
mod weekdays;

pub use calendar::Calendar;
pub use weekdays::{WeekdayError, Weekdays};
