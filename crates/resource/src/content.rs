//! What a field may hold, by its content: values are checked, and brought into their canonical form.
//!
//! Invariant: a fault is recorded under the path of the value; nothing is rounded, completed or guessed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::{Access, Content, Field, Kind, Node, Slot, Value};
use milepost_service::value::{date, date_message};
use milepost_types::{
    CurrencyCode, Decimal, LanguageTag, Money, Period, TimeZoneId, Violations, check_person, limits, text,
};

use crate::mask::is_set;
use crate::request::unknown_value;
use crate::value::{instant, instant_message};

/// Checks the fields of a message, one by one; paths are relative to it.
pub fn check_message(message: &mut dyn Node, violations: &mut Violations) {
    for (i, field) in message.fields().iter().enumerate() {
        check(message, i, field, field.name, violations);
    }
}

/// Checks the fields with these names alone, as they are checked in a request that has the whole message.
pub fn check_fields(message: &mut dyn Node, names: &[&str], violations: &mut Violations) {
    for (i, field) in message.fields().iter().enumerate() {
        if names.contains(&field.name) {
            check(message, i, field, field.name, violations);
        }
    }
}

/// Checks the field with this index, under this path.
pub(crate) fn check(
    message: &mut dyn Node,
    index: usize,
    field: &Field,
    path: &str,
    violations: &mut Violations,
) {
    let value = message.value(index);
    let missing = field.required && !is_set(value, field);
    // A text says in its own words that it is missing.
    if missing && (field.repeated || field.kind != Kind::Text) {
        require(field, path, violations);
    }
    if field.repeated {
        return check_list(message, index, field, path, violations);
    }
    match value {
        Value::Text(given) => check_text(given, field, field.required, path, violations),
        Value::Int(Some(given)) => check_int(given, field, path, violations),
        Value::Enum(number) if number != 0 && !field.numbers.contains(&number) => {
            unknown_value(path, number, violations);
        }
        Value::Date(Some(given)) => {
            violations.check(path, date(*given));
        }
        Value::Money(Some(given)) => {
            violations.check(path, money(given));
        }
        Value::Instant(Some(given)) if field.access == Access::Input && !is_instant(given) => {
            let description = "there is no such instant; give seconds of the years 1 to 9999, and nanoseconds \
                               from 0 to 999999999";
            violations.push(path, "INVALID_INSTANT", description);
        }
        Value::Double(Some(given)) => check_degrees(given, field, path, violations),
        Value::Message(given) if field.content == Content::ClosedPeriod && (missing || given.is_some()) => {
            check_closed(given.map(ends).unwrap_or_default(), path, violations);
        }
        _ => {}
    }
    match message.slot(index) {
        Slot::Message(Some(part)) if field.content != Content::ClosedPeriod => {
            let mut found = Violations::new();
            check_message(part, &mut found);
            violations.nest(path, found);
        }
        Slot::Map(map) => check_map(map, field, path, violations),
        Slot::Text(tag) if field.content == Content::Language => conventional(tag),
        // There is one zero.
        Slot::Double(Some(degrees)) => *degrees += 0.0,
        _ => {}
    }
}

/// Whether it is an instant of the years 1 to 9999, in the one form that protobuf gives it.
fn is_instant(given: &prost_types::Timestamp) -> bool {
    let instant = instant(Some(given)).filter(|instant| instant_message(*instant) == *given);
    instant.is_some_and(|instant| instant.to_zoned(TimeZone::UTC).year() >= 1)
}

/// Records that a required field is missing.
fn require(field: &Field, path: &str, violations: &mut Violations) {
    if field.missing.is_empty() {
        violations.require::<()>(path, None);
    } else {
        violations.push(path, "REQUIRED", field.missing);
    }
}

