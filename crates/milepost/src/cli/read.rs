//! Values as they are typed, by what the schema says of the field that they are for.
//!
//! Invariant: a value that is not exact is refused with an example of one that is; nothing is completed or rounded. Rules
//! of the domain, such as which id a label may have, stay with the server.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type as google;
use milepost_proto::options::v1::Content;
use milepost_proto::registry::v1::Period;
use milepost_types::{CurrencyCode, Money, written};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

use super::name;
use crate::output::{json, text, value};
use crate::schema::field::{self, Shape};

/// Where values are read: what they leave out is as it is there.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The name that references are completed from.
    pub name: String,
    /// The currency of amounts that name none: the portfolio's, once it is known.
    pub currency: Option<CurrencyCode>,
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not understood.
    Text(String),
    /// It is an amount without a currency, and no currency is known.
    NoCurrency(String),
}

impl<E: std::fmt::Display> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault::Text(error.to_string())
    }
}

/// The value of a field, from the texts that were given for it: all of them for a list or a map, the last one else.
///
/// # Errors
/// Why the first of them that is faulty is.
pub fn field(field: &FieldDescriptor, texts: &[String], scope: &Scope) -> Result<Value, Fault> {
    if field.is_map() {
        let pairs =
            texts.iter().map(|text| pair(text).map(|(key, text)| (MapKey::String(key), Value::String(text))));
        return Ok(Value::Map(pairs.collect::<Result<_, _>>()?));
    }
    if field.is_list() {
        let members: Result<Vec<Vec<Value>>, Fault> =
            texts.iter().map(|text| members(field, text, scope)).collect();
        return Ok(Value::List(members?.concat()));
    }
    one(field, texts.last().map(String::as_str).unwrap_or_default(), scope)
}

/// The members of a list that one text stands for: one, or the days of a range.
fn members(of: &FieldDescriptor, text: &str, scope: &Scope) -> Result<Vec<Value>, Fault> {
    match field::shape(of) {
        Shape::Date => Ok(written::dates(text)?.into_iter().map(date_value).collect()),
        Shape::Whole => text.split([',', '，']).map(|text| one(of, text.trim(), scope)).collect(),
        _ => Ok(vec![one(of, text, scope)?]),
    }
}

/// One value of a field; of a list, one member.
pub fn one(of: &FieldDescriptor, text: &str, scope: &Scope) -> Result<Value, Fault> {
    Ok(match field::shape(of) {
        Shape::Text => Value::String(match field::reference(of) {
            Some(resource) if !text.is_empty() => name::beside(resource, &scope.name, text)?,
            _ => text.to_owned(),
        }),
        Shape::Bool => match text {
            "true" | "yes" => Value::Bool(true),
            "false" | "no" => Value::Bool(false),
            _ => return Err(Fault::Text("write true or false".to_owned())),
        },
        Shape::Whole => whole(of, text)?,
        Shape::Double => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            Value::F64(number.ok_or("write a number, as in 29.6")?)
        }
        Shape::Bytes => Value::Bytes(bytes(text)?),
        Shape::Enum(values) => Value::EnumNumber(code(&values, text)?),
        Shape::Date => date_value(written::date(text)?),
        Shape::Money => message(&money(text, scope)?),
        Shape::Instant => {
            let hint = "write a time with its offset, as in 2021-05-27T08:00:00+08:00";
            let time: Timestamp = text.parse().map_err(|_| hint)?;
            message(&prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
        }
        Shape::Duration => {
            let span = super::value::duration(text)?;
            message(&prost_types::Duration::try_from(span)?)
        }
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
        Shape::Text => field::reference(of).map_or("TEXT".to_owned(), |resource| shout(&resource.field)),
        Shape::Bool => "BOOL".to_owned(),
        Shape::Whole if field::content(of) == Content::Weekdays => "DAYS".to_owned(),
        Shape::Whole => "N".to_owned(),
        Shape::Double => "NUMBER".to_owned(),
        Shape::Bytes => "HEX".to_owned(),
        Shape::Enum(values) => shout(values.name()),
        Shape::Date if of.is_list() => "DATE[..DATE]".to_owned(),
        Shape::Date => "DATE".to_owned(),
        Shape::Money => "MONEY".to_owned(),
        Shape::Instant => "TIME".to_owned(),
        Shape::Duration => "SPAN".to_owned(),
        Shape::Period => "DATE..DATE".to_owned(),
        Shape::Message(message) => shape_of_parts(&message),
    }
}

/// The words for the values of an enumeration, as they are typed.
pub fn codes(all: &EnumDescriptor) -> Vec<(String, i32)> {
    let values = all.values().filter(|value| value.number() != 0);
    let word = |number: i32| value::code(all, number).to_lowercase().replace('_', "-");
    values.map(|value| (word(value.number()), value.number())).collect()
}

fn code(values: &EnumDescriptor, text: &str) -> Result<i32, Fault> {
    let typed = text.to_lowercase().replace('_', "-");
    let known = codes(values);
    match known.iter().find(|(word, _)| *word == typed) {
        Some((_, number)) => Ok(*number),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| word.as_str()).collect();
            Err(Fault::Text(format!("write one of {}", words.join(", "))))
        }
    }
}

