//! The interface between a process and its services: the context that a service gets, and the component that it
//! returns.
//!
//! A service's `open` takes the [`ServiceContext`] and returns a [`Component`]. No task runs and no call is
//! accepted before the host has all components.

use super::routes::Routes;
use crate::access::Access;
use crate::audit::Audit;
use crate::config::server::{Limits, Server};
use crate::readiness::Readiness;
use crate::telemetry::{Checks, Metrics, Process};
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
    /// Where components report their readiness.
    pub readiness: Readiness,
    /// Where components register their metrics.
    pub metrics: Metrics,
    /// Cancelled when the server drains: streams send their last cursor and end, tasks return.
    pub drain: CancellationToken,
    /// The limits of requests.
    pub limits: Limits,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How calls are authorized.
    pub access: Access,
    /// Where refusals and changes of access are recorded.
    pub audit: Audit,
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
        let readiness = Readiness::new();
        metrics.register_collector(Checks(readiness.clone()));
        Self {
            readiness,
            metrics,
            drain: CancellationToken::new(),
            limits: config.limits.clone(),
            clock,
            access: if config.access.is_configured() {
                Access::enforced(config.access.max_staleness)
            } else {
                Access::open()
            },
            audit: Audit::new(&config.audit),
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
    /// process drains and stops; if it ends without one, its work is done.
    pub fn task<F>(mut self, name: &'static str, future: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.tasks.push(Task { name, future: Box::pin(future) });
        self
    }

    /// Sets what to run last, when no call and no task of any component is left: closing the ledger.
    pub fn on_close<F>(mut self, future: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.close = Some(Box::pin(future));
        self
    }
}
