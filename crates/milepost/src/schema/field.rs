//! What the schemas say of a field: what its values look like, who sets it, where it stands in tables.
//!
//! Invariant: facts only, as the options and types of the field state them.

use milepost_proto::options::v1::{Content, FieldRules};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::{Resource, option, resource_of_type};

/// `OUTPUT_ONLY` of `google.api.FieldBehavior`.
const OUTPUT_ONLY: i32 = 3;
/// `REQUIRED` of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
/// `IDENTIFIER` of `google.api.FieldBehavior`.
const IDENTIFIER: i32 = 8;

/// What the values of a field look like; of a list or a map, its members.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Whole,
    /// A number with a point.
    Double,
    /// Bytes, shown in hexadecimal digits.
    Bytes,
    /// One of an enumeration.
    Enum(EnumDescriptor),
    /// A civil date.
    Date,
    /// An exact amount of money.
    Money,
    /// An instant.
    Instant,
    /// A span of days.
    Period,
    /// A span of time.
    Duration,
    /// Several fields.
    Message(MessageDescriptor),
}

/// Who sets a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Callers, at creation and by update.
    Input,
    /// Callers at creation; later a method of its own.
    AtCreation,
    /// The server.
    Output,
}

/// What a field's values look like.
pub fn shape(field: &FieldDescriptor) -> Shape {
    let kind = match field.kind() {
        Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    };
    match kind {
        Kind::String => Shape::Text,
        Kind::Bool => Shape::Bool,
        Kind::Double | Kind::Float => Shape::Double,
        Kind::Bytes => Shape::Bytes,
        Kind::Enum(values) => Shape::Enum(values),
        Kind::Message(message) => shape_of(message),
        _ => Shape::Whole,
    }
}

/// What a message looks like.
pub fn shape_of(message: MessageDescriptor) -> Shape {
    match message.full_name() {
        "google.type.Date" => Shape::Date,
        "google.type.Money" => Shape::Money,
        "google.protobuf.Timestamp" => Shape::Instant,
        "google.protobuf.Duration" => Shape::Duration,
        "milepost.registry.v1.Period" => Shape::Period,
        _ => Shape::Message(message),
    }
}

/// The rules that the schema states of a field.
pub fn rules(field: &FieldDescriptor) -> FieldRules {
    let rules = option(&field.options(), "milepost.options.v1.rules");
    let rules = rules.as_ref().and_then(Value::as_message).map(DynamicMessage::transcode_to);
    rules.and_then(Result::ok).unwrap_or_default()
}

/// What a field holds, by its rules.
pub fn content(field: &FieldDescriptor) -> Content {
    rules(field).content()
}

/// Whether a caller must give a field.
pub fn is_required(field: &FieldDescriptor) -> bool {
    behaviors(field).contains(&REQUIRED)
}

/// Who sets a field.
pub fn access(field: &FieldDescriptor) -> Access {
    let behaviors = behaviors(field);
    if behaviors.contains(&OUTPUT_ONLY) || behaviors.contains(&IDENTIFIER) || field.name() == "etag" {
        Access::Output
    } else if rules(field).changed_by.is_empty() {
        Access::Input
    } else {
        Access::AtCreation
    }
}

/// The resource that a text names.
pub fn reference(field: &FieldDescriptor) -> Option<&'static Resource> {
    let reference = option(&field.options(), "google.api.resource_reference")?;
    let name = reference.as_message()?.get_field_by_name("type")?.into_owned();
    resource_of_type(name.as_str()?)
}

/// The fields of a message that callers set.
pub fn inputs(message: &MessageDescriptor) -> impl Iterator<Item = FieldDescriptor> {
    message.fields().filter(|field| access(field) != Access::Output).collect::<Vec<_>>().into_iter()
}

/// A name of the schema in words: `start date` for `start_date`.
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// One member of a list, by the list's name: `party` for `parties`.
pub fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let stem = name.strip_suffix("es").filter(|stem| stem.ends_with("ch") || stem.ends_with("sh"));
    stem.or_else(|| name.strip_suffix('s')).unwrap_or(name).to_owned()
}

fn behaviors(field: &FieldDescriptor) -> Vec<i32> {
    let behaviors = option(&field.options(), "google.api.field_behavior");
    let numbers = behaviors.as_ref().and_then(Value::as_list).unwrap_or_default();
    numbers.iter().filter_map(Value::as_enum_number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_is_named_as_people_name_it() {
        for (several, one) in
            [("parties", "party"), ("batches", "batch"), ("labels", "label"), ("funding", "funding")]
        {
            assert_eq!(singular(several), one);
        }
    }
}
