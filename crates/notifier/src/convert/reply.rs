//! The replies of the event service, with events as the bytes they are stored as.
//!
//! Invariant: field by field the messages of `milepost.notifier.v1`, where an event, or the reset of a
//! source, is its encoding: on the wire the two are the same, and fields that a newer service wrote are not lost on the way.

use bytes::Bytes;
pub(crate) use milepost_proto::notifier::v1::Drain;
pub(crate) use milepost_proto::notifier::v1::watch_events_response::Phase;

/// `WatchEventsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WatchReply {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) events: Vec<Bytes>,
    #[prost(string, tag = "2")]
    pub(crate) cursor: String,
    #[prost(enumeration = "Phase", tag = "3")]
    pub(crate) phase: i32,
    #[prost(bool, tag = "4")]
    pub(crate) checkpoint: bool,
    #[prost(uint64, tag = "5")]
    pub(crate) lag_entries: u64,
    #[prost(message, optional, tag = "6")]
    pub(crate) drain: Option<Drain>,
    #[prost(bytes = "bytes", optional, tag = "7")]
    pub(crate) source_reset: Option<Bytes>,
}

/// `ListEventsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListReply {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) events: Vec<Bytes>,
    #[prost(string, tag = "2")]
    pub(crate) next_page_token: String,
    #[prost(string, tag = "3")]
    pub(crate) cursor: String,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub(crate) source_reset: Option<Bytes>,
}

/// `GetEventResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetReply {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) event: Option<Bytes>,
    #[prost(string, tag = "2")]
    pub(crate) cursor: String,
}

#[cfg(test)]
mod tests {
    use milepost_proto::event::v1::Event;
    use milepost_proto::notifier::v1 as proto;
    use prost::Message;

    use super::*;

    fn event(id: &str) -> Event {
        Event { event_id: id.into(), subject: "portfolios/p".into(), ..Event::default() }
    }

    #[test]
    fn replies_are_the_public_messages_byte_for_byte() {
        let events = vec![event("a"), event("b")];
        let encoded: Vec<Bytes> = events.iter().map(|event| event.encode_to_vec().into()).collect();
        let drain = Some(Drain { reconnect_after: Some(prost_types::Duration { seconds: 1, nanos: 2 }) });
        let reset = proto::SourceResetNotice {
            source: "tracker".into(),
            revoked_events: Some(proto::EventRange { after_sequence: 503, up_to_sequence: 523 }),
            ..proto::SourceResetNotice::default()
        };
        let encoded_reset: Bytes = reset.encode_to_vec().into();
        let watch = proto::WatchEventsResponse {
            events: events.clone(),
            cursor: "c".into(),
            phase: Phase::Live.into(),
            checkpoint: true,
            lag_entries: 300,
            drain,
            source_reset: Some(reset.clone()),
        };
        let reply = WatchReply {
            events: encoded.clone(),
            cursor: "c".into(),
            phase: Phase::Live.into(),
            checkpoint: true,
            lag_entries: 300,
            drain,
            source_reset: Some(encoded_reset.clone()),
        };
        assert_eq!(reply.encode_to_vec(), watch.encode_to_vec());
        let list = proto::ListEventsResponse {
            events: events.clone(),
            next_page_token: "t".into(),
            cursor: "c".into(),
            source_reset: Some(reset),
        };
        let reply = ListReply {
            events: encoded.clone(),
            next_page_token: "t".into(),
            cursor: "c".into(),
            source_reset: Some(encoded_reset),
        };
        assert_eq!(reply.encode_to_vec(), list.encode_to_vec());
        let get = proto::GetEventResponse { event: events.first().cloned(), cursor: "c".into() };
        let reply = GetReply { event: encoded.first().cloned(), cursor: "c".into() };
        assert_eq!(reply.encode_to_vec(), get.encode_to_vec());
    }
}
