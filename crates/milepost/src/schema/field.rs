//! What the schemas say of a field: what its values look like, who sets it, where it stands in tables.
//!
//! Invariant: facts only, as the options and types of the field state them.

use milepost_proto::google::api::{FieldBehavior, ResourceReference};
use milepost_proto::options::v1::{Content, FieldRules};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::{POOL, Resource, option, resources};

/// What the values of a field look like; of a list or a map, its members.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Text,
    Bool,
    /// A number without a point.
    Whole,
    Double,
    /// Shown in hexadecimal digits.
    Bytes,
    Enum(EnumDescriptor),
    /// A civil date.
    Date,
    Money,
    Instant,
    /// A span of days.
    Period,
    /// A span of time.
    Duration,
    Message(MessageDescriptor),
}

/// Who sets a field; `AtCreation`: callers, but later with a method of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Input,
    AtCreation,
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
    option(&field.options(), "milepost.options.v1.rules").unwrap_or_default()
}

/// What a field holds, by its rules.
pub fn content(field: &FieldDescriptor) -> Content {
    rules(field).content()
}

/// Whether a caller must give a field.
pub fn is_required(field: &FieldDescriptor) -> bool {
    behaves(field, &[FieldBehavior::Required])
}

/// Who sets a field.
pub fn access(field: &FieldDescriptor) -> Access {
    if field.name() == "etag" || behaves(field, &[FieldBehavior::OutputOnly, FieldBehavior::Identifier]) {
        Access::Output
    } else if rules(field).changed_by.is_empty() {
        Access::Input
    } else {
        Access::AtCreation
    }
}

/// The resource that a text names.
pub fn reference(field: &FieldDescriptor) -> Option<&'static Resource> {
    let reference: ResourceReference = option(&field.options(), "google.api.resource_reference")?;
    resources().iter().find(|resource| resource.type_name == reference.r#type)
}

/// What the schema says that a field holds.
pub fn comment(field: &FieldDescriptor) -> String {
    super::comment(&field.parent_file(), field.path())
}

/// The fields of a message that callers set.
pub fn inputs(message: &MessageDescriptor) -> impl Iterator<Item = FieldDescriptor> {
    message.fields().filter(|field| access(field) != Access::Output)
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

fn behaves(field: &FieldDescriptor, as_one_of: &[FieldBehavior]) -> bool {
    let extension = POOL.get_extension_by_name("google.api.field_behavior").expect("the schemas import it");
    let options = field.options();
    let stated = options.get_extension(&extension);
    let numbers = stated.as_list().into_iter().flatten().filter_map(Value::as_enum_number);
    numbers.into_iter().any(|number| as_one_of.iter().any(|behavior| *behavior as i32 == number))
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
