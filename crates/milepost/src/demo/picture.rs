//! The picture of a portfolio: starts and milestones over time, and its batches.
//!
//! Invariant: only what the API answers is drawn; declared and registered figures have lines of their own,
//! and what is not known is said so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use milepost_client::Client;
use milepost_proto::google::r#type as google;
use milepost_proto::registry::v1::{Batch, ListBatchesRequest, ListProjectsRequest, Project};
use milepost_proto::tracker::v1::{ListMilestonesRequest, Milestone, milestone::State};

use super::chart::{self, Mark, Row};
use crate::error::Error;
use crate::output::{text, width};

/// Columns of a chart where there is no terminal to ask, and at most.
const COLUMNS: usize = 80;
/// Columns of the longest bar.
const BAR_COLUMNS: u16 = 20;
const PAGE: i32 = 1000;

/// Asks for a portfolio's projects, milestones and batches, and draws them.
///
/// # Errors
/// What a server refused.
pub async fn draw(client: &Client, portfolio: &str, columns: Option<u16>) -> Result<String, Error> {
    let columns = columns.map_or(COLUMNS, usize::from).min(COLUMNS);
    let projects = projects(client, portfolio).await?;
    let milestones = milestones(client, portfolio).await?;
    let batches = batches(client, portfolio).await?;
    Ok(format!("\n{}\n{}", over_time(&projects, &milestones, columns), declared_and_registered(&batches)))
}

/// Reads every page of a list.
macro_rules! all_pages {
    ($client:expr, $stub:ident.$list:ident($request:expr) -> $field:ident) => {{
        let mut found = Vec::new();
        let mut request = $request;
        loop {
            let retry = $client.retry();
            let mut response = retry
                .read(retry.deadline(), request.clone(), |request| {
                    let mut stub = $client.$stub();
                    async move { stub.$list(request).await }
                })
                .await?;
            found.append(&mut response.$field);
            if response.next_page_token.is_empty() {
                break Ok(found);
            }
            request.page_token = response.next_page_token;
        }
    }};
}

async fn projects(client: &Client, portfolio: &str) -> Result<Vec<Project>, Error> {
    let request = ListProjectsRequest { parent: portfolio.to_owned(), page_size: PAGE, ..Default::default() };
    all_pages!(client, projects.list_projects(request) -> projects)
}

async fn milestones(client: &Client, portfolio: &str) -> Result<Vec<Milestone>, Error> {
    let parent = format!("{portfolio}/projects/-");
    let request = ListMilestonesRequest { parent, page_size: PAGE, ..Default::default() };
    all_pages!(client, milestones.list_milestones(request) -> milestones)
}

async fn batches(client: &Client, portfolio: &str) -> Result<Vec<Batch>, Error> {
    let order_by = "start_date".to_owned();
    let request =
        ListBatchesRequest { parent: portfolio.to_owned(), page_size: PAGE, order_by, ..Default::default() };
    all_pages!(client, batches.list_batches(request) -> batches)
}

