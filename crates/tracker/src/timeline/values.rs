//! The fields of an event, and of its resource, that patterns write and figures are taken from.
//!
//! Invariant: a field that exists can be written: a text, a whole or a decimal number, a date, a time, an amount. Which
//! fields a resource has is what its schema says; nothing here knows of one of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::event::v1 as proto;
use milepost_proto::resource::{self, Content, FACTS, Facts, Kind, Node};
use milepost_resource::{date, instant, money};
use milepost_types::language::in_language;
use milepost_types::{Money, TimeZoneId, prose, quoted, suggest};

/// The types of events that are about a resource and do not carry it.
const WITHOUT_RESOURCE: [&str; 6] = [
    "milepost.collection.element_completed",
    "milepost.coupling.achieved",
    "milepost.policy.matched",
    "milepost.policy.unmatched",
    "milepost.template.applied",
    "milepost.template.upgraded",
];

/// The types of events that carry another resource than the one they are named after, and which.
const OF_ANOTHER: [(&str, &str); 4] = [
    ("milepost.coupling.broken", "milestone"),
    ("milepost.requirement.satisfied", "milestone"),
    ("milepost.requirement.unsatisfied", "milestone"),
    ("milepost.template.version_published", "template_version"),
];

/// What the schemas say of the resource that events of a type carry; none if they carry none.
pub(super) fn facts(event_type: &str) -> Option<Facts> {
    if WITHOUT_RESOURCE.contains(&event_type) {
        return None;
    }
    let (noun, _) = event_type.strip_prefix("milepost.")?.rsplit_once('.')?;
    let other = OF_ANOTHER.iter().find(|(named, _)| *named == event_type);
    let noun = other.map_or(noun, |(_, carried)| carried);
    FACTS.iter().find(|facts| facts.of.singular == noun).copied()
}

/// A field that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    EventDate,
    Subject,
    Portfolio,
    Project,
    Resource(Path),
}

/// Where a field of a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The indices of the fields on the way, from the outside.
    steps: Vec<usize>,
    /// The key, if the last one is a map.
    key: Option<String>,
    /// The index of the translations beside the last one, if it is a name that people read.
    translations: Option<usize>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    /// A name that people read, and what it is in other languages.
    Name(&'a str, Option<&'a BTreeMap<String, String>>),
    Int(i64),
    Decimal(&'a str),
    Date(Date),
    Money(Money),
}

const OF_EVENTS: [(&str, Field); 4] = [
    ("event_date", Field::EventDate),
    ("subject", Field::Subject),
    ("portfolio", Field::Portfolio),
    ("project", Field::Project),
];

/// The field of this path, of events that carry a resource with these facts.
///
/// # Errors
/// Why it cannot be written, for people.
pub(super) fn find(path: &str, facts: Option<Facts>) -> Result<Field, String> {
    if let Some((_, field)) = OF_EVENTS.iter().find(|(name, _)| *name == path) {
        return Ok(field.clone());
    }
    let Some(facts) = facts else {
        let message =
            "events of this type carry no resource; there are event_date, subject, portfolio, project";
        return Err(format!("there is no field {}: {message}", quoted(path)));
    };
    in_message(path, path, facts.fields).map(Field::Resource)
}

fn in_message(whole: &str, path: &str, fields: &'static [resource::Field]) -> Result<Path, String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(index) = fields.iter().position(|field| field.name == name) else {
        let names: Vec<_> = fields.iter().filter(|field| is_written(field)).map(|field| field.name).collect();
        let meant = suggest::nearest(name, names.iter().copied());
        let meant = meant.map_or("there are".to_owned(), |meant| format!("did you mean {meant}? There are"));
        return Err(format!("there is no field {}; {meant} {}", quoted(whole), names.join(", ")));
    };
    let field = &fields[index];
    let refused = |what: &str| Err(format!("{} {what}", quoted(whole)));
    if field.repeated {
        return refused("has several values, and one is written");
    }
    let translations =
        fields.iter().position(|other| other.name == "translations" && other.kind == Kind::Map);
    let translations = translations.filter(|_| field.content == Content::DisplayName);
    match (field.kind, rest) {
        (Kind::Message, Some(rest)) => {
            let mut inner = in_message(whole, rest, field.fields)?;
            inner.steps.insert(0, index);
            Ok(inner)
        }
        (Kind::Message, None) => refused("is a message; name one of its fields after a dot"),
        (Kind::Map, Some(key)) if !key.is_empty() => {
            Ok(Path { steps: vec![index], key: Some(key.to_owned()), translations: None })
        }
        (Kind::Map, _) => refused("holds texts by key; name a key after a dot"),
        (_, Some(_)) => refused("has no fields of its own"),
        _ if !is_written(field) => refused("is no text, number, date, time or amount"),
        (_, None) => Ok(Path { steps: vec![index], key: None, translations }),
    }
}

fn is_written(field: &resource::Field) -> bool {
    matches!(
        field.kind,
        Kind::Text | Kind::Int | Kind::Date | Kind::Instant | Kind::Money | Kind::Message | Kind::Map
    ) && !field.repeated
}

