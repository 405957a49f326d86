//! Lists of milestones, page by page, on one consistent cut of rows.
//!
//! By name the rows themselves are in order; by forecast it is the index of due dates. One project's
//! milestones are sorted here as long as they are few: an index of their own would cost every forecast. Of a
//! project with more than [`SORTED`] the index of its portfolio is searched.
//! Invariants: a page holds what matches and was asked to be seen, in order, and goes on after the key of
//! the page before, whatever came or went meanwhile. It holds no more than one answer does ([`Room`]) and
//! scans no more rows than any page does ([`Search`]); then it ends early, and its token goes on.

mod merge;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, Read};
use milepost_proto::registry::v1::Portfolio as PortfolioMessage;
use milepost_proto::resource::Resource;
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Dates, Days, FilterRow, Name, Rows};
use milepost_service::merge::merged;
use milepost_types::filter::{CurrentDate, Schema};
use milepost_types::{DamagedRow, Filter, ProjectName, ProjectPattern, Rejection, Room, Search, limits};
use prost::Message;

use crate::convert::Unreadable;
use crate::convert::milestone::complete;
use crate::decide::{Today, Tracker};
use crate::mirror::Portfolio;
use crate::tables::key::{self, DAY_BYTES};
use crate::tables::{self, Table};

/// So many milestones of one project are sorted for a page.
const SORTED: usize = limits::PAGE_ROWS;

/// What milestones can be filtered by.
pub(crate) const SCHEMA: Schema<usize> = Schema::new(Milestone::FILTER);

/// By what a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By name.
    Name,
    /// By forecast, or baseline where there is none; then by name.
    Forecast,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Under which project, or all.
    pub(crate) parent: ProjectPattern,
    /// How many at most.
    pub(crate) size: usize,
    /// Which.
    pub(crate) filter: Filter<usize>,
    /// By what.
    pub(crate) order: Order,
    /// The greatest first.
    pub(crate) descending: bool,
    /// Deleted ones too.
    pub(crate) show_deleted: bool,
    /// The place of the last one that was scanned for the page before.
    pub(crate) after: Option<Vec<u8>>,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// In order.
    pub(crate) milestones: Vec<Milestone>,
    /// The place to go on after; none: there are no more.
    pub(crate) next: Option<Vec<u8>>,
    /// How many rows were scanned.
    pub(crate) scanned: usize,
}

/// A candidate: its place in the order, and its row, or none if it is known not to be on the page.
type Candidate = (Vec<u8>, Option<Bytes>);

/// The page that is asked for, `now`.
pub(crate) fn page(rows: &dyn Read, query: &Query, now: Timestamp) -> Result<Page, DamagedRow> {
    let dated = Rows::<Tracker>::new(rows);
    let days = Days::new(&dated, now);
    let page = match (query.order, &query.parent) {
        (Order::Name, _) => gather(by_name(rows, query), query, &days, <[u8]>::to_vec),
        (Order::Forecast, ProjectPattern::One(project)) => match sorted(rows, query)? {
            Some(places) => gather(places, query, &days, key_of),
            None => gather(of_project(rows, project, query), query, &days, key_of),
        },
        (Order::Forecast, _) => gather(by_forecast(rows, query), query, &days, key_of),
    }?;
    days.check()?;
    Ok(page)
}

/// The date of milestones is that of `GetCurrentDate`.
impl Dates for Tracker {
    fn current_date(
        rows: &Rows<'_, Self>,
        name: &Name<PortfolioMessage>,
        now: Timestamp,
    ) -> Result<Option<CurrentDate>, DamagedRow> {
        let Ok(name) = name.to_string().parse() else { return Ok(None) };
        let portfolio = match tables::portfolio::get_stored(rows.read, &name) {
            Some(stored) => Portfolio::from(&tables::portfolio::read(&name, &stored)?),
            None => Portfolio::unknown(),
        };
        let today = Today::of(rows.read, &name, &portfolio, now)?;
        Ok(Some(CurrentDate::new(today.current, &portfolio.zone)))
    }
}

/// Refuses to read under a portfolio or project that is not there, as far as the registry was followed;
/// deleted ones are there, and so is whatever has milestones.
///
/// # Errors
/// If there is no such portfolio or project.
pub(crate) fn check_parent(rows: &dyn Read, parent: &ProjectPattern) -> Result<(), Rejection> {
    let Some(portfolio) = parent.portfolio() else { return Ok(()) };
    let has_milestones = || rows.scan(&tables::milestone::range(parent), Direction::Forward).next().is_some();
    let missing = match parent.project() {
        _ if tables::portfolio::get_stored(rows, portfolio).is_none() => Rejection::not_found(portfolio),
        Some(project) if tables::project::is_deleted(rows, project)?.is_none() => {
            Rejection::not_found(project)
        }
        _ => return Ok(()),
    };
    if has_milestones() { Ok(()) } else { Err(missing) }
}

impl Query {
    fn direction(&self) -> Direction {
        if self.descending { Direction::Backward } else { Direction::Forward }
    }

