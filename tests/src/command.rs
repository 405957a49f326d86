//! Writes that a test sends, remembers, and sends again.
//!
//! Invariant: a command is a whole request with a request id, so that it can be sent again at any time
//! and has one effect.

use std::time::{Duration, Instant};

use milepost_client::{Client, Error, Failure};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use milepost_types::LedgerKind;
use tonic::Code;

use crate::resource::Resource;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);

macro_rules! commands {
    ($($kind:ident($package:ident::$request:ident) => $ledger:ident $stub:ident.$method:ident -> $field:ident as $resource:ident;)+) => {
        /// One write.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Command {
            $(
                #[doc = stringify!($method)]
                $kind(Box<$package::$request>),
            )+
        }

        impl Command {
            /// Its request id.
            pub fn request_id(&self) -> &str {
                match self { $(Command::$kind(request) => &request.request_id,)+ }
            }

            /// The ledger that it goes to.
            pub fn ledger(&self) -> LedgerKind {
                match self { $(Command::$kind(_) => LedgerKind::$ledger,)+ }
            }

            /// Sends it once, and tells what became of it.
            ///
            /// # Errors
            /// What the server refused it for, or that nobody knows.
            pub async fn once(&self, client: &Client) -> Result<Outcome, Failure> {
                match self {
                    $(Command::$kind(request) => {
                        let mut attempt = tonic::Request::new((**request).clone());
                        attempt.set_timeout(ATTEMPT);
                        let call = async { client.$stub().$method(attempt).await };
                        let reply = match tokio::time::timeout(ATTEMPT, call).await {
                            Ok(reply) => reply.map_err(Failure::from)?.into_inner(),
                            Err(_) => return Err(Failure::from(tonic::Status::deadline_exceeded("no answer"))),
                        };
                        let resources = reply.$field.into_iter();
                        Ok(Outcome {
                            resources: resources.map(|inner| Resource::$resource(Box::new(inner))).collect(),
                            revision: reply.revision,
                        })
                    })+
                }
            }

            /// Sends it until it is answered, under the client's retry policy.
            ///
            /// # Errors
            /// What the server refused it for, or that the deadline passed.
            pub async fn patiently(&self, client: &Client, deadline: Instant) -> Result<Outcome, Error> {
                match self {
                    $(Command::$kind(request) => {
                        let retry = client.retry();
                        let reply = retry.write(deadline, (**request).clone(), |attempt| {
                            let mut stub = client.$stub();
                            async move { stub.$method(attempt).await }
                        });
                        let reply = reply.await?;
                        let resources = reply.$field.into_iter();
                        Ok(Outcome {
                            resources: resources.map(|inner| Resource::$resource(Box::new(inner))).collect(),
                            revision: reply.revision,
                        })
                    })+
                }
            }
        }
    };
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The resources after the change, in the order of the request.
    pub resources: Vec<Resource>,
    /// The revision of the ledger.
    pub revision: String,
}

commands! {
    CreatePortfolio(registry::CreatePortfolioRequest) => Registry portfolios.create_portfolio -> portfolio as Portfolio;
    CreateProject(registry::CreateProjectRequest) => Registry projects.create_project -> project as Project;
    CreateProjects(registry::BatchCreateProjectsRequest) => Registry projects.batch_create_projects -> projects as Project;
    UpdateProject(registry::UpdateProjectRequest) => Registry projects.update_project -> project as Project;
    PrepareProject(registry::PrepareProjectRequest) => Registry projects.prepare_project -> project as Project;
    StartProject(registry::StartProjectRequest) => Registry projects.start_project -> project as Project;
    CreateMilestone(tracker::CreateMilestoneRequest) => Tracker milestones.create_milestone -> milestone as Milestone;
    CreateMilestones(tracker::BatchCreateMilestonesRequest) => Tracker milestones.batch_create_milestones -> milestones as Milestone;
    Reforecast(tracker::ReforecastMilestoneRequest) => Tracker milestones.reforecast_milestone -> milestone as Milestone;
    Achieve(tracker::AchieveMilestoneRequest) => Tracker milestones.achieve_milestone -> milestone as Milestone;
}

/// Whether a failure leaves open what became of the command.
pub fn is_open(failure: &Failure) -> bool {
    failure.connection || matches!(failure.code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

/// A civil date.
pub fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// A portfolio to be.
pub fn create_portfolio(id: &str) -> Command {
    Command::CreatePortfolio(Box::new(registry::CreatePortfolioRequest {
        portfolio_id: id.to_owned(),
        portfolio: Some(registry::Portfolio {
            display_name: format!("组合 {id}"),
            time_zone: "Asia/Shanghai".to_owned(),
            reporting_currency_code: "CNY".to_owned(),
            ..Default::default()
        }),
        request_id: format!("create-{id}"),
        validate_only: false,
    }))
}

/// A project as a request holds it.
pub fn project(id: &str) -> registry::Project {
    registry::Project {
        display_name: format!("项目 {id}"),
        purpose: "to be there after a crash".to_owned(),
        key: Some(true),
        ..Default::default()
    }
}

/// A milestone as a request holds it.
pub fn milestone(id: &str) -> tracker::Milestone {
    tracker::Milestone {
        display_name: format!("里程碑 {id}"),
        baseline_date: Some(date(2026, 6, 30)),
        ..Default::default()
    }
}

/// A project to be, in a portfolio.
pub fn create_project(portfolio: &str, id: &str) -> registry::CreateProjectRequest {
    registry::CreateProjectRequest {
        parent: format!("portfolios/{portfolio}"),
        project_id: id.to_owned(),
        project: Some(project(id)),
        request_id: format!("create-{portfolio}-{id}"),
        validate_only: false,
    }
}

/// A milestone to be, in a project.
pub fn create_milestone(project: &str, id: &str) -> tracker::CreateMilestoneRequest {
    let short = project.replace('/', ".");
    tracker::CreateMilestoneRequest {
        parent: project.to_owned(),
        milestone_id: id.to_owned(),
        milestone: Some(milestone(id)),
        request_id: format!("create-{short}-{id}"),
        validate_only: false,
    }
}
