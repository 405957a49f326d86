//! How long filters take: read once for a request, matched with every row: `cargo bench -p milepost-types`.

use std::hint::black_box;

use divan::Bencher;
use jiff::civil::{Date, date};
use milepost_types::TimeZoneId;
use milepost_types::filter::{CurrentDate, Field, FieldType, Fields, Filter, Schema, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RowField {
    Subject,
    Kind,
    Day,
}

static SCHEMA: Schema<RowField> = Schema::new(&[
    Field::new("subject", FieldType::Name, RowField::Subject),
    Field::new("type", FieldType::Text, RowField::Kind),
    Field::new("event_date", FieldType::Date, RowField::Day),
]);

struct Row {
    subject: String,
    kind: String,
    day: Date,
}

impl Fields<RowField> for Row {
    fn value(&self, field: RowField) -> Value<'_> {
        match field {
            RowField::Subject => Value::text(&self.subject),
            RowField::Kind => Value::text(&self.kind),
            RowField::Day => self.day.into(),
        }
    }

    fn current_date(&self) -> Option<CurrentDate> {
        Some(CurrentDate::new(date(2024, 3, 1), &TimeZoneId::UTC))
    }
}

const FILTERS: [&str; 6] = [
    "",
    r#"type = "milepost.milestone.achieved""#,
    r#"subject = "portfolios/wsc/projects/*" AND type = "milepost.milestone.reforecast" AND event_date >= "2021-05-27""#,
    r#"type = ("milepost.milestone.achieved" OR "milepost.milestone.reforecast")"#,
    r#"NOT (subject:"portfolios/a" OR (type = "*.achieved" AND event_date < "2021-05-27"))"#,
    "event_date >= days(-30)",
];

fn main() {
    divan::main();
}

#[divan::bench(args = FILTERS)]
fn parse(bencher: Bencher, text: &str) {
    bencher.bench(|| Filter::parse(black_box(text), &SCHEMA));
}

#[divan::bench(args = FILTERS)]
fn matches(bencher: Bencher, text: &str) {
    let filter = Filter::parse(text, &SCHEMA).expect("a filter");
    let row = Row {
        subject: "portfolios/wsc/projects/metro-27/milestones/opening".into(),
        kind: "milepost.milestone.reforecast".into(),
        day: date(2024, 2, 29),
    };
    bencher.bench(|| filter.matches(black_box(&row)));
}
