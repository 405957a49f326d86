//! The notice of a reset that subscribers get, made from the event in the log.
//!
//! Invariant: only a reset that the notifier made itself has a notice: the tracker has events of that type for
//! its own following. For every other event only its source is read.

use bytes::Bytes;
use milepost_ledger::{position_from_proto, position_to_proto};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::notifier::v1::{EventRange, SourceResetNotice};
use milepost_types::LedgerKind;
use prost::Message;

use super::envelope::source;
use super::reset::SOURCE_RESET;
use crate::reset::{Range, Reset};

/// The encoded `milepost.notifier.v1.SourceResetNotice` of an entry with these events, if it is a reset that changes
/// something for subscribers.
pub(crate) fn notice(events: &[Bytes]) -> Option<Bytes> {
    let [event] = events else { return None };
    if source(event)? != LedgerKind::Notifier.as_str().as_bytes() {
        return None;
    }
    let event = Event::decode(event.clone()).ok().filter(|event| event.r#type == SOURCE_RESET)?;
    Some(message(event)?.encode_to_vec().into())
}

fn message(event: Event) -> Option<SourceResetNotice> {
    let Some(Payload::SourceReset(payload)) = event.payload else { return None };
    let reset = Reset {
        previous: payload.previous_position.as_ref().and_then(position_from_proto),
        position: payload.position.as_ref().and_then(position_from_proto)?,
        fork: payload.fork.as_ref().and_then(position_from_proto),
    };
    let range = |range: Option<Range>| {
        range.map(|Range { after, up_to }| EventRange { after_sequence: after, up_to_sequence: up_to })
    };
    reset.is_announced().then(|| SourceResetNotice {
        source: event.subject.strip_prefix("sources/").unwrap_or_default().to_owned(),
        event_id: event.event_id,
        reset_time: event.commit_time,
        reason: payload.reason,
        previous_position: reset.previous.as_ref().map(position_to_proto),
        position: Some(position_to_proto(&reset.position)),
        fork: reset.fork.as_ref().map(position_to_proto),
        revoked_events: range(reset.revoked()),
        repeated_events: range(reset.repeated()),
        omitted_events: range(reset.omitted()),
    })
}
