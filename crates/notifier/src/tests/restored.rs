//! Sources and the log itself, restored from exports: everything goes on by itself where both are the same,
//! each event once and after its cause, and a reader that had come further gets the reset.

use milepost_client::{Delivery, Selection as Asked, Start, WatchOptions};
use milepost_ledger::journal::ReadLimit;
use milepost_ledger::{Digest, rebuild};
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::GetEventRequest;
use milepost_service::readiness::State;
use milepost_types::{Cursor, GoOn, Lineage, Revision};

use super::follow::stands_still;
use super::*;
use crate::service::reset;

const ALL: ReadLimit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };

/// The log as it is restored from an export of its first entries, and the hash of the last of them.
fn restored(journal: &MemoryJournal, entries: u64) -> (Arc<MemoryJournal>, Hash) {
    let info = journal.info();
    let mut kept = journal.read_after(0, ALL).unwrap();
    kept.truncate(entries as usize);
    let hash = kept.last().map_or(Hash::ZERO, |last| last.hash);
    let lineage = info.lineage.restored_at(Position::after(info.log, entries, &hash));
    (Arc::new(MemoryJournal::with_entries(LogId::generate(), lineage, kept)), hash)
}

fn feeder(of: &Feeder, entries: u64) -> Arc<Feeder> {
    let (journal, hash) = restored(&of.journal, entries);
    Arc::new(Feeder::over(of.kind, journal, hash))
}

fn at(feeder: &Feeder, sequence: u64) -> Position {
    let Some(before) = sequence.checked_sub(1) else { return Position::start(feeder.tail().log) };
    let entry = &feeder.journal.read_after(before, ALL).unwrap()[0];
    Position::after(feeder.tail().log, sequence, &entry.hash)
}

fn id(feeder: &Feeder, sequence: u64) -> String {
    EventId { log: feeder.tail().log, sequence, index: 0 }.to_string()
}

async fn start(journal: Arc<MemoryJournal>, sources: [&Arc<Feeder>; 2]) -> Fixture {
    let fixture = Fixture::following(Config::default(), journal, sources.map(Arc::clone));
    fixture.run();
    caught_up_and_ready(fixture).await
}

/// As [`start`], but the registry is followed only once the tracker's next entry is in the log: those that came with
/// it are there too, unless they wait for the registry.
async fn start_with_the_tracker(journal: Arc<MemoryJournal>, sources: [&Arc<Feeder>; 2]) -> Fixture {
    use crate::source::Followed as _;
    let fixture = Fixture::following(Config::default(), journal, sources.map(Arc::clone));
    let applied = || crate::tables::Rows(&fixture.ledger.view()).applied(LedgerKind::Tracker);
    let before = applied().map_or(0, |applied| applied.sequence);
    let mut tasks = fixture.notifier.tasks(&fixture.context).into_iter();
    let registry = tasks.next().unwrap();
    tasks.for_each(|task| drop(tokio::spawn(task)));
    let mut positions = fixture.ledger.positions();
    soon(async {
        while applied().is_none_or(|applied| applied.sequence <= before) {
            positions.changed().await.unwrap();
        }
    })
    .await;
    tokio::spawn(registry);
    caught_up_and_ready(fixture).await
}

async fn caught_up_and_ready(fixture: Fixture) -> Fixture {
    fixture.caught_up().await;
    let mut reports = fixture.context.readiness.watch();
    let ready = |name: &str, state: &State| !name.starts_with("notifier.follow") || *state == State::Ready;
    let all = |checks: &std::collections::BTreeMap<String, State>| {
        checks.iter().all(|(name, state)| ready(name, state))
    };
    soon(reports.wait_for(|report| all(&report.checks))).await.unwrap();
    fixture
}

async fn get(fixture: &Fixture, event_id: &str) -> Result<Event, tonic::Status> {
    let request = GetEventRequest { event_id: event_id.to_owned(), ..GetEventRequest::default() };
    Ok(fixture.client.events().get_event(request).await?.into_inner().event.unwrap())
}

