//! Values that many messages have: dates, money, instants, enums.
//!
//! Invariant: nothing is rounded, completed or guessed: a partial date and an amount without a currency
//! are refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
pub(crate) use milepost_service::value::{date, date_message, instant_message, said};
use milepost_types::filter::Value;
use milepost_types::{
    CurrencyCode, Fault, LanguageTag, Money, NameError, Period, ProjectName, ResourceName, Violations, text,
};

use super::Unreadable;

/// The date that was stored, if there is one.
pub(crate) fn stored_date(field: &str, message: Option<gtype::Date>) -> Result<Option<Date>, Unreadable> {
    message.map(date).transpose().map_err(|error| Unreadable::of(field, error))
}

/// The period that was stored.
pub(crate) fn stored_period(field: &str, message: Option<proto::Period>) -> Result<Period, Unreadable> {
    let proto::Period { start_date, end_date } = message.unwrap_or_default();
    Ok(Period::stored(stored_date(field, start_date)?, stored_date(field, end_date)?))
}

/// An amount that is not negative.
pub(crate) fn money(message: gtype::Money) -> Result<Money, Violations> {
    let mut violations = Violations::new();
    let currency = violations.check("currency_code", message.currency_code.parse());
    let money = currency
        .and_then(|currency| violations.check("", Money::new(currency, message.units, message.nanos)));
    if money.is_some_and(|money| money.is_negative()) {
        violations.push("", "NEGATIVE", "the amount is less than zero; give zero or more");
    }
    violations.finish(money)
}

/// An amount as a message.
pub(crate) fn money_message(money: &Money) -> gtype::Money {
    gtype::Money { currency_code: money.currency().to_string(), units: money.units(), nanos: money.nanos() }
}

/// The amount that was stored. Its currency need not be one that is accepted today.
pub(crate) fn stored_money(field: &str, message: &gtype::Money) -> Result<Money, Unreadable> {
    let currency = stored_currency(field, &message.currency_code)?;
    Money::new(currency, message.units, message.nanos).map_err(|error| Unreadable::of(field, error))
}

/// The currency that was stored.
pub(crate) fn stored_currency(field: &str, code: &str) -> Result<CurrencyCode, Unreadable> {
    CurrencyCode::stored(code)
        .ok_or_else(|| Unreadable::of(field, format_args!("{code:?} is no currency code")))
}

/// The instant that was stored, if there is one.
pub(crate) fn stored_instant(
    field: &str,
    message: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Unreadable> {
    let instant = message.map(|message| Timestamp::new(message.seconds, message.nanos)).transpose();
    instant.map_err(|error| Unreadable::of(field, error))
}

/// The name that was stored.
pub(crate) fn stored_name<N: ResourceName>(field: &str, name: &str) -> Result<N, Unreadable> {
    name.parse().map_err(|error| Unreadable::of(field, error))
}

/// The name that was stored; empty: none.
pub(crate) fn stored_optional_name<N: ResourceName>(
    field: &str,
    name: &str,
) -> Result<Option<N>, Unreadable> {
    if name.is_empty() { Ok(None) } else { stored_name(field, name).map(Some) }
}

/// The display name in other languages that was stored.
pub(crate) fn stored_translations(held: BTreeMap<String, String>) -> BTreeMap<LanguageTag, String> {
    held.into_iter().map(|(tag, name)| (LanguageTag::stored(tag), name)).collect()
}

/// What must be there in what is stored.
pub(crate) fn stored<T>(field: &str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or_else(|| Unreadable::of(field, "is missing"))
}

/// The value of an enum's field: one that the schema knows.
pub(crate) fn choice<E: TryFrom<i32>>(field: &str, number: i32, violations: &mut Violations) -> Option<E> {
    let choice = E::try_from(number).ok();
    if choice.is_none() {
        violations.push(
            field,
            "UNKNOWN_ENUM_VALUE",
            format!("there is no value {number}; give one of the schema"),
        );
    }
    choice
}

/// Why something was done, where it need not be said.
pub(crate) fn optional_reason(given: String, violations: &mut Violations) -> Option<String> {
    violations.check("reason", said(given, text::text))
}

/// A display name in other languages, as a message has it.
pub(crate) fn translations(held: &BTreeMap<LanguageTag, String>) -> BTreeMap<String, String> {
    held.iter().map(|(tag, name)| (tag.to_string(), name.clone())).collect()
}

/// The names of projects in a repeated field, each with its index.
pub(crate) fn project_names(
    field: &str,
    given: &[String],
    violations: &mut Violations,
) -> Vec<(usize, ProjectName)> {
    let mut named = Vec::with_capacity(given.len());
    for (i, name) in given.iter().enumerate() {
        match name.parse() {
            Ok(name) => named.push((i, name)),
            Err(error) => {
                let error: NameError = error;
                error.record(format!("{field}[{i}]"), violations);
            }
        }
    }
    named
}

/// The currency of an amount, for a filter.
pub(crate) fn filter_currency(message: Option<&gtype::Money>) -> Value<'_> {
    message.map_or(Value::Absent, |money| Value::text(&money.currency_code))
}

/// The whole units of an amount, for a filter.
pub(crate) fn filter_units(message: Option<&gtype::Money>) -> Value<'static> {
    message.map(|money| money.units).into()
}

/// A date, for a filter.
pub(crate) fn filter_date(message: Option<&gtype::Date>) -> Value<'static> {
    message.and_then(|message| date(*message).ok()).into()
}

/// The first day of a period, for a filter.
pub(crate) fn filter_start(message: Option<&proto::Period>) -> Value<'static> {
    filter_date(message.and_then(|period| period.start_date.as_ref()))
}

/// The last day of a period, for a filter.
pub(crate) fn filter_end(message: Option<&proto::Period>) -> Value<'static> {
    filter_date(message.and_then(|period| period.end_date.as_ref()))
}

/// An instant, for a filter.
pub(crate) fn filter_instant(message: Option<&prost_types::Timestamp>) -> Value<'static> {
    message.and_then(|message| Timestamp::new(message.seconds, message.nanos).ok()).into()
}

/// An enum's name, for a filter; its first value says nothing.
pub(crate) fn filter_choice(number: i32, name: &'static str) -> Value<'static> {
    if number == 0 { Value::Absent } else { Value::from(name) }
}
