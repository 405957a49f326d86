//! Cursors that cannot be resumed from, each with its own answer, and starts by time.

use milepost_client::{Failure, Selection as Asked, Start, WatchOptions};
use milepost_proto::error::v1::Reason;
use milepost_types::{Cursor, HashPrefix};
use tonic::Code;

use super::*;
use crate::error::ReadFailure;
use crate::log::EventLog;

async fn refusal(fixture: &Fixture, cursor: &str) -> Failure {
    let start = Start::After(cursor.to_owned());
    let mut watch = fixture.client.watch(start, Asked::default(), WatchOptions::default());
    let error = soon(watch.next()).await.unwrap().unwrap_err();
    let list = ListEventsRequest { after_cursor: cursor.to_owned(), ..ListEventsRequest::default() };
    let listed = Failure::from(fixture.list(list).await.unwrap_err());
    let failure = error.failure().unwrap().clone();
    assert_eq!((listed.code, listed.reason), (failure.code, failure.reason), "lists and streams agree");
    failure
}

async fn with_entries(count: usize) -> Fixture {
    let fixture = Fixture::new();
    (0..count).for_each(|_| {
        fixture.registry.one();
    });
    fixture.run();
    fixture.caught_up().await;
    fixture
}

#[tokio::test]
async fn garbage_and_the_cursor_of_another_log_have_reasons_of_their_own() {
    let fixture = with_entries(2).await;
    let earliest = Cursor::after(Position::start(fixture.ledger.position().log)).to_string();
    let good = Cursor::after(fixture.ledger.position()).to_string();
    let damaged = format!("{}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BB" } else { "AA" });
    for cursor in ["nonsense", &damaged, &good[1..], &good.repeat(2)] {
        let refused = refusal(&fixture, cursor).await;
        assert_eq!((refused.code, refused.reason), (Code::InvalidArgument, Some(Reason::CursorInvalid)));
        assert_eq!((refused.fact("asked"), refused.earliest_cursor()), (None, Some(&*earliest)));
    }
    let foreign = Position { log: LogId::generate(), ..fixture.ledger.position() };
    let refused = refusal(&fixture, &Cursor::after(foreign).to_string()).await;
    assert_eq!((refused.code, refused.reason), (Code::InvalidArgument, Some(Reason::CursorOfOtherLog)));
    assert_eq!(refused.earliest_cursor(), Some(&*earliest));
    let (asked, have) = (foreign.to_string(), fixture.ledger.position().to_string());
    assert_eq!((refused.fact("asked"), refused.fact("have")), (Some(&*asked), Some(&*have)));
}

#[tokio::test]
async fn a_cursor_past_the_end_and_one_of_another_history_are_told_apart() {
    let fixture = with_entries(2).await;
    let own = fixture.ledger.position();
    let earliest = Cursor::after(Position::start(own.log)).to_string();
    for (given, reason) in [
        (Position { sequence: 3, ..own }, Reason::CursorAhead),
        (Position { hash: HashPrefix::from_bytes([1; 8]), ..own }, Reason::LogDiverged),
        (Position { sequence: 1, ..own }, Reason::LogDiverged),
    ] {
        for cursor in [Cursor::after(given), Cursor::inside(given, 0)] {
            let refused = refusal(&fixture, &cursor.to_string()).await;
            assert_eq!((refused.code, refused.reason), (Code::FailedPrecondition, Some(reason)));
            assert_eq!(refused.fact("asked"), Some(&*given.to_string()));
            assert!(refused.fact("have").unwrap().starts_with(&own.log.to_string()));
            assert_eq!(refused.earliest_cursor(), Some(&*earliest));
            assert_eq!(refused.message.contains("restore"), reason == Reason::LogDiverged, "{refused}");
        }
    }
}

#[tokio::test]
async fn a_page_token_says_as_much_of_the_cursor_in_it() {
    let fixture = with_entries(3).await;
    let first = ListEventsRequest { page_size: 1, ..ListEventsRequest::default() };
    let token = fixture.list(first.clone()).await.unwrap().next_page_token;
    // The log was lost and begun again from scratch.
    let other = with_entries(3).await;
    let next = ListEventsRequest { page_token: token, ..first };
    let refused = Failure::from(other.list(next).await.unwrap_err());
    assert_eq!((refused.code, refused.reason), (Code::InvalidArgument, Some(Reason::CursorOfOtherLog)));
    let earliest = Cursor::after(Position::start(other.ledger.position().log)).to_string();
    assert_eq!(refused.earliest_cursor(), Some(&*earliest));
}

