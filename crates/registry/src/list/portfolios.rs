//! Lists of portfolios: what they can be filtered by is [`SCHEMA`], and by what they can be ordered
//! [`ORDERS`].

use jiff::Timestamp;
use milepost_ledger::{KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_types::Rejection;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};

use super::scan::{Seek, by_index, by_name};
use super::{Page, Place, Query, page};
use crate::convert::value;
use crate::tables::{portfolios, portfolios_by_display_name as index};

/// What portfolios can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    TimeZone,
    Currency,
    Description,
    Labels,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

/// The fields, by their paths in the message.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("time_zone", FieldType::Text, By::TimeZone),
    Field::new("reporting_currency_code", FieldType::Text, By::Currency),
    Field::new("description", FieldType::Text, By::Description),
    Field::new("labels", FieldType::Map, By::Labels),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

/// By what portfolios can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    DisplayName,
}

/// The orders, by the paths of their fields. The first is that of an empty `order_by`.
pub(crate) const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("display_name", Order::DisplayName)];

/// A page of portfolios, which say which day it is `now`.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn list(
    rows: &dyn Read,
    query: &Query<By, Order>,
    now: Timestamp,
) -> Result<Page<proto::Portfolio>, Rejection> {
    let (direction, after) = (query.direction, query.after.as_ref());
    let candidates = match query.order {
        Order::Name => by_name(rows, portfolios::all(), direction, after),
        Order::DisplayName => {
            let beginning = query.filter.prefix_on(By::DisplayName).unwrap_or_default();
            let range = KeyRange::prefix(&index::beginning(beginning));
            by_index(rows, range, direction, after, beyond, place)
        }
    };
    page(rows, query, candidates, |portfolio| Ok(portfolios::dated(portfolio, now)))
}

fn beyond(place: &Place) -> Option<Seek> {
    let name = portfolios::name(&place.key)?;
    Some(Seek::After(index::key(&String::from_utf8_lossy(&place.order), name.id())))
}

fn place(key: &[u8]) -> Option<Place> {
    let (display_name, name) = index::parts(key)?;
    Some(Place { order: display_name.into(), key: portfolios::key(&name) })
}

impl Fields<By> for proto::Portfolio {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::TimeZone => Value::text(&self.time_zone),
            By::Currency => Value::text(&self.reporting_currency_code),
            By::Description => Value::text(&self.description),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations | By::Labels => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            By::Translations => self.translations.keys().any(|tag| test(tag)),
            By::Labels => self.labels.keys().any(|key| test(key)),
            _ => false,
        }
    }

    fn entry(&self, field: By, key: &str) -> Option<&str> {
        match field {
            By::Translations => self.translations.get(key).map(String::as_str),
            By::Labels => self.labels.get(key).map(String::as_str),
            _ => None,
        }
    }
}
