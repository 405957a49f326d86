//! Groups, what wakes whom, what is kept, and that no watcher misses or repeats anything.

use std::sync::atomic::AtomicUsize;
use std::task::{Context, Wake, Waker};

use milepost_ledger::journal::StoredEntry;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Actor, CommandId, Entry, Source};
use milepost_service::access::StreamAccess;
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_types::{EventId, Hash, LedgerKind, LogId};
use proptest::prelude::*;

use super::*;
use crate::convert::reply::WatchReply;
use crate::selection::tests as selection_tests;
use crate::selection::{Route, TypePattern};
use crate::tests::{event, now};

const LOG: LogId = LogId::from_bytes([7; 16]);
const HASH: Hash = Hash::from_bytes([3; 32]);

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counted() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (Arc::clone(&wakes), Waker::from(wakes))
}

fn position(sequence: u64) -> Position {
    if sequence == 0 { Position::start(LOG) } else { Position::after(LOG, sequence, &HASH) }
}

fn entry(sequence: u64, subjects: &[&str]) -> Arc<LoggedEntry> {
    let event = |(index, subject): (usize, &&str)| {
        let id = EventId { log: LOG, sequence, index: index as u32 };
        event(id, LedgerKind::Tracker, "milepost.milestone.achieved", subject, now())
    };
    let events = subjects.iter().enumerate().map(event).collect();
    let entry = Entry {
        sequence,
        commit_time: now(),
        actor: Actor::default(),
        command_id: CommandId::Server(String::new()),
        decided_on: Vec::new(),
        portfolio: String::new(),
        events,
    };
    let stored = StoredEntry { hash: HASH, ..entry.encode(&Hash::ZERO) };
    Arc::new(LoggedEntry::new(LOG, stored).unwrap())
}

fn hub(bounds: Bounds) -> Hub {
    Hub::new(position(0), bounds, Metrics::default())
}

const WIDE: Bounds = Bounds { bytes: 1 << 20, references: 1 << 20 };

fn under(resource: &str) -> Selection {
    Selection::new(resource, &[], "").unwrap()
}

fn events(taken: &Taken) -> usize {
    if let Taken::Events { events, .. } = taken { events.len() } else { 0 }
}

