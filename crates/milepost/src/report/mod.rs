//! Reports for people, and as CSV: a table of figures, or of groups with their rates.
//!
//! Invariant: figures are shown as the server rounded them, and never without saying that they are lower bounds.

use std::collections::BTreeMap;

use milepost_proto::figure::v1::Figure;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::{QueryStatisticsResponse, Statistics};

use crate::output::table::{Cell, Column, Room, render, sentence};
use crate::output::{csv as output_csv, text};

/// The name of a figure, its unit, and where it is in statistics.
type Named = (&'static str, &'static str, fn(&Statistics) -> Option<&Figure>);

/// The figures, in the order in which they are shown.
const FIGURES: [Named; 7] = [
    ("start rate", "%", |statistics| statistics.start_rate.as_ref()),
    ("investment rate", "%", |statistics| statistics.investment_rate.as_ref()),
    ("completion rate", "%", |statistics| statistics.completion_rate.as_ref()),
    ("funds rate", "%", |statistics| statistics.funds_rate.as_ref()),
    ("enrolment rate", "%", |statistics| statistics.enrolment_rate.as_ref()),
    ("time progress", "%", |statistics| statistics.time_progress.as_ref()),
    ("ahead of time", "points", |statistics| statistics.ahead.as_ref()),
];

/// The name of an amount, and where it is in statistics.
type Amount = (&'static str, fn(&Statistics) -> Option<&Money>);

const AMOUNTS: [Amount; 6] = [
    ("planned investment", |statistics| statistics.planned_investment.as_ref()),
    ("completed investment", |statistics| statistics.completed_investment.as_ref()),
    ("completed without a plan", |statistics| statistics.unplanned_investment.as_ref()),
    ("planned funds", |statistics| statistics.planned_funds.as_ref()),
    ("received funds", |statistics| statistics.received_funds.as_ref()),
    ("received without a plan", |statistics| statistics.unplanned_funds.as_ref()),
];

/// A report as text for people, and the headers of the columns that had no room.
pub fn table(report: &QueryStatisticsResponse, terminal: Option<u16>, colour: bool) -> (String, Vec<String>) {
    let total = report.total.clone().unwrap_or_default();
    let mut text = sentence(&headline(report, &total), 0, terminal);
    let columns = if report.groups.is_empty() { of_figures(&total) } else { of_groups(report, &total) };
    let mut rendered = render(columns, terminal, colour);
    text += &rendered.text;
    if report.groups.is_empty() {
        let amounts = AMOUNTS.map(|(name, of)| (name, text::money(of(&total))));
        let columns = vec![
            Column::new("AMOUNT", Room::Whole, 0, amounts.iter().map(|(name, _)| Cell::from(*name))),
            Column::new("SUM", Room::Number, 0, amounts.iter().map(|(_, sum)| Cell::from(sum.as_str()))),
        ];
        let amounts = render(columns, terminal, colour);
        text += "\n";
        text += &amounts.text;
        rendered.left_out.extend(amounts.left_out);
    }
    (text, rendered.left_out)
}

/// What the report is of, in a sentence or two.
fn headline(report: &QueryStatisticsResponse, total: &Statistics) -> String {
    let count = |number: i32| text::count(u64::try_from(number).unwrap_or_default(), "project", "projects");
    let list = match report.annual_list.as_str() {
        "" => "there is no list of the year".to_owned(),
        name => format!("listed as {} says", text::ids(name)),
    };
    format!(
        "{} in {}, as of {}: {} as listed, {} as split; {list}",
        text::ids(&report.portfolio),
        report.year,
        text::date(report.date.as_ref()),
        count(total.listed_count),
        count(total.split_count),
    )
}

/// A row for each figure.
fn of_figures(total: &Statistics) -> Vec<Column> {
    let figures = FIGURES.map(|(name, unit, of)| (name, unit, of(total).cloned().unwrap_or_default()));
    let column = |header, room, rank, cell: fn(&(&str, &str, Figure)) -> String| {
        Column::new(header, room, rank, figures.iter().map(|figure| Cell::from(cell(figure))))
    };
    vec![
        column("FIGURE", Room::Whole, 0, |(name, ..)| (*name).to_owned()),
        column("VALUE", Room::Number, 0, |(_, unit, figure)| value(figure, unit)),
        column("PART", Room::Number, 3, |(_, _, figure)| number(&figure.numerator)),
        column("WHOLE", Room::Number, 4, |(_, _, figure)| number(&figure.denominator)),
        column("COUNTED", Room::Number, 2, |(_, _, figure)| text::grouped(&figure.counted.to_string())),
        column("MISSING", Room::Text, 1, |(_, _, figure)| missing(figure)),
    ]
}

/// A row for each group, and one for all.
fn of_groups(report: &QueryStatisticsResponse, total: &Statistics) -> Vec<Column> {
    let groups = || report.groups.iter().map(|group| group.statistics.clone().unwrap_or_default());
    let all = || groups().chain([total.clone()]);
    let mut columns: Vec<Column> = report
        .group_by
        .iter()
        .enumerate()
        .map(|(i, path)| {
            let values = report.groups.iter().map(|group| group.values.get(i).map_or("", String::as_str));
            let values = values.map(|value| Cell::from(text::or_absent(&text::ids(value))));
            let last = if i == 0 { "all" } else { "" };
            Column::new(&path.to_uppercase(), Room::Name, 0, values.chain([Cell::from(last)]))
        })
        .collect();
    let count = |count: i32| Cell::from(text::grouped(&count.to_string()));
    let listed = all().map(|statistics| count(statistics.listed_count));
    columns.push(Column::new("LISTED", Room::Number, 1, listed));
    let split = all().map(|statistics| count(statistics.split_count));
    columns.push(Column::new("SPLIT", Room::Number, 1, split));
    for (rank, (name, unit, of)) in (2..).zip(FIGURES) {
        let cells = all().map(|statistics| {
            Cell::from(of(&statistics).map_or_else(String::new, |figure| value(figure, unit)))
        });
        columns.push(Column::new(&name.to_uppercase(), Room::Number, rank, cells));
    }
    columns
}

/// A figure with its unit, and whether it is a lower bound.
pub fn value(figure: &Figure, unit: &str) -> String {
    let Some(value) = &figure.value else { return text::ABSENT.to_owned() };
    let sign = if unit == "points" && !value.starts_with('-') { "+" } else { "" };
    let bound = if figure.lower_bound { "at least " } else { "" };
    format!("{bound}{sign}{value} {unit}")
}

/// An exact decimal number with separators of thousands, or `-`.
pub fn number(given: &str) -> String {
    let (whole, places) = given.split_at(given.find('.').unwrap_or(given.len()));
    text::or_absent(&format!("{}{places}", text::grouped(whole)))
}

/// How many are missing, by why: `2 NOT_REPORTED, 1 STRADDLES`; their number alone where none is named.
pub fn missing(figure: &Figure) -> String {
    let mut named = BTreeMap::<&str, u64>::new();
    figure.missing.iter().for_each(|missing| *named.entry(&missing.why).or_default() += 1);
    let mut parts: Vec<String> = named.iter().map(|(why, count)| format!("{count} {why}")).collect();
    let more = u64::try_from(figure.missing_count).unwrap_or_default().saturating_sub(named.values().sum());
    if more > 0 {
        let word = if parts.is_empty() { "" } else { " more" };
        parts.push(format!("{}{word}", text::grouped(&more.to_string())));
    }
    text::or_absent(&parts.join(", "))
}

/// A row for each figure of each group, and of all: for office software.
pub fn csv(report: &QueryStatisticsResponse) -> String {
    let header = ["of"].into_iter().map(str::to_owned).chain(report.group_by.iter().cloned());
    let figures =
        ["figure", "value", "unit", "lower_bound", "numerator", "denominator", "counted", "missing"];
    let mut rows = vec![header.chain(figures.map(str::to_owned)).collect::<Vec<_>>()];
    let none = vec![String::new(); report.group_by.len()];
    let all = [("all", &none, report.total.as_ref())];
    let groups = report.groups.iter().map(|group| ("group", &group.values, group.statistics.as_ref()));
    for (of, values, statistics) in all.into_iter().chain(groups) {
        let start: Vec<String> = [of.to_owned()].into_iter().chain(values.iter().cloned()).collect();
        let mut add = |cells: [String; 8]| rows.push([&start[..], &cells].concat());
        let statistics = statistics.cloned().unwrap_or_default();
        for (name, count) in [("listed", statistics.listed_count), ("split", statistics.split_count)] {
            add(plain(name, count.to_string(), "projects"));
        }
        for (name, unit, figure) in FIGURES {
            let figure = figure(&statistics).cloned().unwrap_or_default();
            add([
                name.to_owned(),
                figure.value.unwrap_or_default(),
                unit.to_owned(),
                figure.lower_bound.to_string(),
                figure.numerator,
                figure.denominator,
                figure.counted.to_string(),
                figure.missing_count.to_string(),
            ]);
        }
        for (name, amount) in AMOUNTS {
            let amount = amount(&statistics).map(text::plain_amount).unwrap_or_default();
            add(plain(name, amount, &report.currency_code));
        }
    }
    output_csv::records(rows)
}

/// What is no quotient.
fn plain(name: &str, value: String, unit: &str) -> [String; 8] {
    let [a, b, c, d, e]: [String; 5] = Default::default();
    [name.to_owned(), value, unit.to_owned(), a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use milepost_proto::figure::v1::MissingFigure;
    use milepost_proto::google::r#type::Date;
    use milepost_proto::registry::v1::StatisticsGroup;

    use super::*;

    fn figure(value: &str, numerator: &str, denominator: &str) -> Option<Figure> {
        let value = Some(value.to_owned()).filter(|value| !value.is_empty());
        let (numerator, denominator) = (numerator.to_owned(), denominator.to_owned());
        Some(Figure { value, numerator, denominator, counted: 1, ..Figure::default() })
    }

    fn report() -> QueryStatisticsResponse {
        let missing =
            vec![MissingFigure { subject: "portfolios/p/projects/x".into(), why: "STRADDLES".into() }];
        let investment = Figure {
            lower_bound: true,
            missing,
            missing_count: 3,
            ..figure("95.6", "61900000000", "64740000000").unwrap()
        };
        let amount = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
        let statistics = Statistics {
            listed_count: 444,
            split_count: 569,
            start_rate: figure("80.8", "206", "255"),
            investment_rate: Some(investment),
            completion_rate: figure("", "0", "0"),
            time_progress: figure("83.3", "10", "12"),
            ahead: Some(Figure { lower_bound: true, ..figure("12.3", "1", "8").unwrap() }),
            planned_investment: amount(64_740_000_000),
            completed_investment: amount(61_900_000_000),
            ..Statistics::default()
        };
        QueryStatisticsResponse {
            total: Some(statistics),
            portfolio: "portfolios/p".into(),
            year: 2021,
            date: Some(Date { year: 2021, month: 10, day: 31 }),
            annual_list: "portfolios/p/annualLists/2021".into(),
            currency_code: "CNY".into(),
            ..QueryStatisticsResponse::default()
        }
    }

    #[test]
    fn a_report_is_a_table_of_figures_and_one_of_amounts() {
        let (text, left_out) = table(&report(), Some(100), false);
        insta::assert_snapshot!(text);
        assert!(left_out.is_empty());
    }

    #[test]
    fn groups_have_a_row_each_and_all_have_the_last() {
        let mut report = report();
        report.group_by = vec!["sector".into(), "level".into()];
        let behind = Statistics {
            listed_count: 1,
            split_count: 1,
            ahead: figure("-20.0", "-1", "5"),
            ..Statistics::default()
        };
        let values = vec!["transport".into(), String::new()];
        report.groups = vec![StatisticsGroup { values, statistics: Some(behind) }];
        insta::assert_snapshot!(table(&report, Some(160), false).0);
        let csv = csv(&report);
        assert!(csv.starts_with("of,sector,level,figure,value,unit,lower_bound,"), "{csv}");
        assert!(csv.contains("all,,,investment rate,95.6,%,true,61900000000,64740000000,1,3\r\n"), "{csv}");
        assert!(csv.contains("group,transport,,ahead of time,-20.0,points,false,-1,5,1,0\r\n"), "{csv}");
        assert!(csv.contains("all,,,planned investment,64740000000,CNY,,,,,\r\n"), "{csv}");
    }
}
