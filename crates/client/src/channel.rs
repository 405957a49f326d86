//! Endpoints, channels and pools: the connections to one server.
//!
//! Invariant: connections are made when they are first needed and again whenever they are lost, so
//! that a channel exists before its server does. The windows are set so that streams nobody reads do
//! not starve the others on their connection: a connection's window exceeds those of many streams.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::InvalidUri;
use http::{HeaderValue, Uri};
use tonic::transport::Channel;

use crate::credentials::{CredentialChannel, Credentials, Token};
use crate::error::Error;
use crate::socket::{connector, tls_connector};
use crate::tls::{Tls, TlsOptions};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// HTTP/2 pings: a peer that vanished without closing is noticed after both.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The client decides how large the server's DATA frames are; each costs a system call.
const FRAME_BYTES: u32 = 256 * 1024;
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
const EXAMPLE: &str = "write http://host:port or https://host:port";
/// Connections of a pool at most.
const CONNECTIONS_MAX: usize = 32;

/// How a server reaches those that it follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Whom it trusts, and what it shows.
    pub tls: TlsOptions,
    /// A file with its token, read again for each call.
    pub token_file: Option<PathBuf>,
}

/// The address of a server, and how a connection to it is made.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// With a URL of http, also where TLS is spoken: connectors of one's own get no other.
    inner: tonic::transport::Endpoint,
    /// As it was given.
    url: Arc<str>,
    host: String,
    tls: Option<Tls>,
    connect_timeout: Duration,
}

