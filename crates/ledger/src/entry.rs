//! An entry: what one command did, whole; its bytes and its place in the hash chain.
//!
//! Invariants: the stored form is the encoded `milepost.journal.v1.Entry`, byte for byte for ever;
//! an entry's hash is SHA-256 over the hash of the entry before and those bytes. A reader refuses a
//! `format` that it does not know: it never skips.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_proto::journal::v1 as proto;
use milepost_proto::wire::{Value, fields};
use milepost_types::{Hash, Position};
use prost::Message;

use crate::journal::{StoredEntry, chain};

/// The format that entries are written in.
pub const FORMAT: u32 = 1;

/// How it is known who an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Authentication {
    /// Nobody said.
    #[default]
    Unspecified,
    /// The caller said so; nobody checked.
    Claimed,
    /// The server acts of its own accord.
    System,
}

/// Who does something. Ids only: names and contacts of people never enter a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// Who; empty if nobody said.
    pub principal: String,
    /// How that is known.
    pub authentication: Authentication,
    /// For whom, if for another; else empty.
    pub on_behalf_of: String,
}

impl Actor {
    /// A part of the server itself, as in `tracker`.
    pub fn system(part: &str) -> Self {
        Self { principal: part.to_owned(), authentication: Authentication::System, ..Self::default() }
    }
}

/// What makes a command the same command again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandId {
    /// The caller's, scoped to the actor's principal, with the SHA-256 of the request's body.
    Request {
        /// The request id.
        id: String,
        /// The digest of the body without it.
        body: Hash,
    },
    /// Made by the server for a caller that gave none.
    Server(String),
    /// The position of the entry of another log that the command takes over.
    Source(Position),
}

/// What one command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// Never earlier than the entry before.
    pub commit_time: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The command's id.
    pub command_id: CommandId,
    /// How far other logs had been followed when it was decided.
    pub decided_on: Vec<Position>,
    /// The id of the portfolio concerned; empty for none.
    pub portfolio: String,
    /// Encoded events, at least one.
    pub events: Vec<Bytes>,
}

/// Stored bytes that are no entry this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not the encoding of an entry, or a required part is missing.
    #[error("entry {sequence} cannot be decoded: {what}")]
    Malformed {
        /// Where it is stored.
        sequence: u64,
        /// What is wrong.
        what: String,
    },
    /// Written by a newer version.
    #[error("entry {sequence} has format {format}; this version reads up to {FORMAT}: use a newer milepost")]
    Newer {
        /// Where it is stored.
        sequence: u64,
        /// Its format.
        format: u32,
    },
}

impl Entry {
    /// The stored form, chained to the entry before.
    pub fn encode(&self, previous: &Hash) -> StoredEntry {
        let bytes = Bytes::from(to_proto(self).encode_to_vec());
        StoredEntry { sequence: self.sequence, hash: chain(previous, &bytes), bytes }
    }

    /// The entry that was stored.
    ///
    /// # Errors
    /// If the bytes are no entry of a format this version knows.
    pub fn decode(stored: &StoredEntry) -> Result<Self, EntryError> {
        let malformed =
            |what: &str| EntryError::Malformed { sequence: stored.sequence, what: what.to_owned() };
        let message =
            proto::Entry::decode(stored.bytes.clone()).map_err(|error| malformed(&error.to_string()))?;
        if message.format != FORMAT {
            return Err(EntryError::Newer { sequence: stored.sequence, format: message.format });
        }
        if message.sequence != stored.sequence {
            return Err(malformed("its sequence is not the one it is stored under"));
        }
        let time = message.commit_time.ok_or_else(|| malformed("no commit time"))?;
        Ok(Self {
            sequence: message.sequence,
            commit_time: Timestamp::new(time.seconds, time.nanos)
                .map_err(|_| malformed("a commit time out of range"))?,
            actor: message.actor.map(actor_from_proto).unwrap_or_default(),
            command_id: message
                .command_id
                .and_then(command_id_from_proto)
                .ok_or_else(|| malformed("no command id"))?,
            decided_on: message
                .decided_on
                .into_iter()
                .map(|position| position_from_proto(&position))
                .collect::<Option<_>>()
                .ok_or_else(|| malformed("a position that is none"))?,
            portfolio: message.portfolio,
            events: message.events,
        })
    }

    /// Only the events of the entry that was stored, which costs a fraction of the whole.
    ///
    /// # Errors
    /// If the bytes are no entry of a format this version knows.
    pub fn decode_events(stored: &StoredEntry) -> Result<Vec<Bytes>, EntryError> {
        let sequence = stored.sequence;
        let malformed = |what: String| EntryError::Malformed { sequence, what };
        let (mut format, mut events) = (0, Vec::with_capacity(1));
        for field in fields(&stored.bytes) {
            match field.map_err(|error| malformed(error.to_string()))? {
                (FORMAT_FIELD, Value::Number(number)) => format = number as u32,
                (EVENTS_FIELD, Value::Run(event)) => events.push(stored.bytes.slice_ref(event)),
                (FORMAT_FIELD | EVENTS_FIELD, _) => return Err(malformed("invalid wire type".to_owned())),
                _ => {}
            }
        }
        match format {
            FORMAT => Ok(events),
            format => Err(EntryError::Newer { sequence, format }),
        }
    }
}

/// `milepost.journal.v1.Entry.format`
const FORMAT_FIELD: u32 = 7;
/// `milepost.journal.v1.Entry.events`
const EVENTS_FIELD: u32 = 8;

/// A position as the API tells it.
pub fn position_to_proto(position: &Position) -> proto::Position {
    proto::Position {
        log_id: position.log.to_string(),
        sequence: position.sequence,
        hash_prefix: Bytes::copy_from_slice(position.hash.as_bytes()),
    }
}

