//! Typed stubs of every service, on the right connections.
//!
//! Invariant: a client is a set of channels and a retry policy and holds nothing else; it is cheap to
//! clone and clones share their connections.

use milepost_proto::access::v1::api_token_service_client::ApiTokenServiceClient;
use milepost_proto::access::v1::grant_service_client::GrantServiceClient;
use milepost_proto::access::v1::service_account_service_client::ServiceAccountServiceClient;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use milepost_proto::notifier::v1::event_service_client::EventServiceClient;
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
use milepost_proto::tracker::v1::campaign_service_client::CampaignServiceClient;
use milepost_proto::tracker::v1::excuse_service_client::ExcuseServiceClient;
use milepost_proto::tracker::v1::finding_service_client::FindingServiceClient;
use milepost_proto::tracker::v1::inspection_service_client::InspectionServiceClient;
use milepost_proto::tracker::v1::milestone_service_client::MilestoneServiceClient;
use milepost_proto::tracker::v1::rectification_order_service_client::RectificationOrderServiceClient;
use milepost_proto::tracker::v1::service_request_service_client::ServiceRequestServiceClient;
use milepost_proto::tracker::v1::template_service_client::TemplateServiceClient;
use milepost_proto::tracker::v1::template_version_service_client::TemplateVersionServiceClient;
use milepost_proto::tracker::v1::timeline_entry_service_client::TimelineEntryServiceClient;
use milepost_proto::tracker::v1::timeline_rule_service_client::TimelineRuleServiceClient;
use milepost_proto::tracker::v1::warning_policy_service_client::WarningPolicyServiceClient;
use milepost_proto::tracker::v1::warning_service_client::WarningServiceClient;
use milepost_types::{LedgerKind, Position};
use std::path::PathBuf;
use tonic::codec::CompressionEncoding;

use crate::channel::{Endpoint, Pool};
use crate::credentials::{CredentialChannel, Token, principal};
use crate::error::Error;
use crate::follow::{FollowOptions, Follower};
use crate::retry::Retry;
use crate::watch::{Selection, Start, Watch, WatchOptions};

/// The largest reply that is read. A page of a thousand resources with long texts takes several MiB.
pub(crate) const REPLY_BYTES: usize = 64 << 20;

/// A stub of a service, on a connection of a pool.
macro_rules! stub {
    ($stub:ident, $pool:expr) => {
        $stub::new($pool.channel())
            .max_decoding_message_size(REPLY_BYTES)
            .accept_compressed(CompressionEncoding::Gzip)
    };
}

/// A method for each stub, on the connections to where its service is.
macro_rules! stubs {
    ($($(#[$doc:meta])* $name:ident: $stub:ident, $pool:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> $stub<CredentialChannel> {
            stub!($stub, self.$pool)
        })*
    };
}

/// Where the three services are.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The registry.
    pub registry: Endpoint,
    /// The tracker.
    pub tracker: Endpoint,
    /// The notifier.
    pub notifier: Endpoint,
}

impl Endpoints {
    /// One server with all of them.
    pub fn one(endpoint: Endpoint) -> Self {
        Self { registry: endpoint.clone(), tracker: endpoint.clone(), notifier: endpoint }
    }
}

/// A client of the three services.
#[derive(Debug, Clone)]
pub struct Client {
    registry: Pool,
    tracker: Pool,
    notifier: Pool,
    retry: Retry,
}

impl Client {
    /// A client of a server with all services, on one connection.
    ///
    /// # Errors
    /// If the text is no URL to connect to.
    pub fn connect(url: &str) -> Result<Self, Error> {
        let pool = Endpoint::parse(url)?.pool(1);
        Ok(Self::with_pools(pool.clone(), pool.clone(), pool))
    }

    /// A client with this many connections to each service; more than one pays with many streams.
    pub fn new(endpoints: &Endpoints, connections: usize) -> Self {
        Self::with_pools(
            endpoints.registry.pool(connections),
            endpoints.tracker.pool(connections),
            endpoints.notifier.pool(connections),
        )
    }

    /// A client on connections that exist.
    pub fn with_pools(registry: Pool, tracker: Pool, notifier: Pool) -> Self {
        Self { registry, tracker, notifier, retry: Retry::default() }
    }

    /// The same client with another retry policy.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The same client for calls that say that this principal makes them: an id of a person or a program, which
    /// events and journals keep. Nobody checks it. A call that names another in its metadata is that one's.
    ///
    /// # Errors
    /// If it is no id of 1 to 200 visible ASCII characters.
    pub fn with_principal(self, id: &str) -> Result<Self, Error> {
        let id = principal(id)?;
        self.with_pools_changed(|pool| Ok(pool.with_principal(id.clone())))
    }

