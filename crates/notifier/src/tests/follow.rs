//! Following sources through real connections: once each, in order, whatever happens to either side.

use milepost_service::readiness::State;
use milepost_types::GoOn;

use super::*;
use crate::service::reset;

fn check(fixture: &Fixture, source: LedgerKind) -> State {
    fixture.context.readiness.report().checks[&format!("notifier.follow({source})")].clone()
}

async fn degraded(fixture: &Fixture, source: LedgerKind) -> String {
    let mut reports = fixture.context.readiness.watch();
    let name = format!("notifier.follow({source})");
    let found = soon(reports.wait_for(|report| matches!(report.checks[&name], State::Degraded(_)))).await;
    found.unwrap().checks[&name].reason().to_owned()
}

/// Why a source is not followed any more.
pub(super) async fn stands_still(fixture: &Fixture, source: LedgerKind) -> String {
    let mut reports = fixture.context.readiness.watch();
    let name = format!("notifier.follow({source})");
    let coming = |reason: &str| reason == "starting" || reason.starts_with("connecting");
    let still = |state: &State| matches!(state, State::NotReady(reason) if !coming(reason));
    let found = soon(reports.wait_for(|report| still(&report.checks[&name]))).await;
    let report = found.unwrap().clone();
    assert!(
        !report.ready() && !report.component_ready("notifier"),
        "a service that stands still is not ready"
    );
    report.checks[&name].reason().to_owned()
}

/// What was taken over, as the positions at the sources.
fn taken_over(fixture: &Fixture) -> Vec<(Position, Vec<Position>)> {
    let limit = milepost_ledger::journal::ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let stored = fixture.journal.read_after(0, limit).unwrap();
    let entries = stored.iter().map(|stored| Entry::decode(stored).unwrap());
    entries.map(|entry| (entry.decided_on[0], entry.decided_on[1..].to_vec())).collect()
}

#[tokio::test]
async fn entries_come_verbatim_with_fields_that_this_version_does_not_know() {
    let fixture = Fixture::new();
    fixture.run();
    let id = EventId { log: fixture.registry.tail().log, sequence: 1, index: 0 };
    let mut bytes = event(id, LedgerKind::Registry, "milepost.robot.built", "portfolios/p", now()).to_vec();
    // Field 3000, a text.
    bytes.extend([0xc2, 0xbb, 0x01, 3, b'n', b'e', b'w']);
    fixture.registry.append_bytes(vec![bytes.clone().into()], &[]);
    fixture.caught_up().await;
    let log = &fixture.notifier.api().streams().log;
    let (event, _) = log.find(crate::log::PlaceOf::Source(vec![(id.log, 0)]), &id).await.unwrap().unwrap();
    assert_eq!(event, bytes);
    assert_eq!(check(&fixture, LedgerKind::Registry), State::Ready);
}

