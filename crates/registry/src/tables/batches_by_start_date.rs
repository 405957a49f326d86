//! The batches by start date: key `portfolio 0 year (u16) month (u8) day (u8) batch`, no value. Follows
//! the batches.

use jiff::civil::Date;
use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts, ordered_date};
use milepost_types::ResourceId;

use super::Tag;

/// The index row of a batch.
pub(crate) fn key(portfolio: &ResourceId, date: Date, id: &ResourceId) -> Vec<u8> {
    key_at(portfolio, &ordered_date(date), id)
}

/// The index row of a batch, by the bytes of its date.
pub(crate) fn key_at(portfolio: &ResourceId, date: &[u8], id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::BatchesByStartDate).under(portfolio).bytes(date).id(id)
}

/// What the index rows of a date begin with, by its bytes.
pub(crate) fn beginning(portfolio: &ResourceId, date: &[u8]) -> Vec<u8> {
    Key::of(Tag::BatchesByStartDate).under(portfolio).bytes(date).done()
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::BatchesByStartDate).under(portfolio).done())
}

/// The date, as it orders, and the batch's id, in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], ResourceId)> {
    let mut key = Parts::of(key, Tag::BatchesByStartDate)?;
    key.text()?;
    Some((key.bytes(4)?, key.id()?))
}
