//! The gRPC port: HTTP/2 connections, and the calls on them.
//!
//! Serves connections itself instead of through tonic's server, which cuts calls off at the caller's
//! deadline with CANCELLED, spawns tasks that cannot be awaited, and leaves drained connections open for
//! as long as a stream lasts. tonic provides the codecs and statuses.

use super::accept::{Connections, first_byte, tell};
use super::calls::Calls;
use super::connection::{End, live, until_call};
use super::socket::Socket;
use super::tls::{Client, Peer, Stream, Tls};
use crate::config::server::{Keepalive, Limits};
use crate::limits::Refusals;
use crate::status::Answer;
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::{self, Builder};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use milepost_proto::error::v1::Reason;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::{Code, Status};

/// Streams that a connection may have beyond the limit of calls, so that the limit, which answers, is
/// met before HTTP/2's own, which makes clients wait.
const SPARE_STREAMS: u32 = 1000;
/// The receive window of a connection, for each of its streams. h2 ends a connection with more small
/// messages waiting to be read than take half of its window, 256 bytes each; so that many may wait.
const WINDOW_PER_STREAM: u32 = 512;
/// The least and the most that the window may be.
const WINDOW: std::ops::RangeInclusive<u32> = (1 << 20)..=((1 << 31) - 1);

/// What a client begins with that speaks TLS: a record of the type handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// How long a client that speaks TLS where it should not, or the reverse, may take to hear it.
const MISMATCH_TIME: Duration = Duration::from_secs(1);
/// The answer to TLS on a port without it: no record of TLS, so that clients say so, some of them with these words.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    this port speaks no TLS: connect with http:// in place of https://\n";

/// How the port is served.
pub(super) struct Port {
    /// TLS, if the port speaks it.
    pub(super) tls: Option<Tls>,
    pub(super) calls: Calls,
    pub(super) limits: Limits,
    pub(super) keepalive: Keepalive,
}

impl Port {
    /// Serves calls on every connection until the connections are asked to stop.
    pub(super) async fn serve(self, listener: TcpListener, connections: &Connections) {
        let mut builder = Builder::new(Tracked(connections.tasks.clone()));
        let streams = u32::try_from(self.limits.max_calls).unwrap_or(u32::MAX).saturating_add(SPARE_STREAMS);
        let window = streams.saturating_mul(WINDOW_PER_STREAM).clamp(*WINDOW.start(), *WINDOW.end());
        builder
            .timer(TokioTimer::new())
            // No client needs the time of day from gRPC.
            .auto_date_header(false)
            .max_concurrent_streams(streams)
            // A call that is refused is answered before its message has come, which h2 then counts as a fault of
            // the other side, and ends the connection with all its calls after 1,024 of them.
            .max_local_error_reset_streams(Some(streams as usize))
            .initial_connection_window_size(window)
            .keep_alive_interval(self.keepalive.interval)
            .keep_alive_timeout(self.keepalive.timeout);
        let served = Arc::new(Served {
            builder,
            tls: self.tls,
            calls: Arc::new(self.calls),
            limits: self.limits,
            keepalive: self.keepalive,
            stop: connections.stop.clone(),
            cut: connections.cut.clone(),
        });
        let refuse = |stream| served.clone().refuse(stream);
        connections.accept(listener, |stream, peer| served.clone().connection(stream, peer), refuse).await;
    }
}

/// What the connections of a port share.
struct Served {
    builder: Builder<Tracked>,
    tls: Option<Tls>,
    calls: Arc<Calls>,
    limits: Limits,
    keepalive: Keepalive,
    stop: CancellationToken,
    /// Connections with open streams that were cut.
    cut: Arc<AtomicUsize>,
}

