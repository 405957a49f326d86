//! `milepost event`: events, as lists and as streams.
//!
//! Does not interpret cursors: they are passed on as they were answered.

mod cursor_file;
mod handler;
mod list;
mod start;
mod watch;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use milepost_proto::notifier::v1::{
    EventSelection, GetEventRequest, GetLogInfoRequest, GetLogInfoResponse, ListEventsRequest,
    ListEventsResponse,
};

use super::flags::Reading;
use super::session::Session;
use crate::error::Error;
use crate::output::{Format, json};

/// Events of a page at most.
const PAGE: u64 = 1000;
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
    /// The selection in one form, however it was given: a cursor file compares it.
    fn selection(&self) -> EventSelection {
        let full = |name: &String| format!("milepost.{}", name.strip_prefix("milepost.").unwrap_or(name));
        let types: BTreeSet<String> = self.r#type.iter().map(full).collect();
        EventSelection {
            resource: self.resource.clone().unwrap_or_default(),
            types: types.into_iter().collect(),
            filter: self.filter.as_deref().unwrap_or_default().trim().to_owned(),
        }
    }
}

/// A selection as the flags of a command line say it, quoted for a shell; empty for all events.
fn flags(selection: &EventSelection) -> String {
    let types = selection.types.iter().map(|kind| ("type", kind));
    let given = [("resource", &selection.resource)].into_iter().chain(types);
    let given = given.chain([("filter", &selection.filter)]).filter(|(_, text)| !text.is_empty());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte);
    let flags = given.map(|(flag, text)| match text.bytes().all(is_plain) {
        true => format!("--{flag} {text}"),
        false => format!("--{flag} '{}'", text.replace('\'', r"'\''")),
    });
    flags.collect::<Vec<_>>().join(" ")
}

/// Lists, shows or watches events.
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
        Verb::Info => session.one(&json::dynamic(&log_info(session).await?)).await,
    }
}

async fn log_info(session: &Session) -> Result<GetLogInfoResponse, Error> {
    let request = GetLogInfoRequest {};
    session.read(request, |client, request| async move { client.events().get_log_info(request).await }).await
}

async fn list_events(session: &Session, request: ListEventsRequest) -> Result<ListEventsResponse, Error> {
    session.read(request, |client, request| async move { client.events().list_events(request).await }).await
}

/// Follows the pages of a list until it has so many events, or ends; the cursor there, and how many it has.
async fn follow(
    session: &Session,
    mut request: ListEventsRequest,
    count: u64,
) -> Result<(String, u64), Error> {
    let mut listed = 0;
    loop {
        request.page_size = i32::try_from(PAGE.min(count - listed)).unwrap_or(i32::MAX);
        let response = list_events(session, request.clone()).await?;
        listed += response.events.len() as u64;
        if listed >= count || response.next_page_token.is_empty() {
            return Ok((response.cursor, listed));
        }
        request.after_cursor.clear();
        request.page_token = response.next_page_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_has_one_form_and_types_may_lack_what_all_begin_with() {
        let selecting = Selecting {
            r#type: ["project.*", "milestone.achieved", "milepost.project.*"].map(str::to_owned).to_vec(),
            filter: Some(" ".into()),
            ..Default::default()
        };
        let selection = selecting.selection();
        assert_eq!(selection.types, ["milepost.milestone.achieved", "milepost.project.*"]);
        assert_eq!(selection.filter, "");
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
