//! Lists of batches: what they can be filtered by is [`SCHEMA`], and by what they can be ordered
//! [`ORDERS`]. What members add up to is not filtered by: it is computed for those on the page.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_service::merge::merged;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};
use milepost_types::{BatchName, PortfolioName, PortfolioPattern, Rejection, ResourceId};

use super::scan::{by_index, by_name, seek};
use super::{Candidates, Page, Place, Query, page};
use crate::convert::value;
use crate::tables::{batches, batches_by_start_date as index, portfolios};

/// What batches can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    StartDate,
    Place,
    DeclaredCount,
    DeclaredCurrency,
    DeclaredUnits,
    Members,
    Description,
    Labels,
    State,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

pub(crate) const STATES: &[&str] = &["STATE_PLANNED", "STATE_STARTED", "STATE_CANCELLED"];

/// The fields, by their paths in the message; of amounts the currency and the whole units. Lists are
/// asked with `:`, as in `members:"portfolios/wsc/projects/science-avenue"`.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("start_date", FieldType::Date, By::StartDate),
    Field::new("place", FieldType::Text, By::Place),
    Field::new("declared_count", FieldType::Int, By::DeclaredCount),
    Field::new("declared_investment.currency_code", FieldType::Text, By::DeclaredCurrency),
    Field::new("declared_investment.units", FieldType::Int, By::DeclaredUnits),
    Field::new("members", FieldType::List, By::Members),
    Field::new("description", FieldType::Text, By::Description),
    Field::new("labels", FieldType::Map, By::Labels),
    Field::new("state", FieldType::Enum(STATES), By::State),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

/// By what batches can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    StartDate,
}

/// The orders, by the paths of their fields. The first is that of an empty `order_by`.
pub(crate) const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("start_date", Order::StartDate)];

/// A page of the batches of a portfolio, or of all.
///
/// # Errors
/// If there is no such portfolio, if what a planned batch registers cannot be held, or if a row cannot be
/// decoded.
pub(crate) fn list(
    rows: &dyn Read,
    parent: &PortfolioPattern,
    query: &Query<By, Order>,
) -> Result<Page<proto::Batch>, Rejection> {
    portfolios::check_parent(rows, parent)?;
    let one = parent.portfolio().map(PortfolioName::id);
    let candidates = match query.order {
        Order::Name => {
            let range = one.map_or_else(batches::all, batches::of_portfolio);
            by_name(rows, range, query.direction, query.after.as_ref())
        }
        Order::StartDate => {
            let portfolios = one.map_or_else(|| portfolios::ids(rows), |id| vec![id.clone()]);
            let each = portfolios.into_iter().map(|portfolio| by_start_date(rows, portfolio, query));
            Box::new(merged(each.collect(), query.direction))
        }
    };
    page(rows, query, candidates, |batch| batches::current(rows, batch))
}

fn by_start_date<'a>(rows: &'a dyn Read, portfolio: ResourceId, query: &Query<By, Order>) -> Candidates<'a> {
    let range = index::of_portfolio(&portfolio);
    let beyond = |place: &Place| {
        let name = batches::name(&place.key)?;
        let key = || index::key_at(&portfolio, &place.order, name.id());
        let same = || index::beginning(&portfolio, &place.order);
        Some(seek(&portfolio, name.portfolio().id(), key, same))
    };
    let parent = PortfolioName::new(portfolio.clone());
    let place = move |key: &[u8]| {
        let (date, id) = index::parts(key)?;
        Some(Place { order: date.to_vec(), key: batches::key(&BatchName::new(parent.clone(), id)) })
    };
    by_index(rows, range, query.direction, query.after.as_ref(), beyond, place)
}

impl Fields<By> for proto::Batch {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::StartDate => value::filter_date(self.start_date.as_ref()),
            By::Place => Value::text(&self.place),
            By::DeclaredCount => self.declared_count.map(i64::from).into(),
            By::DeclaredCurrency => value::filter_currency(self.declared_investment.as_ref()),
            By::DeclaredUnits => value::filter_units(self.declared_investment.as_ref()),
            By::Description => Value::text(&self.description),
            By::State => value::filter_choice(self.state, self.state().as_str_name()),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations | By::Members | By::Labels => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            By::Translations => self.translations.keys().any(|tag| test(tag)),
            By::Members => self.members.iter().any(|member| test(member)),
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
