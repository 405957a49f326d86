//! Lists of projects: what they can be filtered by is [`SCHEMA`], and by what they can be ordered [`ORDERS`].
//!
//! A status that must be equal is looked up in its index unless deleted ones are asked for, a display
//! name that must be equal or begin so in its own, a name in the rows.

use milepost_ledger::{Direction, KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};
use milepost_types::{PortfolioName, PortfolioPattern, ProjectName, Rejection, ResourceId};
use proto::project::Status;

use super::scan::{Seek, by_index, by_name, merged, sorted};
use super::{Candidates, Listed, Page, Place, Query, equal_text, page};
use crate::convert::value;
use crate::tables::key::{instant_of, ordered_instant};
use crate::tables::{portfolios, projects, projects_by_display_name, projects_by_hour, projects_by_status};

/// What projects can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    CodeScheme,
    Code,
    Sector,
    Level,
    Key,
    Listing,
    Address,
    DivisionCode,
    Purpose,
    Scale,
    InvestmentCurrency,
    InvestmentUnits,
    FundingOrganization,
    PartyOrganization,
    PlannedStart,
    PlannedEnd,
    ActualStart,
    ActualEnd,
    Parent,
    Labels,
    Status,
    SuspendedStatus,
    Batch,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

pub(crate) const STATUSES: &[&str] = &[
    "STATUS_PROPOSED",
    "STATUS_PREPARATION",
    "STATUS_CONSTRUCTION",
    "STATUS_COMPLETED",
    "STATUS_IN_SERVICE",
    "STATUS_SUSPENDED",
    "STATUS_CANCELLED",
];
pub(crate) const LEVELS: &[&str] =
    &["LEVEL_NATIONAL", "LEVEL_PROVINCIAL", "LEVEL_MUNICIPAL", "LEVEL_DISTRICT"];
pub(crate) const LISTINGS: &[&str] =
    &["LISTING_RESERVE", "LISTING_NEW_START", "LISTING_CONTINUED", "LISTING_COMPLETED"];

/// The fields, by their paths in the message. Lists are asked with `:`, as in
/// `parties.organization:"organizations/cqu"`; of amounts the currency and the whole units.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("codes.scheme", FieldType::List, By::CodeScheme),
    Field::new("codes.code", FieldType::List, By::Code),
    Field::new("sector", FieldType::Text, By::Sector),
    Field::new("level", FieldType::Enum(LEVELS), By::Level),
    Field::new("key", FieldType::Bool, By::Key),
    Field::new("listing", FieldType::Enum(LISTINGS), By::Listing),
    Field::new("site.address", FieldType::Text, By::Address),
    Field::new("site.division_code", FieldType::Text, By::DivisionCode),
    Field::new("purpose", FieldType::Text, By::Purpose),
    Field::new("scale", FieldType::Text, By::Scale),
    Field::new("investment.currency_code", FieldType::Text, By::InvestmentCurrency),
    Field::new("investment.units", FieldType::Int, By::InvestmentUnits),
    Field::new("funding.organization", FieldType::List, By::FundingOrganization),
    Field::new("parties.organization", FieldType::List, By::PartyOrganization),
    Field::new("planned_period.start_date", FieldType::Date, By::PlannedStart),
    Field::new("planned_period.end_date", FieldType::Date, By::PlannedEnd),
    Field::new("actual_period.start_date", FieldType::Date, By::ActualStart),
    Field::new("actual_period.end_date", FieldType::Date, By::ActualEnd),
    Field::new("parent_project", FieldType::Name, By::Parent),
    Field::new("labels", FieldType::Map, By::Labels),
    Field::new("status", FieldType::Enum(STATUSES), By::Status),
    Field::new("suspended_status", FieldType::Enum(STATUSES), By::SuspendedStatus),
    Field::new("batch", FieldType::Name, By::Batch),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

/// By what projects can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Name,
    DisplayName,
    UpdateTime,
}

/// The orders, by the paths of their fields. The first is that of an empty `order_by`.
pub(crate) const ORDERS: [(&str, Order); 3] =
    [("name", Order::Name), ("display_name", Order::DisplayName), ("update_time", Order::UpdateTime)];

