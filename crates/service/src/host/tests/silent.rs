//! Connections that do not say what they came for give their places back.

use super::frames::*;
use super::*;
use tokio::net::TcpStream;

/// Far longer than the tests, so that what is cut was cut for the reason at hand.
const LONG: Duration = Duration::from_secs(3000);
const SHORT: Duration = Duration::from_millis(100);

fn config(preface_timeout: Duration, first_call_timeout: Duration) -> Config {
    let mut config = Config::default();
    config.keepalive.preface_timeout = preface_timeout;
    config.keepalive.first_call_timeout = first_call_timeout;
    config.keepalive.drain_grace = SHORT;
    config
}

async fn no_connection_is_open(server: &Running) {
    soon(async {
        while server.metric("milepost_server_open_connections") > 0.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_that_say_nothing_or_half_a_preface_give_their_places_back() {
    let mut config = config(SHORT, LONG);
    config.limits.max_connections = 3;
    let server = Running::start(config).await;
    let mut silent = Vec::new();
    for bytes in [&b""[..], b"P", &PREFACE[..PREFACE.len() - 1]] {
        silent.push(sent(server.address, bytes).await);
    }
    for socket in silent {
        closed(socket).await;
    }
    no_connection_is_open(&server).await;
    server.client().await.get_ledger_info(info("there is room")).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_without_a_call_is_asked_to_go_and_then_closed() {
    let server = Running::start(config(SHORT, SHORT)).await;
    let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let path = headers("/milepost.journal.v1.JournalService/GetLedgerInfo");
    // Nothing more; half of a call's headers; a frame that does not come to its end.
    for (what, rest) in [
        ("settings alone", vec![]),
        ("half of the headers", frame(HEADERS, 0, 1, &path[..20])),
        ("half of a frame", frame(HEADERS, END_HEADERS, 1, &path)[..20].to_vec()),
    ] {
        let said = closed(sent(server.address, &[&hello[..], &rest].concat()).await).await;
        let goaway = [&[GOAWAY, 0, 0, 0, 0, 0][..], &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]].concat();
        assert!(said.windows(goaway.len()).any(|part| part == goaway), "{what}: {said:?}");
    }
    // One that reads goes by itself, without an error.
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (_client, connection) = h2::client::handshake(stream).await.unwrap();
    soon(connection).await.unwrap();
    no_connection_is_open(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_had_a_call_stays_however_long_it_is_idle() {
    let server = Running::start(config(SHORT, SHORT)).await;
    let mut socket = sent(server.address, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    let call = |stream| {
        let headers = headers("/milepost.journal.v1.JournalService/GetLedgerInfo");
        [frame(HEADERS, END_HEADERS, stream, &headers), frame(DATA, END_STREAM, stream, &[0; 5])].concat()
    };
    soon(async {
        tokio::io::AsyncWriteExt::write_all(&mut socket, &call(1)).await.unwrap();
        // The head and the trailers.
        read_frames(&mut socket, HEADERS, 2).await;
    })
    .await;
    // Two that came later went meanwhile, one after the other.
    for _ in 0..2 {
        closed(sent(server.address, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await).await;
    }
    soon(async {
        tokio::io::AsyncWriteExt::write_all(&mut socket, &call(3)).await.unwrap();
        read_frames(&mut socket, HEADERS, 2).await;
    })
    .await;
    drop(socket);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_http_2_is_closed_at_once() {
    let server = Running::start(config(LONG, LONG)).await;
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    closed(sent(server.address, request).await).await;
    no_connection_is_open(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_admin_port_does_not_wait_for_ever_either() {
    let server = Running::start(config(SHORT, SHORT)).await;
    for bytes in [&b""[..], b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"] {
        closed(sent(server.admin, bytes).await).await;
    }
    // After an answer it waits for another request, no longer.
    let said = closed(sent(server.admin, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await).await;
    assert!(said.ends_with(b"alive\n"), "{said:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_admin_connection_too_many_is_told_so() {
    let server = Running::start(config(LONG, LONG)).await;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(sent(server.admin, b"").await);
    }
    let said = closed(sent(server.admin, b"GET /healthz HTTP/1.1\r\n\r\n").await).await;
    assert!(said.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&said));
    // They hold up the end no more than they say.
    server.stop().await.unwrap();
}
