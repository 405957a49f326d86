//! Many streams, streams that nobody reads, and more calls than a server takes.

use std::time::{Duration, Instant};

use milepost_client::{CredentialChannel, Endpoint, Failure, Pool};
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::event_service_client::EventServiceClient;
use milepost_proto::notifier::v1::watch_events_request::{From, Start};
use milepost_proto::notifier::v1::{WatchEventsRequest, WatchEventsResponse};
use milepost_proto::registry::v1 as registry;
use milepost_tests::command::{Command, create_portfolio, create_project, project};
use milepost_tests::{Cluster, Role, history, within};
use tokio::task::JoinSet;
use tonic::{Code, Status, Streaming};

const PATIENCE: Duration = Duration::from_secs(60);

fn pool(cluster: &Cluster, connections: usize) -> Pool {
    Endpoint::parse(&cluster.server(Role::All).url()).expect("a URL").pool(connections)
}

async fn watch(channel: CredentialChannel, start: Start) -> Result<Streaming<WatchEventsResponse>, Status> {
    let request =
        WatchEventsRequest { from: Some(From::Start(start.into())), ..WatchEventsRequest::default() };
    let mut stream = EventServiceClient::new(channel).watch_events(request).await?.into_inner();
    // The first message says from where it goes on: what happens after it is not missed.
    stream.message().await?.ok_or_else(|| Status::unknown("the stream ended at once"))?;
    Ok(stream)
}

async fn create(cluster: &Cluster, id: &str) {
    let command = Command::CreateProject(Box::new(create_project("p", id)));
    command.once(&cluster.client(1)).await.expect("a project");
}

/// Memory of a process, in MiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
    kib / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_hear_of_everything_and_hold_up_nobody() {
    const STREAMS: usize = 10_000;
    const CONNECTIONS: usize = 25;
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    let pid = cluster.server(Role::All).pid();
    let before = resident(pid);

    let pool = pool(&cluster, CONNECTIONS);
    let leases: Vec<_> = (0..STREAMS).map(|_| pool.lease()).collect();
    let mut opening = JoinSet::new();
    let mut streams = Vec::new();
    for lease in &leases {
        opening.spawn(watch(lease.channel(), Start::Latest));
        if opening.len() >= 500 {
            let opened = within(PATIENCE, "a stream", opening.join_next()).await;
            streams.push(opened.expect("one").expect("no panic").expect("a stream"));
        }
    }
    while let Some(opened) = within(PATIENCE, "a stream", opening.join_next()).await {
        streams.push(opened.expect("no panic").expect("a stream"));
    }
    assert_eq!(streams.len(), STREAMS);
    let took = resident(pid).saturating_sub(before);
    eprintln!("{STREAMS} streams take {took} MiB in the server");
    assert!(took < 600, "{took} MiB for {STREAMS} idle streams");

    let asked = Instant::now();
    create(&cluster, "x").await;
    assert!(asked.elapsed() < Duration::from_secs(5), "a write took {:?}", asked.elapsed());
    let mut reading = JoinSet::new();
    for mut stream in streams {
        reading.spawn(async move {
            loop {
                let message = stream.message().await.expect("a message").expect("no end");
                // The portfolio's first day begins by itself, some time.
                let of_projects: Vec<_> =
                    message.events.iter().filter(|event| event.subject != "portfolios/p").collect();
                if let Some(event) = of_projects.first() {
                    return (event.subject.clone(), of_projects.len(), stream);
                }
            }
        });
    }
    let mut heard = 0;
    let mut open = Vec::new();
    while let Some(read) = within(PATIENCE, "an event on every stream", reading.join_next()).await {
        let (subject, count, stream) = read.expect("every stream hears of it");
        assert_eq!((subject.as_str(), count), ("portfolios/p/projects/x", 1));
        heard += 1;
        open.push(stream);
    }
    assert_eq!(heard, STREAMS);
    eprintln!("all heard of it after {:?}", asked.elapsed());
    drop((open, leases, pool));
    create(&cluster, "y").await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_more_than_the_limit_is_refused_and_told_when_to_come_back() {
    let mut cluster = Cluster::all(&[("limits.max_calls", "50")]);
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    let pool = pool(&cluster, 2);
    let mut streams = Vec::new();
    let refused = loop {
        match within(PATIENCE, "an answer", watch(pool.channel(), Start::Latest)).await {
            Ok(stream) => streams.push(stream),
            Err(status) => break Failure::from(status),
        }
        assert!(streams.len() <= 50, "there is no limit");
    };
    assert_eq!(
        (refused.code, refused.reason),
        (Code::ResourceExhausted, Some(Reason::TooMany)),
        "{refused:?}"
    );
    assert!(refused.retry_after.is_some() && refused.fact("limit") == Some("50"), "{refused:?}");
    // The server's own followers have their places; whoever goes makes room.
    assert!(streams.len() >= 40, "only {} streams of 50", streams.len());
    streams.truncate(20);
    let again = milepost_tests::wait::until(PATIENCE, "room", async || {
        watch(pool.channel(), Start::Latest).await.map_err(|status| status.to_string())
    });
    streams.push(again.await);
    create(&cluster, "x").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_read_hold_up_nobody_and_cost_little() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    create(&cluster, "first").await;
    history::settled(&client).await;
    // On connections of their own, and on one that others read from, too.
    let own = pool(&cluster, 20);
    let shared = pool(&cluster, 1);
    let mut unread = Vec::new();
    for _ in 0..40 {
        unread.push(watch(own.channel(), Start::Earliest).await.expect("a stream"));
    }
    for _ in 0..3 {
        unread.push(watch(shared.channel(), Start::Earliest).await.expect("a stream"));
    }
    let mut reader = watch(shared.channel(), Start::Latest).await.expect("a stream");
    let pid = cluster.server(Role::All).pid();
    let before = resident(pid);

    // 12 MiB of events, more than any window.
    const BATCHES: usize = 50;
    for number in 0..BATCHES {
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
        Command::CreateProjects(Box::new(request)).once(&client).await.expect("writes go on");
    }
    let mut heard = 0;
    while heard < BATCHES * 20 {
        let message = within(PATIENCE, "events for one who reads", reader.message()).await;
        heard += message.expect("a message").expect("no end").events.len();
    }
    let took = resident(pid).saturating_sub(before);
    eprintln!("{} streams that nobody reads: {took} MiB more", unread.len());
    assert!(took < 300, "{took} MiB for events that nobody reads");

    // One that begins to read after all misses nothing.
    let mut late = unread.pop().expect("a stream");
    let mut subjects = std::collections::HashSet::new();
    while subjects.len() < BATCHES * 20 {
        let message = within(PATIENCE, "events for one who is late", late.message()).await;
        for event in message.expect("a message").expect("no end").events {
            if event.subject.contains("/large-") {
                assert!(subjects.insert(event.subject.clone()), "{} came twice", event.subject);
            }
        }
    }
}
