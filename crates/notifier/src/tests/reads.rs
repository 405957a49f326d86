//! Lists, single events, and what the log tells of itself.

use milepost_client::Failure;
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::{GetEventRequest, GetLogInfoRequest};
use milepost_types::Revision;
use proptest::prelude::*;
use tonic::Code;

use super::*;

const STARTED: &str = "milepost.project.started";
const ACHIEVED: &str = "milepost.milestone.achieved";

fn failure(result: Result<ListEventsResponse, tonic::Status>) -> Failure {
    result.unwrap_err().into()
}

#[tokio::test]
async fn a_list_is_the_log_in_order_bookkeeping_left_out() {
    let fixture = Fixture::new();
    fixture.run();
    let started = fixture.registry.append(&[(STARTED, "portfolios/p/projects/x")], &[]);
    let milestone = "portfolios/p/projects/x/milestones/m";
    fixture.tracker.append(&[("milepost.source.followed", ""), (ACHIEVED, milestone)], &[started]);
    fixture.caught_up().await;
    let events = fixture.all(EventSelection::default()).await;
    let kinds: Vec<_> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(kinds, [STARTED, ACHIEVED]);
    let bookkeeping = fixture.all(types(&["milepost.source.*"])).await;
    assert_eq!(bookkeeping.len(), 1);
    let filter = EventSelection { filter: r#"source = "tracker""#.into(), ..EventSelection::default() };
    assert_eq!(fixture.all(filter).await.len(), 1);
}

#[tokio::test]
async fn pages_put_together_are_the_whole_list_and_end_with_a_cursor() {
    let fixture = Fixture::new();
    for index in 0..40 {
        let subject = format!("portfolios/p/projects/x{}", index % 4);
        fixture.registry.append(&vec![(STARTED, subject.as_str()); 1 + index % 3], &[]);
    }
    fixture.run();
    fixture.caught_up().await;
    let whole = ids(&fixture.all(EventSelection::default()).await);
    assert_eq!(whole.len(), (0..40).map(|index| 1 + index % 3).sum::<usize>());
    for (page_size, resource) in [(1, ""), (7, ""), (3, "portfolios/p/projects/x2"), (1000, "")] {
        let selection = EventSelection { resource: resource.into(), ..EventSelection::default() };
        let expected = ids(&fixture.all(selection.clone()).await);
        let mut request =
            ListEventsRequest { page_size, selection: Some(selection), ..ListEventsRequest::default() };
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..200 {
            let page = fixture.list(request.clone()).await.unwrap();
            assert!(page.events.len() <= page_size as usize);
            found.extend(ids(&page.events));
            cursor = page.cursor;
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, expected);
        let after = ListEventsRequest { after_cursor: cursor, ..ListEventsRequest::default() };
        assert_eq!(fixture.list(after).await.unwrap().events, []);
    }
}

#[tokio::test]
async fn a_page_token_belongs_to_its_request() {
    let fixture = Fixture::new();
    fixture.registry.append(&[(STARTED, "portfolios/p/projects/x"); 5], &[]);
    fixture.run();
    fixture.caught_up().await;
    let request = ListEventsRequest { page_size: 2, ..ListEventsRequest::default() };
    let page = fixture.list(request.clone()).await.unwrap();
    let next = ListEventsRequest { page_token: page.next_page_token.clone(), ..request.clone() };
    assert_eq!(fixture.list(next.clone()).await.unwrap().events.len(), 2);
    let other = ListEventsRequest { selection: Some(types(&["milepost.*"])), ..next.clone() };
    assert_eq!(failure(fixture.list(other).await).reason, Some(Reason::PageTokenInvalid));
    let damaged = ListEventsRequest { page_token: format!("{}x", next.page_token), ..next.clone() };
    assert_eq!(failure(fixture.list(damaged).await).reason, Some(Reason::PageTokenInvalid));
    let both = ListEventsRequest { after_cursor: page.cursor, ..next };
    let refused = failure(fixture.list(both).await);
    assert_eq!(
        (refused.reason, refused.violations[0].field.as_str()),
        (Some(Reason::InvalidFields), "after_cursor")
    );
}

#[tokio::test]
async fn every_faulty_field_is_named_at_once() {
    let fixture = Fixture::new();
    let selection = EventSelection { resource: "x".into(), types: vec!["*".into()], filter: "a = ".into() };
    let request =
        ListEventsRequest { page_size: -1, selection: Some(selection), ..ListEventsRequest::default() };
    let refused = failure(fixture.list(request).await);
    let fields: Vec<_> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["page_size", "selection.resource", "selection.types[0]", "selection.filter"]);
    let selection = EventSelection { filter: "type = ".into(), ..EventSelection::default() };
    let request = ListEventsRequest { selection: Some(selection), ..ListEventsRequest::default() };
    let refused = failure(fixture.list(request).await);
    assert_eq!(refused.reason, Some(Reason::InvalidFilter));
    assert!(refused.fact("column").is_some());
}

