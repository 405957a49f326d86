//! Which ledger wrote an entry, derived from the entry: identifies journals and exports that carry no name.
//!
//! Invariant: an entry that the notifier took over belongs to the notifier, not to the ledger that its events
//! name. What cannot be derived is left empty.

use milepost_ledger::journal::{Expected, StoredEntry};
use milepost_ledger::{CommandId, Entry, position_from_proto};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::journal::v1 as journal;
use milepost_types::{LedgerKind, LedgerName, Position};
use prost::Message;

/// The log of this ledger, and no other.
pub fn expected(kind: LedgerKind) -> Expected {
    Expected { name: kind.into(), writer_of }
}

fn writer_of(stored: &StoredEntry) -> Option<LedgerName> {
    let entry = Entry::decode(stored).ok()?;
    let event = Event::decode(entry.events.first()?.clone()).ok()?;
    let named: LedgerKind = event.source.parse().ok()?;
    let kind = match &entry.command_id {
        CommandId::Source(position) if !begins_with(&event, position) => LedgerKind::Notifier,
        _ => named,
    };
    Some(kind.into())
}

/// Whether an event says that this position of another log was taken over. An entry that derives something from
/// a source's begins so; one that passes a source's events on has them as they were, and says nothing itself.
fn begins_with(event: &Event, position: &Position) -> bool {
    let is_it = |followed: Option<&journal::Position>| {
        followed.and_then(position_from_proto).as_ref() == Some(position)
    };
    match &event.payload {
        Some(Payload::SourceFollowed(followed)) => is_it(followed.position.as_ref()),
        Some(Payload::SourcePartlyFollowed(followed)) => is_it(followed.position.as_ref()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use milepost_ledger::{Actor, position_to_proto};
    use milepost_proto::event::v1::{SourceFollowed, SourcePartlyFollowed};
    use milepost_types::{Hash, HashPrefix, LogId};

    use super::*;

    fn at(log: u8) -> Position {
        let (log, hash) = (LogId::from_bytes([log; 16]), HashPrefix::from_bytes([1; 8]));
        Position { log, sequence: 1, hash }
    }

    fn event(source: &str, payload: Option<Payload>) -> Bytes {
        Event { source: source.into(), payload, ..Event::default() }.encode_to_vec().into()
    }

    fn followed(position: &Position) -> Option<Payload> {
        let position = Some(position_to_proto(position));
        Some(Payload::SourceFollowed(SourceFollowed { position, ..SourceFollowed::default() }))
    }

    fn partly_followed(position: &Position) -> Option<Payload> {
        let position = Some(position_to_proto(position));
        Some(Payload::SourcePartlyFollowed(SourcePartlyFollowed {
            position,
            ..SourcePartlyFollowed::default()
        }))
    }

    fn written_by(command_id: CommandId, event: Bytes) -> Option<LedgerName> {
        let entry = Entry {
            sequence: 1,
            commit_time: jiff::Timestamp::UNIX_EPOCH,
            actor: Actor::default(),
            command_id,
            decided_on: vec![],
            portfolio: String::new(),
            events: vec![event],
        };
        writer_of(&entry.encode(&Hash::ZERO))
    }

    #[test]
    fn a_first_entry_tells_its_ledger() {
        let (registry, tracker) = (at(1), at(2));
        let server = || CommandId::Server("s".into());
        for (command_id, event, kind) in [
            (server(), event("registry", None), LedgerKind::Registry),
            (server(), event("tracker", None), LedgerKind::Tracker),
            // The tracker derived something from the registry's first entry.
            (CommandId::Source(registry), event("tracker", followed(&registry)), LedgerKind::Tracker),
            // The same of a first entry so large that it is taken over in parts.
            (CommandId::Source(registry), event("tracker", partly_followed(&registry)), LedgerKind::Tracker),
            // The notifier took either entry over, and one of the registry.
            (CommandId::Source(tracker), event("tracker", followed(&registry)), LedgerKind::Notifier),
            (CommandId::Source(tracker), event("tracker", partly_followed(&registry)), LedgerKind::Notifier),
            (CommandId::Source(registry), event("registry", None), LedgerKind::Notifier),
            // Its own: a reset.
            (server(), event("notifier", None), LedgerKind::Notifier),
        ] {
            assert_eq!(written_by(command_id.clone(), event), Some(kind.into()), "{command_id:?} {kind}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let server = || CommandId::Server("s".into());
        assert_eq!(written_by(server(), Bytes::from_static(b"\xff")), None);
        assert_eq!(written_by(server(), event("a newer ledger", None)), None);
        assert_eq!(writer_of(&StoredEntry { sequence: 1, hash: Hash::ZERO, bytes: Bytes::new() }), None);
    }
}
