//! `milepost event watch`: events as they happen, through restarts and lost connections.
//!
//! Invariant: an event is printed before its cursor is kept; with `--count` the kept cursor is the one
//! after the last event that was printed, also in the middle of a batch.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use milepost_client::{Batch, Phase, Start, WatchOptions, WatchState};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::GetEventRequest;

use super::Selecting;
use super::cursor_file::CursorFile;
use crate::cli::session::Session;
use crate::cli::value;
use crate::error::Error;
use crate::output::{Format, closed, event, json, note, print};

/// What the help says after the flags.
pub const AFTER_HELP: &str = "\
A line is printed for each event, or with --format json one object. The connection may be lost and
the server may restart: the watch goes on after the last event it printed, without gap and without
duplicate. With --cursor-file the next run does so too; after a crash between printing and keeping
the cursor, the last events may be printed once more.";

/// Which events to print, from where, and until when.
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    selection: Selecting,
    /// Goes on after the cursor in this file if there is one, and keeps the cursor there after each batch
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Ends after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How long the server may be silent before it sends a sign of life, 100 ms to 10 min [default: 10s]
    #[arg(long, value_name = "SPAN", value_parser = value::duration)]
    checkpoint_interval: Option<Duration>,
    /// Gives up if the connection is lost for this long [default: never]
    #[arg(long, value_name = "SPAN", value_parser = value::duration)]
    patience: Option<Duration>,
}

/// Where to start, unless the cursor file says it. Default: the earliest event that is kept.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
struct From {
    /// After this cursor
    #[arg(long, value_name = "CURSOR", help_heading = "Start")]
    after: Option<String>,
    /// With what was committed at this time or later, as in 2021-05-27T08:00:00+08:00, or 2h for two hours ago
    #[arg(long, value_name = "TIME", value_parser = value::instant, help_heading = "Start")]
    since: Option<Timestamp>,
    /// With the earliest event that is kept (the default)
    #[arg(long, help_heading = "Start")]
    earliest: bool,
    /// With what happens from now on
    #[arg(long, help_heading = "Start")]
    latest: bool,
}

impl From {
    /// The start: the kept cursor before everything else.
    fn start(self, kept: Option<&str>) -> Start {
        match (kept, self.after, self.since) {
            (Some(cursor), _, _) => Start::After(cursor.to_owned()),
            (None, Some(cursor), _) => Start::After(cursor),
            (None, None, Some(time)) => Start::At(time),
            (None, None, None) if self.latest => Start::Latest,
            (None, None, None) => Start::Earliest,
        }
    }
}

/// Prints events until interrupted, until `--count`, or until the watch cannot go on.
///
/// # Errors
/// Why it cannot go on.
pub async fn run(args: WatchArgs, session: &Session) -> Result<(), Error> {
    let mut file = args.cursor_file.as_deref().map(CursorFile::open).transpose()?;
    let start = args.from.start(file.as_ref().and_then(CursorFile::cursor));
    let options = WatchOptions {
        checkpoint_interval: args.checkpoint_interval,
        patience: args.patience,
        ..WatchOptions::default()
    };
    let mut watch = session.client().watch(start, args.selection.selection(), options);
    let mut state = watch.state();
    let mut told = Told::default();
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut unread = pin!(closed());
    loop {
        let batch = tokio::select! {
            // What was received comes before what became of the connection since.
            biased;
            batch = watch.next() => batch,
            Ok(()) = state.changed() => {
                told.connection(&state.borrow_and_update());
                continue;
            }
            () = &mut unread => return Err(Error::Output(ErrorKind::BrokenPipe.into())),
        };
        let Some(batch) = batch else { return Ok(()) };
        let Batch { mut events, mut cursor, phase, lag_entries } = batch?;
        let cut = usize::try_from(left).is_ok_and(|left| left < events.len());
        if cut {
            events.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        left -= events.len() as u64;
        print(&lines(&events, session.output().format))?;
        if let Some(file) = &mut file {
            if let (true, Some(last)) = (cut, events.last()) {
                cursor = cursor_after(session, last).await?;
            }
            file.keep(&cursor)?;
        }
        if left == 0 {
            return Ok(());
        }
        told.phase(phase, lag_entries);
    }
}

fn lines(events: &[Event], format: Format) -> String {
    let line = |event: &Event| match format {
        Format::Table => event::line(event) + "\n",
        Format::Json => json::line(&json::to_value(event)),
    };
    events.iter().map(line).collect()
}

/// The cursor after an event inside a batch, which the batch itself does not tell.
async fn cursor_after(session: &Session, event: &Event) -> Result<String, Error> {
    let request = GetEventRequest { event_id: event.event_id.clone(), min_revisions: Vec::new() };
    let response = session
        .read(request, |client, request| async move { client.events().get_event(request).await })
        .await?;
    Ok(response.cursor)
}

/// What was said about the stream, on standard error.
#[derive(Debug, Default)]
struct Told {
    interrupted: bool,
    live: bool,
}

impl Told {
    fn connection(&mut self, state: &WatchState) {
        match state {
            WatchState::Interrupted { reason, .. } if !self.interrupted => {
                self.interrupted = true;
                note(&format!("interrupted ({reason}); connecting again"));
            }
            WatchState::Connected if self.interrupted => {
                self.interrupted = false;
                note("connected again");
            }
            _ => {}
        }
    }

    fn phase(&mut self, phase: Phase, lag_entries: u64) {
        if phase == Phase::Live && lag_entries == 0 && !self.live {
            self.live = true;
            note("the end of the log is reached; waiting for what happens (Ctrl-C ends)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_cursor_comes_before_every_other_start() {
        let from =
            |after: Option<&str>, latest| From { after: after.map(Into::into), latest, ..From::default() };
        assert_eq!(from(Some("a"), false).start(Some("kept")), Start::After("kept".into()));
        assert_eq!(from(None, true).start(Some("kept")), Start::After("kept".into()));
        assert_eq!(from(Some("a"), false).start(None), Start::After("a".into()));
        assert_eq!(from(None, true).start(None), Start::Latest);
        assert_eq!(from(None, false).start(None), Start::Earliest);
        let since = From { since: Some(Timestamp::UNIX_EPOCH), ..From::default() };
        assert_eq!(since.start(None), Start::At(Timestamp::UNIX_EPOCH));
    }
}
