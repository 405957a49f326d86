//! How the notifier opens, what it contributes to a process, and how an operator resets a follower.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use milepost_client::{Backoff, Transport};
use milepost_ledger::journal::Journal;
use milepost_ledger::{Actor, Digest, Ledger, Options, Read, Receipt, Submission, SubmitError, rebuild};
use milepost_service::access::{AccessRows, freshness};
use milepost_service::config::ByteSize;
use milepost_service::config::server::Server;
use milepost_service::freshness::FollowLag;
use milepost_service::host::raw::{Calls, RawService};
use milepost_service::host::{BoxError, Component, ServiceContext};
use milepost_service::journal_service;
use milepost_service::ledger;
use milepost_types::{Clock, GoOn, LedgerKind, Position};
use tokio::sync::Semaphore;

use crate::clock::SourceClock;
use crate::config::Config;
use crate::decide::Rules;
use crate::error::Error;
use crate::follower::{Progress, SourceFollower};
use crate::grpc::{EventApi, EventRoutes, Sources};
use crate::hub::{Bounds, Hub, publish};
use crate::log::EventLog;
use crate::metrics::Metrics;
use crate::source::{Command, Followed, Refusal};
use crate::stream::{AHEAD, Streams};
use crate::tables::Rows;

const KIND: LedgerKind = LedgerKind::Notifier;
/// The logs that are followed.
pub(crate) const SOURCES: [LedgerKind; 2] = [LedgerKind::Registry, LedgerKind::Tracker];
/// How many bytes the notifier's entry takes more than the source's entry in it.
const ENTRY_SPARE: u64 = 64 << 10;

/// An open notifier.
pub struct Service {
    ledger: Ledger<Rules>,
    clock: Arc<SourceClock>,
    api: EventApi,
    followers: Vec<(Transport, Arc<Progress>)>,
    metrics: Metrics,
}

impl Service {
    /// Opens the notifier under the data directory, following the registry and the tracker; may take long.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub async fn open(
        context: &ServiceContext,
        server: &Server,
        config: &Config,
        sources: [Transport; 2],
    ) -> Result<Self, BoxError> {
        let (ledger, clock) = open_ledger(context, server).await?;
        Ok(Self::assemble(context, config, ledger, clock, sources))
    }

    /// A notifier over an open ledger, with the transports to its sources.
    pub(crate) fn assemble(
        context: &ServiceContext,
        config: &Config,
        ledger: Ledger<Rules>,
        clock: Arc<SourceClock>,
        transports: [Transport; 2],
    ) -> Self {
        let metrics = Metrics::registered(&context.metrics);
        let bounds = Bounds { bytes: config.recent_bytes.length(), references: config.recent_events };
        let position = ledger.position();
        let streams = Streams {
            log: EventLog::new(ledger.source(), Position::start(position.log)),
            hub: Hub::new(position, bounds, metrics.clone()),
            readers: Arc::new(Semaphore::new(config.readers)),
            ahead: Arc::new(Semaphore::new(AHEAD)),
            reconnect_after: config.reconnect_after,
            max_age: config.max_stream_age,
        };
        let followers: Vec<_> =
            transports.into_iter().map(|transport| (transport, Arc::<Progress>::default())).collect();
        let progress = SOURCES.into_iter().zip(followers.iter().map(|(_, progress)| Arc::clone(progress)));
        let freshness = progress.clone().map(|(source, progress)| (source, progress.freshness.clone()));
        FollowLag::register(&context.metrics, KIND, freshness);
        let sources = Sources::new(ledger.clone(), progress.collect());
        Self { api: EventApi::new(streams, sources), ledger, clock, followers, metrics }
    }

    /// Its component of a process: routes, tasks, readiness.
    pub fn component(&self, context: &ServiceContext) -> Component {
        let component = Component::new(KIND.as_str()).service(self.routes(context));
        let names = ["follow registry", "follow tracker", "publish"];
        let component = names
            .into_iter()
            .zip(self.tasks(context))
            .fold(component, |component, (name, task)| component.task(name, task));
        let (_, registry) = &self.followers[0];
        let component = freshness::attach(component, context, KIND, registry.freshness.clone());
        ledger::attach(component, context, KIND, &self.ledger)
    }

    /// Its calls, which are decided on what the registry granted, as far as it was followed.
    pub(crate) fn routes(&self, context: &ServiceContext) -> RawService<EventRoutes> {
        let (_, progress) = &self.followers[0];
        let granted = FollowedGrants { ledger: self.ledger.clone(), progress: Arc::clone(progress) };
        RawService(EventRoutes::new(self.api.clone(), Calls::new(context, Arc::new(granted))))
    }

    /// Its background tasks: a follower for each source, and the publisher.
    pub(crate) fn tasks(&self, context: &ServiceContext) -> Vec<BoxFuture<'static, Result<(), BoxError>>> {
        let everyone: Arc<[_]> = self.followers.iter().map(|(_, progress)| Arc::clone(progress)).collect();
        let follower =
            |(source, (transport, progress)): (LedgerKind, &(Transport, Arc<Progress>))| SourceFollower {
                source,
                everyone: Arc::clone(&everyone),
                transport: transport.clone(),
                ledger: self.ledger.clone(),
                clock: Arc::clone(&self.clock),
                progress: Arc::clone(progress),
                check: context.readiness.check(format!("{KIND}.follow({source})")),
                metrics: self.metrics.clone(),
                drain: context.drain.clone(),
                backoff: Backoff::default(),
            };
        let followers = SOURCES.into_iter().zip(&self.followers).map(follower);
        let hub = self.api.streams().hub.clone();
        let publish = publish(hub, self.ledger.source(), context.drain.clone());
        followers.map(|follower| follower.run().boxed()).chain([publish.boxed()]).collect()
    }

    /// The calls.
    #[cfg(test)]
    pub(crate) fn api(&self) -> &EventApi {
        &self.api
    }

    /// Its ledger as the journal service shows it.
    pub fn followed(&self, server: &Server) -> journal_service::Followed {
        let rows = self.ledger.clone();
        ledger::followed(server, &self.ledger, move || {
            let view = rows.view();
            SOURCES.into_iter().filter_map(|source| Rows(&view).applied(source)).collect()
        })
    }

    /// Finishes what waits and closes the ledger. Blocks. A server's component does so by itself.
    pub fn close(&self) {
        self.ledger.close();
    }
}

