//! An office under test: a registry on a journal in memory, its clock, and clients of its services.

use std::cell::Cell;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Direction, KeyRange, Options, Read, Row};
use milepost_proto::access::v1::api_token_service_client::ApiTokenServiceClient;
use milepost_proto::access::v1::grant_service_client::GrantServiceClient;
use milepost_proto::access::v1::service_account_service_client::ServiceAccountServiceClient;
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::activity_service_client::ActivityServiceClient;
use milepost_proto::registry::v1::alliance_service_client::AllianceServiceClient;
use milepost_proto::registry::v1::annual_list_service_client::AnnualListServiceClient;
use milepost_proto::registry::v1::assignment_service_client::AssignmentServiceClient;
use milepost_proto::registry::v1::batch_service_client::BatchServiceClient;
use milepost_proto::registry::v1::collection_service_client::CollectionServiceClient;
use milepost_proto::registry::v1::indicator_service_client::IndicatorServiceClient;
use milepost_proto::registry::v1::observation_service_client::ObservationServiceClient;
use milepost_proto::registry::v1::organization_service_client::OrganizationServiceClient;
use milepost_proto::registry::v1::phase_service_client::PhaseServiceClient;
use milepost_proto::registry::v1::policy_programme_service_client::PolicyProgrammeServiceClient;
use milepost_proto::registry::v1::policy_service_client::PolicyServiceClient;
use milepost_proto::registry::v1::portfolio_service_client::PortfolioServiceClient;
use milepost_proto::registry::v1::project_service_client::ProjectServiceClient;
use milepost_proto::registry::v1::report_service_client::ReportServiceClient;
use milepost_proto::registry::v1::*;
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_types::{LogId, ManualClock};
use tempfile::TempDir;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{Service, methods};

/// Messages of tests may be large.
const MESSAGE_BYTES: usize = 64 << 20;

/// A registry and its clients.
pub(crate) struct Office {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) service: Service,
    pub(crate) channel: Channel,
    dir: TempDir,
}

