//! Typed stubs of every service, on the right connections.
//!
//! Invariant: a client is a set of channels and a retry policy and holds nothing else; it is cheap to
//! clone and clones share their connections.

use http::HeaderValue;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use milepost_proto::notifier::v1::event_service_client::EventServiceClient;
use milepost_proto::registry::v1::batch_service_client::BatchServiceClient;
use milepost_proto::registry::v1::organization_service_client::OrganizationServiceClient;
use milepost_proto::registry::v1::phase_service_client::PhaseServiceClient;
use milepost_proto::registry::v1::portfolio_service_client::PortfolioServiceClient;
use milepost_proto::registry::v1::project_service_client::ProjectServiceClient;
use milepost_proto::tracker::v1::milestone_service_client::MilestoneServiceClient;
use milepost_types::{LedgerKind, Position};

use crate::channel::{Endpoint, Pool};
use crate::error::Error;
use crate::follow::{FollowOptions, Follower};
use crate::principal::{PrincipalChannel, principal};
use crate::retry::Retry;
use crate::watch::{Selection, Start, Watch, WatchOptions};

/// The largest reply that is read. A page of a thousand resources with long texts takes several MiB.
pub(crate) const REPLY_BYTES: usize = 64 << 20;

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
    principal: Option<HeaderValue>,
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
        Self { registry, tracker, notifier, retry: Retry::default(), principal: None }
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
        Ok(Self { principal: Some(principal(id)?), ..self })
    }

    /// The retry policy for calls through the stubs.
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    /// Portfolios.
    pub fn portfolios(&self) -> PortfolioServiceClient<PrincipalChannel> {
        PortfolioServiceClient::new(self.channel(&self.registry)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Organizations.
    pub fn organizations(&self) -> OrganizationServiceClient<PrincipalChannel> {
        OrganizationServiceClient::new(self.channel(&self.registry)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Projects.
    pub fn projects(&self) -> ProjectServiceClient<PrincipalChannel> {
        ProjectServiceClient::new(self.channel(&self.registry)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Phases of projects.
    pub fn phases(&self) -> PhaseServiceClient<PrincipalChannel> {
        PhaseServiceClient::new(self.channel(&self.registry)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Batches.
    pub fn batches(&self) -> BatchServiceClient<PrincipalChannel> {
        BatchServiceClient::new(self.channel(&self.registry)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Milestones.
    pub fn milestones(&self) -> MilestoneServiceClient<PrincipalChannel> {
        MilestoneServiceClient::new(self.channel(&self.tracker)).max_decoding_message_size(REPLY_BYTES)
    }

    /// Events, but for watching them: see [`Client::watch`].
    pub fn events(&self) -> EventServiceClient<PrincipalChannel> {
        EventServiceClient::new(self.channel(&self.notifier)).max_decoding_message_size(REPLY_BYTES)
    }

    /// The journal of a service, but for following it: see [`Client::follow`].
    pub fn journal(&self, ledger: LedgerKind) -> JournalServiceClient<PrincipalChannel> {
        JournalServiceClient::new(self.channel(self.pool(ledger))).max_decoding_message_size(REPLY_BYTES)
    }

    /// Watches events from a start, through restarts and lost connections.
    pub fn watch(&self, start: Start, selection: Selection, options: WatchOptions) -> Watch {
        Watch::new(&self.notifier, start, selection, options)
    }

    /// Follows the journal of a service, through restarts and lost connections.
    pub fn follow(&self, ledger: LedgerKind, after: Option<Position>, options: FollowOptions) -> Follower {
        Follower::new(self.pool(ledger).clone(), ledger, after, options)
    }

    pub(crate) fn channel(&self, pool: &Pool) -> PrincipalChannel {
        PrincipalChannel::new(pool.channel(), self.principal.clone())
    }

    pub(crate) fn pool(&self, ledger: LedgerKind) -> &Pool {
        match ledger {
            LedgerKind::Registry => &self.registry,
            LedgerKind::Tracker => &self.tracker,
            LedgerKind::Notifier => &self.notifier,
        }
    }
}
