//! The projects by display name: key `portfolio 0 display name 0 project`, no value. Follows the projects.

use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts};
use milepost_types::ResourceId;

use super::Tag;

/// The index row of a project.
pub(crate) fn key(portfolio: &ResourceId, display_name: &str, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::ProjectsByDisplayName).under(portfolio).text(display_name).id(id)
}

/// The index rows of a portfolio whose display names begin so.
pub(crate) fn beginning(portfolio: &ResourceId, display_name: &str) -> KeyRange {
    let key = Key::of(Tag::ProjectsByDisplayName).under(portfolio).beginning(display_name);
    KeyRange::prefix(&key.done())
}

/// The index rows of a portfolio with exactly this display name.
pub(crate) fn equal(portfolio: &ResourceId, display_name: &str) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::ProjectsByDisplayName).under(portfolio).text(display_name).done())
}

/// The display name and the project's id in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&str, ResourceId)> {
    let mut key = Parts::of(key, Tag::ProjectsByDisplayName)?;
    key.text()?;
    Some((key.text()?, key.id()?))
}