/// What the registry granted, as far as it was followed.
struct FollowedGrants {
    ledger: Ledger<Rules>,
    progress: Arc<Progress>,
}

impl AccessRows for FollowedGrants {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(&self.ledger.view());
    }

    fn age(&self) -> Option<Duration> {
        self.progress.freshness.age()
    }
}

/// Deletes the store under `dir` and rebuilds it from the journal, offline. Blocks.
///
/// # Errors
/// If the journal cannot be read or the store cannot be written.
pub fn rebuild_store(
    dir: &Path,
    journal: &dyn Journal,
    options: &Options,
) -> Result<(Position, Digest), milepost_ledger::Error> {
    rebuild(dir, journal, &Rules, options)
}

async fn open_ledger(
    context: &ServiceContext,
    server: &Server,
) -> Result<(Ledger<Rules>, Arc<SourceClock>), BoxError> {
    let clock = Arc::new(SourceClock::new(Arc::clone(&context.clock)));
    let context = ServiceContext { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..context.clone() };
    let mut server = server.clone();
    // The notifier can take over every entry that a source can store.
    let limit = server.ledger.max_entry_bytes.bytes().saturating_add(ENTRY_SPARE);
    server.ledger.max_entry_bytes = ByteSize(limit);
    Ok((ledger::open(&context, &server, KIND, Rules).await?, clock))
}

/// Has the notifier under the data directory follow a source after another position from now on, because
/// the source was restored. `to` gets the last position that was taken over (`None`: nothing was) and
/// returns the position to go on after. The notifier must not run. The events that it has stay as they
/// are; those after the position are taken over again.
///
/// `None` if that was the position already.
///
/// # Errors
/// If the ledger cannot be opened or written, `source` is no log that the notifier follows, or `to` refuses.
pub async fn reset_follower(
    context: &ServiceContext,
    server: &Server,
    source: LedgerKind,
    to: impl FnOnce(Option<Position>) -> Result<GoOn, BoxError>,
    reason: &str,
) -> Result<Option<Receipt>, BoxError> {
    let refused = |what: String| Error::Reset { source_kind: source, what };
    if !SOURCES.contains(&source) {
        return Err(refused("the notifier does not follow it".to_owned()).into());
    }
    let (ledger, _) = open_ledger(context, server).await?;
    let own = Rows(&ledger.view()).applied(source);
    let reset: Result<_, BoxError> = match to(own) {
        Ok(to) => reset(&ledger, source, to, reason).await.map_err(|error| refused(error.to_string()).into()),
        Err(error) => Err(error),
    };
    tokio::task::spawn_blocking(move || ledger.close()).await?;
    reset.map(|receipt| (!receipt.events.is_empty()).then_some(receipt))
}

/// The reset as a command of the operator's.
pub(crate) async fn reset(
    ledger: &Ledger<Rules>,
    source: LedgerKind,
    to: GoOn,
    reason: &str,
) -> Result<Receipt, SubmitError<Refusal>> {
    let command = Command::Reset { source, to, reason: reason.to_owned() };
    ledger
        .submit(Submission { actor: Actor::system("operator"), ..Submission::system("operator", command) })
        .await
}