    /// The same client for calls that are made for this principal, as `user:corp/wang`. Where a server has access control,
    /// the caller needs the role delegate, and may do what both may.
    ///
    /// # Errors
    /// If it is no id of 1 to 200 visible ASCII characters.
    pub fn with_on_behalf_of(self, id: &str) -> Result<Self, Error> {
        let id = principal(id)?;
        self.with_pools_changed(|pool| Ok(pool.with_on_behalf_of(id.clone())))
    }

    /// The same client for calls, watches and followers with this token, which is sent as `authorization: Bearer …`.
    ///
    /// # Errors
    /// If it is no token, or one of the servers is reached over plain `http` on another machine: others could read it.
    pub fn with_token(self, token: &str) -> Result<Self, Error> {
        let token = Token::given(token)?;
        self.with_pools_changed(|pool| pool.with(token.clone()))
    }

    /// The same with the token in this file, which is read again for each call.
    ///
    /// # Errors
    /// If there is no token in it now, and those of [`with_token`](Self::with_token).
    pub fn with_token_file(self, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let token = Token::file(path.into())?;
        self.with_pools_changed(|pool| pool.with(token.clone()))
    }

    fn with_pools_changed(self, change: impl Fn(Pool) -> Result<Pool, Error>) -> Result<Self, Error> {
        let Self { registry, tracker, notifier, retry } = self;
        let (registry, tracker, notifier) = (change(registry)?, change(tracker)?, change(notifier)?);
        Ok(Self { registry, tracker, notifier, retry })
    }

    /// The retry policy for calls through the stubs.
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    stubs! {
        /// Portfolios.
        portfolios: PortfolioServiceClient, registry;
        /// Organizations.
        organizations: OrganizationServiceClient, registry;
        /// Projects.
        projects: ProjectServiceClient, registry;
        /// Phases of projects.
        phases: PhaseServiceClient, registry;
        /// Batches.
        batches: BatchServiceClient, registry;
        /// Collections of projects.
        collections: CollectionServiceClient, registry;
        /// Annual lists.
        annual_lists: AnnualListServiceClient, registry;
        /// Indicators.
        indicators: IndicatorServiceClient, registry;
        /// Observations of indicators.
        observations: ObservationServiceClient, registry;
        /// Assignments of liaison officers.
        assignments: AssignmentServiceClient, registry;
        /// Alliances of organizations.
        alliances: AllianceServiceClient, registry;
        /// Activities of alliances.
        activities: ActivityServiceClient, registry;
        /// Policy programmes.
        policy_programmes: PolicyProgrammeServiceClient, registry;
        /// Policies, and whom they fit.
        policies: PolicyServiceClient, registry;
        /// Reports.
        reports: ReportServiceClient, registry;
        /// Grants of roles.
        grants: GrantServiceClient, registry;
        /// Service accounts.
        service_accounts: ServiceAccountServiceClient, registry;
        /// API tokens of service accounts.
        api_tokens: ApiTokenServiceClient, registry;
        /// Milestones.
        milestones: MilestoneServiceClient, tracker;
        /// Campaigns.
        campaigns: CampaignServiceClient, tracker;
        /// Service requests.
        service_requests: ServiceRequestServiceClient, tracker;
        /// Inspections of projects.
        inspections: InspectionServiceClient, tracker;
        /// What inspections found.
        findings: FindingServiceClient, tracker;
        /// Who is to put findings right, and by when.
        rectification_orders: RectificationOrderServiceClient, tracker;
        /// Entries of timelines, and what readers see of them.
        timeline_entries: TimelineEntryServiceClient, tracker;
        /// Rules of timelines.
        timeline_rules: TimelineRuleServiceClient, tracker;
        /// Templates.
        templates: TemplateServiceClient, tracker;
        /// Versions of templates.
        template_versions: TemplateVersionServiceClient, tracker;
        /// Warning policies.
        warning_policies: WarningPolicyServiceClient, tracker;
        /// Warnings.
        warnings: WarningServiceClient, tracker;
        /// Excuses of warnings.
        excuses: ExcuseServiceClient, tracker;
        /// Events, but for watching them: see [`Client::watch`].
        events: EventServiceClient, notifier;
    }

    /// The journal of a service, but for following it: see [`Client::follow`].
    pub fn journal(&self, ledger: LedgerKind) -> JournalServiceClient<CredentialChannel> {
        stub!(JournalServiceClient, self.pool(ledger))
    }

    /// Watches events from a start, through restarts and lost connections.
    pub fn watch(&self, start: Start, selection: Selection, options: WatchOptions) -> Watch {
        Watch::new(&self.notifier, start, selection, options)
    }

    /// Follows the journal of a service, through restarts and lost connections.
    pub fn follow(&self, ledger: LedgerKind, after: Option<Position>, options: FollowOptions) -> Follower {
        Follower::new(self.pool(ledger).clone(), ledger, after, options)
    }

    pub(crate) fn pool(&self, ledger: LedgerKind) -> &Pool {
        match ledger {
            LedgerKind::Registry => &self.registry,
            LedgerKind::Tracker => &self.tracker,
            LedgerKind::Notifier => &self.notifier,
        }
    }
}
