//! The elements of a collection: what projects build of each, and when it is complete.
//!
//! Invariants: measures are exact, never negative, and add up to something that can be held; nothing is built beyond what
//! a project builds of an element. What is not said is not taken for zero.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{CollectionElementCompleted, CompletedElement};
use milepost_proto::registry::v1::{
    Collection, CollectionContribution, CollectionElement, Period, Project, project,
};
use milepost_resource::{Change, Checked, Name, Presence, Unreadable, period};
use milepost_types::{DamagedRow, Decimal, Precondition, Rejection, ResourceId, Violations, limits};

use super::contributed;
use crate::reference::{check_portfolio, condition};
use crate::tables::{Rows, Scope};

/// Finds what is wrong with the elements of a request.
pub(super) fn check(elements: &[CollectionElement], violations: &mut Violations) {
    let mut ids = BTreeSet::new();
    for (i, element) in elements.iter().enumerate() {
        let path = format!("elements[{i}]");
        if !element.id.is_empty() {
            violations.check(format!("{path}.id"), element.id.parse::<ResourceId>());
            if !ids.insert(&element.id) {
                violations.push(format!("{path}.id"), "DUPLICATE", "another element has this id");
            }
        }
        check_measure(&element.planned_measure, || format!("{path}.planned_measure"), violations);
        let mut projects = BTreeSet::new();
        for (j, contribution) in element.contributions.iter().enumerate() {
            let path = || format!("{path}.contributions[{j}]");
            if !projects.insert(&contribution.project) && !contribution.project.is_empty() {
                let description = "the project contributes to this element already; give what it builds once";
                violations.push(path() + ".project", "DUPLICATE", description);
            }
            check_contribution(contribution, &path, violations);
        }
    }
    let contributions = || elements.iter().flat_map(|element| &element.contributions);
    check_sum(elements.iter().map(|of| of.planned_measure.as_str()), "planned_measure", violations);
    check_sum(contributions().map(|of| of.measure.as_str()), "contributions.measure", violations);
    let bytes = elements.iter().map(bytes_of).sum::<usize>();
    if bytes > limits::COLLECTION_ELEMENT_BYTES {
        let description = format!(
            "the texts of the elements have {bytes} bytes; give at most {}, or make two collections of it",
            limits::COLLECTION_ELEMENT_BYTES
        );
        violations.push("elements", "TOO_LARGE", description);
    }
}

fn check_contribution(
    contribution: &CollectionContribution,
    path: &dyn Fn() -> String,
    violations: &mut Violations,
) {
    check_measure(&contribution.measure, || path() + ".measure", violations);
    check_measure(&contribution.built_measure, || path() + ".built_measure", violations);
    if let (Some(measure), Some(built)) =
        (decimal(&contribution.measure), decimal(&contribution.built_measure))
        && built > measure
    {
        let description =
            format!("{built} is more than the {measure} that the project builds of the element");
        violations.push(path() + ".built_measure", "BUILT_EXCEEDS_MEASURE", description);
    }
}

/// Refuses a measure that is less than zero. That it is a number is said by the schema.
fn check_measure(text: &str, path: impl Fn() -> String, violations: &mut Violations) {
    if decimal(text).is_some_and(|measure| measure.is_negative()) {
        violations.push(path(), "NEGATIVE", "the measure is less than zero; give zero or more");
    }
}

/// Refuses measures that add up to more than can be held.
fn check_sum<'a>(measures: impl Iterator<Item = &'a str>, what: &str, violations: &mut Violations) {
    if sum(measures.filter_map(decimal)).is_none() {
        let description =
            format!("together their {what} has more than 15 digits; give it in a larger unit, or correct it");
        violations.push("elements", "SUM_OVERFLOW", description);
    }
}

