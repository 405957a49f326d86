//! The registry as a component of a process: its ledger opened, its gRPC services to be added to a server.
//!
//! Invariant: the service answers for its ledger: if that fails the process stops, and it is closed
//! when no call runs any more.

mod break_glass;
mod reports;
mod revoke;
pub(crate) mod settling;

use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::Journal;
use milepost_ledger::{Digest, Ledger, Options, rebuild};
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::registry::v1::{
    Activity, Alliance, AnnualList, Assignment, Batch, Collection, Indicator, Observation, Organization,
    Phase, Policy, PolicyProgramme, Portfolio, Project,
};
use milepost_proto::resource::{Creatable, Deletable, Mutable};
use milepost_resource::{Api, Method, Metrics, ResourceService, Rules};
use milepost_service::config::server::Server;
use milepost_service::host::raw::{Calls, RawService};
use milepost_service::host::{BoxError, Component, ServiceContext};
use milepost_service::journal_service::Followed;
use milepost_service::ledger;
use milepost_types::{Clock, LedgerKind, Position};

use crate::methods;
use crate::policy::expression::Expressions;
use crate::policy::settle::Settle;
use crate::tables::Registry;

use reports::ReportService;
use settling::Settling;

pub use break_glass::{Broken, break_glass};
pub use revoke::revoke;

/// Resources that lists scanned.
pub const LIST_SCANNED_TOTAL: &str = "milepost_registry_list_scanned_total";
/// Resources that lists returned. Far fewer than were scanned means that no index serves the filter.
pub const LIST_RETURNED_TOTAL: &str = "milepost_registry_list_returned_total";

