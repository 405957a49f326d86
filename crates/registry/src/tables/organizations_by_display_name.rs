//! The organizations by display name: key `display name 0 organization`, no value. Follows the
//! organizations.

use milepost_types::ResourceId;

use super::Tag;
use super::key::Key;

/// The index row of an organization.
pub(crate) fn key(display_name: &str, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::OrganizationsByDisplayName).text(display_name).id(id)
}
