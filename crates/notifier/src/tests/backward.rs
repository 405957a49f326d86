//! Lists with the newest first, and what a watch makes of their cursors.

use milepost_client::{Delivery, Selection as Asked, Start, WatchOptions};
use milepost_types::Cursor;

use super::*;

const STARTED: &str = "milepost.project.started";
const X: &str = "portfolios/p/projects/x";

fn newest_first(page_size: i32) -> ListEventsRequest {
    ListEventsRequest { page_size, order_by: "sequence desc".into(), ..ListEventsRequest::default() }
}

/// Three entries with six events.
async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for count in 1..=3 {
        fixture.registry.append(&vec![(STARTED, X); count], &[]);
    }
    fixture.run();
    fixture.caught_up().await;
    fixture
}

#[tokio::test]
async fn what_enters_the_log_between_pages_is_on_none_of_them() {
    let fixture = fixture().await;
    let mut expected = ids(&fixture.all(EventSelection::default()).await);
    expected.reverse();
    let (mut request, mut found, mut later) = (newest_first(1), Vec::new(), 0);
    loop {
        let page = fixture.list(request.clone()).await.unwrap();
        found.extend(ids(&page.events));
        fixture.registry.one();
        later += 1;
        fixture.caught_up().await;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, expected);
    let now = fixture.list(newest_first(1000)).await.unwrap();
    assert_eq!(now.events.len(), expected.len() + later);
}

#[tokio::test]
async fn a_watch_after_the_cursor_of_the_last_page_begins_with_its_events() {
    let fixture = fixture().await;
    let all = ids(&fixture.all(EventSelection::default()).await);
    let first = fixture.list(newest_first(2)).await.unwrap();
    let second = ListEventsRequest { page_token: first.next_page_token, ..newest_first(2) };
    let second = fixture.list(second).await.unwrap();
    fixture.registry.one();
    fixture.caught_up().await;
    let mut watch =
        fixture.client.watch(Start::After(second.cursor), Asked::default(), WatchOptions::default());
    let mut found = Vec::new();
    while found.len() < 5 {
        let Delivery::Batch(batch) = soon(watch.next()).await.unwrap().unwrap() else { panic!("no reset") };
        found.extend(ids(&batch.events));
    }
    assert_eq!(found[..4], all[2..]);
    assert_eq!(found.len(), 5, "and what came since");
}

#[tokio::test]
async fn a_list_begins_where_the_later_of_cursor_and_time_says_in_either_order() {
    let fixture = Fixture::new();
    fixture.run();
    let mut cursors = Vec::new();
    for hour in 0..5 {
        let time = now() + jiff::SignedDuration::from_hours(hour);
        fixture.registry.set_time(time);
        fixture.clock.set(time);
        fixture.registry.one();
        fixture.caught_up().await;
        cursors.push(Cursor::after(fixture.ledger.position()).to_string());
    }
    let all = ids(&fixture.all(EventSelection::default()).await);
    for (hour, entries, left) in
        [(None, 2, 3), (Some(1), 0, 4), (Some(1), 3, 2), (Some(4), 3, 1), (Some(9), 1, 0), (Some(-9), 5, 0)]
    {
        let from_time =
            hour.map(|hour| prost_types::Timestamp { seconds: now().as_second() + hour * 3600, nanos: 0 });
        let after_cursor = if entries == 0 { String::new() } else { cursors[entries - 1].clone() };
        let forward = ListEventsRequest { after_cursor, from_time, ..ListEventsRequest::default() };
        let backward = ListEventsRequest { order_by: "sequence desc".into(), ..forward.clone() };
        let mut expected = all[all.len() - left..].to_vec();
        assert_eq!(ids(&fixture.list(forward).await.unwrap().events), expected, "{hour:?} {entries}");
        expected.reverse();
        assert_eq!(ids(&fixture.list(backward).await.unwrap().events), expected, "{hour:?} {entries}");
    }
}

#[tokio::test]
async fn every_cursor_that_a_list_refuses_the_newest_first_refuses_too() {
    let fixture = fixture().await;
    let own = fixture.ledger.position();
    for cursor in [
        "nonsense".to_owned(),
        Cursor::after(Position { sequence: 9, ..own }).to_string(),
        Cursor::after(Position { log: LogId::generate(), ..own }).to_string(),
    ] {
        let forward = ListEventsRequest { after_cursor: cursor.clone(), ..ListEventsRequest::default() };
        let backward = ListEventsRequest { after_cursor: cursor, ..newest_first(5) };
        let reason = |status: tonic::Status| milepost_client::Failure::from(status).reason;
        let expected = reason(fixture.list(forward).await.unwrap_err());
        assert!(expected.is_some());
        assert_eq!(reason(fixture.list(backward).await.unwrap_err()), expected);
    }
}
