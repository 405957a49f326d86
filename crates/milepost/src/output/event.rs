//! Events for people: when, what, of which resource, and what it means.
//!
//! Invariant: every event has a line, also one of a type that this version does not know. Nothing of an
//! event is interpreted beyond what it says.

use milepost_proto::event::v1::Event;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use super::column::Column;
use super::zone::{Place, Zone, Zones};
use super::{json, text, value, width};
use crate::schema::field::{self, Shape};

/// The message of an event.
pub const MESSAGE: &str = "milepost.event.v1.Event";
/// Columns that a type takes in a line; the longest known one fits.
const KIND_COLUMNS: usize = 28;
/// Fields of payloads that say nothing beside the rest of the event.
const UNSAID: [&str; 3] = ["batch", "through", "previous_sequence"];

/// One line, without a line break; when it was committed is shown in this zone.
pub fn line(event: &Event, zone: &Zone) -> String {
    let mut line = format!(
        "{}  {}  {}",
        zone.time(event.commit_time.as_ref()),
        width::pad(kind(event), KIND_COLUMNS),
        text::ids(&event.subject)
    );
    for part in [title(event), detail(event)] {
        if !part.is_empty() {
            line.push_str("  ");
            line.push_str(&part);
        }
    }
    if !event.caused_by.is_empty() {
        line.push_str(&format!("  (because of {})", event.caused_by));
    }
    line
}

/// The type without what all types begin with, as in `milestone.achieved`.
pub fn kind(event: &Event) -> &str {
    event.r#type.strip_prefix("milepost.").unwrap_or(&event.r#type)
}

/// What people call the resource.
pub fn title(event: &Event) -> String {
    resource(&json::dynamic(event)).map(|resource| text_of(&resource, "display_name")).unwrap_or_default()
}

/// What happened, as far as the type alone does not say it.
pub fn detail(event: &Event) -> String {
    detail_of(&json::dynamic(event))
}

/// The resource of an event, after the change.
pub fn resource(event: &DynamicMessage) -> Option<DynamicMessage> {
    one_of(event, "resource")
}

/// The columns of a table of events; none for other messages.
pub fn columns(message: &MessageDescriptor) -> Option<Vec<Column>> {
    let field = |name: &str| message.get_field_by_name(name).map(Column::of);
    let title = |event: &DynamicMessage| {
        resource(event).map(|resource| text_of(&resource, "display_name")).unwrap_or_default()
    };
    let kind = |event: &DynamicMessage| text_of(event, "type").trim_start_matches("milepost.").to_owned();
    (message.full_name() == MESSAGE).then_some(())?;
    Some(vec![
        field("commit_time")?,
        Column::own("type", kind),
        field("subject")?,
        Column::own("display_name", title),
        Column::own("detail", detail_of),
        field("event_id")?,
    ])
}

