//! The data set through real services in this process: loaded once, delivered in order, drawn.
//!
//! Does not repeat what the services' own tests say of each call.

use std::path::Path;

use indicatif::ProgressBar;
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::ListEventsRequest;

use super::*;
use crate::serve;

#[test]
fn a_second_run_says_that_nothing_was_loaded() {
    let loaded = |made, present| Loaded { made, present, end: String::new() };
    assert_eq!(summary(&loaded(0, 42), 0), "Nothing was loaded: all 42 were there already.\n");
    assert!(summary(&loaded(42, 0), 47).starts_with("\n42 writes, 47 events delivered"));
    assert!(summary(&loaded(1, 41), 2).contains("41 were there already"));
}

async fn started(dir: &Path) -> (Running, Client) {
    let local = ([127, 0, 0, 1], 0).into();
    let embedded = serve::Embedded { data_dir: dir.to_owned(), listen: local, admin_listen: None };
    let running = serve::start(embedded).await.unwrap();
    let client = Client::connect(&format!("http://{}", running.grpc)).unwrap();
    (running, client)
}

async fn load(client: &Client, set: &DataSet) -> Loaded {
    load::load(client, set, &ProgressBar::hidden()).await.unwrap()
}

/// Every event of the log, but for the days that passed: those depend on the clock.
async fn events(client: &Client) -> Vec<Event> {
    let request = ListEventsRequest { page_size: 1000, ..Default::default() };
    let mut events = client.events().list_events(request).await.unwrap().into_inner().events;
    events.retain(|event| event.r#type != "milepost.portfolio.date_advanced");
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_loaded_once_and_effects_name_their_causes() {
    let set = DataSet::western_science_city().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (running, client) = started(dir.path()).await;
    let loaded = load(&client, &set).await;
    assert_eq!((loaded.made, loaded.present), (set.steps.len() as u64, 0));
    let first = events(&client).await;

    // Four projects were named in the batches: each start achieves its milestone.
    let caused: Vec<&Event> =
        first.iter().filter(|event| event.r#type == "milepost.milestone.achieved").collect();
    let by_start = caused.iter().filter(|event| !event.caused_by.is_empty()).count();
    assert_eq!((caused.len(), by_start), (6, 4));
    for (place, event) in first.iter().enumerate().filter(|(_, event)| !event.caused_by.is_empty()) {
        let cause = first.iter().position(|cause| cause.event_id == event.caused_by);
        assert!(cause.is_some_and(|cause| cause < place), "{} stands before its cause", event.event_id);
    }
    let picture = picture::draw(&client, &set.portfolio.name, Some(80)).await.unwrap();
    assert!(picture.lines().all(|line| crate::output::width::columns(line) <= 80), "{picture}");
    for part in ["total not said", "CNY 130,000,000,000", "2 without a figure", "建成投用 (2023)", "坪山大道"]
    {
        assert!(picture.contains(part), "{part}\n{picture}");
    }
    running.shutdown().await.unwrap();

    let (running, client) = started(dir.path()).await;
    let again = load(&client, &set).await;
    assert_eq!((again.made, again.present), (0, set.steps.len() as u64));
    assert_eq!(events(&client).await, first, "nothing happened twice, and nothing was lost");
    running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_has_all_of_it_by_the_end() {
    let set = DataSet::western_science_city().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (running, client) = started(dir.path()).await;
    let options = WatchOptions { checkpoint_interval: Some(CHECKPOINT_INTERVAL), ..WatchOptions::default() };
    let watch = client.watch(Start::Earliest, Selection::default(), options);
    let bar = ProgressBar::hidden();
    let mut story = Story::new(Some(80));
    let loaded = story.follow(watch, load::load(&client, &set, &bar), &bar).await.unwrap();
    assert_eq!(loaded.made, set.steps.len() as u64);
    assert!(story.printed >= events(&client).await.len() as u64, "{}", story.printed);
    running.shutdown().await.unwrap();
}
