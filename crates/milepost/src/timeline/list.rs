//! A timeline for people in a terminal, an entry after the other with its figures; for programs, a line of JSON each.

use milepost_proto::tracker::v1::TimelineItem;
use milepost_types::prose;

use super::words::Words;
use super::{Timeline, day};
use crate::cli::flags::Columns;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::table::sentence;
use crate::output::{Format, json, print};

/// Shows a timeline.
///
/// # Errors
/// If it cannot be written.
pub(super) async fn run(timeline: &Timeline, session: &Session) -> Result<(), Error> {
    if session.output().format != Format::Table {
        let found: Vec<_> = timeline.items.iter().map(json::dynamic).collect();
        return session.many(&found, "", &Columns::default()).await;
    }
    if timeline.items.is_empty() {
        session.output().note("nothing was published yet");
        return Ok(());
    }
    print(&text(timeline, session.output().columns))
}

/// What stands beside the day of an entry begins so far from the left.
const INDENT: usize = 12;

/// The entries, each with its day, its kind, its headline and its figures.
pub(super) fn text(timeline: &Timeline, terminal: Option<u16>) -> String {
    let entries = timeline.visible().map(|item| entry(item, &timeline.language, terminal));
    entries.collect::<Vec<_>>().join("\n")
}

fn entry(item: &TimelineItem, language: &str, terminal: Option<u16>) -> String {
    let words = Words::of(&item.headline_language);
    let date = day(item).map(|day| day.to_string()).unwrap_or_default();
    let mut line = format!("{date}  {}  {}", words.kind(item.kind()), item.headline);
    if !language.is_empty() && !milepost_types::language::serves(&item.headline_language, language) {
        line += &format!("  ({})", item.headline_language);
    }
    let mut lines = sentence(&line, INDENT, terminal);
    for figure in &item.figures {
        let declared = if figure.declared { format!(" ({})", words.declared) } else { String::new() };
        let figure = format!("{}{}{}{declared}", figure.label, words.colon, figure.display_value);
        lines += &sentence(&(" ".repeat(INDENT) + &figure), INDENT, terminal);
    }
    lines
}

/// A day in words.
pub(super) fn day_in_words(item: &TimelineItem, language: &str) -> String {
    day(item).map(|day| prose::date(day, language)).unwrap_or_default()
}
