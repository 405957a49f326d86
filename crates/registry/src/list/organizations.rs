//! Lists of organizations: what they can be filtered by is [`SCHEMA`], and by what they can be ordered
//! [`ORDERS`].

use milepost_ledger::{KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_types::Rejection;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};

use super::scan::{Seek, by_index, by_name};
use super::{Page, Place, Query, page};
use crate::convert::value;
use crate::tables::{organizations, organizations_by_display_name as index};

/// What organizations can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    Kind,
    IdentifierScheme,
    Identifier,
    Attributes,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

pub(crate) const KINDS: &[&str] = &[
    "KIND_AUTHORITY",
    "KIND_ENTERPRISE",
    "KIND_UNIVERSITY",
    "KIND_INSTITUTE",
    "KIND_CONTRACTOR",
    "KIND_FINANCIAL_INSTITUTION",
    "KIND_OTHER",
];

/// The fields, by their paths in the message. Lists are asked with `:`, as in `identifiers.id:"91500107"`.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("kind", FieldType::Enum(KINDS), By::Kind),
    Field::new("identifiers.scheme", FieldType::List, By::IdentifierScheme),
    Field::new("identifiers.id", FieldType::List, By::Identifier),
    Field::new("attributes", FieldType::Map, By::Attributes),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

/// By what organizations can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    DisplayName,
}

/// The orders, by the paths of their fields. The first is that of an empty `order_by`.
pub(crate) const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("display_name", Order::DisplayName)];

/// A page of organizations.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn list(
    rows: &dyn Read,
    query: &Query<By, Order>,
) -> Result<Page<proto::Organization>, Rejection> {
    let (direction, after) = (query.direction, query.after.as_ref());
    let candidates = match query.order {
        Order::Name => by_name(rows, organizations::all(), direction, after),
        Order::DisplayName => {
            let beginning = query.filter.prefix_on(By::DisplayName).unwrap_or_default();
            let range = KeyRange::prefix(&index::beginning(beginning));
            by_index(rows, range, direction, after, beyond, place)
        }
    };
    page(rows, query, candidates, Ok)
}

fn beyond(place: &Place) -> Option<Seek> {
    let name = organizations::name(&place.key)?;
    Some(Seek::After(index::key(&String::from_utf8_lossy(&place.order), name.id())))
}

fn place(key: &[u8]) -> Option<Place> {
    let (display_name, name) = index::parts(key)?;
    Some(Place { order: display_name.into(), key: organizations::key(&name) })
}

impl Fields<By> for proto::Organization {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::Kind => value::filter_choice(self.kind, self.kind().as_str_name()),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations | By::IdentifierScheme | By::Identifier | By::Attributes => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            By::Translations => self.translations.keys().any(|tag| test(tag)),
            By::IdentifierScheme => self.identifiers.iter().any(|identifier| test(&identifier.scheme)),
            By::Identifier => self.identifiers.iter().any(|identifier| test(&identifier.id)),
            By::Attributes => self.attributes.keys().any(|key| test(key)),
            _ => false,
        }
    }

    fn entry(&self, field: By, key: &str) -> Option<&str> {
        match field {
            By::Translations => self.translations.get(key).map(String::as_str),
            By::Attributes => self.attributes.get(key).map(String::as_str),
            _ => None,
        }
    }
}
