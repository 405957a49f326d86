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
use tokio::sync::OnceCell;
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
#[derive(Default)]
pub(super) struct Client {
    /// Made at the first fetch over https: reading the authorities of the machine takes a while.
    tls: OnceCell<TlsConnector>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
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
            let stream = self.tls().await.connect(name, stream).await.map_err(FetchError::Connect)?;
            exchange(stream, url, most).await
        };
        tokio::time::timeout(TIME, fetch).await.unwrap_or(Err(FetchError::TimedOut))
    }

    async fn tls(&self) -> &TlsConnector {
        let make = async {
            let roots = tokio::task::spawn_blocking(authorities_of_machine).await;
            // It fails only while the runtime stops, when nothing is fetched any more.
            trusting(roots.unwrap_or_else(|_| RootCertStore::empty()))
        };
        self.tls.get_or_init(|| make).await
    }
}

fn authorities_of_machine() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!(?errors, "the machine has no certificate authorities; fetches over https fail");
    }
    roots
}

fn trusting(roots: RootCertStore) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::super::testing::KeyServer;
    use super::*;

    fn url(text: &str) -> Uri {
        super::super::url::checked(text).unwrap()
    }

    #[tokio::test]
    async fn a_document_is_fetched_up_to_its_limit() {
        let server = KeyServer::start(&[]).await;
        server.answer(StatusCode::OK, "x".repeat(100_000));
        let get = async |most| Client::default().get(&url(&server.url("/keys")), most).await;
        assert_eq!(get(100_000).await.unwrap().len(), 100_000);
        assert!(matches!(get(99_999).await, Err(FetchError::TooLarge(99_999))));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let server = KeyServer::start(&[]).await;
        for status in [StatusCode::FOUND, StatusCode::PERMANENT_REDIRECT, StatusCode::NOT_FOUND] {
            server.answer(status, "");
            let before = server.fetches();
            let fetched = Client::default().get(&url(&server.url("/keys")), 100).await;
            assert!(matches!(fetched, Err(FetchError::Status(given)) if given == status), "{fetched:?}");
            assert_eq!(server.fetches(), before + 1);
        }
    }

    #[tokio::test]
    async fn what_is_not_http_and_who_is_not_there_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = url(&format!("http://{}/", listener.local_addr().unwrap()));
        let talk = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
            // Until the client has read it and gone.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        };
        let client = Client::default();
        let (fetched, ()) = tokio::join!(client.get(&address, 100), talk);
        assert!(matches!(fetched, Err(FetchError::Http(_))), "{fetched:?}");
        drop(listener);
        let fetched = client.get(&address, 100).await;
        assert!(matches!(fetched, Err(FetchError::Connect(_))), "{fetched:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = url(&format!("http://{}/", listener.local_addr().unwrap()));
        let fetched = Client::default().get(&address, 100).await;
        assert!(matches!(fetched, Err(FetchError::TimedOut)), "{fetched:?}");
    }

    /// A certificate authority, and the configuration of a server with a certificate of it for this name.
    fn server_of(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        (authority.der().clone(), Arc::new(config))
    }

    #[tokio::test]
    async fn over_https_only_a_certificate_of_a_trusted_authority_for_the_host_is_accepted() {
        let (right, config) = server_of("localhost");
        let (other, _) = server_of("localhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(config);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer).await;
            }
        });
        for (authority, host, is_accepted) in
            [(&right, "localhost", true), (&other, "localhost", false), (&right, "127.0.0.1", false)]
        {
            let mut roots = RootCertStore::empty();
            roots.add(authority.clone()).unwrap();
            let client = Client { tls: OnceCell::new_with(Some(trusting(roots))) };
            let fetched = client.get(&url(&format!("https://{host}:{port}/")), 100).await;
            assert_eq!(fetched.is_ok(), is_accepted, "{host}: {fetched:?}");
            assert!(is_accepted || matches!(fetched, Err(FetchError::Connect(_))), "{host}: {fetched:?}");
        }
        server.abort();
    }
}
