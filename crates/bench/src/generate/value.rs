//! Values of messages: dates, periods, money, marked names.
//!
//! Invariant: everything that people call something by says that it is synthetic, in both languages. Money is
//! counted in 10,000 CNY, as Chinese offices do.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::google::r#type as google;
use milepost_proto::registry::v1::Period;

/// Before every Chinese display name.
pub const MARK: &str = "[模拟]";
/// Before every English one.
pub const MARK_EN: &str = "[synthetic]";

/// A marked Chinese name.
pub fn marked(name: &str) -> String {
    format!("{MARK} {name}")
}

/// The translations of a marked name: English.
pub fn english(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("en".to_owned(), format!("{MARK_EN} {name}"))])
}

/// A date of the API.
pub fn date(date: Date) -> google::Date {
    google::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// A closed period of the API.
pub fn period(start: Date, end: Date) -> Period {
    Period { start_date: Some(date(start)), end_date: Some(date(end)) }
}

/// An amount of so many 10,000 CNY.
pub fn money(wan: i64) -> google::Money {
    google::Money { currency_code: "CNY".into(), units: wan * 10_000, nanos: 0 }
}

/// So many days later; earlier if negative.
pub fn days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// How many days from one to another.
pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// The first day of the next month.
pub fn next_month(date: Date) -> Date {
    date.first_of_month().saturating_add(1.months())
}

/// A day of a year that exists in every year.
pub fn day(year: i16, month: i8, day: i8) -> Date {
    jiff::civil::date(year, month, day)
}

/// Labels.
pub fn labels<const N: usize>(labels: [(&str, &str); N]) -> BTreeMap<String, String> {
    labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// A mask of fields.
pub fn mask(paths: &[&str]) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}
