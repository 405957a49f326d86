//! What a service gets from the process it runs in, and what it gives to it.
//!
//! A service's `open` takes the [`ServiceContext`] and answers with a [`Component`]; nothing of it runs or can be
//! reached before the host has all components.

use super::routes::Routes;
use crate::config::server::{Limits, Server};
use crate::readiness::Readiness;
use crate::telemetry::{Metrics, Process};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use milepost_types::{Clock, SystemClock};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// Any error, for components whose own error types the host need not know.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What every component of a process shares. Clones share the same things.
#[derive(Clone)]
pub struct ServiceContext {
    /// Where components report how they are.
    pub readiness: Readiness,
    /// Where components expose what they count.
    pub metrics: Metrics,
    /// Cancelled when the server drains: streams say where to go on and end, tasks return.
    pub drain: CancellationToken,
    /// What callers may ask for at most.
    pub limits: Limits,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
}

impl ServiceContext {
    /// A context with the system's clock and the metrics of the process.
    pub fn new(config: &Server) -> Self {
        Self::with_clock(config, Arc::new(SystemClock))
    }

    /// A context with the clock given.
    pub fn with_clock(config: &Server, clock: Arc<dyn Clock>) -> Self {
        let metrics = Metrics::new();
        metrics.register_collector(Process::new(clock.now()));
        Self {
            readiness: Readiness::new(),
            metrics,
            drain: CancellationToken::new(),
            limits: config.limits.clone(),
            clock,
        }
    }
}

/// Something that runs beside the calls until the drain; an error stops the process.
pub(super) struct Task {
    pub(super) name: &'static str,
    pub(super) future: BoxFuture<'static, Result<(), BoxError>>,
}

/// One service's contribution to a process.
pub struct Component {
    pub(super) name: &'static str,
    pub(super) routes: Routes,
    pub(super) tasks: Vec<Task>,
    pub(super) close: Option<BoxFuture<'static, Result<(), BoxError>>>,
}

impl Component {
    /// A component with this name, which its readiness checks begin with: `{name}.{what}`.
    pub fn new(name: &'static str) -> Self {
        Self { name, routes: Routes::default(), tasks: Vec::new(), close: None }
    }

    /// Adds a gRPC service. Its health is that of the component's checks. Limit its messages with
    /// `max_decoding_message_size(context.limits.max_request_bytes.length())`, and let callers compress them
    /// with `accept_compressed(CompressionEncoding::Gzip)`.
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add(service);
        self
    }

    /// Adds a task that runs until `context.drain` is cancelled. If it ends with an error, or panics, the
    /// process drains and stops; if it ends well, it had no more to do.
    pub fn task<F>(mut self, name: &'static str, future: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.tasks.push(Task { name, future: Box::pin(future) });
        self
    }

    /// What is to be done last, when no call and no task of any component runs any more: close the ledger.
    pub fn on_close<F>(mut self, future: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.close = Some(Box::pin(future));
        self
    }
}
