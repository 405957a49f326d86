//! TLS of connections to a server: whom it trusts, what it shows, and why it fails.
//!
//! Invariants: a connection is made only to a server whose certificate is valid for the name that was asked for; there
//! is no way to leave that out. Files are read again for every connection, so that certificates can be replaced while
//! the process runs. Every failure says what to change. Does not use the TLS of tonic, which refuses connectors of
//! one's own.

mod load;
mod stream;
mod words;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

pub(crate) use stream::Explained;
pub(crate) use words::is_fault;

/// How a server is trusted, and what is shown to it. All files are PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The CAs that may sign the server's certificate. `None`: those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The client certificate, and those that lead to its CA after it; needs the key. `None`: none is shown.
    pub certificate: Option<PathBuf>,
    /// The private key of the client certificate.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must be for. `None`: the host of the URL.
    pub domain: Option<String>,
}

impl TlsOptions {
    /// Whether what is given goes together.
    ///
    /// # Errors
    /// If there is a certificate without its key, or the reverse.
    pub fn check(&self) -> Result<(), Error> {
        let what = match (&self.certificate, &self.key) {
            (Some(_), None) => "a client certificate needs its private key: give that, too",
            (None, Some(_)) => "a private key needs its client certificate: give that, too",
            _ => return Ok(()),
        };
        Err(Error::Tls { what: what.to_owned() })
    }
}

/// TLS to one server; clones share what the system trusts, which takes long to read.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    options: TlsOptions,
    name: ServerName<'static>,
    trusted_by_system: Arc<OnceCell<Arc<RootCertStore>>>,
}

impl Tls {
    /// TLS to the server at this host.
    ///
    /// # Errors
    /// If the options do not go together, or the name is no name of a host.
    pub(crate) fn new(host: &str, options: TlsOptions) -> Result<Self, Error> {
        options.check()?;
        let name = options.domain.as_deref().unwrap_or(host);
        // An address of IPv6 has brackets in a URL.
        let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare);
        let name =
            name.map_err(|error| Error::Tls { what: format!("{host:?} is no name of a host: {error}") })?;
        Ok(Self { options, name, trusted_by_system: Arc::default() })
    }

    /// Shakes hands on a connection, in this time at most.
    ///
    /// # Errors
    /// Why there is no connection that can be trusted, for people.
    pub(crate) async fn connect<T>(&self, stream: T, time: Duration) -> io::Result<Explained<TlsStream<T>>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let connected = timeout(time, async {
            let config = self.config().await?;
            TlsConnector::from(Arc::new(config)).connect(self.name.clone(), stream).await
        });
        match connected.await {
            Ok(Ok(stream)) => Ok(Explained::new(stream)),
            Ok(Err(error)) => Err(words::handshake(error)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests;
