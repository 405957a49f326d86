//! Values as they are typed, by what the schema says of the field that they are for.
//!
//! Invariant: a value that is not exact is refused with an example of one that is; nothing is completed or
//! rounded. Rules of the domain, such as which id a label may have, stay with the server.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use milepost_proto::google::r#type as google;
use milepost_proto::options::v1::Content;
use milepost_proto::registry::v1::Period;
use milepost_service::value::instant_message;
use milepost_types::{Clock, CurrencyCode, SystemClock, written};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

use super::name;
use crate::error::BoxError;
use crate::output::{json, text, value};
use crate::schema::field::{self, Shape};

/// Where values are read: what they leave out is as it is there.
#[derive(Debug, Default)]
pub struct Scope {
    /// The name that references are completed from.
    pub name: String,
    /// The currency of amounts that name none.
    pub currency: Option<CurrencyCode>,
    /// A place to note that an amount lacks a currency, which is left empty then, for values to be read again;
    /// without one it is a fault.
    pub lacks_currency: Option<Cell<bool>>,
}

/// The value of a field, from the texts that were given for it: all of them for a list or a map, the last one else.
///
/// # Errors
/// What is wrong with the first that is faulty.
pub fn field(field: &FieldDescriptor, texts: &[String], scope: &Scope) -> Result<Value, BoxError> {
    if field.is_map() {
        return texts.iter().map(|text| pair(text)).collect::<Result<_, _>>().map(Value::Map);
    }
    if field.is_list() {
        let members = texts.iter().map(|text| members(field, text, scope));
        return Ok(Value::List(members.collect::<Result<Vec<_>, _>>()?.concat()));
    }
    one(field, texts.last().map(String::as_str).unwrap_or_default(), scope)
}

/// The members of a list that one text stands for: one, or the days of a range.
fn members(of: &FieldDescriptor, text: &str, scope: &Scope) -> Result<Vec<Value>, BoxError> {
    match field::shape(of) {
        Shape::Date => Ok(written::dates(text)?.into_iter().map(|day| message(&date(day))).collect()),
        Shape::Whole => text.split([',', '，']).map(|text| one(of, text.trim(), scope)).collect(),
        _ => Ok(vec![one(of, text, scope)?]),
    }
}

/// One value of a field; of a list, one member.
pub fn one(of: &FieldDescriptor, text: &str, scope: &Scope) -> Result<Value, BoxError> {
    Ok(match field::shape(of) {
        Shape::Text => Value::String(match field::reference(of) {
            Some(resource) if !text.is_empty() => name::beside(resource, &scope.name, text)?,
            _ => text.to_owned(),
        }),
        Shape::Bool => match text {
            "true" | "yes" => Value::Bool(true),
            "false" | "no" => Value::Bool(false),
            _ => return Err("write true or false".into()),
        },
        Shape::Whole => whole(of, text)?,
        Shape::Double => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            Value::F64(number.ok_or("write a number, as in 29.6")?)
        }
        Shape::Bytes => Value::Bytes(bytes(text)?),
        Shape::Enum(values) => Value::EnumNumber(code(&values, text)?),
        Shape::Date => message(&date(written::date(text)?)),
        Shape::Money => message(&money(text, scope)?),
        Shape::Instant => {
            let hint = |_| "write a time with its offset, as in 2021-05-27T08:00:00+08:00";
            let time: Timestamp = text.parse().map_err(hint)?;
            message(&instant_message(time))
        }
        Shape::Duration => message(&prost_types::Duration::try_from(duration(text)?)?),
        Shape::Period => message(&period(text)?),
        Shape::Message(message) => Value::Message(parts(&message, text, scope)?),
    })
}

