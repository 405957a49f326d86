//! What is known of an organization, one of its projects and a day: what expressions read.
//!
//! Invariant: what was not said is absent: it is neither empty nor zero. What a reference means is said here alone, for
//! evaluating an expression as for showing the values that it used.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::registry::v1::{Organization, Project};
use milepost_resource::money;

use super::expression::{Field, Reference, convert, word};

/// What is known of a subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) organization: &'a Organization,
    /// The project; none: the subject is the organization.
    pub(crate) project: Option<&'a Project>,
    pub(crate) date: Date,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Text(String),
    /// Ten thousandths.
    Number(i64),
    Texts(Vec<String>),
    Map(BTreeMap<String, String>),
}

impl Facts<'_> {
    /// The value of a field; none: it is absent.
    ///
    /// # Errors
    /// Why it cannot be used, though it is there.
    pub(crate) fn value(&self, field: Field) -> Result<Option<Value>, String> {
        let Self { organization, project, date } = self;
        let of_project = |value: fn(&Project) -> Option<Value>| project.and_then(value);
        Ok(match field {
            Field::Date => Some(Value::Text(date.to_string())),
            Field::OrganizationName => text(&organization.name),
            Field::OrganizationKind => enum_word(organization.kind().as_str_name(), organization.kind),
            Field::Attributes => Some(Value::Map(organization.attributes.clone())),
            Field::Identifiers => Some(Value::Map(identifiers(organization))),
            Field::Status => of_project(|project| enum_word(project.status().as_str_name(), project.status)),
            Field::Level => of_project(|project| enum_word(project.level().as_str_name(), project.level)),
            Field::Listing => {
                of_project(|project| enum_word(project.listing().as_str_name(), project.listing))
            }
            Field::Sector => of_project(|project| text(&project.sector)),
            Field::Key => of_project(|project| project.key.map(Value::Bool)),
            Field::Investment => return project.map_or(Ok(None), investment),
            Field::Currency => of_project(|project| text(&project.investment.as_ref()?.currency_code)),
            Field::Roles => project.and_then(|project| self.roles(project)),
            Field::Labels => of_project(|project| Some(Value::Map(project.labels.clone()))),
        })
    }

    /// What a reference reads, as text; none: it is absent.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn shown(&self, Reference { field, key }: &Reference) -> Result<Option<String>, String> {
        let value = self.value(*field)?;
        Ok(match (value, key) {
            (Some(Value::Map(map)), Some(key)) => map.get(key).cloned(),
            (Some(Value::Map(map)), None) => Some(map.into_keys().collect::<Vec<_>>().join(", ")),
            (Some(Value::Texts(texts)), _) => Some(texts.join(", ")),
            (Some(Value::Bool(value)), _) => Some(value.to_string()),
            (Some(Value::Text(text)), _) => Some(text),
            (Some(Value::Number(number)), _) => Some(convert::written(number)),
            (None, _) => None,
        })
    }

    /// As what the organization takes part in the project.
    fn roles(&self, project: &Project) -> Option<Value> {
        let own = project.parties.iter().filter(|party| party.organization == self.organization.name);
        let roles: Vec<String> = own.flat_map(|party| party.roles.iter().cloned()).collect();
        (!roles.is_empty()).then_some(Value::Texts(roles))
    }
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::Text(text.to_owned()))
}

/// The word of an enum's value; none for that which says nothing.
fn enum_word(name: &str, number: i32) -> Option<Value> {
    (number != 0).then(|| Value::Text(word(name).to_owned()))
}

/// Identifiers by scheme; of several in one, the first.
fn identifiers(organization: &Organization) -> BTreeMap<String, String> {
    let mut by_scheme = BTreeMap::new();
    for identifier in &organization.identifiers {
        by_scheme.entry(identifier.scheme.clone()).or_insert_with(|| identifier.id.clone());
    }
    by_scheme
}

/// The investment in ten thousandths.
fn investment(project: &Project) -> Result<Option<Value>, String> {
    /// Billionths in a ten thousandth.
    const FRACTION: i32 = 100_000;
    let Some(investment) = money(project.investment.as_ref()) else { return Ok(None) };
    let (units, nanos) = (investment.units(), investment.nanos());
    let number =
        (nanos % FRACTION == 0).then(|| convert::scaled(units, i64::from(nanos / FRACTION))).flatten();
    match number {
        Some(number) => Ok(Some(Value::Number(number))),
        None => Err(format!("the investment {investment} is too large, or too exact, to be compared")),
    }
}