#[test]
fn equal_selections_are_one_group_and_the_last_watcher_takes_it_along() {
    let hub = hub(WIDE);
    let one = hub.join(&under("portfolios/p"));
    let two = hub.join(&Selection::new("", &[], r#"subject:"portfolios/p""#).unwrap());
    let three = hub.join(&under("portfolios/p"));
    assert_eq!(hub.shared.state.lock().groups.len(), 2);
    assert!(Arc::ptr_eq(&one.group, &three.group));
    let filtered = |filter: &str| hub.join(&Selection::new("", &[], filter).unwrap());
    let (four, five) = (filtered("actor = (a OR b)"), filtered("NOT (actor != b AND actor != a)"));
    assert!(Arc::ptr_eq(&four.group, &five.group), "one group in two spellings");
    drop((four, five));
    drop(one);
    drop(two);
    assert_eq!(hub.shared.state.lock().groups.len(), 1);
    drop(three);
    let state = hub.shared.state.lock();
    assert!(state.groups.is_empty() && state.by_selection.is_empty());
    assert_eq!(format!("{:?}", state.index), format!("{:?}", Index::default()), "nothing stays in the index");
}

#[test]
fn only_those_who_wait_for_it_are_woken_and_once() {
    let hub = hub(WIDE);
    let ((in_p, p), (in_q, q)) = (counted(), counted());
    let (of_p, of_q) = (hub.join(&under("portfolios/p")), hub.join(&under("portfolios/q")));
    let start = Cursor::after(position(0));
    assert!(matches!(of_p.take(&start, 9, 999, &p), Taken::Nothing(at) if at == start));
    assert!(matches!(of_q.take(&start, 9, 999, &q), Taken::Nothing(_)));
    hub.publish(&[entry(1, &["portfolios/p"]), entry(2, &["portfolios/r", "portfolios/p/projects/x"])]);
    assert_eq!((in_p.0.load(Ordering::SeqCst), in_q.0.load(Ordering::SeqCst)), (1, 0));
    hub.publish(&[entry(3, &["portfolios/p"])]);
    assert_eq!(in_p.0.load(Ordering::SeqCst), 1, "who was woken is not waiting");
    let taken = of_p.take(&start, 9, 9999, &p);
    let Taken::Events { events, cursor } = taken else { panic!("{taken:?}") };
    assert_eq!((events.len(), cursor), (3, Cursor::after(position(3))));
    // What does not match moves the cursor of those who look.
    assert!(matches!(of_q.take(&start, 9, 999, &q), Taken::Nothing(at) if at == Cursor::after(position(3))));
    hub.drain();
    assert_eq!(in_q.0.load(Ordering::SeqCst), 1);
}

#[test]
fn what_is_taken_is_bounded_and_the_cursor_stops_before_what_is_left() {
    let hub = hub(WIDE);
    let all = hub.join(&Selection::all());
    hub.publish(&[entry(1, &["portfolios/p"; 5])]);
    let size = entry(1, &["portfolios/p"]).events[0].len();
    let waker = Waker::noop();
    let start = Cursor::after(position(0));
    for (count, bytes, expected) in [(2, 9999, 2), (9, 3 * size, 3), (9, 1, 1), (9, 9999, 5)] {
        let taken = all.take(&start, count, bytes, waker);
        let Taken::Events { events, cursor } = taken else { panic!("{taken:?}") };
        let after = match expected {
            5 => Cursor::after(position(1)),
            some => Cursor::inside(position(1), some - 1),
        };
        assert_eq!((events.len(), cursor), (expected as usize, after));
        assert_eq!(self::events(&all.take(&cursor, 9, 9999, waker)), 5 - expected as usize);
    }
}

#[test]
fn the_hub_keeps_to_its_bounds_and_says_who_is_behind() {
    let size = entry(10, &["portfolios/p"]).events[0].len();
    for bounds in [Bounds { bytes: 4 * size, references: 999 }, Bounds { bytes: 1 << 20, references: 8 }] {
        let hub = hub(bounds);
        let (wide, narrow) = (hub.join(&Selection::all()), hub.join(&under("portfolios/p")));
        let quiet = hub.join(&under("portfolios/q"));
        for sequence in 1..=10 {
            hub.publish(&[entry(sequence, &["portfolios/p"])]);
        }
        {
            let state = hub.shared.state.lock();
            assert!(state.bytes <= bounds.bytes && state.references <= bounds.references);
            assert_eq!((state.ring.len(), state.references), (4, 8));
        }
        let waker = Waker::noop();
        for member in [&wide, &narrow] {
            assert!(matches!(member.take(&Cursor::after(position(5)), 99, 9999, waker), Taken::Behind));
            assert_eq!(events(&member.take(&Cursor::after(position(6)), 99, 9999, waker)), 4);
        }
        let nothing = quiet.take(&Cursor::after(position(0)), 99, 9999, waker);
        assert!(matches!(nothing, Taken::Nothing(_)), "nothing of theirs was let go of");
        let late = hub.join(&under("portfolios/p/projects/x"));
        assert!(matches!(late.take(&Cursor::after(position(9)), 9, 999, waker), Taken::Behind));
        assert!(matches!(late.take(&Cursor::after(position(10)), 9, 999, waker), Taken::Nothing(_)));
    }
}

#[test]
fn thousands_of_narrow_selections_are_not_asked_about_every_event() {
    let mut index = Index::default();
    for id in 0..3000 {
        let selection = match id % 3 {
            0 => under(&format!("portfolios/p/projects/x{id}")),
            1 => Selection::new(
                "",
                &[],
                &format!(r#"project = "portfolios/p/projects/x{id}" AND actor = "a""#),
            )
            .unwrap(),
            _ => {
                // More types than there are, as a selection never names them.
                let under = TypePattern::Under(format!("milepost.kind{id}.").into());
                let patterns = [under, TypePattern::exactly("milepost.kind.done")];
                index.add(id, &Route::Types(patterns.into()));
                continue;
            }
        };
        index.add(id, &selection.route());
    }
    index.add(3000, &Selection::all().route());
    let mut found = Vec::new();
    for (subject, project, kind, expected) in [
        ("portfolios/p/projects/x3/milestones/m", "portfolios/p/projects/x3", "milepost.a.b", vec![3000, 3]),
        ("portfolios/p/projects/x4", "portfolios/p/projects/x4", "milepost.a.b", vec![3000, 4]),
        ("portfolios/p", "", "milepost.kind5.started", vec![3000, 5]),
        ("portfolios/p", "", "milepost.kind55.a.b", vec![3000]),
    ] {
        index.find(&crate::envelope::Envelope { subject, project, kind, ..Default::default() }, &mut found);
        assert_eq!(found, expected, "{subject} {kind}");
    }
    index.find(&crate::envelope::Envelope { kind: "milepost.kind.done", ..Default::default() }, &mut found);
    assert_eq!(found.len(), 1001);
}

proptest! {
    #[test]
    fn the_index_finds_every_selection_that_matches_and_each_once(
        selections in prop::collection::vec(selection_tests::selections(), 1..40),
        removed in prop::collection::vec(any::<bool>(), 40),
        events in prop::collection::vec((selection_tests::kinds(), selection_tests::subjects()), 1..12),
    ) {
        let mut index = Index::default();
        for (id, selection) in (0..).zip(&selections) {
            index.add(id, &selection.route());
        }
        let mut kept = Vec::new();
        for ((id, selection), removed) in (0..).zip(&selections).zip(&removed) {
            if *removed {
                index.remove(id, &selection.route());
            } else {
                kept.push((id, selection));
            }
        }
        let mut found = Vec::new();
        for (kind, subject) in events {
            let event = selection_tests::event(kind, subject);
            index.find(&event, &mut found);
            let matched = kept.iter().filter(|(_, selection)| selection.matches(&event)).map(|(id, _)| *id);
            let missed: Vec<_> = matched.filter(|id| !found.contains(id)).collect();
            prop_assert!(missed.is_empty(), "{:?} for {} {}", missed, kind, subject);
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found.len(), count, "each once");
            prop_assert!(found.iter().all(|id| kept.iter().any(|(kept, _)| kept == id)), "what was removed");
        }
    }
}

#[test]
fn a_watcher_costs_little() {
    assert!(size_of::<crate::stream::WatchStream>() < 512, "{}", size_of::<crate::stream::WatchStream>());
    let hub = hub(WIDE);
    let selection = under("portfolios/p");
    let members: Vec<_> = (0..10_000).map(|_| hub.join(&selection)).collect();
    let start = Cursor::after(position(0));
    for member in &members {
        // Asked again and again, a watcher still leaves one waker.
        for _ in 0..3 {
            assert!(matches!(member.take(&start, 9, 999, &counted().1), Taken::Nothing(_)));
        }
    }
    assert_eq!(members[0].group.waiting(), 10_000);
    drop(members);
    assert_eq!(hub.shared.state.lock().groups.len(), 0);
}

/// A log in memory that grows together with what the hub publishes.
struct World {
    hub: Hub,
    journal: Arc<MemoryJournal>,
    feeder: crate::tests::Feeder,
}

impl World {
    fn new(bounds: Bounds) -> Self {
        let journal = Arc::new(MemoryJournal::new(LOG));
        let feeder = crate::tests::Feeder::over(LedgerKind::Tracker, journal.clone(), Hash::ZERO);
        Self { hub: hub(bounds), journal, feeder }
    }

    fn publish(&self, entries: &[Vec<u8>]) {
        let from = self.feeder.tail().sequence;
        for portfolios in entries {
            let subjects: Vec<_> = portfolios.iter().map(|number| format!("portfolios/p{number}")).collect();
            let events: Vec<_> =
                subjects.iter().map(|subject| ("milepost.portfolio.created", subject.as_str())).collect();
            self.feeder.append(&events, &[]);
        }
        self.publish_from(from);
    }

    fn publish_from(&self, from: u64) {
        use milepost_ledger::journal::{Journal, ReadLimit};
        let stored = self.journal.read_after(from, ReadLimit { entries: 999, bytes: 1 << 30 }).unwrap();
        let logged = stored.into_iter().map(|stored| Arc::new(LoggedEntry::new(LOG, stored).unwrap()));
        self.hub.publish(&logged.collect::<Vec<_>>());
    }

    /// The reset of a source that takes back what came of it.
    fn reset(&self) {
        let from = self.feeder.tail().sequence;
        let id = EventId { log: LOG, sequence: from + 1, index: 0 };
        let (before, now) = (Position { sequence: 9, ..position(1) }, position(0));
        let event = crate::tests::reset_event(id, LedgerKind::Notifier, Some(before), &now, None);
        self.feeder.append_bytes(vec![event], &[]);
        self.publish_from(from);
    }

    fn stream(&self, selection: &Selection, after: Cursor) -> crate::stream::WatchStream {
        let source = Source::new(self.journal.clone());
        let streams = crate::stream::Streams {
            log: crate::log::EventLog::new(source, Position::start(LOG)),
            hub: self.hub.clone(),
            readers: Arc::new(tokio::sync::Semaphore::new(2)),
            ahead: Arc::new(tokio::sync::Semaphore::new(1)),
            reconnect_after: std::time::Duration::ZERO,
            max_age: None,
        };
        let interval = std::time::Duration::from_secs(600);
        let access = StreamAccess::of_system(&ServiceContext::new(&Server::default()));
        crate::stream::WatchStream::new(streams, selection, access, after, interval)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<Vec<u8>>),
    /// Publishes the reset of a source.
    Reset,
    /// Polls this watcher so many times.
    Poll(usize, usize),
    /// Drops this watcher's stream, which resumes by its last cursor.
    Reconnect(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let entries = prop::collection::vec(prop::collection::vec(0u8..4, 1..400), 1..4);
    let step = prop_oneof![
        2 => entries.prop_map(Step::Publish),
        1 => Just(Step::Reset),
        4 => (0usize..6, 1usize..4).prop_map(|(watcher, times)| Step::Poll(watcher, times)),
        1 => (0usize..6).prop_map(Step::Reconnect),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn slow_and_fast_watchers_see_what_they_selected_and_every_reset_in_order_each_once(
        steps in steps(),
        bytes in prop::sample::select(vec![0usize, 2_000, 40_000, 1 << 20]),
        references in prop::sample::select(vec![0usize, 7, 900, 100_000]),
    ) {
        use tokio_stream::{Stream as _, StreamExt as _};
        use milepost_proto::event::v1::Event;
        use milepost_proto::notifier::v1::SourceResetNotice;
        use prost::Message as _;

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = World::new(Bounds { bytes, references });
        let entered = runtime.enter();
        let selections: Vec<_> = ["", "", "portfolios/p0", "portfolios/p1", "portfolios/p1", "portfolios/p9"]
            .map(under)
            .into();
        let start = Cursor::after(Position::start(LOG));
        let mut watchers: Vec<_> = selections
            .iter()
            .map(|selection| (world.stream(selection, start), start, Vec::<String>::new()))
            .collect();
        let take = |watcher: &mut (crate::stream::WatchStream, Cursor, Vec<String>), reply: Result<WatchReply, _>| {
            let reply = reply.unwrap();
            let cursor: Cursor = reply.cursor.parse().unwrap();
            assert!(cursor.next() >= watcher.1.next(), "cursors never go back");
            assert!(reply.events.len() <= crate::stream::RESPONSE_EVENTS);
            watcher.1 = cursor;
            watcher.2.extend(reply.events.iter().map(|event| Event::decode(event.clone()).unwrap().event_id));
            if let Some(notice) = reply.source_reset {
                assert!(reply.events.is_empty() && !reply.checkpoint, "it has a response of its own");
                let notice = SourceResetNotice::decode(notice).unwrap();
                assert!(notice.event_id.starts_with(&format!("{LOG}/{}/", cursor.position.sequence)));
                watcher.2.push(format!("reset {}", cursor.position.sequence));
            }
            cursor
        };
        let poll = |watcher: &mut (crate::stream::WatchStream, Cursor, Vec<String>)| {
            let polled = std::pin::Pin::new(&mut watcher.0).poll_next(&mut Context::from_waker(Waker::noop()));
            let std::task::Poll::Ready(Some(reply)) = polled else { return false };
            take(watcher, reply);
            true
        };
        let mut published = Vec::new();
        for step in steps {
            match step {
                Step::Publish(entries) => {
                    world.publish(&entries);
                    published.extend(entries.into_iter().map(Some));
                }
                Step::Reset => {
                    world.reset();
                    published.push(None);
                }
                Step::Poll(watcher, times) => (0..times).for_each(|_| {
                    poll(&mut watchers[watcher]);
                }),
                Step::Reconnect(watcher) => {
                    let stream = world.stream(&selections[watcher], watchers[watcher].1);
                    watchers[watcher].0 = stream;
                }
            }
        }
        drop(entered);
        for (index, watcher) in watchers.iter_mut().enumerate() {
            // In the end everybody catches up: first as far as is at hand, then, after one more interruption, up
            // to the end, which a new stream says that it has reached.
            let entered = runtime.enter();
            let mut idle = 0;
            while idle < 50 {
                idle = if poll(watcher) { 0 } else { idle + 1 };
            }
            watcher.0 = world.stream(&selections[index], watcher.1);
            drop(entered);
            let end = Cursor::after(world.feeder.tail());
            let mut caught_up = false;
            while !caught_up {
                let reply = runtime.block_on(watcher.0.next()).unwrap();
                caught_up = take(watcher, reply) == end;
            }
            let wanted = |portfolio: u8| match index {
                0 | 1 => true,
                2 => portfolio == 0,
                3 | 4 => portfolio == 1,
                _ => false,
            };
            let mut expected = Vec::new();
            for (entry, portfolios) in published.iter().enumerate() {
                let Some(portfolios) = portfolios else {
                    expected.push(format!("reset {}", entry + 1));
                    continue;
                };
                for (event, _) in portfolios.iter().enumerate().filter(|(_, portfolio)| wanted(**portfolio)) {
                    expected.push(format!("{LOG}/{}/{event}", entry + 1));
                }
            }
            prop_assert_eq!(&watcher.2, &expected, "watcher {}", index);
        }
    }
}
