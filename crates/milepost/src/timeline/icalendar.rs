//! iCalendar (RFC 5545): an event of a whole day for each entry.
//!
//! Invariants: the UID of an event is that of its entry, and its SEQUENCE rises with each publication and withdrawal; one
//! that was withdrawn is CANCELLED and says nothing else. Lines end with CRLF and have at most 75 octets; a longer one is
//! folded between characters, never within one.

use jiff::Timestamp;
use milepost_proto::tracker::v1::TimelineItem;

use super::json_feed::content;
use super::words::Words;
use super::{Timeline, day, instant};

/// Octets of a line without its end.
const LINE_BYTES: usize = 75;

/// A calendar has at least one component (RFC 5545, 3.6): the time zone that its times are in says nothing besides.
const NOTHING: [&str; 8] = [
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
];

/// The document.
pub(super) fn document(timeline: &Timeline) -> String {
    let words = Words::of(&timeline.language);
    let title = format!("{} {}", timeline.title().0, words.timeline);
    let mut lines = Lines::default();
    lines.push("BEGIN:VCALENDAR");
    lines.push("VERSION:2.0");
    lines.push("PRODID:-//Milepost//Timeline//EN");
    lines.push("CALSCALE:GREGORIAN");
    lines.push(&format!("NAME:{}", escaped(&title)));
    lines.push(&format!("X-WR-CALNAME:{}", escaped(&title)));
    timeline.items.iter().for_each(|item| event(item, &mut lines));
    if timeline.items.is_empty() {
        NOTHING.iter().for_each(|line| lines.push(line));
    }
    lines.push("END:VCALENDAR");
    lines.0
}

fn event(item: &TimelineItem, lines: &mut Lines) {
    let Some(day) = day(item) else { return };
    let changed = instant(item.last_publish_time.as_ref()).unwrap_or(Timestamp::UNIX_EPOCH);
    lines.push("BEGIN:VEVENT");
    lines.push(&format!("UID:{}", escaped(&item.uid)));
    lines.push(&format!("DTSTAMP:{}", time(changed)));
    lines.push(&format!("DTSTART;VALUE=DATE:{}", day.strftime("%Y%m%d")));
    lines.push(&format!("SEQUENCE:{}", item.sequence));
    if item.withdrawn {
        lines.push("STATUS:CANCELLED");
    } else {
        let words = Words::of(&item.headline_language);
        lines.push("STATUS:CONFIRMED");
        lines.push(&format!("SUMMARY{}:{}", language(&item.headline_language), escaped(&item.headline)));
        let description = content(item, words);
        if description != item.headline {
            let tag = if item.text.is_empty() { &item.headline_language } else { &item.text_language };
            lines.push(&format!("DESCRIPTION{}:{}", language(tag), escaped(&description)));
        }
        let kind = escaped(words.kind(item.kind()));
        lines.push(&format!("CATEGORIES{}:{kind}", language(words.tag)));
        // It takes nobody's time.
        lines.push("TRANSP:TRANSPARENT");
        if let Some(created) = instant(item.first_publish_time.as_ref()) {
            lines.push(&format!("CREATED:{}", time(created)));
        }
        lines.push(&format!("LAST-MODIFIED:{}", time(changed)));
    }
    lines.push("END:VEVENT");
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The parameter that says the language of a text; a tag has no character that must be quoted.
fn language(tag: &str) -> String {
    if tag.is_empty() { String::new() } else { format!(";LANGUAGE={tag}") }
}

/// A text as a value (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\\n");
            }
            '\n' => out.push_str("\\n"),
            // No other control character may stand in a value, but the tab.
            other if other.is_control() && other != '\t' => {}
            other => out.push(other),
        }
    }
    out
}

/// Lines of a document, folded.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        let mut bytes = 0;
        for character in line.chars() {
            if bytes + character.len_utf8() > LINE_BYTES {
                // The blank belongs to the line.
                self.0.push_str("\r\n ");
                bytes = 1;
            }
            self.0.push(character);
            bytes += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}
