//! Resource names: what all of them have, how they look, and why a text is none.
//!
//! Invariant: a name that was read is well formed in every segment; whether the resource exists is another
//! question. Patterns with `-` are no names; they are in `parent`.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use crate::id::{IdError, ResourceId};
use crate::kind::ResourceKind;
use crate::limits::NAME_CHARS;
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// What all resource names have.
pub trait ResourceName: FromStr<Err = NameError> + fmt::Display + fmt::Debug + Clone + Ord + Hash {
    /// The kind of resource that is named.
    const KIND: ResourceKind;
    /// The shape, such as `portfolios/{portfolio}/projects/{project}`.
    const PATTERN: &'static str;

    /// The resource's own id: the last segment.
    fn id(&self) -> &ResourceId;
}

/// Why a text is not the name of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is not the name of a {kind}: {problem}", text = quoted(.text), problem = explained(.problem, .pattern))]
pub struct NameError {
    kind: ResourceKind,
    pattern: &'static str,
    text: String,
    problem: Problem,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it is too long")]
    TooLong,
    #[error("its segments do not match")]
    Shape,
    #[error("{0}")]
    Id(IdError),
    #[error(
        "a \"-\" before one project's id names no one parent; use portfolios/-/projects/- or name the portfolio"
    )]
    DashBeforeId,
}

/// A problem together with the pattern that the name should have.
fn explained(problem: &Problem, pattern: &str) -> String {
    match problem {
        Problem::Shape => format!("{problem} `{pattern}`"),
        _ => format!("{problem}; the shape is {pattern}"),
    }
}

impl NameError {
    pub(crate) fn new(kind: ResourceKind, pattern: &'static str, text: &str, problem: Problem) -> Self {
        Self { kind, pattern, text: shortened(text), problem }
    }

    /// The kind of resource whose name was asked for.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }
}

impl Fault for NameError {
    fn reason(&self) -> &'static str {
        match self.problem {
            Problem::Empty => "REQUIRED",
            _ => "INVALID_NAME",
        }
    }
}

/// Splits `{rest}/{collection}/{id}`; the rest is empty for a collection at the top.
pub(crate) fn split_last<'a>(text: &'a str, collection: &str) -> Result<(&'a str, &'a str), Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.len() > 4 * NAME_CHARS {
        return Err(Problem::TooLong);
    }
    let (head, id) = text.rsplit_once('/').ok_or(Problem::Shape)?;
    let rest = head.strip_suffix(collection).ok_or(Problem::Shape)?;
    match rest.strip_suffix('/') {
        Some("") => Err(Problem::Shape),
        Some(parent) => Ok((parent, id)),
        None if rest.is_empty() => Ok(("", id)),
        None => Err(Problem::Shape),
    }
}

/// The shape of a kind of names.
#[derive(Debug, Clone, Copy)]
pub struct NameShape {
    /// What is named.
    pub kind: ResourceKind,
    /// The shape for people, such as `portfolios/{portfolio}/projects/{project}`.
    pub pattern: &'static str,
    /// Its collections, from the left.
    pub collections: &'static [&'static str],
    /// Whether collections before the last may be missing, from the right.
    pub floats: bool,
}

impl NameShape {
    /// The ids in a name of this shape, from the left.
    ///
    /// # Errors
    /// If the text is no such name.
    pub fn ids(&self, text: &str) -> Result<Vec<ResourceId>, NameError> {
        let mut found = Vec::with_capacity(self.collections.len());
        let (own, mut above) = self.collections.split_last().unwrap_or((&"", &[]));
        if self.floats {
            // The own collection has one slash, and each above it has two more.
            above = above.get(..text.matches('/').count() / 2).unwrap_or(above);
        }
        let read = |text: &str| self.id(text);
        ids(text, above, own, &read, &mut found).map_err(|problem| self.error(text, problem))?;
        Ok(found)
    }

    /// The last id of a name of this shape.
    ///
    /// # Errors
    /// If the text is none.
    pub fn id(&self, text: &str) -> Result<ResourceId, IdError> {
        if self.is_of_year() { ResourceId::of_year(text) } else { text.parse() }
    }

    /// Whether the last id is a year.
    pub fn is_of_year(&self) -> bool {
        self.pattern.ends_with("/{year}")
    }

    pub(crate) fn error(&self, text: &str, problem: Problem) -> NameError {
        NameError::new(self.kind, self.pattern, text, problem)
    }
}

/// Reads the ids of a name, the last one by `read`.
fn ids(
    text: &str,
    above: &[&str],
    collection: &str,
    read: &dyn Fn(&str) -> Result<ResourceId, IdError>,
    found: &mut Vec<ResourceId>,
) -> Result<(), Problem> {
    let (rest, id) = split_last(text, collection)?;
    match above.split_last() {
        Some((collection, above)) if !rest.is_empty() => ids(rest, above, collection, &str::parse, found)?,
        None if rest.is_empty() => {}
        _ => return Err(Problem::Shape),
    }
    found.push(read(id).map_err(Problem::Id)?);
    Ok(())
}

#[cfg(test)]
mod tests;
