//! What kinds of resources there are, as errors and events name them.
//!
//! Invariant: `type_name` is public and never changes for a kind. A new noun is a new variant.

use std::fmt;

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// `portfolios/{portfolio}`
    Portfolio,
    /// `organizations/{organization}`
    Organization,
    /// `portfolios/{portfolio}/projects/{project}`
    Project,
    /// `portfolios/{portfolio}/projects/{project}/phases/{phase}`
    Phase,
    /// `portfolios/{portfolio}/batches/{batch}`
    Batch,
    /// `portfolios/{portfolio}/projects/{project}/milestones/{milestone}`
    Milestone,
    /// An event of a log, by its event id.
    Event,
}

impl ResourceKind {
    /// The type as `google.rpc.ResourceInfo` carries it: `milepost.dev/Project`.
    pub const fn type_name(self) -> &'static str {
        match self {
            ResourceKind::Portfolio => "milepost.dev/Portfolio",
            ResourceKind::Organization => "milepost.dev/Organization",
            ResourceKind::Project => "milepost.dev/Project",
            ResourceKind::Phase => "milepost.dev/Phase",
            ResourceKind::Batch => "milepost.dev/Batch",
            ResourceKind::Milestone => "milepost.dev/Milestone",
            ResourceKind::Event => "milepost.dev/Event",
        }
    }

    /// The word for people: `project`.
    pub const fn noun(self) -> &'static str {
        match self {
            ResourceKind::Portfolio => "portfolio",
            ResourceKind::Organization => "organization",
            ResourceKind::Project => "project",
            ResourceKind::Phase => "phase",
            ResourceKind::Batch => "batch",
            ResourceKind::Milestone => "milestone",
            ResourceKind::Event => "event",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}
