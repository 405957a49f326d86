//! Lists of phases: what they can be filtered by is [`SCHEMA`], and by what they can be ordered [`ORDERS`].
//!
//! The order of one project's phases is an index; across projects, which seldom is asked, the phases
//! are sorted.

use milepost_ledger::{Direction, KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};
use milepost_types::{PhaseName, ProjectName, ProjectPattern, Rejection};

use super::scan::{Seek, by_index, by_name, sorted};
use super::{Candidates, Page, Place, Query, page};
use crate::convert::value;
use crate::tables::{phases, phases_by_order as index, portfolios, projects};

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
/// If there is no such project or portfolio.
pub(crate) fn list(
    rows: &dyn Read,
    parent: &ProjectPattern,
    query: &Query<By, Order>,
) -> Result<Page<proto::Phase>, Rejection> {
    parent.portfolio().map_or(Ok(()), |portfolio| portfolios::exists(rows, portfolio))?;
    if let Some(project) = parent.project().filter(|project| rows.get(&projects::key(project)).is_none()) {
        return Err(Rejection::not_found(project));
    }
    let (direction, after) = (query.direction, query.after.as_ref());
    let candidates = match (query.order, parent) {
        (Order::Name, _) => by_name(rows, range(parent), direction, after),
        (Order::Order, ProjectPattern::One(project)) => by_order(rows, project, direction, after),
        (Order::Order, _) => sorted(places(rows, &range(parent)), direction, after),
    };
    Ok(page(rows, query, candidates))
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
    let seek = |place: &Place| match phases::name(&place.key) {
        Some(name) => Seek::After(index::key_at(&name, &place.order)),
        None => Seek::Within(range.start.clone()),
    };
    let project = project.clone();
    let place = move |key: &[u8]| {
        let (order, id) = index::parts(key)?;
        Some(Place { order: order.to_vec(), key: phases::key(&PhaseName::new(project.clone(), id)) })
    };
    by_index(rows, range.clone(), direction, after, seek, place)
}

fn places(rows: &dyn Read, range: &KeyRange) -> Vec<Place> {
    let rows = rows.scan(range, Direction::Forward);
    let place = |(key, row): milepost_ledger::Row| {
        let head = phases::Head::of(row);
        Place { order: index::ordered(head.order(), head.is_deleted()).to_vec(), key: key.into() }
    };
    rows.map(place).collect()
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