/// The chart of what has a date, and the names of what has none.
fn over_time(projects: &[Project], milestones: &[Milestone], columns: usize) -> String {
    let mut marks: BTreeMap<&str, Vec<(Date, Mark)>> = BTreeMap::new();
    let mut undated = Vec::new();
    let titles: BTreeMap<&str, &str> =
        projects.iter().map(|project| (project.name.as_str(), project.display_name.as_str())).collect();
    for project in projects {
        let start = project.actual_period.and_then(|period| civil(period.start_date));
        marks.entry(&project.name).or_default().extend(start.map(|start| (start, Mark::Start)));
    }
    for milestone in milestones {
        let project = milestone.name.split("/milestones/").next().unwrap_or_default();
        match mark(milestone) {
            Some(mark) => marks.entry(project).or_default().push(mark),
            None => {
                let title = titles.get(project).copied().unwrap_or_default();
                let year = milestone
                    .labels
                    .get("expected-year")
                    .map(|year| format!(" ({year})"))
                    .unwrap_or_default();
                undated.push(format!("{title} · {}{year}", milestone.display_name));
            }
        }
    }
    let mut rows: Vec<Row> = marks
        .iter()
        .filter(|(_, marks)| !marks.is_empty())
        .map(|(name, marks)| Row {
            label: titles.get(name).copied().unwrap_or(name).to_owned(),
            marks: marks.clone(),
        })
        .collect();
    rows.sort_by_key(|row| row.marks.iter().map(|(date, _)| *date).min());
    let dated: BTreeSet<&str> =
        marks.iter().filter(|(_, marks)| !marks.is_empty()).map(|(name, _)| *name).collect();
    let without: Vec<String> = projects
        .iter()
        .filter(|project| !dated.contains(project.name.as_str()))
        .map(|project| project.display_name.clone())
        .collect();

    let mut picture = format!(
        "Starts and milestones over time   {} started  {} achieved  {} expected\n\n{}",
        Mark::Start.symbol(),
        Mark::Achieved.symbol(),
        Mark::Expected.symbol(),
        chart::over_months(&rows, columns)
    );
    picture.push_str(&listed("Milestones without a date", &undated, columns));
    picture.push_str(&listed("Projects without a dated start or milestone", &without, columns));
    picture
}

/// What of a milestone is drawn: when it happened, else when it is due.
fn mark(milestone: &Milestone) -> Option<(Date, Mark)> {
    match milestone.state() {
        State::Cancelled => None,
        State::Achieved => civil(milestone.actual_date).map(|date| (date, Mark::Achieved)),
        _ => civil(milestone.forecast_date.or(milestone.baseline_date)).map(|date| (date, Mark::Expected)),
    }
}

/// Each batch twice: as it was declared, and as its members add up.
fn declared_and_registered(batches: &[Batch]) -> String {
    let most =
        batches.iter().map(|batch| batch.declared_count.unwrap_or(0).max(batch.registered_count)).max();
    let most = f64::from(most.unwrap_or(0));
    let mut picture =
        "Concentrated starts 集中开工: what was declared, and what its members add up to\n\n".to_owned();
    for batch in batches {
        let known = batch.declared_count.map_or(text::ABSENT.to_owned(), |count| count.to_string());
        let declared =
            (text::date(batch.start_date.as_ref()), "declared", known, batch.declared_count.unwrap_or(0));
        let count = batch.registered_count;
        let registered = (String::new(), "registered", count.to_string(), count);
        let investments = [
            batch
                .declared_investment
                .as_ref()
                .map_or("total not said".to_owned(), |money| text::money(Some(money))),
            registered_investment(batch),
        ];
        for ((date, what, known, count), investment) in [declared, registered].into_iter().zip(investments) {
            let bar = width::pad(&chart::bar(count.into(), most, BAR_COLUMNS), BAR_COLUMNS.into());
            picture.push_str(&format!("{date:10}  {what:10} {known:>5}  {bar}  {investment}\n"));
        }
    }
    picture
}

fn registered_investment(batch: &Batch) -> String {
    let sums = batch.registered_investments.iter().map(|sum| text::money(Some(sum)));
    let unknown = batch.registered_without_investment_count;
    let unknown = (unknown > 0).then(|| format!("{unknown} without a figure"));
    sums.chain(unknown).collect::<Vec<_>>().join(", ")
}

/// A heading and names, in lines of so many columns; nothing without names.
fn listed(heading: &str, names: &[String], columns: usize) -> String {
    let mut lines = String::new();
    let mut line = format!("{heading}: ");
    for (index, name) in names.iter().enumerate() {
        let more = if index + 1 < names.len() { "、" } else { "" };
        let next = format!("{name}{more}");
        if width::columns(&line) + width::columns(&next) > columns && !line.trim().is_empty() {
            lines.push_str(line.trim_end());
            lines.push_str("\n  ");
            line = String::from("  ");
            lines.truncate(lines.len() - 2);
        }
        line.push_str(&next);
    }
    if names.is_empty() { lines } else { format!("\n{lines}{line}\n") }
}

