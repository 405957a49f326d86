//! A command that is run for each event.
//!
//! Invariants: one command runs at a time; an event counts as handled only if its command was waited for and exited
//! with 0. Nothing but the command itself writes to standard output. A command is not ended by this program: Ctrl-C
//! reaches it from the terminal, and what was killed with this program is run again.

use std::process::{ExitStatus, Stdio};

use milepost_proto::event::v1::Event;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::error::Error;
use crate::output::json;

/// A command for `sh -c`.
#[derive(Debug)]
pub struct Exec {
    command: String,
}

impl Exec {
    /// The command, as the shell reads it.
    pub fn new(command: String) -> Self {
        Self { command }
    }

    /// Runs it for an event, which is a line of JSON on its standard input, and waits for its end.
    ///
    /// # Errors
    /// If it cannot be started, or does not exit with 0.
    pub async fn run(&self, event: &Event) -> Result<(), Error> {
        match self.status(event).await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(event, outcome(status))),
            Err(error) => Err(self.failed(event, format!("could not be run ({error})"))),
        }
    }

    async fn status(&self, event: &Event) -> std::io::Result<ExitStatus> {
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .env("MILEPOST_EVENT_TYPE", &event.r#type)
            .env("MILEPOST_EVENT_ID", &event.event_id)
            .env("MILEPOST_EVENT_SUBJECT", &event.subject)
            .stdin(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let line = json::line(&json::to_value(event));
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command need not read all of it, or any.
                let _ = stdin.write_all(line.as_bytes()).await;
            }
            std::future::pending().await
        };
        tokio::select! {
            // Its end ends the feeding: something that it left running may hold the pipe open.
            status = child.wait() => status,
            never = feed => never,
        }
    }

    fn failed(&self, event: &Event, outcome: String) -> Error {
        let (event_id, command) = (&event.event_id, &self.command);
        Error::Other(format!("the command for the event {event_id} {outcome}: {command}").into())
    }
}

/// `ended with exit status 3`, `was ended by signal 9`.
fn outcome(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended without an exit status".to_owned(),
    }
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
        Exec::new(command.to_owned()).run(event).await.map_err(|error| {
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
        assert!(failure.contains("was ended by signal 9"), "{failure}");
        let failure = run("no-such-command-here 2> /dev/null", &event(0)).await.unwrap_err();
        assert!(failure.contains("exit status 127"), "{failure}");
    }
}
