//! Planned ends: streams announce their end, calls finish, the limit holds, and a second signal does not wait.

use std::time::{Duration, Instant};

use milepost_client::{CredentialChannel, Endpoint, Failure, Pool};
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::event_service_client::EventServiceClient;
use milepost_proto::notifier::v1::{WatchEventsRequest, WatchEventsResponse};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use milepost_tests::command::{Command, create_portfolio, create_project, project};
use milepost_tests::history::everything;
use milepost_tests::watching::Watching;
use milepost_tests::{Cluster, Role, within};
use milepost_types::{HashPrefix, LedgerKind, Position, Revision};
use rustix::process::Signal;
use tonic::{Code, Streaming};

const PATIENCE: Duration = Duration::from_secs(30);

async fn watch(channel: CredentialChannel) -> Streaming<WatchEventsResponse> {
    let request = WatchEventsRequest { selection: Some(everything()), ..WatchEventsRequest::default() };
    EventServiceClient::new(channel).watch_events(request).await.expect("a stream").into_inner()
}

/// A stream on a connection of its own that nobody reads, with more behind it than fits on the way.
async fn unread(cluster: &Cluster) -> Streaming<WatchEventsResponse> {
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for number in 0..20 {
        let request = |member| {
            let id = format!("large-{number}-{member}");
            registry::CreateProjectRequest {
                request_id: String::new(),
                project: Some(registry::Project { purpose: "长".repeat(4000), ..project(&id) }),
                ..create_project("p", &id)
            }
        };
        let request = registry::BatchCreateProjectsRequest {
            parent: "portfolios/p".to_owned(),
            requests: (0..20).map(request).collect(),
            ..Default::default()
        };
        Command::CreateProjects(Box::new(request)).once(&client).await.expect("projects");
    }
    milepost_tests::history::settled(&client).await;
    let endpoint = tonic::transport::Endpoint::from_shared(cluster.server(Role::All).url()).expect("a URL");
    let pool = Pool::from(endpoint.connect().await.expect("a connection"));
    let mut stream = watch(pool.channel()).await;
    within(PATIENCE, "first message", stream.message()).await.expect("a message");
    // Until the server can send no more of it.
    let admin = cluster.server(Role::All).admin();
    let mut last = (String::new(), 0);
    milepost_tests::wait::until(PATIENCE, "a stream that is full", async || {
        let (_, metrics) = milepost_tests::http::get(admin, "/metrics").await.map_err(|e| e.to_string())?;
        let name = "milepost_notifier_delivered_events_total";
        let now = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        last.1 = if now == last.0 { last.1 + 1 } else { 0 };
        last.0 = now;
        if last.1 >= 30 { Ok(()) } else { Err(last.0.clone()) }
    })
    .await;
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watch_is_told_to_reconnect_and_then_ended() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    let pool = Endpoint::parse(&cluster.server(Role::All).url()).expect("a URL").pool(4);
    let leases: Vec<_> = (0..40).map(|_| pool.lease()).collect();
    let mut streams = Vec::new();
    for lease in &leases {
        let mut stream = watch(lease.channel()).await;
        within(PATIENCE, "first message", stream.message()).await.expect("a message");
        streams.push(stream);
    }
    let watching = Watching::start(&client, everything(), 0);

    let server = cluster.take(Role::All);
    let asked = Instant::now();
    server.signal(Signal::TERM);
    for mut stream in streams {
        let mut drained = None;
        let ended = loop {
            match within(PATIENCE, "end of a stream", stream.message()).await {
                Ok(Some(message)) => {
                    assert!(drained.is_none(), "a drain is the last message: {message:?}");
                    drained = message.drain;
                }
                Ok(None) => panic!("the stream ended without a status"),
                Err(status) => break Failure::from(status),
            }
        };
        assert_eq!((ended.code, ended.reason), (Code::Unavailable, Some(Reason::Draining)), "{ended}");
        let after = drained.expect("a drain before the end").reconnect_after;
        assert!(after.is_some(), "the drain says when to reconnect");
    }
    let status = server.ended().await;
    assert!(status.success(), "it ended with {status}");
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}, with nothing left to wait for");

    // A client that knows cursors goes on as if nothing had been.
    cluster.start().await;
    create_project_later(&cluster).await;
    let log = milepost_tests::history::events(&client, everything()).await;
    assert!(watching.finish(log.len()).await == log, "the watcher saw other events than the log has");
}

