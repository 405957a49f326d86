//! By what a report groups projects: fields of theirs with one value, labels, and collections.
//!
//! Invariant: [`GroupBy::visit`] alone says in which groups a project is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::resource::Resource;
use milepost_resource::{FilterRow, field_number};
use milepost_types::filter::{FieldType, Fields as _, Value};
use milepost_types::{ResourceId, Violations, limits, quoted};

use super::tally::Tally;

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

    /// Calls `found` with the values of a project, one for each group that it is in; with an empty one for a group of those
    /// without. It is a member of these collections.
    fn visit(
        &self,
        project: &FilterRow<'_>,
        listing: Listing,
        collections: &[Arc<str>],
        mut found: impl FnMut(&str),
    ) {
        match self {
            Self::Listing if listing == Listing::Unspecified => found(""),
            Self::Listing => found(listing.as_str_name()),
            Self::Collection if collections.is_empty() => found(""),
            Self::Collection => collections.iter().for_each(|name| found(name)),
            Self::Field(id) => found(&text(project.value(*id))),
            Self::Label(id, key) => found(project.entry(*id, key).unwrap_or_default()),
        }
    }
}

/// Groups of projects while they are added up. Of many thousands of projects few values differ: each is a number here, so
/// that a project is added without its texts being copied or compared.
pub(super) struct Groups<'a> {
    group_by: &'a [GroupBy],
    /// The numbers of the values of each of these.
    numbers: Vec<HashMap<String, u32>>,
    tallies: HashMap<Key, Tally>,
}

/// The numbers of a group's values.
type Key = [u32; limits::GROUP_BY_FIELDS];

impl<'a> Groups<'a> {
    pub(super) fn new(group_by: &'a [GroupBy]) -> Self {
        Self { group_by, numbers: vec![HashMap::new(); group_by.len()], tallies: HashMap::new() }
    }

    /// Adds to each group that a project is in: each combination of its values; to none if nothing is grouped by.
    ///
    /// # Errors
    /// If there would be more groups than a report may have, before more are kept.
    pub(super) fn add(
        &mut self,
        project: &FilterRow<'_>,
        listing: Listing,
        collections: &[Arc<str>],
        add: impl Fn(&mut Tally),
    ) -> Result<(), TooManyGroups> {
        let mut keys = vec![Key::default(); self.group_by.len().min(1)];
        for (i, group_by) in self.group_by.iter().enumerate() {
            let (numbers, mut found) = (&mut self.numbers[i], Vec::with_capacity(1));
            group_by.visit(project, listing, collections, |value| found.push(number(numbers, value)));
            keys = keys.iter().flat_map(|key| found.iter().map(|number| with(*key, i, *number))).collect();
        }
        for key in keys {
            add(self.tallies.entry(key).or_default());
            if self.tallies.len() > limits::REPORT_GROUPS {
                return Err(TooManyGroups);
            }
        }
        Ok(())
    }

    /// The groups by their values, in the order of these.
    pub(super) fn into_sorted(self) -> BTreeMap<Vec<String>, Tally> {
        let texts = self.numbers.into_iter().map(|numbers| {
            let texts = numbers.into_iter().map(|(text, number)| (number, text));
            texts.collect::<HashMap<_, _>>()
        });
        let texts: Vec<_> = texts.collect();
        let values = |key: Key| texts.iter().zip(key).map(|(texts, number)| texts[&number].clone()).collect();
        self.tallies.into_iter().map(|(key, tally)| (values(key), tally)).collect()
    }
}

/// There are more groups than a report may have.
pub(super) struct TooManyGroups;

/// The number of a value, which gets the next one if it has none.
fn number(numbers: &mut HashMap<String, u32>, value: &str) -> u32 {
    if let Some(number) = numbers.get(value) {
        return *number;
    }
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    numbers.insert(value.to_owned(), next);
    next
}

fn with(mut key: Key, i: usize, number: u32) -> Key {
    key[i] = number;
    key
}

/// The paths of fields with one value.
fn paths() -> impl Iterator<Item = &'static str> {
    let has_one = |kind| {
        use FieldType::{Bool, Date, Enum, Int, Name, Text};
        matches!(kind, Text | Name | Enum(_) | Bool | Int | Date)
    };
    Project::FILTER.iter().filter(move |field| has_one(field.kind())).map(|field| field.path())
}

fn text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text,
        Value::Int(number) => number.to_string().into(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Date(date) => date.to_string().into(),
        _ => "".into(),
    }
}