/// What a watcher hears after a cursor, up to the end of the log.
async fn heard(fixture: &Fixture, cursor: &Cursor) -> Vec<String> {
    let mut watch =
        fixture.client.watch(Start::After(cursor.to_string()), Asked::default(), WatchOptions::default());
    let latest = fixture.notifier.api().streams().log.latest().to_string();
    let mut found = Vec::new();
    loop {
        let Delivery::Batch(batch) = soon(watch.next()).await.unwrap().unwrap() else {
            panic!("nothing was lost, so nothing is announced")
        };
        found.extend(ids(&batch.events));
        if batch.cursor == latest {
            return found;
        }
    }
}

/// The rows rebuilt from the journal are those that are there.
fn assert_rebuilt(fixture: &Fixture) {
    let digest = || -> Digest {
        let dir = tempfile::tempdir().unwrap();
        rebuild(dir.path(), fixture.journal.as_ref(), &Rules, &Options::default()).unwrap().1
    };
    let rows = |ledger: &Ledger<Rules>| {
        use milepost_ledger::{Direction, KeyRange, Read};
        let view = ledger.view();
        let every = KeyRange { start: vec![1], end: None };
        view.scan(&every, Direction::Forward).collect::<Vec<_>>()
    };
    assert_eq!(digest(), digest());
    let dir = tempfile::tempdir().unwrap();
    let clock = fixture.clock.clone();
    let again = Arc::new(fixture.journal.reopened());
    let ledger =
        Ledger::open("again", dir.path(), again, Arc::new(Rules), clock, Options::default()).unwrap();
    assert_eq!(rows(&ledger), rows(&fixture.ledger));
}

#[tokio::test]
async fn after_a_complete_restore_everything_goes_on_by_itself_and_each_event_comes_once_after_its_cause() {
    let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
    let [registry, tracker] = &sources;
    (0..3).for_each(|_| {
        registry.one();
    });
    tracker.append(
        &[("milepost.milestone.created", "portfolios/p/projects/x/milestones/m")],
        &[at(registry, 3)],
    );
    let first = start(Arc::new(MemoryJournal::new(LogId::generate())), [registry, tracker]).await;
    let middle = first.ledger.position();
    let before = ids(&first.all(EventSelection::default()).await);
    first.context.drain.cancel();
    // While the notifier is behind: the tracker decides on what the notifier has not taken over.
    (0..2).for_each(|_| {
        registry.one();
    });
    tracker.append(
        &[("milepost.milestone.achieved", "portfolios/p/projects/x/milestones/m")],
        &[at(registry, 5)],
    );

    let [new_registry, new_tracker] = [feeder(registry, 5), feeder(tracker, 2)];
    let (journal, _) = restored(&first.journal, middle.sequence);
    let fixture = start(journal, [&new_registry, &new_tracker]).await;
    let expected = [id(registry, 4), id(registry, 5), id(tracker, 2)];
    assert_eq!(heard(&fixture, &Cursor::after(middle)).await, expected);
    let half = Cursor::after(Position { log: middle.log, ..cursor_at(&first, 2) });
    assert_eq!(heard(&fixture, &half).await, [&before[2..], &expected].concat());

    // New writes come, after what they were decided on in the restored log.
    let next = new_registry.one();
    new_tracker.append(&[("milepost.milestone.reforecast", "portfolios/p/projects/x/milestones/m")], &[next]);
    fixture.caught_up().await;
    let new = [id(&new_registry, 6), id(&new_tracker, 3)];
    assert_eq!(heard(&fixture, &Cursor::after(middle)).await, [&expected[..], &new].concat());
    for id in before.iter().chain(&expected).chain(&new) {
        assert_eq!(get(&fixture, id).await.unwrap().event_id, *id);
    }
    // An event that was taken over from the restored log has the id of the log that it happened in, and no other.
    for none in [id(&new_registry, 4), id(&new_tracker, 2), id(registry, 6)] {
        assert_eq!(get(&fixture, &none).await.unwrap_err().code(), tonic::Code::NotFound, "{none}");
    }
    // Revisions of the old logs, of either source and of this log, go on.
    for (ledger, position) in [
        (LedgerKind::Registry, at(registry, 5)),
        (LedgerKind::Tracker, at(tracker, 2)),
        (LedgerKind::Registry, next),
        (LedgerKind::Notifier, middle),
    ] {
        let revision = Revision { ledger, position }.to_string();
        let request = ListEventsRequest { min_revisions: vec![revision], ..ListEventsRequest::default() };
        fixture.list(request).await.unwrap();
    }
    let resets = fixture.all(types(&["milepost.source.reset"])).await;
    assert_eq!(resets.len(), 2, "one for each source");
    for reset in resets {
        let Some(Payload::SourceReset(payload)) = reset.payload else { panic!("{reset:?}") };
        let (old, new) = match reset.subject.as_str() {
            "sources/registry" => ((at(registry, 3), at(registry, 5)), &new_registry),
            _ => ((at(tracker, 1), at(tracker, 2)), &new_tracker),
        };
        let here = |position: Position| Some(wire(&Position { log: new.tail().log, ..position }));
        assert_eq!((payload.previous_position, payload.position), (Some(wire(&old.0)), here(old.0)));
        assert_eq!((payload.fork, payload.lineage), (here(old.1), vec![wire(&old.1)]));
    }
    assert_rebuilt(&fixture);
}

