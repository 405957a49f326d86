//! `milepost event watch`: events as they are committed, through restarts and lost connections.
//!
//! Invariant: the kept cursor never passes an event, or the reset of a source, that was not handled: that the reader of
//! standard output has not taken (what is written to a pipe is not read yet), or whose command did not succeed. With
//! `--count`, when the reader goes away, and when a command fails, the kept cursor is the one after the last event that
//! was handled, also in the middle of a batch.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use milepost_client::{Batch, Delivery, Reset, Start, WatchOptions};
use milepost_proto::event::v1::Event;

use super::Selecting;
use super::cursor_file::CursorFile;
use super::exec::Exec;
use super::notes::Notes;
use super::place::Progress;
use super::printer::{Printed, Printer};
use super::start::From;
use crate::cli::session::Session;
use crate::cli::value;
use crate::error::Error;
use crate::output::{Format, reset};

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
file belongs to one selection; with another one it is refused. Once it has a cursor, the flags that
say where to start do not count.

With --exec the watch prints nothing itself. For each event in turn the shell runs the command, with
the event on its standard input as --format json prints it, in one line, and with the environment
variables MILEPOST_EVENT_TYPE, MILEPOST_EVENT_ID and MILEPOST_EVENT_SUBJECT; what the command prints
passes through. The cursor in the file passes an event only when its command has exited with 0. The
first one that does not ends the watch with exit code 1, and so does Ctrl-C with 130: the next run
begins with the same event. A command may so be run more than once for an event, and should stand
that. --count counts events whose command succeeded.

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
    #[arg(long, value_name = "SPAN", value_parser = value::duration)]
    checkpoint_interval: Option<Duration>,
    /// Gives up if the connection is lost for this long [default: never]
    #[arg(long, value_name = "SPAN", value_parser = value::duration)]
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
    let mut notes = Notes::new(session.output());
    let mut file = match &args.cursor_file {
        Some(path) => {
            let (file, found) = CursorFile::open(path, &selection, args.change_selection)?;
            notes.file(path, found, args.from.is_given());
            Some(file)
        }
        None => None,
    };
    let of_filter = |error: Error| error.of_filter(&selection.filter);
    let start = match (file.as_mut(), args.exec.is_some()) {
        (None, _) => args.from.start(session, &selection, false).await.map_err(of_filter)?,
        (Some(file), exec) => {
            first_start(args.from, session, &selection, file, exec).await.map_err(of_filter)?
        }
    };
    let options = WatchOptions {
        checkpoint_interval: args.checkpoint_interval,
        patience: args.patience,
        ..WatchOptions::default()
    };
    let mut watch = session.client().watch(start.clone(), selection.clone(), options);
    let mut state = watch.state();
    let mut left = args.count.unwrap_or(u64::MAX);
    let handler = Handler::new(args.exec, session, file.is_some());
    let mut progress = Progress::new(session, &selection, file, start);
    loop {
        let delivery = tokio::select! {
            // What was received comes before what became of the connection since.
            biased;
            delivery = watch.next() => delivery,
            Ok(()) = state.changed() => {
                notes.connection(&state.borrow_and_update());
                continue;
            }
            () = handler.gone() => return Err(Error::Output(ErrorKind::BrokenPipe.into())),
        };
        let Some(delivery) = delivery else { return Ok(()) };
        let mut batch = match delivery.map_err(|error| of_filter(error.into()))? {
            Delivery::Batch(batch) => batch,
            Delivery::Reset(reset) => {
                handler.reset(&reset, session).await?;
                progress.pass(reset.cursor)?;
                continue;
            }
        };
        let cut = usize::try_from(left).is_ok_and(|left| left < batch.events.len());
        if cut {
            batch.events.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        left -= batch.events.len() as u64;
        let Batch { events, cursor, phase, lag_entries } = batch;
        // The batch's cursor is after events that were cut off.
        let cursor = Some(cursor).filter(|_| !cut);
        match &handler {
            Handler::Print(printer) => print(printer, &events, cursor, &mut progress).await?,
            Handler::Exec(exec) => run_each(exec, &events, cursor, &mut progress).await?,
        }
        if left == 0 {
            return Ok(());
        }
        notes.phase(phase, lag_entries);
    }
}

