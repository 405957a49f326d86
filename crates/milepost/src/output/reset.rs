//! The reset of a source between events: which events are no longer true, for people and for programs.
//!
//! Invariant: as JSON it is an object with the key `sourceReset`, which no event has; for people it goes to
//! standard error, where it cannot be taken for an event.

use milepost_proto::notifier::v1::{EventRange, SourceResetNotice};
use serde_json::Value;

use super::value::position;
use super::zone::Zone;
use super::{Format, Output, json, print, text};
use crate::error::Error;

/// Says what programs read, if the output is for them. The cursor is the one just after the reset.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_json(reset: &SourceResetNotice, cursor: &str, format: Format) -> Result<(), Error> {
    match format {
        Format::Json => print(&json::line(&object(reset, cursor))),
        _ => Ok(()),
    }
}

/// Says what people read.
pub fn note_text(reset: &SourceResetNotice, output: &Output) {
    output.note(&paragraph(reset, &output.zones.zone(None)));
}

fn object(reset: &SourceResetNotice, cursor: &str) -> Value {
    let mut object = json!({"sourceReset": json::to_value(reset)});
    if !cursor.is_empty() {
        object["cursor"] = cursor.into();
    }
    object
}

/// Some lines for people, without a line break at the end.
fn paragraph(reset: &SourceResetNotice, zone: &Zone) -> String {
    let source = &reset.source;
    let reason = if reset.reason.is_empty() { String::new() } else { format!(" ({})", reset.reason) };
    let at = |known: &Option<_>, absent: &str| known.as_ref().map_or_else(|| absent.to_owned(), position);
    let time = zone.time(reset.reset_time.as_ref());
    let mut lines = vec![
        format!("attention: since {time} the {source} is followed from another position on{reason}"),
        format!("  before:  {}", at(&reset.previous_position, "nothing of it was followed")),
        format!("  now:     {}", at(&reset.position, text::ABSENT)),
        format!("  shared:  {}", at(&reset.fork, "what both logs have in common is not known")),
    ];
    let dropped = "drop those printed above, and read the resources that they concern again";
    for (range, what, act) in [
        (&reset.revoked_events, "no longer true", dropped),
        (&reset.repeated_events, "come again", "they are the same as above"),
        (&reset.omitted_events, "never come", "read the resources again"),
    ] {
        if let Some(EventRange { after_sequence, up_to_sequence: last }) = range {
            let first = after_sequence.saturating_add(1);
            lines.push(format!("  {what}: events of the {source} with sequence {first} to {last}; {act}"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use milepost_proto::journal::v1::Position;

    use super::*;

    fn at(log: u8, sequence: u64) -> Option<Position> {
        let log_id = format!("0000000{log}-0000-4000-8000-000000000000");
        Some(Position { log_id, sequence, hash_prefix: vec![log; 8].into() })
    }

    fn restored() -> SourceResetNotice {
        SourceResetNotice {
            source: "tracker".into(),
            event_id: "00000009-0000-4000-8000-000000000000/600/0".into(),
            reset_time: Some(prost_types::Timestamp { seconds: 1_622_041_445, nanos: 0 }),
            reason: "restored after the fire".into(),
            previous_position: at(1, 523),
            position: at(2, 503),
            fork: at(2, 503),
            revoked_events: Some(EventRange { after_sequence: 503, up_to_sequence: 523 }),
            ..SourceResetNotice::default()
        }
    }

    #[test]
    fn people_read_which_events_are_no_longer_true_and_what_to_do() {
        insta::assert_snapshot!(paragraph(&restored(), &Zone::UTC), @r"
        attention: since 2021-05-26 15:04:05Z the tracker is followed from another position on (restored after the fire)
          before:  00000001-0000-4000-8000-000000000000/523@0101010101010101
          now:     00000002-0000-4000-8000-000000000000/503@0202020202020202
          shared:  00000002-0000-4000-8000-000000000000/503@0202020202020202
          no longer true: events of the tracker with sequence 504 to 523; drop those printed above, and read the resources that they concern again
        ");
        let back = SourceResetNotice {
            reason: String::new(),
            fork: None,
            revoked_events: None,
            repeated_events: Some(EventRange { after_sequence: 502, up_to_sequence: 503 }),
            omitted_events: Some(EventRange { after_sequence: 3, up_to_sequence: 7 }),
            ..restored()
        };
        insta::assert_snapshot!(paragraph(&back, &Zone::UTC), @r"
        attention: since 2021-05-26 15:04:05Z the tracker is followed from another position on
          before:  00000001-0000-4000-8000-000000000000/523@0101010101010101
          now:     00000002-0000-4000-8000-000000000000/503@0202020202020202
          shared:  what both logs have in common is not known
          come again: events of the tracker with sequence 503 to 503; they are the same as above
          never come: events of the tracker with sequence 4 to 7; read the resources again
        ");
    }

    #[test]
    fn programs_tell_it_from_an_event_by_its_key() {
        let value = object(&restored(), "Qw");
        assert_eq!(value["cursor"], "Qw");
        assert_eq!(value["sourceReset"]["source"], "tracker");
        assert_eq!(
            value["sourceReset"]["revokedEvents"],
            json!({"afterSequence": "503", "upToSequence": "523"})
        );
        assert_eq!(value.get("eventId"), None);
    }
}
