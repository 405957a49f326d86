//! By what a report groups projects: fields of theirs with one value, labels, and collections.
//!
//! Invariant: [`GroupBy::values`] alone says in which groups a project is.

use std::collections::BTreeSet;
use std::sync::Arc;

use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::resource::Resource;
use milepost_resource::{FilterRow, field_number};
use milepost_types::filter::{FieldType, Fields as _, Value};
use milepost_types::{ResourceId, Violations, limits, quoted};

/// What labels begin with.
const LABELS: &str = "labels";

/// By what projects are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GroupBy {
    /// What they are listed as in the year.
    Listing,
    /// The collections that they are members of.
    Collection,
    /// The field with this id in filters.
    Field(usize),
    /// The label of this key; the id is that of labels.
    Label(usize, String),
}

impl GroupBy {
    /// Reads what a request groups by.
    pub(crate) fn read(given: &[String], violations: &mut Violations) -> Vec<Self> {
        if !violations.check_count("group_by", given.len(), limits::GROUP_BY_FIELDS) {
            return Vec::new();
        }
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        for (i, path) in given.iter().enumerate() {
            let field = format!("group_by[{i}]");
            match Self::of(path) {
                _ if !seen.insert(path) => {
                    violations.push(field, "DUPLICATE", format!("{} is given twice", quoted(path)));
                }
                Some(group_by) => found.push(group_by),
                None => violations.push(
                    field,
                    "UNKNOWN_FIELD",
                    format!(
                        "there is no field {} with one value to group by; there are collection, labels.KEY, {}",
                        quoted(path),
                        paths().collect::<Vec<_>>().join(", ")
                    ),
                ),
            }
        }
        found
    }

    fn of(path: &str) -> Option<Self> {
        let id = |path| Project::FILTER.iter().position(|field| field.path() == path);
        if let Some(key) = path.strip_prefix(LABELS).and_then(|key| key.strip_prefix('.')) {
            key.parse::<ResourceId>().ok()?;
            return Some(Self::Label(id(LABELS)?, key.to_owned()));
        }
        match path {
            "listing" => return Some(Self::Listing),
            "collection" => return Some(Self::Collection),
            _ => {}
        }
        paths().find(|known| *known == path).and_then(id).map(Self::Field)
    }

    /// The number of the field of a project that it needs.
    pub(crate) fn number(&self) -> Option<u32> {
        match self {
            Self::Listing | Self::Collection => None,
            Self::Field(id) | Self::Label(id, _) => field_number::<Project>(*id),
        }
    }

    /// The values of a project, one for each group that it is in; an empty one for a group of those without. It is a member
    /// of these collections.
    pub(crate) fn values(
        &self,
        project: &FilterRow<'_>,
        listing: Listing,
        collections: &[Arc<str>],
    ) -> Vec<String> {
        let value = match self {
            Self::Listing => match listing {
                Listing::Unspecified => String::new(),
                listing => listing.as_str_name().to_owned(),
            },
            Self::Collection if collections.is_empty() => String::new(),
            Self::Collection => return collections.iter().map(ToString::to_string).collect(),
            Self::Field(id) => text(project.value(*id)),
            Self::Label(id, key) => project.entry(*id, key).unwrap_or_default().to_owned(),
        };
        vec![value]
    }
}

/// The paths of fields with one value.
fn paths() -> impl Iterator<Item = &'static str> {
    let has_one = |kind| {
        use FieldType::{Bool, Date, Enum, Int, Name, Text};
        matches!(kind, Text | Name | Enum(_) | Bool | Int | Date)
    };
    Project::FILTER.iter().filter(move |field| has_one(field.kind())).map(|field| field.path())
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Date(date) => date.to_string(),
        _ => String::new(),
    }
}
