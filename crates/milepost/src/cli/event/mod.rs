//! `milepost event`: events, as lists and as streams.
//!
//! Does not interpret cursors: they are passed on as they were answered.

mod cursor_file;
mod watch;

use clap::{Args, Subcommand};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::{EventSelection, GetEventRequest, GetLogInfoRequest, ListEventsRequest};

use prost_reflect::ReflectMessage;

use super::flags::{Columns, Limit, Reading};
use super::session::{Page, Session};
use crate::error::Error;
use crate::output::{Format, json, note, reset};

/// What to do with events.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lists events in the order of the log
    ///
    /// If a source was restored to an older state among them, standard error says which of the events are no
    /// longer true; with --format json so does an object with the key "sourceReset" in their midst.
    #[command(after_long_help = LIST_EXAMPLES)]
    List {
        /// Only those after this cursor [default: from the earliest that is kept]
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
        #[command(flatten)]
        selection: Selecting,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        columns: Columns,
        #[command(flatten)]
        reading: Reading,
    },
    /// Shows an event
    Get {
        /// Its id, as in 0198…/12/0
        event_id: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Prints events as they happen, until interrupted
    #[command(after_long_help = watch::AFTER_HELP)]
    Watch(Box<watch::WatchArgs>),
    /// Shows what the log is, and from where to where it reaches
    Info,
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost event list --resource portfolios/western-science-city --type 'milestone.*' --limit 3
  milepost event list --filter 'event_date >= 2021-01-01 AND type = \"milepost.project.started\"'";

/// Which events.
#[derive(Debug, Clone, Default, Args)]
pub struct Selecting {
    /// Only events of this resource and what is below it, as in portfolios/western-science-city
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    resource: Option<String>,
    /// Only events of this type, as in milepost.milestone.achieved or milepost.milestone.*; may be given often
    #[arg(long, value_name = "TYPE", help_heading = "Selection")]
    r#type: Vec<String>,
    /// Only events that match, after AIP-160; --help ends with examples
    #[arg(long, value_name = "FILTER", help_heading = "Selection")]
    filter: Option<String>,
}

impl Selecting {
    fn selection(self) -> EventSelection {
        let full =
            |name: String| if name.starts_with("milepost.") { name } else { format!("milepost.{name}") };
        EventSelection {
            resource: self.resource.unwrap_or_default(),
            types: self.r#type.into_iter().map(full).collect(),
            filter: self.filter.unwrap_or_default(),
        }
    }
}

/// A selection as the flags of a command line say it; empty for all events.
fn flags(selection: &EventSelection) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut flags = Vec::new();
    if !selection.resource.is_empty() {
        flags.push(format!("--resource {}", selection.resource));
    }
    // A shell would take the * of a type for one of its own.
    let kind = |kind: &String| if kind.contains('*') { quoted(kind) } else { kind.clone() };
    flags.extend(selection.types.iter().map(|given| format!("--type {}", kind(given))));
    if !selection.filter.is_empty() {
        flags.push(format!("--filter {}", quoted(&selection.filter)));
    }
    flags.join(" ")
}

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::List { after, selection, limit, columns, reading } => {
            let first = ListEventsRequest {
                selection: Some(selection.selection()),
                min_revisions: reading.min_revision,
                after_cursor: after.unwrap_or_default(),
                ..Default::default()
            };
            let filter = first.selection.as_ref().map(|selection| selection.filter.clone());
            list(session, &limit, &columns, first)
                .await
                .map_err(|error| error.of_filter(&filter.unwrap_or_default()))
        }
        Verb::Get { event_id, reading } => {
            let request = GetEventRequest { event_id, min_revisions: reading.min_revision };
            let response = session
                .read(request, |client, request| async move { client.events().get_event(request).await })
                .await?;
            session.one(&json::dynamic(&response)).await?;
            if session.output().format == Format::Table {
                note(&format!("cursor after it: {}", response.cursor));
            }
            Ok(())
        }
        Verb::Watch(args) => watch::run(*args, session).await,
        Verb::Info => {
            let request = GetLogInfoRequest {};
            let info = session
                .read(request, |client, request| async move { client.events().get_log_info(request).await })
                .await?;
            session.one(&json::dynamic(&info)).await
        }
    }
}

async fn list(
    session: &Session,
    limit: &Limit,
    columns: &Columns,
    first: ListEventsRequest,
) -> Result<(), Error> {
    let (mut cursor, mut resets) = (String::new(), Vec::new());
    let message = json::dynamic(&Event::default()).descriptor();
    let (reached, passed) = (&mut cursor, &mut resets);
    session
        .list(&message, limit, "", columns, async |page_size, page_token| {
            let mut request = ListEventsRequest { page_size, ..first.clone() };
            if !page_token.is_empty() {
                // The token stands for where the list began.
                request.after_cursor.clear();
                request.page_token = page_token;
            }
            let response = session
                .read(request, |client, request| async move { client.events().list_events(request).await })
                .await?;
            *reached = response.cursor;
            if let Some(reset) = response.source_reset {
                reset::print_json(&reset, reached, session.output().format)?;
                passed.push(reset);
            }
            Ok(Page {
                items: response.events.iter().map(json::dynamic).collect(),
                next: response.next_page_token,
            })
        })
        .await?;
    resets.iter().for_each(|passed| reset::note_text(passed, &session.output().zones));
    let selection = flags(&first.selection.unwrap_or_default());
    let selection = if selection.is_empty() { selection } else { format!("{selection} ") };
    note(&format!("go on after these with: milepost event watch {selection}--after {cursor}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_may_be_given_without_what_all_begin_with() {
        let selecting = Selecting {
            r#type: vec!["milestone.achieved".into(), "milepost.project.*".into()],
            ..Default::default()
        };
        assert_eq!(selecting.selection().types, ["milepost.milestone.achieved", "milepost.project.*"]);
    }

    #[test]
    fn a_selection_is_told_as_flags_that_a_shell_takes() {
        let selection = Selecting {
            resource: Some("portfolios/p".into()),
            r#type: vec!["project.*".into()],
            filter: Some("actor = 'x'".into()),
        };
        let shown = r"--resource portfolios/p --type 'milepost.project.*' --filter 'actor = '\''x'\'''";
        assert_eq!(flags(&selection.selection()), shown);
        assert_eq!(flags(&EventSelection::default()), "");
    }
}