impl Served {
    /// Serves calls on a connection until its end.
    async fn connection(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let began = Instant::now();
        // A token of its own, since each poll of the connection's task locks it.
        let stop = self.stop.child_token();
        let Some(first) = first_byte(&stream, self.keepalive.preface_timeout, &stop).await else { return };
        if (first == TLS_HANDSHAKE) != self.tls.is_some() {
            tracing::debug!(peer = %address, "connection refused: one side speaks TLS, the other does not");
            let _ = stop.run_until_cancelled(timeout(MISMATCH_TIME, self.refuse_protocol(stream))).await;
            return;
        }
        let socket = Socket::new(stream);
        let handshake = timeout_at(began + self.keepalive.preface_timeout, self.begin(&socket));
        let (stream, mut client) = match stop.run_until_cancelled(handshake).await {
            Some(Ok(Ok(begun))) => begun,
            Some(Ok(Err(error))) => {
                tracing::debug!(peer = %address, %error, "connection refused: its TLS handshake failed");
                return;
            }
            Some(Err(_)) | None => return,
        };
        let certificate = client.as_ref().map(|client| Arc::clone(&client.certificate));
        let refusals = Refusals::default();
        let peer = Peer { address, certificate, refusals: refusals.clone() };
        let (calls, streams) = (self.calls.clone(), socket.streams().clone());
        // In a box from the beginning: it is moved several times before its first poll.
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let answer = calls.clone().answer(request.map(Body::new), streams.open());
            answer.map(Ok::<_, Infallible>).boxed()
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), answer));
        let finish = http2::Connection::graceful_shutdown;
        let distrusted = async {
            match &mut client {
                Some(client) => client.ended().await,
                None => pending().await,
            }
        };
        let reason = tokio::select! {
            biased;
            end = live(connection.as_mut(), finish, &socket, &self.keepalive, began, &stop) => {
                return self.report(address, end);
            }
            reason = distrusted => reason,
            () = refusals.full() => "too many of its credentials were refused",
        };
        tracing::info!(peer = %address, reason, "connection closed");
        finish(connection.as_mut());
        let end = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx));
        let _ = timeout(self.keepalive.drain_grace, end).await;
    }

    /// What HTTP/2 is spoken on over a socket, and the client certificate.
    async fn begin(&self, socket: &Socket<TcpStream>) -> io::Result<(Stream, Option<Client>)> {
        match &self.tls {
            Some(tls) => tls.accept(socket).await,
            None => Ok((Stream::Left(socket.clone()), None)),
        }
    }

    fn report(&self, peer: SocketAddr, end: End<hyper::Result<()>>) {
        match end {
            End::Closed(Ok(())) => {}
            End::Closed(Err(error)) => tracing::debug!(%peer, %error, "connection lost"),
            End::NoPreface => tracing::debug!(%peer, "connection cut: it speaks no HTTP/2"),
            End::NoCall => tracing::debug!(%peer, "connection cut: it made no call"),
            End::Unread(0) => tracing::debug!(%peer, "connection cut: it does not read"),
            End::Unread(open_streams) => {
                self.cut.fetch_add(1, Ordering::Relaxed);
                tracing::info!(%peer, open_streams, "connection cut: it does not read");
            }
        }
    }

    /// Answers the first call of a connection that is one too many, and closes it.
    async fn refuse(self: Arc<Self>, stream: TcpStream) {
        let socket = Socket::new(stream);
        if let Ok((stream, _)) = self.begin(&socket).await {
            self.answer_once(stream, &socket, too_many(self.limits.max_connections)).await;
        }
    }

    /// Says to one that speaks TLS that this port does not, or the reverse, in what it speaks.
    async fn refuse_protocol(&self, stream: TcpStream) {
        if self.tls.is_none() {
            let _ = tell(stream, NO_TLS).await;
            return;
        }
        let socket = Socket::new(stream);
        self.answer_once(Stream::Left(socket.clone()), &socket, only_tls()).await;
    }

    /// Answers the first call with a status, and closes the connection.
    async fn answer_once(&self, stream: Stream, socket: &Socket<TcpStream>, status: Status) {
        let streams = socket.streams().clone();
        let answer = service_fn(move |_: Request<Incoming>| {
            drop(streams.open());
            ready(Ok::<_, Infallible>(status.clone().into_http::<Body>()))
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(stream), answer));
        if until_call(connection.as_mut(), socket).await.is_none() {
            connection.as_mut().graceful_shutdown();
            let _ = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx)).await;
        }
    }
}

/// The port speaks TLS, and the caller does not.
fn only_tls() -> Status {
    let message = "this port speaks TLS only: connect with https:// in place of http://";
    Answer::new(Code::FailedPrecondition, Reason::ProtocolViolation, message).status()
}

fn too_many(limit: usize) -> Status {
    let message = format!("{limit} connections are open, which is the limit; close some, or try again later");
    Answer::new(Code::ResourceExhausted, Reason::TooMany, message)
        .with("what", "connections")
        .with("limit", limit)
        .retry_after(Duration::from_secs(1))
        .status()
}

/// Runs what HTTP/2 spawns, the calls, in tasks that can be waited for.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