#[tokio::test]
async fn a_cursor_from_before_a_restore_has_diverged() {
    let fixture = with_entries(3).await;
    let old = fixture.ledger.position();
    let entries = {
        let read = fixture.journal.read_after(0, milepost_ledger::journal::ReadLimit::default());
        read.unwrap()[..2].to_vec()
    };
    let parent = Position::after(old.log, 2, &entries[1].hash);
    let restored = MemoryJournal::with_entries(LogId::generate(), Some(parent), entries);
    let restored = Fixture::with(Config::default(), Arc::new(restored));
    let refused = refusal(&restored, &Cursor::after(old).to_string()).await;
    assert_eq!(refused.reason, Some(Reason::LogDiverged));
    let earliest = Cursor::after(Position::start(restored.ledger.position().log)).to_string();
    assert_eq!(refused.earliest_cursor(), Some(&*earliest));
}

#[tokio::test]
async fn a_cursor_older_than_what_is_kept_has_expired() {
    let fixture = with_entries(5).await;
    let positions: Vec<_> = {
        let read = fixture.journal.read_after(0, milepost_ledger::journal::ReadLimit::default());
        let log = fixture.ledger.position().log;
        read.unwrap().iter().map(|entry| Position::after(log, entry.sequence, &entry.hash)).collect()
    };
    // As if the first three entries were no longer kept.
    let log = EventLog::new(fixture.ledger.source(), positions[2]);
    for expired in [Cursor::after(positions[1]), Cursor::inside(positions[2], 0)] {
        let failure = log.check(&expired).await.unwrap_err();
        let status = crate::grpc::status::read_failure(failure);
        let refused = Failure::from(status);
        assert_eq!((refused.code, refused.reason), (Code::OutOfRange, Some(Reason::CursorExpired)));
        let earliest: Cursor = refused.fact("earliest_cursor").unwrap().parse().unwrap();
        assert_eq!(earliest, Cursor::after(positions[2]));
        assert!(log.check(&earliest).await.is_ok());
    }
    assert!(log.check(&Cursor::after(positions[3])).await.is_ok());
    assert_eq!(log.at(Timestamp::MIN).await.unwrap(), Cursor::after(positions[2]));
}

#[tokio::test]
async fn starting_at_a_time_misses_nothing_that_was_committed_then_or_later() {
    let fixture = Fixture::new();
    fixture.run();
    let hour = |hours: i64| now() + jiff::SignedDuration::from_hours(hours);
    let mut committed = Vec::new();
    // Clocks that differ by hours, in both directions, and jump.
    for (tracker, source_time, own_time) in [
        (false, 0, 0),
        (true, 5, 1),
        (false, 1, 2),
        (true, 6, 3),
        (false, 2, 9),
        (true, 7, 1),
        (false, 12, 10),
    ] {
        let feeder = if tracker { &fixture.tracker } else { &fixture.registry };
        feeder.set_time(hour(source_time));
        fixture.clock.set(hour(own_time));
        let position = feeder.one();
        committed
            .push((hour(source_time), EventId { log: position.log, sequence: position.sequence, index: 0 }));
        fixture.caught_up().await;
    }
    let log = &fixture.notifier.api().streams().log;
    for hours in -1..14 {
        let cursor = log.at(hour(hours)).await.unwrap();
        let after = ListEventsRequest { after_cursor: cursor.to_string(), ..ListEventsRequest::default() };
        let found = ids(&fixture.list(after).await.unwrap().events);
        for (time, id) in &committed {
            assert!(
                *time < hour(hours) || found.contains(&id.to_string()),
                "{id} of {time} after {}",
                hour(hours)
            );
        }
    }
    assert_eq!(log.at(hour(13)).await.unwrap(), log.latest());
    assert_eq!(log.at(Timestamp::MIN).await.unwrap(), log.earliest());
    assert!(matches!(log.check(&log.latest()).await, Ok::<_, ReadFailure>(cursor) if cursor == log.latest()));
}
