//! Which fields an update names: `update_mask` after AIP-134 and AIP-161.
//!
//! Absent or empty, it names the fields that are set; `*` names all; else it names paths: fields, and
//! parts of those that have parts (`site.address`). Maps and lists are named as a whole.
//! Invariant: a mask that exists names only fields that an update may change.

use std::collections::BTreeSet;

use milepost_proto::resource::{Access, Field, Value};
use milepost_types::{Violations, quoted};
use prost_types::FieldMask;

/// What every resource has and no update changes, and how it comes about.
const META: [(&str, &str); 5] = [
    ("name", "a name is for ever"),
    ("create_time", "the server sets it"),
    ("update_time", "the server sets it"),
    ("delete_time", "use the methods that delete and undelete"),
    ("etag", "the server sets it"),
];

/// Why an update does not change a field that methods of its own change.
pub(crate) const CHANGED_BY_METHOD: &str = "CHANGED_BY_METHOD";

/// The same for people.
pub(crate) fn changed_by(field: &str, method: &str) -> String {
    format!("{field} is not changed by an update; use {method}")
}

/// Which fields are read of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mask {
    /// All of them.
    All,
    /// Those that are set.
    Set,
    /// Those with these paths.
    Paths(BTreeSet<String>),
}

impl Mask {
    /// The mask of a request's `update_mask`.
    pub(crate) fn read(
        mask: Option<FieldMask>,
        fields: &[Field],
        violations: &mut Violations,
    ) -> Option<Self> {
        let paths = mask.unwrap_or_default().paths;
        if paths.is_empty() {
            return Some(Mask::Set);
        }
        if paths == ["*"] {
            return Some(Mask::All);
        }
        let before = violations.count();
        for (i, path) in paths.iter().enumerate() {
            if !is_input(path, fields) {
                refuse(i, path, fields, violations);
            }
        }
        (violations.count() == before).then(|| Mask::Paths(paths.into_iter().collect()))
    }

    /// Whether a field is read; `present` tells whether it is set.
    pub(crate) fn takes(&self, field: &str, present: bool) -> bool {
        match self {
            Mask::All => true,
            Mask::Set => present,
            Mask::Paths(paths) => paths.contains(field),
        }
    }

    /// Whether a part of a field is read; `present` tells whether the part is set.
    pub(crate) fn takes_part(&self, field: &str, part: &str, present: bool) -> bool {
        match self {
            Mask::Paths(paths) => paths.contains(field) || paths.contains(&format!("{field}.{part}")),
            _ => self.takes(field, present),
        }
    }
}

fn is_input(path: &str, fields: &[Field]) -> bool {
    let input = |field: &&Field| field.access == Access::Input;
    match path.split_once('.') {
        None => fields.iter().filter(input).any(|field| field.name == path),
        Some((name, part)) => {
            let field = fields.iter().filter(input).find(|field| field.parts && field.name == name);
            field.is_some_and(|field| field.fields.iter().any(|field| field.name == part))
        }
    }
}

fn refuse(index: usize, path: &str, fields: &[Field], violations: &mut Violations) {
    let at = format!("update_mask.paths[{index}]");
    let field = fields.iter().find(|field| field.name == path);
    let common = META.iter().copied().find(|(name, _)| *name == path);
    match (field.map(|field| field.access), common) {
        _ if path == "*" => violations.push(at, "INVALID_MASK", "\"*\" names all fields; give it alone"),
        (Some(Access::Output(instead)), _) | (Some(Access::Meta), Some((_, instead))) => {
            let description = format!("{path} is not changed by an update: {instead}");
            violations.push(at, "OUTPUT_ONLY", description);
        }
        (Some(Access::Method(method)), _) => {
            violations.push(at, CHANGED_BY_METHOD, changed_by(path, method));
        }
        _ => {
            let inputs = fields.iter().filter(|field| field.access == Access::Input);
            let names = inputs.map(|field| field.name).collect::<Vec<_>>().join(", ");
            let description = format!("there is no field {} to change; there are {names}", quoted(path));
            violations.push(at, "UNKNOWN_FIELD", description);
        }
    }
}

/// Whether a field is set, as masks mean it.
pub(crate) fn is_set(value: Value<'_>, field: &Field) -> bool {
    match value {
        Value::Text(text) => !text.is_empty(),
        Value::Bool(value) => value.is_some_and(|value| value || field.optional),
        Value::Int(value) => value.is_some_and(|value| value != 0 || field.optional),
        Value::Double(value) => value.is_some_and(|value| value != 0.0 || field.optional),
        Value::Enum(number) => number != 0,
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::Date(value) => value.is_some(),
        Value::Money(value) => value.is_some(),
        Value::Instant(value) => value.is_some(),
        Value::Message(value) => value.is_some(),
        Value::Texts(values) => !values.is_empty(),
        Value::Ints(values) => !values.is_empty(),
        Value::Dates(values) => !values.is_empty(),
        Value::Amounts(values) => !values.is_empty(),
        Value::Messages(values) => values.len() > 0,
        Value::Map(map) => !map.is_empty(),
    }
}
