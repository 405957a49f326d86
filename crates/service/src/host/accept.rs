//! Accepting connections, and the life of each: tracked, bounded in number, closed on request.
//!
//! Invariant: no connection outlives the server: `stop` asks each to finish what is open, `kill` drops
//! it. One beyond the limit gets an error and is closed as soon as it is accepted, so that its client fails at
//! once and can go elsewhere, instead of waiting in the backlog. The kernel ends one that takes nothing of
//! what is sent to it.

use crate::config::server::Keepalive;
use crate::telemetry::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use rustix::net::sockopt::set_tcp_user_timeout;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that were accepted.
pub const CONNECTIONS_TOTAL: &str = "milepost_server_connections_total";
/// Connections that were refused at once because there were too many.
pub const REFUSED_CONNECTIONS_TOTAL: &str = "milepost_server_refused_connections_total";
/// Connections that are open now.
pub const OPEN_CONNECTIONS: &str = "milepost_server_open_connections";

/// How many refused connections may get an error at the same time; further ones are only closed.
const REFUSALS: usize = 64;
/// How long one that is refused may take to hear it.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// The connections of one port.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    room: Arc<Semaphore>,
    /// Room for the refused connections that get an error.
    refusals: Arc<Semaphore>,
    /// How long the other side may take nothing of what is sent to it.
    unread_timeout: Duration,
    /// Asks connections to finish what is open.
    pub(super) stop: CancellationToken,
    /// Drops connections.
    pub(super) kill: CancellationToken,
    /// The tasks of connections, and of what runs in them.
    pub(super) tasks: TaskTracker,
    accepted: Counter,
    refused: Counter,
    pub(super) open: Gauge,
    /// Connections with open streams that were cut, since their other side did not read.
    pub(super) cut: Arc<AtomicUsize>,
}

impl Connections {
    pub(super) fn new(limit: usize, keepalive: &Keepalive, stop: CancellationToken) -> Self {
        Self {
            room: Arc::new(Semaphore::new(limit)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            unread_timeout: keepalive.interval + keepalive.timeout,
            stop,
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            accepted: Counter::default(),
            refused: Counter::default(),
            open: Gauge::default(),
            cut: Arc::default(),
        }
    }

    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.register(CONNECTIONS_TOTAL, "Connections that were accepted", self.accepted.clone());
        metrics.register(REFUSED_CONNECTIONS_TOTAL, "Connections that were too many", self.refused.clone());
        metrics.register(OPEN_CONNECTIONS, "Connections that are open", self.open.clone());
    }

    /// Accepts until `stop`; each connection runs `serve` in a task of its own until it ends or `kill`. One
    /// beyond the limit runs `refuse`, for a moment.
    pub(super) async fn accept<F, Fut, R, Refused>(&self, listener: TcpListener, serve: F, refuse: R)
    where
        F: Fn(TcpStream, SocketAddr) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
        R: Fn(TcpStream) -> Refused,
        Refused: Future<Output = ()> + Send + 'static,
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
                Err(_) => {
                    self.refused.inc();
                    tracing::debug!(%peer, "connection refused: too many are open");
                    self.refuse(refuse(stream));
                    continue;
                }
            };
            if let Err(error) = self.adjust(&stream) {
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

    fn adjust(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        // Also while the other side answers probes, but has no room: nobody reads there any more.
        let milliseconds = u32::try_from(self.unread_timeout.as_millis()).unwrap_or(u32::MAX);
        Ok(set_tcp_user_timeout(stream, milliseconds)?)
    }

    /// Sends a refused connection an error, unless too many are being sent one already.
    fn refuse(&self, telling: impl Future<Output = ()> + Send + 'static) {
        let Ok(permit) = self.refusals.clone().try_acquire_owned() else { return };
        let stop = self.stop.child_token();
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(timeout(REFUSAL_TIME, telling)).await;
            drop(permit);
        });
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

/// Waits for the first byte of the other side, which stays to be read, if it comes within `time` and before `stop`.
pub(super) async fn first_byte(stream: &TcpStream, time: Duration, stop: &CancellationToken) -> Option<u8> {
    let mut first = [0];
    // Not `readable`, which may say so of a new socket on which nothing has come.
    let peeked = stop.run_until_cancelled(timeout(time, stream.peek(&mut first))).await;
    matches!(peeked, Some(Ok(Ok(1)))).then_some(first[0])
}

/// Says something, and waits until the other side has closed: what it sends meanwhile would otherwise be
/// answered with a reset, which may take the words away before they are read.
pub(super) async fn tell(mut stream: impl AsyncRead + AsyncWrite + Unpin, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_has_spoken_when_a_byte_came_and_not_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (short, long) = (Duration::from_millis(20), Duration::from_secs(20));
        let stop = CancellationToken::new();
        assert_eq!(first_byte(&stream, short, &stop).await, None);
        client.write_all(b"x").await.unwrap();
        assert_eq!(first_byte(&stream, long, &stop).await, Some(b'x'));
        assert_eq!(first_byte(&stream, long, &stop).await, Some(b'x'), "it stays to be read");
        let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (silent, _) = listener.accept().await.unwrap();
        stop.cancel();
        assert_eq!(first_byte(&silent, long, &stop).await, None, "a server that stops does not wait for it");
    }
}