fn check_text(given: &str, field: &Field, required: bool, path: &str, violations: &mut Violations) {
    if let Some(reference) = field.reference {
        if !given.is_empty() || required {
            violations.check(path, reference.shape().ids(given));
        }
        return;
    }
    if given.is_empty() && !required {
        return;
    }
    match field.content {
        Content::Text => {
            violations.check(path, text::text(given));
        }
        Content::Line => {
            let limit = if field.limit == 0 { limits::LINE_CHARS } else { field.limit };
            violations.check(path, text::line(given, limit));
        }
        Content::DisplayName => {
            violations.check(path, text::display_name(given));
        }
        Content::Person => {
            person(path, given, violations);
        }
        Content::TimeZone | Content::Currency | Content::Decimal if given.is_empty() => {
            require(field, path, violations);
        }
        Content::TimeZone => {
            violations.check(path, given.parse::<TimeZoneId>());
        }
        Content::Language => {
            violations.check(path, given.parse::<LanguageTag>());
        }
        Content::Currency => {
            violations.check(path, given.parse::<CurrencyCode>());
        }
        Content::Decimal => {
            violations.check(path, given.parse::<Decimal>());
        }
        Content::DivisionCode if given.len() != 6 || !given.bytes().all(|byte| byte.is_ascii_digit()) => {
            let description = "a division code of GB/T 2260 has 6 digits, such as 500107";
            violations.push(path, "INVALID_DIVISION_CODE", description);
        }
        _ => {}
    }
}

/// The id of a person at a field of a request.
pub fn person(field: &str, given: &str, violations: &mut Violations) -> Option<String> {
    let id = violations.check(field, text::line(given, limits::PERSON_CHARS))?;
    violations.check(field, check_person(&id)).map(|()| id)
}

fn check_int(number: i64, field: &Field, path: &str, violations: &mut Violations) {
    let description = match field.content {
        Content::Order if number < 0 => format!("{number} is no place in an order; they count from 1"),
        Content::Count if number < 0 => {
            "the count is less than zero; give zero or more, or leave it out".to_owned()
        }
        Content::Number if usize::try_from(number).map_or(true, |number| number > field.limit) => {
            format!("{number} is not from 0 to {}", field.limit)
        }
        Content::Year if number != 0 && !is_year(number) => {
            format!("{number} is not from {} to {}", limits::YEARS.start(), limits::YEARS.end())
        }
        _ => return,
    };
    violations.push(path, "OUT_OF_RANGE", description);
}

fn is_year(number: i64) -> bool {
    i32::try_from(number).is_ok_and(|number| limits::YEARS.contains(&number))
}

fn check_degrees(given: f64, field: &Field, path: &str, violations: &mut Violations) {
    let bound = match field.content {
        Content::Latitude => 90.0,
        Content::Longitude => 180.0,
        _ => return,
    };
    // Not a number is within no bounds.
    if !(-bound..=bound).contains(&given) {
        let description = format!("{given} is no such coordinate; give degrees from -{bound} to {bound}");
        violations.push(path, "OUT_OF_RANGE", description);
    }
}

/// An amount that is not negative.
fn money(given: &gtype::Money) -> Result<Money, Violations> {
    let mut violations = Violations::new();
    let currency = violations.check("currency_code", given.currency_code.parse());
    let money =
        currency.and_then(|currency| violations.check("", Money::new(currency, given.units, given.nanos)));
    if money.is_some_and(|money| money.is_negative()) {
        violations.push("", "NEGATIVE", "the amount is less than zero; give zero or more");
    }
    violations.finish(money)
}

/// The ends of a period.
fn ends(period: &dyn Node) -> [Option<gtype::Date>; 2] {
    [0, 1].map(|index| match period.value(index) {
        Value::Date(date) => date.copied(),
        _ => None,
    })
}

/// A period whose ends are both given, in this order.
fn check_closed(given: [Option<gtype::Date>; 2], path: &str, violations: &mut Violations) {
    let mut end = |name: &str, given: Option<gtype::Date>| {
        let path = format!("{path}.{name}");
        let given = violations.require(path.clone(), given)?;
        violations.check(path, date(given))
    };
    if let (Some(start), Some(end)) = (end("start_date", given[0]), end("end_date", given[1])) {
        violations.check(path, Period::new(Some(start), Some(end)));
    }
}

/// Checks the order of the ends of a period, which are dates.
pub(crate) fn check_order(message: &dyn Node, path: &str, violations: &mut Violations) {
    let is_period = message.fields().iter().map(|field| field.name).eq(["start_date", "end_date"]);
    if is_period {
        let [start, end] = ends(message).map(|end| end.and_then(|end| date(end).ok()));
        violations.check(path, Period::new(start, end));
    }
}

