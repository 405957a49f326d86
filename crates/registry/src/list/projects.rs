//! Lists of projects: what they can be filtered by is [`SCHEMA`], and by what they can be ordered [`ORDERS`].
//!
//! A status that must be equal is looked up in its index unless deleted ones are asked for, a display
//! name that must be equal or begin so in its own, a name in the rows.

use milepost_ledger::{KeyRange, Read};
use milepost_proto::registry::v1 as proto;
use milepost_service::merge::merged;
use milepost_types::{PortfolioName, PortfolioPattern, ProjectName, Rejection, ResourceId};
use proto::project::Status;

pub(crate) use super::project_fields::{By, SCHEMA};
#[cfg(test)]
pub(crate) use super::project_fields::{LEVELS, LISTINGS, STATUSES};
use super::scan::{by_index, by_name, seek};
use super::{Candidates, Page, Place, Query, equal_text, page};
use crate::tables::{
    portfolios, projects, projects_by_display_name, projects_by_status, projects_by_update_time,
};

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
/// If there is no such portfolio, or if a row cannot be decoded.
pub(crate) fn list(
    rows: &dyn Read,
    parent: &PortfolioPattern,
    query: &Query<By, Order>,
) -> Result<Page<proto::Project>, Rejection> {
    portfolios::check_parent(rows, parent)?;
    page(rows, query, candidates(rows, parent, query), Ok)
}

fn candidates<'a>(rows: &'a dyn Read, parent: &PortfolioPattern, query: &Query<By, Order>) -> Candidates<'a> {
    let one = parent.portfolio().map(PortfolioName::id);
    let portfolios = || one.map_or_else(|| portfolios::ids(rows), |id| vec![id.clone()]);
    let each = |source: &dyn Fn(ResourceId) -> Candidates<'a>| {
        Box::new(merged(portfolios().into_iter().map(source).collect(), query.direction)) as Candidates<'a>
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

fn by_status<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    status: &str,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let status = Status::from_str_name(status).unwrap_or_default().into();
    let range = projects_by_status::of_status(&portfolio, status);
    let beyond = |place: &Place| {
        let name = projects::name(&place.key)?;
        let key = || projects_by_status::key(&portfolio, status, name.id());
        Some(seek(&portfolio, name.portfolio().id(), key, || range.start.clone()))
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| Some(name_place(&of, projects_by_status::id(key)?));
    by_index(rows, range.clone(), query.direction, query.after.as_ref(), beyond, place)
}

fn by_equal_display_name<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    display_name: &str,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let range = projects_by_display_name::equal(&portfolio, display_name);
    let beyond = |place: &Place| {
        let name = projects::name(&place.key)?;
        let key = || projects_by_display_name::key(&portfolio, display_name, name.id());
        Some(seek(&portfolio, name.portfolio().id(), key, || range.start.clone()))
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| Some(name_place(&of, projects_by_display_name::parts(key)?.1));
    by_index(rows, range.clone(), query.direction, query.after.as_ref(), beyond, place)
}

fn by_display_name<'a>(
    rows: &'a dyn Read,
    portfolio: ResourceId,
    query: &Query<By, Order>,
) -> Candidates<'a> {
    let beginning = query.filter.prefix_on(By::DisplayName).unwrap_or_default();
    let range = projects_by_display_name::beginning(&portfolio, beginning);
    let beyond = |place: &Place| {
        let name = projects::name(&place.key)?;
        let display_name = String::from_utf8_lossy(&place.order);
        let key = || projects_by_display_name::key(&portfolio, &display_name, name.id());
        let same = || projects_by_display_name::equal(&portfolio, &display_name).start;
        Some(seek(&portfolio, name.portfolio().id(), key, same))
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| {
        let (display_name, id) = projects_by_display_name::parts(key)?;
        Some(Place { order: display_name.into(), ..name_place(&of, id) })
    };
    by_index(rows, range, query.direction, query.after.as_ref(), beyond, place)
}

fn by_update_time<'a>(rows: &'a dyn Read, portfolio: ResourceId, query: &Query<By, Order>) -> Candidates<'a> {
    let range = projects_by_update_time::of_portfolio(&portfolio);
    let beyond = |place: &Place| {
        let name = projects::name(&place.key)?;
        let key = || projects_by_update_time::key_at(&portfolio, &place.order, name.id());
        let same = || projects_by_update_time::beginning(&portfolio, &place.order);
        Some(seek(&portfolio, name.portfolio().id(), key, same))
    };
    let of = portfolio.clone();
    let place = move |key: &[u8]| {
        let (time, id) = projects_by_update_time::parts(key)?;
        Some(Place { order: time.to_vec(), ..name_place(&of, id) })
    };
    by_index(rows, range, query.direction, query.after.as_ref(), beyond, place)
}
