//! Events for people: when, what, of which resource, and what it means.
//!
//! Invariant: every event has a line, also one of a type that this version does not know. Nothing of an
//! event is interpreted beyond what it says.

use milepost_proto::event::v1::Event;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use super::column::Column;
use super::zone::Zone;
use super::{json, text, value, width};
use crate::schema::field::{self, Shape};

/// The message of an event.
pub const MESSAGE: &str = "milepost.event.v1.Event";
/// Columns that a type takes in a line; the longest known one fits.
const KIND_COLUMNS: usize = 28;

/// One line, without a line break; when it was committed is shown in this zone.
pub fn line(event: &Event, zone: &Zone) -> String {
    let time = zone.time(event.commit_time.as_ref());
    let (kind, carried) = (width::pad(kind(event), KIND_COLUMNS), json::dynamic(event));
    let cause = Some(&event.caused_by).filter(|cause| !cause.is_empty());
    let cause = cause.map_or(String::new(), |cause| format!("(because of {cause})"));
    let parts = [time, kind, text::ids(&event.subject), title(&carried), detail(&carried), cause];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// The type without what all types begin with, as in `milestone.achieved`.
pub fn kind(event: &Event) -> &str {
    event.r#type.strip_prefix("milepost.").unwrap_or(&event.r#type)
}

/// The columns of a table of events; none for other messages.
pub fn columns(message: &MessageDescriptor) -> Option<Vec<Column>> {
    (message.full_name() == MESSAGE).then_some(())?;
    let field = |name: &str| message.get_field_by_name(name).map(Column::of);
    let kind = |event: &DynamicMessage| text_of(event, "type").trim_start_matches("milepost.").to_owned();
    Some(vec![
        field("commit_time")?,
        Column::own("type", kind),
        field("subject")?,
        Column::own("display_name", title),
        Column::own("detail", detail),
        field("event_id")?,
    ])
}

/// The message that an event carries as its `resource`, after the change, or as its `payload`.
pub fn carried(event: &DynamicMessage, what: &str) -> Option<DynamicMessage> {
    let oneof = event.descriptor().oneofs().find(|oneof| oneof.name() == what)?;
    let field = oneof.fields().find(|field| event.has_field(field))?;
    event.get_field(&field).as_message().cloned()
}

/// What people call the resource of an event.
pub fn title(event: &DynamicMessage) -> String {
    let Some(resource) = carried(event, "resource") else { return String::new() };
    let fields = ["display_name", "headline", "title"];
    let titles = fields.into_iter().filter(|field| resource.get_field_by_name(field).is_some());
    titles.map(|field| text_of(&resource, field)).next().unwrap_or_default()
}

/// What happened, as far as the type alone does not say it.
pub fn detail(event: &DynamicMessage) -> String {
    let Some(payload) = carried(event, "payload") else { return String::new() };
    let descriptor = payload.descriptor();
    let pair = |before: FieldDescriptor| Some((after(&descriptor, &before)?, before));
    let pairs: Vec<(FieldDescriptor, FieldDescriptor)> = descriptor.fields().filter_map(pair).collect();
    // What slipped keeps its outlook when it comes near: the first of several that differs says what changed.
    let mut said = pairs.iter().find_map(|(now, before)| {
        let (before, now) = (shown(&payload, before), shown(&payload, now));
        (before != now).then(|| format!("{} → {}", text::or_absent(&before), text::or_absent(&now)))
    });
    let date = text_of(event, "event_date");
    // A change to a day says which day it is.
    if !date.is_empty() && said.as_ref().is_none_or(|said| !said.ends_with(&date)) {
        said = Some(said.map_or(String::new(), |said| said + " ") + "on " + &date);
    }
    let changed = (descriptor.name() == "Updated").then(|| text_of(event, "changed_fields"));
    let rest = descriptor.fields().filter(|of| pairs.iter().all(|(now, before)| of != now && of != before));
    let rest = rest.map(|of| other(&payload, &of));
    let parts = changed.into_iter().chain(said).chain(rest).filter(|part| !part.is_empty());
    let said = parts.collect::<Vec<_>>().join(", ").replace(", as of ", " as of ");
    let reason = text_of(&payload, "reason");
    let colon = if said.is_empty() || reason.is_empty() { "" } else { ": " };
    format!("{said}{colon}{reason}")
}

/// The field that says what is now where another says what was before.
fn after(payload: &MessageDescriptor, before: &FieldDescriptor) -> Option<FieldDescriptor> {
    let name = before.name().strip_prefix("previous_")?;
    let is_date = |field: &FieldDescriptor| field::shape(field) == Shape::Date && field != before;
    let dates = || payload.fields().find(|field| name == "date" && is_date(field));
    payload.get_field_by_name(name).or_else(dates)
}

/// What a field of a payload says by itself; nothing if the rest of the event says it.
fn other(payload: &DynamicMessage, of: &FieldDescriptor) -> String {
    let value = payload.get_field(of);
    match (of.name(), &*value) {
        ("batch" | "through" | "previous_sequence" | "reason", _) => String::new(),
        (_, Value::List(members)) if members.is_empty() => String::new(),
        (name, Value::List(members)) => format!("{} {}", members.len(), field::words(name)),
        ("slip_working_days", _) if !payload.has_field(of) => String::new(),
        ("slip_working_days", Value::I32(days)) => format!("{days:+} working days"),
        ("count", Value::I32(count)) => format!("{count} in all"),
        (name, number @ (Value::I32(_) | Value::U64(_))) => {
            format!("{number} {}", field::words(name.trim_end_matches("_count")))
        }
        (_, Value::Message(inner)) if inner.has_field_by_name("title") => text_of(inner, "title"),
        _ if field::shape(of) == Shape::Date && payload.has_field(of) => {
            format!("as of {}", shown(payload, of))
        }
        _ => shown(payload, of),
    }
}

fn text_of(message: &DynamicMessage, field: &str) -> String {
    let field = message.descriptor().get_field_by_name(field);
    field.map(|field| shown(message, &field)).unwrap_or_default()
}

fn shown(message: &DynamicMessage, of: &FieldDescriptor) -> String {
    value::lines(message, of, &Zone::UTC).join(", ")
}
