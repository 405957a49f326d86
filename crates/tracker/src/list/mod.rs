//! Lists of milestones, page by page, on one consistent cut of rows.
//!
//! By name the rows themselves are in order; by forecast it is the index of due dates. Only one
//! project's milestones are sorted here: they are few, and a second index would cost every forecast.
//! Invariants: a page holds what matches and was asked to be seen, in order, and goes on after the key of
//! the page before, whatever came or went meanwhile. At most [`LOOKED_AT`] rows are looked at for a page
//! beyond those on it; then it ends early, and its token goes on.

mod fields;
mod merge;

use std::collections::BTreeMap;

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, Read};
use milepost_service::merge::merged;
use milepost_types::filter::Fields;
use milepost_types::{Filter, ProjectPattern};

pub(crate) use fields::{Field, SCHEMA};

use crate::convert::Unreadable;
use crate::convert::milestone::Glance;
use crate::tables::key::{self, DAY_BYTES};
use crate::tables::{self, Table};

/// Rows that one page looks at, beyond those that it holds.
const LOOKED_AT: usize = 10_000;

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
    pub(crate) filter: Filter<Field>,
    /// By what.
    pub(crate) order: Order,
    /// The greatest first.
    pub(crate) descending: bool,
    /// Deleted ones too.
    pub(crate) show_deleted: bool,
    /// The place of the last one that was looked at for the page before.
    pub(crate) after: Option<Vec<u8>>,
}

/// What a row is read to, for a list to look at and to tell.
pub(crate) trait Listed: Fields<Field> + Sized {
    /// What a row holds.
    fn read(value: Bytes) -> Result<Self, Unreadable>;

    /// Whether it is deleted.
    fn is_deleted(&self) -> bool;
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// In order.
    pub(crate) milestones: Vec<T>,
    /// The place to go on after; none: there are no more.
    pub(crate) next: Option<Vec<u8>>,
    /// How many rows were looked at.
    pub(crate) looked_at: usize,
}

/// A candidate: its place in the order, and its row.
type Candidate = (Vec<u8>, Bytes);

/// The page that is asked for.
pub(crate) fn page<T: Listed>(rows: &dyn Read, query: &Query) -> Result<Page<T>, Unreadable> {
    match (query.order, &query.parent) {
        (Order::Name, _) => gather(by_name(rows, query), query),
        (Order::Forecast, ProjectPattern::One(_)) => of_project(rows, query),
        (Order::Forecast, _) => gather(by_forecast(rows, query), query),
    }
}

impl Query {
    fn direction(&self) -> Direction {
        if self.descending { Direction::Backward } else { Direction::Forward }
    }

    /// The milestone that a row holds, if it is to be on the page.
    fn take<T: Listed>(&self, value: Bytes) -> Result<Option<T>, Unreadable> {
        let milestone = T::read(value)?;
        let visible = self.show_deleted || !milestone.is_deleted();
        Ok((visible && self.filter.matches(&milestone)).then_some(milestone))
    }
}

/// Fills a page from candidates that come in order.
fn gather<T: Listed>(
    candidates: impl Iterator<Item = Candidate>,
    query: &Query,
) -> Result<Page<T>, Unreadable> {
    let mut page = Page { milestones: Vec::new(), next: None, looked_at: 0 };
    let mut last = None;
    for (place, value) in candidates {
        page.looked_at += 1;
        // Whether there is a next page is known when the row that begins it is found; a search that takes
        // too long goes on there.
        let taken = query.take(value)?;
        if taken.is_some() && page.milestones.len() == query.size {
            page.next = last;
            return Ok(page);
        }
        page.milestones.extend(taken);
        last = Some(place);
        if page.looked_at >= LOOKED_AT + page.milestones.len() {
            page.next = last;
            return Ok(page);
        }
    }
    Ok(page)
}

fn by_name<'a>(rows: &'a dyn Read, query: &Query) -> impl Iterator<Item = Candidate> + 'a {
    let range = tables::milestone::range(&query.parent).beyond(query.after.as_deref(), query.direction());
    rows.scan(&range, query.direction()).map(|(key, value)| (key.to_vec(), value))
}

/// Of a portfolio its index; of all portfolios their indexes, merged.
fn by_forecast<'a>(rows: &'a dyn Read, query: &Query) -> impl Iterator<Item = Candidate> + 'a {
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
    merged(scans.collect(), query.direction()).filter_map(|place| {
        let value = rows.get(&key_of(&place))?;
        Some((place, value))
    })
}

/// One project's milestones in the order of forecasts: those that come next, chosen from all.
fn of_project<T: Listed>(rows: &dyn Read, query: &Query) -> Result<Page<T>, Unreadable> {
    let mut chosen: BTreeMap<Vec<u8>, T> = BTreeMap::new();
    let (mut more, mut looked_at) = (false, 0);
    for (key, value) in rows.scan(&tables::milestone::range(&query.parent), Direction::Forward) {
        looked_at += 1;
        let place = place(&key::of_index(Table::Due, &key, Glance::at(&value).due()));
        let comes_later =
            query.after.as_ref().is_none_or(|after| (place > *after) != query.descending && place != *after);
        if !comes_later {
            continue;
        }
        if let Some(milestone) = query.take(value)? {
            chosen.insert(place, milestone);
        }
        if chosen.len() > query.size {
            let _ = if query.descending { chosen.pop_first() } else { chosen.pop_last() };
            more = true;
        }
    }
    let last = if query.descending { chosen.first_key_value() } else { chosen.last_key_value() };
    let next = last.filter(|_| more).map(|(place, _)| place.clone());
    let milestones = chosen.into_values();
    let milestones = if query.descending { milestones.rev().collect() } else { milestones.collect() };
    Ok(Page { milestones, next, looked_at })
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
