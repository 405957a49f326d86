//! Endpoints, channels and pools: the connections to one server.
//!
//! Invariant: connections are made when they are first needed and again whenever they are lost, so
//! that a channel exists before its server does. The windows are set so that streams nobody reads do
//! not starve the others on their connection: a connection's window exceeds those of many streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Uri;
use http::uri::InvalidUri;
use tonic::transport::Channel;

use crate::error::Error;
use crate::socket::connector;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// HTTP/2 pings: a peer that vanished without closing is noticed after both.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The client decides how large the server's DATA frames are; each costs a system call.
const FRAME_BYTES: u32 = 256 * 1024;
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Connections of a pool at most.
const CONNECTIONS_MAX: usize = 32;

/// The address of a server.
#[derive(Debug, Clone)]
pub struct Endpoint {
    inner: tonic::transport::Endpoint,
    connect_timeout: Duration,
}

impl Endpoint {
    /// The endpoint at a URL such as `http://127.0.0.1:7400`.
    ///
    /// # Errors
    /// If the text is no `http` URL with a host.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |what: String| Error::Endpoint { url: url.to_owned(), what };
        let uri: Uri =
            url.parse().map_err(|error: InvalidUri| invalid(format!("{error}; write http://host:port")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                let what = "TLS is not supported; write http://host:port, and let a proxy add TLS where it is needed";
                return Err(invalid(what.into()));
            }
            Some(scheme) => {
                return Err(invalid(format!("{scheme} is not supported; write http://host:port")));
            }
            None => return Err(invalid("the scheme is missing; write http://host:port".into())),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(invalid("the host is missing; write http://host:port".into()));
        }
        Ok(Self { inner: Self::tuned(uri.into()), connect_timeout: CONNECT_TIMEOUT })
    }

    /// How long one attempt to connect may take. Default: 5 s.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// One connection, made when it is first used.
    pub fn channel(&self) -> Channel {
        self.inner.connect_with_connector_lazy(connector(self.connect_timeout))
    }

    /// As many connections, each made when it is first used; 1 to 32.
    pub fn pool(&self, connections: usize) -> Pool {
        Pool::new((0..connections.clamp(1, CONNECTIONS_MAX)).map(|_| self.channel()).collect())
    }

    /// The settings for an endpoint that connects by other means, as in tests within a process.
    pub fn tuned(endpoint: tonic::transport::Endpoint) -> tonic::transport::Endpoint {
        endpoint
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES)
    }
}

/// Several connections to one server; clones share them.
///
/// HTTP/2 puts all streams of a connection behind one lock and one window: many streams go faster,
/// and disturb each other less, on several connections.
#[derive(Debug, Clone)]
pub struct Pool {
    members: Arc<[Member]>,
}

#[derive(Debug)]
struct Member {
    channel: Channel,
    streams: AtomicUsize,
}

impl Pool {
    /// A pool of these channels, which should lead to one server.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(channels: Vec<Channel>) -> Self {
        assert!(!channels.is_empty(), "a pool has at least one channel");
        let member = |channel| Member { channel, streams: AtomicUsize::new(0) };
        Self { members: channels.into_iter().map(member).collect() }
    }

    /// The channel for a call that is soon over: the one with the fewest streams.
    pub fn channel(&self) -> Channel {
        self.members[self.least_loaded()].channel.clone()
    }

    /// A place for a stream on the channel with the fewest of them, until it is dropped.
    pub fn lease(&self) -> Lease {
        let index = self.least_loaded();
        self.members[index].streams.fetch_add(1, Ordering::Relaxed);
        Lease { pool: self.clone(), index }
    }

    /// How many streams each channel has.
    pub fn streams(&self) -> Vec<usize> {
        self.members.iter().map(|member| member.streams.load(Ordering::Relaxed)).collect()
    }

    fn least_loaded(&self) -> usize {
        let load = |index: &usize| self.members[*index].streams.load(Ordering::Relaxed);
        (0..self.members.len()).min_by_key(load).unwrap_or(0)
    }
}

impl From<Channel> for Pool {
    fn from(channel: Channel) -> Self {
        Self::new(vec![channel])
    }
}

/// A stream's place on a connection.
#[derive(Debug)]
pub struct Lease {
    pool: Pool,
    index: usize,
}

impl Lease {
    /// The channel to open the stream on.
    pub fn channel(&self) -> Channel {
        self.pool.members[self.index].channel.clone()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.members[self.index].streams.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn streams_spread_over_the_connections_and_give_their_place_back() {
        let pool = Endpoint::parse("http://127.0.0.1:1").unwrap().pool(4);
        let mut leases: Vec<_> = (0..10).map(|_| pool.lease()).collect();
        assert_eq!(pool.streams(), [3, 3, 2, 2]);
        leases.retain(|lease| lease.index != 1);
        assert_eq!(pool.streams(), [3, 0, 2, 2]);
        leases.push(pool.lease());
        assert_eq!(pool.streams(), [3, 1, 2, 2]);
        drop(leases);
        assert_eq!(pool.streams(), [0; 4]);
    }

    #[test]
    fn an_endpoint_is_an_http_url_with_a_host() {
        assert!(Endpoint::parse("http://localhost:7400").is_ok());
        assert!(Endpoint::parse("http://[::1]:7400").is_ok());
        for url in [
            "",
            "localhost:7400",
            "https://localhost:7400",
            "http://",
            "/x",
            "ftp://a",
            "http://a b",
            "unix:/x",
        ] {
            let error = Endpoint::parse(url).expect_err(url).to_string();
            assert!(error.contains(url), "{error}");
        }
    }
}