impl Office {
    /// An empty registry, at noon of 2021-05-27 in Chongqing.
    pub(crate) async fn open() -> Self {
        Self::on(Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])))).await
    }

    /// A registry on this journal, at the same time.
    pub(crate) async fn on(journal: Arc<MemoryJournal>) -> Self {
        Self::with(journal, Options::default()).await
    }

    /// The same, with these options of the ledger.
    pub(crate) async fn with(journal: Arc<MemoryJournal>, options: Options) -> Self {
        let now: Timestamp = "2021-05-27T04:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let dir = tempfile::tempdir().unwrap();
        let context = ServiceContext::with_clock(&Server::default(), clock.clone());
        let service = Service::on(&context, dir.path(), journal, clock.clone(), options).unwrap();
        let channel = serve(&service);
        Self { clock, service, channel, dir }
    }

    /// Stops it; where its store is.
    pub(crate) fn stopped(self) -> TempDir {
        self.service.close();
        self.dir
    }

    /// A registry with the portfolio `portfolios/wsc`.
    pub(crate) async fn with_portfolio() -> Self {
        let office = Self::open().await;
        office.portfolio("wsc").await;
        office
    }

    pub(crate) fn portfolios(&self) -> PortfolioServiceClient<Channel> {
        PortfolioServiceClient::new(self.channel.clone())
    }

    pub(crate) fn organizations(&self) -> OrganizationServiceClient<Channel> {
        OrganizationServiceClient::new(self.channel.clone())
    }

    pub(crate) fn projects(&self) -> ProjectServiceClient<Channel> {
        ProjectServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    pub(crate) fn phases(&self) -> PhaseServiceClient<Channel> {
        PhaseServiceClient::new(self.channel.clone())
    }

    pub(crate) fn batches(&self) -> BatchServiceClient<Channel> {
        BatchServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES)
    }

    pub(crate) fn collections(&self) -> CollectionServiceClient<Channel> {
        CollectionServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    pub(crate) fn indicators(&self) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(self.channel.clone())
    }

    pub(crate) fn observations(&self) -> ObservationServiceClient<Channel> {
        ObservationServiceClient::new(self.channel.clone())
    }

    pub(crate) fn assignments(&self) -> AssignmentServiceClient<Channel> {
        AssignmentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn alliances(&self) -> AllianceServiceClient<Channel> {
        AllianceServiceClient::new(self.channel.clone())
    }

    pub(crate) fn activities(&self) -> ActivityServiceClient<Channel> {
        ActivityServiceClient::new(self.channel.clone())
    }

    pub(crate) fn policy_programmes(&self) -> PolicyProgrammeServiceClient<Channel> {
        PolicyProgrammeServiceClient::new(self.channel.clone())
    }

    pub(crate) fn policies(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.channel.clone())
    }

    pub(crate) fn annual_lists(&self) -> AnnualListServiceClient<Channel> {
        AnnualListServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    pub(crate) fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel.clone())
    }

    pub(crate) fn grants(&self) -> GrantServiceClient<Channel> {
        GrantServiceClient::new(self.channel.clone())
    }

    pub(crate) fn service_accounts(&self) -> ServiceAccountServiceClient<Channel> {
        ServiceAccountServiceClient::new(self.channel.clone())
    }

    pub(crate) fn api_tokens(&self) -> ApiTokenServiceClient<Channel> {
        ApiTokenServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn portfolio(&self, id: &str) -> Portfolio {
        let request = CreatePortfolioRequest {
            portfolio_id: id.to_owned(),
            portfolio: Some(portfolio()),
            ..CreatePortfolioRequest::default()
        };
        self.portfolios().create_portfolio(request).await.unwrap().into_inner().portfolio.unwrap()
    }

    pub(crate) async fn organization(&self, id: &str) -> Organization {
        let organization = Organization { display_name: format!("机构 {id}"), ..Organization::default() };
        let request = CreateOrganizationRequest {
            organization_id: id.to_owned(),
            organization: Some(organization),
            ..CreateOrganizationRequest::default()
        };
        self.organizations().create_organization(request).await.unwrap().into_inner().organization.unwrap()
    }

    /// Creates a project in `portfolios/wsc`.
    pub(crate) async fn project(&self, id: &str, project: Project) -> Project {
        self.try_project(id, project).await.unwrap()
    }

    pub(crate) async fn try_project(&self, id: &str, project: Project) -> Result<Project, Status> {
        let response = self.projects().create_project(create_project(id, project)).await?;
        Ok(response.into_inner().project.unwrap())
    }

    pub(crate) async fn get_project(&self, id: &str) -> Project {
        let request = GetProjectRequest { name: project_name(id), ..GetProjectRequest::default() };
        self.projects().get_project(request).await.unwrap().into_inner().project.unwrap()
    }

    pub(crate) async fn start(&self, id: &str) -> Result<Project, Status> {
        let request = StartProjectRequest { name: project_name(id), ..StartProjectRequest::default() };
        Ok(self.projects().start_project(request).await?.into_inner().project.unwrap())
    }

    /// Creates the batch of this id in `portfolios/wsc` that starts today.
    pub(crate) async fn batch(&self, id: &str, members: &[&str]) -> Batch {
        let members = members.iter().map(|member| project_name(member)).collect();
        let batch = Batch { members, ..batch(2021, 5, 27) };
        self.batches().create_batch(create_batch(id, batch)).await.unwrap().into_inner().batch.unwrap()
    }

    pub(crate) async fn get_batch(&self, id: &str) -> Result<Batch, Status> {
        let request = GetBatchRequest { name: batch_name(id), ..GetBatchRequest::default() };
        Ok(self.batches().get_batch(request).await?.into_inner().batch.unwrap())
    }

    pub(crate) async fn start_batch(&self, id: &str) -> Result<Batch, Status> {
        let request = StartBatchRequest { name: batch_name(id), ..StartBatchRequest::default() };
        Ok(self.batches().start_batch(request).await?.into_inner().batch.unwrap())
    }

    /// Every row of the ledger.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let everything = KeyRange { start: Vec::new(), end: None };
        self.service.api.ledger.view().scan(&everything, Direction::Forward).collect()
    }

    /// The last sequence of the ledger.
    pub(crate) fn sequence(&self) -> u64 {
        self.service.position().sequence
    }
}

