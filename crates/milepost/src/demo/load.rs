//! Loads the data set through the public API, each resource once.
//!
//! Invariant: a resource that exists already is not changed. Each write carries a request id made from its content,
//! so that a run after an interrupted one repeats no write.

use indicatif::ProgressBar;
use milepost_client::Client;
use milepost_proto::WriteRequest;
use milepost_proto::notifier::v1::{GetLogInfoRequest, ListEventsRequest};
use milepost_proto::registry::v1::{
    Batch, CreateBatchRequest, CreateOrganizationRequest, CreatePhaseRequest, CreatePortfolioRequest,
    CreateProjectRequest, GetBatchRequest, GetOrganizationRequest, GetPhaseRequest, GetPortfolioRequest,
    GetProjectRequest, Organization, Phase, Portfolio, Project, StartBatchRequest, batch,
};
use milepost_proto::tracker::v1::{
    AchieveMilestoneRequest, CreateMilestoneRequest, GetMilestoneRequest, ListMilestonesRequest, Milestone,
    milestone,
};
use sha2::{Digest, Sha256};
use tonic::Code;

use super::data::{Act, DataSet, What};
use crate::error::Error;

/// What loading came to.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// How many writes were made.
    pub made: u64,
    /// How many were not needed, because what they would do was done.
    pub present: u64,
    /// The cursor of the log up to which everything that was written is in the log.
    pub end: String,
}

/// Loads a data set.
pub struct Loader<'a> {
    client: &'a Client,
    bar: ProgressBar,
    made: u64,
    present: u64,
    /// The last revisions of the registry and the tracker.
    registry: String,
    tracker: String,
}

impl DataSet {
    /// How many steps it takes to load it.
    pub fn len(&self) -> u64 {
        let steps = 1
            + self.organizations.len()
            + self.projects.len()
            + self.phases.len()
            + self.milestones.len()
            + self.batches.len()
            + self.acts.len();
        steps as u64
    }
}

/// Asks whether a resource is there, and creates it if not.
macro_rules! ensure {
    ($self:expr, $revision:ident, $stub:ident, $get:ident($Get:ident), $create:ident($request:expr), $name:expr) => {{
        let get = $Get { name: $name.clone(), min_revisions: Vec::new() };
        let there = $self
            .client
            .retry()
            .read($self.client.retry().deadline(), get, |request| {
                let mut stub = $self.client.$stub();
                async move { stub.$get(request).await }
            })
            .await;
        match there {
            Ok(response) => {
                $self.present += 1;
                $self.$revision = response.revision;
            }
            Err(error) if error.failure().is_some_and(|failure| failure.code == Code::NotFound) => {
                let response = write!($self, $stub.$create($request));
                $self.$revision = response.revision;
            }
            Err(error) => return Err(error.into()),
        }
        $self.bar.inc(1);
    }};
}

/// Sends a write under the request id of what it writes.
macro_rules! write {
    ($self:expr, $stub:ident.$method:ident($request:expr)) => {{
        let request = identified($request);
        let response = $self
            .client
            .retry()
            .write($self.client.retry().deadline(), request, |request| {
                let mut stub = $self.client.$stub();
                async move { stub.$method(request).await }
            })
            .await?;
        $self.made += 1;
        response
    }};
}

impl<'a> Loader<'a> {
    /// A loader that shows its progress on a bar.
    pub fn new(client: &'a Client, bar: ProgressBar) -> Self {
        Self { client, bar, made: 0, present: 0, registry: String::new(), tracker: String::new() }
    }

    /// Loads what is missing, and waits until the log tells of all of it, effects included.
    ///
    /// # Errors
    /// What a server refused.
    pub async fn load(&mut self, set: &DataSet) -> Result<Loaded, Error> {
        self.portfolio(&set.portfolio).await?;
        for organization in &set.organizations {
            self.organization(organization).await?;
        }
        for project in &set.projects {
            self.project(project).await?;
        }
        for phase in &set.phases {
            self.phase(phase).await?;
        }
        for milestone in &set.milestones {
            self.milestone(milestone).await?;
        }
        for batch in &set.batches {
            self.batch(batch).await?;
        }
        for act in &set.acts {
            self.act(act).await?;
            self.tracker_follows(&set.portfolio.name).await?;
        }
        Ok(Loaded { made: self.made, present: self.present, end: self.logged().await? })
    }

    async fn portfolio(&mut self, portfolio: &Portfolio) -> Result<(), Error> {
        let (_, portfolio_id) = split(&portfolio.name);
        let request =
            CreatePortfolioRequest { portfolio_id, portfolio: Some(portfolio.clone()), ..Default::default() };
        ensure!(
            self,
            registry,
            portfolios,
            get_portfolio(GetPortfolioRequest),
            create_portfolio(request),
            portfolio.name
        );
        Ok(())
    }

    async fn organization(&mut self, organization: &Organization) -> Result<(), Error> {
        let (_, organization_id) = split(&organization.name);
        let organization_name = &organization.name;
        let request = CreateOrganizationRequest {
            organization_id,
            organization: Some(organization.clone()),
            ..Default::default()
        };
        ensure!(
            self,
            registry,
            organizations,
            get_organization(GetOrganizationRequest),
            create_organization(request),
            organization_name
        );
        Ok(())
    }

