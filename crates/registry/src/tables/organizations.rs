//! The organizations: key `organization`, value the encoded `Organization`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::{DamagedRow, OrganizationName, Rejection};

use super::{Tag, decoded, head, organizations_by_display_name, put as put_row, read};
use crate::convert::{self, Unreadable};
use crate::organization::Organization;
use crate::project::references::Presence;

/// The key of an organization.
pub(crate) fn key(name: &OrganizationName) -> Vec<u8> {
    Key::of(Tag::Organizations).id(name.id())
}

/// The name in a key.
pub(crate) fn name(key: &[u8]) -> Option<OrganizationName> {
    Some(OrganizationName::new(Parts::of(key, Tag::Organizations)?.id()?))
}

/// All organizations.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Organizations).done())
}

/// The organization of this name.
///
/// # Errors
/// If its row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &OrganizationName) -> Result<Option<Organization>, DamagedRow> {
    read(rows, Tag::Organizations, &key(name), convert::organization::stored)
}

/// The organization of this name, as the API tells it.
///
/// # Errors
/// If there is none, or if its row cannot be decoded.
pub(crate) fn message(rows: &dyn Read, name: &OrganizationName) -> Result<proto::Organization, Rejection> {
    decoded(rows, Tag::Organizations, &key(name))?.ok_or_else(|| Rejection::not_found(name))
}

/// What others ask of an organization.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    display_name: String,
    #[prost(message, optional, tag = "22")]
    delete_time: Option<prost_types::Timestamp>,
}

/// Whether an organization is there.
pub(crate) fn presence(rows: &dyn Read, name: &OrganizationName) -> Result<Presence, DamagedRow> {
    let head: Option<Head> = decoded(rows, Tag::Organizations, &key(name))?;
    Ok(match head.map(|head| head.delete_time) {
        None => Presence::Missing,
        Some(Some(_)) => Presence::Deleted,
        Some(None) => Presence::Present,
    })
}

/// Sets an organization's row, and its index row.
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let (after, name): (Head, OrganizationName) = head(&row, |head: &Head| &head.name)?;
    let key = key(&name);
    let index = |head: Head| vec![organizations_by_display_name::key(&head.display_name, name.id())];
    let before = decoded(rows, Tag::Organizations, &key)?.map(index).unwrap_or_default();
    put_row(rows, key, row, before, index(after));
    Ok(())
}
