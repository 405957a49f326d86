//! The life of a server: bind, open, serve, drain, close.
//!
//! Invariants: every address is bound before anything is opened, so that a second server on it fails
//! early; the admin port answers from before the components are opened until after they are closed. In a
//! drain the server first reports that it is not serving, then asks streams and tasks to end, waits for
//! calls up to the limit, drops what is left, and only then closes the components, last opened first. When
//! `run` returns, no task of it runs any more.

use super::accept::{Connections, first_byte, tell};
use super::assemble::Assembled;
use super::calls::Calls;
use super::context::{BoxError, Component, ServiceContext, Task};
use super::error::Error;
use super::grpc::Port;
use super::listeners::Listeners;
use super::methods::Methods;
use super::tls::{Reload, Tls};
use crate::access::{AccessMetrics, Identify};
use crate::admin;
use crate::config::server::{Keepalive, Server};
use crate::readiness::Check;
use axum::Router;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long connections may take to go away once they were dropped.
const LAST_MOMENTS: Duration = Duration::from_secs(5);
/// Connections of the admin port: probes, scrapers and a person or two.
const ADMIN_CONNECTIONS: usize = 100;

/// The answer to an admin connection beyond the limit.
const ADMIN_REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
    connection: close\r\n\r\ntoo many connections\n";

/// 1 if other machines may reach the gRPC port although it lacks TLS or authentication.
pub const INSECURE_NETWORK: &str = "milepost_server_insecure_network";

/// How a server ended that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Connections that were dropped because they were still open at the drain's limit, or had open
    /// streams of which their other side read nothing.
    pub dropped_connections: usize,
}

/// Opens the components and serves them until `shutdown`, or until a component fails.
///
/// # Errors
/// If a component cannot be opened, fails, or cannot be closed; the server has ended all the same.
pub async fn run<F, Fut>(
    config: &Server,
    context: ServiceContext,
    listeners: Listeners,
    open: F,
    shutdown: impl Future<Output = ()>,
) -> Result<Ending, Error>
where
    F: FnOnce(ServiceContext) -> Fut,
    Fut: Future<Output = Result<Vec<Component>, BoxError>>,
{
    let (grpc, admin) = listeners.addresses();
    tracing::info!(
        grpc = grpc.map(tracing::field::display),
        admin = admin.map(tracing::field::display),
        "listening"
    );
    let Listeners { grpc, admin } = listeners;
    let open_network = warn_of_open_network(config, &context);
    let tls =
        config.tls.is_on().then(|| Tls::open(&config.tls, &context.clock, &context.metrics)).transpose()?;
    // The admin port answers before any component has a check of its own.
    let opening = context.readiness.check("server.opened");
    opening.not_ready("opening");
    let admin_connections = Connections::new(ADMIN_CONNECTIONS, &config.keepalive, CancellationToken::new());
    let mut admin_port = JoinSet::new();
    if let Some(listener) = admin {
        let routes = admin::routes(context.readiness.clone(), context.metrics.clone());
        let keepalive = config.keepalive.clone();
        admin_port.spawn(serve_admin(listener, routes, keepalive, admin_connections.clone()));
    }
    let mut shutdown = pin!(shutdown);
    let opened = tokio::select! {
        opened = open(context.clone()) => opened.map_err(Error::Open).map(Some),
        () = &mut shutdown => Ok(None),
    };
    let ended = match opened {
        Ok(Some(components)) => {
            opening.ready();
            serve(config, &context, (grpc, tls), components, shutdown).await
        }
        Ok(None) => Ok(Ending { dropped_connections: 0 }),
        Err(error) => Err(error),
    };
    admin_connections.stop.cancel();
    close(&admin_connections, Instant::now() + Duration::from_secs(1)).await;
    admin_port.join_all().await;
    drop(open_network);
    match &ended {
        Ok(ending) => tracing::info!(dropped_connections = ending.dropped_connections, "stopped"),
        Err(_) => tracing::error!("stopped after a failure"),
    }
    ended
}

/// Says where it is seen that other machines may do everything; what it returns keeps that in readiness.
fn warn_of_open_network(config: &Server, context: &ServiceContext) -> Option<Check> {
    let gauge: Gauge = Gauge::default();
    gauge.set(config.is_open_network().into());
    context.metrics.register(INSECURE_NETWORK, "1 if the network is served insecurely", gauge);
    let address = config.listen;
    config.is_open_network().then(|| {
        tracing::warn!(%address, "INSECURE: everyone who reaches this address may read and write everything");
        let check = context.readiness.check("server.insecure_network");
        check.degraded(format!("everyone who reaches {address} may read and write everything"));
        check
    })
}

