//! Logs that a test writes itself, without a ledger: for reads that need nothing else.

use super::*;
use crate::log::EventLog;

/// A log with an entry for each of these, which holds the events; at least one.
pub(crate) fn log_of(entries: Vec<Vec<Bytes>>) -> EventLog {
    let journal = MemoryJournal::new(LogId::generate());
    let mut hash = Hash::from_bytes([0; 32]);
    for (sequence, events) in (1..).zip(entries) {
        let entry = Entry {
            sequence,
            commit_time: now() + jiff::SignedDuration::from_secs(sequence as i64),
            actor: Actor::system("test"),
            command_id: CommandId::Server("s".into()),
            decided_on: vec![],
            portfolio: "p".into(),
            events,
        };
        let stored = entry.encode(&hash);
        let block = Block { previous: hash, entries: vec![stored] };
        hash = block.entries[0].hash;
        journal.append(&journal.info().tail, &block).unwrap();
    }
    let earliest = Position::start(journal.info().log);
    EventLog::new(Source::new(Arc::new(journal)), earliest)
}

/// The id of an event in a log that is not named.
pub(crate) fn id(sequence: u64, index: u32) -> EventId {
    EventId { log: LogId::from_bytes([7; 16]), sequence, index }
}

/// The encoded event of a reset that takes something back.
pub(crate) fn announced_reset(sequence: u64) -> Bytes {
    let log = LogId::from_bytes([8; 16]);
    let previous = Position { sequence: 5, ..Position::start(log) };
    reset_event(id(sequence, 0), LedgerKind::Notifier, Some(previous), &Position::start(log), None)
}