/// How the values of a field are shown in help.
pub fn value_name(of: &FieldDescriptor) -> String {
    if of.is_map() {
        return if of.name() == "translations" { "LANGUAGE=TEXT" } else { "KEY=VALUE" }.to_owned();
    }
    match field::shape(of) {
        Shape::Text => {
            field::reference(of).map_or("TEXT".to_owned(), |resource| resource.field.to_uppercase())
        }
        Shape::Bool => "BOOL".to_owned(),
        Shape::Whole if field::content(of) == Content::Weekdays => "DAYS".to_owned(),
        Shape::Whole => "N".to_owned(),
        Shape::Double => "NUMBER".to_owned(),
        Shape::Bytes => "HEX".to_owned(),
        Shape::Enum(values) => values.name().to_uppercase(),
        Shape::Date if of.is_list() => "DATE[..DATE]".to_owned(),
        Shape::Date => "DATE".to_owned(),
        Shape::Money => "MONEY".to_owned(),
        Shape::Instant => "TIME".to_owned(),
        Shape::Duration => "SPAN".to_owned(),
        Shape::Period => "DATE..DATE".to_owned(),
        Shape::Message(message) => shape_of_parts(&message),
    }
}

/// A span of time such as `10s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no span of time; write it as in 10s, 1m30s or 500ms");
    let span: SignedDuration = text.parse().map_err(|_| hint())?;
    let span = Duration::try_from(span).map_err(|_| hint())?;
    if span.is_zero() { Err("the span of time is zero".to_owned()) } else { Ok(span) }
}

/// An instant such as `2021-05-27T08:00:00+08:00`, or a span of time such as `2h` for that long ago.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    let hint = "write a time with its offset, as in 2021-05-27T08:00:00+08:00, or how long ago, as in 2h";
    let ago = || SystemClock.now().checked_sub(SignedDuration::try_from(duration(text).ok()?).ok()?).ok();
    text.parse().ok().or_else(ago).ok_or_else(|| hint.to_owned())
}

/// The words for the values of an enumeration, as they are typed.
pub fn codes(all: &EnumDescriptor) -> Vec<(String, i32)> {
    let values = all.values().filter(|value| value.number() != 0);
    let word = |number: i32| value::code(all, number).to_lowercase().replace('_', "-");
    values.map(|value| (word(value.number()), value.number())).collect()
}

fn code(values: &EnumDescriptor, text: &str) -> Result<i32, BoxError> {
    let (typed, known) = (text.to_lowercase().replace('_', "-"), codes(values));
    let words: Vec<&str> = known.iter().map(|(word, _)| word.as_str()).collect();
    let found = known.iter().find(|(word, _)| *word == typed);
    Ok(found.ok_or_else(|| format!("write one of {}", words.join(", ")))?.1)
}

fn whole(of: &FieldDescriptor, text: &str) -> Result<Value, BoxError> {
    if field::content(of) == Content::Weekdays {
        let day = (1..).zip(text::WEEKDAYS).find(|(_, day)| day.eq_ignore_ascii_case(text));
        let number = day.map(|(number, _)| number).or_else(|| text.parse().ok());
        let number = number.filter(|day| (1..=7).contains(day));
        return Ok(Value::I32(number.ok_or("write days of the week, as in Mon,Tue or 1,2")?));
    }
    let number = written::whole(text)?;
    let large = |_| "the number is too large, or negative where it may not be";
    Ok(match of.kind() {
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::try_from(number).map_err(large)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::try_from(number).map_err(large)?),
        _ => Value::I32(i32::try_from(number).map_err(large)?),
    })
}

fn bytes(text: &str) -> Result<Bytes, BoxError> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_whole = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes: Option<Bytes> = text.as_bytes().chunks(2).map(byte).collect();
    Ok(bytes.filter(|_| is_whole).ok_or("write bytes as two hexadecimal digits each")?)
}

/// An amount, in the currency of the scope if it names none.
pub fn money(text: &str, scope: &Scope) -> Result<google::Money, BoxError> {
    let amount = written::amount(text)?;
    if let (None, Some(lacks)) = (amount.currency(), &scope.lacks_currency) {
        lacks.set(true);
        return Ok(google::Money::default());
    }
    let money = amount.in_currency(scope.currency.as_ref())?;
    let currency_code = money.currency().as_str().to_owned();
    Ok(google::Money { currency_code, units: money.units(), nanos: money.nanos() })
}