fn civil(date: Option<google::Date>) -> Option<Date> {
    let date = date?;
    milepost_types::date_from_parts(date.year, date.month, date.day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_proto::registry::v1::Period;

    fn day(year: i32, month: i32, day: i32) -> Option<google::Date> {
        Some(google::Date { year, month, day })
    }

    fn project(id: &str, title: &str, start: Option<google::Date>) -> Project {
        Project {
            name: format!("portfolios/p/projects/{id}"),
            display_name: title.into(),
            actual_period: start.map(|start| Period { start_date: Some(start), end_date: None }),
            ..Default::default()
        }
    }

    fn milestone(project: &str, title: &str, actual: Option<google::Date>) -> Milestone {
        let state = if actual.is_some() { State::Achieved } else { State::Planned };
        Milestone {
            name: format!("portfolios/p/projects/{project}/milestones/{title}"),
            display_name: title.into(),
            actual_date: actual,
            state: state.into(),
            ..Default::default()
        }
    }

    #[test]
    fn what_has_a_date_is_drawn_and_what_has_none_is_named() {
        let projects = [
            project("valley", "科学谷", day(2020, 9, 11)),
            project("facility", "超瞬态实验装置", day(2021, 5, 27)),
            project("avenue", "坪山大道", None),
            project("tunnel", "科学城隧道", None),
        ];
        let mut built = milestone("facility", "建成投用", None);
        built.labels.insert("expected-year".into(), "2023".into());
        let milestones = [
            milestone("valley", "开工", day(2020, 9, 11)),
            milestone("valley", "交地即领证", day(2021, 2, 3)),
            milestone("facility", "开工", day(2021, 5, 27)),
            built,
        ];
        insta::assert_snapshot!(over_time(&projects, &milestones, 80), @r"
        Starts and milestones over time   ◆ started  ● achieved  ○ expected

                       2020        2021
                         9 10 11 12  1  2  3  4  5
        科学谷           ◆              ●
        超瞬态实验装置                           ◆

        Milestones without a date: 超瞬态实验装置 · 建成投用 (2023)

        Projects without a dated start or milestone: 坪山大道、科学城隧道
        ");
    }

    #[test]
    fn declared_and_registered_figures_are_never_mixed() {
        let batch = |date, count, units: Option<i64>, members| Batch {
            start_date: date,
            declared_count: count,
            declared_investment: units.map(|units| google::Money {
                currency_code: "CNY".into(),
                units,
                nanos: 0,
            }),
            registered_count: members,
            registered_without_investment_count: members,
            ..Default::default()
        };
        let batches = [
            batch(day(2020, 9, 11), Some(79), Some(130_000_000_000), 2),
            batch(day(2021, 4, 15), Some(107), None, 1),
            batch(day(2021, 5, 27), None, Some(28_360_000_000), 1),
        ];
        let picture = declared_and_registered(&batches);
        insta::assert_snapshot!(picture, @r"
        Concentrated starts 集中开工: what was declared, and what its members add up to

        2020-09-11  declared      79  ██████████████▊       CNY 130,000,000,000
                    registered     2  ▍                     2 without a figure
        2021-04-15  declared     107  ████████████████████  total not said
                    registered     1  ▏                     1 without a figure
        2021-05-27  declared       -                        CNY 28,360,000,000
                    registered     1  ▏                     1 without a figure
        ");
        assert!(picture.lines().all(|line| width::columns(line) <= 80));
    }

    #[test]
    fn long_lists_are_broken_within_the_columns() {
        let names: Vec<String> = (0..20).map(|n| format!("科学城第{n}号项目")).collect();
        let text = listed("Projects", &names, 80);
        assert!(text.lines().all(|line| width::columns(line) <= 80), "{text}");
        assert!(text.lines().count() > 3);
        assert!(names.iter().all(|name| text.contains(name)));
        assert_eq!(listed("Projects", &[], 80), "");
    }
}
