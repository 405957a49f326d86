//! A selection: the events that a watch or a list asks for.
//!
//! Invariants: two selections that ask for the same in another order or spelling are equal, so that they are
//! evaluated once; `route` never hides an event from a selection that matches it: it is made of what must
//! hold, never of one of several alternatives. Bookkeeping between servers is matched only by a selection
//! that names its type, also among alternatives.

mod pattern;
#[cfg(test)]
pub(crate) mod tests;

use milepost_types::filter::{Comparison, Operand, Operator, Pattern, Test};
use milepost_types::limits::EVENT_TYPES;
use milepost_types::{Filter, Rejection, Violations};

pub(crate) use self::pattern::TypePattern;
use crate::audience::Audience;
use crate::convert::is_resource_name;
use crate::envelope::{Envelope, EventField, SCHEMA};

/// How the types of bookkeeping between servers begin.
pub(crate) const BOOKKEEPING: &str = "milepost.source.";

/// Which events: under a resource, of some types, matching a filter, for an audience; all of it must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Selection {
    resource: Option<Box<str>>,
    types: Box<[TypePattern]>,
    filter: Filter<EventField>,
    audience: Audience,
}

/// What an event must have at least for a selection to match it: for an index of selections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// A subject that is this resource or under it.
    Subject(Box<str>),
    /// This project.
    Project(Box<str>),
    /// This portfolio.
    Portfolio(Box<str>),
    /// A type that matches one of these.
    Types(Box<[TypePattern]>),
    /// Nothing in particular.
    Any,
}

impl Selection {
    /// All events but bookkeeping.
    pub(crate) fn all() -> Self {
        Self { resource: None, types: Box::default(), filter: Filter::all(), audience: Audience::all() }
    }

    /// The same, of what an audience may see.
    #[must_use]
    pub(crate) fn heard_by(self, audience: Audience) -> Self {
        Self { audience, ..self }
    }

    /// The selection that a request describes, for who may see everything; empty parts select everything.
    ///
    /// # Errors
    /// With every faulty part; a filter that is the only faulty part is reported with its column.
    pub(crate) fn new(resource: &str, types: &[String], filter: &str) -> Result<Self, Rejection> {
        let mut violations = Violations::new();
        if !resource.is_empty() && !is_resource_name(resource) {
            violations.push(
                "selection.resource",
                "INVALID_NAME",
                "this is not the name of a resource; write it as in portfolios/p/projects/x",
            );
        }
        let mut patterns = Vec::new();
        if violations.check_count("selection.types", types.len(), EVENT_TYPES) {
            for (index, text) in types.iter().enumerate() {
                patterns
                    .extend(violations.check(format!("selection.types[{index}]"), TypePattern::parse(text)));
            }
        }
        patterns.sort();
        patterns.dedup();
        let filter = match Filter::parse(filter, &SCHEMA) {
            Ok(filter) => filter,
            Err(error) if violations.is_empty() => {
                return Err(Rejection::Filter { field: "selection.filter", error });
            }
            Err(error) => {
                violations.check::<(), _>("selection.filter", Err(error));
                Filter::all()
            }
        };
        let resource = (!resource.is_empty()).then(|| resource.into());
        let audience = Audience::all();
        Ok(violations.into_result(Self { resource, types: patterns.into(), filter, audience })?)
    }

    /// Whether it matches the event.
    pub(crate) fn matches(&self, event: &Envelope<'_>) -> bool {
        self.takes(event.subject, event.kind)
            && (self.audience.is_all() || self.audience.hears(event))
            && (self.filter.is_all() || self.filter.matches(event))
    }

    /// Whether it depends on more of an event than its subject and type.
    pub(crate) fn needs_envelope(&self) -> bool {
        !self.filter.is_all() || !self.audience.is_all()
    }

    /// Whether it matches events of this subject and type, apart from its filter and its audience.
    pub(crate) fn takes(&self, subject: &str, kind: &str) -> bool {
        if kind.starts_with(BOOKKEEPING) && !self.names_bookkeeping(kind) {
            return false;
        }
        self.resource.as_deref().is_none_or(|resource| is_under(subject, resource))
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.fits(kind)))
    }

    /// Its most selective route.
    pub(crate) fn route(&self) -> Route {
        if let Some(resource) = self.resource.clone().or_else(|| self.subject()) {
            Route::Subject(resource)
        } else if let Some(project) = self.equal_to(EventField::Project) {
            Route::Project(project)
        } else if let Some(portfolio) = self.equal_to(EventField::Portfolio) {
            Route::Portfolio(portfolio)
        } else if !self.types.is_empty() {
            Route::Types(self.types.clone())
        } else if let Some(kinds) = self.filter.one_of(EventField::Type) {
            let exactly = |kind| match kind {
                &Operand::Text(Pattern::Whole(ref kind)) => Some(TypePattern::exactly(kind)),
                _ => None,
            };
            kinds.into_iter().map(exactly).collect::<Option<_>>().map_or(Route::Any, Route::Types)
        } else {
            Route::Any
        }
    }

    /// Its parts in canonical form, for a digest of a request.
    pub(crate) fn parts(&self) -> Vec<String> {
        let types: Vec<_> = self.types.iter().map(TypePattern::to_string).collect();
        let resource = self.resource.as_deref().unwrap_or_default().to_owned();
        let mut parts = vec![resource, types.join(","), self.filter.to_string()];
        parts.extend(self.audience.parts());
        parts
    }

    fn names_bookkeeping(&self, kind: &str) -> bool {
        self.types.iter().any(|pattern| pattern.begins_with(BOOKKEEPING) && pattern.fits(kind))
            || self.filter.any_comparison(|comparison| names_bookkeeping(comparison, kind))
    }

    /// The resource that the filter asks the subject to be, or to be under.
    fn subject(&self) -> Option<Box<str>> {
        let named = self.filter.conjuncts().iter().filter(|c| c.field() == EventField::Subject);
        named.filter_map(|comparison| whole(comparison.test())).max_by_key(|name| name.len())
    }

    /// The text that the filter asks a field to be equal to.
    fn equal_to(&self, field: EventField) -> Option<Box<str>> {
        match self.filter.equality_on(field) {
            Some(Operand::Text(Pattern::Whole(text))) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Whether a comparison names the type, which is that of bookkeeping. Negated, it does not.
fn names_bookkeeping(comparison: &Comparison<EventField>, kind: &str) -> bool {
    let Test::Compare(Operator::Equal, Operand::Text(pattern)) = comparison.test() else { return false };
    let (Pattern::Whole(text) | Pattern::Prefix(text)) = pattern else { return false };
    comparison.field() == EventField::Type && text.starts_with(BOOKKEEPING) && pattern.fits(kind)
}

fn whole(test: &Test) -> Option<Box<str>> {
    match test {
        Test::Under(name) | Test::Compare(Operator::Equal, Operand::Text(Pattern::Whole(name))) => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// Whether a resource is the other or below it.
fn is_under(name: &str, ancestor: &str) -> bool {
    name.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