/// What the texts of an element take in an answer.
fn bytes_of(element: &CollectionElement) -> usize {
    // With the lengths and the numbers of fields, which take at most 4 bytes each.
    let texts = |texts: &[&String]| texts.iter().map(|text| text.len() + 4).sum::<usize>() + 4;
    let own = texts(&[&element.id, &element.group, &element.display_name, &element.planned_measure]);
    let contributions = element.contributions.iter();
    own + contributions.map(|of| texts(&[&of.project, &of.measure, &of.built_measure])).sum::<usize>()
}

/// Refuses stored elements that cannot be worked with.
pub(super) fn check_stored(elements: &[CollectionElement]) -> Result<(), Unreadable> {
    let read = |text: &String| match text.is_empty() {
        true => Ok(()),
        false => text.parse::<Decimal>().map(|_| ()).map_err(|error| Unreadable::of("elements", error)),
    };
    for element in elements {
        read(&element.planned_measure)?;
        for contribution in &element.contributions {
            let project = contribution.project.parse::<Name<Project>>();
            project.map_err(|error| Unreadable::of("elements", error))?;
            read(&contribution.measure)?;
            read(&contribution.built_measure)?;
        }
    }
    Ok(())
}

/// Why projects that newly contribute cannot, every one of them. What contributed before may stay.
///
/// # Errors
/// If one is in another portfolio.
pub(super) fn missing(
    scope: &Scope<'_>,
    before: Option<&Checked<Collection>>,
    after: &Checked<Collection>,
) -> Result<Vec<Precondition>, Rejection> {
    let projects = |of: &Checked<Collection>| -> BTreeSet<String> {
        let contributions = of.elements.iter().flat_map(|element| &element.contributions);
        contributions.map(|contribution| contribution.project.clone()).collect()
    };
    let held = before.map(projects).unwrap_or_default();
    let (mut conditions, mut violations) = (Vec::new(), Violations::new());
    for project in projects(after).difference(&held) {
        let Ok(name) = project.parse::<Name<Project>>() else { continue };
        if name.parent() != after.name().parent() {
            elsewhere(after, &name, &mut violations);
            continue;
        }
        let presence = scope.rows.presence(&name)?;
        conditions.extend(condition(&name, presence, "collection.elements"));
        let others = contributed(&scope.rows, &name).filter(|other| other != after.name());
        let most = limits::CONTRIBUTED_COLLECTIONS;
        if presence == Presence::Present && others.take(most).count() == most {
            let description =
                format!("collection.elements: it contributes to {most} collections; leave it out of one");
            conditions.push(Precondition {
                kind: "TOO_MANY_COLLECTIONS",
                subject: project.clone(),
                description,
            });
        }
    }
    violations.into_result(conditions).map_err(Rejection::from)
}

/// Records every place where a project of another portfolio contributes.
fn elsewhere(of: &Checked<Collection>, project: &Name<Project>, violations: &mut Violations) {
    let (name, portfolio) = (project.to_string(), of.name().parent());
    for (i, element) in of.elements.iter().enumerate() {
        let contributions = element.contributions.iter().enumerate();
        for (j, _) in contributions.filter(|(_, contribution)| contribution.project == name) {
            let path = || format!("collection.elements[{i}].contributions[{j}].project");
            check_portfolio(path, project, &portfolio, violations);
        }
    }
}

/// The announcement that these elements became complete; `None` if there are none.
pub(super) fn completed<'a>(
    collection: &Name<Collection>,
    elements: impl Iterator<Item = &'a CollectionElement>,
) -> Option<Change> {
    let element = |CollectionElement { id, group, display_name, .. }: &CollectionElement| CompletedElement {
        id: id.clone(),
        group: group.clone(),
        display_name: display_name.clone(),
    };
    let elements: Vec<_> = elements.map(element).collect();
    if elements.is_empty() {
        return None;
    }
    let payload = Payload::CollectionElementCompleted(CollectionElementCompleted { elements });
    let change = Change::without_resource("milepost.collection.element_completed", payload);
    let portfolio = collection.parent().to_string();
    Some(change.concerning(collection.to_string(), portfolio, String::new()))
}

