//! The projects by the hour of their last update: key `portfolio 0 hour (i32) project`, no value. Follows
//! the projects. The hour is that of Unix time.
//!
//! The order by update time is found by the hour, and within the hour by sorting: so a project that is
//! updated again and again costs its index a write once an hour, not every time.

use jiff::Timestamp;
use milepost_ledger::KeyRange;
use milepost_types::ResourceId;

use super::Tag;
use super::key::{Key, Parts, number_i32, ordered_i32};

const NANOS: i128 = 3600 * 1_000_000_000;

/// The hour that an instant is in.
pub(crate) fn hour(instant: Timestamp) -> i32 {
    // The hours of the years that there are timestamps for fit many times over.
    i32::try_from(instant.as_nanosecond().div_euclid(NANOS)).unwrap_or(i32::MAX)
}

/// The index row of a project.
pub(crate) fn key(portfolio: &ResourceId, hour: i32, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::ProjectsByHour).text(portfolio.as_str()).bytes(&ordered_i32(hour)).id(id)
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::ProjectsByHour).text(portfolio.as_str()).done())
}

/// The index rows of an hour of a portfolio.
pub(crate) fn of_hour(portfolio: &ResourceId, hour: i32) -> KeyRange {
    let key = Key::of(Tag::ProjectsByHour).text(portfolio.as_str()).bytes(&ordered_i32(hour));
    KeyRange::prefix(&key.done())
}

/// The hour and the project's id in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(i32, ResourceId)> {
    let mut key = Parts::of(key, Tag::ProjectsByHour)?;
    key.text()?;
    let hour = number_i32(key.bytes(4)?.try_into().ok()?);
    Some((hour, key.id()?))
}
