//! What a watch does with each event: prints it, or runs a command for it, and keeps how far it has come.
//!
//! Invariants: the kept cursor passes an event only once its command was waited for and exited with 0, or once the reader
//! of standard output has it: what is written to a pipe is not read yet. Inside a batch, where no cursor was answered, it
//! is found by listing, never by the id of an event: after a reset an event may stand in the log twice. One command runs
//! at a time, and then nothing but commands writes to standard output. A command is not ended by this program: Ctrl-C
//! reaches it from the terminal, and what was killed with this program is run again.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};

use milepost_client::{Reset, Selection};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::ListEventsRequest;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::cursor_file::CursorFile;
use super::follow;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::pipe::Reader;
use crate::output::zone::portfolio_of;
use crate::output::{Format, event, json, print, reset};

/// What is done with events.
pub(super) struct Handler<'a> {
    pub session: &'a Session,
    pub selection: &'a Selection,
    /// The command of the shell that is run for each; without one, they are printed.
    pub command: Option<String>,
    /// Where cursors are kept.
    pub file: Option<CursorFile>,
    /// The last cursor; empty: the earliest event.
    pub reached: String,
    /// How many events after it were handled.
    pub handled: u64,
    /// Whoever reads what is printed.
    pub reader: Option<Reader>,
    /// Whether the cursor waits for that reader.
    pub paced: bool,
}

impl Handler<'_> {
    /// Handles an event; `cursor` is the one after it, if it is known.
    pub(super) async fn event(&mut self, event: &Event, cursor: Option<String>) -> Result<(), Error> {
        let after = match cursor {
            // Before the command: what succeeded is not to be run again because the server was lost meanwhile.
            None if self.command.is_some() => self.cursor_after(self.handled + 1).await?,
            cursor => cursor,
        };
        let done = match &self.command {
            Some(command) => run(command, event).await,
            None => self.print(event).await,
        };
        if done.is_err() {
            // If the place before it cannot be learnt, events come again.
            let _ = self.settle().await;
            return done;
        }
        self.handled += 1;
        after.map_or(Ok(()), |cursor| self.pass(cursor))
    }

    /// Says that a source was reset.
    pub(super) async fn reset(&mut self, reset: Reset) -> Result<(), Error> {
        let output = self.session.output();
        if self.command.is_none() {
            reset::print_json(&reset.notice, &reset.cursor, output.format)?;
        }
        reset::note_text(&reset.notice, output);
        self.taken().await?;
        self.pass(reset.cursor)
    }

    /// Everything up to this cursor was handled.
    pub(super) fn pass(&mut self, cursor: String) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            file.keep(&cursor)?;
        }
        (self.reached, self.handled) = (cursor, 0);
        Ok(())
    }

    /// Passes the events that were handled since the last cursor.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        let cursor = self.cursor_after(self.handled).await?;
        cursor.map_or(Ok(()), |cursor| self.pass(cursor))
    }

    /// Waits until the reader of what is printed goes away. With commands, standard output is theirs, and this never ends.
    pub(super) async fn gone(&self) {
        match &self.reader {
            Some(reader) => reader.gone().await,
            None => std::future::pending().await,
        }
    }

    /// The cursor so many events after the last one, if it is another one and is to be kept.
    async fn cursor_after(&self, count: u64) -> Result<Option<String>, Error> {
        if self.file.is_none() || count == 0 {
            return Ok(None);
        }
        let request = ListEventsRequest {
            selection: Some(self.selection.clone()),
            after_cursor: self.reached.clone(),
            ..ListEventsRequest::default()
        };
        let (cursor, listed) = follow(self.session, request, count).await?;
        Ok((listed == count).then_some(cursor))
    }

    async fn print(&self, event: &Event) -> Result<(), Error> {
        let output = self.session.output();
        if output.format == Format::Json {
            print(&json::line(&json::to_value(event)))?;
        } else {
            let portfolio = portfolio_of(&event.portfolio);
            self.session.learn_zones(portfolio).await;
            print(&(event::line(event, &output.zones.zone(portfolio)) + "\n"))?;
        }
        self.taken().await
    }

    /// Waits until the reader has what was printed, if a cursor is to pass it.
    async fn taken(&self) -> Result<(), Error> {
        match &self.reader {
            Some(pipe) if self.paced && !pipe.taken().await => {
                Err(Error::Output(ErrorKind::BrokenPipe.into()))
            }
            _ => Ok(()),
        }
    }
}

