//! Reports: what the projects of a portfolio come to in a year, as of a day.
//!
//! Invariants: a report is computed from one state of the rows and changes nothing; all numbers are exact, and rounded
//! once, where they are written. `projects` reads the rows, crate `milepost-figures` says what counts as known,
//! `tally` adds up, `statistics` writes figures.

pub(crate) mod group;
mod projects;
mod statistics;
mod tally;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use milepost_figures::Window;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::query_statistics_request::{Basis, TimeBasis};
use milepost_proto::registry::v1::{
    Collection, Portfolio, Project, QueryStatisticsResponse, StatisticsGroup,
};
use milepost_resource::{Dates, FilterRow, Name, Query, date_message, encoded_len, field_number};
use milepost_types::filter::FilterError;
use milepost_types::{CurrencyCode, Filter, Rejection, Violations, limits};

use crate::annual_list::members::{Listings, listings};
use crate::portfolio::{check_not_after, current_date};
use crate::tables::{Registry, Rows};
use group::{GroupBy, Groups, TooManyGroups};
use projects::{Reader, Relations};
use statistics::Writer;
use tally::{Added, Tally};

/// What a report is asked for.
pub(crate) struct ReportQuery {
    pub(crate) portfolio: Name<Portfolio>,
    /// A filter that cannot be read is refused as lists refuse it.
    pub(crate) filter: Result<Filter<usize>, FilterError>,
    /// What it is grouped by, as the request says it.
    pub(crate) paths: Vec<String>,
    pub(crate) group_by: Vec<GroupBy>,
    /// None: that of the date.
    pub(crate) year: Option<i32>,
    /// None: today.
    pub(crate) date: Option<Date>,
    pub(crate) basis: Basis,
    pub(crate) knowledge: Knowledge,
    pub(crate) time_basis: TimeBasis,
}

/// Computes a report.
///
/// # Errors
/// If the portfolio is not there, if the date is after today or of no year of reports, if a sum or the groups are too
/// large, or if a row cannot be decoded.
pub(crate) fn answer(query: Query<'_, Registry, ReportQuery>) -> Result<QueryStatisticsResponse, Rejection> {
    let revision = query.revision();
    let Query { rows, now, request: asked, .. } = query;
    let filter = asked.filter.as_ref();
    let filter = filter.map_err(|error| Rejection::Filter { field: "filter", error: error.clone() })?;
    let portfolio = rows.find(&asked.portfolio)?;
    let (date, year) = date_and_year(asked, current_date(&portfolio, now))?;
    let currency = CurrencyCode::stored(&portfolio.reporting_currency_code);
    let currency = currency.ok_or_else(|| asked.portfolio.damaged("reporting_currency_code: is none"))?;
    let window = Window::new(year, date);
    let reader = Reader {
        rows: rows.read,
        portfolio: &asked.portfolio,
        filter,
        numbers: numbers(filter, &asked.group_by),
        current_date: Registry::current_date(&rows, &asked.portfolio, now)?,
        year,
        days: window.days(),
        day: date.into(),
        currency,
        knowledge: asked.knowledge,
    };
    let candidates = reader.read_all()?;
    let name = asked.portfolio.to_string();
    // What the names of its projects begin with, before the id.
    let prefix = format!("{name}/projects/");
    let list = listings(&rows, &asked.portfolio, year, &prefix)?;
    let collections = match asked.group_by.contains(&GroupBy::Collection) {
        true => collections(&rows, &asked.portfolio, &prefix)?,
        false => HashMap::new(),
    };
    let relations = Relations::of(&candidates, &prefix);
    let (total, groups) = add_up(asked, &relations, list.as_ref(), &collections, &reader)?;
    let writer = Writer { portfolio: &name, currency, window, time_basis: asked.time_basis };
    Ok(QueryStatisticsResponse {
        total: Some(writer.statistics(total)?),
        groups: write_groups(&writer, &asked.portfolio, groups)?,
        annual_list: list.map(|(list, _)| list.to_string()).unwrap_or_default(),
        portfolio: name,
        year,
        date: Some(date_message(date)),
        basis: asked.basis.into(),
        knowledge: asked.knowledge.into(),
        time_basis: asked.time_basis.into(),
        currency_code: currency.to_string(),
        group_by: asked.paths.clone(),
        revision,
    })
}

/// The day and the year of a report.
fn date_and_year(asked: &ReportQuery, today: Date) -> Result<(Date, i32), Rejection> {
    let mut violations = Violations::new();
    let instead = "a report is of what has happened; give today or a day before it";
    check_not_after("date", asked.date, today, instead, &mut violations);
    let date = asked.date.unwrap_or(today);
    let year = asked.year.unwrap_or_else(|| date.year().into());
    if !limits::YEARS.contains(&year) {
        let (first, last) = (limits::YEARS.start(), limits::YEARS.end());
        let description = format!("{year}, the year of the date, is not from {first} to {last}; give a year");
        violations.push("year", "OUT_OF_RANGE", description);
    }
    Ok(violations.into_result((date, year))?)
}