async fn create_project_later(cluster: &Cluster) {
    let client = cluster.client(1);
    let command = Command::CreateProject(Box::new(create_project("p", "later")));
    command.once(&client).await.expect("a project");
    milepost_tests::history::settled(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_read_or_say_nothing_are_given_a_grace_and_hold_up_a_stop_no_longer() {
    let mut cluster = Cluster::all(&[("drain_timeout", "10m"), ("keepalive.drain_grace", "2s")]);
    cluster.start().await;
    let _unread = unread(&cluster).await;
    let server = cluster.take(Role::All);
    let address = server.url().trim_start_matches("http://").to_owned();
    let _silent = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let asked = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ended().await;
    assert!(status.success(), "it ended with {status}");
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(2), "nothing was waited for: the client is no test ({took:?})");
    // It was cut because it did not read; nothing was left for the drain's limit.
    let log = milepost_tests::log::read_from(&cluster.launch(Role::All).log, 0);
    for (parts, count) in [
        (["connection cut: it does not read", "open_streams=1"], 1),
        (["stopped", "dropped_connections=1"], 1),
        (["dropped what was open", "drain's limit"], 0),
    ] {
        assert_eq!(milepost_tests::log::lines_with(&log, &parts).len(), count, "{parts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let mut cluster = Cluster::all(&[("drain_timeout", "10m"), ("keepalive.drain_grace", "1m")]);
    cluster.start().await;
    let _unread = unread(&cluster).await;
    let server = cluster.take(Role::All);
    server.signal(Signal::TERM);
    milepost_tests::wait::until(PATIENCE, "beginning of the drain", async || {
        let log = server.log();
        if log.contains("draining") { Ok(()) } else { Err(log) }
    })
    .await;
    let asked = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ended().await;
    assert_eq!(status.code(), Some(143), "it ended with {status}");
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "at once took {took:?}");
    cluster.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_what_cannot_come_any_more_does_not_hold_up_the_end() {
    let mut cluster = Cluster::all(&[("drain_timeout", "10m")]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    milepost_tests::history::settled(&client).await;
    let tail = milepost_tests::history::info(&client, LedgerKind::Registry).await.tail.expect("a tail");
    let position = Position {
        log: tail.log_id.parse().expect("a log id"),
        sequence: tail.sequence + 1,
        hash: HashPrefix::from_bytes([1; 8]),
    };
    let to_come = Revision { ledger: LedgerKind::Registry, position }.to_string();
    let request = tracker::ListMilestonesRequest {
        parent: "portfolios/p/projects/-".to_owned(),
        min_revisions: vec![to_come],
        ..Default::default()
    };
    let mut milestones = client.milestones();
    let waiting = tokio::spawn(async move { milestones.list_milestones(request).await });
    // The server must have the call before it is asked to stop.
    let open =
        r#"milepost_server_open_calls{method="milepost.tracker.v1.MilestoneService/ListMilestones"} 1"#;
    let server = cluster.take(Role::All);
    let admin = server.admin();
    milepost_tests::wait::until(PATIENCE, "the waiting call", async || {
        let (_, metrics) = milepost_tests::http::get(admin, "/metrics").await.map_err(|e| e.to_string())?;
        if metrics.lines().any(|line| line == open) { Ok(()) } else { Err(metrics) }
    })
    .await;
    let asked = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ended().await;
    assert!(status.success(), "it ended with {status}");
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(5), "a call in vain held up the end for {took:?}");
    let refused = Failure::from(waiting.await.expect("no panic").expect_err("it cannot come"));
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
}
