//! The tracker as a component of a process: its ledger opened, its services, and what runs beside the calls.
//!
//! Invariant: the service answers for its ledger: if that fails the process stops, and it is closed
//! when no call and no task runs any more. It opens, and answers for what it knows, whether or not the
//! registry can be reached.

use std::path::Path;
use std::sync::Arc;

use milepost_client::{Backoff, Transport};
use milepost_ledger::journal::Journal;
use milepost_ledger::{Digest, Ledger, Options, Receipt, Submission, rebuild};
use milepost_proto::resource::Mutable;
use milepost_proto::tracker::v1::{
    Campaign, Excuse, Finding, Inspection, Milestone, RectificationOrder, ServiceRequest, Template,
    TemplateVersion, TimelineEntry, TimelineRule, Warning, WarningPolicy,
};
use milepost_resource::{Api, Method, Metrics as ListMetrics, ResourceService, Rules};
use milepost_service::access::freshness;
use milepost_service::config::server::Server;
use milepost_service::freshness::{FollowLag, Freshness};
use milepost_service::host::raw::{Calls, RawService};
use milepost_service::host::{BoxError, Component, ServiceContext};
use milepost_service::journal_service::Followed;
use milepost_service::ledger;
use milepost_types::{GoOn, LedgerKind, Position, Violations};
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::decide::Tracker;
use crate::error::Error;
use crate::follow::Follow;
use crate::follow::upstream::Upstream;
use crate::methods;
use crate::metrics::{LIST_RETURNED_TOTAL, LIST_SCANNED_TOTAL, Metrics};
use crate::sweep::Sweep;
use crate::tables;

const KIND: LedgerKind = LedgerKind::Tracker;

/// The tracker of a process.
#[derive(Clone)]
pub struct Service {
    pub(crate) api: Arc<Api<Tracker>>,
    pub(crate) upstream: Arc<Upstream>,
    metrics: Metrics,
    config: Config,
    portfolios: Arc<Notify>,
    /// Between attempts to reach the registry.
    pub(crate) backoff: Backoff,
}