/// `2021-05-27..2023-12-31`; either end may be left out.
pub fn period(text: &str) -> Result<Period, BoxError> {
    let hint = "write a period as in 2021-05-27..2023-12-31; either end may be left out";
    let (start, end) = text.split_once("..").ok_or(hint)?;
    let open = |text: &str| Some(text).filter(|text| !text.trim().is_empty()).map(written::date).transpose();
    Ok(Period { start_date: open(start)?.map(date), end_date: open(end)?.map(date) })
}

/// A date as the API has it.
pub fn date(date: Date) -> google::Date {
    google::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// A message as a value.
pub fn message<M: prost::Name>(message: &M) -> Value {
    Value::Message(json::dynamic(message))
}

/// `key=value`.
fn pair(text: &str) -> Result<(MapKey, Value), BoxError> {
    match text.split_once('=').ok_or("write it as KEY=VALUE")? {
        ("", _) => Err("the key before the = is missing".into()),
        (key, value) => Ok((MapKey::String(key.to_owned()), Value::String(value.to_owned()))),
    }
}

/// `SCHEME=CODE` for a message of two fields, `FIELD=VALUE; …` for others.
fn shape_of_parts(message: &MessageDescriptor) -> String {
    let fields: Vec<String> =
        field::inputs(message).map(|field| field::singular(field.name()).to_uppercase()).collect();
    match &fields[..] {
        [key, value] => format!("{key}={value}"),
        _ => "FIELD=VALUE; …".to_owned(),
    }
}

/// A message from one text: its JSON, its fields by name, or the values of its two fields.
fn parts(message: &MessageDescriptor, text: &str, scope: &Scope) -> Result<DynamicMessage, BoxError> {
    if text.trim_start().starts_with('{') {
        return json::read(message, text, scope);
    }
    let fields: Vec<FieldDescriptor> = field::inputs(message).collect();
    let named = |part: &str| -> Option<(FieldDescriptor, String)> {
        let (key, value) = part.split_once('=')?;
        let key = key.trim().replace('-', "_");
        let found = fields.iter().find(|of| of.name() == key || field::singular(of.name()) == key)?;
        Some((found.clone(), value.trim().to_owned()))
    };
    let by_name: Option<Vec<_>> = text.split([';', '；']).map(named).collect();
    let given = match (by_name, &fields[..]) {
        (Some(given), _) => given,
        (None, [key, value]) => {
            let pair =
                text.split_once('=').ok_or_else(|| format!("write it as {}", shape_of_parts(message)))?;
            vec![(key.clone(), pair.0.to_owned()), (value.clone(), pair.1.to_owned())]
        }
        _ => {
            let fields: Vec<String> = fields.iter().map(|field| format!("{}=…", field.name())).collect();
            return Err(format!("write it as \"{}\"", fields.join("; ")).into());
        }
    };
    let mut read = DynamicMessage::new(message.clone());
    let mut seen = HashSet::new();
    for (of, text) in given {
        if !seen.insert(of.number()) {
            return Err(format!("it gives {} twice", of.name()).into());
        }
        let several = |text: &str| text.split(',').map(|text| text.trim().to_owned()).collect();
        let texts = if of.is_list() { several(&text) } else { vec![text] };
        read.set_field(&of, field(&of, &texts, scope)?);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn times_have_an_offset_or_are_so_long_ago() {
        let at: Timestamp = "2021-05-27T00:00:00Z".parse().unwrap();
        assert_eq!(instant("2021-05-27T08:00:00+08:00"), Ok(at));
        let hours = |count: i64| SystemClock.now() - SignedDuration::from_hours(count);
        let earliest = hours(2);
        let at = instant("2h").unwrap();
        assert!((earliest..=hours(2)).contains(&at), "{at}");
        for text in ["2021-05-27", "2021-05-27T08:00:00", "yesterday", "-2h"] {
            assert!(instant(text).is_err(), "{text}");
        }
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("0s").is_err());
        assert!(duration("10").is_err());
    }
}
