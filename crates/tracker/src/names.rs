//! The names of what the tracker has and follows.

use milepost_proto::registry::v1::{Assignment, Portfolio, Project};
use milepost_proto::tracker::v1::{Campaign, Milestone, ServiceRequest, Template, TemplateVersion};
use milepost_resource::Name;

/// `portfolios/{portfolio}`
pub(crate) type PortfolioName = Name<Portfolio>;
/// `portfolios/{portfolio}/projects/{project}`
pub(crate) type ProjectName = Name<Project>;
/// `portfolios/{portfolio}/projects/{project}/milestones/{milestone}`
pub(crate) type MilestoneName = Name<Milestone>;
/// `portfolios/{portfolio}/projects/{project}/assignments/{assignment}`
pub(crate) type AssignmentName = Name<Assignment>;
/// `portfolios/{portfolio}/projects/{project}/serviceRequests/{service_request}`
pub(crate) type ServiceRequestName = Name<ServiceRequest>;
/// `portfolios/{portfolio}/templates/{template}`
pub(crate) type TemplateName = Name<Template>;
/// `portfolios/{portfolio}/templates/{template}/versions/{template_version}`
pub(crate) type TemplateVersionName = Name<TemplateVersion>;
/// `portfolios/{portfolio}/campaigns/{campaign}`
pub(crate) type CampaignName = Name<Campaign>;