#[tokio::test]
async fn an_effect_waits_for_its_cause() {
    let fixture = Fixture::new();
    // The tracker's entries are there first; the second was decided on what the registry does next.
    let first = Position { sequence: 2, ..Position::start(fixture.registry.tail().log) };
    fixture.tracker.append(&[("milepost.milestone.created", "portfolios/p/projects/x/milestones/m")], &[]);
    fixture
        .tracker
        .append(&[("milepost.milestone.achieved", "portfolios/p/projects/x/milestones/m")], &[first]);
    fixture.run();
    let mut positions = fixture.ledger.positions();
    soon(positions.wait_for(|position| position.sequence == 1)).await.unwrap();
    // In vain: two seconds later it says what it waits for.
    let reason = degraded(&fixture, LedgerKind::Tracker).await;
    assert!(reason.contains("waits for") && reason.contains(&first.to_string()), "{reason}");
    assert_eq!(fixture.ledger.position().sequence, 1);
    fixture.registry.one();
    fixture.registry.one();
    fixture.caught_up().await;
    let logs: Vec<_> = taken_over(&fixture).into_iter().map(|(position, _)| position).collect();
    assert_eq!(logs[0].log, fixture.tracker.tail().log);
    assert_eq!(logs[3], fixture.tracker.tail());
    let mut reports = fixture.context.readiness.watch();
    assert!(
        soon(reports.wait_for(|report| report.checks["notifier.follow(tracker)"] == State::Ready))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn after_restarts_every_entry_is_there_once() {
    let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
    let mut journal = Arc::new(MemoryJournal::new(LogId::generate()));
    let mut last = None;
    for round in 0..4 {
        let fixture = Fixture::following(Config::default(), journal.clone(), sources.clone());
        fixture.run();
        for _ in 0..10 {
            let cause = fixture.registry.one();
            fixture.tracker.append(&[("milepost.milestone.created", "portfolios/p/projects/x")], &[cause]);
        }
        if round == 3 {
            fixture.caught_up().await;
        } else {
            // Somewhere in the middle.
            let mut positions = fixture.ledger.positions();
            soon(positions.wait_for(|position| position.sequence > 15 * round)).await.unwrap();
        }
        fixture.context.drain.cancel();
        journal = Arc::new(fixture.journal.reopened());
        last = Some(fixture);
    }
    let fixture = last.unwrap();
    let mut reached = std::collections::HashMap::new();
    for (position, needs) in taken_over(&fixture) {
        assert!(needs.iter().all(|needed| reached.get(&needed.log) >= Some(&needed.sequence)), "{position}");
        let before = reached.insert(position.log, position.sequence).unwrap_or(0);
        assert_eq!(position.sequence, before + 1);
    }
    assert_eq!(reached.into_values().collect::<Vec<_>>(), [40, 40]);
}

#[tokio::test]
async fn a_source_that_was_restored_and_grew_again_is_refused_until_an_operator_resets_it() {
    let tracker = Arc::new(Feeder::new(LedgerKind::Tracker));
    let registry = Arc::new(Feeder::new(LedgerKind::Registry));
    (0..2).for_each(|_| {
        registry.one();
    });
    // The backup: two entries; later both go on differently.
    let backup = Arc::new(registry.journal.reopened());
    let restored = Arc::new(Feeder::over(LedgerKind::Registry, backup, registry.hash()));
    let fork = restored.tail();
    let original = Fixture::following(
        Config::default(),
        Arc::new(MemoryJournal::new(LogId::generate())),
        [registry.clone(), tracker.clone()],
    );
    original.run();
    (0..3).for_each(|_| {
        registry.one();
    });
    original.caught_up().await;
    original.context.drain.cancel();
    restored.set_time(now() + jiff::SignedDuration::from_hours(1));
    (0..9).for_each(|_| {
        restored.one();
    });

    let journal = Arc::new(original.journal.reopened());
    let fixture = Fixture::following(Config::default(), journal, [restored.clone(), tracker]);
    fixture.run();
    let reason = stands_still(&fixture, LedgerKind::Registry).await;
    let (asked, same) =
        (registry.tail(), restored.journal.read_after(4, Default::default()).unwrap()[0].hash);
    let have = Position::after(asked.log, 5, &same);
    assert!(reason.contains(&asked.to_string()) && reason.contains(&have.to_string()), "{reason}");
    assert!(reason.contains("milepost follower reset --follower notifier --source registry"), "{reason}");
    assert_eq!(fixture.all(EventSelection::default()).await.len(), 5, "the log can still be read");
    assert_eq!(fixture.ledger.position().sequence, 5);
    fixture.context.drain.cancel();

    let journal = Arc::new(fixture.journal.reopened());
    let again = Fixture::following(Config::default(), journal, [restored.clone(), fixture.tracker.clone()]);
    reset(&again.ledger, LedgerKind::Registry, GoOn::after(fork), "restored from the backup").await.unwrap();
    again.run();
    again.caught_up().await;
    assert_eq!(again.ledger.position().sequence, 5 + 1 + 9);
    assert_eq!(again.all(types(&["milepost.source.reset"])).await.len(), 1);
    let id = EventId { log: asked.log, sequence: 5, index: 0 };
    let request =
        milepost_proto::notifier::v1::GetEventRequest { event_id: id.to_string(), ..Default::default() };
    let found = again.client.events().get_event(request).await.unwrap().into_inner().event.unwrap();
    assert_eq!(found.commit_time.unwrap().seconds, now().as_second() + 3600, "the one that is true now");
}

#[tokio::test]
async fn a_source_that_is_not_there_leaves_the_log_readable_and_says_so() {
    let fixture = Fixture::new();
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let pool = Endpoint::parse(&format!("http://{address}")).unwrap().pool(1);
    let follower = crate::follower::SourceFollower {
        source: LedgerKind::Registry,
        transport: pool.into(),
        ledger: fixture.ledger.clone(),
        clock: Arc::new(SourceClock::new(fixture.clock.clone())),
        progress: Arc::default(),
        everyone: Arc::from([]),
        check: fixture.context.readiness.check("notifier.follow(registry)"),
        metrics: crate::metrics::Metrics::default(),
        drain: fixture.context.drain.clone(),
        backoff: milepost_client::Backoff::default(),
    };
    let task = tokio::spawn(follower.run());
    let reason = degraded(&fixture, LedgerKind::Registry).await;
    assert!(reason.contains("refused"), "{reason}");
    assert_eq!(fixture.all(EventSelection::default()).await, []);
    fixture.context.drain.cancel();
    soon(task).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_entry_of_a_newer_format_stops_its_source_alone() {
    let fixture = Fixture::new();
    fixture.run();
    let registry = fixture.registry.one();
    let message = milepost_proto::journal::v1::Entry {
        sequence: 2,
        format: 99,
        ..milepost_proto::journal::v1::Entry::default()
    };
    let bytes = Bytes::from(message.encode_to_vec());
    let previous = fixture.registry.hash();
    let hash = milepost_ledger::chain(&previous, &bytes);
    let stored = milepost_ledger::journal::StoredEntry { sequence: 2, hash, bytes };
    fixture.registry.journal.append(&registry, &Block { previous, entries: vec![stored] }).unwrap();
    let reason = stands_still(&fixture, LedgerKind::Registry).await;
    assert!(reason.contains("format 99") && reason.contains("newer milepost"), "{reason}");
    fixture.tracker.one();
    let mut positions = fixture.ledger.positions();
    soon(positions.wait_for(|position| position.sequence == 2)).await.unwrap();
}

#[tokio::test]
async fn want_of_room_shows_until_something_was_taken_over_and_loses_nothing() {
    use milepost_ledger::journal::memory::Failure;
    let fixture = Fixture::new();
    (0..2).for_each(|_| fixture.journal.fail_next(Failure::DiskLow));
    fixture.run();
    fixture.registry.one();
    degraded(&fixture, LedgerKind::Registry).await;
    let mut reports = fixture.context.readiness.watch();
    let mut seen = Vec::new();
    let last = soon(async {
        loop {
            let state = reports.borrow_and_update().checks["notifier.follow(registry)"].clone();
            match state {
                State::Degraded(reason) => seen.push(reason),
                other => return other,
            }
            reports.changed().await.unwrap();
        }
    })
    .await;
    // Neither unready while it connects again, nor ready because it is connected.
    assert_eq!(last, State::Ready, "after {seen:?}");
    assert!(seen.iter().all(|reason| reason.contains("cannot be taken over now")), "{seen:?}");
    assert_eq!(fixture.ledger.position().sequence, 1, "ready again means that it was taken over");
    fixture.caught_up().await;
    assert_eq!(taken_over(&fixture).len(), 1);
}