/// The position of an entry of a notifier's log.
fn cursor_at(fixture: &Fixture, sequence: u64) -> Position {
    let entry = &fixture.journal.read_after(sequence - 1, ALL).unwrap()[0];
    Position::after(fixture.ledger.position().log, sequence, &entry.hash)
}

#[tokio::test]
async fn two_restores_in_a_row_are_gone_through_by_who_saw_the_one_between_and_by_who_did_not() {
    for saw_the_one_between in [true, false] {
        let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
        let [registry, tracker] = &sources;
        (0..3).for_each(|_| {
            registry.one();
        });
        let mut fixture = start(Arc::new(MemoryJournal::new(LogId::generate())), [registry, tracker]).await;
        fixture.context.drain.cancel();
        (0..2).for_each(|_| {
            registry.one();
        });
        // Each effect comes together with an entry that waits for nothing.
        tracker.one();
        tracker.append(
            &[("milepost.milestone.created", "portfolios/p/projects/x/milestones/m")],
            &[at(registry, 5)],
        );

        let second = [feeder(registry, 5), feeder(tracker, 2)];
        (0..2).for_each(|_| {
            second[0].one();
        });
        second[1].one();
        second[1].append(
            &[("milepost.milestone.achieved", "portfolios/p/projects/x/milestones/m")],
            &[at(&second[0], 6)],
        );
        if saw_the_one_between {
            let (journal, _) = restored(&fixture.journal, fixture.ledger.position().sequence);
            // It takes over the second registry's sixth entry, and not the seventh, which is lost later.
            let early = Arc::new(Feeder::over(
                LedgerKind::Registry,
                Arc::new(MemoryJournal::with_entries(
                    second[0].tail().log,
                    second[0].journal.info().lineage,
                    second[0].journal.read_after(0, ALL).unwrap()[..6].to_vec(),
                )),
                Hash::ZERO,
            ));
            fixture = start_with_the_tracker(journal, [&early, &second[1]]).await;
            fixture.context.drain.cancel();
        }
        let third = [feeder(&second[0], 6), feeder(&second[1], 4)];
        third[0].one();
        third[1].one();
        third[1].append(
            &[("milepost.milestone.reforecast", "portfolios/p/projects/x/milestones/m")],
            &[at(&third[0], 7)],
        );
        let old = fixture.ledger.position();
        let (journal, _) = restored(&fixture.journal, old.sequence);
        let fixture = start_with_the_tracker(journal, [&third[0], &third[1]]).await;
        let found = ids(&fixture.all(EventSelection::default()).await);
        let happened = [
            (1..=5).map(|sequence| id(registry, sequence)).collect::<Vec<_>>(),
            vec![id(tracker, 1), id(tracker, 2)],
            vec![id(&second[0], 6), id(&second[1], 3), id(&second[1], 4)],
            vec![id(&third[0], 7), id(&third[1], 5), id(&third[1], 6)],
        ]
        .concat();
        let mut sorted = (found.clone(), happened.clone());
        sorted.0.sort();
        sorted.1.sort();
        assert_eq!(sorted.0, sorted.1, "each once");
        let place = |id: &String| found.iter().position(|found| found == id).unwrap();
        for (cause, effect) in [
            (id(registry, 5), id(tracker, 2)),
            (id(&second[0], 6), id(&second[1], 4)),
            (id(&third[0], 7), id(&third[1], 6)),
        ] {
            assert!(place(&cause) < place(&effect), "{cause} before {effect}: {found:?}");
        }
        for id in &happened {
            assert_eq!(get(&fixture, id).await.unwrap().event_id, *id);
        }
        // No one waits for what the second registry lost by the third; it is reported as lost.
        let lost = Revision { ledger: LedgerKind::Registry, position: at(&second[0], 7) }.to_string();
        let request = ListEventsRequest { min_revisions: vec![lost], ..ListEventsRequest::default() };
        let refused = milepost_client::Failure::from(fixture.list(request).await.unwrap_err());
        assert_eq!(refused.reason, Some(Reason::LogDiverged));
        assert!(heard(&fixture, &Cursor::after(old)).await.len() >= 2);
        assert_rebuilt(&fixture);
    }
}

