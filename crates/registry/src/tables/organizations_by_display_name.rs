//! The organizations by display name: key `display name 0 organization`, no value. Follows the organizations.

use milepost_ledger::key::{Key, Parts};
use milepost_types::{OrganizationName, ResourceId};

use super::Tag;

/// The index row of a organization.
pub(crate) fn key(display_name: &str, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::OrganizationsByDisplayName).text(display_name).id(id)
}

/// What the index rows begin with whose display names begin so.
pub(crate) fn beginning(display_name: &str) -> Vec<u8> {
    Key::of(Tag::OrganizationsByDisplayName).beginning(display_name).done()
}

/// The display name and the organization in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&str, OrganizationName)> {
    let mut key = Parts::of(key, Tag::OrganizationsByDisplayName)?;
    Some((key.text()?, OrganizationName::new(key.id()?)))
}
