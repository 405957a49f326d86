//! Accepting connections, and the life of each: tracked, bounded in number, closed on request.
//!
//! Invariant: no connection outlives the server: `stop` asks each to finish what is open, `kill` drops
//! it. One beyond the limit is closed as soon as it is accepted, so that its client fails at once and
//! can go elsewhere, instead of waiting in the backlog.

use crate::telemetry::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that were accepted.
pub const CONNECTIONS_TOTAL: &str = "milepost_server_connections_total";
/// Connections that were closed at once because there were too many.
pub const REFUSED_CONNECTIONS_TOTAL: &str = "milepost_server_refused_connections_total";
/// Connections that are open now.
pub const OPEN_CONNECTIONS: &str = "milepost_server_open_connections";

/// How long a new connection may say nothing at all.
const FIRST_WORD: Duration = Duration::from_secs(10);

/// The connections of one port.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    room: Arc<Semaphore>,
    /// Asks connections to finish what is open.
    pub(super) stop: CancellationToken,
    /// Drops connections.
    pub(super) kill: CancellationToken,
    /// The tasks of connections, and of what runs in them.
    pub(super) tasks: TaskTracker,
    accepted: Counter,
    refused: Counter,
    pub(super) open: Gauge,
}

impl Connections {
    pub(super) fn new(limit: usize, stop: CancellationToken) -> Self {
        Self {
            room: Arc::new(Semaphore::new(limit)),
            stop,
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            accepted: Counter::default(),
            refused: Counter::default(),
            open: Gauge::default(),
        }
    }

    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.register(CONNECTIONS_TOTAL, "Connections that were accepted", self.accepted.clone());
        metrics.register(REFUSED_CONNECTIONS_TOTAL, "Connections that were too many", self.refused.clone());
        metrics.register(OPEN_CONNECTIONS, "Connections that are open", self.open.clone());
    }

    /// Accepts until `stop`; each connection runs `serve` in a task of its own until it ends or `kill`.
    pub(super) async fn accept<F, Fut>(&self, listener: TcpListener, serve: F)
    where
        F: Fn(TcpStream, SocketAddr) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.pause(&error).await;
                    continue;
                }
            };
            self.accepted.inc();
            let permit = match self.room.clone().try_acquire_owned() {
                Ok(permit) => permit,
                Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                    self.refused.inc();
                    tracing::debug!(%peer, "connection refused: too many are open");
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "connection lost as it was accepted");
                continue;
            }
            // A token of its own, since each poll of the connection's task locks it.
            let (kill, open, served) = (self.kill.child_token(), self.open.clone(), serve(stream, peer));
            self.tasks.spawn(async move {
                open.inc();
                kill.run_until_cancelled(served).await;
                open.dec();
                drop(permit);
            });
        }
    }

    /// An error of one connection passes; running out of files or memory needs time to pass.
    async fn pause(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        tracing::error!(%error, "cannot accept connections; trying again");
        self.stop.run_until_cancelled(sleep(Duration::from_millis(100))).await;
    }
}

/// Whether the other side said something within the time that it has for its first word.
pub(super) async fn spoke(stream: &TcpStream) -> bool {
    matches!(timeout(FIRST_WORD, stream.readable()).await, Ok(Ok(())))
}
