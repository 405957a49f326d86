//! TLS of the gRPC port: what handshakes use, who is on the other side, and how both change while the server runs.
//!
//! Invariants: what handshakes use is whole at every moment and replaced as a whole; files that cannot be used replace
//! nothing. A connection with a client certificate ends once that certificate has expired, or is no longer signed by
//! a CA of clients. Only HTTP/2 is spoken, which ALPN says. The admin port is never encrypted. Does not decide what
//! a client may do: calls get the [`Peer`], and others draw conclusions.
//!
//! The provider of cryptography is ring, named wherever a configuration is built, so that no other crate chooses it.

mod accept;
mod certificate;
mod load;
mod reload;
#[cfg(test)]
pub(crate) mod testing;
mod verify;

use super::error::Error;
use crate::config::tls::Tls as Files;
use crate::limits::Refusals;
use crate::telemetry::Metrics;
use load::{Contents, Loaded};
use milepost_types::Clock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

use crate::identity::PeerCertificate;
pub(super) use accept::{Client, Stream};
pub(crate) use load::{Fault, faults};
pub(super) use reload::Reload;

/// When the certificate in use expires, since the Unix epoch.
pub const CERTIFICATE_EXPIRY: &str = "milepost_server_certificate_expiry_timestamp_seconds";
/// Changed files that could not be used, so that the earlier ones stayed in use.
pub const RELOAD_FAILURES_TOTAL: &str = "milepost_server_tls_reload_failures_total";

/// Who a call comes from; an extension of every request that came over a connection. Calls within the process have
/// none.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// The client certificate, which a CA of clients signed; none if none was given.
    pub certificate: Option<Arc<PeerCertificate>>,
    /// The credentials that were refused on the connection.
    pub refusals: Refusals,
}

/// TLS of a port; clones share it.
#[derive(Clone)]
pub(super) struct Tls {
    current: Arc<watch::Sender<Arc<Loaded>>>,
    clock: Arc<dyn Clock>,
}

impl Tls {
    /// TLS with these files, and what looks for changes of them.
    ///
    /// # Errors
    /// Every fault of the files; and if signals cannot be handled.
    pub(super) fn open(
        files: &Files,
        clock: &Arc<dyn Clock>,
        metrics: &Metrics,
    ) -> Result<(Self, Reload), Error> {
        let contents = Contents::read(files);
        let loaded = contents.load(files, clock).map_err(|faults| {
            let faults = faults.into_iter().map(|Fault { key, message }| format!("tls.{key}: {message}"));
            Error::Tls(faults.collect::<Vec<_>>().join("; "))
        })?;
        let (expiry, failures) = (Gauge::default(), Counter::default());
        expiry.set(loaded.not_after.as_second());
        metrics.register(CERTIFICATE_EXPIRY, "When the certificate in use expires", expiry.clone());
        metrics.register(RELOAD_FAILURES_TOTAL, "Changed TLS files that were refused", failures.clone());
        let tls = Self { current: Arc::new(watch::Sender::new(Arc::new(loaded))), clock: Arc::clone(clock) };
        let reload = Reload::new(files.clone(), contents, tls.clone(), expiry, failures)?;
        Ok((tls, reload))
    }
}
