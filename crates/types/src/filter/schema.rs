//! Schemas: the fields of a resource that can be filtered by, and their types.
//!
//! Invariant: a schema is fixed when the program is built. Paths are those of the resource's message
//! and never change: subscriptions keep filters for years.

/// What a field holds, and so what it may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    Text,
    /// The type of an event: text, of which a pattern that fits no type is a fault.
    EventType,
    /// One of these names, as the API spells them.
    Enum(&'static [&'static str]),
    /// A whole number of 64 bits.
    Int,
    /// A number with a fraction: `29.5`, `2.997e9`.
    Double,
    /// `true` or `false`.
    Bool,
    /// A civil date: `2021-05-27`.
    Date,
    /// An instant: `2021-05-27T00:00:00Z`, or with an offset.
    Timestamp,
    /// A span of time in seconds: `20s`, `1.2s`.
    Duration,
    /// An amount: `28360000000` of whatever currency, or `"CNY 28360000000.00"`.
    Money,
    /// The name of a resource.
    Name,
    /// A message of its own, of which only is asked whether it is set. Its fields have entries of their own.
    Message,
    /// Several texts, in no order that matters.
    List,
    /// Several values of a scalar type: a repeated field, a field of repeated messages, or, as
    /// `Repeated(&FieldType::Message)`, these messages themselves. `Repeated(&FieldType::Text)` is
    /// [`FieldType::List`].
    Repeated(&'static FieldType),
    /// Texts by key.
    Map,
}

impl FieldType {
    /// The type in words, as in `a date` or `one of PROPOSED, CONSTRUCTION`.
    pub fn words(self) -> String {
        match self {
            FieldType::Text | FieldType::EventType => "text".to_owned(),
            FieldType::Enum(names) => format!("one of {}", names.join(", ")),
            FieldType::Int => "whole number".to_owned(),
            FieldType::Double => "number".to_owned(),
            FieldType::Bool => "true or false".to_owned(),
            FieldType::Date => "date".to_owned(),
            FieldType::Timestamp => "time".to_owned(),
            FieldType::Duration => "span of time".to_owned(),
            FieldType::Money => "amount, with or without currency".to_owned(),
            FieldType::Name => "resource name".to_owned(),
            FieldType::Message => "has fields of its own".to_owned(),
            FieldType::List => "list of text".to_owned(),
            FieldType::Repeated(element) => format!("list of: {}", element.words()),
            FieldType::Map => "text by key".to_owned(),
        }
    }

    /// The operators that it may stand before.
    pub const fn operators(self) -> &'static str {
        match self {
            FieldType::Enum(_) | FieldType::Bool => "= != :",
            FieldType::Message | FieldType::List | FieldType::Repeated(_) => ":",
            FieldType::Map => ": and KEY = != < <= > >= :",
            _ => "= != < <= > >= :",
        }
    }

    /// The type of a field's members, if it holds several.
    pub(super) fn element(self) -> Option<FieldType> {
        match self {
            FieldType::List => Some(FieldType::Text),
            FieldType::Repeated(element) => Some(*element),
            _ => None,
        }
    }
}

/// A field that can be filtered by.
#[derive(Debug, Clone, Copy)]
pub struct Field<F> {
    pub(super) path: &'static str,
    pub(super) kind: FieldType,
    pub(super) id: F,
}

impl<F> Field<F> {
    /// The field at this path of the message, its parts joined by dots.
    pub const fn new(path: &'static str, kind: FieldType, id: F) -> Self {
        Self { path, kind, id }
    }

    /// Where it is in the message, its parts joined by dots.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// What it holds.
    pub const fn kind(&self) -> FieldType {
        self.kind
    }

    /// What a row knows it by.
    pub const fn id(&self) -> F
    where
        F: Copy,
    {
        self.id
    }
}

/// The fields of one kind of row.
#[derive(Debug, Clone, Copy)]
pub struct Schema<F: 'static> {
    fields: &'static [Field<F>],
}

impl<F: Copy> Schema<F> {
    /// The schema with these fields.
    pub const fn new(fields: &'static [Field<F>]) -> Self {
        Self { fields }
    }

    /// The paths, in the order they were given.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.path)
    }

    pub(super) fn find(&self, path: &str) -> Option<&'static Field<F>> {
        self.fields.iter().find(|field| field.path == path)
    }
}
