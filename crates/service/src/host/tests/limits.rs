//! Too many calls and connections: each is answered or refused, none hangs.

use super::frames::*;
use super::*;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;

#[tokio::test]
async fn a_call_too_many_is_refused_at_once_and_room_comes_back() {
    let mut config = Config::default();
    config.limits.max_calls = 2;
    let server = Running::start(config).await;
    let mut client = server.client().await;
    let first = client.follow(follow("never ends")).await.unwrap();
    let _second = client.follow(follow("never ends")).await.unwrap();
    let error = soon(client.follow(follow("never ends"))).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::ResourceExhausted, "TOO_MANY"));
    assert_eq!(error.get_details_error_info().unwrap().metadata["limit"], "2");
    assert!(error.get_details_retry_info().is_some());

    // A full server still says that it is alive.
    let mut health = HealthClient::new(server.channel().await);
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());

    drop(first);
    soon(async {
        while client.get_ledger_info(info("room again")).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.context.drain.cancel();
    drop(_second);
    drop(client);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn those_who_watch_health_are_limited_too_and_take_no_room_of_others() {
    let server = Running::start(Config::default()).await;
    let health = HealthClient::new(server.channel().await);
    let service = || "milepost.journal.v1.JournalService".to_owned();
    let open = |_| {
        let mut health = health.clone();
        async move { health.watch(HealthCheckRequest { service: service() }).await }
    };
    let answers = soon(join_all((0..1_100).map(open))).await;
    let (watching, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((watching.len(), refused.len()), (1_000, 100));
    let error = refused.into_iter().find_map(Result::err).unwrap();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::ResourceExhausted, "TOO_MANY"));
    assert!(health.clone().check(HealthCheckRequest { service: service() }).await.is_ok());
    assert!(server.client().await.get_ledger_info(info("fine")).await.is_ok());
    drop((watching, health));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_are_each_served_or_refused() {
    for connections in [1, 4] {
        let mut config = Config::default();
        config.limits.max_calls = 6_000;
        config.drain_timeout = Duration::from_millis(100);
        let server = Running::start(config).await;
        let channels = join_all((0..connections).map(|_| server.channel())).await;
        let open = |i: usize| {
            let mut client = JournalServiceClient::new(channels[i % connections].clone());
            async move { client.follow(follow("never ends")).await }
        };
        let answers = soon(join_all((0..10_000).map(open))).await;
        let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((served.len(), refused.len()), (6_000, 4_000));
        for error in refused.into_iter().filter_map(Result::err) {
            assert_eq!(
                (error.code(), reason(&error).as_str()),
                (Code::ResourceExhausted, "TOO_MANY"),
                "{error:?}"
            );
        }
        assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: connections });
    }
}

#[tokio::test]
async fn one_connection_asks_for_more_streams_than_there_may_be_and_waits_for_none() {
    let mut config = Config::default();
    config.limits.max_calls = 10;
    config.drain_timeout = Duration::from_millis(100);
    let server = Running::start(config).await;
    let client = server.client().await;
    let open = |_| {
        let mut client = client.clone();
        async move { client.follow(follow("never ends")).await }
    };
    let answers = soon(join_all((0..3_000).map(open))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_closed_at_once() {
    let mut config = Config::default();
    config.limits.max_connections = 1;
    let server = Running::start(config).await;
    let mut client = server.client().await;
    client.get_ledger_info(info("fine")).await.unwrap();
    for _ in 0..20 {
        let mut second = server.client().await;
        let error = soon(second.get_ledger_info(info("fine"))).await.unwrap_err();
        assert_eq!(
            (error.code(), reason(&error).as_str()),
            (Code::ResourceExhausted, "TOO_MANY"),
            "{error:?}"
        );
        let metadata = error.get_details_error_info().unwrap().metadata;
        assert_eq!((metadata["what"].as_str(), metadata["limit"].as_str()), ("connections", "1"));
        assert!(error.get_details_retry_info().is_some());
    }
    // One that says nothing is not waited for.
    closed(sent(server.address, b"").await).await;
    assert!(server.metric("milepost_server_refused_connections_total") >= 21.0);
    assert_eq!(server.metric("milepost_server_open_connections"), 1.0);

    drop(client);
    soon(async {
        while server.metric("milepost_server_open_connections") > 0.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.client().await.get_ledger_info(info("room again")).await.unwrap();
    server.stop().await.unwrap();
}

/// A call that is refused is answered before its message has come. A message that comes after that is no fault.
#[tokio::test]
async fn messages_of_calls_that_were_refused_do_not_end_the_connection() {
    const CALLS: u32 = 3_000;
    let server = Running::start(Config::default()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let headers = headers("/none/Of");
    let streams = || (0..CALLS).map(|call| 2 * call + 1);
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    bytes.extend(streams().flat_map(|stream| frame(HEADERS, END_HEADERS, stream, &headers)));
    let messages = streams().flat_map(|stream| frame(DATA, END_STREAM, stream, &[0; 5]));
    let messages: Vec<u8> = messages.chain(frame(PING, 0, 0, &[0; 8])).collect();
    soon(async {
        socket.write_all(&bytes).await.unwrap();
        read_frames(&mut socket, HEADERS, CALLS as usize).await;
        socket.write_all(&messages).await.unwrap();
        read_frames(&mut socket, PING, 1).await;
    })
    .await;
    drop(socket);
    server.stop().await.unwrap();
}
