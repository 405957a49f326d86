//! A change: what happened to one resource, as the rules say it.
//!
//! Invariant: a change carries the resource as it is after it, so that applying it is putting it. How a
//! change is written down is `convert`'s business.

use jiff::civil::Date;
use milepost_types::{BatchName, ProjectName};

use crate::batch::Batch;
use crate::organization::Organization;
use crate::phase::Phase;
use crate::portfolio::Portfolio;
use crate::project::Project;
use crate::project::status::Status;

/// What happened to one resource.
#[derive(Debug)]
pub(crate) struct Change {
    /// The resource after it.
    pub(crate) resource: Resource,
    pub(crate) happening: Happening,
    /// The fields that changed, sorted; none for a creation.
    pub(crate) changed: Vec<&'static str>,
    /// The civil date that it speaks of.
    pub(crate) date: Option<Date>,
    /// The change of the same command that it follows from, by its index.
    pub(crate) cause: Option<u32>,
}

/// A resource of any noun.
#[derive(Debug)]
pub(crate) enum Resource {
    Portfolio(Box<Portfolio>),
    Organization(Box<Organization>),
    Project(Box<Project>),
    Phase(Box<Phase>),
    Batch(Box<Batch>),
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Happening {
    Created,
    Updated,
    Deleted,
    Undeleted,
    /// A project went from one status to another, for this reason, perhaps as a member of a batch.
    Moved {
        previous: Status,
        status: Status,
        reason: String,
        batch: Option<BatchName>,
    },
    /// A batch gained or lost members.
    Regrouped {
        added: Vec<ProjectName>,
        removed: Vec<ProjectName>,
    },
    /// A batch started its members.
    Started {
        count: usize,
    },
    /// A batch was given up, for this reason.
    Cancelled {
        reason: String,
    },
}

impl Change {
    /// A change that speaks of no date and has no cause but the caller's wish.
    pub(crate) fn new(
        resource: impl Into<Resource>,
        happening: Happening,
        changed: Vec<&'static str>,
    ) -> Self {
        Self { resource: resource.into(), happening, changed, date: None, cause: None }
    }

    /// A creation.
    pub(crate) fn created(resource: impl Into<Resource>) -> Self {
        Self::new(resource, Happening::Created, Vec::new())
    }

    /// A soft deletion.
    pub(crate) fn deleted(resource: impl Into<Resource>) -> Self {
        Self::new(resource, Happening::Deleted, vec!["delete_time"])
    }

    /// A deletion taken back.
    pub(crate) fn undeleted(resource: impl Into<Resource>) -> Self {
        Self::new(resource, Happening::Undeleted, vec!["delete_time"])
    }

    /// The same, speaking of a civil date.
    pub(crate) fn on(mut self, date: Option<Date>) -> Self {
        self.date = date;
        self
    }
}

macro_rules! resources {
    ($($noun:ident),*) => {$(
        impl From<$noun> for Resource {
            fn from(record: $noun) -> Self {
                Resource::$noun(Box::new(record))
            }
        }
    )*};
}
resources!(Portfolio, Organization, Project, Phase, Batch);
