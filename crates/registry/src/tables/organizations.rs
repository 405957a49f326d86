//! The organizations: key `organization`, value the encoded `Organization`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::OrganizationName;

use super::{Tag, decoded, organizations_by_display_name, put as put_row};
use crate::convert;
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
pub(crate) fn get(rows: &dyn Read, name: &OrganizationName) -> Option<Organization> {
    rows.get(&key(name)).map(|row| convert::organization::stored(decoded(row, Tag::Organizations)))
}

/// The organization of this name, as the API tells it.
pub(crate) fn message(rows: &dyn Read, name: &OrganizationName) -> Option<proto::Organization> {
    rows.get(&key(name)).map(|row| decoded(row, Tag::Organizations))
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
pub(crate) fn presence(rows: &dyn Read, name: &OrganizationName) -> Presence {
    match rows.get(&key(name)).map(|row| decoded::<Head>(row, Tag::Organizations).delete_time) {
        None => Presence::Missing,
        Some(Some(_)) => Presence::Deleted,
        Some(None) => Presence::Present,
    }
}

/// Sets an organization's row, and its index row.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) {
    let head: Head = decoded(row.clone(), Tag::Organizations);
    let name: OrganizationName =
        head.name.parse().unwrap_or_else(|error| panic!("a row without a name: {error}"));
    let key = key(&name);
    let index = |head: Head| vec![organizations_by_display_name::key(&head.display_name, name.id())];
    let before = rows.get(&key).map(|row| index(decoded(row, Tag::Organizations))).unwrap_or_default();
    put_row(rows, key, row, before, index(head));
}