/// Runs a command for an event, and waits for its end.
async fn run(command: &str, event: &Event) -> Result<(), Error> {
    let outcome = match status(command, event).await {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => match status.code() {
            Some(code) => format!("ended with exit status {code}"),
            None => format!("was ended by {status}"),
        },
        Err(error) => format!("could not be run ({error})"),
    };
    Err(Error::Other(format!("the command for the event {} {outcome}: {command}", event.event_id).into()))
}

async fn status(command: &str, event: &Event) -> std::io::Result<ExitStatus> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("MILEPOST_EVENT_TYPE", &event.r#type)
        .env("MILEPOST_EVENT_ID", &event.event_id)
        .env("MILEPOST_EVENT_SUBJECT", &event.subject)
        .stdin(Stdio::piped())
        .spawn()?;
    let line = json::line(&json::to_value(event));
    let stdin = child.stdin.take();
    let feed = tokio::spawn(async move {
        // A command need not read all of it, or any.
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(line.as_bytes()).await;
        }
    });
    let status = child.wait().await;
    // Something that the command left running may hold the pipe open.
    feed.abort();
    status
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn event(remark: usize) -> Event {
        Event {
            event_id: "0198/12/0".into(),
            r#type: "milepost.milestone.achieved".into(),
            subject: "portfolios/科学城".into(),
            request_id: "x".repeat(remark),
            ..Event::default()
        }
    }

    async fn run(command: &str, event: &Event) -> Result<(), String> {
        super::run(command, event).await.map_err(|error| {
            assert_eq!(error.exit_code(), 1);
            error.to_string()
        })
    }

    fn quoted(path: &Path) -> String {
        format!("'{}'", path.display())
    }

    #[tokio::test]
    async fn a_command_gets_the_event_as_one_line_and_its_names_in_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let (line, names) = (dir.path().join("line"), dir.path().join("names"));
        let command = format!(
            "cat > {}; echo \"$MILEPOST_EVENT_TYPE $MILEPOST_EVENT_ID $MILEPOST_EVENT_SUBJECT\" > {}",
            quoted(&line),
            quoted(&names)
        );
        // More than a pipe holds.
        let event = event(1 << 20);
        assert_eq!(run(&command, &event).await, Ok(()));
        let line = std::fs::read_to_string(line).unwrap();
        assert_eq!(line, json::line(&json::to_value(&event)));
        let names = std::fs::read_to_string(names).unwrap();
        assert_eq!(names, "milepost.milestone.achieved 0198/12/0 portfolios/科学城\n");
    }

    #[tokio::test]
    async fn a_command_that_does_not_read_its_input_succeeds_also_if_something_else_keeps_it_open() {
        assert_eq!(run("true", &event(0)).await, Ok(()));
        assert_eq!(run("exec 0<&-; exit 0", &event(1 << 20)).await, Ok(()));
        let begun = std::time::Instant::now();
        assert_eq!(run("sleep 600 & echo $! > /dev/null; kill $!", &event(1 << 20)).await, Ok(()));
        assert!(begun.elapsed() < std::time::Duration::from_secs(300));
    }

    #[tokio::test]
    async fn a_failure_names_the_event_the_command_and_how_it_ended() {
        let failure = run("exit 3", &event(0)).await.unwrap_err();
        for part in ["0198/12/0", "exit 3", "ended with exit status 3"] {
            assert!(failure.contains(part), "{failure}");
        }
        let failure = run("kill -9 $$", &event(0)).await.unwrap_err();
        assert!(failure.contains("was ended by signal: 9"), "{failure}");
        let failure = run("no-such-command-here 2> /dev/null", &event(0)).await.unwrap_err();
        assert!(failure.contains("exit status 127"), "{failure}");
    }
}