impl Endpoint {
    /// The endpoint at a URL such as `http://127.0.0.1:7400`, or `https://registry.office.example:7400`.
    ///
    /// # Errors
    /// If the text is no `http` or `https` URL with a host.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |what: String| Error::Endpoint { url: url.to_owned(), what };
        let uri: Uri = url.parse().map_err(|error: InvalidUri| invalid(format!("{error}; {EXAMPLE}")))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(scheme) => return Err(invalid(format!("{scheme} is not supported; {EXAMPLE}"))),
            None => return Err(invalid(format!("the scheme is missing; {EXAMPLE}"))),
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()).map(str::to_owned) else {
            return Err(invalid(format!("the host is missing; {EXAMPLE}")));
        };
        let inner = match is_tls {
            false => Self::tuned(uri.into()),
            true => {
                let port = uri.port_u16().unwrap_or(443);
                let address = format!("http://{host}:{port}").parse::<Uri>();
                let address = address.map_err(|error| invalid(error.to_string()))?;
                Self::tuned(address.into()).origin(uri)
            }
        };
        let tls = is_tls.then(|| Tls::new(&host, TlsOptions::default())).transpose()?;
        Ok(Self { inner, url: url.into(), host, tls, connect_timeout: CONNECT_TIMEOUT })
    }

    /// With these options of TLS, which an `http` URL does without.
    ///
    /// # Errors
    /// If a certificate is given without its key, or the reverse. What is wrong with files is said by the
    /// connections, which read them.
    pub fn tls(self, options: TlsOptions) -> Result<Self, Error> {
        options.check()?;
        let tls = self.tls.is_some().then(|| Tls::new(&self.host, options)).transpose()?;
        Ok(Self { tls, ..self })
    }

    /// Whether what is sent there is readable by others on the way: it is not encrypted, and leaves this machine.
    pub fn is_open(&self) -> bool {
        let address: Option<IpAddr> = self.host.trim_matches(['[', ']']).parse().ok();
        let is_local = self.host == "localhost" || address.is_some_and(|ip| ip.to_canonical().is_loopback());
        self.tls.is_none() && !is_local
    }

    /// How long one attempt to connect may take. Default: 5 s.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// One connection, made when it is first used.
    pub fn channel(&self) -> Channel {
        match &self.tls {
            None => self.inner.connect_with_connector_lazy(connector(self.connect_timeout)),
            Some(tls) => {
                self.inner.connect_with_connector_lazy(tls_connector(self.connect_timeout, tls.clone()))
            }
        }
    }

    /// As many connections, each made when it is first used; 1 to 32.
    pub fn pool(&self, connections: usize) -> Pool {
        let pool = Pool::new((0..connections.clamp(1, CONNECTIONS_MAX)).map(|_| self.channel()).collect());
        Pool { open: self.is_open().then(|| Arc::clone(&self.url)), ..pool }
    }

    /// The same as another server connects.
    ///
    /// # Errors
    /// If the options do not go together, or the token would be sent to where others can read it.
    pub fn pool_with(self, options: &ConnectOptions, connections: usize) -> Result<Pool, Error> {
        let pool = self.tls(options.tls.clone())?.pool(connections);
        match &options.token_file {
            Some(path) => pool.with(Token::file(path.clone())?),
            None => Ok(pool),
        }
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

/// Several connections to one server, and the credentials of the calls on them; clones share the connections.
///
/// HTTP/2 puts all streams of a connection behind one lock and one window: many streams go faster,
/// and disturb each other less, on several connections.
#[derive(Debug, Clone)]
pub struct Pool {
    members: Arc<[Member]>,
    credentials: Credentials,
    /// The URL that tokens must not be sent to.
    open: Option<Arc<str>>,
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
        let members = channels.into_iter().map(member).collect();
        Self { members, credentials: Credentials::default(), open: None }
    }

    /// The same connections for calls with this token, which is refused if others could read it on the way.
    pub(crate) fn with(mut self, token: Token) -> Result<Self, Error> {
        if let Some(url) = &self.open {
            return Err(Error::Token {
                what: format!(
                    "others can read what is sent to {url}: give a token only with https://, or on this machine"
                ),
            });
        }
        self.credentials.token = Some(token);
        Ok(self)
    }

    pub(crate) fn with_principal(mut self, principal: HeaderValue) -> Self {
        self.credentials.principal = Some(principal);
        self
    }

    pub(crate) fn with_on_behalf_of(mut self, principal: HeaderValue) -> Self {
        self.credentials.on_behalf_of = Some(principal);
        self
    }

    /// Whether another credential can take the place of one that has ended: it is in a file, of a token or a certificate.
    pub(crate) fn can_renew(&self) -> bool {
        !matches!(self.credentials.token, Some(Token::Given(_)))
    }

    /// The channel for a call that is soon over: the one with the fewest streams.
    pub fn channel(&self) -> CredentialChannel {
        self.channel_at(self.least_loaded())
    }

    fn channel_at(&self, index: usize) -> CredentialChannel {
        CredentialChannel::new(self.members[index].channel.clone(), self.credentials.clone())
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
    pub fn channel(&self) -> CredentialChannel {
        self.pool.channel_at(self.index)
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
    fn an_endpoint_is_an_http_or_https_url_with_a_host() {
        for url in ["http://localhost:7400", "http://[::1]:7400", "https://a.example", "https://[::1]:7400"] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        for url in ["", "localhost:7400", "http://", "/x", "ftp://a", "http://a b", "unix:/x"] {
            let error = Endpoint::parse(url).expect_err(url).to_string();
            assert!(error.contains(url), "{error}");
        }
    }
    #[tokio::test]
    async fn a_token_is_not_sent_to_where_others_can_read_it() {
        let with_token = |url: &str| {
            Endpoint::parse(url).unwrap().pool(1).with(Token::given("mp_secret").unwrap()).map(drop)
        };
        for url in
            ["http://10.1.2.3:7400", "http://registry:7401", "http://localhost.example", "http://[2001::1]"]
        {
            let error = with_token(url).expect_err(url).to_string();
            assert!(error.contains(url) && error.contains("https://"), "{error}");
        }
        for url in ["https://registry:7401", "http://localhost:1", "http://127.0.0.2:1", "http://[::1]:1"] {
            assert!(with_token(url).is_ok(), "{url}");
        }
    }
}