/// A position from the API; `None` if a part of it is malformed.
pub fn position_from_proto(message: &proto::Position) -> Option<Position> {
    Position::from_fields(&message.log_id, message.sequence, &message.hash_prefix)
}

/// An actor as the API tells it.
pub fn actor_to_proto(actor: &Actor) -> proto::Actor {
    use proto::actor::Authentication as Wire;
    let authentication = match actor.authentication {
        Authentication::Unspecified => Wire::Unspecified,
        Authentication::Claimed => Wire::Claimed,
        Authentication::System => Wire::System,
    };
    proto::Actor {
        principal: actor.principal.clone(),
        authentication: authentication.into(),
        on_behalf_of: actor.on_behalf_of.clone(),
    }
}

fn actor_from_proto(message: proto::Actor) -> Actor {
    use proto::actor::Authentication as Wire;
    let authentication = match message.authentication() {
        Wire::Unspecified => Authentication::Unspecified,
        Wire::Claimed => Authentication::Claimed,
        Wire::System => Authentication::System,
    };
    Actor { principal: message.principal, authentication, on_behalf_of: message.on_behalf_of }
}

fn to_proto(entry: &Entry) -> proto::Entry {
    proto::Entry {
        sequence: entry.sequence,
        commit_time: Some(prost_types::Timestamp {
            seconds: entry.commit_time.as_second(),
            nanos: entry.commit_time.subsec_nanosecond(),
        }),
        actor: Some(actor_to_proto(&entry.actor)),
        command_id: Some(command_id_to_proto(&entry.command_id)),
        decided_on: entry.decided_on.iter().map(position_to_proto).collect(),
        portfolio: entry.portfolio.clone(),
        format: FORMAT,
        events: entry.events.clone(),
    }
}

fn command_id_to_proto(id: &CommandId) -> proto::CommandId {
    use proto::command_id::Kind;
    let (kind, body) = match id {
        CommandId::Request { id, body } => {
            (Kind::RequestId(id.clone()), Bytes::copy_from_slice(body.as_bytes()))
        }
        CommandId::Server(id) => (Kind::ServerId(id.clone()), Bytes::new()),
        CommandId::Source(position) => (Kind::Source(position_to_proto(position)), Bytes::new()),
    };
    proto::CommandId { kind: Some(kind), body_digest: body }
}

fn command_id_from_proto(message: proto::CommandId) -> Option<CommandId> {
    use proto::command_id::Kind;
    Some(match message.kind? {
        Kind::RequestId(id) => {
            let body: [u8; 32] = message.body_digest.as_ref().try_into().ok()?;
            CommandId::Request { id, body: Hash::from_bytes(body) }
        }
        Kind::ServerId(id) => CommandId::Server(id),
        Kind::Source(position) => CommandId::Source(position_from_proto(&position)?),
    })
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;

    fn sample() -> Entry {
        let log = LogId::from_bytes([7; 16]);
        Entry {
            sequence: 3,
            commit_time: Timestamp::new(1_622_073_600, 5).unwrap(),
            actor: Actor {
                principal: "office".into(),
                authentication: Authentication::Claimed,
                on_behalf_of: String::new(),
            },
            command_id: CommandId::Request { id: "r-1".into(), body: Hash::from_bytes([9; 32]) },
            decided_on: vec![Position { log, sequence: 2, hash: HashPrefix::from_bytes([1; 8]) }],
            portfolio: "wsc".into(),
            events: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
        }
    }

    #[test]
    fn an_entry_is_what_was_stored() {
        for command_id in [
            CommandId::Request { id: "r".into(), body: Hash::from_bytes([9; 32]) },
            CommandId::Server("s".into()),
            CommandId::Source(Position::start(LogId::from_bytes([1; 16]))),
        ] {
            let entry = Entry { command_id, ..sample() };
            let stored = entry.encode(&Hash::ZERO);
            assert_eq!(Entry::decode_events(&stored).as_ref(), Ok(&entry.events));
            assert_eq!(Entry::decode(&stored), Ok(entry));
        }
    }

    /// Persisted: if this fails, journals that exist can no longer be read.
    #[test]
    fn the_stored_bytes_and_the_chain_never_change() {
        let stored = sample().encode(&Hash::ZERO);
        let hex: String = stored.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(stored.hash.to_string(), GOLDEN_HASH);
        assert_ne!(chain(&stored.hash, &stored.bytes), stored.hash);
    }

    const GOLDEN: &str = concat!(
        "080312080880c2bb850610051a0a0a066f6666696365100122270a03722d312220090909090909090909090909",
        "09090909090909090909090909090909090909092a320a2430373037303730372d303730372d303730372d3037",
        "30372d30373037303730373037303710021a0801010101010101013203777363380142036f6e65420374776f"
    );
    const GOLDEN_HASH: &str = "6cd910e62515e2aee39417e07311559d7e80eeb9405612fb6c87d7faef21fb7c";

    #[test]
    fn a_newer_format_is_refused() {
        let mut message = to_proto(&sample());
        message.format = FORMAT + 1;
        let bytes = Bytes::from(message.encode_to_vec());
        let stored = StoredEntry { sequence: 3, hash: chain(&Hash::ZERO, &bytes), bytes };
        assert_eq!(Entry::decode(&stored), Err(EntryError::Newer { sequence: 3, format: 2 }));
        assert_eq!(Entry::decode_events(&stored), Err(EntryError::Newer { sequence: 3, format: 2 }));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for bytes in [&b"\xff\xff"[..], b""] {
            let stored = StoredEntry { sequence: 1, hash: Hash::ZERO, bytes: Bytes::copy_from_slice(bytes) };
            assert!(Entry::decode(&stored).is_err());
            assert!(Entry::decode_events(&stored).is_err());
        }
    }
}