/// Why the registry cannot be opened, or its store not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read or is in use, or the store can neither be used nor rebuilt.
    #[error("the registry's ledger cannot be opened")]
    Open(#[source] BoxError),
    /// The store cannot be rebuilt.
    #[error("the registry's store cannot be rebuilt")]
    Rebuild(#[source] milepost_ledger::Error),
}

/// The registry of a process.
#[derive(Clone)]
pub struct Service {
    pub(crate) api: Arc<Api<Registry>>,
    /// The expressions of policies, shared with the rules of the ledger.
    pub(crate) expressions: Arc<Expressions>,
}

impl Service {
    /// Opens the registry's ledger under the configured data directory, which may take long.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub async fn open(context: &ServiceContext, config: &Server) -> Result<Self, Error> {
        let (registry, kind) = (Registry::default(), LedgerKind::Registry);
        let expressions = Arc::clone(&registry.expressions);
        let ledger = ledger::open(context, config, kind, registry).await.map_err(Error::Open)?;
        Ok(Self::of(context, ledger, Arc::clone(&context.clock), expressions))
    }

    /// Opens the registry on this journal, with its store under `dir`. For tests and tools.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub fn on(
        context: &ServiceContext,
        dir: &Path,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, Error> {
        let (registry, name) = (Registry::default(), LedgerKind::Registry.as_str());
        let expressions = Arc::clone(&registry.expressions);
        let ledger = Ledger::open(name, dir, journal, Arc::new(registry), Arc::clone(&clock), options);
        let ledger = ledger.map_err(|error| Error::Open(error.into()))?;
        Ok(Self::of(context, ledger, clock, expressions))
    }

    fn of(
        context: &ServiceContext,
        ledger: Ledger<Registry>,
        clock: Arc<dyn Clock>,
        expressions: Arc<Expressions>,
    ) -> Self {
        let metrics = Metrics::register(&context.metrics, LIST_SCANNED_TOTAL, LIST_RETURNED_TOTAL);
        let calls = Calls::new(context, Arc::new(ledger.clone()));
        let (kind, upstream) = (LedgerKind::Registry, None);
        let api = Arc::new(Api { ledger, kind, upstream, clock, metrics, calls });
        Self { api, expressions }
    }

    /// The registry's share of a server: its services, and its ledger's life.
    pub fn component(&self, context: &ServiceContext) -> Component {
        let component = Component::new(LedgerKind::Registry.as_str())
            .service(self.serve::<Portfolio>(Vec::new()))
            .service(self.serve::<Organization>(Vec::new()))
            .service(self.serve::<Project>(methods::of_projects()))
            .service(self.serve::<Phase>(Vec::new()))
            .service(self.serve::<Batch>(methods::of_batches()))
            .service(self.serve::<Assignment>(methods::of_assignments()))
            .service(self.serve::<Alliance>(methods::of_alliances()))
            .service(self.serve::<Activity>(methods::of_activities()))
            .service(self.serve::<AnnualList>(methods::of_annual_lists()))
            .service(self.reports())
            .service(self.serve_immutable::<Grant>(Vec::new()))
            .service(self.serve::<ServiceAccount>(Vec::new()))
            .service(self.serve_immutable::<ApiToken>(methods::of_api_tokens(getrandom::fill)))
            .service(self.serve::<Collection>(methods::of_collections()))
            .service(self.serve::<Indicator>(methods::of_indicators()))
            .service(self.serve_permanent::<Observation>(methods::of_observations()))
            .service(self.serve::<PolicyProgramme>(methods::of_policy_programmes()))
            .service(self.serve::<Policy>(methods::of_policies(&self.expressions)))
            .task("match policies", self.settling(context).run());
        ledger::attach(component, context, LedgerKind::Registry, &self.api.ledger)
    }

    /// The task that finds whom policies fit.
    fn settling(&self, context: &ServiceContext) -> Settling {
        Settling {
            ledger: self.api.ledger.clone(),
            check: context.readiness.check(format!("{}.policies", LedgerKind::Registry)),
            drain: context.drain.clone(),
            part: Settle::default(),
        }
    }

    /// The service of a resource, with its own methods.
    pub(crate) fn serve<R: Rules<Registry> + Mutable>(
        &self,
        methods: Vec<(&'static str, Method<Registry>)>,
    ) -> RawService<ResourceService<Registry, R>> {
        RawService(ResourceService::new(Arc::clone(&self.api), methods))
    }

    /// The same, of what is not updated.
    pub(crate) fn serve_immutable<R: Rules<Registry> + Deletable>(
        &self,
        methods: Vec<(&'static str, Method<Registry>)>,
    ) -> RawService<ResourceService<Registry, R>> {
        RawService(ResourceService::immutable(Arc::clone(&self.api), methods))
    }

    /// The same, of what is not deleted either.
    pub(crate) fn serve_permanent<R: Rules<Registry> + Creatable>(
        &self,
        methods: Vec<(&'static str, Method<Registry>)>,
    ) -> RawService<ResourceService<Registry, R>> {
        RawService(ResourceService::permanent(Arc::clone(&self.api), methods))
    }

    /// The service of reports.
    pub(crate) fn reports(&self) -> RawService<ReportService> {
        RawService(ReportService::new(Arc::clone(&self.api), methods::of_reports()))
    }

    /// The registry's journal as the journal service shows it. It follows no other.
    pub fn followed(&self, config: &Server) -> Followed {
        ledger::followed(config, &self.api.ledger, Vec::new)
    }

    /// The last entry that reads show.
    pub fn position(&self) -> Position {
        self.api.ledger.position()
    }

    /// Finishes what waits and closes the ledger. Blocks. A server's component does so by itself.
    pub fn close(&self) {
        self.api.ledger.close();
    }
}

/// Throws the store under `dir` away and builds it anew from the journal, offline. Blocks.
///
/// # Errors
/// If the journal cannot be read or the store not be written.
pub fn rebuild_store(
    dir: &Path,
    journal: &dyn Journal,
    options: &Options,
) -> Result<(Position, Digest), Error> {
    rebuild(dir, journal, &Registry::default(), options).map_err(Error::Rebuild)
}
