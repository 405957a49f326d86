//! Resources as comma-separated values, for office software and programs.
//!
//! Invariant: a row has as many values as the header, in plain notation: amounts without grouping and their
//! currency in a column of its own, periods in two, times in UTC, names in full.

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::Period;
use prost_reflect::DynamicMessage;

use super::column::Column;
use super::text;
use super::zone::Zone;
use crate::schema::field::Shape;

/// What office software needs in front to read UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A header and the first rows of a list, after a byte order mark if that is needed.
pub fn list(columns: &[Column], messages: &[DynamicMessage], bom: bool) -> String {
    let names = columns.iter().flat_map(|column| match column.shape() {
        Shape::Money => vec![column.name.clone(), format!("{}_currency", column.name)],
        Shape::Period => vec![format!("{}_start", column.name), format!("{}_end", column.name)],
        _ => vec![column.name.clone()],
    });
    let mark = if bom { BYTE_ORDER_MARK } else { "" };
    mark.to_owned() + &records([names.collect()]) + &rows(columns, messages)
}

/// More rows of a list.
pub fn rows(columns: &[Column], messages: &[DynamicMessage]) -> String {
    let values = |column: &Column, message| match column.shape() {
        Shape::Money => match column.typed::<Money>(message) {
            Some(money) => vec![text::plain_amount(&money), money.currency_code],
            None => vec![String::new(); 2],
        },
        Shape::Period => {
            let period = column.typed::<Period>(message).unwrap_or_default();
            let date = |date: Option<_>| date.map(|date| text::date(Some(&date))).unwrap_or_default();
            vec![date(period.start_date), date(period.end_date)]
        }
        // People see grouped bytes and signed differences.
        Shape::Whole => vec![column.digits(message).unwrap_or_default()],
        _ => vec![column.lines(message, &Zone::UTC).join("\n")],
    };
    let row = |message| columns.iter().flat_map(|column| values(column, message)).collect();
    records(messages.iter().map(row))
}

/// Lines after RFC 4180.
pub fn records(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    rows.into_iter().for_each(|row| writer.write_record(row).expect("memory takes rows of one length"));
    let lines = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(lines).expect("texts are UTF-8")
}