fn whole(of: &FieldDescriptor, text: &str) -> Result<Value, Fault> {
    if field::content(of) == Content::Weekdays {
        let day = text::WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
        let number = day.map(|day| day + 1).or_else(|| text.parse().ok()).filter(|day| (1..=7).contains(day));
        let number = number.and_then(|number| i32::try_from(number).ok());
        return Ok(Value::I32(number.ok_or("write days of the week, as in Mon,Tue or 1,2")?));
    }
    let number = written::whole(text)?;
    let large = |_| Fault::Text("the number is too large, or negative where it may not be".to_owned());
    Ok(match of.kind() {
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::try_from(number).map_err(large)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::try_from(number).map_err(large)?),
        _ => Value::I32(i32::try_from(number).map_err(large)?),
    })
}

fn bytes(text: &str) -> Result<Bytes, Fault> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    Ok(bytes.filter(|_| whole).ok_or("write bytes as two hexadecimal digits each")?.into())
}

/// An amount, in the currency of the scope if it names none.
pub fn money(text: &str, scope: &Scope) -> Result<google::Money, Fault> {
    let amount = written::amount(text)?;
    let money: Money =
        amount.in_currency(scope.currency.as_ref()).map_err(|error| match amount.currency() {
            None if scope.currency.is_none() => Fault::NoCurrency(error.to_string()),
            _ => Fault::Text(error.to_string()),
        })?;
    let currency_code = money.currency().as_str().to_owned();
    Ok(google::Money { currency_code, units: money.units(), nanos: money.nanos() })
}

/// `2021-05-27..2023-12-31`; either end may be left out.
pub fn period(text: &str) -> Result<Period, Fault> {
    let (start, end) = text
        .split_once("..")
        .ok_or("write a period as in 2021-05-27..2023-12-31; either end may be left out")?;
    let end_date = |text: &str| -> Result<_, Fault> {
        if text.trim().is_empty() { Ok(None) } else { Ok(Some(date(written::date(text)?))) }
    };
    Ok(Period { start_date: end_date(start)?, end_date: end_date(end)? })
}

/// A date as the API has it.
pub fn date(date: Date) -> google::Date {
    google::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

fn date_value(day: Date) -> Value {
    message(&date(day))
}

/// A message as a value.
pub fn message<M: prost::Name>(message: &M) -> Value {
    Value::Message(json::dynamic(message))
}

/// `key=value`.
fn pair(text: &str) -> Result<(String, String), Fault> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    if key.is_empty() {
        return Err(Fault::Text("the key before the = is missing".to_owned()));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// `SCHEME=CODE` for a message of two fields, `FIELD=VALUE; …` for others.
fn shape_of_parts(message: &MessageDescriptor) -> String {
    let fields: Vec<String> =
        field::inputs(message).map(|field| shout(&field::singular(field.name()))).collect();
    match &fields[..] {
        [key, value] => format!("{key}={value}"),
        _ => "FIELD=VALUE; …".to_owned(),
    }
}

/// A message from one text: its JSON, its fields by name, or the values of its two fields.
fn parts(message: &MessageDescriptor, text: &str, scope: &Scope) -> Result<DynamicMessage, Fault> {
    if text.trim_start().starts_with('{') {
        return json::read(message, text, scope);
    }
    let fields: Vec<FieldDescriptor> = field::inputs(message).collect();
    let named = |part: &str| -> Option<(FieldDescriptor, String)> {
        let (key, value) = part.split_once('=')?;
        let key = key.trim().replace('-', "_");
        let found =
            fields.iter().find(|field| field.name() == key || field::singular(field.name()) == key)?;
        Some((found.clone(), value.trim().to_owned()))
    };
    let by_name: Option<Vec<_>> = text.split([';', '；']).map(named).collect();
    let given = match (by_name, &fields[..], text.split_once('=')) {
        (Some(given), _, _) => given,
        (None, [key, value], Some((first, second))) => {
            vec![(key.clone(), first.to_owned()), (value.clone(), second.to_owned())]
        }
        (None, [_, _], None) => return Err(Fault::Text(format!("write it as {}", shape_of_parts(message)))),
        _ => {
            let fields: Vec<String> = fields.iter().map(|field| format!("{}=…", field.name())).collect();
            return Err(Fault::Text(format!("write it as \"{}\"", fields.join("; "))));
        }
    };
    let mut read = DynamicMessage::new(message.clone());
    for (of, text) in given {
        let texts = if of.is_list() {
            text.split(',').map(|text| text.trim().to_owned()).collect()
        } else {
            vec![text]
        };
        let value = field(&of, &texts, scope)?;
        read.set_field(&of, value);
    }
    Ok(read)
}

fn shout(name: &str) -> String {
    name.to_uppercase()
}
