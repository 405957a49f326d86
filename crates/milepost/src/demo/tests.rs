//! The data set through real services in this process: loaded once, delivered in order, drawn.
//!
//! Does not repeat what the services' own tests say of each call.

use std::path::Path;

use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_proto::tracker::v1::ListRectificationOrdersRequest;
use milepost_proto::tracker::v1::rectification_order::{Light, State};

use super::*;

/// The words of the commands.
pub(crate) fn suggestions(endpoint: &str) -> Vec<Vec<String>> {
    // Every second part stands between quotes.
    let words = |(place, part): (usize, &str)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    commands(endpoint).map(|line| line.split('\'').enumerate().flat_map(words).collect()).collect()
}

#[test]
fn the_suggestions_name_what_was_loaded() {
    let set = DataSet::western_science_city();
    let named = |word: &str| set.steps.iter().any(|step| step.name.ends_with(&format!("/{word}")));
    for words in suggestions(DEFAULT_ENDPOINT) {
        assert!(words[2..].iter().any(|word| named(word) || word == &set.portfolio.name), "{words:?}");
    }
    assert!(named("western-science-city") && named("ultra-transient-facility"));
    assert_eq!(suggestions(DEFAULT_ENDPOINT)[0][3..], ["--filter", "key = true"]);
}

#[test]
fn the_endpoint_is_named_unless_it_is_the_usual_one() {
    let text = |port: u16| {
        suggest(([127, 0, 0, 1], port).into(), Some(([127, 0, 0, 1], 7410).into()), Path::new("/tmp/x"), true)
    };
    assert!(!text(7400).contains("--endpoint"));
    assert!(text(41234).contains("--endpoint http://127.0.0.1:41234"));
    assert!(text(7400).contains("http://127.0.0.1:7410/metrics"));
}

#[test]
fn a_second_run_says_that_nothing_was_loaded() {
    let loaded = |made, present| Loaded { made, present, end: String::new() };
    assert_eq!(summary(&loaded(0, 42), 0), "Nothing was loaded: all 42 were there already.\n");
    assert!(summary(&loaded(42, 0), 47).starts_with("\n42 writes, 47 events delivered"));
    assert!(summary(&loaded(1, 41), 2).contains("41 were there already"));
}

#[test]
fn a_usual_port_that_is_taken_gives_way_and_one_that_was_asked_for_does_not() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(address(None, port).port(), 0);
    assert_eq!(address(Some(port), port).port(), port);
    drop(taken);
}

async fn started(dir: &Path) -> (Running, Session) {
    let listen = ([127, 0, 0, 1], 0).into();
    let server = Server { data_dir: dir.to_owned(), listen, admin_listen: None, ..Server::default() };
    let running = Running::start(server).await.unwrap();
    let session = session(&format!("http://{}", running.grpc)).unwrap();
    (running, session)
}

/// Every event of the log, but for the days that passed: those depend on the clock.
async fn events(session: &Session) -> Vec<Event> {
    let request = ListEventsRequest { page_size: 1000, ..Default::default() };
    let mut events = session.client().events().list_events(request).await.unwrap().into_inner().events;
    events.retain(|event| event.r#type != "milepost.portfolio.date_advanced");
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_loaded_once_and_effects_name_their_causes() {
    let set = DataSet::western_science_city();
    let dir = tempfile::tempdir().unwrap();
    let (running, session) = started(dir.path()).await;
    let loaded = load::load(&session, &set).await.unwrap();
    assert_eq!((loaded.made, loaded.present), (set.steps.len() as u64, 0));
    let first = events(&session).await;

    // Four projects were named in the batches: each start achieves its milestone.
    let caused: Vec<&Event> =
        first.iter().filter(|event| event.r#type == "milepost.milestone.achieved").collect();
    let by_start = caused.iter().filter(|event| !event.caused_by.is_empty()).count();
    assert_eq!((caused.len(), by_start), (6, 4));
    for (place, event) in first.iter().enumerate().filter(|(_, event)| !event.caused_by.is_empty()) {
        let cause = first.iter().position(|cause| cause.event_id == event.caused_by);
        assert!(cause.is_some_and(|cause| cause < place), "{} stands before its cause", event.event_id);
    }
    // Orders of different lights, by different persons.
    let orders = ListRectificationOrdersRequest {
        parent: format!("{}/projects/-", set.portfolio.name),
        ..ListRectificationOrdersRequest::default()
    };
    let mut client = session.client().rectification_orders();
    let orders = client.list_rectification_orders(orders).await.unwrap().into_inner().rectification_orders;
    let lights: Vec<_> = orders.iter().map(|order| (order.state(), order.light())).collect();
    let expected =
        [(State::Issued, Light::Red), (State::Closed, Light::None), (State::Returned, Light::Yellow)];
    assert_eq!(lights, expected);
    let picture = picture::draw(&session, &set.portfolio.name, Some(80)).await.unwrap();
    assert!(picture.lines().all(|line| crate::output::width::columns(line) <= 80), "{picture}");
    for part in ["total not said", "CNY 130,000,000,000", "2 without a figure", "建成投用 (2023)", "坪山大道"]
    {
        assert!(picture.contains(part), "{part}\n{picture}");
    }
    running.shutdown().await.unwrap();

    let (running, session) = started(dir.path()).await;
    let again = load::load(&session, &set).await.unwrap();
    assert_eq!((again.made, again.present), (0, set.steps.len() as u64));
    assert_eq!(events(&session).await, first, "nothing happened twice, and nothing was lost");
    running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_has_all_of_it_by_the_end() {
    let set = DataSet::western_science_city();
    let dir = tempfile::tempdir().unwrap();
    let (running, session) = started(dir.path()).await;
    let options = WatchOptions { checkpoint_interval: Some(CHECKPOINT_INTERVAL), ..WatchOptions::default() };
    let watch = session.client().watch(Start::Earliest, Selection::default(), options);
    let mut story = Story::new(Some(80));
    let loaded = story.follow(watch, load::load(&session, &set)).await.unwrap();
    assert_eq!(loaded.made, set.steps.len() as u64);
    assert!(story.printed >= events(&session).await.len() as u64, "{}", story.printed);
    running.shutdown().await.unwrap();
}
