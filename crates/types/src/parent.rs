//! Where a list reads: one parent, or with `-` across a whole collection of parents (AIP-159).
//!
//! Invariant: a pattern goes from a certain beginning to an open end: `portfolios/-/projects/x` is
//! refused, because ids are unique in their portfolio only. A pattern is never a name.

use std::fmt;
use std::str::FromStr;

use crate::id::ResourceId;
use crate::kind::ResourceKind;
use crate::name::{NameError, NameShape, PortfolioName, Problem, ProjectName, split_last};

/// One portfolio, or all of them (`portfolios/-`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortfolioPattern {
    /// `portfolios/{portfolio}`
    One(PortfolioName),
    /// `portfolios/-`
    All,
}

/// One project, all projects of a portfolio (`portfolios/{portfolio}/projects/-`), or all there
/// are (`portfolios/-/projects/-`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProjectPattern {
    /// `portfolios/{portfolio}/projects/{project}`
    One(ProjectName),
    /// `portfolios/{portfolio}/projects/-`
    InPortfolio(PortfolioName),
    /// `portfolios/-/projects/-`
    All,
}

/// The parent of a list of projects.
pub type ProjectParent = PortfolioPattern;
/// The parent of a list of batches.
pub type BatchParent = PortfolioPattern;
/// The parent of a list of phases.
pub type PhaseParent = ProjectPattern;
/// The parent of a list of milestones.
pub type MilestoneParent = ProjectPattern;

impl PortfolioPattern {
    /// Whether what stands directly under this portfolio is in the list.
    pub fn matches(&self, parent: &PortfolioName) -> bool {
        match self {
            PortfolioPattern::One(one) => one == parent,
            PortfolioPattern::All => true,
        }
    }

    /// The only portfolio that can match, if there is only one.
    pub fn portfolio(&self) -> Option<&PortfolioName> {
        match self {
            PortfolioPattern::One(one) => Some(one),
            PortfolioPattern::All => None,
        }
    }
}

impl ProjectPattern {
    /// Whether what stands directly under this project is in the list.
    pub fn matches(&self, parent: &ProjectName) -> bool {
        match self {
            ProjectPattern::One(one) => one == parent,
            ProjectPattern::InPortfolio(portfolio) => portfolio == parent.portfolio(),
            ProjectPattern::All => true,
        }
    }

    /// The only project that can match, if there is only one.
    pub fn project(&self) -> Option<&ProjectName> {
        match self {
            ProjectPattern::One(one) => Some(one),
            _ => None,
        }
    }

    /// The only portfolio that can match, if there is only one.
    pub fn portfolio(&self) -> Option<&PortfolioName> {
        match self {
            ProjectPattern::One(one) => Some(one.portfolio()),
            ProjectPattern::InPortfolio(portfolio) => Some(portfolio),
            ProjectPattern::All => None,
        }
    }
}

impl FromStr for PortfolioPattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "portfolios/-" => Ok(PortfolioPattern::All),
            _ => text.parse().map(PortfolioPattern::One),
        }
    }
}

impl FromStr for ProjectPattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match split_last(text, "projects") {
            Ok(("portfolios/-", "-")) => Ok(ProjectPattern::All),
            Ok(("portfolios/-", _)) => Err(NameError::new(
                ResourceKind::PROJECT,
                "portfolios/{portfolio}/projects/{project}",
                text,
                Problem::DashBeforeId,
            )),
            Ok((portfolio, "-")) => portfolio.parse().map(ProjectPattern::InPortfolio),
            _ => text.parse().map(ProjectPattern::One),
        }
    }
}

/// The ids that a list's parent names, from the left: fewer than `shapes` has where the rest are `-`. `shapes`
/// are those of the parent and of what it is under, from the top.
///
/// # Errors
/// If the text is neither a name of the last shape nor a pattern of it.
pub fn parent_ids(text: &str, shapes: &[NameShape]) -> Result<Vec<ResourceId>, NameError> {
    let Some((shape, above)) = shapes.split_last() else { return Ok(Vec::new()) };
    let collection = shape.collections.last().copied().unwrap_or_default();
    match split_last(text, collection) {
        Ok(("", "-")) if above.is_empty() => Ok(Vec::new()),
        Ok((rest, "-")) if !above.is_empty() => parent_ids(rest, above),
        Ok((rest, _)) if rest.ends_with("/-") => Err(shape.error(text, Problem::DashBeforeId)),
        _ => shape.ids(text),
    }
}

impl fmt::Display for PortfolioPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortfolioPattern::One(one) => one.fmt(f),
            PortfolioPattern::All => f.write_str("portfolios/-"),
        }
    }
}

impl fmt::Display for ProjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProjectPattern::One(one) => one.fmt(f),
            ProjectPattern::InPortfolio(portfolio) => write!(f, "{portfolio}/projects/-"),
            ProjectPattern::All => f.write_str("portfolios/-/projects/-"),
        }
    }
}

impl From<PortfolioName> for PortfolioPattern {
    fn from(name: PortfolioName) -> Self {
        PortfolioPattern::One(name)
    }
}

impl From<ProjectName> for ProjectPattern {
    fn from(name: ProjectName) -> Self {
        ProjectPattern::One(name)
    }
}
