//! What milestones are under: portfolios and projects, as far as the registry was followed.
//!
//! Invariant: a refusal for what is missing or deleted here may be of the past; whoever answers it asks the
//! registry first.

use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Name, Parent, Rows};
use milepost_types::{Rejection, ResourceId};

use crate::decide::Tracker;
use crate::names::{PortfolioName, ProjectName};
use crate::tables;

/// A project of the registry.
pub(crate) struct Followed;

impl Parent<Tracker> for Followed {
    fn check_open(rows: &Rows<'_, Tracker>, ids: &[ResourceId]) -> Result<(), Rejection> {
        let Some(project) = ProjectName::of(ids.to_vec()) else { return Ok(()) };
        match tables::project::is_deleted(rows.read, &project)? {
            Some(false) => check_portfolio(rows, &project.parent()),
            Some(true) => Err(Rejection::deleted(&project)),
            None => Err(Rejection::not_found(&project)),
        }
    }

    /// Deleted ones are there, and so is whatever has milestones.
    fn check_there(rows: &Rows<'_, Tracker>, ids: &[ResourceId]) -> Result<(), Rejection> {
        let Some(portfolio) = ids.first().and_then(|id| Name::<Portfolio>::of(vec![id.clone()])) else {
            return Ok(());
        };
        let missing = match Name::<Project>::of(ids.to_vec()) {
            _ if tables::portfolio::get_stored(rows.read, &portfolio).is_none() => {
                Rejection::not_found(&portfolio)
            }
            Some(project) if tables::project::is_deleted(rows.read, &project)?.is_none() => {
                Rejection::not_found(&project)
            }
            _ => return Ok(()),
        };
        if rows.under::<Milestone>(ids, None).next().is_some() { Ok(()) } else { Err(missing) }
    }
}

/// Refuses to change what is in a portfolio that is missing or deleted.
pub(crate) fn check_portfolio(rows: &Rows<'_, Tracker>, name: &PortfolioName) -> Result<(), Rejection> {
    match tables::portfolio::is_deleted(rows.read, name)? {
        Some(false) => Ok(()),
        Some(true) => Err(Rejection::deleted(name)),
        None => Err(Rejection::not_found(name)),
    }
}
