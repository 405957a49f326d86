//! Handshakes: from an accepted socket to an encrypted stream, and the client on its other side.
//!
//! Invariants: a handshake moves bytes by the polls of its socket, as everything after it does; why one failed
//! reaches the other side before the socket is closed. A client is watched as long as its connection lives.

use super::Tls;
use super::certificate::read;
use super::load::{Loaded, unix_time};
use crate::host::accept::tell;
use crate::host::socket::Socket;
use crate::identity::PeerCertificate;
use milepost_types::Clock;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest, Sha256};
use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// How long the other side may take to hear why its handshake failed.
const ALERT_TIME: Duration = Duration::from_secs(1);

/// What HTTP/2 is spoken on.
pub(in crate::host) type Stream = Either<Socket<TcpStream>, Box<TlsStream<Socket<TcpStream>>>>;

/// The client certificate of a connection, while that lasts.
pub(in crate::host) struct Client {
    pub(in crate::host) certificate: Arc<PeerCertificate>,
    /// As it was shown, its own first.
    chain: Vec<CertificateDer<'static>>,
    current: watch::Receiver<Arc<Loaded>>,
    clock: Arc<dyn Clock>,
}

impl Tls {
    /// Shakes hands on a socket. `None` if the other side gave no certificate.
    ///
    /// # Errors
    /// Why it failed; the other side has heard it.
    pub(in crate::host) async fn accept(
        &self,
        socket: &Socket<TcpStream>,
    ) -> io::Result<(Stream, Option<Client>)> {
        let mut current = self.current.subscribe();
        let acceptor = TlsAcceptor::from(Arc::clone(&current.borrow_and_update().config));
        let mut accepting = pin!(acceptor.accept(socket.clone()).into_fallible());
        let accepted = poll_fn(|cx| socket.poll_connection(accepting.as_mut(), cx)).await;
        let stream = match accepted {
            Ok(stream) => stream,
            Err((error, socket)) => {
                // What is held by the socket is the alert.
                let _ = timeout(ALERT_TIME, tell(socket, b"")).await;
                return Err(error);
            }
        };
        let session = stream.get_ref().1;
        if session.alpn_protocol() != Some(b"h2") {
            let _ = timeout(ALERT_TIME, tell(stream, b"")).await;
            return Err(io::Error::other("it did not say by ALPN that it speaks HTTP/2"));
        }
        let chain = session.peer_certificates().map(<[_]>::to_vec);
        let client = match chain {
            Some(chain) => Some(self.client(chain, current).map_err(io::Error::other)?),
            None => None,
        };
        Ok((Either::Right(Box::new(stream)), client))
    }

    fn client(
        &self,
        chain: Vec<CertificateDer<'static>>,
        current: watch::Receiver<Arc<Loaded>>,
    ) -> Result<Client, String> {
        let first = chain.first().ok_or("it gave an empty chain of certificates")?;
        let own = read(first)?;
        let fingerprint = Sha256::digest(first).into();
        let certificate = PeerCertificate { uris: own.uri_sans, fingerprint, not_after: own.not_after };
        Ok(Client { certificate: Arc::new(certificate), chain, current, clock: Arc::clone(&self.clock) })
    }
}

impl Client {
    /// Waits until the certificate counts no more; why it does not.
    pub(in crate::host) async fn ended(&mut self) -> &'static str {
        let left = self.certificate.not_after.duration_since(self.clock.now());
        let mut expiry = pin!(tokio::time::sleep(left.try_into().unwrap_or_default()));
        loop {
            let changed = async {
                if self.current.changed().await.is_err() {
                    // The server ends, and its connections with it.
                    pending::<()>().await;
                }
            };
            tokio::select! {
                () = &mut expiry => return "its client certificate expired",
                () = changed => {}
            }
            if !self.is_verified() {
                return "its client certificate is not signed by a CA of clients any more";
            }
        }
    }

    fn is_verified(&mut self) -> bool {
        let loaded = Arc::clone(&self.current.borrow_and_update());
        let now = unix_time(self.clock.now());
        let verified = self.chain.split_first().zip(loaded.clients.as_ref());
        verified.is_some_and(|((own, rest), clients)| clients.verify_client_cert(own, rest, now).is_ok())
    }
}
