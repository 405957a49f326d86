//! Connections whose other side does not read, or says nothing, hold up neither the server's end nor others.

use super::frames::*;
use super::*;
use milepost_proto::journal::v1::EntryFragment;
use tokio::net::TcpStream;

/// A stop that waits for the limit of the drain, or for a keep-alive, outlasts the test.
fn config() -> Config {
    let mut config = Config { drain_timeout: Duration::from_secs(3000), ..Config::default() };
    config.keepalive.preface_timeout = Duration::from_secs(3000);
    config.keepalive.first_call_timeout = Duration::from_secs(3000);
    config.keepalive.drain_grace = Duration::from_millis(100);
    config
}

async fn open_connections(server: &Running, count: usize) {
    soon(async {
        while server.metric("milepost_server_open_connections") < count as f64 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_without_calls_do_not_hold_up_a_stop() {
    let mut config = config();
    // Those that said nothing are not even given the grace.
    config.keepalive.drain_grace = Duration::from_secs(60);
    let server = Running::start(config).await;
    let _silent = sent(server.address, b"").await;
    let _half = sent(server.address, &PREFACE[..10]).await;
    let _admin = sent(server.admin, b"").await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (_client, connection) = h2::client::handshake(stream).await.unwrap();
    let reads = tokio::spawn(connection);
    open_connections(&server, 3).await;
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 0 });
    soon(reads).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_is_idle_and_does_not_read_is_given_a_grace_and_cut() {
    let server = Running::start(config()).await;
    let path = headers("/milepost.journal.v1.JournalService/GetLedgerInfo");
    let call = [frame(HEADERS, END_HEADERS, 1, &path), frame(DATA, END_STREAM, 1, &[0; 5])].concat();
    let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let _new = sent(server.address, &hello).await;
    let mut used = sent(server.address, &[hello, call].concat()).await;
    soon(read_frames(&mut used, HEADERS, 2)).await;
    open_connections(&server, 2).await;
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 0 });
}

/// A message larger than what the windows of these tests let through.
fn large() -> FollowResponse {
    let fragment = EntryFragment { data: vec![b'x'; 1 << 20].into(), ..Default::default() };
    FollowResponse { fragments: vec![fragment], tail: None, lineage: vec![], elapsed: None }
}

#[tokio::test]
async fn a_watcher_that_never_reads_does_not_hold_up_a_stop() {
    let server = Running::start(config()).await;
    let mut client = server.client().await;
    let stream = soon(client.follow(follow("scripted"))).await.unwrap();
    let sender = server.streams.lock()[0].clone();
    sender.send(Ok(large())).unwrap();
    // Its connection answers pings all the while; the stream stays where it is.
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 1 });
    drop((stream, sender));
}

#[tokio::test]
async fn a_call_that_is_being_answered_is_waited_for_beyond_the_grace() {
    let mut config = config();
    config.limits.unary_timeout = Duration::from_secs(1);
    let server = Running::start(config).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.get_ledger_info(info("mindful")).await });
    let open = "milepost_server_open_calls{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\"}";
    soon(async {
        while server.metric(open) < 1.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 0 });
    assert_eq!(call.await.unwrap().unwrap_err().message(), "what was there by the deadline");
}

/// It neither reads nor answers pings, and has asked for more than its socket takes.
#[tokio::test]
async fn a_connection_whose_socket_is_full_is_closed_although_nothing_can_be_said_to_it() {
    let mut config = config();
    config.keepalive.interval = Duration::from_secs(1);
    config.keepalive.timeout = Duration::from_secs(1);
    let server = Running::start(config).await;
    let most = 0x7fff_ffff_u32.to_be_bytes();
    let window = [&[0, 4][..], &most].concat();
    let more = (0x7fff_ffff_u32 - 0xffff).to_be_bytes();
    let path = headers("/milepost.journal.v1.JournalService/Follow");
    let unread = sent(
        server.address,
        &[
            PREFACE,
            &frame(SETTINGS, 0, 0, &window),
            &frame(WINDOW_UPDATE, 0, 0, &more),
            &frame(HEADERS, END_HEADERS, 1, &path),
            &frame(
                DATA,
                END_STREAM,
                1,
                &[0, 0, 0, 0, 10, 10, 8, b's', b'c', b'r', b'i', b'p', b't', b'e', b'd'],
            ),
        ]
        .concat(),
    )
    .await;
    soon(async {
        while server.streams.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let sender = server.streams.lock()[0].clone();
    for _ in 0..64 {
        sender.send(Ok(large())).unwrap();
    }
    soon(async {
        while server.metric("milepost_server_open_connections") > 0.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(unread);
    server.stop().await.unwrap();
}
