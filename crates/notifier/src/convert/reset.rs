//! The one event that the notifier makes itself: a source is followed from another position on.
//!
//! Invariant: what is decoded is what was encoded; the source's name stands in the subject, as
//! `sources/{source}`, because positions alone do not say whose they are.

use bytes::Bytes;
use milepost_ledger::{Context, actor_to_proto, position_from_proto, position_to_proto};
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{Event, SourceReset};
use milepost_types::{EventId, LedgerKind, Position};
use prost::Message;

/// Its type.
pub(crate) const SOURCE_RESET: &str = "milepost.source.reset";

/// The event of a reset.
pub(crate) fn encode(
    source: LedgerKind,
    previous: Option<Position>,
    to: &Position,
    reason: &str,
    context: &Context,
) -> Bytes {
    let id = EventId { log: context.log, sequence: context.sequence, index: 0 };
    let event = Event {
        event_id: id.to_string(),
        source: LedgerKind::Notifier.to_string(),
        sequence: context.sequence,
        subject: format!("sources/{source}"),
        r#type: SOURCE_RESET.to_owned(),
        commit_time: Some(prost_types::Timestamp {
            seconds: context.commit_time.as_second(),
            nanos: context.commit_time.subsec_nanosecond(),
        }),
        actor: Some(actor_to_proto(&context.actor)),
        payload: Some(Payload::SourceReset(SourceReset {
            previous_position: previous.as_ref().map(position_to_proto),
            position: Some(position_to_proto(to)),
            reason: reason.to_owned(),
            fork: None,
        })),
        ..Event::default()
    };
    event.encode_to_vec().into()
}

/// The source of a reset and the position that it goes on from.
///
/// # Panics
/// If it is no event that `encode` made: only such are in the notifier's journal.
pub(crate) fn decode(event: &Bytes) -> (LedgerKind, Position) {
    let event = Event::decode(event.clone()).expect("an event of the notifier's own");
    let source = event.subject.strip_prefix("sources/").and_then(|source| source.parse().ok());
    let position = match event.payload {
        Some(Payload::SourceReset(reset)) => reset.position.as_ref().and_then(position_from_proto),
        _ => None,
    };
    (source.expect("a reset names its source"), position.expect("a reset has a position"))
}
