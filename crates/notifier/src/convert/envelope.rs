//! Reads the envelope from an event's bytes, without decoding or copying the rest.
//!
//! Invariant: agrees with the full decoder on every event, whatever its resource and payload are, those
//! of newer versions included. Bytes are refused if a field of the envelope is malformed; other fields are not
//! checked. The numbers are those of `milepost.event.v1.Event`, which never change.

use jiff::Timestamp;
use milepost_proto::wire::{Value, fields};
use milepost_service::access::table;
use milepost_types::date_from_parts;
use prost::DecodeError;

use crate::envelope::Envelope;
use crate::selection::Selection;

const SOURCE: u32 = 2;
const SUBJECT: u32 = 4;
const TYPE: u32 = 7;

/// The bytes are not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("it is not a protobuf message: {0}")]
    Malformed(#[from] DecodeError),
    #[error("its {0} is not UTF-8 text")]
    NoText(&'static str),
}

/// Reads the envelope of an encoded event.
pub(crate) fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    let mut event = Envelope::default();
    let (mut time, mut date) = ([0; 4], [0; 4]);
    each_field(bytes, |tag, field| {
        match tag {
            1 => event.event_id = text(field, "event_id")?,
            SOURCE => event.source = text(field, "source")?,
            SUBJECT => event.subject = text(field, "subject")?,
            5 => event.portfolio = text(field, "portfolio")?,
            6 => event.project = text(field, "project")?,
            TYPE => event.kind = text(field, "type")?,
            8 => {
                numbers(field, &mut time)?;
                let [_, seconds, nanos, _] = time;
                event.commit_time = Timestamp::new(seconds, nanos as i32).ok();
            }
            9 => {
                numbers(field, &mut date)?;
                let [_, year, month, day] = date;
                event.event_date = date_from_parts(year as i32, month as i32, day as i32).ok();
            }
            10 => principal(field, &mut event.actor)?,
            11 => event.request_id = text(field, "request_id")?,
            12 => event.caused_by = text(field, "caused_by")?,
            13 => event.changed_fields.push(text(field, "changed_fields")?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(event)
}

/// Whether a selection matches an encoded event; false if the fields that it needs cannot be read.
pub(crate) fn matches(selection: &Selection, event: &[u8]) -> bool {
    if selection.needs_envelope() {
        return envelope(event).is_ok_and(|event| selection.matches(&event));
    }
    subject_and_kind(event).is_ok_and(|(subject, kind)| selection.takes(subject, kind))
}

/// What an event says of access: the number of its field, and its bytes.
pub(crate) type OfAccess<'a> = Option<(u32, &'a [u8])>;

/// Reads only the source of an encoded event, and what it says of access; and checks that its fields are whole: for an
/// event whose envelope was read when it was taken over.
pub(crate) fn checked_source(bytes: &[u8]) -> Result<(&str, OfAccess<'_>), EnvelopeError> {
    let (mut source, mut access) = ("", None);
    each_field(bytes, |tag, field| {
        if tag == SOURCE {
            source = text(field, "source")?;
        } else if table::is_of_access(tag) {
            access = Some((tag, field));
        }
        Ok(())
    })?;
    Ok((source, access))
}

/// Reads only the first source of an encoded event. It is near the beginning; what follows is not read. `None` if
/// it has none, or a field before it is malformed.
pub(crate) fn source(bytes: &[u8]) -> Option<&[u8]> {
    fields(bytes).map_while(Result::ok).find_map(|field| match field {
        (SOURCE, Value::Run(run)) => Some(run),
        _ => None,
    })
}

/// Reads only the subject and the type of an encoded event, which costs a fraction of the envelope.
fn subject_and_kind(bytes: &[u8]) -> Result<(&str, &str), EnvelopeError> {
    let (mut subject, mut kind) = ("", "");
    each_field(bytes, |tag, field| {
        match tag {
            SUBJECT => subject = text(field, "subject")?,
            TYPE => kind = text(field, "type")?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((subject, kind))
}

/// Passes each length-delimited field to `show`; others are skipped.
fn each_field<'a>(
    bytes: &'a [u8],
    mut show: impl FnMut(u32, &'a [u8]) -> Result<(), EnvelopeError>,
) -> Result<(), EnvelopeError> {
    for field in fields(bytes) {
        if let (tag, Value::Run(run)) = field? {
            show(tag, run)?;
        }
    }
    Ok(())
}

fn text<'a>(field: &'a [u8], name: &'static str) -> Result<&'a str, EnvelopeError> {
    std::str::from_utf8(field).map_err(|_| EnvelopeError::NoText(name))
}

/// Reads the numbers of a message by their field number, 1 to 3; those that are absent stay as they are, because
/// protobuf merges a message that occurs twice.
fn numbers(message: &[u8], numbers: &mut [i64; 4]) -> Result<(), DecodeError> {
    for field in fields(message) {
        if let (tag @ 1..=3, Value::Number(number)) = field? {
            numbers[tag as usize] = number.cast_signed();
        }
    }
    Ok(())
}

/// Reads the principal of an actor; one that is absent stays as it is.
fn principal<'a>(message: &'a [u8], principal: &mut &'a str) -> Result<(), EnvelopeError> {
    for field in fields(message) {
        if let (1, Value::Run(run)) = field? {
            *principal = text(run, "actor")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use milepost_proto::event::v1 as event;
    use milepost_proto::google::r#type::Date;
    use milepost_proto::journal::v1::Actor;
    use milepost_proto::tracker::v1::Milestone;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use prost::Message;

    use super::*;

    fn sample() -> event::Event {
        event::Event {
            event_id: "log/3/0".into(),
            source: "tracker".into(),
            sequence: 3,
            subject: "portfolios/科学城/projects/x".into(),
            portfolio: "portfolios/p".into(),
            project: "portfolios/p/projects/x".into(),
            r#type: "milepost.milestone.achieved".into(),
            commit_time: Some(prost_types::Timestamp { seconds: -5, nanos: 7 }),
            event_date: Some(Date { year: 2021, month: 5, day: 27 }),
            actor: Some(Actor {
                principal: "office".into(),
                authentication: 1,
                on_behalf_of: "mayor".into(),
                credential: "token:ci".into(),
            }),
            request_id: "r-1".into(),
            caused_by: "log/2/1".into(),
            changed_fields: vec!["a".into(), "b".into()],
            traceparent: "00-1".into(),
            resource: Some(event::event::Resource::MilestoneResource(Milestone {
                name: "m".repeat(300),
                ..Milestone::default()
            })),
            payload: Some(event::event::Payload::Created(event::Created {})),
        }
    }

    #[test]
    fn it_reads_what_the_full_decoder_reads() {
        let sample = sample();
        let bytes = sample.encode_to_vec();
        let read = envelope(&bytes).unwrap();
        let expected = Envelope {
            event_id: &sample.event_id,
            source: &sample.source,
            subject: &sample.subject,
            portfolio: &sample.portfolio,
            project: &sample.project,
            kind: &sample.r#type,
            commit_time: Some(Timestamp::new(-5, 7).unwrap()),
            event_date: Some("2021-05-27".parse().unwrap()),
            actor: "office",
            request_id: "r-1",
            caused_by: "log/2/1",
            changed_fields: vec!["a", "b"],
        };
        assert_eq!(read, expected);
        assert_eq!(subject_and_kind(&bytes), Ok((expected.subject, expected.kind)));
        assert_eq!(checked_source(&bytes), Ok(("tracker", None)));
        assert!(checked_source(&bytes[..bytes.len() - 1]).is_err());
        assert_eq!(source(&bytes), Some("tracker".as_bytes()));
        assert_eq!((source(&[]), source(b"\xff")), (None, None));
        assert_eq!(envelope(&[]), Ok(Envelope::default()));
    }

    #[test]
    fn an_encoded_event_is_matched_as_its_envelope_is() {
        let selection = |resource: &str, types: &[&str], filter: &str| {
            let types: Vec<_> = types.iter().map(|kind| (*kind).to_owned()).collect();
            Selection::new(resource, &types, filter).unwrap()
        };
        let kinds = ["milepost.milestone.achieved", "milepost.project.started", "milepost.source.followed"];
        let names = ["portfolios/p/projects/x/milestones/m", "portfolios/q"];
        for (kind, subject) in kinds.iter().flat_map(|kind| names.map(|name| (*kind, name))) {
            let event = event::Event { r#type: kind.into(), subject: subject.into(), ..sample() };
            let encoded = event.encode_to_vec();
            for selection in [
                Selection::all(),
                selection("portfolios/p", &[], ""),
                selection("", &["milepost.milestone.*"], ""),
                selection("", &["milepost.source.*"], ""),
                selection("", &[], r#"type = "milepost.project.started""#),
                selection("portfolios/q", &["milepost.*"], r#"subject = "portfolios/q""#),
            ] {
                let expected = selection.matches(&envelope(&encoded).unwrap());
                assert_eq!(matches(&selection, &encoded), expected, "{selection:?} {kind} {subject}");
            }
        }
        assert!(!matches(&Selection::all(), b"\xff"));
    }

    #[test]
    fn fields_of_newer_versions_are_skipped() {
        let mut bytes = sample().encode_to_vec();
        // Field 4000 of each wire type that there is.
        let key = |wire: u32| {
            let mut key = Vec::new();
            prost::encoding::encode_varint(u64::from(4000 << 3 | wire), &mut key);
            key
        };
        for (wire, value) in [(0, &[200, 1][..]), (1, &[0; 8]), (2, &[2, 1, 1]), (5, &[0; 4])] {
            bytes.extend(key(wire));
            bytes.extend(value);
        }
        assert_eq!(envelope(&bytes).unwrap().actor, "office");
    }

    #[test]
    fn invalid_dates_are_absent() {
        let date = Some(Date { year: 2021, month: 2, day: 30 });
        let bytes = event::Event { event_date: date, ..sample() }.encode_to_vec();
        assert_eq!(envelope(&bytes).unwrap().event_date, None);
    }

    /// The envelope of an event that the full decoder has read.
    fn envelope_of(event: &event::Event) -> Envelope<'_> {
        Envelope {
            event_id: &event.event_id,
            source: &event.source,
            subject: &event.subject,
            portfolio: &event.portfolio,
            project: &event.project,
            kind: &event.r#type,
            commit_time: event.commit_time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok()),
            event_date: event
                .event_date
                .and_then(|date| date_from_parts(date.year, date.month, date.day).ok()),
            actor: event.actor.as_ref().map_or("", |actor| &actor.principal),
            request_id: &event.request_id,
            caused_by: &event.caused_by,
            changed_fields: event.changed_fields.iter().map(String::as_str).collect(),
        }
    }

    /// How a field is encoded in a message.
    enum Form {
        Number,
        Text,
        Message(&'static [(RangeInclusive<u32>, Form)]),
    }

    /// The fields that an envelope is read from.
    const READ_FIELDS: &[(RangeInclusive<u32>, Form)] = &[
        (1..=2, Form::Text),
        (4..=7, Form::Text),
        (8..=9, Form::Message(&[(1..=3, Form::Number)])),
        (10..=10, Form::Message(&[(1..=1, Form::Text)])),
        (11..=13, Form::Text),
    ];

    /// The message without the fields that are not read, and without those of another wire type than theirs.
    fn only(forms: &[(RangeInclusive<u32>, Form)], message: &[u8]) -> Result<Vec<u8>, DecodeError> {
        // A message of no fields: the full decoder passes over all that come.
        <()>::decode(message)?;
        let mut kept = Vec::new();
        for field in fields(message) {
            let (tag, value) = field?;
            let form = forms.iter().find(|(tags, _)| tags.contains(&tag)).map(|(_, form)| form);
            match (form, value) {
                (Some(Form::Number), Value::Number(number)) => {
                    prost::encoding::uint64::encode(tag, &number, &mut kept);
                }
                (Some(Form::Text), Value::Run(text)) => {
                    prost::encoding::bytes::encode(tag, &text.to_vec(), &mut kept);
                }
                (Some(Form::Message(forms)), Value::Run(message)) => {
                    prost::encoding::bytes::encode(tag, &only(forms, message)?, &mut kept);
                }
                _ => {}
            }
        }
        Ok(kept)
    }

    /// Bytes that are changed, mostly one, and how many are cut off the end, mostly none: more than a third of what
    /// comes of it is as long as before and can be read.
    fn damage() -> impl Strategy<Value = (Vec<(Index, u8)>, usize)> {
        // Half of the changes leave a text one.
        let change = || (any::<Index>(), prop_oneof![1..0x80u8, 1..=u8::MAX]);
        let changes = prop_oneof![
            2 => Just(vec![]),
            6 => prop::collection::vec(change(), 1),
            1 => prop::collection::vec(change(), 2..4),
        ];
        (changes, prop_oneof![6 => Just(0), 1 => 1usize..16, 1 => 16usize..600])
    }

    #[test]
    fn fields_that_occur_twice_are_read_as_by_the_full_decoder() {
        let again = event::Event {
            subject: "portfolios/q".into(),
            commit_time: Some(prost_types::Timestamp { seconds: 0, nanos: 9 }),
            event_date: Some(Date { year: 0, month: 0, day: 28 }),
            actor: Some(Actor { on_behalf_of: "deputy".into(), ..Actor::default() }),
            changed_fields: vec!["c".into()],
            ..event::Event::default()
        };
        let bytes = [sample().encode_to_vec(), again.encode_to_vec()].concat();
        let full = event::Event::decode(bytes.as_slice()).unwrap();
        assert_eq!(full.actor.as_ref().unwrap().principal, "office");
        assert_eq!(envelope(&bytes), Ok(envelope_of(&full)));
    }

    proptest! {
        /// Where the full decoder fails, the envelope may still be read; then it agrees with the full decoder of
        /// only the fields that an envelope has.
        #[test]
        fn damaged_bytes_are_read_as_the_full_decoder_reads_them_or_refused((changes, cut) in damage()) {
            let mut bytes = sample().encode_to_vec();
            for (at, change) in changes {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let read = envelope(&bytes);
            match only(READ_FIELDS, &bytes).and_then(|bytes| event::Event::decode(bytes.as_slice())) {
                Ok(seen) => {
                    prop_assert_eq!(&read, &Ok(envelope_of(&seen)));
                    prop_assert_eq!(subject_and_kind(&bytes), Ok((&*seen.subject, &*seen.r#type)));
                }
                Err(error) => prop_assert!(read.is_err(), "{error}: {read:?}"),
            }
            if let Ok(full) = event::Event::decode(bytes.as_slice()) {
                prop_assert_eq!(&read, &Ok(envelope_of(&full)));
            }
        }
    }
}
