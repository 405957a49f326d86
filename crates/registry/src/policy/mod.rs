//! Policies: what is granted, delegated or expected, to whom, and which of them fit whom.
//!
//! A programme holds policies; a policy has conditions, which are expressions over what is known of an organization and
//! its projects (`expression`, `facts`). `matching` says whether one fits; `matches` keeps which ones do, and what is to
//! be looked at again because something changed; `settle` does that. Invariants: a policy is fixed once it is
//! published; what fits is found from rows and the day alone, and what was found is always what the events say.

pub(crate) mod ask;
pub(crate) mod expression;
pub(crate) mod facts;
pub(crate) mod matching;
pub(crate) mod programme;
pub(crate) mod rules;
pub(crate) mod settle;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use milepost_types::Rejection;

/// Hours by which the earliest time zone is ahead of UTC.
const EARLIEST_HOURS: i64 = 14;

/// Which day it is in UTC: policies belong to no portfolio, so to no time zone.
pub(crate) fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// The day of an act: today if none is given, and none that has not begun anywhere.
///
/// # Errors
/// If it has not.
pub(crate) fn act_date(now: Timestamp, field: &'static str, given: Option<Date>) -> Result<Date, Rejection> {
    let latest =
        now.saturating_add(SignedDuration::from_hours(EARLIEST_HOURS)).map_or_else(|_| today(now), today);
    match given {
        Some(date) if date > latest => {
            let description = format!("{date} has not begun anywhere yet; say that it happened when it has");
            Err(Rejection::invalid(field, "DATE_IN_FUTURE", description))
        }
        given => Ok(given.unwrap_or_else(|| today(now))),
    }
}
