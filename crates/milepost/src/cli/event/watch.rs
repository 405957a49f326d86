//! `milepost event watch`: events as they are committed, through restarts and lost connections.
//!
//! Invariant: the kept cursor never passes an event, or the reset of a source, that the reader of standard output
//! has not taken: what is written to a pipe is not read yet. With `--count`, and when the reader goes away, the kept cursor is the one after the last event that
//! was taken, also in the middle of a batch.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use milepost_client::{Batch, Delivery, Phase, Selection, Start, WatchOptions, WatchState};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::{ListEventsRequest, SourceResetNotice};

use super::Selecting;
use super::cursor_file::{CursorFile, Found};
use crate::cli::session::Session;
use crate::cli::value;
use crate::error::Error;
use crate::output::pipe::Reader;
use crate::output::zone::Place;
use crate::output::{Format, event, json, note, print, reset};

/// What the help says after the flags.
pub const AFTER_HELP: &str = "\
A line is printed for each event, or with --format json one object. The connection may be lost and
the server may restart: the watch goes on after the last event it printed, without gap and without
duplicate.

With --cursor-file the next run does so too: no event is lost, and an event may come again. The
cursor passes an event only when its line was written to the file or terminal, or, if standard
output is a pipe, when its reader has taken the line out of the pipe, in which there is one line at
a time: `| head -1` prints one event more with each run. What the reader does with a line that it
took is its own affair. After Ctrl-C or a crash the events of the last batch may come again. The
file belongs to one selection; with another one it is refused.

If a source is restored to an older state, standard error says which of the events above are no
longer true; with --format json so does an object with the key \"sourceReset\" between the events.

Examples:
  milepost event watch --resource portfolios/western-science-city --type 'project.*' --count 3
  milepost event watch --filter 'event_date >= 2021-01-01' --count 1
  milepost event watch --type milestone.achieved --cursor-file achieved.cursor --count 2";

/// Which events to print, from where, and until when.
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    selection: Selecting,
    /// Goes on after the cursor in this file if there is one, and keeps the cursor of what was read there
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Goes on after the cursor in the file though it was kept for another selection; what only this one selects before it is not printed
    #[arg(long, requires = "cursor_file")]
    change_selection: bool,
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
    /// Whether a start was said.
    fn is_given(&self) -> bool {
        self.after.is_some() || self.since.is_some() || self.earliest || self.latest
    }

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
    let selection = args.selection.selection();
    let mut file = match &args.cursor_file {
        Some(path) => {
            let (file, found) = CursorFile::open(path, &selection, args.change_selection)?;
            Notes::file(path, found, args.from.is_given());
            Some(file)
        }
        None => None,
    };
    let start = args.from.start(file.as_ref().and_then(CursorFile::cursor));
    let options = WatchOptions {
        checkpoint_interval: args.checkpoint_interval,
        patience: args.patience,
        ..WatchOptions::default()
    };
    // The cursor before what comes next; empty at the earliest event, none where it is not known yet.
    let mut reached = match &start {
        Start::After(cursor) => Some(cursor.clone()),
        Start::Earliest => Some(String::new()),
        Start::At(_) | Start::Latest => None,
    };
    let mut watch = session.client().watch(start, selection.clone(), options);
    let mut state = watch.state();
    let mut notes = Notes::default();
    let mut left = args.count.unwrap_or(u64::MAX);
    let printer = Printer::new(session, file.is_some());
    loop {
        let delivery = tokio::select! {
            // What was received comes before what became of the connection since.
            biased;
            delivery = watch.next() => delivery,
            Ok(()) = state.changed() => {
                notes.connection(&state.borrow_and_update());
                continue;
            }
            () = printer.reader.gone() => return Err(Error::Output(ErrorKind::BrokenPipe.into())),
        };
        let Some(delivery) = delivery else { return Ok(()) };
        let Batch { mut events, cursor, phase, lag_entries } =
            match delivery.map_err(|error| Error::from(error).of_filter(&selection.filter))? {
                Delivery::Batch(batch) => batch,
                Delivery::Reset(reset) => {
                    printer.print_reset(&reset.notice, &reset.cursor).await?;
                    if let Some(file) = &mut file {
                        file.keep(&reset.cursor)?;
                    }
                    continue;
                }
            };
        let cut = usize::try_from(left).is_ok_and(|left| left < events.len());
        if cut {
            events.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        left -= events.len() as u64;
        let Printed { taken, failure } = printer.print(&events).await;
        if let Some(file) = &mut file {
            if taken == events.len() && !cut {
                file.keep(&cursor)?;
            } else if taken > 0 {
                match (cursor_after(session, &selection, reached.as_deref(), taken).await, &failure) {
                    (Ok(Some(cursor)), _) => file.keep(&cursor)?,
                    // Events come again. If the reader went away, nobody waits for an error.
                    (Ok(None), _) | (Err(_), Some(_)) => {}
                    (Err(error), None) => return Err(error),
                }
            }
        }
        reached = Some(cursor);
        if let Some(failure) = failure {
            return Err(failure);
        }
        if left == 0 {
            return Ok(());
        }
        notes.phase(phase, lag_entries);
    }
}

