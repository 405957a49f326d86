//! A timeline for people in a terminal, an entry after the other with its figures; for programs, a line of JSON each.

use milepost_proto::tracker::v1::TimelineItem;
use milepost_types::prose;

use super::words::Words;
use super::{Timeline, day};
use crate::cli::flags::Columns;
use crate::cli::session::Session;
use crate::error::Error;
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
    print(&text(timeline))
}

/// The entries, each with its day, its kind, its headline and its figures.
pub(super) fn text(timeline: &Timeline) -> String {
    let entries = timeline.told().map(|item| entry(item, &timeline.language));
    entries.collect::<Vec<_>>().join("\n")
}

fn entry(item: &TimelineItem, language: &str) -> String {
    let words = Words::of(&item.headline_language);
    let date = day(item).map(|day| day.to_string()).unwrap_or_default();
    let mut lines = format!("{date}  {}  {}", words.kind(item.kind()), item.headline);
    if !language.is_empty() && !milepost_types::language::serves(&item.headline_language, language) {
        lines += &format!("  ({})", item.headline_language);
    }
    lines.push('\n');
    for figure in &item.figures {
        let declared = if figure.declared { format!(" ({})", words.declared) } else { String::new() };
        lines += &format!("            {}{}{}{declared}\n", figure.label, words.colon, figure.display_value);
    }
    lines
}

/// A day in words.
pub(super) fn day_in_words(item: &TimelineItem, language: &str) -> String {
    day(item).map(|day| prose::date(day, language)).unwrap_or_default()
}