#[tokio::test]
async fn a_list_waits_for_the_revisions_of_every_ledger() {
    let fixture = Fixture::new();
    fixture.run();
    let position = fixture.registry.one();
    let revision = |ledger, position| Revision { ledger, position }.to_string();
    let ask = |revisions: Vec<String>| {
        let request = ListEventsRequest { min_revisions: revisions, ..ListEventsRequest::default() };
        let mut request = tonic::Request::new(request);
        request.set_timeout(Duration::from_secs(20));
        fixture.list(request.into_inner())
    };
    let page = soon(ask(vec![revision(LedgerKind::Registry, position)])).await.unwrap();
    assert_eq!(page.events.len(), 1);
    let own = fixture.ledger.position();
    assert_eq!(ask(vec![revision(LedgerKind::Notifier, own)]).await.unwrap().events.len(), 1);
    let other = Position { log: LogId::generate(), ..position };
    let refused = failure(ask(vec![revision(LedgerKind::Registry, other)]).await);
    assert_eq!(refused.reason, Some(Reason::LogDiverged));
    assert_eq!(failure(ask(vec!["nonsense".into()]).await).reason, Some(Reason::RevisionInvalid));
    assert_eq!(failure(ask(vec![String::new(); 4]).await).reason, Some(Reason::InvalidFields));
}

#[tokio::test]
async fn a_revision_that_does_not_come_is_told_with_how_far_the_log_is() {
    let fixture = Fixture::new();
    fixture.registry.one();
    fixture.run();
    fixture.caught_up().await;
    let ahead = Position { sequence: 7, ..fixture.registry.tail() };
    let revision = Revision { ledger: LedgerKind::Registry, position: ahead }.to_string();
    let request = ListEventsRequest { min_revisions: vec![revision], ..ListEventsRequest::default() };
    tokio::time::pause();
    let refused = failure(fixture.list(request).await);
    assert_eq!((refused.code, refused.reason), (Code::DeadlineExceeded, Some(Reason::RevisionNotReached)));
    assert_eq!((refused.fact("asked"), refused.fact("have")), (Some("7"), Some("1")));
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_nothing_else_is() {
    let fixture = Fixture::new();
    let position =
        fixture.registry.append(&[(STARTED, "portfolios/p/projects/x"), (ACHIEVED, "portfolios/p")], &[]);
    fixture.run();
    fixture.caught_up().await;
    let get = |event_id: String| {
        let request = GetEventRequest { event_id, ..GetEventRequest::default() };
        let mut events = fixture.client.events();
        async move { events.get_event(request).await.map(tonic::Response::into_inner) }
    };
    let id = EventId { log: position.log, sequence: 1, index: 1 };
    let found = get(id.to_string()).await.unwrap();
    assert_eq!(found.event.unwrap().event_id, id.to_string());
    let after = ListEventsRequest { after_cursor: found.cursor, ..ListEventsRequest::default() };
    assert_eq!(fixture.list(after).await.unwrap().events, []);
    for missing in [
        EventId { index: 2, ..id },
        EventId { sequence: 2, ..id },
        EventId { log: LogId::generate(), ..id },
        EventId { log: fixture.ledger.position().log, ..id },
    ] {
        let refused = Failure::from(get(missing.to_string()).await.unwrap_err());
        assert_eq!((refused.code, refused.fact("kind")), (Code::NotFound, Some("event")), "{missing}");
    }
    for nonsense in ["", "1", &format!("{id}/")] {
        let refused = Failure::from(get(nonsense.to_owned()).await.unwrap_err());
        assert_eq!(refused.violations[0].field, "event_id");
    }
}

#[tokio::test]
async fn the_log_tells_how_far_it_and_its_sources_are() {
    let fixture = Fixture::new();
    let info = |fixture: &Fixture| {
        let mut events = fixture.client.events();
        async move { events.get_log_info(GetLogInfoRequest {}).await.unwrap().into_inner() }
    };
    let before = info(&fixture).await;
    assert_eq!((before.durable_sequence, before.earliest_cursor == before.latest_cursor), (0, true));
    assert!(before.sources.iter().all(|source| source.position.is_none() && source.lag_entries.is_none()));
    fixture.registry.one();
    let registry = fixture.registry.one();
    fixture.run();
    fixture.caught_up().await;
    let after = info(&fixture).await;
    assert_eq!(after.log_id, fixture.ledger.position().log.to_string());
    assert_eq!((after.durable_sequence, after.earliest_cursor), (2, before.earliest_cursor));
    assert_eq!(after.sources[0].source, "registry");
    assert_eq!(
        (after.sources[0].position.clone(), after.sources[0].lag_entries),
        (Some(wire(&registry)), Some(0))
    );
    assert_eq!(after.sources[1].position, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_event_is_found_in_a_long_log_of_two_sources(
        runs in prop::collection::vec((any::<bool>(), 1usize..300), 6..12),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let fixture = Fixture::new();
            fixture.run();
            let mut written = Vec::new();
            for (tracker, length) in runs {
                let feeder = if tracker { &fixture.tracker } else { &fixture.registry };
                written.extend((0..length).map(|_| feeder.one()));
                fixture.caught_up().await;
            }
            for pick in picks {
                let position = written[pick.index(written.len())];
                let id = EventId { log: position.log, sequence: position.sequence, index: 0 }.to_string();
                let request = GetEventRequest { event_id: id.clone(), ..GetEventRequest::default() };
                let found = fixture.client.events().get_event(request).await.unwrap().into_inner();
                assert_eq!(found.event.unwrap().event_id, id);
            }
        });
    }
}