/// Whether all that a project with this status builds is built.
pub(super) fn is_built(status: project::Status) -> bool {
    matches!(status, project::Status::Completed | project::Status::InService)
}

/// What is built of an element.
pub(super) struct Built<'a> {
    /// What is planned; none: not said.
    pub(super) planned: Option<Decimal>,
    /// What is built of the contributions together; none: none says it.
    pub(super) built: Option<Decimal>,
    /// The projects that do not say what they built.
    pub(super) unsaid: Vec<&'a str>,
    /// Whether there are contributions, and all of them are whole.
    whole: bool,
}

impl Built<'_> {
    /// Whether it is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.whole && self.planned.is_some_and(|planned| self.built.is_some_and(|built| built >= planned))
    }
}

/// Projects that contribute to elements, as rows have them, each read once.
pub(super) struct Contributors<'a, 'b> {
    rows: &'a Rows<'b>,
    /// Since when each is built, if it is; a day that is not known is none.
    built: HashMap<String, Option<Option<Date>>>,
}

impl<'a, 'b> Contributors<'a, 'b> {
    pub(super) fn new(rows: &'a Rows<'b>) -> Self {
        Self { rows, built: HashMap::new() }
    }

    /// Whether a project is built on this day; now, if there is none.
    fn is_built(&mut self, project: &str, on: Option<Date>) -> Result<bool, DamagedRow> {
        let since = match self.built.get(project) {
            Some(since) => *since,
            None => {
                let since = self.since(project)?;
                self.built.insert(project.to_owned(), since);
                since
            }
        };
        Ok(match (since, on) {
            (None, _) => false,
            (Some(Some(since)), Some(on)) => since <= on,
            (Some(_), _) => true,
        })
    }

    fn since(&self, project: &str) -> Result<Option<Option<Date>>, DamagedRow> {
        let Ok(name) = project.parse::<Name<Project>>() else { return Ok(None) };
        let (presence, status) = self.rows.number(&name, "status")?;
        let status = project::Status::try_from(status).unwrap_or_default();
        if presence != Presence::Present || !is_built(status) {
            return Ok(None);
        }
        let (_, actual) = self.rows.field::<_, Period>(&name, "actual_period")?;
        Ok(Some(period(actual.as_ref()).end()))
    }

    /// What is built of an element on this day; now, if there is none.
    pub(super) fn built<'c>(
        &mut self,
        element: &'c CollectionElement,
        on: Option<Date>,
    ) -> Result<Built<'c>, DamagedRow> {
        let mut known = Vec::new();
        let mut unsaid = Vec::new();
        let mut whole = !element.contributions.is_empty();
        for contribution in &element.contributions {
            let (measure, said) = (decimal(&contribution.measure), decimal(&contribution.built_measure));
            let built = if self.is_built(&contribution.project, on)? { measure } else { said };
            whole &= built.is_some() && built == measure;
            match built {
                Some(built) => known.push(built),
                None => unsaid.push(contribution.project.as_str()),
            }
        }
        let planned = decimal(&element.planned_measure);
        let built = if known.is_empty() { None } else { sum(known.into_iter()) };
        Ok(Built { planned, built, unsaid, whole })
    }

    /// The ids of the elements that are complete on this day; now, if there is none.
    pub(super) fn complete(
        &mut self,
        elements: &[CollectionElement],
        on: Option<Date>,
    ) -> Result<BTreeSet<String>, DamagedRow> {
        let mut complete = BTreeSet::new();
        for element in elements {
            if self.built(element, on)?.is_complete() {
                complete.insert(element.id.clone());
            }
        }
        Ok(complete)
    }
}

/// The number of a text; none of what is not said.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// What numbers add up to; none if that cannot be held.
pub(super) fn sum(mut numbers: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    numbers.try_fold(Decimal::ZERO, Decimal::checked_add).ok()
}
