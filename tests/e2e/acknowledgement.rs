//! Nothing leaves the server before it is durable: shown by its system calls.
//!
//! Commands race for the same names, so that one of a group succeeds and the others are refused because of
//! it. Every answer that rests on an entry, a refusal as well as a success, must be written to its socket
//! after the `fdatasync` that followed the `pwrite` of the entry; so must every byte that tells a follower
//! or a watcher of it, and the watcher's also after the sync of the notifier's own journal.

use std::time::Duration;

use milepost_client::{Client, Delivery, Selection, Start, WatchOptions};
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::WatchEventsRequest;
use milepost_proto::registry::v1 as registry;
use milepost_tests::command::{Command, create_milestone, create_portfolio, create_project};
use milepost_tests::http2::{self, HEADERS, holds};
use milepost_tests::strace::{self, Call};
use milepost_tests::wait::within;
use milepost_tests::{Cluster, Role};
use prost::Message;

const TRACED: &[&str] = &[
    "read",
    "readv",
    "recvfrom",
    "recvmsg",
    "write",
    "writev",
    "sendto",
    "sendmsg",
    "pwrite64",
    "fdatasync",
];
const CONNECTIONS: usize = 30;
const ROUNDS: usize = 6;
const SEQUENTIAL: usize = 20;
/// What the watcher's request holds and nothing else does.
const WATCHED: &str = "portfolios/ack";

/// What a request asked for, and how it was answered.
struct Asked {
    request_id: String,
    /// What its entry, or the entry that it was refused for, holds and no other does.
    marker: String,
    ledger: &'static str,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_leaves_before_the_sync_that_it_rests_on() {
    if let Err(why) = strace::available() {
        panic!("system calls cannot be traced here; tests/run installs strace: {why}");
    }
    let mut cluster = Cluster::all(&[]);
    let trace = cluster.dir().join("trace");
    cluster.launch(Role::All).wrapper = strace::wrapper(&trace, TRACED);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("ack").once(&client).await.expect("a portfolio");
    let selection = Selection { resource: WATCHED.to_owned(), ..Selection::default() };
    let watcher = cluster.client(1);
    let mut watch = watcher.watch(Start::Earliest, selection, WatchOptions::default());

    let mut asked = one_after_another(&client).await;
    let (raced, tried) = racing(&cluster).await;
    asked.extend(raced);
    let mut watched = 0;
    // The portfolio, and each project and milestone once.
    while watched < 1 + SEQUENTIAL + ROUNDS * CONNECTIONS / 3 {
        let delivery = within(Duration::from_secs(60), "watched events", watch.next()).await;
        let delivery = delivery.expect("it goes on").expect("it is served");
        let Delivery::Batch(batch) = delivery else { panic!("a source was reset: {delivery:?}") };
        watched += batch.events.len();
    }
    let port = cluster.server(Role::All).grpc().port();
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    check(&strace::read(&trace), port, &asked, &tried);
}

async fn one_after_another(client: &Client) -> Vec<Asked> {
    let mut asked = Vec::new();
    for number in 0..SEQUENTIAL {
        let (command, marker) = if number % 2 == 0 {
            let id = format!("alone-{number:03}-x");
            (Command::CreateProject(Box::new(create_project("ack", &id))), id)
        } else {
            let project = format!("portfolios/ack/projects/alone-{:03}-x", number - 1);
            let id = format!("marked-{number:03}-x");
            (Command::CreateMilestone(Box::new(create_milestone(&project, &id))), id)
        };
        command.once(client).await.expect("it is accepted");
        let (request_id, ledger) = (command.request_id().to_owned(), command.ledger().as_str());
        asked.push(Asked { request_id, marker, ledger });
    }
    asked
}

/// On each connection one call at a time; on three of them at once for the same name. Besides what rests on
/// an entry: the request ids of what was only tried, before the name was taken, and rests on none.
async fn racing(cluster: &Cluster) -> (Vec<Asked>, Vec<String>) {
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| cluster.client(1)).collect();
    let (mut asked, mut tried) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let calls = clients.iter().enumerate().map(|(number, client)| async move {
            let marker = format!("raced-{round:02}-{:03}-x", number / 3);
            let request = registry::CreateProjectRequest {
                request_id: format!("race-{round}-{number}"),
                validate_only: number % 3 == 2,
                ..create_project("ack", &marker)
            };
            let request_id = request.request_id.clone();
            let rests_on_it = match Command::CreateProject(Box::new(request.clone())).once(client).await {
                Ok(_) => !request.validate_only,
                Err(refused) => {
                    assert_eq!(refused.reason, Some(Reason::ResourceAlreadyExists), "{refused}");
                    true
                }
            };
            (rests_on_it, Asked { request_id, marker, ledger: "registry" })
        });
        for (rests_on_it, call) in futures_util::future::join_all(calls).await {
            match rests_on_it {
                true => asked.push(call),
                false => tried.push(call.request_id),
            }
        }
    }
    let refused = asked.len() - ROUNDS * CONNECTIONS / 3;
    eprintln!("{refused} refusals rest on an entry");
    assert!(refused >= ROUNDS * CONNECTIONS / 3, "each race but one was lost");
    (asked, tried)
}