/// A page of the projects of a portfolio, or of all.
///
/// # Errors
/// If there is no such portfolio.
pub(crate) fn list(
    rows: &dyn Read,
    parent: &PortfolioPattern,
    query: &Query<By, Order>,
) -> Result<Page<proto::Project>, Rejection> {
    parent.portfolio().map_or(Ok(()), |portfolio| portfolios::exists(rows, portfolio))?;
    Ok(page(rows, query, candidates(rows, parent, query)))
}

fn candidates<'a>(rows: &'a dyn Read, parent: &PortfolioPattern, query: &Query<By, Order>) -> Candidates<'a> {
    let one = parent.portfolio().map(PortfolioName::id);
    let portfolios = || one.map_or_else(|| portfolios::ids(rows), |id| vec![id.clone()]);
    let each = |source: &dyn Fn(ResourceId) -> Candidates<'a>| {
        merged(portfolios().into_iter().map(source).collect(), query.direction)
    };
    match query.order {
        Order::Name => {
            match (equal_text(&query.filter, By::Status), equal_text(&query.filter, By::DisplayName)) {
                (Some(status), _) if !query.show_deleted => {
                    each(&|portfolio| by_status(rows, portfolio, status, query))
                }
                (_, Some(display_name)) => {
                    each(&|portfolio| by_equal_display_name(rows, portfolio, display_name, query))
                }
                _ => by_name(rows, named(one, query), query.direction, query.after.as_ref()),
            }
        }
        Order::DisplayName => each(&|portfolio| by_display_name(rows, portfolio, query)),
        Order::UpdateTime => each(&|portfolio| by_update_time(rows, portfolio, query)),
    }
}

/// The rows that the parent and the filter's name leave.
fn named(portfolio: Option<&ResourceId>, query: &Query<By, Order>) -> KeyRange {
    if let Some(name) = equal_text(&query.filter, By::Name).and_then(|name| name.parse::<ProjectName>().ok())
        && portfolio.is_none_or(|portfolio| portfolio == name.portfolio().id())
    {
        let start = projects::key(&name);
        let end = Some([start.as_slice(), &[0]].concat());
        return KeyRange { start, end };
    }
    let Some(portfolio) = portfolio else { return projects::all() };
    let collection = format!("portfolios/{portfolio}/projects/");
    let beginning = query.filter.prefix_on(By::Name).and_then(|name| name.strip_prefix(&collection));
    projects::beginning(portfolio, beginning.unwrap_or_default())
}

/// The place of a project in the order of names.
fn name_place(portfolio: &ResourceId, id: ResourceId) -> Place {
    let name = ProjectName::new(PortfolioName::new(portfolio.clone()), id);
    Place { order: Vec::new(), key: projects::key(&name) }
}

/// The id of a place's project, if it is of this portfolio.
fn own_id(portfolio: &ResourceId, place: &Place) -> Option<ResourceId> {
    let name = projects::name(&place.key)?;
    (name.portfolio().id() == portfolio).then(|| name.id().clone())
}

fn by_status<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    status: &str,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let status = Status::from_str_name(status).unwrap_or_default().into();
    let range = projects_by_status::of_status(&portfolio, status);
    let seek = |place: &Place| match own_id(&portfolio, place) {
        Some(id) => Seek::After(projects_by_status::key(&portfolio, status, &id)),
        None => Seek::Within(range.start.clone()),
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| Some(name_place(&of, projects_by_status::id(key)?));
    by_index(rows, range.clone(), query.direction, query.after.as_ref(), seek, place)
}

fn by_equal_display_name<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    display_name: &str,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let range = projects_by_display_name::equal(&portfolio, display_name);
    let seek = |place: &Place| match own_id(&portfolio, place) {
        Some(id) => Seek::After(projects_by_display_name::key(&portfolio, display_name, &id)),
        None => Seek::Within(range.start.clone()),
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| Some(name_place(&of, projects_by_display_name::parts(key)?.1));
    by_index(rows, range.clone(), query.direction, query.after.as_ref(), seek, place)
}

