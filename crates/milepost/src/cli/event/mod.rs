//! `milepost event`: events, as lists and as streams.
//!
//! Does not interpret cursors: they are passed on as they were answered.

mod cursor_file;
mod exec;
mod list;
mod notes;
mod place;
mod printer;
mod start;
mod watch;
mod when;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use milepost_proto::notifier::v1::{EventSelection, GetEventRequest, GetLogInfoRequest};

use super::flags::Reading;
use super::session::Session;
use crate::error::Error;
use crate::output::{Format, json};

/// The order of a list that begins with the newest event.
const NEWEST_FIRST: &str = "sequence desc";

/// What to do with events.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lists events in the order of the log, or the newest first
    ///
    /// If a source was restored to an older state among them, standard error says which of the events are no
    /// longer true; with --format json so does an object with the key "sourceReset" in their midst.
    #[command(after_long_help = list::AFTER_HELP)]
    List(Box<list::ListArgs>),
    /// Shows an event
    Get {
        /// Its id, as in 0198…/12/0
        event_id: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Prints events as they happen, or runs a command for each, until interrupted
    #[command(after_long_help = watch::AFTER_HELP)]
    Watch(Box<watch::WatchArgs>),
    /// Shows what the log is, and from where to where it reaches
    Info,
}

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
        Verb::List(args) => list::run(*args, session).await,
        Verb::Get { event_id, reading } => {
            let request = GetEventRequest { event_id, min_revisions: reading.min_revision };
            let response = session
                .read(request, |client, request| async move { client.events().get_event(request).await })
                .await?;
            session.one(&json::dynamic(&response)).await?;
            if session.output().format == Format::Table {
                session.output().note(&format!("cursor after it: {}", response.cursor));
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

fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
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
