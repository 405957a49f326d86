//! Handshakes with a server of rustls: what a client trusts, what it shows, and what it says of failures.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use milepost_proto::journal::v1::GetLedgerInfoRequest;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;

use super::*;
use crate::channel::Endpoint;
use crate::error::Failure;
use crate::testing::soon;

/// A CA and the directory of its files.
struct Office {
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

impl Office {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a certificate for this name, or for clients if that is none, and its key.
    fn issue(&self, host: Option<&str>) -> (PathBuf, PathBuf) {
        let mut params =
            CertificateParams::new(host.map(str::to_owned).into_iter().collect::<Vec<_>>()).unwrap();
        params.extended_key_usages = vec![match host {
            Some(_) => ExtendedKeyUsagePurpose::ServerAuth,
            None => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let key = KeyPair::generate().unwrap();
        let file = host.unwrap_or("client");
        let (certificate, private) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        fs::write(&certificate, params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        fs::write(&private, key.serialize_pem()).unwrap();
        (certificate, private)
    }

    fn authorities(&self) -> RootCertStore {
        let mut authorities = RootCertStore::empty();
        authorities.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        authorities
    }

    /// A server with a certificate for this name that requires client certificates of another office, if any; its
    /// port. It has no services.
    async fn serve(&self, host: &str, clients: Option<&Office>) -> u16 {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            Some(clients) => {
                let authorities = Arc::new(clients.authorities());
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider).build();
                builder.with_client_cert_verifier(verifier.unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        let (certificate, key) = self.issue(Some(host));
        let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accept, incoming) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                match acceptor.accept(stream).into_fallible().await {
                    Ok(mut stream) => {
                        let (mut near, far) = tokio::io::duplex(64 * 1024);
                        accept.send(Ok::<_, io::Error>(far)).unwrap();
                        tokio::spawn(async move { copy_bidirectional(&mut stream, &mut near).await });
                    }
                    Err((_, mut stream)) => drop(stream.read_to_end(&mut Vec::new()).await),
                }
            }
        });
        let server = tonic::transport::Server::builder().add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(UnboundedReceiverStream::new(incoming)));
        port
    }
}

async fn call(url: &str, options: TlsOptions) -> Failure {
    let channel = Endpoint::parse(url).unwrap().tls(options).unwrap().channel();
    let mut journal = JournalServiceClient::new(channel);
    soon(journal.get_ledger_info(GetLedgerInfoRequest::default())).await.unwrap_err().into()
}

/// That a call came as far as the server, which has no such method.
#[track_caller]
fn assert_reached(failure: &Failure) {
    assert!(!failure.connection && failure.code == tonic::Code::Unimplemented, "{failure:?}");
}

#[track_caller]
fn assert_refused(failure: &Failure, says: &str) {
    assert!(failure.tls && failure.connection, "{failure:?}");
    assert!(failure.to_string().contains(says), "{failure}");
}

fn trusting(path: PathBuf) -> TlsOptions {
    TlsOptions { ca: Some(path), ..TlsOptions::default() }
}

#[tokio::test]
async fn a_server_is_trusted_by_its_ca_and_its_name() {
    let (office, other) = (Office::new("office"), Office::new("other"));
    let port = office.serve("localhost", None).await;
    let url = format!("https://localhost:{port}");
    assert_reached(&call(&url, trusting(office.path("ca.pem"))).await);
    assert_refused(&call(&url, trusting(other.path("ca.pem"))).await, "give its CA by --ca");
    let by_address = format!("https://127.0.0.1:{port}");
    let wrong = call(&by_address, trusting(office.path("ca.pem"))).await;
    assert_refused(&wrong, "is not for 127.0.0.1, but for");
    let domain = Some("localhost".to_owned());
    assert_reached(&call(&by_address, TlsOptions { domain, ..trusting(office.path("ca.pem")) }).await);
    let missing = call(&url, trusting(office.path("none.pem"))).await;
    assert_refused(&missing, "none.pem cannot be used for TLS: No such file");
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_read_again_for_each_connection() {
    let (office, clients, other) = (Office::new("office"), Office::new("clients"), Office::new("other"));
    let url = format!("https://localhost:{}", office.serve("localhost", Some(&clients)).await);
    let ca = trusting(office.path("ca.pem"));
    assert_refused(&call(&url, ca.clone()).await, "give one by --cert and --cert-key");
    let (certificate, key) = other.issue(None);
    let options = TlsOptions { certificate: Some(certificate.clone()), key: Some(key.clone()), ..ca };
    assert_refused(&call(&url, options.clone()).await, "does not trust the CA of the client certificate");
    let (good_certificate, good_key) = clients.issue(None);
    fs::copy(good_certificate, certificate).unwrap();
    assert_refused(&call(&url, options.clone()).await, "is not the key of");
    fs::copy(good_key, key).unwrap();
    assert_reached(&call(&url, options).await);
}

#[test]
fn half_of_a_pair_is_refused_and_addresses_are_names() {
    let path = Some(PathBuf::from("a.pem"));
    for (options, missing) in [
        (TlsOptions { certificate: path.clone(), ..TlsOptions::default() }, "needs its private key"),
        (TlsOptions { key: path, ..TlsOptions::default() }, "needs its client certificate"),
        (TlsOptions { domain: Some("a b".to_owned()), ..TlsOptions::default() }, "no name of a host"),
    ] {
        let error = Tls::new("localhost", options).unwrap_err().to_string();
        assert!(error.contains(missing), "{error}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]", "registry.office.example"] {
        assert!(Tls::new(host, TlsOptions::default()).is_ok(), "{host}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_what_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let office = Office::new("any");
    assert_refused(
        &call(&url, trusting(office.path("ca.pem"))).await,
        "the server speaks no TLS: write http://",
    );
}