impl Field {
    /// Whether a figure can be taken from it.
    pub(super) fn is_figure(&self, facts: Option<Facts>) -> bool {
        let (Field::Resource(path), Some(facts)) = (self, facts) else { return false };
        let mut fields = facts.fields;
        let mut found = None;
        for step in &path.steps {
            found = fields.get(*step);
            fields = found.map(|field| field.fields).unwrap_or_default();
        }
        found.is_some_and(|field| {
            matches!(field.kind, Kind::Int | Kind::Money) || field.content == Content::Decimal
        })
    }

    /// What an event says in it, in a portfolio of this time zone; none if that is absent.
    pub(super) fn value<'a>(&self, event: &'a proto::Event, zone: &TimeZoneId) -> Option<Value<'a>> {
        let text = |text: &'a str| (!text.is_empty()).then_some(Value::Text(text));
        match self {
            Field::EventDate => date(event.event_date.as_ref()).map(Value::Date),
            Field::Subject => text(&event.subject),
            Field::Portfolio => text(&event.portfolio),
            Field::Project => text(&event.project),
            Field::Resource(path) => {
                let (_, node) = resource::carried(event.resource.as_ref()?);
                path.value(node, zone)
            }
        }
    }
}

impl Path {
    fn value<'a>(&self, node: &'a dyn Node, zone: &TimeZoneId) -> Option<Value<'a>> {
        let (last, above) = self.steps.split_last()?;
        let mut node = node;
        for step in above {
            let resource::Value::Message(Some(inner)) = node.value(*step) else { return None };
            node = inner;
        }
        let field = node.fields().get(*last)?;
        match node.value(*last) {
            resource::Value::Text("") => None,
            resource::Value::Text(text) if field.content == Content::Decimal => Some(Value::Decimal(text)),
            resource::Value::Text(text) if field.content == Content::DisplayName => {
                let translations = self.translations.map(|index| node.value(index));
                let translations = match translations {
                    Some(resource::Value::Map(map)) => Some(map),
                    _ => None,
                };
                Some(Value::Name(text, translations))
            }
            resource::Value::Text(text) => Some(Value::Text(text)),
            resource::Value::Int(number) => number.map(Value::Int),
            resource::Value::Date(given) => date(given).map(Value::Date),
            resource::Value::Instant(given) => instant(given).map(|time| Value::Date(zone.date_at(time))),
            resource::Value::Money(given) => money(given).map(Value::Money),
            resource::Value::Map(map) => {
                let text = map.get(self.key.as_deref()?)?;
                (!text.is_empty()).then_some(Value::Text(text))
            }
            _ => None,
        }
    }
}

/// In which way values are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style<'a> {
    /// For people, in the language `to`; names that nothing else is said of are in the language `own`.
    Language { to: &'a str, own: &'a str },
    /// For programs: without a language.
    Key,
}

impl Value<'_> {
    /// The value in words; none if it is not there in the language.
    pub(super) fn written(&self, style: Style<'_>) -> Option<String> {
        Some(match (self, style) {
            (Value::Name(name, translations), Style::Language { to, own }) if !to.is_empty() => {
                let none = BTreeMap::new();
                let translations = translations.unwrap_or(&none);
                // What it is called in the language goes before what is only taken to be in it.
                match translations.get(to) {
                    Some(name) => name.clone(),
                    None => in_language(to, (name, own), translations)?.0.to_owned(),
                }
            }
            (Value::Text(text) | Value::Name(text, _), _) => (*text).to_owned(),
            (Value::Int(number), Style::Key) => number.to_string(),
            (Value::Int(number), Style::Language { .. }) => prose::count(*number),
            (Value::Decimal(number), Style::Key) => (*number).to_owned(),
            (Value::Decimal(number), Style::Language { .. }) => prose::decimal(number),
            (Value::Date(date), Style::Key) => date.to_string(),
            (Value::Date(date), Style::Language { to, .. }) => prose::date(*date, to),
            (Value::Money(amount), Style::Key) => amount.to_string(),
            (Value::Money(amount), Style::Language { to, .. }) => prose::amount(amount, to),
        })
    }

    /// The value as a decimal number, with its currency if it is an amount; none if it is no number, or one that
    /// figures cannot hold.
    pub(super) fn figure(&self) -> Option<(String, String)> {
        match self {
            Value::Int(number) => Some((number.to_string(), String::new())),
            Value::Decimal(number) => Some(((*number).to_owned(), String::new())),
            Value::Money(amount) => {
                let (code, number) =
                    amount.to_string().split_once(' ').map(|(c, n)| (c.to_owned(), n.to_owned()))?;
                let number = match number.split_once('.') {
                    Some((whole, places)) if places.bytes().all(|digit| digit == b'0') => whole.to_owned(),
                    _ => number,
                };
                number.parse::<milepost_types::Decimal>().is_ok().then_some((number, code))
            }
            _ => None,
        }
    }
}
