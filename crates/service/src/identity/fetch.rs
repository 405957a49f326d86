//! Fetches a small document over HTTP/1.1.
//!
//! Invariant: at most [`TIME`] and a given number of bytes are spent, and exactly the URL that was asked for is
//! fetched: no redirect is followed, no proxy of the environment is used, and a certificate is verified against the
//! authorities of the machine. Connections are not kept; keys are fetched every few minutes.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use milepost_types::without_number;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::url::bare;

/// How long a fetch may take.
pub(super) const TIME: Duration = Duration::from_secs(5);

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// No connection, or none that is safe.
    #[error("cannot connect: {}", without_number(&.0.to_string()))]
    Connect(std::io::Error),
    /// The host is no name that a certificate could have.
    #[error("its host is no name of a server")]
    Host,
    /// Not HTTP, or the connection broke.
    #[error("the connection failed: {}", with_sources(.0))]
    Http(#[from] hyper::Error),
    /// Another answer than 200; redirects are not followed.
    #[error("it was answered with status {0}")]
    Status(StatusCode),
    /// The document is larger than what is read.
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("it took longer than {} s", TIME.as_secs())]
    TimedOut,
}

/// Fetches documents.
#[derive(Clone)]
pub(super) struct Client {
    tls: TlsConnector,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that trusts the certificate authorities of the machine.
    pub(super) fn new() -> Self {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            tracing::warn!(
                ?errors,
                "the machine has no certificate authorities; nothing is fetched over https"
            );
        }
        Self::trusting(roots)
    }

    /// A client that trusts these certificate authorities.
    pub(super) fn trusting(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)) }
    }

    /// The document at a URL that was [checked](super::url::checked), of at most `most` bytes.
    pub(super) async fn get(&self, url: &Uri, most: usize) -> Result<Vec<u8>, FetchError> {
        let fetch = async {
            let is_https = url.scheme_str() == Some("https");
            let host = bare(url.host().ok_or(FetchError::Host)?);
            let port = url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
            let stream = TcpStream::connect((host, port)).await.map_err(FetchError::Connect)?;
            if !is_https {
                return exchange(stream, url, most).await;
            }
            let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchError::Host)?;
            let stream = self.tls.connect(name, stream).await.map_err(FetchError::Connect)?;
            exchange(stream, url, most).await
        };
        tokio::time::timeout(TIME, fetch).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

/// Sends the request and reads the document.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    url: &Uri,
    most: usize,
) -> Result<Vec<u8>, FetchError> {
    let (mut sender, connection) = http1::handshake::<_, NoBody>(TokioIo::new(stream)).await?;
    let read = async move {
        let answer = sender.send_request(request(url)).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        read(answer.into_body(), most).await
    };
    // What the connection ends with is found by whoever reads from it.
    let (document, _) = tokio::join!(read, connection);
    document
}

fn request(url: &Uri) -> Request<NoBody> {
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(NoBody);
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    let host = url.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    headers.insert(HOST, host.unwrap_or(HeaderValue::from_static("")));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("milepost/", env!("CARGO_PKG_VERSION"))));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    request
}

async fn read(mut body: hyper::body::Incoming, most: usize) -> Result<Vec<u8>, FetchError> {
    let mut document = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else { continue };
        if document.len() + data.remaining() > most {
            return Err(FetchError::TooLarge(most));
        }
        document.extend_from_slice(&data);
    }
    Ok(document)
}

/// The body of a request that has none.
struct NoBody;

impl Body for NoBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// hyper's errors do not print their sources, which say what happened.
fn with_sources(error: &hyper::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(
        || error.to_string(),
        |source| format!("{error}: {}", without_number(&source.to_string())),
    )
}
