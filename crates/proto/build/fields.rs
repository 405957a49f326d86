//! What the schemas say of one field: its kind, by its type, and its rules, by its options.
//!
//! Invariant: an option that makes no sense ends the build, with the file and the field that it stands at.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::names::{constant, upper_camel};
use crate::schema::{META, Schema, extension, option};

/// The numbers in `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;

/// What a field's options say. `content`, `access` and `reference` are written as in `src/resource.rs`.
pub(crate) struct Rules {
    pub(crate) content: String,
    pub(crate) required: bool,
    pub(crate) access: String,
    pub(crate) limit: u32,
    pub(crate) members: u32,
    pub(crate) unique: String,
    pub(crate) parts: bool,
    pub(crate) missing: String,
    pub(crate) unannounced: bool,
    pub(crate) as_of_read: bool,
    pub(crate) reference: String,
}

impl Rules {
    pub(crate) fn of(schema: &Schema, field: &FieldDescriptor) -> Self {
        let (options, extension) = (field.options(), extension(schema.pool, "milepost.options.v1.rules"));
        // Where there are none, these are empty.
        let rules = options.get_extension(&extension);
        let rules = rules.as_message().expect("rules are a message");
        let behaviors = behaviors(schema, field);
        let found = Self {
            content: content(schema, field, rules),
            required: behaviors.contains(&REQUIRED),
            access: access(schema, field, rules, behaviors.contains(&OUTPUT_ONLY)),
            limit: number(rules, "limit"),
            members: number(rules, "members"),
            unique: text(rules, "unique"),
            parts: truth(rules, "parts"),
            missing: text(rules, "missing"),
            unannounced: truth(rules, "unannounced"),
            as_of_read: truth(rules, "as_of_read"),
            reference: reference(schema, field),
        };
        found.check(field, options.has_extension(&extension));
        found
    }

    /// Ends the build if they make no sense for this field.
    fn check(&self, field: &FieldDescriptor, are_given: bool) {
        let (kind, is_list) = (kind(field), field.is_list());
        let is_packable = is_list && matches!(kind, "Int" | "Enum" | "Bool" | "Double");
        // Whether the members of a list are of a kind that requests are not checked for.
        let is_unchecked = match kind {
            "Money" => true,
            "Int" => self.content != "Weekdays",
            _ => false,
        };
        let faults = [
            (
                self.parts && (part(field).is_none() || is_list),
                "is not one message, so it has no parts to name",
            ),
            // The encoder takes options without it as: not packed.
            (are_given && is_packable && !packed(field), "needs `packed = true` beside its other options"),
            (self.parts && self.required, "has parts that are changed one by one, so it cannot be required"),
            (
                is_list && self.access == "Access::Input" && is_unchecked,
                "is a list of what no rule checks yet; see `check_list` in crate resource",
            ),
            (self.members > 0 && !is_list, "is no list, so it has no members to count"),
            (!self.unique.is_empty() && !is_list, "is no list, so it has no members to compare"),
            (
                self.content == "Number" && self.limit == 0,
                "is a number from 0 to its limit, but has no limit",
            ),
        ];
        if let Some((_, fault)) = faults.into_iter().find(|(is_fault, _)| *is_fault) {
            fail(field, fault);
        }
    }
}

/// The message of ours that a field holds.
pub(crate) fn part(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() && message.package_name().starts_with("milepost.") => {
            Some(message)
        }
        _ => None,
    }
}

/// The kind of its values, as `Kind` in `src/resource.rs` names it.
pub(crate) fn kind(field: &FieldDescriptor) -> &'static str {
    if field.is_map() {
        return "Map";
    }
    match field.kind() {
        Kind::String => "Text",
        Kind::Bool => "Bool",
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => "Int",
        Kind::Double => "Double",
        Kind::Bytes => "Bytes",
        Kind::Enum(_) => "Enum",
        Kind::Message(message) => match message.full_name() {
            "google.type.Date" => "Date",
            "google.type.Money" => "Money",
            "google.protobuf.Timestamp" => "Instant",
            name if name.starts_with("milepost.") => "Message",
            _ => fail(field, "has a type that resources do not have"),
        },
        _ => fail(field, "has a type that resources do not have"),
    }
}

/// The names and the numbers of an enum's values, without the first; none if the field is no enum.
pub(crate) fn enumeration(field: &FieldDescriptor) -> (Vec<String>, Vec<i32>) {
    let Kind::Enum(values) = field.kind() else { return Default::default() };
    let values = values.values().filter(|value| value.number() != 0);
    values.map(|value| (value.name().to_owned(), value.number())).unzip()
}

/// Ends the build.
pub(crate) fn fail(field: &FieldDescriptor, what: &str) -> ! {
    panic!("{}: {} {what}", field.parent_file().name(), field.full_name())
}

/// The text in a field of an option; empty if it is not set.
pub(crate) fn text(option: &DynamicMessage, field: &str) -> String {
    let value = option.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn number(option: &DynamicMessage, field: &str) -> u32 {
    option.get_field_by_name(field).and_then(|value| value.as_u32()).unwrap_or_default()
}

fn truth(option: &DynamicMessage, field: &str) -> bool {
    option.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn packed(field: &FieldDescriptor) -> bool {
    field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.packed())
}

fn behaviors(schema: &Schema, field: &FieldDescriptor) -> Vec<i32> {
    let options = field.options();
    let marks = options.get_extension(&extension(schema.pool, "google.api.field_behavior"));
    marks.as_list().into_iter().flatten().filter_map(Value::as_enum_number).collect()
}

/// What it holds, by its rules, or else by its name and its kind.
fn content(schema: &Schema, field: &FieldDescriptor, rules: &DynamicMessage) -> String {
    let number = rules.get_field_by_name("content").and_then(|content| content.as_enum_number());
    if let Some(number) = number.filter(|number| *number != 0) {
        let contents = schema.pool.get_enum_by_name("milepost.options.v1.Content").expect("contents");
        let value = contents.get_value(number);
        let value = value.unwrap_or_else(|| fail(field, "has a content that there is not"));
        return upper_camel(&value.name()["CONTENT_".len()..].to_lowercase());
    }
    let content = match (field.name(), kind(field)) {
        ("display_name", "Text") => "DisplayName",
        ("translations", "Map") => "Translations",
        (_, "Map") => "Labels",
        (_, "Text") => "Text",
        _ => "Unspecified",
    };
    content.to_owned()
}

/// Who sets it, and who changes it.
fn access(schema: &Schema, field: &FieldDescriptor, rules: &DynamicMessage, is_output: bool) -> String {
    match (text(rules, "changed_by"), text(rules, "set_by")) {
        _ if schema.is_resource(field.parent_message()) && META.contains(&field.name()) => {
            "Access::Meta".to_owned()
        }
        (method, _) if !method.is_empty() => format!("Access::Method({method:?})"),
        (_, how) if is_output => format!("Access::Output({how:?})"),
        (_, how) if !how.is_empty() => fail(field, "says who sets it, but is no OUTPUT_ONLY field"),
        _ => "Access::Input".to_owned(),
    }
}

/// The type of the resources that it names.
fn reference(schema: &Schema, field: &FieldDescriptor) -> String {
    let extension = extension(schema.pool, "google.api.resource_reference");
    let Some(reference) = option(&field.options(), &extension) else { return "None".to_owned() };
    let resource = schema.by_type(&text(&reference, "type"));
    let resource = resource.unwrap_or_else(|| fail(field, "names a resource that there is not"));
    format!("Some({})", constant(&resource.message))
}