/// The numbers of the fields of projects that a filter and groups need.
fn numbers(filter: &Filter<usize>, group_by: &[GroupBy]) -> Vec<u32> {
    let mut numbers: Vec<u32> = group_by.iter().filter_map(GroupBy::number).collect();
    filter.any_comparison(|comparison| {
        numbers.extend(field_number::<Project>(comparison.field()));
        false
    });
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The names of collections, by the ids of the projects that are members of them.
type Collections = HashMap<String, Vec<Arc<str>>>;

/// The collections of a portfolio that are not deleted.
fn collections(rows: &Rows<'_>, portfolio: &Name<Portfolio>, prefix: &str) -> Result<Collections, Rejection> {
    let mut found = Collections::new();
    for row in rows.under::<Collection>(portfolio.ids(), None) {
        let (name, row) = row?;
        let collection = rows.read(&name, row)?;
        let name: Arc<str> = name.to_string().into();
        let members = collection.members.iter().filter(|_| !collection.is_deleted());
        for id in members.filter_map(|member| member.strip_prefix(prefix)) {
            found.entry(id.to_owned()).or_default().push(Arc::clone(&name));
        }
    }
    Ok(found)
}

/// Adds up the projects of the basis, and each group of them.
fn add_up(
    asked: &ReportQuery,
    relations: &Relations<'_>,
    list: Option<&Listings>,
    collections: &Collections,
    reader: &Reader<'_>,
) -> Result<(Tally, BTreeMap<Vec<String>, Tally>), Rejection> {
    let (mut total, mut groups) = (Tally::default(), Groups::new(&asked.group_by));
    let (has_begun, nothing) = (reader.days.is_some(), Project::default());
    for (i, candidate) in relations.projects.iter().enumerate() {
        let Some(project) = &candidate.counted else { continue };
        let listing = listed_as(i, relations, list);
        let (listed, split) = (relations.listed[i], relations.split[i]);
        let is_counted = if asked.basis == Basis::Split { split } else { listed };
        let named = Some(relations.prefix);
        let mut added = Added { candidate, project, listing, day: reader.day, has_begun, named };
        let add = |tally: &mut Tally, added: &Added<'_>| {
            tally.listed += i32::from(listed);
            tally.split += i32::from(split);
            if is_counted {
                tally.add(added);
            }
        };
        add(&mut total, &added);
        if asked.group_by.is_empty() {
            continue;
        }
        added.named = None;
        let fields = &FilterRow::of(project.fields.as_deref().unwrap_or(&nothing), &|| None);
        let collections = collections.get(&candidate.id).map(Vec::as_slice).unwrap_or_default();
        let added_to = groups.add(fields, listing, collections, |tally| add(tally, &added));
        added_to.map_err(|TooManyGroups| {
            too_many(&asked.portfolio, &format!("there are more than {} groups", limits::REPORT_GROUPS))
        })?;
    }
    Ok((total, groups.into_sorted()))
}

/// Groups that are more than an answer holds.
fn too_many(portfolio: &Name<Portfolio>, what: &str) -> Rejection {
    let description = format!("{what}; group by something else, or leave some out by a filter");
    Rejection::precondition("TOO_MANY_GROUPS", portfolio.to_string(), description)
}

/// As what a project is listed in the year: as the list of the year says of it, or of the nearest one above it that is on
/// it; without a list, as it says itself.
fn listed_as(i: usize, relations: &Relations<'_>, list: Option<&Listings>) -> Listing {
    let projects = relations.projects;
    let Some((_, list)) = list else { return projects[i].listing };
    let on_list = |i: usize| {
        let listing = *list.get(&projects[i].id)?;
        Some(if listing == Listing::Unspecified { projects[i].listing } else { listing })
    };
    on_list(i).or_else(|| relations.above(i).find_map(on_list)).unwrap_or_default()
}

/// Writes what groups come to.
fn write_groups(
    writer: &Writer<'_>,
    portfolio: &Name<Portfolio>,
    groups: BTreeMap<Vec<String>, Tally>,
) -> Result<Vec<StatisticsGroup>, Rejection> {
    let count = groups.len();
    let (mut written, mut bytes) = (Vec::with_capacity(count), 0);
    for (values, tally) in groups {
        let group = StatisticsGroup { values, statistics: Some(writer.statistics(tally)?) };
        bytes += encoded_len(&group);
        written.push(group);
    }
    if bytes > limits::ANSWER_ITEM_BYTES / 2 {
        let what = format!("the values of {count} groups are more than an answer holds");
        return Err(too_many(portfolio, &what));
    }
    Ok(written)
}