fn check_map(map: &mut BTreeMap<String, String>, field: &Field, path: &str, violations: &mut Violations) {
    let given = std::mem::take(map);
    let kept = match field.content {
        Content::Translations => text::translations(given),
        Content::TextTranslations => text::text_translations(given),
        _ => {
            *map = violations.check(path, text::labels(given)).unwrap_or_default();
            return;
        }
    };
    let kept = violations.check(path, kept).unwrap_or_default();
    *map = kept.into_iter().map(|(tag, text)| (tag.to_string(), text)).collect();
}

fn check_list(message: &mut dyn Node, index: usize, field: &Field, path: &str, violations: &mut Violations) {
    let count = match message.value(index) {
        Value::Texts(values) => values.len(),
        Value::Ints(values) => values.len(),
        Value::Dates(values) => values.len(),
        Value::Messages(values) => values.len(),
        _ => 0,
    };
    if field.members > 0 && !violations.check_count(path, count, field.members) {
        return;
    }
    if let (Value::Texts(values), true) = (message.value(index), field.content != Content::ByMethod) {
        let mut seen = BTreeSet::new();
        for (i, value) in values.iter().enumerate() {
            let path = format!("{path}[{i}]");
            if !seen.insert(value) && !field.unique.is_empty() {
                violations.push(path, "DUPLICATE", format!("the {} is given twice", field.unique));
            } else {
                check_text(value, field, true, &path, violations);
            }
        }
    }
    match message.slot(index) {
        Slot::Ints(values) if field.content == Content::Weekdays => weekdays(values, path, violations),
        Slot::Ints(values) if field.kind == Kind::Enum => enum_numbers(values, field, path, violations),
        Slot::Dates(values) => days(values, path, violations),
        Slot::Texts(tags) if field.content == Content::Language => tags.iter_mut().for_each(conventional),
        Slot::Messages(values) => {
            for i in 0..values.len() {
                let Some(value) = values.node_mut(i) else { break };
                let mut found = Violations::new();
                check_message(value, &mut found);
                violations.nest(&format!("{path}[{i}]"), found);
            }
        }
        _ => {}
    }
}

/// Values of an enum, each of which says something.
fn enum_numbers(given: &[i32], field: &Field, path: &str, violations: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (i, number) in given.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if !field.numbers.contains(number) {
            unknown_value(&path, *number, violations);
        } else if !seen.insert(number) && !field.unique.is_empty() {
            violations.push(path, "DUPLICATE", format!("the {} is given twice", field.unique));
        }
    }
}

/// Brings a language tag into its conventional case.
fn conventional(tag: &mut String) {
    if let Ok(conventional) = tag.parse::<LanguageTag>() {
        *tag = conventional.to_string();
    }
}

/// Days of the week, none twice; sorted.
fn weekdays(given: &mut Vec<i32>, path: &str, violations: &mut Violations) {
    let mut weekdays = BTreeSet::new();
    // More than seven cannot be right, and each would be a violation of its own.
    for (i, number) in given.iter().enumerate().take(8) {
        let path = format!("{path}[{i}]");
        if !(1..=7).contains(number) {
            let description = format!("{number} is no weekday; give 1 (Monday) to 7 (Sunday)");
            violations.push(path, "OUT_OF_RANGE", description);
        } else if !weekdays.insert(*number) {
            violations.push(path, "DUPLICATE", "the weekday is given twice");
        }
    }
    *given = weekdays.into_iter().collect();
}

/// Dates, none twice; sorted, without those that are none. If all are none they stay as given: they are not missing, too.
fn days(given: &mut Vec<gtype::Date>, path: &str, violations: &mut Violations) {
    let mut days = BTreeSet::new();
    for (i, message) in given.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if let Some(day) = violations.check(path.clone(), date(*message))
            && !days.insert(day)
        {
            violations.push(path, "DUPLICATE", format!("{day} is given twice"));
        }
    }
    if !days.is_empty() {
        *given = days.into_iter().map(date_message).collect();
    }
}
