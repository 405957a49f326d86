//! Lists as comma-separated values, for office software and programs.
//!
//! Invariant: a row has as many values as the header, in plain notation: amounts without grouping and their currency in a
//! column of its own, periods in two, times in UTC, names in full.

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::Period;
use prost_reflect::{DynamicMessage, Value};

use super::column::Column;
use super::text;
use super::value;
use super::zone::{Place, Zones};
use crate::schema::field::Shape;

/// What office software needs in front to read UTF-8.
const BOM: &str = "\u{feff}";

/// The header line.
pub fn header(columns: &[Column], bom: bool) -> String {
    let names = columns.iter().flat_map(|column| match (column.shape(), is_one(column)) {
        (Shape::Money, true) => vec![column.name.clone(), format!("{}_currency", column.name)],
        (Shape::Period, true) => vec![format!("{}_start", column.name), format!("{}_end", column.name)],
        _ => vec![column.name.clone()],
    });
    let line = record(names);
    if bom { format!("{BOM}{line}") } else { line }
}

/// The line of one message.
pub fn row(columns: &[Column], message: &DynamicMessage) -> String {
    let utc = Zones::utc().zone(&Place::Nowhere, "");
    record(columns.iter().flat_map(|column| {
        let found = column.value(message);
        let found = found.as_ref().and_then(Value::as_message);
        match (column.shape(), is_one(column)) {
            (Shape::Money, true) => match found.and_then(value::typed::<Money>) {
                Some(money) => vec![text::plain_amount(&money), money.currency_code],
                None => vec![String::new(); 2],
            },
            (Shape::Period, true) => {
                let period = found.and_then(value::typed::<Period>).unwrap_or_default();
                let date = |date: Option<_>| date.map(|date| text::date(Some(&date))).unwrap_or_default();
                vec![date(period.start_date), date(period.end_date)]
            }
            _ => vec![column.lines(message, &utc).join("\n")],
        }
    }))
}

fn is_one(column: &Column) -> bool {
    column.field().is_some_and(|field| !field.is_list() && !field.is_map())
}

/// One line after RFC 4180.
fn record(values: impl IntoIterator<Item = String>) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(values).expect("memory takes what is written");
    let line = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(line).expect("texts are UTF-8")
}
