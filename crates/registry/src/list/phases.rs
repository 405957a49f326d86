//! Lists of phases: what they can be filtered by is [`SCHEMA`], and by what they can be ordered [`ORDERS`].
//!
//! The order of one project's phases is an index, and that of a portfolio's; across portfolios these
//! are merged.

use milepost_ledger::{Direction, KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_service::merge::merged;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};
use milepost_types::{PhaseName, ProjectName, ProjectPattern, Rejection, ResourceId};

use super::scan::{Seek, by_index, by_name, seek};
use super::{Candidates, Page, Place, Query, page};
use crate::convert::value;
use crate::tables::{
    phases, phases_by_order as index, phases_by_order_across as across, portfolios, projects,
};

/// What phases can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    Order,
    PlannedStart,
    PlannedEnd,
    ActualStart,
    ActualEnd,
    InvestmentCurrency,
    InvestmentUnits,
    Scale,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

/// The fields, by their paths in the message; of amounts the currency and the whole units.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("order", FieldType::Int, By::Order),
    Field::new("planned_period.start_date", FieldType::Date, By::PlannedStart),
    Field::new("planned_period.end_date", FieldType::Date, By::PlannedEnd),
    Field::new("actual_period.start_date", FieldType::Date, By::ActualStart),
    Field::new("actual_period.end_date", FieldType::Date, By::ActualEnd),
    Field::new("investment.currency_code", FieldType::Text, By::InvestmentCurrency),
    Field::new("investment.units", FieldType::Int, By::InvestmentUnits),
    Field::new("scale", FieldType::Text, By::Scale),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

/// By what phases can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    Order,
}

/// The orders, by the paths of their fields. The first is that of an empty `order_by`.
pub(crate) const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("order", Order::Order)];

/// A page of the phases of a project, of a portfolio's projects, or of all.
///
/// # Errors
/// If a row cannot be decoded, or if there is no such project or portfolio.
pub(crate) fn list(
    rows: &dyn Read,
    parent: &ProjectPattern,
    query: &Query<By, Order>,
) -> Result<Page<proto::Phase>, Rejection> {
    projects::check_parent(rows, parent)?;
    let (direction, after) = (query.direction, query.after.as_ref());
    let candidates = match (query.order, parent) {
        (Order::Name, _) => by_name(rows, range(parent), direction, after),
        (Order::Order, ProjectPattern::One(project)) => by_order(rows, project, direction, after),
        (Order::Order, ProjectPattern::InPortfolio(portfolio)) => {
            by_order_across(rows, portfolio.id().clone(), direction, after)
        }
        (Order::Order, ProjectPattern::All) => {
            let portfolios = portfolios::ids(rows).into_iter();
            let each = portfolios.map(|portfolio| by_order_across(rows, portfolio, direction, after));
            Box::new(merged(each.collect(), direction))
        }
    };
    page(rows, query, candidates, Ok)
}

fn range(parent: &ProjectPattern) -> KeyRange {
    match parent {
        ProjectPattern::One(project) => phases::of_project(project),
        ProjectPattern::InPortfolio(portfolio) => phases::of_portfolio(portfolio.id()),
        ProjectPattern::All => phases::all(),
    }
}

fn by_order<'a>(
    rows: &'a dyn Read,
    project: &ProjectName,
    direction: Direction,
    after: Option<&Place>,
) -> Candidates<'a> {
    let range = index::of_project(project);
    let beyond = |place: &Place| Some(Seek::After(index::key_at(&phases::name(&place.key)?, &place.order)));
    let project = project.clone();
    let place = move |key: &[u8]| {
        let (order, id) = index::parts(key)?;
        Some(Place { order: order.to_vec(), key: phases::key(&PhaseName::new(project.clone(), id)) })
    };
    by_index(rows, range, direction, after, beyond, place)
}

fn by_order_across<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    direction: Direction,
    after: Option<&Place>,
) -> Candidates<'a> {
    let range = across::of_portfolio(&portfolio);
    let beyond = |place: &Place| {
        let name = phases::name(&place.key)?;
        let key = || across::key_at(&name, &place.order);
        let same = || across::beginning(&portfolio, &place.order);
        Some(seek(&portfolio, name.project().portfolio().id(), key, same))
    };
    let place = |key: &[u8]| {
        let (order, name) = across::parts(key)?;
        Some(Place { order: order.to_vec(), key: phases::key(&name) })
    };
    by_index(rows, range, direction, after, beyond, place)
}

impl Fields<By> for proto::Phase {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::Order => i64::from(self.order).into(),
            By::PlannedStart => value::filter_start(self.planned_period.as_ref()),
            By::PlannedEnd => value::filter_end(self.planned_period.as_ref()),
            By::ActualStart => value::filter_start(self.actual_period.as_ref()),
            By::ActualEnd => value::filter_end(self.actual_period.as_ref()),
            By::InvestmentCurrency => value::filter_currency(self.investment.as_ref()),
            By::InvestmentUnits => value::filter_units(self.investment.as_ref()),
            By::Scale => Value::text(&self.scale),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        field == By::Translations && self.translations.keys().any(|tag| test(tag))
    }

    fn entry(&self, field: By, key: &str) -> Option<&str> {
        if field == By::Translations { self.translations.get(key).map(String::as_str) } else { None }
    }
}