fn by_display_name<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let beginning = query.filter.prefix_on(By::DisplayName).unwrap_or_default();
    let range = projects_by_display_name::beginning(&portfolio, beginning);
    let seek = |place: &Place| {
        let display_name = String::from_utf8_lossy(&place.order);
        match own_id(&portfolio, place) {
            Some(id) => Seek::After(projects_by_display_name::key(&portfolio, &display_name, &id)),
            None => Seek::Within(projects_by_display_name::equal(&portfolio, &display_name).start),
        }
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| {
        let (display_name, id) = projects_by_display_name::parts(key)?;
        Some(Place { order: display_name.into(), ..name_place(&of, id) })
    };
    by_index(rows, range, query.direction, query.after.as_ref(), seek, place)
}

/// Hour by hour, each sorted when it is come to.
fn by_update_time<'a>(rows: &'a dyn Read, portfolio: ResourceId, query: &Query<By, Order>) -> Candidates<'a> {
    let direction = query.direction;
    let after = query.after.clone();
    let mut range = projects_by_hour::of_portfolio(&portfolio);
    if let Some(hour) = after.as_ref().and_then(|place| instant_of(&place.order).map(projects_by_hour::hour))
    {
        let same = projects_by_hour::of_hour(&portfolio, hour);
        match direction {
            Direction::Forward => range.start = same.start,
            Direction::Backward => range.end = same.end,
        }
    }
    let hours = std::iter::from_fn(move || {
        let (key, _) = rows.scan(&range, direction).next()?;
        let (hour, _) = projects_by_hour::parts(&key)?;
        let bucket = projects_by_hour::of_hour(&portfolio, hour);
        match direction {
            Direction::Forward => range.start = bucket.end.clone().unwrap_or_default(),
            Direction::Backward => range.end = Some(bucket.start.clone()),
        }
        Some(within_hour(rows, &portfolio, &bucket))
    });
    Box::new(hours.flat_map(move |places| sorted(places, direction, after.as_ref())))
}

/// The places of the projects that were updated in an hour.
fn within_hour(rows: &dyn Read, portfolio: &ResourceId, bucket: &KeyRange) -> Vec<Place> {
    let ids =
        rows.scan(bucket, Direction::Forward).filter_map(|(key, _)| Some(projects_by_hour::parts(&key)?.1));
    let places = ids.filter_map(|id| {
        let place = name_place(portfolio, id);
        let time = projects::Head::of(rows.get(&place.key)?).update_time();
        Some(Place { order: ordered_instant(time).to_vec(), ..place })
    });
    places.collect()
}

impl Listed<By> for proto::Project {
    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }
}

impl Fields<By> for proto::Project {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::Sector => Value::text(&self.sector),
            By::Level => value::filter_choice(self.level, self.level().as_str_name()),
            By::Key => self.key.into(),
            By::Listing => value::filter_choice(self.listing, self.listing().as_str_name()),
            By::Address => self.site.as_ref().map_or(Value::Absent, |site| Value::text(&site.address)),
            By::DivisionCode => {
                self.site.as_ref().map_or(Value::Absent, |site| Value::text(&site.division_code))
            }
            By::Purpose => Value::text(&self.purpose),
            By::Scale => Value::text(&self.scale),
            By::InvestmentCurrency => value::filter_currency(self.investment.as_ref()),
            By::InvestmentUnits => value::filter_units(self.investment.as_ref()),
            By::PlannedStart => value::filter_start(self.planned_period.as_ref()),
            By::PlannedEnd => value::filter_end(self.planned_period.as_ref()),
            By::ActualStart => value::filter_start(self.actual_period.as_ref()),
            By::ActualEnd => value::filter_end(self.actual_period.as_ref()),
            By::Parent => Value::text(&self.parent_project),
            By::Status => value::filter_choice(self.status, self.status().as_str_name()),
            By::SuspendedStatus => {
                value::filter_choice(self.suspended_status, self.suspended_status().as_str_name())
            }
            By::Batch => Value::text(&self.batch),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations
            | By::CodeScheme
            | By::Code
            | By::FundingOrganization
            | By::PartyOrganization
            | By::Labels => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            By::Translations => self.translations.keys().any(|tag| test(tag)),
            By::CodeScheme => self.codes.iter().any(|code| test(&code.scheme)),
            By::Code => self.codes.iter().any(|code| test(&code.code)),
            By::FundingOrganization => self
                .funding
                .iter()
                .any(|source| !source.organization.is_empty() && test(&source.organization)),
            By::PartyOrganization => self.parties.iter().any(|party| test(&party.organization)),
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
