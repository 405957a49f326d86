//! The projects by the minute of their last update: key `portfolio 0 minute (i64) project`, no value.
//! Follows the projects. The minute is that of Unix time.
//!
//! The order by update time is found by the minute, and within the minute by sorting: so a project that
//! is updated many times a second costs its index a write once a minute, not every time.

use jiff::Timestamp;
use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts, number_i64, ordered_i64};
use milepost_types::ResourceId;

use super::Tag;

const NANOS: i128 = 60 * 1_000_000_000;

/// The minute that an instant is in.
pub(crate) fn minute(instant: Timestamp) -> i64 {
    // The nanoseconds of all timestamps there are fit into 72 bits, so their minutes fit many times over.
    i64::try_from(instant.as_nanosecond().div_euclid(NANOS)).unwrap_or(i64::MAX)
}

/// The index row of a project.
pub(crate) fn key(portfolio: &ResourceId, minute: i64, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::ProjectsByMinute).under(portfolio).bytes(&ordered_i64(minute)).id(id)
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::ProjectsByMinute).under(portfolio).done())
}

/// The index rows of a minute of a portfolio.
pub(crate) fn of_minute(portfolio: &ResourceId, minute: i64) -> KeyRange {
    let key = Key::of(Tag::ProjectsByMinute).under(portfolio).bytes(&ordered_i64(minute));
    KeyRange::prefix(&key.done())
}

/// The minute and the project's id in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(i64, ResourceId)> {
    let mut key = Parts::of(key, Tag::ProjectsByMinute)?;
    key.text()?;
    let minute = number_i64(key.bytes(8)?.try_into().ok()?);
    Some((minute, key.id()?))
}
