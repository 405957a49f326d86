//! The projects by the time of their last update: key `portfolio 0 instant (12 bytes) project`, no value.
//! Follows the projects. The instant is exact, so that a page never sorts: any number of projects may be
//! updated in one minute.

use jiff::Timestamp;
use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts, ordered_instant};
use milepost_types::ResourceId;

use super::Tag;

/// Bytes of an instant in a key.
const INSTANT_BYTES: usize = 12;

/// The index row of a project.
pub(crate) fn key(portfolio: &ResourceId, time: Timestamp, id: &ResourceId) -> Vec<u8> {
    key_at(portfolio, &ordered_instant(time), id)
}

/// The index row of a project, by the bytes of its instant.
pub(crate) fn key_at(portfolio: &ResourceId, ordered: &[u8], id: &ResourceId) -> Vec<u8> {
    start(portfolio).bytes(ordered).id(id)
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&start(portfolio).done())
}

/// The beginning of the keys of a portfolio's projects that were updated at this instant, by its bytes.
pub(crate) fn beginning(portfolio: &ResourceId, ordered: &[u8]) -> Vec<u8> {
    start(portfolio).bytes(ordered).done()
}

/// The bytes of the instant, which order as it does, and the project's id, in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], ResourceId)> {
    let mut key = Parts::of(key, Tag::ProjectsByUpdateTime)?;
    key.text()?;
    Some((key.bytes(INSTANT_BYTES)?, key.id()?))
}

fn start(portfolio: &ResourceId) -> Key {
    Key::of(Tag::ProjectsByUpdateTime).under(portfolio)
}
