//! Writes `Node` for every message that resources are made of: the table of its fields, and each field's value,
//! to be read and to be changed.
//!
//! Invariant: the table, the values and the slots count the fields alike, in the order of the schema.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::fields::{Rules, enumeration, fail, kind, part};
use crate::names::{ident, path};
use crate::schema::Schema;

/// The implementation for one message.
pub(crate) fn node(schema: &Schema, message: &MessageDescriptor) -> String {
    let table = if schema.is_resource(message) {
        "<Self as Resource>::FIELDS".to_owned()
    } else {
        format!("{{ const FIELDS: &[Field] = &{}; FIELDS }}", table(schema, message))
    };
    format!(
        "impl Node for {path} {{
    fn fields(&self) -> &'static [Field] {{ {table} }}
    fn value(&self, index: usize) -> Value<'_> {{ match index {{ {values} _ => Value::Text(\"\") }} }}
    fn slot(&mut self, index: usize) -> Slot<'_> {{ match index {{ {slots} _ => Slot::Plain }} }}
}}
",
        path = path(message),
        values = arms(message, |field, _| Some(value(field))),
        slots = arms(message, |field, _| slot(field)),
    )
}

/// The table of a message's fields.
pub(crate) fn table(schema: &Schema, message: &MessageDescriptor) -> String {
    let rows = message.fields().map(|field| row(schema, &field));
    format!("[{}]", rows.collect::<Vec<_>>().join(", "))
}

/// The arms of a `match` on the index of a field: one for each that `arm` has an expression for, by the field
/// and its name in Rust.
pub(crate) fn arms(
    message: &MessageDescriptor,
    arm: impl Fn(&FieldDescriptor, &str) -> Option<String>,
) -> String {
    let arms = message.fields().enumerate();
    arms.filter_map(|(i, field)| Some(format!("{i} => {},", arm(&field, &ident(field.name()))?))).collect()
}

fn row(schema: &Schema, field: &FieldDescriptor) -> String {
    let (names, numbers) = enumeration(field);
    let fields = part(field).map_or("[]".to_owned(), |part| table(schema, &part));
    let (name, number, repeated) = (field.name(), field.number(), field.is_list());
    let Rules {
        content,
        required,
        access,
        limit,
        members,
        unique,
        parts,
        missing,
        unannounced,
        reference,
        ..
    } = Rules::of(schema, field);
    let (kind, optional) = (kind(field), field.supports_presence());
    format!(
        "Field {{ name: {name:?}, number: {number}, kind: Kind::{kind}, content: Content::{content}, \
         repeated: {repeated}, optional: {optional}, required: {required}, access: {access}, \
         limit: {limit}, members: {members}, unique: {unique:?}, parts: {parts}, missing: {missing:?}, \
         unannounced: {unannounced}, names: &{names:?}, numbers: &{numbers:?}, \
         reference: {reference}, fields: &{fields} }}"
    )
}

/// The variant of `Value`, and of `Slot` if it has one, for a field.
fn variant(field: &FieldDescriptor) -> &'static str {
    match kind(field) {
        kind if !field.is_list() => kind,
        "Text" => "Texts",
        "Int" | "Enum" => "Ints",
        "Date" => "Dates",
        "Money" => "Amounts",
        "Message" => "Messages",
        _ => fail(field, "is a list of what lists do not hold"),
    }
}

/// The expression for a field's value.
fn value(field: &FieldDescriptor) -> String {
    let (variant, place) = (variant(field), format!("self.{}", ident(field.name())));
    let is_unsigned = matches!(field.kind(), Kind::Uint64);
    let int = |of: &str| if is_unsigned { format!("{of}.cast_signed()") } else { format!("i64::from({of})") };
    let value = match variant {
        "Enum" => place,
        "Bool" | "Double" if field.supports_presence() => place,
        "Bool" | "Double" => format!("Some({place})"),
        "Int" if field.supports_presence() => format!("{place}.map(|value| {})", int("value")),
        "Int" => format!("Some({})", int(&place)),
        "Date" | "Money" | "Instant" => format!("{place}.as_ref()"),
        "Message" => format!("{place}.as_ref().map(|message| message as &dyn Node)"),
        _ => format!("&{place}"),
    };
    format!("Value::{variant}({value})")
}

/// The expression for a field's value to be changed, if it has more than one form.
fn slot(field: &FieldDescriptor) -> Option<String> {
    let (variant, place) = (variant(field), format!("self.{}", ident(field.name())));
    let slot = match variant {
        "Text" | "Texts" | "Map" | "Ints" | "Dates" | "Messages" => format!("&mut {place}"),
        "Double" if field.supports_presence() => format!("&mut {place}"),
        "Message" => format!("{place}.as_mut().map(|message| message as &mut dyn Node)"),
        _ => return None,
    };
    Some(format!("Slot::{variant}({slot})"))
}