impl Service {
    /// Opens the tracker's ledger under the configured data directory, following this registry; may take
    /// long.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub async fn open(
        context: &ServiceContext,
        server: &Server,
        config: &Config,
        registry: Transport,
    ) -> Result<Self, Error> {
        let ledger = ledger::open(context, server, KIND, Tracker::default()).await.map_err(Error::Open)?;
        Ok(Self::assemble(context, config, ledger, registry))
    }

    /// Opens the tracker on this journal, with its store under `dir`, following the registry that `registry`
    /// leads to. For tests and tools.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub fn on(
        context: &ServiceContext,
        dir: &Path,
        journal: Arc<dyn Journal>,
        options: Options,
        config: &Config,
        registry: Transport,
    ) -> Result<Self, Error> {
        let clock = Arc::clone(&context.clock);
        let ledger = Ledger::open(KIND.as_str(), dir, journal, Arc::new(Tracker::default()), clock, options);
        let ledger = ledger.map_err(|error| Error::Open(error.into()))?;
        Ok(Self::assemble(context, config, ledger, registry))
    }

    fn assemble(
        context: &ServiceContext,
        config: &Config,
        ledger: Ledger<Tracker>,
        registry: Transport,
    ) -> Self {
        let upstream = Arc::new(Upstream {
            transport: registry,
            ledger: ledger.clone(),
            timeout: config.registry_timeout,
            ended: Arc::new(watch::Sender::new(None)),
            freshness: Freshness::default(),
        });
        FollowLag::register(&context.metrics, KIND, [(LedgerKind::Registry, upstream.freshness.clone())]);
        let api = Api {
            ledger,
            kind: KIND,
            upstream: Some(Arc::clone(&upstream) as _),
            clock: Arc::clone(&context.clock),
            metrics: ListMetrics::register(&context.metrics, LIST_SCANNED_TOTAL, LIST_RETURNED_TOTAL),
            calls: Calls::new(context, Arc::clone(&upstream) as _),
        };
        Self {
            api: Arc::new(api),
            upstream,
            metrics: Metrics::register(&context.metrics),
            config: config.clone(),
            portfolios: Arc::new(Notify::new()),
            backoff: Backoff::default(),
        }
    }

    /// The tracker's share of a server: its services, its tasks, and its ledger's life.
    pub fn component(&self, context: &ServiceContext) -> Component {
        let component = Component::new(KIND.as_str())
            .service(self.serve::<Milestone>(methods::of_milestones()))
            .service(self.serve::<ServiceRequest>(methods::of_service_requests()))
            .service(self.serve::<TimelineEntry>(methods::of_timeline_entries()))
            .service(self.serve::<TimelineRule>(Vec::new()))
            .service(self.serve::<Inspection>(methods::of_inspections()))
            .service(self.serve::<Finding>(methods::of_findings()))
            .service(self.serve::<RectificationOrder>(methods::of_rectification_orders()))
            .service(self.serve::<Template>(methods::of_templates()))
            .service(self.serve::<TemplateVersion>(methods::of_template_versions()))
            .service(self.serve::<WarningPolicy>(self.warning_policy_methods()))
            .service(self.serve_read_only::<Warning>())
            .service(self.serve::<Excuse>(methods::of_excuses()))
            .service(self.serve::<Campaign>(methods::of_campaigns()))
            .task("follow registry", self.follower(context).run())
            .task("advance dates", self.sweep(context).run());
        let component = freshness::attach(component, context, KIND, self.upstream.freshness.clone());
        ledger::attach(component, context, KIND, &self.api.ledger)
    }

    /// The service of a resource, with its own methods.
    pub(crate) fn serve<R: Rules<Tracker> + Mutable>(
        &self,
        methods: Vec<(&'static str, Method<Tracker>)>,
    ) -> RawService<ResourceService<Tracker, R>> {
        RawService(ResourceService::new(Arc::clone(&self.api), methods))
    }

    /// The service of a resource that the tracker makes itself.
    pub(crate) fn serve_read_only<R: Rules<Tracker>>(&self) -> RawService<ResourceService<Tracker, R>> {
        RawService(ResourceService::read_only(Arc::clone(&self.api), Vec::new()))
    }

    /// The methods of warning policies: what is adopted is evaluated by the task that lets days begin.
    pub(crate) fn warning_policy_methods(&self) -> Vec<(&'static str, Method<Tracker>)> {
        methods::of_warning_policies(&self.portfolios)
    }

    /// The task that follows the registry.
    pub(crate) fn follower(&self, context: &ServiceContext) -> Follow {
        Follow {
            transport: self.upstream.transport.clone(),
            ledger: self.api.ledger.clone(),
            check: context.readiness.check(format!("{KIND}.follow({})", LedgerKind::Registry)),
            metrics: self.metrics.clone(),
            drain: context.drain.clone(),
            portfolios: Arc::clone(&self.portfolios),
            ended: Arc::clone(&self.upstream.ended),
            freshness: self.upstream.freshness.clone(),
            backoff: self.backoff,
        }
    }

    /// The task that lets days begin.
    pub(crate) fn sweep(&self, context: &ServiceContext) -> Sweep {
        Sweep {
            ledger: self.api.ledger.clone(),
            upstream: Arc::clone(&self.upstream),
            clock: Arc::clone(&context.clock),
            check: context.readiness.check(format!("{KIND}.dates")),
            metrics: self.metrics.clone(),
            drain: context.drain.clone(),
            portfolios: Arc::clone(&self.portfolios),
            max_catch_up_days: self.config.max_catch_up_days,
            interval: self.config.clock_interval,
        }
    }

    /// The tracker's journal as the journal service shows it, with how far it followed the registry.
    pub fn followed(&self, server: &Server) -> Followed {
        let upstream = Arc::clone(&self.upstream);
        ledger::followed(server, &self.api.ledger, move || upstream.followed().into_iter().collect())
    }

    /// The last entry that reads show.
    pub fn position(&self) -> Position {
        self.api.ledger.position()
    }

    /// How far the registry was followed.
    pub fn followed_to(&self) -> Option<Position> {
        self.upstream.followed()
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
    rebuild(dir, journal, &Tracker::default(), options).map_err(Error::Rebuild)
}

/// Has the tracker under the data directory follow the registry after another position from now on, because
/// the registry was restored. `to` is given the tracker's position (`None`: it has followed nothing) and says
/// after which position to go on. The tracker must not run. Its milestones stay as they are; what follows
/// is taken over anew. At sequence 0 it begins anew, and what it kept of portfolios and projects is dropped
/// until it is called again.
///
/// `None` if it stood there already.
///
/// # Errors
/// If the ledger cannot be opened or written, `source` is not the registry, `to` refuses, or no reason is
/// given.
pub async fn reset_follower(
    context: &ServiceContext,
    server: &Server,
    source: LedgerKind,
    to: impl FnOnce(Option<Position>) -> Result<GoOn, BoxError>,
    reason: &str,
) -> Result<Option<Receipt>, BoxError> {
    if source != LedgerKind::Registry {
        return Err(Error::Reset(format!("the tracker does not follow the {source}")).into());
    }
    let ledger = ledger::open(context, server, KIND, Tracker::default()).await.map_err(Error::Open)?;
    let own = tables::source::get(&ledger.view());
    let command = to(own).and_then(|to| {
        let mut violations = Violations::new();
        let command = methods::reset_follower(to, reason, &mut violations);
        violations.finish(command).map_err(|found| Error::Reset(found.to_string()).into())
    });
    let reset = match command {
        Ok(command) => {
            let submitted = ledger.submit(Submission::system("operator", command)).await;
            submitted.map_err(|error| Error::Reset(error.to_string()).into())
        }
        Err(error) => Err(error),
    };
    tokio::task::spawn_blocking(move || ledger.close()).await?;
    reset.map(|receipt| (!receipt.events.is_empty()).then_some(receipt))
}