#[tokio::test]
async fn a_notifier_that_is_new_follows_sources_that_were_restored_from_their_beginning() {
    let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
    let [registry, tracker] = &sources;
    (0..3).for_each(|_| {
        registry.one();
    });
    // Decided on a log that the new notifier will never see.
    tracker.append(
        &[("milepost.milestone.created", "portfolios/p/projects/x/milestones/m")],
        &[at(registry, 3)],
    );
    let restored = [feeder(registry, 3), feeder(tracker, 1)];
    let fixture = start(Arc::new(MemoryJournal::new(LogId::generate())), [&restored[0], &restored[1]]).await;
    let found = ids(&fixture.all(EventSelection::default()).await);
    assert_eq!(found, [id(registry, 1), id(registry, 2), id(registry, 3), id(tracker, 1)]);
    assert_rebuilt(&fixture);
}

#[tokio::test]
async fn a_follower_that_had_come_further_stands_still_unready_until_it_is_reset() {
    let sources = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
    let [registry, tracker] = &sources;
    (0..5).for_each(|_| {
        registry.one();
    });
    let first = start(Arc::new(MemoryJournal::new(LogId::generate())), [registry, tracker]).await;
    first.context.drain.cancel();
    let older = feeder(registry, 3);
    older.one();
    let journal = Arc::new(first.journal.reopened());
    let fixture = Fixture::following(Config::default(), journal, [older.clone(), tracker.clone()]);
    fixture.run();
    let reason = stands_still(&fixture, LedgerKind::Registry).await;
    let fork = Position { log: older.tail().log, ..at(registry, 3) };
    for part in [registry.tail().to_string(), fork.to_string(), "milepost follower reset".to_owned()] {
        assert!(reason.contains(&part), "{part}: {reason}");
    }
    assert_eq!(fixture.ledger.position().sequence, 5, "nothing is guessed");
    fixture.context.drain.cancel();

    let journal = Arc::new(fixture.journal.reopened());
    let again = Fixture::following(Config::default(), journal, [older.clone(), tracker.clone()]);
    let lineage = Lineage::default().restored_at(at(registry, 3));
    let to = GoOn { after: fork, fork: Some(fork), lineage };
    reset(&again.ledger, LedgerKind::Registry, to, "restored").await.unwrap();
    again.run();
    again.caught_up().await;
    let found = ids(&again.all(EventSelection::default()).await);
    assert_eq!(found.last(), Some(&id(&older, 4)));
    // What was delivered can still be read, also what the registry no longer knows.
    for sequence in 1..=5 {
        assert_eq!(get(&again, &id(registry, sequence)).await.unwrap().event_id, id(registry, sequence));
    }
    assert_rebuilt(&again);
}

