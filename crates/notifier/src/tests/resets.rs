//! The reset of a source, as everybody hears of it who passes it: live, behind, resuming, and in lists.

use milepost_client::{Delivery, Reset, Selection as Asked, Start, Watch, WatchOptions};
use milepost_proto::notifier::v1::EventRange;
use milepost_types::{Cursor, GoOn};

use super::*;

const TRACKER: LedgerKind = LedgerKind::Tracker;

/// Selections of everything, of nothing there is, of some, and of bookkeeping.
fn selections() -> [Asked; 5] {
    [
        Asked::default(),
        Asked { resource: "portfolios/nowhere".into(), ..Asked::default() },
        types(&["milepost.batch.started"]),
        Asked { filter: r#"source = "registry""#.into(), ..Asked::default() },
        types(&["milepost.source.*"]),
    ]
}

fn write(feeder: &Feeder, entries: usize) {
    for _ in 0..entries {
        feeder.one();
    }
}

fn watch(fixture: &Fixture, start: Start, selection: &Asked) -> Watch {
    fixture.client.watch(start, selection.clone(), WatchOptions::default())
}

/// What a watch delivers up to a position of the log, with the cursor after each: events by their ids, resets by
/// the id of theirs after a `!`.
async fn deliveries(watch: &mut Watch, end: Position) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        let delivery = soon(watch.next()).await.unwrap().unwrap();
        let cursor = delivery.cursor().to_owned();
        match delivery {
            Delivery::Batch(batch) => {
                found.extend(ids(&batch.events).into_iter().map(|id| (id, cursor.clone())));
            }
            Delivery::Reset(reset) => found.push((format!("!{}", reset.notice.event_id), cursor.clone())),
        }
        if cursor == Cursor::after(end).to_string() {
            return found;
        }
    }
}

fn names(deliveries: &[(String, String)]) -> Vec<&str> {
    deliveries.iter().map(|(name, _)| name.as_str()).collect()
}

async fn next_reset(watch: &mut Watch) -> Reset {
    loop {
        match soon(watch.next()).await.unwrap().unwrap() {
            Delivery::Batch(batch) => assert_eq!(batch.events, [], "the reset comes first"),
            Delivery::Reset(reset) => return *reset,
        }
    }
}

/// The log of a source as it was after so many entries, under a new id.
fn restored(source: &Feeder, entries: usize) -> Arc<Feeder> {
    let stored = source.journal.read_after(0, Default::default()).unwrap()[..entries].to_vec();
    let hash = stored.last().map_or(Hash::ZERO, |last| last.hash);
    let parent = Position::after(source.tail().log, entries as u64, &hash);
    let journal = MemoryJournal::with_entries(LogId::generate(), Some(parent), stored);
    Arc::new(Feeder::over(source.kind, Arc::new(journal), hash))
}

/// The notifier started again after a reset to where another tracker's log is now and the logs part.
fn restarted(fixture: &Fixture, tracker: &Arc<Feeder>) -> Fixture {
    fixture.context.drain.cancel();
    let journal = Arc::new(fixture.journal.reopened());
    let last = journal.read_after(journal.info().tail.sequence - 1, Default::default()).unwrap();
    let own = Feeder::over(LedgerKind::Notifier, journal.clone(), last[0].hash);
    let id = EventId { log: own.tail().log, sequence: own.tail().sequence + 1, index: 0 };
    let (before, now) = (fixture.tracker.tail(), tracker.tail());
    own.append_bytes(vec![reset_event(id, own.kind, Some(before), &now, Some(now))], &[]);
    Fixture::following(Config::default(), journal, [fixture.registry.clone(), tracker.clone()])
}

/// Has a running notifier begin from scratch with a source, of which it then has everything twice.
async fn reset(fixture: &Fixture, source: LedgerKind) -> Position {
    let to = Position::start(LogId::generate());
    crate::service::reset(&fixture.ledger, source, GoOn::after(to), "begun from scratch").await.unwrap();
    let position = fixture.ledger.position();
    let hub = &fixture.notifier.api().streams().hub;
    soon(async {
        while hub.published() != position {
            tokio::task::yield_now().await;
        }
    })
    .await;
    position
}

