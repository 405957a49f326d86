//! The names of what the tracker has and follows.

use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::Name;

/// `portfolios/{portfolio}`
pub(crate) type PortfolioName = Name<Portfolio>;
/// `portfolios/{portfolio}/projects/{project}`
pub(crate) type ProjectName = Name<Project>;
/// `portfolios/{portfolio}/projects/{project}/milestones/{milestone}`
pub(crate) type MilestoneName = Name<Milestone>;
