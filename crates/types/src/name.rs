//! Resource names: one type per kind, each its parent's name and an id.
//!
//! Invariant: a name that exists is well formed in every segment; whether the resource exists is
//! another question. Names order by their ids from the left, so a parent's children stand
//! together. Patterns with `-` are no names; they are in `parent`.

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
}

impl NameShape {
    /// The ids in a name of this shape, from the left.
    ///
    /// # Errors
    /// If the text is no such name.
    pub fn ids(&self, text: &str) -> Result<Vec<ResourceId>, NameError> {
        ids(text, self.collections).map_err(|problem| self.error(text, problem))
    }

    pub(crate) fn error(&self, text: &str, problem: Problem) -> NameError {
        NameError::new(self.kind, self.pattern, text, problem)
    }
}

fn ids(text: &str, collections: &[&str]) -> Result<Vec<ResourceId>, Problem> {
    let Some((collection, above)) = collections.split_last() else { return Err(Problem::Shape) };
    let (rest, id) = split_last(text, collection)?;
    if rest.is_empty() != above.is_empty() {
        return Err(Problem::Shape);
    }
    let mut ids = if above.is_empty() { Vec::new() } else { ids(rest, above)? };
    ids.push(id.parse().map_err(Problem::Id)?);
    Ok(ids)
}

macro_rules! resource_name {
    // A name at the top: `{collection}/{id}`.
    ($(#[$meta:meta])* $Name:ident, $Kind:ident, $collection:literal, $id:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name {
            id: ResourceId,
        }

        impl $Name {
            /// The name of the resource with this id.
            pub fn new(id: ResourceId) -> Self {
                Self { id }
            }

            fn read(text: &str) -> Result<Self, Problem> {
                let (rest, id) = split_last(text, $collection)?;
                if !rest.is_empty() {
                    return Err(Problem::Shape);
                }
                Ok(Self { id: id.parse().map_err(Problem::Id)? })
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($collection, "/"))?;
                f.write_str(self.id.as_str())
            }
        }

        resource_name!(@same $Name, $Kind, concat!($collection, "/{", $id, "}"));
    };
    // A name under another: `{parent}/{collection}/{id}`.
    ($(#[$meta:meta])* $Name:ident, $Kind:ident, $Parent:ident, $pattern:literal, $collection:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name {
            parent: $Parent,
            id: ResourceId,
        }

        impl $Name {
            /// The name of the resource with this id under this parent.
            pub fn new(parent: $Parent, id: ResourceId) -> Self {
                Self { parent, id }
            }

            /// The name of the resource that this one stands under.
            pub fn parent(&self) -> &$Parent {
                &self.parent
            }

            fn read(text: &str) -> Result<Self, Problem> {
                let (rest, id) = split_last(text, $collection)?;
                if rest.is_empty() {
                    return Err(Problem::Shape);
                }
                Ok(Self { parent: $Parent::read(rest)?, id: id.parse().map_err(Problem::Id)? })
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // In pieces: names are written many times for each write, and format strings cost.
                fmt::Display::fmt(&self.parent, f)?;
                f.write_str(concat!("/", $collection, "/"))?;
                f.write_str(self.id.as_str())
            }
        }

        resource_name!(@same $Name, $Kind, $pattern);
    };
    (@same $Name:ident, $Kind:ident, $pattern:expr) => {
        impl $Name {
            /// The resource's own id: the last segment.
            pub fn id(&self) -> &ResourceId {
                &self.id
            }
        }

        impl ResourceName for $Name {
            const KIND: ResourceKind = ResourceKind::$Kind;
            const PATTERN: &'static str = $pattern;

            fn id(&self) -> &ResourceId {
                &self.id
            }
        }

        impl FromStr for $Name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::read(text)
                    .map_err(|problem| NameError::new(Self::KIND, Self::PATTERN, text, problem))
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

resource_name!(
    /// `portfolios/{portfolio}`
    PortfolioName, PORTFOLIO, "portfolios", "portfolio"
);
resource_name!(
    /// `organizations/{organization}`
    OrganizationName, ORGANIZATION, "organizations", "organization"
);
resource_name!(
    /// `portfolios/{portfolio}/projects/{project}`
    ProjectName, PROJECT, PortfolioName,
    "portfolios/{portfolio}/projects/{project}", "projects"
);
resource_name!(
    /// `portfolios/{portfolio}/projects/{project}/phases/{phase}`
    PhaseName, PHASE, ProjectName,
    "portfolios/{portfolio}/projects/{project}/phases/{phase}", "phases"
);
resource_name!(
    /// `portfolios/{portfolio}/batches/{batch}`
    BatchName, BATCH, PortfolioName,
    "portfolios/{portfolio}/batches/{batch}", "batches"
);
resource_name!(
    /// `portfolios/{portfolio}/projects/{project}/milestones/{milestone}`
    MilestoneName, MILESTONE, ProjectName,
    "portfolios/{portfolio}/projects/{project}/milestones/{milestone}", "milestones"
);

impl ProjectName {
    /// The portfolio that the project is in.
    pub fn portfolio(&self) -> &PortfolioName {
        &self.parent
    }
}

impl BatchName {
    /// The portfolio that the batch is in.
    pub fn portfolio(&self) -> &PortfolioName {
        &self.parent
    }
}

impl PhaseName {
    /// The project that the phase is part of.
    pub fn project(&self) -> &ProjectName {
        &self.parent
    }

    /// The portfolio that the phase's project is in.
    pub fn portfolio(&self) -> &PortfolioName {
        &self.parent.parent
    }
}

impl MilestoneName {
    /// The project that the milestone belongs to.
    pub fn project(&self) -> &ProjectName {
        &self.parent
    }

    /// The portfolio that the milestone's project is in.
    pub fn portfolio(&self) -> &PortfolioName {
        &self.parent.parent
    }
}

#[cfg(test)]
mod tests;