/// The lines of an event's card; none for other messages.
pub fn card(message: &DynamicMessage, zone: &Zone) -> Option<Vec<(String, String)>> {
    (message.descriptor().full_name() == MESSAGE).then_some(())?;
    let event: Event = value::typed(message)?;
    let actor = event.actor.clone().unwrap_or_default();
    let time = event.commit_time.as_ref().map(|time| zone.time(Some(time)));
    let lines = [
        ("Event", event.event_id.clone()),
        ("Type", event.r#type.clone()),
        ("Subject", event.subject.clone()),
        ("Display name", title(&event)),
        ("Detail", detail_of(message)),
        ("Committed", time.unwrap_or_default()),
        ("Event date", event.event_date.map(|date| text::date(Some(&date))).unwrap_or_default()),
        ("Source", format!("{} {}", event.source, event.sequence)),
        ("Portfolio", event.portfolio.clone()),
        ("Project", event.project.clone()),
        ("Actor", actor.principal),
        ("On behalf of", actor.on_behalf_of),
        ("Request id", event.request_id),
        ("Because of", event.caused_by),
        ("Changed fields", event.changed_fields.join(", ")),
        ("Trace", event.traceparent),
    ];
    let lines = lines.into_iter().filter(|(_, text)| !text.is_empty());
    Some(lines.map(|(label, text)| (label.to_owned(), text)).collect())
}

/// The message that is set of several.
fn one_of(event: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let oneof = event.descriptor().oneofs().find(|oneof| oneof.name() == name)?;
    let field = oneof.fields().find(|field| event.has_field(field))?;
    event.get_field(&field).as_message().cloned()
}

fn text_of(message: &DynamicMessage, field: &str) -> String {
    let text = message.get_field_by_name(field);
    text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

fn detail_of(event: &DynamicMessage) -> String {
    let Some(payload) = one_of(event, "payload") else { return String::new() };
    let changed = event.get_field_by_name("changed_fields");
    let changed: Vec<&str> = changed
        .iter()
        .flat_map(|list| list.as_list().unwrap_or_default())
        .filter_map(Value::as_str)
        .collect();
    let mut parts: Vec<String> = Vec::new();
    if payload.descriptor().name() == "Updated" {
        parts.push(changed.join(", "));
    }
    let descriptor = payload.descriptor();
    let pairs: Vec<(FieldDescriptor, FieldDescriptor)> = descriptor
        .fields()
        .filter_map(|before| Some((before.clone(), after(&descriptor, &before)?)))
        .collect();
    // What slipped keeps its outlook when it comes near: the first of several that differs says what changed.
    let change = |(before, now): &(FieldDescriptor, FieldDescriptor)| {
        let (before, now) = (shown(&payload, before), shown(&payload, now));
        (before != now).then(|| format!("{} → {}", text::or_absent(&before), text::or_absent(&now)))
    };
    let mut said = pairs.iter().find_map(change).unwrap_or_default();
    if let Some(Value::Message(date)) = event.get_field_by_name("event_date").as_deref()
        && event.has_field_by_name("event_date")
    {
        let date = value::message(date, &Zones::utc().zone(&Place::Nowhere, ""));
        // A change to a day says which day it is.
        if !said.ends_with(&date) {
            said.push_str(&format!(" on {date}"));
        }
    }
    parts.push(said.trim_start().to_owned());
    let rest =
        descriptor.fields().filter(|field| pairs.iter().all(|(before, now)| field != before && field != now));
    parts.extend(rest.map(|field| other(&payload, &field)));
    parts.retain(|part| !part.is_empty());
    let said = parts.join(", ").replace(", as of ", " as of ");
    let reason = text_of(&payload, "reason");
    match (said.is_empty(), reason.is_empty()) {
        (_, true) => said,
        (true, false) => reason,
        (false, false) => format!("{said}: {reason}"),
    }
}

/// The field that says what is now where another says what was before.
fn after(payload: &MessageDescriptor, before: &FieldDescriptor) -> Option<FieldDescriptor> {
    let name = before.name().strip_prefix("previous_")?;
    payload.get_field_by_name(name).or_else(|| {
        let is_date = |field: &FieldDescriptor| field::shape(field) == Shape::Date && field != before;
        payload.fields().find(|field| name == "date" && is_date(field))
    })
}

/// What a field of a payload says by itself.
fn other(payload: &DynamicMessage, of: &FieldDescriptor) -> String {
    if UNSAID.contains(&of.name()) || of.name() == "reason" {
        return String::new();
    }
    let value = payload.get_field(of);
    let number = value::number(&value).map(|number| number.to_string());
    match (number, &*value) {
        (_, Value::List(members)) if !of.is_map() => match members.len() {
            0 => String::new(),
            count => format!("{count} {}", field::words(of.name())),
        },
        (Some(_), _) if of.name() == "slip_working_days" => slip(payload.has_field(of), &value),
        (Some(number), _) => match of.name().strip_suffix("_count") {
            Some(what) => format!("{number} {}", field::words(what)),
            None if of.name() == "count" => format!("{number} in all"),
            None => format!("{} {number}", field::words(of.name())),
        },
        (None, Value::Message(inner)) if inner.has_field_by_name("title") => text_of(inner, "title"),
        (None, Value::Message(inner)) if inner.descriptor().name() == "Position" => {
            let sequence = inner.get_field_by_name("sequence").and_then(|value| value::number(&value));
            format!("sequence {}", sequence.unwrap_or_default())
        }
        (None, Value::Message(_)) if field::shape(of) == Shape::Date && payload.has_field(of) => {
            format!("as of {}", shown(payload, of))
        }
        _ => shown(payload, of),
    }
}

/// `65 working days later`.
fn slip(is_known: bool, days: &Value) -> String {
    let days = days.as_i32().unwrap_or_default();
    let count = text::count(days.unsigned_abs().into(), "working day", "working days");
    match days {
        _ if !is_known => String::new(),
        0 => "no slip".to_owned(),
        days if days > 0 => format!("{count} later"),
        _ => format!("{count} earlier"),
    }
}

fn shown(payload: &DynamicMessage, of: &FieldDescriptor) -> String {
    match &*payload.get_field(of) {
        Value::Message(inner) if inner.descriptor().name() == "Position" && payload.has_field(of) => {
            let sequence = inner.get_field_by_name("sequence").and_then(|value| value::number(&value));
            format!("sequence {}", sequence.unwrap_or_default())
        }
        _ => value::lines(payload, of, &Zones::utc().zone(&Place::Nowhere, "")).join(", "),
    }
}
