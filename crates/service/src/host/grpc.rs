//! The gRPC port: HTTP/2 connections, and the calls on them.
//!
//! Serves connections itself instead of through tonic's server, which cuts calls off at the caller's
//! deadline with CANCELLED, spawns tasks that cannot be awaited, and leaves drained connections open for
//! as long as a stream lasts. tonic provides the codecs and statuses.

use super::accept::{Connections, spoke};
use super::calls::Calls;
use super::connection::{End, live, until_call};
use super::socket::Socket;
use crate::config::server::{Keepalive, Limits};
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
use std::future::{Future, poll_fn, ready};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
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

/// How the port is served.
pub(super) struct Port {
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
    calls: Arc<Calls>,
    limits: Limits,
    keepalive: Keepalive,
    stop: CancellationToken,
    /// Connections with open streams that were cut.
    cut: Arc<AtomicUsize>,
}

impl Served {
    /// Serves calls on a connection until its end.
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let began = Instant::now();
        // A token of its own, since each poll of the connection's task locks it.
        let stop = self.stop.child_token();
        if !spoke(&stream, self.keepalive.preface_timeout, &stop).await {
            return;
        }
        let socket = Socket::new(stream);
        let (calls, streams) = (self.calls.clone(), socket.streams().clone());
        // In a box from the beginning: it is moved several times before its first poll.
        let answer = service_fn(move |request: Request<Incoming>| {
            let answer = calls.clone().answer(request.map(Body::new), streams.open());
            answer.map(Ok::<_, Infallible>).boxed()
        });
        let connection = pin!(self.builder.serve_connection(TokioIo::new(socket.clone()), answer));
        let finish = http2::Connection::graceful_shutdown;
        match live(connection, finish, &socket, &self.keepalive, began, &stop).await {
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
        let (streams, limit) = (socket.streams().clone(), self.limits.max_connections);
        let answer = service_fn(move |_: Request<Incoming>| {
            drop(streams.open());
            ready(Ok::<_, Infallible>(too_many(limit).into_http::<Body>()))
        });
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(socket.clone()), answer));
        if until_call(connection.as_mut(), &socket).await.is_none() {
            connection.as_mut().graceful_shutdown();
            let _ = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx)).await;
        }
    }
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
