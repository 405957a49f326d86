//! The projects that are not deleted, by status: key `portfolio 0 status (u8) project`, no value. Follows
//! the projects. The status is the number that the API has for it.
//!
//! It also tells, by one row, whether a portfolio has projects at all.

use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts};
use milepost_types::ResourceId;

use super::Tag;

/// The index row of a project.
pub(crate) fn key(portfolio: &ResourceId, status: i32, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::ProjectsByStatus).under(portfolio).bytes(&[byte(status)]).id(id)
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::ProjectsByStatus).under(portfolio).done())
}

/// The index rows of a portfolio with this status.
pub(crate) fn of_status(portfolio: &ResourceId, status: i32) -> KeyRange {
    let key = Key::of(Tag::ProjectsByStatus).under(portfolio).bytes(&[byte(status)]);
    KeyRange::prefix(&key.done())
}

/// The project's id in a key.
pub(crate) fn id(key: &[u8]) -> Option<ResourceId> {
    let mut key = Parts::of(key, Tag::ProjectsByStatus)?;
    key.text()?;
    key.bytes(1)?;
    key.id()
}

fn byte(status: i32) -> u8 {
    u8::try_from(status).unwrap_or(u8::MAX)
}