    async fn project(&mut self, project: &Project) -> Result<(), Error> {
        let (parent, project_id) = split(&project.name);
        let request =
            CreateProjectRequest { parent, project_id, project: Some(project.clone()), ..Default::default() };
        ensure!(
            self,
            registry,
            projects,
            get_project(GetProjectRequest),
            create_project(request),
            project.name
        );
        Ok(())
    }

    async fn phase(&mut self, phase: &Phase) -> Result<(), Error> {
        let (parent, phase_id) = split(&phase.name);
        let request =
            CreatePhaseRequest { parent, phase_id, phase: Some(phase.clone()), ..Default::default() };
        ensure!(self, registry, phases, get_phase(GetPhaseRequest), create_phase(request), phase.name);
        Ok(())
    }

    async fn milestone(&mut self, milestone: &Milestone) -> Result<(), Error> {
        let (parent, milestone_id) = split(&milestone.name);
        let request = CreateMilestoneRequest {
            parent,
            milestone_id,
            milestone: Some(milestone.clone()),
            ..Default::default()
        };
        ensure!(
            self,
            tracker,
            milestones,
            get_milestone(GetMilestoneRequest),
            create_milestone(request),
            milestone.name
        );
        Ok(())
    }

    async fn batch(&mut self, batch: &Batch) -> Result<(), Error> {
        let (parent, batch_id) = split(&batch.name);
        let request =
            CreateBatchRequest { parent, batch_id, batch: Some(batch.clone()), ..Default::default() };
        ensure!(self, registry, batches, get_batch(GetBatchRequest), create_batch(request), batch.name);
        Ok(())
    }

    async fn act(&mut self, act: &Act) -> Result<(), Error> {
        match &act.what {
            What::Start(name) => {
                let retry = self.client.retry();
                let get = GetBatchRequest { name: name.clone(), min_revisions: Vec::new() };
                let response = retry
                    .read(retry.deadline(), get, |request| {
                        let mut batches = self.client.batches();
                        async move { batches.get_batch(request).await }
                    })
                    .await?;
                if response.batch.is_some_and(|batch| batch.state() == batch::State::Planned) {
                    let request = StartBatchRequest { name: name.clone(), ..Default::default() };
                    self.registry = write!(self, batches.start_batch(request)).revision;
                } else {
                    self.present += 1;
                }
            }
            What::Achieve(name) => {
                let retry = self.client.retry();
                let get = GetMilestoneRequest { name: name.clone(), min_revisions: Vec::new() };
                let response = retry
                    .read(retry.deadline(), get, |request| {
                        let mut milestones = self.client.milestones();
                        async move { milestones.get_milestone(request).await }
                    })
                    .await?;
                if response.milestone.is_some_and(|milestone| milestone.state() == milestone::State::Planned)
                {
                    let actual_date = Some(act.day.date());
                    let request =
                        AchieveMilestoneRequest { name: name.clone(), actual_date, ..Default::default() };
                    self.tracker = write!(self, milestones.achieve_milestone(request)).revision;
                } else {
                    self.present += 1;
                }
            }
        }
        self.bar.inc(1);
        Ok(())
    }

    /// Waits until the tracker has done what follows from the last change of the registry.
    async fn tracker_follows(&mut self, portfolio: &str) -> Result<(), Error> {
        let retry = self.client.retry();
        let request = ListMilestonesRequest {
            parent: format!("{portfolio}/projects/-"),
            page_size: 1,
            min_revisions: vec![self.registry.clone()],
            ..Default::default()
        };
        let response = retry
            .read(retry.deadline(), request, |request| {
                let mut milestones = self.client.milestones();
                async move { milestones.list_milestones(request).await }
            })
            .await?;
        self.tracker = response.revision;
        Ok(())
    }

    /// Waits until the log has everything, and answers the cursor after it.
    async fn logged(&self) -> Result<String, Error> {
        let retry = self.client.retry();
        let request = ListEventsRequest {
            page_size: 1,
            min_revisions: vec![self.registry.clone(), self.tracker.clone()],
            ..Default::default()
        };
        retry
            .read(retry.deadline(), request, |request| {
                let mut events = self.client.events();
                async move { events.list_events(request).await }
            })
            .await?;
        let info = retry
            .read(retry.deadline(), GetLogInfoRequest {}, |request| {
                let mut events = self.client.events();
                async move { events.get_log_info(request).await }
            })
            .await?;
        Ok(info.latest_cursor)
    }
}

/// The request with an id that is made from its content: the same request has the same id.
fn identified<Q: WriteRequest>(mut request: Q) -> Q {
    let digest = Sha256::digest(request.encode_to_vec());
    let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    *request.request_id_mut() = format!("demo-{id}");
    request
}

/// The parent's name and the resource's own id; the parent is empty at the top.
fn split(name: &str) -> (String, String) {
    let mut segments: Vec<&str> = name.split('/').collect();
    let id = segments.pop().unwrap_or_default();
    segments.pop();
    (segments.join("/"), id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_wish_has_the_same_request_id() {
        let start =
            |name: &str| identified(StartBatchRequest { name: name.into(), ..Default::default() }).request_id;
        assert_eq!(start("a"), start("a"));
        assert_ne!(start("a"), start("b"));
        assert!(start("a").parse::<milepost_types::RequestId>().is_ok());
    }

    #[test]
    fn a_name_is_its_parent_and_its_id() {
        let parts = |parent: &str, id: &str| (parent.to_owned(), id.to_owned());
        assert_eq!(split("portfolios/p"), parts("", "p"));
        assert_eq!(split("portfolios/p/projects/x"), parts("portfolios/p", "x"));
    }
}
