//! The picture of a portfolio: starts and milestones over time, and its batches.
//!
//! Invariant: only what the API answers is drawn; declared and registered figures have lines of their own,
//! and what is not known is said so. Colours are escape codes: they take no columns.

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use milepost_proto::registry::v1::{Batch, Project};
use milepost_proto::tracker::v1::{Milestone, milestone::State};
use prost::Message;
use serde_json::json;

use super::load::{ask, text as text_of};
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::chart::{self, FAINT, Mark, painted};
use crate::output::value::civil_date;
use crate::output::{text, value, width};

/// Resources on a page: as many as servers answer.
const PAGE: u32 = 1000;
/// Columns of a chart where there is no terminal to ask, and at most.
const COLUMNS: usize = 80;
/// Columns of the longest bar.
const BAR_COLUMNS: u16 = 20;
/// How headings look.
pub const HEADING: Style = Style::new().bold();
/// The colours of bars: what was declared, and what is registered.
const BARS: [Style; 2] = [AnsiColor::Cyan.on_default(), AnsiColor::Green.on_default()];

/// Asks for a portfolio's projects, milestones and batches, and draws them.
///
/// # Errors
/// What a server refused.
pub async fn draw(session: &Session, portfolio: &str, columns: Option<u16>) -> Result<String, Error> {
    let columns = columns.map_or(COLUMNS, usize::from).min(COLUMNS);
    let projects: Vec<Project> = list(session, "ListProjects", portfolio, "").await?;
    let milestones: Vec<Milestone> =
        list(session, "ListMilestones", &format!("{portfolio}/projects/-"), "").await?;
    let batches: Vec<Batch> = list(session, "ListBatches", portfolio, "start_date").await?;
    Ok(format!("\n{}\n{}", over_time(&projects, &milestones, columns), declared_and_registered(&batches)))
}

/// Everything that a method lists under a parent, page by page.
async fn list<M: Message + Default>(
    session: &Session,
    method: &str,
    parent: &str,
    order_by: &str,
) -> Result<Vec<M>, Error> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let request = json!({"parent": parent, "orderBy": order_by, "pageSize": PAGE, "pageToken": token});
        let page = ask(session, method, request).await?;
        let items = page.fields().filter_map(|(_, value)| value.as_list()).flatten();
        found.extend(items.filter_map(|item| value::typed::<M>(item.as_message()?)));
        token = text_of(&page, "next_page_token");
        if token.is_empty() {
            return Ok(found);
        }
    }
}

/// The chart of what has a date, and the names of what has none.
fn over_time(projects: &[Project], milestones: &[Milestone], columns: usize) -> String {
    let (mut rows, mut undated, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for project in projects {
        let label = project.display_name.clone();
        let start = project.actual_period.and_then(|period| civil_date(period.start_date));
        let mut marks: Vec<(Date, Mark)> = start.map(|start| (start, Mark::Start)).into_iter().collect();
        let prefix = format!("{}/milestones/", project.name);
        for milestone in milestones.iter().filter(|milestone| milestone.name.starts_with(&prefix)) {
            if let Some(mark) = mark(milestone) {
                marks.push(mark);
            } else {
                let year = milestone.labels.get("expected-year").map(|year| format!(" ({year})"));
                undated.push(format!("{label} · {}{}", milestone.display_name, year.unwrap_or_default()));
            }
        }
        if marks.is_empty() { without.push(label) } else { rows.push((label, marks)) }
    }
    rows.sort_by_key(|(_, marks)| marks.iter().map(|(date, _)| *date).min());
    format!(
        "{}   {} started  {} achieved  {} expected\n\n{}{}{}",
        painted(HEADING, "Starts and milestones over time"),
        Mark::Start.symbol(),
        Mark::Achieved.symbol(),
        Mark::Expected.symbol(),
        chart::over_months(&rows, columns),
        listed("Milestones without a date", &undated, columns),
        listed("Projects without a dated start or milestone", &without, columns)
    )
}

/// What of a milestone is drawn: when it happened, else when it is due.
fn mark(milestone: &Milestone) -> Option<(Date, Mark)> {
    match milestone.state() {
        State::Cancelled => None,
        State::Achieved => civil_date(milestone.actual_date).map(|date| (date, Mark::Achieved)),
        _ => {
            civil_date(milestone.forecast_date.or(milestone.baseline_date)).map(|date| (date, Mark::Expected))
        }
    }
}

/// Each batch twice: as it was declared, and as its members add up.
fn declared_and_registered(batches: &[Batch]) -> String {
    let counts = batches.iter().flat_map(|batch| [batch.declared_count.unwrap_or(0), batch.registered_count]);
    let most = counts.max().unwrap_or(0);
    let mut picture = format!(
        "{}: what was declared, and what its members add up to\n\n",
        painted(HEADING, "Concentrated starts 集中开工")
    );
    for batch in batches {
        let total = batch.declared_investment.as_ref();
        let total = total.map_or(painted(FAINT, "total not said"), |total| text::money(Some(total)));
        let date = text::date(batch.start_date.as_ref());
        let lines = [
            (date, "declared", batch.declared_count, total),
            (String::new(), "registered", Some(batch.registered_count), registered_investment(batch)),
        ];
        for ((date, what, count, investment), style) in lines.into_iter().zip(BARS) {
            let bar = chart::bar(count.unwrap_or(0).into(), most.into(), BAR_COLUMNS);
            let bar = width::pad(&painted(style, &bar), BAR_COLUMNS.into());
            let count = count.map_or(text::ABSENT.to_owned(), |count| count.to_string());
            picture.push_str(&format!("{date:10}  {what:10} {count:>5}  {bar}  {investment}\n"));
        }
    }
    picture
}

fn registered_investment(batch: &Batch) -> String {
    let sums = batch.registered_investments.iter().map(|sum| text::money(Some(sum)));
    let unknown = batch.registered_without_investment_count;
    let unknown = (unknown > 0).then(|| painted(FAINT, &format!("{unknown} without a figure")));
    sums.chain(unknown).collect::<Vec<_>>().join(", ")
}

/// A heading and names, in lines of so many columns; nothing without names.
fn listed(heading: &str, names: &[String], columns: usize) -> String {
    if names.is_empty() {
        return String::new();
    }
    let (mut lines, mut line) = (String::new(), format!("{heading}: "));
    for name in names.join("、").split_inclusive('、') {
        if width::columns(&line) + width::columns(name) > columns {
            lines.push_str(&format!("{}\n", line.trim_end()));
            line = "  ".to_owned();
        }
        line.push_str(name);
    }
    format!("\n{lines}{line}\n")
}

#[cfg(test)]
mod tests {
    use milepost_proto::google::r#type as google;

    use super::*;
    use anstream::adapter::strip_str;
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
        insta::assert_snapshot!(strip_str(&over_time(&projects, &milestones, 80)), @r"
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
        insta::assert_snapshot!(strip_str(&picture), @r"
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
