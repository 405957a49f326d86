//! Pages of bare logs: that the newest first is the order of the log reversed, and how much a page looks at.

use bytes::Bytes;
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::{EventSelection, SourceResetNotice};
use milepost_types::LedgerKind;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::audience::Audience;
use crate::tests::logs::{announced_reset, id, log_of};
use crate::tests::{event, now};

const STARTED: &str = "milepost.project.started";
const ACHIEVED: &str = "milepost.milestone.achieved";

fn encoded(sequence: u64, index: u32, kind: &str) -> Bytes {
    event(id(sequence, index), LedgerKind::Registry, kind, "portfolios/p/projects/x", now())
}

async fn page(log: &EventLog, request: &ListEventsRequest) -> ListReply {
    let ask = request::list(request, log.earliest(), Audience::all()).unwrap();
    match ask.order {
        Order::Ascending => ascending(log, &ask).await.unwrap(),
        Order::Descending => descending(log, &ask).await.unwrap(),
    }
}

/// The ids of a page's events, or that of its reset with a mark.
fn items(page: &ListReply) -> Vec<String> {
    let notice = page.source_reset.clone().map(|notice| SourceResetNotice::decode(notice).unwrap());
    let events = page.events.iter().map(|event| Event::decode(event.clone()).unwrap().event_id);
    events.chain(notice.map(|notice| format!("!{}", notice.event_id))).collect()
}

/// What the pages of a list hold, each with its cursor.
async fn pages(log: &EventLog, first: &ListEventsRequest) -> Vec<(Vec<String>, String)> {
    let (mut request, mut pages) = (first.clone(), Vec::new());
    loop {
        let page = page(log, &request).await;
        assert!(page.events.is_empty() || page.source_reset.is_none(), "a reset is a page of its own");
        pages.push((items(&page), page.cursor));
        if page.next_page_token.is_empty() {
            return pages;
        }
        request =
            ListEventsRequest { page_token: page.next_page_token, after_cursor: String::new(), ..request };
        assert!(pages.len() < 1000, "it does not end");
    }
}

async fn all(log: &EventLog, request: &ListEventsRequest) -> Vec<String> {
    pages(log, request).await.into_iter().flat_map(|(items, _)| items).collect()
}

fn selected(types: &[&str]) -> Option<EventSelection> {
    let types = types.iter().map(|kind| (*kind).to_owned()).collect();
    Some(EventSelection { types, ..EventSelection::default() })
}

/// The log's entries: how many events, and whether each is of one type or another; none for a reset.
fn written(entries: &[Option<Vec<bool>>]) -> EventLog {
    let events = |(sequence, entry): (u64, &Option<Vec<bool>>)| match entry {
        None => vec![announced_reset(sequence)],
        Some(kinds) => {
            let kinds = kinds.iter().map(|started| if *started { STARTED } else { ACHIEVED });
            kinds.zip(0..).map(|(kind, index)| encoded(sequence, index, kind)).collect()
        }
    };
    log_of((1..).zip(entries).map(events).collect())
}

fn entry() -> impl Strategy<Value = Option<Vec<bool>>> {
    prop_oneof![
        6 => prop::collection::vec(any::<bool>(), 1..5).prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_newest_first_is_the_order_of_the_log_reversed(
        entries in prop::collection::vec(entry(), 0..30),
        types in prop::sample::select(vec![
            vec![],
            vec![STARTED],
            vec![STARTED, "milepost.source.*"],
            vec!["milepost.batch.*"],
        ]),
        page_size in 1..7,
        cut in any::<prop::sample::Index>(),
        from_second in prop::option::of(0_i64..32),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move {
            let log = written(&entries);
            let whole = ListEventsRequest { selection: selected(&types), page_size, ..Default::default() };
            let one = ListEventsRequest { page_size: 1, ..whole.clone() };
            // Any cursor that a list answers, the beginning among them.
            let mut cursors = vec![String::new()];
            cursors.extend(pages(&log, &one).await.into_iter().map(|(_, cursor)| cursor));
            let after_cursor = cursors[cut.index(cursors.len())].clone();
            let time = |seconds| prost_types::Timestamp { seconds: now().as_second() + seconds, nanos: 0 };
            let from_time = from_second.map(time);
            let request = ListEventsRequest { after_cursor, from_time, ..whole.clone() };
            let forward = all(&log, &request).await;
            if from_time.is_none() {
                let earlier = all(&log, &whole).await;
                assert!(earlier.ends_with(&forward));
            }

            let request = ListEventsRequest { order_by: "sequence desc".into(), ..request };
            let mut found: Vec<String> = Vec::new();
            for (items, cursor) in pages(&log, &request).await {
                assert!(items.len() <= page_size as usize);
                found.splice(0..0, items.into_iter().rev());
                // After its cursor stands what the pages up to this one hold, and nothing else.
                let after = ListEventsRequest { after_cursor: cursor, ..whole.clone() };
                assert_eq!(all(&log, &after).await, found);
            }
            assert_eq!(found, forward);
        });
    }
}

#[tokio::test]
async fn a_page_that_finds_nothing_ends_after_so_many_entries_with_a_cursor_and_a_token() {
    let log = log_of((1..=25_000).map(|sequence| vec![encoded(sequence, 0, STARTED)]).collect());
    let request = ListEventsRequest {
        selection: selected(&[ACHIEVED]),
        order_by: "sequence desc".into(),
        ..ListEventsRequest::default()
    };
    let first = page(&log, &request).await;
    assert!(first.events.is_empty() && !first.next_page_token.is_empty());
    let cursor: Cursor = first.cursor.parse().unwrap();
    let scanned = 25_000 - cursor.position.sequence;
    assert!((SCANNED_ENTRIES..SCANNED_ENTRIES + 1000).contains(&scanned), "{scanned} entries");
    let second = page(&log, &ListEventsRequest { page_token: first.next_page_token, ..request }).await;
    assert_eq!((second.events.len(), second.next_page_token.as_str()), (0, ""));
    assert_eq!(second.cursor, log.earliest().to_string());
}

#[tokio::test]
async fn a_page_that_finds_nothing_ends_after_so_many_bytes_of_large_entries() {
    let large = |sequence| {
        let event = Event { r#type: STARTED.into(), request_id: "x".repeat(3 << 20), ..Event::default() };
        vec![event.encode_to_vec().into(), encoded(sequence, 1, STARTED)]
    };
    let log = log_of((1..=40).map(large).collect());
    let request = ListEventsRequest {
        selection: selected(&[ACHIEVED]),
        order_by: "sequence desc".into(),
        ..ListEventsRequest::default()
    };
    let mut pages = pages(&log, &request).await;
    assert!((2..=10).contains(&pages.len()), "{} pages of 120 MiB", pages.len());
    assert_eq!(pages.pop().unwrap().1, log.earliest().to_string());
}
