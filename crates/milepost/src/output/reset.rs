//! The reset of a source between events: which events are no longer true, for people and for programs.
//!
//! Invariant: as JSON it is an object with the key `sourceReset`, which no event has; for people it goes to
//! standard error, where it cannot be taken for an event.

use milepost_proto::notifier::v1::{EventRange, SourceResetNotice};

use super::value::position;
use super::zone::{Place, Zone};
use super::{Format, Output, json, print, text};
use crate::error::Error;

/// Says that a source was reset: what programs read on standard output, and what people read beside it. The
/// cursor is the one just after it.
///
/// # Errors
/// If standard output cannot be written.
pub fn say(reset: &SourceResetNotice, cursor: &str, output: &Output) -> Result<(), Error> {
    print_json(reset, cursor, output.format)?;
    note_text(reset, output);
    Ok(())
}

/// Only what programs read, if the output is for them.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_json(reset: &SourceResetNotice, cursor: &str, format: Format) -> Result<(), Error> {
    if format == Format::Json {
        print(&line(reset, cursor))?;
    }
    Ok(())
}

/// Only what people read.
pub fn note_text(reset: &SourceResetNotice, output: &Output) {
    output.note(&paragraph(reset, &output.zones.zone(&Place::Nowhere, "")));
}

/// One line of JSON.
fn line(reset: &SourceResetNotice, cursor: &str) -> String {
    json::line(&json::response("sourceReset", json::to_value(reset), ("cursor", cursor)))
}

/// Some lines for people, without a line break at the end.
fn paragraph(reset: &SourceResetNotice, zone: &Zone) -> String {
    let source = &reset.source;
    let reason = if reset.reason.is_empty() { String::new() } else { format!(" ({})", reset.reason) };
    let at = |known: &Option<_>, absent: &str| known.as_ref().map_or_else(|| absent.to_owned(), position);
    let mut lines = vec![
        format!(
            "attention: since {} the {source} is followed from another position on{reason}",
            zone.time(reset.reset_time.as_ref())
        ),
        format!("  before:  {}", at(&reset.previous_position, "nothing of it was followed")),
        format!("  now:     {}", at(&reset.position, text::ABSENT)),
        format!("  shared:  {}", at(&reset.fork, "what both logs have in common is not known")),
    ];
    let mut say = |range: &Option<EventRange>, what: &str, act: &str| {
        if let Some(range) = range {
            lines.push(format!("  {what} {}; {act}", events(source, range)));
        }
    };
    say(
        &reset.revoked_events,
        "no longer true:",
        "drop those printed above, and read the resources that they concern again",
    );
    say(&reset.repeated_events, "come again:", "they are the same as above");
    say(&reset.omitted_events, "never come:", "read the resources again");
    lines.join("\n")
}

/// `events of the tracker with sequence 504 to 523`.
fn events(source: &str, range: &EventRange) -> String {
    let first = range.after_sequence.saturating_add(1);
    let last = range.up_to_sequence;
    if first == last {
        return format!("events of the {source} with sequence {first}");
    }
    format!("events of the {source} with sequence {first} to {last}")
}

#[cfg(test)]
mod tests {
    use milepost_proto::journal::v1::Position;

    use super::super::zone::Zones;
    use super::*;

    fn at(log: u8, sequence: u64) -> Option<Position> {
        let log_id = format!("0000000{log}-0000-4000-8000-000000000000");
        Some(Position { log_id, sequence, hash_prefix: vec![log; 8].into() })
    }

    fn utc() -> Zone {
        Zones::utc().zone(&Place::Nowhere, "")
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
        insta::assert_snapshot!(paragraph(&restored(), &utc()), @r"
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
        insta::assert_snapshot!(paragraph(&back, &utc()), @r"
        attention: since 2021-05-26 15:04:05Z the tracker is followed from another position on
          before:  00000001-0000-4000-8000-000000000000/523@0101010101010101
          now:     00000002-0000-4000-8000-000000000000/503@0202020202020202
          shared:  what both logs have in common is not known
          come again: events of the tracker with sequence 503; they are the same as above
          never come: events of the tracker with sequence 4 to 7; read the resources again
        ");
    }

    #[test]
    fn programs_tell_it_from_an_event_by_its_key() {
        let value: serde_json::Value = serde_json::from_str(&line(&restored(), "Qw")).unwrap();
        assert_eq!(value["cursor"], "Qw");
        assert_eq!(value["sourceReset"]["source"], "tracker");
        assert_eq!(
            value["sourceReset"]["revokedEvents"],
            serde_json::json!({"afterSequence": "503", "upToSequence": "523"})
        );
        assert_eq!(value.get("eventId"), None);
    }
}