/// When the entry that holds `marker` was durable in a ledger's journal.
fn durable(calls: &[Call], ledger: &str, marker: &str) -> i64 {
    let journal = format!("/{ledger}/journal/");
    let of_journal = |call: &&Call| call.target.contains(&journal) && call.target.ends_with(".segment");
    let mut written = calls.iter().filter(of_journal).filter(|call| call.name == "pwrite64");
    let written = written.find(|call| holds(&call.data(), marker)).unwrap_or_else(|| {
        panic!("{marker} was never written to the {ledger}'s journal");
    });
    let synced = calls.iter().find(|call| {
        call.name == "fdatasync"
            && call.target == written.target
            && call.start >= written.end
            && call.result == 0
    });
    synced.unwrap_or_else(|| panic!("{marker} was never synced in the {ledger}'s journal")).end
}

fn check(calls: &[Call], port: u16, asked: &[Asked], tried: &[String]) {
    let connections = http2::connections(calls, port);
    assert!(connections.len() > CONNECTIONS, "only {} connections were traced", connections.len());
    for Asked { request_id, marker, ledger } in asked {
        let synced = durable(calls, ledger, marker);
        let (connection, request) = connections
            .values()
            .find_map(|connection| {
                let request = connection
                    .read
                    .iter()
                    .find(|frame| frame.kind == http2::DATA && holds_field(&frame.payload, request_id))?;
                Some((connection, request))
            })
            .unwrap_or_else(|| panic!("{request_id} was never read"));
        let answer =
            connection.written.iter().find(|frame| frame.kind == HEADERS && frame.stream == request.stream);
        let answer = &calls[answer.unwrap_or_else(|| panic!("{request_id} was never answered")).first];
        assert!(calls[request.last].end <= answer.start, "{request_id} was answered before it was read");
        let early = synced - answer.start;
        assert!(early <= 0, "{request_id} was answered {early} µs before {marker} was durable");
    }

    // Whoever hears of it, by whatever way.
    let mut reported = 0;
    for Asked { marker, ledger, .. } in asked {
        let synced = durable(calls, ledger, marker);
        for connection in connections.values() {
            // A validation is answered with what a write would do.
            let only_tried = |stream| {
                let mut read = connection.read.iter().filter(|frame| frame.stream == stream);
                read.any(|frame| tried.iter().any(|id| holds_field(&frame.payload, id)))
            };
            for frame in connection.written.iter().filter(|frame| holds(&frame.payload, marker)) {
                if only_tried(frame.stream) {
                    continue;
                }
                let early = synced - calls[frame.first].start;
                assert!(early <= 0, "{marker} was reported {early} µs before it was durable");
                reported += 1;
            }
        }
    }
    let watching =
        connections.values().find(|connection| connection.read.iter().any(|frame| is_watch(&frame.payload)));
    let watching = watching.expect("the watcher's connection was traced");
    let mut watched = 0;
    for Asked { marker, .. } in asked {
        let synced = durable(calls, "notifier", marker);
        for frame in watching.written.iter().filter(|frame| holds(&frame.payload, marker)) {
            let early = synced - calls[frame.first].start;
            assert!(early <= 0, "a watcher heard of {marker} {early} µs before it was durable for good");
            watched += 1;
        }
    }
    let answers = asked.len();
    eprintln!("{answers} answers, {reported} frames that report an entry, {watched} of them to the watcher");
    assert!(watched >= SEQUENTIAL + ROUNDS * CONNECTIONS / 3, "the watcher's frames were found");
}

/// Whether a message holds this text as the whole of a short field.
fn holds_field(payload: &[u8], text: &str) -> bool {
    let field = [&[text.len() as u8], text.as_bytes()].concat();
    payload.windows(field.len()).any(|window| window == field)
}

fn is_watch(payload: &[u8]) -> bool {
    let request = payload.get(5..).and_then(|message| WatchEventsRequest::decode(message).ok());
    request.and_then(|request| request.selection).is_some_and(|selection| selection.resource == WATCHED)
}