async fn serve(
    config: &Server,
    context: &ServiceContext,
    (listener, tls): (TcpListener, Option<(Tls, Reload)>),
    components: Vec<Component>,
    shutdown: impl Future<Output = ()>,
) -> Result<Ending, Error> {
    let Assembled { routes, mut health, tasks, closes } = Assembled::of(components)?;
    let (limits, keepalive) = (&config.limits, &config.keepalive);
    let connections = Connections::new(limits.max_connections, keepalive, context.drain.clone());
    connections.register(&context.metrics);
    let (tls, reload) = tls.unzip();
    let identify = Identify::new(&config.access, context);
    let (access, clock) = (context.access.clone(), Arc::clone(&context.clock));
    context.metrics.register_collector(AccessMetrics { access, clock });
    let methods = Methods::new(&context.metrics);
    let calls = Calls::new(routes, methods, limits.clone(), context.drain.clone(), identify.clone());
    let port = Port { tls, calls, limits: limits.clone(), keepalive: keepalive.clone() };
    let mut reports = context.readiness.watch();
    health.tell(&context.readiness.report()).await;
    let mut accepting = JoinSet::new();
    {
        let connections = connections.clone();
        accepting.spawn(async move { port.serve(listener, &connections).await });
    }
    if let Some(identify) = identify {
        let stop = context.drain.clone();
        accepting.spawn(async move { identify.keep(stop).await });
    }
    if let Some(reload) = reload {
        accepting.spawn(reload.run(context.drain.clone()));
    }
    let mut running: JoinSet<Result<(), Error>> = JoinSet::new();
    for (component, Task { name, future }) in tasks {
        running
            .spawn(async move { finished(component, name, AssertUnwindSafe(future).catch_unwind().await) });
    }

    let mut shutdown = pin!(shutdown);
    let mut ready = false;
    let mut cause = loop {
        let report = reports.borrow_and_update().clone();
        if report.ready() != ready {
            ready = report.ready();
            tracing::info!(ready, "readiness changed");
        }
        health.tell(&report).await;
        tokio::select! {
            () = &mut shutdown => break None,
            Some(ended) = running.join_next() => match ended.unwrap_or(Ok(())) {
                Ok(()) => {}
                Err(error) => break Some(error),
            },
            Ok(()) = reports.changed() => {}
        }
    };

    // Not serving first, so that no client is routed here by the time streams end.
    context.readiness.drain();
    health.tell(&context.readiness.report()).await;
    let limit = Instant::now() + config.drain_timeout;
    tracing::info!(limit = ?config.drain_timeout, open_connections = connections.open.get(), "draining");
    context.drain.cancel();
    accepting.join_all().await;
    let at_limit = close(&connections, limit).await;
    if at_limit > 0 {
        tracing::warn!(connections = at_limit, "dropped what was open at the drain's limit");
    }
    let dropped_connections = at_limit + connections.cut.load(Ordering::Relaxed);
    let tasks = async {
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended.unwrap_or(Ok(())) {
                cause.get_or_insert(error);
            }
        }
    };
    if timeout_at(limit.max(Instant::now() + LAST_MOMENTS), tasks).await.is_err() {
        tracing::warn!(tasks = running.len(), "dropped tasks that did not end");
        running.shutdown().await;
    }
    for (component, close) in closes.into_iter().rev() {
        if let Err(source) = close.await {
            cause.get_or_insert(Error::Close { component, source });
        }
    }
    cause.map_or(Ok(Ending { dropped_connections }), Err)
}

/// Waits for connections until the limit, then drops them; how many.
async fn close(connections: &Connections, limit: Instant) -> usize {
    connections.tasks.close();
    if timeout_at(limit, connections.tasks.wait()).await.is_ok() {
        return 0;
    }
    let dropped = usize::try_from(connections.open.get()).unwrap_or(0);
    connections.kill.cancel();
    if timeout(LAST_MOMENTS, connections.tasks.wait()).await.is_err() {
        tracing::error!(
            calls = connections.tasks.len(),
            "calls hold on after their connections were dropped"
        );
    }
    dropped
}

async fn serve_admin(
    listener: TcpListener,
    routes: Router,
    Keepalive { preface_timeout, first_call_timeout, .. }: Keepalive,
    connections: Connections,
) {
    let stop = connections.stop.clone();
    let serve = |stream, _| {
        let (routes, stop) = (TowerToHyperService::new(routes.clone()), stop.clone());
        async move {
            if first_byte(&stream, preface_timeout, &stop).await.is_none() {
                return;
            }
            let mut builder = http1::Builder::new();
            // For the rest of the first request, and for each after it.
            builder.timer(TokioTimer::new()).header_read_timeout(first_call_timeout);
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), routes));
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        }
    };
    let refuse = |stream| async {
        let _ = tell(stream, ADMIN_REFUSAL).await;
    };
    connections.accept(listener, serve, refuse).await;
}

fn finished(
    component: &'static str,
    task: &'static str,
    ended: Result<Result<(), BoxError>, Box<dyn Any + Send>>,
) -> Result<(), Error> {
    let ended = ended.unwrap_or_else(|_| Err("it panicked; the log says where".into()));
    ended.map_err(|source| Error::Task { component, task, source })
}