/// The start of a watch whose cursors are kept: after the one that the file has, else where the flags say. One that was
/// looked up is kept at once: another run would not find it again.
async fn first_start(
    from: From,
    session: &Session,
    selection: &milepost_client::Selection,
    file: &mut CursorFile,
    exec: bool,
) -> Result<Start, Error> {
    if let Some(cursor) = file.cursor() {
        return Ok(Start::After(cursor.to_owned()));
    }
    let given = from.cursor().is_some();
    let start = from.start(session, selection, exec).await?;
    if let (Start::After(cursor), false) = (&start, given) {
        file.keep(cursor)?;
    }
    Ok(start)
}

/// What becomes of each event.
enum Handler<'a> {
    Print(Printer<'a>),
    Exec(Exec),
}

impl<'a> Handler<'a> {
    fn new(exec: Option<String>, session: &'a Session, kept: bool) -> Self {
        match exec {
            Some(command) => Handler::Exec(Exec::new(command)),
            None => Handler::Print(Printer::new(session, kept)),
        }
    }

    async fn reset(&self, reset: &Reset, session: &Session) -> Result<(), Error> {
        match self {
            Handler::Print(printer) => printer.print_reset(&reset.notice, &reset.cursor).await,
            Handler::Exec(_) => {
                reset::note_text(&reset.notice, session.output());
                Ok(())
            }
        }
    }

    /// Waits until nothing that is printed is read any more. Standard output is the commands' own if there are any.
    async fn gone(&self) {
        match self {
            Handler::Print(printer) => printer.gone().await,
            Handler::Exec(_) => std::future::pending().await,
        }
    }
}

/// Prints events; the cursor is the one after all of them, if it is known.
async fn print(
    printer: &Printer<'_>,
    events: &[Event],
    cursor: Option<String>,
    progress: &mut Progress<'_>,
) -> Result<(), Error> {
    let Printed { taken, failure } = printer.print(events).await;
    match cursor {
        Some(cursor) if taken == events.len() => progress.pass(cursor)?,
        _ if taken > 0 && progress.is_kept() => match (progress.cursor_after(taken).await, &failure) {
            (Ok(Some(cursor)), _) => progress.pass(cursor)?,
            // Events come again. If the reader went away, there is no one to show an error to.
            (Ok(None), _) | (Err(_), Some(_)) => {}
            (Err(error), None) => return Err(error),
        },
        _ => {}
    }
    failure.map_or(Ok(()), Err)
}

/// Runs a command for each event; the cursor is the one after all of them, if it is known.
async fn run_each(
    exec: &Exec,
    events: &[Event],
    mut cursor: Option<String>,
    progress: &mut Progress<'_>,
) -> Result<(), Error> {
    for (index, event) in events.iter().enumerate() {
        let mut after = if index + 1 == events.len() { cursor.take() } else { None };
        if after.is_none() && progress.is_kept() {
            // Before the command: what succeeded is not to be run again because the server was lost meanwhile.
            after = progress.cursor_after(1).await?;
        }
        exec.run(event).await?;
        after.map_or(Ok(()), |after| progress.pass(after))?;
    }
    // A batch without events.
    cursor.map_or(Ok(()), |cursor| progress.pass(cursor))
}

#[cfg(test)]
mod tests {
    use milepost_client::Selection;

    use super::*;

    #[tokio::test]
    async fn the_kept_cursor_comes_before_every_other_start_and_a_given_one_is_not_kept_unproved() {
        // Nothing listens there: none of these asks.
        let session = Session::unreachable(Duration::from_secs(1));
        let dir = tempfile::tempdir().unwrap();
        let selection = Selection::default();
        let mut file = CursorFile::open(&dir.path().join("c"), &selection, false).unwrap().0;
        let start = async |from, file: &mut CursorFile| {
            first_start(from, &session, &selection, file, true).await.unwrap()
        };
        assert_eq!(start(From::after("a"), &mut file).await, Start::After("a".into()));
        assert_eq!(start(From::default(), &mut file).await, Start::Earliest);
        assert_eq!(file.cursor(), None);
        file.keep("kept").unwrap();
        for from in [From::after("a"), From::default(), From::tail(3)] {
            assert_eq!(start(from, &mut file).await, Start::After("kept".into()));
        }
    }
}
