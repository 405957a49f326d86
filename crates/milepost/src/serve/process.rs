//! The services of a process: opened, connected with each other, and served, also inside the demo.
//!
//! Invariant: in one process a service calls the journal of another without a connection, unless a URL is
//! configured. The demo's services are served exactly as `serve all` serves them; only what stops them differs.

use std::net::SocketAddr;

use milepost_client::{ConnectOptions, TlsOptions, Transport};
use milepost_service::access::{AccessRoutes, Authority};
use milepost_service::audit::AuditRoutes;
use milepost_service::config::Flat;
use milepost_service::config::server::Server;
use milepost_service::config::upstream::Upstream;
use milepost_service::host::{self, Component, Ending, Listeners, ServiceContext};
use milepost_service::journal_service::{Followed, Journals};
use milepost_types::LedgerKind;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::backup;
use super::config::{All, ELSEWHERE};
use crate::error::BoxError;

/// What a process consists of.
#[derive(Debug)]
pub struct Process {
    /// What every server has.
    pub server: Server,
    /// Whether the registry is in it.
    pub registry: bool,
    /// The tracker, if it is in it.
    pub tracker: Option<milepost_tracker::Config>,
    /// The notifier, if it is in it.
    pub notifier: Option<milepost_notifier::Config>,
}

impl Process {
    /// Opens the services and serves them until they are to stop, or until one fails.
    ///
    /// # Errors
    /// If one cannot be opened, fails, or cannot be closed.
    pub async fn run(
        self,
        context: ServiceContext,
        listeners: Listeners,
        stop: CancellationToken,
    ) -> Result<Ending, host::Error> {
        let server = self.server.clone();
        host::run(&server, context, listeners, |context| self.open(context), stop.cancelled_owned()).await
    }

    /// Opens the services, each after those that it follows. One service shows the journals of all.
    async fn open(self, context: ServiceContext) -> Result<Vec<Component>, BoxError> {
        let (server, mut components, mut backed_up) = (&self.server, Vec::new(), Vec::new());
        let options = options(&server.upstream);
        let (mut journals, mut registry_here, mut tracker_here) = (Journals::new(&context), None, None);
        if self.registry {
            let registry = milepost_registry::Service::open(&context, server).await?;
            backed_up.push(backup::source(LedgerKind::Registry, &registry.followed(server)));
            journals = journals.with(LedgerKind::Registry, registry.followed(server));
            registry_here = Some(within(&context, LedgerKind::Registry, registry.followed(server)));
            components.push(registry.component(&context));
        }
        if let Some(config) = &self.tracker {
            let registry = config.registry(&options)?.or_else(|| registry_here.clone()).ok_or(ELSEWHERE)?;
            let tracker = milepost_tracker::Service::open(&context, server, config, registry).await?;
            backed_up.push(backup::source(LedgerKind::Tracker, &tracker.followed(server)));
            journals = journals.with(LedgerKind::Tracker, tracker.followed(server));
            tracker_here = Some(within(&context, LedgerKind::Tracker, tracker.followed(server)));
            components.push(tracker.component(&context));
        }
        if let Some(config) = &self.notifier {
            let registry = config.registry(&options)?.or(registry_here).ok_or(ELSEWHERE)?;
            let sources = [registry, config.tracker(&options)?.or(tracker_here).ok_or(ELSEWHERE)?];
            let notifier = milepost_notifier::Service::open(&context, server, config, sources).await?;
            backed_up.push(backup::source(LedgerKind::Notifier, &notifier.followed(server)));
            journals = journals.with(LedgerKind::Notifier, notifier.followed(server));
            components.push(notifier.component(&context));
        }
        let of_process = Component::new("process").service(journals.into_service(&context));
        let access = AccessRoutes::service(&context, &server.access);
        components.insert(0, of_process.service(access).service(AuditRoutes::service(&context)));
        components.extend(context.audit.component(&context)?);
        components.extend(backup::component(&context, &server.backup, backed_up));
        Ok(components)
    }
}

/// How the servers are reached that are followed.
fn options(upstream: &Upstream) -> ConnectOptions {
    let Upstream { ca, certificate, key, token_file } = upstream.clone();
    ConnectOptions { tls: TlsOptions { ca, certificate, key, domain: None }, token_file }
}

/// The transport to a ledger's journal for the other services of the process.
fn within(context: &ServiceContext, ledger: LedgerKind, followed: Followed) -> Transport {
    let journal = Journals::new(context).with(ledger, followed).into_service(context);
    Transport::in_process(journal.map_request(Authority::of_process))
}

/// All services, running beside other work of this process.
#[derive(Debug)]
pub struct Running {
    /// Where gRPC is really served.
    pub grpc: SocketAddr,
    /// Where metrics and probes are really served, if they are.
    pub admin: Option<SocketAddr>,
    stop: CancellationToken,
    /// `None` once its end was returned: a task returns it only once.
    server: Option<JoinHandle<Result<Ending, host::Error>>>,
}

impl Running {
    /// Starts all services; answers when they are ready.
    ///
    /// # Errors
    /// Why they did not start.
    pub async fn start(server: Server) -> Result<Self, BoxError> {
        let listeners = Listeners::bind(&server).await?;
        let (grpc, admin) = listeners.addresses();
        let grpc = grpc.ok_or("the system does not tell the address")?;
        let (context, stop) = (ServiceContext::new(&server), CancellationToken::new());
        let mut readiness = context.readiness.watch();
        let process = Process::from(All { server: Flat(server), ..All::default() });
        let task = tokio::spawn(process.run(context, listeners, stop.clone()));
        let mut running = Self { grpc, admin, stop, server: Some(task) };
        tokio::select! {
            // Services that ended let go of their checks too: then there is nothing to wait for but the reason.
            Ok(_) = readiness.wait_for(|report| !report.checks.is_empty() && report.ready()) => {}
            failure = running.failed() => return Err(failure),
        }
        Ok(running)
    }

    /// Waits until the services end of themselves, because one of them failed. May be cancelled; returns the
    /// failure once.
    pub async fn failed(&mut self) -> BoxError {
        self.ended().await.err().unwrap_or_else(|| "the services ended".into())
    }

    /// Drains and closes them. A failure that was returned before is not returned again.
    ///
    /// # Errors
    /// If they did not end well.
    pub async fn shutdown(mut self) -> Result<(), BoxError> {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits for the end of the services; at once if it was waited for before.
    async fn ended(&mut self) -> Result<(), BoxError> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let ended = server.await;
        self.server = None;
        ended??;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    fn server(data_dir: &std::path::Path) -> Server {
        let listen = ([127, 0, 0, 1], 0).into();
        Server { data_dir: data_dir.to_owned(), listen, admin_listen: None, ..Server::default() }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn services_that_cannot_start_say_why_every_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Whether readiness or the task tells first that it is over depends on the threads.
        for _ in 0..200 {
            let error = Running::start(server(file.path())).await.expect_err("a file is no data directory");
            let reason = chain(error.as_ref());
            assert!(reason.contains(&file.path().display().to_string()), "{reason}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_end_of_services_is_returned_once_and_shutting_down_after_it_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        let mut running = Running::start(server(dir.path())).await.unwrap();
        running.stop.cancel();
        assert_eq!(running.failed().await.to_string(), "the services ended");
        running.shutdown().await.unwrap();
    }
}
