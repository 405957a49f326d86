//! The one event that the notifier makes itself: a source is followed from another position on.
//!
//! Invariant: decoding reverses encoding and refuses anything else; the subject names the source, as
//! `sources/{source}`, because a position alone does not.

use bytes::Bytes;
use milepost_ledger::{Context, actor_to_proto};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_service::source_reset;
pub(crate) use milepost_service::source_reset::SOURCE_RESET;
use milepost_types::{EventId, GoOn, LedgerKind, Position, quoted};
use prost::Message;

/// The reset of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResetEvent {
    /// Whose log.
    pub(crate) source: LedgerKind,
    /// How far it had been followed; `None`: it had not.
    pub(crate) previous: Option<Position>,
    /// Where it is followed on.
    pub(crate) to: GoOn,
}

/// Bytes that are not the event of a reset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResetError {
    /// It is not an event.
    #[error("it is not an event: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// It is another event.
    #[error(
        "an event of type {} of {}; the notifier itself writes only {SOURCE_RESET}",
        quoted(kind),
        quoted(ledger)
    )]
    Other {
        /// Its type.
        kind: String,
        /// The ledger that it names.
        ledger: String,
    },
    /// Its subject is not a source that is followed.
    #[error("the reset of {}, which is not a source", quoted(.0))]
    NoSource(String),
    /// One of its positions is missing or malformed.
    #[error("a position of the reset is missing or malformed")]
    NoPosition,
}

/// The event of a reset.
pub(crate) fn encode(reset: &ResetEvent, reason: &str, context: &Context) -> Bytes {
    let id = EventId { log: context.log, sequence: context.sequence, index: 0 };
    let event = Event {
        event_id: id.to_string(),
        source: LedgerKind::Notifier.to_string(),
        sequence: context.sequence,
        subject: format!("sources/{}", reset.source),
        r#type: SOURCE_RESET.to_owned(),
        commit_time: Some(prost_types::Timestamp {
            seconds: context.commit_time.as_second(),
            nanos: context.commit_time.subsec_nanosecond(),
        }),
        actor: Some(actor_to_proto(&context.actor)),
        payload: Some(Payload::SourceReset(source_reset::to_proto(reset.previous, &reset.to, reason))),
        ..Event::default()
    };
    event.encode_to_vec().into()
}

/// The reset in an event.
///
/// # Errors
/// If `encode` did not make it.
pub(crate) fn decode(event: &Bytes) -> Result<ResetEvent, ResetError> {
    let Event { source, subject, r#type: kind, payload, .. } = Event::decode(event.clone())?;
    let Some(Payload::SourceReset(reset)) = payload.filter(|_| source == LedgerKind::Notifier.as_str())
    else {
        return Err(ResetError::Other { kind, ledger: source });
    };
    let named = subject.strip_prefix("sources/").and_then(|source| source.parse().ok());
    let followed = named.filter(|source| *source != LedgerKind::Notifier);
    let source = followed.ok_or(ResetError::NoSource(subject))?;
    let (previous, to) = source_reset::from_proto(&reset).ok_or(ResetError::NoPosition)?;
    Ok(ResetEvent { source, previous, to })
}