/// Serves a registry on a channel within this process.
fn serve(service: &Service) -> Channel {
    let (accept, accepted) = tokio::sync::mpsc::unbounded_channel();
    let mut service = service.clone();
    Arc::make_mut(&mut service.api).calls.max_request_bytes = MESSAGE_BYTES;
    let server = tonic::transport::Server::builder()
        .add_service(service.serve::<Portfolio>(Vec::new()))
        .add_service(service.serve::<Organization>(Vec::new()))
        .add_service(service.serve::<Project>(methods::of_projects()))
        .add_service(service.serve::<Phase>(Vec::new()))
        .add_service(service.serve::<Batch>(methods::of_batches()))
        .add_service(service.serve::<Assignment>(methods::of_assignments()))
        .add_service(service.serve::<Alliance>(methods::of_alliances()))
        .add_service(service.serve::<Activity>(methods::of_activities()))
        .add_service(service.serve::<AnnualList>(methods::of_annual_lists()))
        .add_service(service.reports())
        .add_service(service.serve_immutable::<Grant>(Vec::new()))
        .add_service(service.serve::<ServiceAccount>(Vec::new()))
        .add_service(service.serve_immutable::<ApiToken>(methods::of_api_tokens(counted)))
        .add_service(service.serve::<Collection>(methods::of_collections()))
        .add_service(service.serve::<Indicator>(methods::of_indicators()))
        .add_service(service.serve_permanent::<Observation>(methods::of_observations()))
        .add_service(service.serve::<PolicyProgramme>(methods::of_policy_programmes()))
        .add_service(service.serve::<Policy>(methods::of_policies(&service.expressions)))
        .serve_with_incoming(UnboundedReceiverStream::new(accepted));
    tokio::spawn(server);
    Endpoint::from_static("http://registry").connect_with_connector_lazy(tower::service_fn(move |_| {
        let (near, far) = tokio::io::duplex(1 << 20);
        let sent = accept.send(Ok::<_, std::io::Error>(far));
        async move { sent.map(|()| TokioIo::new(near)).map_err(|_| std::io::Error::other("stopped")) }
    }))
}

/// Secrets of tokens that are not at random: the first of a test is all zeros, and so on.
fn counted(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    thread_local!(static MADE: Cell<u8> = const { Cell::new(0) });
    bytes.fill(MADE.replace(MADE.get() + 1));
    Ok(())
}

pub(crate) fn portfolio() -> Portfolio {
    Portfolio {
        display_name: "西部(重庆)科学城".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        reporting_currency_code: "CNY".to_owned(),
        ..Portfolio::default()
    }
}

pub(crate) fn named(display_name: &str) -> Project {
    Project { display_name: display_name.to_owned(), ..Project::default() }
}

pub(crate) fn costing(units: i64) -> Project {
    Project { investment: Some(cny(units)), ..named("项目") }
}

pub(crate) fn batch(year: i32, month: i32, day: i32) -> Batch {
    let start_date = Some(Date { year, month, day });
    Batch { display_name: "集中开工".to_owned(), start_date, ..Batch::default() }
}

pub(crate) fn cny(units: i64) -> Money {
    Money { currency_code: "CNY".to_owned(), units, nanos: 0 }
}

pub(crate) fn project_name(id: &str) -> String {
    format!("portfolios/wsc/projects/{id}")
}

pub(crate) fn organization_name(id: &str) -> String {
    format!("organizations/{id}")
}

pub(crate) fn batch_name(id: &str) -> String {
    format!("portfolios/wsc/batches/{id}")
}

pub(crate) fn create_project(id: &str, project: Project) -> CreateProjectRequest {
    CreateProjectRequest {
        parent: "portfolios/wsc".to_owned(),
        project_id: id.to_owned(),
        project: Some(project),
        ..CreateProjectRequest::default()
    }
}

pub(crate) fn create_batch(id: &str, batch: Batch) -> CreateBatchRequest {
    CreateBatchRequest {
        parent: "portfolios/wsc".to_owned(),
        batch_id: id.to_owned(),
        batch: Some(batch),
        ..CreateBatchRequest::default()
    }
}

/// The code and the reason of a status.
pub(crate) fn refusal(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    (status.code(), reason)
}

/// The fields that a status finds faulty, and why.
pub(crate) fn faults(status: &Status) -> Vec<(String, String)> {
    let violations = status.get_details_bad_request().map(|request| request.field_violations);
    violations.into_iter().flatten().map(|found| (found.field, found.reason)).collect()
}

/// The conditions that a status says do not hold: kind and subject.
pub(crate) fn conditions(status: &Status) -> Vec<(String, String)> {
    let violations = status.get_details_precondition_failure().map(|failure| failure.violations);
    violations.into_iter().flatten().map(|condition| (condition.r#type, condition.subject)).collect()
}
