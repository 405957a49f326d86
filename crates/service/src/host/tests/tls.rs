//! TLS: who is let in, who a call comes from, and what the other side hears that is not.

use super::*;
use crate::host::tls::testing::{Authority, DAY, Home, Pair, Usage};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use milepost_types::{Clock, SystemClock};
use rustix::process::{Signal, getpid, kill_process};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::service_fn;

/// A server with TLS, the CA of its certificate, and one of clients.
struct Secure {
    server: Running,
    home: Home,
    servers: Authority,
    clients: Authority,
}

impl Secure {
    async fn start() -> Self {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let home = Home::new(&issue(&servers, Usage::Server, DAY), Some(&clients.pem));
        let server = Running::start(Config { tls: home.files(), ..Config::default() }).await;
        Self { server, home, servers, clients }
    }

    /// Shakes hands as a client with this certificate, if any, and reads on: alerts of TLS 1.3 come later.
    async fn shake_hands(&self, pair: Option<&Pair>, alpn: &[&str]) -> io::Result<TlsStream<TcpStream>> {
        let mut authorities = RootCertStore::empty();
        authorities.add(self.servers.certificate_der()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(authorities);
        let mut config = match pair {
            Some(pair) => {
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![pair.certificate_der()], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let socket = TcpStream::connect(self.server.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        soon(TlsConnector::from(Arc::new(config)).connect(name, socket)).await
    }

    /// What the server says to a client with this certificate that makes no call.
    async fn refusal(&self, pair: &Pair) -> String {
        let mut stream = self.shake_hands(Some(pair), &["h2"]).await.unwrap();
        let heard = soon(stream.read_to_end(&mut Vec::new())).await;
        heard.expect_err("the server refuses it").to_string()
    }

    async fn client(&self, pair: Option<&Pair>) -> JournalServiceClient<Channel> {
        let mut streams = vec![self.shake_hands(pair, &["h2"]).await.unwrap()];
        let connect = service_fn(move |_: http::Uri| {
            let stream = streams.pop().ok_or_else(|| io::Error::other("there was one connection"));
            async move { stream.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        JournalServiceClient::new(soon(endpoint.connect_with_connector(connect)).await.unwrap())
    }
}

fn issue(authority: &Authority, usage: Usage, left: SignedDuration) -> Pair {
    let now: Timestamp = SystemClock.now();
    authority.issue(usage, &["spiffe://office/registry"], now - DAY, now + left)
}

#[tokio::test]
async fn a_call_over_tls_knows_the_address_and_the_certificate_of_its_peer() {
    let secure = Secure::start().await;
    let pair = issue(&secure.clients, Usage::Client, DAY);
    let mut client = secure.client(Some(&pair)).await;
    let answer = soon(client.get_ledger_info(info("peer"))).await.unwrap().into_inner();
    assert_eq!(answer.ledger, "127.0.0.1 spiffe://office/registry");
    let mut anonymous = secure.client(None).await;
    let answer = soon(anonymous.get_ledger_info(info("peer"))).await.unwrap().into_inner();
    assert_eq!(answer.ledger, "127.0.0.1 no certificate");
    let mut stream = soon(client.follow(follow("scripted"))).await.unwrap().into_inner();
    secure.server.streams.lock()[0].send(Ok(FollowResponse::default())).unwrap();
    assert!(soon(stream.message()).await.unwrap().is_some());
    secure.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_does_not_count_is_refused_with_an_alert_that_says_why() {
    let secure = Secure::start().await;
    let cases = [
        (issue(&secure.servers, Usage::Client, DAY), "UnknownCA"),
        (issue(&secure.clients, Usage::Server, DAY), "UnsupportedCertificate"),
        (issue(&secure.clients, Usage::Any, DAY), "UnsupportedCertificate"),
        (issue(&secure.clients, Usage::Client, -DAY / 2), "CertificateExpired"),
    ];
    for (pair, alert) in cases {
        let said = secure.refusal(&pair).await;
        assert!(said.contains(alert), "{said} is not {alert}");
    }
    let other = secure.shake_hands(None, &["http/1.1"]).await.expect_err("it speaks no HTTP/2");
    assert!(other.to_string().contains("NoApplicationProtocol"), "{other}");
    let mut silent = secure.shake_hands(None, &[]).await.unwrap();
    assert_eq!(soon(silent.read(&mut [0; 9])).await.unwrap(), 0, "it does not say what it speaks");
}

#[tokio::test]
async fn a_client_without_tls_hears_that_the_port_speaks_nothing_else() {
    let secure = Secure::start().await;
    let refused = soon(secure.server.client().await.get_ledger_info(info("any"))).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "PROTOCOL_VIOLATION"));
    assert!(refused.message().contains("https://"), "{refused}");
}

#[tokio::test]
async fn a_client_with_tls_hears_from_a_port_without_it_that_it_is_the_wrong_one() {
    let server = Running::start(Config::default()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).await.unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("connect with http://"), "{answer}");
}

#[tokio::test]
async fn a_connection_ends_with_its_certificate() {
    let secure = Secure::start().await;
    let pair = issue(&secure.clients, Usage::Client, SignedDuration::from_secs(2));
    let mut client = secure.client(Some(&pair)).await;
    let mut stream = soon(client.follow(follow("never ends"))).await.unwrap().into_inner();
    assert!(soon(stream.message()).await.unwrap().is_some());
    assert!(soon(stream.message()).await.is_err(), "the server ended it");
}

#[tokio::test]
async fn connections_whose_ca_is_removed_are_closed_and_others_are_not() {
    let secure = Secure::start().await;
    let pair = issue(&secure.clients, Usage::Client, DAY);
    let mut removed = secure.client(Some(&pair)).await;
    let mut removed = soon(removed.follow(follow("never ends"))).await.unwrap().into_inner();
    let mut kept = secure.client(None).await;
    let mut stream = soon(kept.follow(follow("scripted"))).await.unwrap().into_inner();
    assert!(soon(removed.message()).await.unwrap().is_some());
    secure.home.write("clients.pem", &Authority::new("others").pem);
    kill_process(getpid(), Signal::HUP).unwrap();
    assert!(soon(removed.message()).await.is_err(), "the server ended it");
    secure.server.streams.lock()[0].send(Ok(FollowResponse::default())).unwrap();
    assert!(soon(stream.message()).await.unwrap().is_some());
    assert!(secure.refusal(&pair).await.contains("UnknownCA"));
    assert_eq!(secure.server.metric("milepost_server_tls_reload_failures_total"), 0.0);
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_cut_in_time() {
    let (servers, mut config) = (Authority::new("servers"), Config::default());
    config.keepalive.preface_timeout = Duration::from_millis(100);
    let home = Home::new(&issue(&servers, Usage::Server, DAY), None);
    config.tls = home.files();
    let server = Running::start(config).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut rest = Vec::new();
    assert!(!matches!(soon(socket.read_to_end(&mut rest)).await, Ok(1..)), "{rest:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_address_that_others_reach_is_shown_wherever_operators_look() {
    let config = Config { listen: ([0, 0, 0, 0], 0).into(), ..Config::default() };
    let server = Running::start(Config { insecure_network: true, ..config }).await;
    soon(server.client().await.get_ledger_info(info("any"))).await.unwrap();
    assert_eq!(server.metric("milepost_server_insecure_network"), 1.0);
    let report = server.context.readiness.report();
    assert_eq!(report.checks["server.insecure_network"].as_str(), "degraded");
    let local = Running::start(Config::default()).await;
    soon(local.client().await.get_ledger_info(info("any"))).await.unwrap();
    assert_eq!(local.metric("milepost_server_insecure_network"), 0.0);
    assert!(!local.context.readiness.report().checks.contains_key("server.insecure_network"));
}
