//! The gRPC port: HTTP/2 connections, and the calls on them.
//!
//! Serves connections itself instead of through tonic's server, which cuts calls off at the caller's
//! deadline with CANCELLED, spawns tasks nobody can wait for, and leaves drained connections open for
//! as long as a stream likes. tonic's part is what it is best at: codecs, statuses.

use super::accept::{Connections, spoke};
use super::calls::Calls;
use super::socket::Socket;
use crate::config::server::{Keepalive, Limits};
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tonic::body::Body;

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
            // Nobody asks gRPC for the time of day.
            .auto_date_header(false)
            .max_concurrent_streams(streams)
            // A call that is refused is answered before its message has come, which h2 then counts as a fault of
            // the other side, and ends the connection with all its calls after 1,024 of them.
            .max_local_error_reset_streams(Some(streams as usize))
            .initial_connection_window_size(window)
            .keep_alive_interval(self.keepalive.interval)
            .keep_alive_timeout(self.keepalive.timeout);
        let calls = Arc::new(self.calls);
        let stop = connections.stop.clone();
        connections
            .accept(listener, |stream, peer| {
                let (builder, calls, stop) = (builder.clone(), calls.clone(), stop.child_token());
                async move {
                    if !spoke(&stream).await {
                        return;
                    }
                    let socket = Socket::new(stream);
                    let streams = socket.clone();
                    let mut connection = pin!(builder.serve_connection(
                        TokioIo::new(socket.clone()),
                        // In a box from the beginning: it is moved several times before its first poll.
                        service_fn(move |request: Request<Incoming>| {
                            let answer = calls.clone().answer(request.map(Body::new), streams.open_stream());
                            answer.map(Ok::<_, Infallible>).boxed()
                        }),
                    ));
                    let mut stopped = pin!(stop.cancelled());
                    let ended = tokio::select! {
                        biased;
                        ended = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx)) => ended,
                        () = stopped.as_mut() => {
                            connection.as_mut().graceful_shutdown();
                            poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx)).await
                        }
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection lost");
                    }
                }
            })
            .await;
    }
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
