//! The rules alone: whatever order entries are offered in, each is taken over once, causes first.

use std::collections::HashMap;

use milepost_ledger::{Actor, CommandId, Context, Domain, Entry};
use milepost_types::{GoOn, HashPrefix};
use proptest::prelude::*;

use super::*;
use crate::source::{Command, Followed as _, Refusal, SourceEntry};
use crate::tables::tests::Map;
use crate::tables::{Rows, applied};

/// The rules with their rows and the log that they made.
#[derive(Default)]
struct Log {
    rows: Map,
    entries: Vec<Entry>,
}

const OWN: LogId = LogId::from_bytes([9; 16]);

impl Log {
    fn submit(&mut self, command: &Command) -> Result<usize, Refusal> {
        let command_id = match command {
            Command::Ingest(entry) => CommandId::Source(entry.position),
            Command::Reset { .. } | Command::FollowRestored { .. } => CommandId::Server("s".into()),
        };
        let context = Context {
            log: OWN,
            sequence: self.entries.len() as u64 + 1,
            commit_time: now(),
            now: now(),
            actor: Actor::system("notifier"),
            command_id,
            seed: 0,
        };
        let before = self.rows.clone();
        let decision = Rules.decide(&self.rows, command, &context)?;
        assert_eq!(self.rows, before, "a decision changes nothing");
        if decision.events.is_empty() {
            return Ok(0);
        }
        let entry = Entry {
            sequence: context.sequence,
            commit_time: context.commit_time,
            actor: context.actor,
            command_id: context.command_id,
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        Rules.apply(&mut self.rows, &entry).unwrap();
        self.entries.push(entry);
        Ok(1)
    }
}

fn at(log: u8, sequence: u64) -> Position {
    let hash = if sequence == 0 { [0; 8] } else { [log + sequence as u8; 8] };
    Position { log: LogId::from_bytes([log; 16]), sequence, hash: HashPrefix::from_bytes(hash) }
}

fn entry(source: LedgerKind, sequence: u64, needs: Option<u64>) -> SourceEntry {
    let log = source as u8;
    let id = EventId { log: LogId::from_bytes([log; 16]), sequence, index: 0 };
    SourceEntry {
        source,
        position: at(log, sequence),
        after: at(log, sequence - 1),
        commit_time: now(),
        portfolio: "p".into(),
        decided_on: needs.map(|needs| at(LedgerKind::Registry as u8, needs)).into_iter().collect(),
        events: vec![event(id, source, "milepost.project.started", "portfolios/p/projects/x", now())],
    }
}

#[derive(Debug, Clone)]
enum Offer {
    Registry(u64),
    Tracker(u64),
    OtherHistory(u64),
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let offer = (0u8..8, 0u64..4).prop_map(|(kind, step)| match kind {
        0..=3 => Offer::Registry(step),
        4..=6 => Offer::Tracker(step),
        _ => Offer::OtherHistory(step),
    });
    prop::collection::vec(offer, 0..120)
}

proptest! {
    #[test]
    fn causes_come_first_and_each_entry_once(
        needs in prop::collection::vec(0u64..30, 60),
        offers in offers(),
    ) {
        // What each tracker entry was decided on; a tracker never goes back.
        let mut decided_on = needs;
        for index in 1..decided_on.len() {
            decided_on[index] = decided_on[index].max(decided_on[index - 1]);
        }
        let mut log = Log::default();
        let mut reached = HashMap::from([(LedgerKind::Registry, 0u64), (LedgerKind::Tracker, 0u64)]);
        for offer in offers {
            // Around the next one: the one before, the next, and those beyond a gap.
            let near = |source: LedgerKind, step: u64| (reached[&source] + step).max(1);
            let (source, entry, other) = match offer {
                Offer::Registry(step) => {
                    let sequence = near(LedgerKind::Registry, step);
                    (LedgerKind::Registry, entry(LedgerKind::Registry, sequence, None), false)
                }
                Offer::Tracker(step) => {
                    let sequence = near(LedgerKind::Tracker, step);
                    let needs = decided_on[(sequence as usize - 1).min(decided_on.len() - 1)];
                    (LedgerKind::Tracker, entry(LedgerKind::Tracker, sequence, Some(needs)), false)
                }
                Offer::OtherHistory(step) => {
                    let sequence = near(LedgerKind::Registry, step);
                    let mut entry = entry(LedgerKind::Registry, sequence, None);
                    entry.position.hash = HashPrefix::from_bytes([255; 8]);
                    entry.after.hash = HashPrefix::from_bytes([254; 8]);
                    (LedgerKind::Registry, entry, true)
                }
            };
            let (sequence, own) = (entry.position.sequence, reached[&source]);
            let waits = entry.decided_on.iter().any(|needs| needs.sequence > reached[&LedgerKind::Registry]);
            let outcome = log.submit(&Command::Ingest(entry));
            if other && sequence >= own && own > 0 {
                prop_assert!(matches!(outcome, Err(Refusal::Diverged { .. })), "{outcome:?}");
            } else if sequence <= own {
                prop_assert_eq!(outcome, Ok(0));
            } else if sequence > own + 1 || other {
                prop_assert!(matches!(outcome, Err(Refusal::Diverged { .. })), "{outcome:?}");
            } else if waits {
                prop_assert!(matches!(outcome, Err(Refusal::NotYet { .. })), "{outcome:?}");
            } else {
                prop_assert_eq!(outcome, Ok(1));
                reached.insert(source, sequence);
            }
        }
        // Replayed from its entries alone, the log has the same rows.
        let mut replayed = Map::default();
        let mut seen: HashMap<LogId, u64> = HashMap::new();
        for entry in &log.entries {
            Rules.apply(&mut replayed, entry).unwrap();
            let CommandId::Source(position) = &entry.command_id else { panic!("{entry:?}") };
            prop_assert_eq!(entry.decided_on[0], *position);
            for needed in &entry.decided_on[1..] {
                prop_assert!(seen.get(&needed.log).copied().unwrap_or(0) >= needed.sequence);
            }
            let before = seen.insert(position.log, position.sequence).unwrap_or(0);
            prop_assert_eq!(position.sequence, before + 1, "each once, without gaps");
        }
        prop_assert_eq!(replayed, log.rows);
    }
}

#[test]
fn events_that_are_none_or_of_another_source_are_refused() {
    let mut log = Log::default();
    for events in [
        vec![],
        vec![Bytes::from_static(b"\xff\xff")],
        entry(LedgerKind::Tracker, 1, None).events,
        vec![entry(LedgerKind::Registry, 1, None).events.remove(0), Bytes::new()],
        // `request_id`, two bytes that are no text.
        vec![[&entry(LedgerKind::Registry, 1, None).events[0][..], b"\x5a\x02\xff\xfe"].concat().into()],
    ] {
        let entry = SourceEntry { events, ..entry(LedgerKind::Registry, 1, None) };
        let outcome = log.submit(&Command::Ingest(entry));
        assert!(matches!(outcome, Err(Refusal::Malformed { .. })), "{outcome:?}");
    }
    assert_eq!(log.submit(&Command::Ingest(entry(LedgerKind::Registry, 1, None))), Ok(1));
}

fn reset(source: LedgerKind, to: Position) -> Command {
    Command::Reset { source, to: GoOn::after(to), reason: "restored".into() }
}

#[test]
fn after_a_reset_the_source_is_followed_from_there_and_nobody_waits_for_what_it_lost() {
    let mut log = Log::default();
    for sequence in 1..=5 {
        log.submit(&Command::Ingest(entry(LedgerKind::Registry, sequence, None))).unwrap();
    }
    let registry = at(LedgerKind::Registry as u8, 5);
    // The registry was restored to its third entry, under a new id.
    let fork = Position { log: LogId::from_bytes([77; 16]), ..at(LedgerKind::Registry as u8, 3) };
    assert_eq!(log.submit(&reset(LedgerKind::Registry, fork)), Ok(1));
    assert_eq!(log.submit(&reset(LedgerKind::Registry, fork)), Ok(0), "it stands there already");
    assert_eq!(applied::get(&log.rows, LedgerKind::Registry), Some(fork));
    let next = SourceEntry {
        after: fork,
        position: Position { sequence: 4, hash: HashPrefix::from_bytes([1; 8]), ..fork },
        ..entry(LedgerKind::Registry, 4, None)
    };
    assert_eq!(log.submit(&Command::Ingest(next)), Ok(1));
    let old = log.submit(&Command::Ingest(entry(LedgerKind::Registry, 6, None)));
    assert!(matches!(old, Err(Refusal::Diverged { .. })), "{old:?}");
    // The tracker had seen more of the old registry than we will ever have.
    assert_eq!(log.submit(&Command::Ingest(entry(LedgerKind::Tracker, 1, Some(900)))), Ok(1));
    assert_eq!(Rows(&log.rows).abandoned(registry.log), Some(u64::MAX));
    let event = Event::decode(log.entries[5].events[0].clone()).unwrap();
    assert_eq!((event.r#type.as_str(), event.source.as_str()), ("milepost.source.reset", "notifier"));
    let Some(Payload::SourceReset(payload)) = event.payload else { panic!("{event:?}") };
    assert_eq!((payload.previous_position, payload.position), (Some(wire(&registry)), Some(wire(&fork))));
}
