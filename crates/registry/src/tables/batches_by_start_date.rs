//! The batches by start date: key `portfolio 0 year (u16) month (u8) day (u8) batch`, no value. Follows
//! the batches.

use jiff::civil::Date;
use milepost_ledger::KeyRange;
use milepost_types::ResourceId;

use super::Tag;
use super::key::{Key, Parts};

/// The index row of a batch.
pub(crate) fn key(portfolio: &ResourceId, date: Date, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::BatchesByStartDate).text(portfolio.as_str()).bytes(&ordered(date)).id(id)
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::BatchesByStartDate).text(portfolio.as_str()).done())
}

/// The date, as it orders, and the batch's id, in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], ResourceId)> {
    let mut key = Parts::of(key, Tag::BatchesByStartDate)?;
    key.text()?;
    Some((key.bytes(4)?, key.id()?))
}

/// A date of the years 1 to 9999 whose bytes order as it does.
fn ordered(date: Date) -> [u8; 4] {
    let [high, low] = date.year().to_be_bytes();
    [high, low, date.month().unsigned_abs(), date.day().unsigned_abs()]
}
