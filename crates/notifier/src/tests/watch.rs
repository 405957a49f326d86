//! Watching through real connections: every start, cuts inside entries, checkpoints, drains.

use milepost_client::{Batch, Delivery, Phase, Selection as Asked, Start, Watch, WatchOptions};
use milepost_proto::notifier::v1::watch_events_request::{From, Start as WireStart};
use milepost_proto::notifier::v1::{WatchEventsRequest, WatchEventsResponse};
use milepost_types::{Cursor, EntryOffset};
use tonic::Code;

use super::*;

fn watch(fixture: &Fixture, start: Start) -> Watch {
    fixture.client.watch(start, Asked::default(), WatchOptions::default())
}

async fn next(watch: &mut Watch) -> Batch {
    match soon(watch.next()).await.unwrap().unwrap() {
        Delivery::Batch(batch) => batch,
        Delivery::Reset(reset) => panic!("{reset:?}"),
    }
}

async fn collect(watch: &mut Watch, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    soon(async {
        while found.len() < count {
            found.extend(ids(&next(watch).await.events));
        }
    })
    .await;
    assert_eq!(found.len(), count);
    found
}

#[tokio::test]
async fn every_start_sees_what_comes_after_it() {
    let fixture = Fixture::new();
    fixture.run();
    for hours in 0..4 {
        let time = now() + jiff::SignedDuration::from_hours(hours);
        fixture.registry.set_time(time);
        fixture.clock.set(time);
        fixture.registry.one();
        fixture.caught_up().await;
    }
    let all = ids(&fixture.all(EventSelection::default()).await);
    let page =
        fixture.list(ListEventsRequest { page_size: 1, ..ListEventsRequest::default() }).await.unwrap();
    let two_hours = now() + jiff::SignedDuration::from_hours(2);
    let mut watches = Vec::new();
    for (start, seen) in
        [(Start::Earliest, 0), (Start::After(page.cursor), 1), (Start::At(two_hours), 2), (Start::Latest, 4)]
    {
        let mut watch = watch(&fixture, start);
        let mut found = collect(&mut watch, 4 - seen).await;
        if seen == 4 {
            // The cursor of "now" comes at once.
            let first = next(&mut watch).await;
            assert_eq!((first.events.len(), first.phase), (0, Phase::Live));
        }
        found.splice(0..0, all[..seen].iter().cloned());
        watches.push((watch, found));
    }
    fixture
        .tracker
        .append(&[("milepost.project.started", "portfolios/p"), ("milepost.source.followed", "")], &[]);
    fixture.caught_up().await;
    let all = ids(&fixture.all(EventSelection::default()).await);
    for (mut watch, mut found) in watches {
        found.extend(collect(&mut watch, 1).await);
        assert_eq!(found, all);
    }
}

#[tokio::test]
async fn a_large_entry_is_cut_and_every_cut_can_be_resumed_from() {
    let fixture = Fixture::new();
    let subjects: Vec<_> = (0..1000).map(|index| format!("portfolios/p/projects/x{index}")).collect();
    let started: Vec<_> =
        subjects.iter().map(|subject| ("milepost.project.started", subject.as_str())).collect();
    fixture.registry.append(&started, &[]);
    fixture.registry.one();
    fixture.run();
    fixture.caught_up().await;
    let all = ids(&fixture.all(EventSelection::default()).await);
    let mut cuts = vec![];
    let mut first = watch(&fixture, Start::Earliest);
    let mut seen = 0;
    while seen < all.len() {
        let batch = next(&mut first).await;
        assert!(batch.events.len() <= 256);
        seen += batch.events.len();
        cuts.push((batch.cursor, seen));
    }
    let inside = |cursor: &str| matches!(cursor.parse::<Cursor>().unwrap().offset, EntryOffset::Event(_));
    assert_eq!(cuts.iter().filter(|(cursor, _)| inside(cursor)).count(), 3, "{cuts:?}");
    for (cursor, seen) in cuts {
        let mut resumed = watch(&fixture, Start::After(cursor));
        assert_eq!(collect(&mut resumed, all.len() - seen).await, all[seen..]);
    }
}

#[tokio::test]
async fn catching_up_is_told_from_living() {
    let fixture = Fixture::new();
    (0..700).for_each(|_| {
        fixture.registry.one();
    });
    fixture.run();
    fixture.caught_up().await;
    let mut watch = watch(&fixture, Start::Earliest);
    let (mut seen, mut phases) = (0, Vec::new());
    loop {
        let batch = next(&mut watch).await;
        seen += batch.events.len();
        phases.push(batch.phase);
        assert_eq!(batch.lag_entries, 700 - seen as u64);
        if batch.phase == Phase::Live {
            break;
        }
    }
    assert_eq!((seen, phases[0]), (700, Phase::CatchUp));
    fixture.registry.one();
    let live = next(&mut watch).await;
    assert_eq!((live.events.len(), live.phase, live.lag_entries), (1, Phase::Live, 0));
}