#[tokio::test]
async fn a_stream_that_is_resumed_after_a_restore_says_what_is_no_longer_true() {
    let original = Fixture::new();
    write(&original.tracker, 5);
    original.run();
    original.caught_up().await;
    let seen = original.all(EventSelection::default()).await;
    let mut cursors = Vec::new();
    for selection in selections() {
        let mut before = watch(&original, Start::Earliest, &selection);
        deliveries(&mut before, original.ledger.position()).await;
        cursors.push(before.cursor().unwrap().to_owned());
    }
    // Exported at 3, gone on to 5, imported, reset, gone on.
    let tracker = restored(&original.tracker, 3);
    let (old, new) = (original.tracker.tail(), tracker.tail());
    let fixture = restarted(&original, &tracker);
    let entry = fixture.ledger.position();
    tracker.one();
    fixture.run();
    fixture.caught_up().await;
    let after = fixture.all(EventSelection::default()).await.pop().unwrap();

    for (selection, cursor) in selections().iter().zip(cursors) {
        let mut watch = watch(&fixture, Start::After(cursor), selection);
        if selection.types == ["milepost.source.*"] {
            let Delivery::Batch(batch) = soon(watch.next()).await.unwrap().unwrap() else {
                panic!("the event")
            };
            assert_eq!(batch.events[0].r#type, "milepost.source.reset");
            assert_ne!(batch.cursor, Cursor::after(entry).to_string(), "the reset is not passed by it");
        }
        let reset = next_reset(&mut watch).await;
        assert_eq!(reset.cursor, Cursor::after(entry).to_string(), "just after the reset");
        let notice = &reset.notice;
        assert_eq!((notice.source.as_str(), notice.reason.as_str()), ("tracker", "a test"));
        assert_eq!(notice.previous_position, Some(wire(&old)));
        assert_eq!((&notice.position, &notice.fork), (&Some(wire(&new)), &Some(wire(&new))));
        let revoked = Some(EventRange { after_sequence: 3, up_to_sequence: 5 });
        assert_eq!(
            (notice.revoked_events, notice.repeated_events, notice.omitted_events),
            (revoked, None, None)
        );
        assert_eq!(seen.iter().filter(|event| reset.revokes(event)).count(), 2, "{notice:?}");
        assert!(reset.revokes(&seen[3]) && reset.revokes(&seen[4]) && !reset.revokes(&seen[2]));
        let rest = deliveries(&mut watch, fixture.ledger.position()).await;
        let expected: &[_] = if *selection == Asked::default() { &[after.event_id.as_str()] } else { &[] };
        assert_eq!(names(&rest), expected, "{selection:?}");
    }
}

#[tokio::test]
async fn live_watchers_hear_of_a_reset_whatever_they_selected_and_once() {
    let fixture = Fixture::new();
    write(&fixture.tracker, 5);
    fixture.run();
    fixture.caught_up().await;
    let mut watches = Vec::new();
    for selection in selections().iter().chain(&selections()) {
        let mut watch = watch(&fixture, Start::Latest, selection);
        // Live, and it waits.
        assert_eq!(deliveries(&mut watch, fixture.ledger.position()).await, []);
        watches.push((watch, selection.clone()));
    }
    let entry = reset(&fixture, TRACKER).await;
    fixture.registry.one();
    let mut positions = fixture.ledger.positions();
    soon(positions.wait_for(|position| position.sequence > entry.sequence)).await.unwrap();
    let last = fixture.all(Asked::default()).await.pop().unwrap();
    let reset_id = EventId { log: entry.log, sequence: entry.sequence, index: 0 }.to_string();
    for (mut watch, selection) in watches {
        let found = deliveries(&mut watch, fixture.ledger.position()).await;
        let notice = format!("!{reset_id}");
        let mut expected = vec![notice.as_str()];
        if selection.types == ["milepost.source.*"] {
            expected.insert(0, &reset_id);
        } else if selection.resource.is_empty() && selection.types.is_empty() {
            expected.push(&last.event_id);
        }
        assert_eq!(names(&found), expected, "{selection:?}");
        let (_, cursor) = found.iter().find(|(name, _)| *name == notice).unwrap();
        assert_eq!(*cursor, Cursor::after(entry).to_string(), "just after the reset");
    }
}

#[tokio::test]
async fn a_reset_is_heard_once_from_every_cursor_before_it_and_never_after() {
    let fixture = Fixture::new();
    // More than one response holds, so that those behind read it in pieces.
    let many = vec![("milepost.project.started", "portfolios/p/projects/x"); 300];
    fixture.registry.append(&many, &[]);
    fixture.tracker.one();
    fixture.run();
    fixture.caught_up().await;
    let one = reset(&fixture, TRACKER).await;
    let end = reset(&fixture, LedgerKind::Registry).await;
    let id =
        |position: Position| EventId { log: position.log, sequence: position.sequence, index: 0 }.to_string();
    for selection in selections() {
        let all = deliveries(&mut watch(&fixture, Start::Earliest, &selection), end).await;
        let bookkeeping = selection.types == ["milepost.source.*"];
        let tail: Vec<_> = if bookkeeping {
            vec![id(one), format!("!{}", id(one)), id(end), format!("!{}", id(end))]
        } else {
            vec![format!("!{}", id(one)), format!("!{}", id(end))]
        };
        assert_eq!(names(&all)[all.len() - tail.len()..], tail, "{selection:?}");
        // A client that goes away after any response and comes back hears exactly the rest.
        let mut cursors: Vec<_> = all.iter().map(|(_, cursor)| cursor.clone()).collect();
        cursors.dedup();
        for cursor in cursors.iter().filter(|cursor| **cursor != Cursor::after(end).to_string()) {
            let seen = all.iter().rposition(|(_, at)| at == cursor).unwrap() + 1;
            let rest = deliveries(&mut watch(&fixture, Start::After(cursor.clone()), &selection), end).await;
            assert_eq!(names(&rest), names(&all[seen..]), "{selection:?}");
        }
        let mut late = watch(&fixture, Start::After(Cursor::after(end).to_string()), &selection);
        assert_eq!(
            deliveries(&mut late, end).await,
            [],
            "who starts after it has nothing that it takes back"
        );
    }
}

#[tokio::test]
async fn a_reset_that_changes_nothing_is_not_announced() {
    let original = Fixture::new();
    write(&original.tracker, 3);
    original.run();
    original.caught_up().await;
    let at_restart = original.ledger.position();
    // Restored where the notifier had come to: the same entries under another log id.
    let tracker = restored(&original.tracker, 3);
    let fixture = restarted(&original, &tracker);
    tracker.one();
    fixture.run();
    fixture.caught_up().await;
    let after = fixture.all(EventSelection::default()).await.pop().unwrap();
    let (end, start) = (fixture.ledger.position(), Start::After(Cursor::after(at_restart).to_string()));
    let found = deliveries(&mut watch(&fixture, start.clone(), &Asked::default()), end).await;
    assert_eq!(names(&found), [after.event_id]);
    let bookkeeping = deliveries(&mut watch(&fixture, start, &types(&["milepost.source.reset"])), end).await;
    assert_eq!(bookkeeping.len(), 1, "the event of it is in the log all the same: {bookkeeping:?}");
    let page = fixture.list(ListEventsRequest::default()).await.unwrap();
    assert_eq!((page.events.len(), page.source_reset), (4, None));
}

#[tokio::test]
async fn the_reset_of_another_ledgers_follower_takes_nothing_back() {
    let fixture = Fixture::new();
    let id = EventId { log: fixture.tracker.tail().log, sequence: 1, index: 0 };
    let (from, to) = (fixture.registry.tail(), Position::start(LogId::generate()));
    let event = reset_event(id, TRACKER, Some(Position { sequence: 9, ..from }), &to, None);
    fixture.tracker.append_bytes(vec![event], &[]);
    fixture.run();
    fixture.caught_up().await;
    let end = fixture.ledger.position();
    assert_eq!(deliveries(&mut watch(&fixture, Start::Earliest, &Asked::default()), end).await, []);
    let selected =
        deliveries(&mut watch(&fixture, Start::Earliest, &types(&["milepost.source.*"])), end).await;
    assert_eq!(names(&selected), [id.to_string()]);
}

/// Three events of the tracker, a reset of it, and an event of the registry; and where the reset is.
async fn reset_between_writes() -> (Fixture, Position) {
    let fixture = Fixture::new();
    write(&fixture.tracker, 3);
    fixture.run();
    fixture.caught_up().await;
    let reset_at = reset(&fixture, TRACKER).await;
    fixture.registry.one();
    let mut positions = fixture.ledger.positions();
    soon(positions.wait_for(|position| position.sequence > reset_at.sequence)).await.unwrap();
    (fixture, reset_at)
}

#[tokio::test]
async fn a_list_has_a_page_for_the_reset_between_what_is_before_and_after_it() {
    let (fixture, reset_at) = reset_between_writes().await;
    for selection in selections() {
        let selected = fixture.all(selection.clone()).await;
        let first = ListEventsRequest { selection: Some(selection), ..ListEventsRequest::default() };
        let (mut request, mut pages) = (first.clone(), Vec::new());
        loop {
            let page = fixture.list(request).await.unwrap();
            let next = page.next_page_token.clone();
            pages.push(page);
            if next.is_empty() {
                break;
            }
            request = ListEventsRequest { page_token: next, ..first.clone() };
        }
        let notices: Vec<_> = pages.iter().filter(|page| page.source_reset.is_some()).collect();
        assert_eq!(notices.len(), 1, "{pages:?}");
        assert_eq!(
            (&*notices[0].events, &notices[0].cursor),
            (&[][..], &Cursor::after(reset_at).to_string())
        );
        let notice = notices[0].source_reset.clone().unwrap();
        let revoked = Some(EventRange { after_sequence: 0, up_to_sequence: 3 });
        assert_eq!((notice.source.as_str(), notice.revoked_events), ("tracker", revoked));
        let before = pages.iter().take_while(|page| page.source_reset.is_none());
        let before: Vec<_> = before.flat_map(|page| ids(&page.events)).collect();
        let expected =
            selected.iter().filter(|event| event.source != "registry").cloned().collect::<Vec<_>>();
        assert_eq!(before, ids(&expected));
        // By a cursor as by tokens.
        let after = ListEventsRequest { after_cursor: notices[0].cursor.clone(), ..first.clone() };
        assert_eq!(fixture.list(after).await.unwrap().source_reset, None);
    }
}

#[tokio::test]
async fn a_list_of_the_newest_first_has_a_page_for_the_reset_and_a_watch_after_its_cursor_sends_it() {
    let (fixture, _) = reset_between_writes().await;
    for selection in selections() {
        let mut expected = fixture.all(selection.clone()).await;
        expected.reverse();
        let first = ListEventsRequest {
            selection: Some(selection.clone()),
            order_by: "sequence desc".into(),
            ..ListEventsRequest::default()
        };
        let (mut request, mut pages) = (first.clone(), Vec::new());
        loop {
            let page = fixture.list(request).await.unwrap();
            let next = page.next_page_token.clone();
            pages.push(page);
            if next.is_empty() {
                break;
            }
            request = ListEventsRequest { page_token: next, ..first.clone() };
        }
        let listed: Vec<_> = pages.iter().flat_map(|page| page.events.clone()).collect();
        assert_eq!(ids(&listed), ids(&expected));
        let at = pages.iter().position(|page| page.source_reset.is_some()).unwrap();
        assert_eq!(pages.iter().filter(|page| page.source_reset.is_some()).count(), 1, "{pages:?}");
        let newer = pages[..at].iter().flat_map(|page| &page.events);
        assert!(newer.clone().all(|event| event.source == "registry"), "{pages:?}");
        assert!(pages[at + 1..].iter().flat_map(|page| &page.events).all(|event| event.source != "registry"));

        let mut watch = watch(&fixture, Start::After(pages[at].cursor.clone()), &selection);
        let found = deliveries(&mut watch, fixture.ledger.position()).await;
        let mut expected: Vec<_> = newer.map(|event| event.event_id.clone()).collect();
        let id = pages[at].source_reset.clone().unwrap().event_id;
        expected.insert(0, format!("!{id}"));
        assert_eq!(names(&found), expected, "{selection:?}");
    }
}