    /// The milestone that a row holds, if it is to be on the page.
    fn take(
        &self,
        key: &[u8],
        value: Bytes,
        days: &Days<'_, Tracker>,
    ) -> Result<Option<Milestone>, DamagedRow> {
        let milestone = Milestone::decode(value).map_err(Unreadable::from).and_then(complete);
        let milestone = milestone.map_err(|error| Table::Milestone.damaged(key, error))?;
        let current_date = || days.of(&milestone.name);
        let listed = self.show_deleted || milestone.delete_time.is_none();
        let listed = listed && self.filter.matches(&FilterRow::of(&milestone, &current_date));
        Ok(listed.then_some(milestone))
    }
}

/// Fills a page from candidates that come in order.
fn gather(
    candidates: impl Iterator<Item = Candidate>,
    query: &Query,
    days: &Days<'_, Tracker>,
    key: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Page, DamagedRow> {
    let (mut room, mut search) = (Room::page(query.size), Search::default());
    let (mut milestones, mut next, mut last) = (Vec::new(), None, None);
    for (place, value) in candidates {
        // What begins the next page is not read for this one.
        if room.is_full() {
            next = last;
            break;
        }
        let bytes = value.as_ref().map_or(0, Bytes::len);
        // Whether there is a next page is known when the row that begins it is found; a search that takes
        // too long goes on there.
        if !search.count_row(bytes) {
            next = last;
            break;
        }
        let milestone = value.map(|value| query.take(&key(&place), value, days)).transpose()?.flatten();
        if let Some(milestone) = milestone {
            // What is answered is encoded as the row is.
            if !room.admit(bytes) {
                next = last;
                break;
            }
            milestones.push(milestone);
        }
        last = Some(place);
    }
    Ok(Page { milestones, next, scanned: search.rows() })
}

fn by_name<'a>(rows: &'a dyn Read, query: &Query) -> impl Iterator<Item = Candidate> + 'a {
    let range = tables::milestone::range(&query.parent).beyond(query.after.as_deref(), query.direction());
    rows.scan(&range, query.direction()).map(|(key, value)| (key.to_vec(), Some(value)))
}

/// Of a portfolio its index; of all portfolios their indexes, merged.
fn by_forecast<'a>(rows: &'a dyn Read, query: &Query) -> impl Iterator<Item = Candidate> + 'a {
    places(rows, query).map(|place| {
        let value = rows.get(&key_of(&place));
        (place, value)
    })
}

/// The milestones of one project in the index of its portfolio.
fn of_project<'a>(
    rows: &'a dyn Read,
    project: &ProjectName,
    query: &Query,
) -> impl Iterator<Item = Candidate> + 'a {
    let range = tables::milestone::range(&ProjectPattern::One(project.clone()));
    places(rows, query).map(move |place| {
        let key = key_of(&place);
        let value = key.starts_with(&range.start).then(|| rows.get(&key)).flatten();
        (place, value)
    })
}

/// The places after that of the query, in its direction.
fn places<'a>(rows: &'a dyn Read, query: &Query) -> impl Iterator<Item = Vec<u8>> + 'a {
    let ranges = match query.parent.portfolio() {
        Some(portfolio) => vec![tables::due::range(portfolio)],
        None => merge::portfolios(rows),
    };
    let after = query.after.as_deref();
    let scans = ranges.into_iter().map(|range| {
        let after = after.map(|place| merge::key_at(&range, place));
        rows.scan(&range.beyond(after.as_deref(), query.direction()), query.direction())
            .map(|(key, _)| place(&key))
    });
    merged(scans.collect(), query.direction())
}

/// One project's milestones in the order of forecasts, sorted; none if they are too many for that.
fn sorted<'a>(
    rows: &'a dyn Read,
    query: &Query,
) -> Result<Option<impl Iterator<Item = Candidate> + 'a>, DamagedRow> {
    let range = tables::milestone::range(&query.parent);
    let place = |(key, value): (Bytes, Bytes)| {
        let due = tables::milestone::view_of(&key, &value)?.due();
        Ok(place(&key::of_index(Table::Due, &key, due)))
    };
    let rows_of_project = rows.scan(&range, Direction::Forward).take(SORTED + 1);
    let mut places: Vec<_> = rows_of_project.map(place).collect::<Result<_, DamagedRow>>()?;
    if places.len() > SORTED {
        return Ok(None);
    }
    places.sort_unstable();
    if query.descending {
        places.reverse();
    }
    let comes_later = |place: &Vec<u8>| {
        query.after.as_ref().is_none_or(|after| (place > after) != query.descending && place != after)
    };
    places.retain(comes_later);
    Ok(Some(places.into_iter().map(|place| {
        let value = rows.get(&key_of(&place));
        (place, value)
    })))
}

/// The place of a milestone in the order of forecasts, over all portfolios: the date, then the name.
fn place(due_key: &[u8]) -> Vec<u8> {
    let (portfolio, rest) = key::split_portfolio(due_key);
    let (day, rest) = rest.split_at(DAY_BYTES.min(rest.len()));
    [day, portfolio, rest].concat()
}

/// The key of the row of the milestone at a place.
fn key_of(place: &[u8]) -> Vec<u8> {
    Key::of(Table::Milestone).bytes(place.get(DAY_BYTES..).unwrap_or_default()).done()
}