/// The responses themselves, without a client that resumes.
async fn raw(
    fixture: &Fixture,
    interval: Duration,
    selection: EventSelection,
) -> tonic::Streaming<WatchEventsResponse> {
    let request = WatchEventsRequest {
        from: Some(From::Start(WireStart::Latest.into())),
        selection: Some(selection),
        checkpoint_interval: Some(interval.try_into().unwrap()),
    };
    fixture.client.events().watch_events(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_quiet_stream_tells_how_far_it_is_at_each_interval() {
    let fixture = Fixture::new();
    fixture.run();
    let interval = Duration::from_secs(3);
    let selection = EventSelection { resource: "portfolios/q".into(), ..EventSelection::default() };
    let mut stream = raw(&fixture, interval, selection).await;
    let first = stream.message().await.unwrap().unwrap();
    assert!(first.checkpoint && first.phase() == Phase::Live);
    let mut last = tokio::time::Instant::now();
    for sequence in 1..4 {
        // Something happens that the stream does not ask for.
        fixture.registry.one();
        fixture.caught_up().await;
        // Only while nothing but the stream is under way: the ledger works in real time.
        tokio::time::pause();
        let checkpoint = stream.message().await.unwrap().unwrap();
        tokio::time::resume();
        assert!(checkpoint.checkpoint && checkpoint.events.is_empty());
        let waited = last.elapsed();
        // The server's interval began a moment before the checkpoint arrived.
        let moment = Duration::from_secs(1);
        assert!(waited + moment >= interval && waited < 2 * interval, "{waited:?}");
        last = tokio::time::Instant::now();
        let cursor: Cursor = checkpoint.cursor.parse().unwrap();
        assert_eq!((cursor, checkpoint.lag_entries), (Cursor::after(fixture.ledger.position()), 0));
        assert_eq!(cursor.position.sequence, sequence);
    }
}

#[tokio::test]
async fn a_drain_is_announced_with_a_cursor_and_then_ends_the_stream() {
    let fixture = Fixture::new();
    fixture.run();
    fixture.registry.one();
    fixture.caught_up().await;
    let mut stream = raw(&fixture, Duration::from_secs(10), EventSelection::default()).await;
    assert!(stream.message().await.unwrap().unwrap().checkpoint);
    fixture.context.drain.cancel();
    let announced = soon(stream.message()).await.unwrap().unwrap();
    let pause: Duration = announced.drain.unwrap().reconnect_after.unwrap().try_into().unwrap();
    assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_millis(1500), "{pause:?}");
    assert_eq!(announced.cursor, Cursor::after(fixture.ledger.position()).to_string());
    let end = soon(stream.message()).await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    let late = raw(&fixture, Duration::from_secs(10), EventSelection::default()).await.message().await;
    assert!(
        late.unwrap().unwrap().drain.is_some(),
        "a watch that begins during the drain is announced its end, too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_too_old_is_asked_to_reconnect() {
    let config = Config { max_stream_age: Some(Duration::from_secs(60)), ..Config::default() };
    let fixture = Fixture::with(config, Arc::new(MemoryJournal::new(LogId::generate())));
    fixture.run();
    let opened = tokio::time::Instant::now();
    let mut stream = raw(&fixture, Duration::from_secs(10), EventSelection::default()).await;
    while stream.message().await.unwrap().unwrap().drain.is_none() {}
    let age = opened.elapsed();
    assert!(age >= Duration::from_secs(30) && age <= Duration::from_secs(91), "{age:?}");
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_client_that_resumes_sees_each_event_once_across_restarts() {
    let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
    let mut journal = Arc::new(MemoryJournal::new(LogId::generate()));
    let mut start = Start::Earliest;
    let mut found = Vec::new();
    for round in 1..=3 {
        let fixture = Fixture::following(Config::default(), journal.clone(), sources.clone());
        fixture.run();
        (0..200).for_each(|_| {
            fixture.registry.one();
            fixture.tracker.one();
        });
        let mut watch = watch(&fixture, start.clone());
        while found.len() < 400 * round - (3 - round) * 50 {
            found.extend(ids(&next(&mut watch).await.events));
        }
        start = Start::After(watch.cursor().unwrap().to_owned());
        fixture.context.drain.cancel();
        if round == 3 {
            assert_eq!(found, ids(&fixture.all(EventSelection::default()).await));
        }
        journal = Arc::new(fixture.journal.reopened());
    }
}

#[tokio::test]
async fn requests_that_ask_for_nonsense_are_refused() {
    let fixture = Fixture::new();
    let refused = |request: WatchEventsRequest| {
        let mut events = fixture.client.events();
        async move {
            let status = events.watch_events(request).await.unwrap_err();
            let failure = milepost_client::Failure::from(status);
            failure.violations.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
        }
    };
    let interval = |millis| Some(prost_types::Duration { seconds: 0, nanos: millis * 1_000_000 });
    let request = |from, checkpoint_interval| WatchEventsRequest {
        from: Some(from),
        checkpoint_interval,
        selection: None,
    };
    let time = From::AtTime(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    assert_eq!(refused(request(time, interval(99))).await, ["at_time", "checkpoint_interval"]);
    assert_eq!(refused(request(From::Start(9), interval(-100))).await, ["start", "checkpoint_interval"]);
    let long = Some(prost_types::Duration { seconds: 601, nanos: 0 });
    assert_eq!(refused(request(From::Start(1), long)).await, ["checkpoint_interval"]);
}