/// Prints events, and knows how many of them were taken.
struct Printer<'a> {
    session: &'a Session,
    reader: Reader,
    /// One event at a time, each when the one before was taken.
    paced: bool,
}

/// What became of a batch.
struct Printed {
    /// How many of the first events were written, and taken by the reader if that can be known.
    taken: usize,
    /// Why not all.
    failure: Option<Error>,
}

impl<'a> Printer<'a> {
    /// A printer to standard output; if a cursor is `kept`, one that lets no event pass that was not taken.
    fn new(session: &'a Session, kept: bool) -> Self {
        let reader = Reader::attach();
        let paced = kept && reader.is_pipe();
        if paced {
            reader.narrow();
        }
        Self { session, reader, paced }
    }

    async fn print(&self, events: &[Event]) -> Printed {
        let places: Vec<Place> = events.iter().map(|event| Place::of(&event.portfolio)).collect();
        let portfolios = places.iter().filter_map(|place| place.portfolio(""));
        self.session.learn_zones(portfolios).await;
        if !self.paced {
            let failure = print(&events.iter().map(|event| self.line(event)).collect::<String>()).err();
            return Printed { taken: if failure.is_none() { events.len() } else { 0 }, failure };
        }
        for (taken, event) in events.iter().enumerate() {
            if let Err(failure) = print(&self.line(event)) {
                return Printed { taken, failure: Some(failure) };
            }
            if !self.reader.taken().await {
                let failure = Some(Error::Output(ErrorKind::BrokenPipe.into()));
                return Printed { taken, failure };
            }
        }
        Printed { taken: events.len(), failure: None }
    }

    /// Says that a source was reset; the cursor is the one just after it.
    async fn print_reset(&self, notice: &SourceResetNotice, cursor: &str) -> Result<(), Error> {
        reset::say(notice, cursor, self.session.output())?;
        if self.paced && !self.reader.taken().await {
            return Err(Error::Output(ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    fn line(&self, event: &Event) -> String {
        let output = self.session.output();
        match output.format {
            Format::Table => event::line(event, &output.zones.zone(&Place::of(&event.portfolio), "")) + "\n",
            Format::Json | Format::Csv => json::line(&json::to_value(event)),
        }
    }
}

/// The cursor after the first `count` events of a selection after another cursor; an empty one stands for the
/// earliest event, and none for a place that is not known. So a place inside a batch is found: the id of an event
/// does not tell it, because after a reset an event may stand in the log twice.
async fn cursor_after(
    session: &Session,
    selection: &Selection,
    after: Option<&str>,
    count: usize,
) -> Result<Option<String>, Error> {
    let Some(after) = after else { return Ok(None) };
    let mut left = count;
    let mut request = ListEventsRequest {
        selection: Some(selection.clone()),
        after_cursor: after.to_owned(),
        ..ListEventsRequest::default()
    };
    while left > 0 {
        request.page_size = i32::try_from(left).unwrap_or(i32::MAX);
        let response = session
            .read(
                request.clone(),
                |client, request| async move { client.events().list_events(request).await },
            )
            .await?;
        left = left.saturating_sub(response.events.len());
        if left == 0 {
            return Ok(Some(response.cursor));
        }
        if response.next_page_token.is_empty() {
            return Ok(None);
        }
        request.after_cursor.clear();
        request.page_token = response.next_page_token;
    }
    Ok(None)
}

/// The notes about the stream that were printed on standard error.
#[derive(Debug, Default)]
struct Notes {
    interrupted: bool,
    live: bool,
}

impl Notes {
    /// Notes what a caller may not expect of a cursor file.
    fn file(path: &Path, found: Found, start_is_given: bool) {
        let path = path.display();
        match found {
            Found::Unknown => {
                note(&format!(
                    "{path} does not say for which selection its cursor was kept; it is this one's from now on"
                ));
            }
            Found::Changed => note(&format!("{path} is for this selection from now on")),
            Found::Nothing | Found::Same => {}
        }
        if found != Found::Nothing && start_is_given {
            note(&format!(
                "going on after the cursor in {path}; where else to start counts only without one"
            ));
        }
    }

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
