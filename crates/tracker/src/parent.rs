//! What the tracker's resources are under: portfolios and projects, as far as the registry was followed.
//!
//! Invariant: a refusal for what is missing or deleted here may be of the past; whoever answers it asks the
//! registry first.

use std::marker::PhantomData;

use milepost_ledger::Read;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::resource::Resource;
use milepost_resource::{Name, Parent, Rows, Rules};
use milepost_types::{Precondition, Rejection, ResourceId, ResourceName};

use crate::decide::Tracker;
use crate::names::{PortfolioName, ProjectName};
use crate::tables;

/// A project that is to be a member of something is not there.
const MEMBER_NOT_FOUND: &str = "MEMBER_NOT_FOUND";
/// It is deleted.
const MEMBER_DELETED: &str = "MEMBER_DELETED";

/// The portfolio or project of the registry that resources `R` are under.
pub(crate) struct Followed<R>(PhantomData<fn() -> R>);

impl<R: Rules<Tracker>> Parent<Tracker> for Followed<R> {
    fn check_open(rows: &Rows<'_, Tracker>, ids: &[ResourceId]) -> Result<(), Rejection> {
        if ids.len() > 1 {
            check::<Project>(ids, tables::project::is_deleted(rows.read, ids)?)?;
        }
        check_portfolio(rows, ids.get(..1).unwrap_or_default())
    }

    /// Deleted ones are there, and so is whatever has such resources.
    fn check_there(rows: &Rows<'_, Tracker>, ids: &[ResourceId]) -> Result<(), Rejection> {
        let Some(portfolio) = ids.first().and_then(|id| Name::<Portfolio>::of(vec![id.clone()])) else {
            return Ok(());
        };
        let missing = match Name::<Project>::of(ids.to_vec()) {
            _ if tables::portfolio::get_stored(rows.read, &portfolio).is_none() => {
                Rejection::not_found(&portfolio)
            }
            Some(project) if tables::project::is_deleted(rows.read, ids)?.is_none() => {
                Rejection::not_found(&project)
            }
            _ => return Ok(()),
        };
        if rows.under::<R>(ids, None).next().is_some() { Ok(()) } else { Err(missing) }
    }
}

/// Refuses to change what is in the portfolio with these ids, if it is missing or deleted.
pub(crate) fn check_portfolio(rows: &Rows<'_, Tracker>, ids: &[ResourceId]) -> Result<(), Rejection> {
    check::<Portfolio>(ids, tables::portfolio::is_deleted(rows.read, ids)?)
}

/// Refuses what is deleted, or missing if that is not known.
fn check<R: Resource>(ids: &[ResourceId], is_deleted: Option<bool>) -> Result<(), Rejection> {
    if is_deleted == Some(false) {
        return Ok(());
    }
    let Some(name) = Name::<R>::of(ids.to_vec()) else { return Ok(()) };
    Err(if is_deleted.is_some() { Rejection::deleted(&name) } else { Rejection::not_found(&name) })
}

/// The condition that a project does not meet that is to be a member of something: it is missing, if it is not known
/// whether it is deleted, or deleted. None: it is there.
pub(crate) fn missing_member(
    field: &str,
    project: &ProjectName,
    is_deleted: Option<bool>,
) -> Option<Precondition> {
    let (kind, what) = match is_deleted {
        Some(false) => return None,
        Some(true) => (MEMBER_DELETED, "the project is deleted; undelete it, or leave it out"),
        None => (MEMBER_NOT_FOUND, "there is no such project; leave it out"),
    };
    Some(Precondition { kind, subject: project.to_string(), description: format!("{field}: {what}") })
}

/// The condition that nothing is computed for this of what was followed, if not all is known of the registry that is
/// followed anew.
pub(crate) fn incomplete(read: &dyn Read, subject: &impl ToString) -> Option<Precondition> {
    (!tables::mirror_version::is_complete(read)).then(|| Precondition {
        kind: "REGISTRY_INCOMPLETE",
        subject: subject.to_string(),
        description: "the registry is followed anew, and not all of it was yet; try again in a while"
            .to_owned(),
    })
}

/// Whether a refusal is for a portfolio or a project that is missing or deleted, as far as the registry was followed.
pub(crate) fn is_missing(rejection: &Rejection) -> bool {
    match rejection {
        Rejection::NotFound { kind, .. } | Rejection::Deleted { kind, .. } => {
            [PortfolioName::KIND, ProjectName::KIND].contains(kind)
        }
        Rejection::Preconditions(found) => {
            found.iter().any(|found| [MEMBER_NOT_FOUND, MEMBER_DELETED].contains(&found.kind))
        }
        _ => false,
    }
}
