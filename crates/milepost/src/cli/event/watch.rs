//! `milepost event watch`: events as they are committed, through restarts and lost connections.
//!
//! Invariants: the kept cursor never passes an event, or the reset of a source, that was not handled. With `--count`, when
//! the reader goes away, and when a command fails, it is the one after the last event that was handled, also in the
//! middle of a batch. On standard error each state is said when it changes and not again.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use milepost_client::{Delivery, Phase, Selection, Start, WatchOptions, WatchState};

use super::Selecting;
use super::cursor_file::CursorFile;
use super::handler::Handler;
use super::start::From;
use crate::cli::read;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::pipe::Reader;
use crate::output::{Format, Output};

/// What the help says after the flags.
pub const AFTER_HELP: &str = "\
A line is printed for each event, or with --format json one object. If the connection is lost or the
server restarts, the watch goes on after the last event it printed, without gap and without
duplicate.

With --cursor-file the next run does so too: no event is lost, and after Ctrl-C or a crash those of
the last batch may come again. The cursor passes an event when its line was written to the file or
terminal, or, if standard output is a pipe, when its reader has taken the line out of the pipe, in
which there is one line at a time: `| head -1` prints one event more with each run. The file belongs
to one selection; with another one it is refused. Once it has a cursor, the flags that say where to
start do not count.

With --exec the watch prints nothing itself. For each event in turn the shell runs the command, with
the event on its standard input as a line of JSON, and with the environment variables
MILEPOST_EVENT_TYPE, MILEPOST_EVENT_ID and MILEPOST_EVENT_SUBJECT. The cursor passes an event only
when its command has exited with 0. The first one that does not ends the watch with exit code 1, and
so does Ctrl-C with 130: the next run begins with the same event, for which a command may so be run
more than once. --count counts events whose command succeeded.

If a source is restored to an older state, standard error says which of the events above are no
longer true; with --format json so does an object with the key \"sourceReset\" between the events,
but not with --exec.

Examples:
  milepost event watch --resource portfolios/western-science-city --type 'project.*' --count 3
  milepost event watch --filter 'event_date >= 2021-01-01' --count 1
  milepost event watch --type milestone.achieved --cursor-file achieved.cursor --count 2
  milepost event watch --tail 3 --count 3
  milepost event watch --type milestone.achieved --exec 'echo \"$MILEPOST_EVENT_SUBJECT\"' --count 2
  milepost event watch --exec 'cat >> events.json; wc -l events.json' --cursor-file c --count 2";

/// Which events to print, from where, and until when.
#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    selection: Selecting,
    /// Goes on after the cursor in this file if there is one, wherever else to start, and keeps the cursor of what was read there [default: keeps none]
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Goes on after the cursor in the file though it was kept for another selection; what only this one selects before it is not printed
    #[arg(long, requires = "cursor_file")]
    change_selection: bool,
    /// Runs this shell command for each event instead of printing it, and ends at the first that fails; --help says more [default: prints events]
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    /// Ends after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How long the server may be silent before it sends a sign of life, 100 ms to 10 min [default: 10s]
    #[arg(long, value_name = "SPAN", value_parser = read::duration)]
    checkpoint_interval: Option<Duration>,
    /// Gives up if the connection is lost for this long [default: never]
    #[arg(long, value_name = "SPAN", value_parser = read::duration)]
    patience: Option<Duration>,
}

/// Handles events until interrupted, until `--count`, or until the watch cannot go on.
///
/// # Errors
/// Why it cannot go on.
pub async fn run(args: WatchArgs, session: &Session) -> Result<(), Error> {
    if session.output().format == Format::Csv {
        return Err(Error::Usage("CSV is for lists; give --format json or table".to_owned()));
    }
    let selection = args.selection.selection();
    watch(args, &selection, session).await.map_err(|error| error.of_filter(&selection.filter))
}

async fn watch(args: WatchArgs, selection: &Selection, session: &Session) -> Result<(), Error> {
    let mut file = open(&args, selection, session.output())?;
    let start = args.from.start(session, selection, file.as_mut()).await?;
    let options = WatchOptions {
        checkpoint_interval: args.checkpoint_interval,
        patience: args.patience,
        ..WatchOptions::default()
    };
    let mut watch = session.client().watch(start.clone(), selection.clone(), options);
    let mut state = watch.state();
    let mut left = args.count.unwrap_or(u64::MAX);
    let (mut interrupted, mut live) = (false, false);
    let reader = args.exec.is_none().then(Reader::attach);
    if file.is_some() && reader.as_ref().is_some_and(Reader::is_socket) {
        return Err(Error::Usage(
            "standard output is a socket, of which it cannot be known what was read, so that no cursor can be kept; \
             add `| cat`, or give --exec"
                .to_owned(),
        ));
    }
    // One event at a time, each when the one before was taken.
    let paced = file.is_some() && reader.as_ref().is_some_and(Reader::narrow);
    let reached = if let Start::After(cursor) = start { cursor } else { String::new() };
    let mut handler =
        Handler { session, selection, command: args.exec, file, reached, handled: 0, reader, paced };
    loop {
        let delivery = tokio::select! {
            // What was received comes before what became of the connection since.
            biased;
            delivery = watch.next() => delivery,
            Ok(()) = state.changed() => {
                if let Some(note) = change(&state.borrow_and_update(), interrupted) {
                    interrupted = !interrupted;
                    session.output().note(&note);
                }
                continue;
            }
            () = handler.gone() => return Err(Error::Output(ErrorKind::BrokenPipe.into())),
        };
        match delivery.transpose()? {
            None => return Ok(()),
            Some(Delivery::Reset(reset)) => handler.reset(*reset).await?,
            Some(Delivery::Batch(batch)) => {
                for (index, event) in batch.events.iter().enumerate() {
                    let is_last = index + 1 == batch.events.len();
                    handler.event(event, is_last.then(|| batch.cursor.clone())).await?;
                    left -= 1;
                    if left == 0 {
                        return handler.settle().await;
                    }
                }
                handler.pass(batch.cursor)?;
                if batch.phase == Phase::Live && batch.lag_entries == 0 && !std::mem::replace(&mut live, true)
                {
                    let note = "the end of the log is reached; waiting for what happens (Ctrl-C ends)";
                    session.output().note(note);
                }
            }
        }
    }
}

/// The cursor file, if there is one; notes what may not be expected of it.
fn open(args: &WatchArgs, selection: &Selection, output: &Output) -> Result<Option<CursorFile>, Error> {
    let Some(path) = &args.cursor_file else { return Ok(None) };
    let (file, note) = CursorFile::open(path, selection, args.change_selection)?;
    note.iter().for_each(|note| output.note(note));
    if file.cursor().is_some() && args.from.is_given() {
        let path = path.display();
        output.note(&format!(
            "going on after the cursor in {path}; where else to start counts only without one"
        ));
    }
    Ok(Some(file))
}

/// What is to be said of the connection, if it was interrupted before or not.
fn change(state: &WatchState, interrupted: bool) -> Option<String> {
    match state {
        WatchState::Interrupted { reason, .. } if !interrupted => {
            Some(format!("interrupted ({reason}); connecting again"))
        }
        WatchState::Connected if interrupted => Some("connected again".to_owned()),
        _ => None,
    }
}
