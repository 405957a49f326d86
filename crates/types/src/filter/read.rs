//! Reads the words of a filter as values of a type.
//!
//! Invariant: what is read is written back by `Operand`'s `Display` to a text that means the same. Nothing is
//! rounded or completed: a date has a day, a time its offset.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::operand::{Amount, Double, Operand};
use super::schema::FieldType;

/// The value of a type that a text names; else what to give instead.
pub(super) fn operand(kind: FieldType, text: &str) -> Result<Operand, String> {
    let (found, wanted) = match kind {
        FieldType::Enum(names) => {
            let name = enum_name(names, text).map(Operand::Enum);
            return name.ok_or_else(|| format!("one of {}", short_names(names).join(", ")));
        }
        FieldType::Bool => (boolean(text), "true or false"),
        FieldType::Int => (integer(text).map(Operand::Int), "a whole number of at most 64 bits, such as 42"),
        FieldType::Double => (double(text).map(Operand::Double), "a number, such as 29.5 or 2.997e9"),
        FieldType::Date => (
            date(text).map(Operand::Date),
            "a date of the calendar, such as 2021-05-27, or today() or days(30)",
        ),
        FieldType::Timestamp => (
            timestamp(text).map(Operand::Timestamp),
            "a time with its offset, such as 2021-05-27T00:00:00Z or 2021-05-27T08:00:00+08:00, \
             or today() or days(-7)",
        ),
        FieldType::Duration => {
            (duration(text).map(Operand::Duration), "a number of seconds with an s, such as 20s or 1.2s")
        }
        FieldType::Money => (
            Amount::parse(text).map(Operand::Money),
            "an amount, such as 28360000000, or with its currency \"CNY 28360000000.00\"",
        ),
        // Texts are patterns, and what has members or fields is not compared itself.
        FieldType::Text
        | FieldType::EventType
        | FieldType::Name
        | FieldType::Message
        | FieldType::List
        | FieldType::Repeated(_)
        | FieldType::Map => (None, "a text"),
    };
    found.ok_or_else(|| wanted.to_owned())
}

/// The value that a text names: in full, or without the prefix that all values of the enum share
/// (`STATUS_CONSTRUCTION` or `CONSTRUCTION`).
fn enum_name(names: &[&'static str], text: &str) -> Option<&'static str> {
    let short = |name: &str| {
        let prefix = name.strip_suffix(text).filter(|prefix| prefix.ends_with('_'))?;
        names.iter().all(|other| other.starts_with(prefix)).then_some(())
    };
    names.iter().find(|name| **name == text || short(name).is_some()).copied()
}

/// The values as people read and write them, without the prefix that all of them share: `CONSTRUCTION`.
fn short_names(names: &[&'static str]) -> Vec<&'static str> {
    let first = names.first().copied().unwrap_or_default();
    let shared = first
        .match_indices('_')
        .map(|(at, _)| at + 1)
        .take_while(|&end| names.iter().all(|name| name.starts_with(&first[..end])))
        .last()
        .unwrap_or(0);
    names.iter().map(|name| &name[shared..]).collect()
}

fn boolean(text: &str) -> Option<Operand> {
    match text {
        "true" => Some(Operand::Bool(true)),
        "false" => Some(Operand::Bool(false)),
        _ => None,
    }
}

/// A whole number of 64 bits, without a plus.
pub(super) fn integer(text: &str) -> Option<i64> {
    begins_with_digit(text).then(|| text.parse().ok())?
}

/// A finite number, without a plus.
fn double(text: &str) -> Option<Double> {
    begins_with_digit(text).then(|| text.parse().ok().and_then(Double::new))?
}

fn begins_with_digit(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit())
}

/// `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Option<Date> {
    shaped(text, "0000-00-00").then(|| text.parse().ok())?
}

/// RFC 3339 with `T`, and `Z` or an offset.
fn timestamp(text: &str) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let fraction =
        rest.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    let zone = &rest[fraction..];
    let zoned = zone == "Z" || shaped(zone, "+00:00") || shaped(zone, "-00:00");
    if !shaped(date_time, "0000-00-00T00:00:00") || fraction == 1 || !zoned {
        return None;
    }
    // Protobuf's timestamps begin with the year 1.
    text.parse().ok().filter(|instant| *instant >= YEAR_ONE)
}

const YEAR_ONE: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Seconds with at most nine places, then `s`, as proto3 JSON writes `google.protobuf.Duration`.
fn duration(text: &str) -> Option<SignedDuration> {
    let number = text.strip_suffix('s')?;
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
    let decimal = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !decimal(whole) || !decimal(places) || places.len() > 9 {
        return None;
    }
    let seconds = whole.parse().ok().filter(|seconds| *seconds <= DURATION_SECONDS)?;
    let length = SignedDuration::new(seconds, format!("{places:0<9}").parse().ok()?);
    Some(if negative { -length } else { length })
}

/// The longest that protobuf's durations are.
const DURATION_SECONDS: i64 = 315_576_000_000;

/// Whether the text is the model with other digits.
fn shaped(text: &str, model: &str) -> bool {
    text.len() == model.len()
        && text.bytes().zip(model.bytes()).all(|(b, m)| if m == b'0' { b.is_ascii_digit() } else { b == m })
}