#[tokio::test]
async fn the_last_entries_of_a_log_that_was_left_are_found_however_long_the_log_grows() {
    let registry = Arc::new(Feeder::new(LedgerKind::Registry));
    let tracker = Arc::new(Feeder::new(LedgerKind::Tracker));
    (0..5).for_each(|_| {
        registry.one();
    });
    let first = start(Arc::new(MemoryJournal::new(LogId::generate())), [&registry, &tracker]).await;
    first.context.drain.cancel();
    let new = feeder(&registry, 5);
    let fixture = start(Arc::new(first.journal.reopened()), [&new, &tracker]).await;
    (0..600).for_each(|_| {
        new.one();
    });
    fixture.caught_up().await;
    for sequence in 1..=5 {
        assert_eq!(get(&fixture, &id(&registry, sequence)).await.unwrap().event_id, id(&registry, sequence));
    }
    assert_eq!(get(&fixture, &id(&new, 605)).await.unwrap().event_id, id(&new, 605));
}

#[test]
fn entries_that_are_not_the_notifiers_open_with_an_error_and_never_a_panic() {
    let good = event(
        EventId { log: LogId::from_bytes([1; 16]), sequence: 1, index: 0 },
        LedgerKind::Registry,
        "milepost.portfolio.created",
        "portfolios/p",
        now(),
    );
    let of = |source: &str| {
        let payload = Some(Payload::SourceReset(Default::default()));
        let event =
            Event { source: source.into(), subject: "sources/registry".into(), payload, ..Event::default() };
        Bytes::from(event.encode_to_vec())
    };
    let source = CommandId::Source(Position { sequence: 1, ..Position::start(LogId::from_bytes([1; 16])) });
    let server = CommandId::Server("s".into());
    let truncated = good.slice(..good.len() - 1);
    for (command_id, events, what) in [
        // Entries of registry and tracker, as if their journals stood here.
        (server.clone(), vec![good.clone()], "milepost.portfolio.created"),
        (server.clone(), vec![Bytes::from_static(b"\xff")], "not an event"),
        (server.clone(), vec![truncated.clone()], "not an event"),
        (server.clone(), vec![of("tracker")], "tracker"),
        (server.clone(), vec![of("notifier")], "a position of the reset is missing or malformed"),
        (server, vec![], "no events"),
        (source.clone(), vec![], "no events"),
        (source.clone(), vec![truncated.clone()], "event 0"),
        (source.clone(), vec![good, truncated], "event 1"),
        (source.clone(), vec![of("notifier")], "no source"),
        (source, vec![of("")], "no source"),
    ] {
        let entry = Entry {
            sequence: 1,
            commit_time: now(),
            actor: Actor::default(),
            command_id,
            decided_on: vec![],
            portfolio: String::new(),
            events,
        };
        let stored = entry.encode(&Hash::ZERO);
        let journal = MemoryJournal::with_entries(LogId::generate(), None, vec![stored]);
        let dir = tempfile::tempdir().unwrap();
        let refused = rebuild(dir.path(), &journal, &Rules, &Options::default()).unwrap_err().to_string();
        assert!(refused.contains("entry 1") && refused.contains(what), "{what}: {refused}");
        assert!(!refused.contains("panic"), "{refused}");
    }
}
