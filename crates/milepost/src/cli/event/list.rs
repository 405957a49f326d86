//! `milepost event list`: events in the order of the log, or the newest first.
//!
//! Does not interpret cursors: they are passed on as they were answered.

use clap::Args;
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_service::value::instant_message;
use prost_reflect::ReflectMessage;

use super::start::When;
use super::{NEWEST_FIRST, Selecting, flags, list_events};
use crate::cli::flags::{Columns, Limit, Reading};
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::{json, reset};

/// What the help says after the flags.
pub const AFTER_HELP: &str = "\
With --after and --since the later of the two counts. With --reverse they say where the list ends,
and --limit counts from the newest event; what enters the log while it is listed is not on it. The
reset of a source then stands before the events that it takes back, and the cursor beside it is the
one before it.

Examples:
  milepost event list --resource portfolios/western-science-city --type 'milestone.*' --limit 3
  milepost event list --filter 'event_date >= 2021-01-01 AND type = \"milepost.project.started\"'
  milepost event list --resource portfolios/western-science-city --since 2021-01-01 --limit 3
  milepost event list --reverse --since 24h --type milestone.achieved --limit 5";

/// Which events to list, from where, and in which order.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those after this cursor [default: from the earliest that is kept]
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Only those that entered the log then or later: at a time, as in 2021-05-27T08:00:00+08:00; so long ago, as in 2h; or from the beginning of a date, as in 2021-05-27, in the time zone of the portfolio that --resource names, else in the system's [default: from the earliest that is kept]
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// Lists the newest first, also within one entry [default: in the order of the log]
    #[arg(long)]
    reverse: bool,
    #[command(flatten)]
    selection: Selecting,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    reading: Reading,
}

/// Lists events, page by page.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(args: ListArgs, session: &Session) -> Result<(), Error> {
    let selection = args.selection.selection();
    let from_time = match args.since {
        Some(when) => Some(instant_message(when.instant(session, &selection.resource).await?)),
        None => None,
    };
    let first = ListEventsRequest {
        selection: Some(selection.clone()),
        min_revisions: args.reading.min_revision,
        after_cursor: args.after.unwrap_or_default(),
        order_by: if args.reverse { NEWEST_FIRST.to_owned() } else { String::new() },
        from_time,
        ..Default::default()
    };
    let (mut cursor, mut resets) = (String::new(), Vec::new());
    let page = async |page_size, page_token: String| {
        let mut request = ListEventsRequest { page_size, ..first.clone() };
        if !page_token.is_empty() {
            // The token stands for where the list began.
            request.after_cursor.clear();
            request.page_token = page_token;
        }
        let response =
            list_events(session, request).await.map_err(|error| error.of_filter(&selection.filter))?;
        cursor = response.cursor;
        if let Some(reset) = response.source_reset {
            reset::print_json(&reset, &cursor, session.output().format)?;
            resets.push(reset);
        }
        Ok((response.events.iter().map(json::dynamic).collect(), response.next_page_token))
    };
    let message = json::dynamic(&Event::default()).descriptor();
    session.list(&message, &args.limit, "", &args.columns, page).await?;
    resets.iter().for_each(|passed| reset::note_text(passed, session.output()));
    let what = if args.reverse { "begin with the last of these" } else { "go on after these" };
    let flags = format!("{} --after {cursor}", flags(&selection));
    session.output().note(&format!("{what} with: milepost event watch {}", flags.trim_start()));
    Ok(())
}
