//! What an expression may ask about: the values of an organization, of a project, and the day.
//!
//! Invariant: the list of values stands here and nowhere else; what each of them is in an organization or a project
//! says `facts`.

use std::fmt;

use milepost_proto::registry::v1::{Organization, Project};
use milepost_proto::resource::Resource;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Text,
    /// A whole number: a size, years.
    Int,
    /// A number with four decimals, as ten thousandths: of `num`, an investment.
    Number,
    /// A list of texts.
    Texts,
    /// Lists of others.
    Bools,
    Ints,
    Numbers,
    /// Texts by key.
    Map,
    /// An organization or a project as a whole.
    Whole,
    /// Of what is at fault already.
    Faulty,
}

impl Type {
    /// The type of a list of these.
    pub(super) fn list(self) -> Option<Self> {
        Some(match self {
            Type::Bool => Type::Bools,
            Type::Text => Type::Texts,
            Type::Int => Type::Ints,
            Type::Number => Type::Numbers,
            Type::Faulty => Type::Faulty,
            _ => return None,
        })
    }

    /// What people call it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Type::Bool => "true or false",
            Type::Text => "a text",
            Type::Int => "a whole number",
            Type::Number => "a number of num()",
            Type::Texts => "a list of texts",
            Type::Bools => "a list of true and false",
            Type::Ints => "a list of whole numbers",
            Type::Numbers => "a list of numbers of num()",
            Type::Map => "a map",
            Type::Whole => "an organization or a project",
            Type::Faulty => "nothing",
        }
    }
}

/// A value that an expression may ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    Date,
    OrganizationName,
    OrganizationKind,
    Attributes,
    Identifiers,
    Status,
    Level,
    Listing,
    Sector,
    Key,
    Investment,
    Currency,
    Roles,
    Labels,
}

/// Values of an organization.
pub(super) const ORGANIZATION: &str = "org";
/// Values of a project.
pub(super) const PROJECT: &str = "project";
/// The day.
pub(super) const DATE: &str = "date";

impl Field {
    pub(super) const ALL: [Field; 14] = [
        Field::Date,
        Field::OrganizationName,
        Field::OrganizationKind,
        Field::Attributes,
        Field::Identifiers,
        Field::Status,
        Field::Level,
        Field::Listing,
        Field::Sector,
        Field::Key,
        Field::Investment,
        Field::Currency,
        Field::Roles,
        Field::Labels,
    ];

    /// What it is a part of, what it is called in it, and its type.
    fn facts(self) -> (&'static str, &'static str, Type) {
        match self {
            Field::Date => (DATE, "", Type::Text),
            Field::OrganizationName => (ORGANIZATION, "name", Type::Text),
            Field::OrganizationKind => (ORGANIZATION, "kind", Type::Text),
            Field::Attributes => (ORGANIZATION, "attributes", Type::Map),
            Field::Identifiers => (ORGANIZATION, "identifiers", Type::Map),
            Field::Status => (PROJECT, "status", Type::Text),
            Field::Level => (PROJECT, "level", Type::Text),
            Field::Listing => (PROJECT, "listing", Type::Text),
            Field::Sector => (PROJECT, "sector", Type::Text),
            Field::Key => (PROJECT, "key", Type::Bool),
            Field::Investment => (PROJECT, "investment", Type::Number),
            Field::Currency => (PROJECT, "currency", Type::Text),
            Field::Roles => (PROJECT, "roles", Type::Texts),
            Field::Labels => (PROJECT, "labels", Type::Map),
        }
    }

    /// What it is a part of.
    pub(super) fn root(self) -> &'static str {
        self.facts().0
    }

    /// What it is called in that; empty: it is that itself.
    pub(super) fn name(self) -> &'static str {
        self.facts().1
    }

    /// Its type.
    pub(super) fn ty(self) -> Type {
        self.facts().2
    }

    /// The field of this name in this part.
    pub(super) fn of(root: &str, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.root() == root && field.name() == name)
    }

    /// The names of the values in a part.
    pub(super) fn names(root: &str) -> impl Iterator<Item = &'static str> + Clone {
        Self::ALL.into_iter().filter(move |field| field.root() == root).map(Self::name)
    }

    /// The words that it can be; none: any text.
    pub(super) fn words(self) -> Vec<&'static str> {
        match self {
            Field::OrganizationKind => words::<Organization>("kind"),
            Field::Status => words::<Project>("status"),
            Field::Level => words::<Project>("level"),
            Field::Listing => words::<Project>("listing"),
            _ => Vec::new(),
        }
    }
}

/// The words of an enum: `ENTERPRISE`, where the schema spells it `KIND_ENTERPRISE`.
fn words<R: Resource>(field: &str) -> Vec<&'static str> {
    let found = R::FIELDS.iter().find(|known| known.name == field);
    let names = found.map(|field| field.names).unwrap_or_default();
    names.iter().map(|name| short(name)).collect()
}

/// The word of an enum's value: what follows the name of its type.
pub(super) fn short(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, word)| word)
}

/// What an expression reads: a value, or what a map of values has under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reference {
    pub(crate) field: Field,
    /// The key in a map; none: the value itself.
    pub(crate) key: Option<String>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.root())?;
        if !self.field.name().is_empty() {
            write!(f, ".{}", self.field.name())?;
        }
        match &self.key {
            None => Ok(()),
            Some(key) if is_word(key) => write!(f, ".{key}"),
            Some(key) => write!(f, "[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// Whether a key can be written after a dot.
fn is_word(key: &str) -> bool {
    let mut chars = key.chars();
    let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let is_reserved = matches!(key, "true" | "false" | "null" | "in");
    begins && !is_reserved && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
