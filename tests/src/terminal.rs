//! Commands in a terminal of a given width, as people have them.
//!
//! Invariant: what comes back is every byte that was written to the terminal, escape codes among them; only the
//! carriage return that a terminal puts before a line feed is gone. Draws nothing: what escape codes do is not
//! known here.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::Command;

use crate::cli::Run;
use crate::wait::within;

const PATIENCE: Duration = Duration::from_secs(120);
const ROWS: u16 = 50;

/// What of a command is in the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Standard output; standard error is a pipe.
    Output,
    /// Both; both are in `out`.
    Everything,
}

/// Runs a command to its end in a terminal that shows colours and has this many columns.
///
/// # Panics
/// If it cannot be started, or takes minutes.
pub async fn run(mut command: Command, columns: u16, shown: Shown) -> Run {
    let (ours, theirs) = open(columns).expect("a pseudo-terminal");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "CI", "RUST_BACKTRACE", "RUST_LOG"]
    {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm-256color").stdin(Stdio::null()).kill_on_drop(true);
    command.stderr(match shown {
        Shown::Output => Stdio::piped(),
        Shown::Everything => Stdio::from(theirs.try_clone().expect("a terminal")),
    });
    command.stdout(Stdio::from(theirs));
    let what = format!("end of {:?}", command.as_std());
    let child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.as_std()));
    // The terminal ends when the last who has it open is gone; the command itself has it open.
    drop(command);
    let read = tokio::task::spawn_blocking(move || read(ours));
    let ended = within(PATIENCE, &what, child.wait_with_output()).await.expect("it can be waited for");
    let out = within(PATIENCE, &what, read).await.expect("the terminal is read");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: ended.status.code(), out: text(&out).replace("\r\n", "\n"), err: text(&ended.stderr) }
}

/// Our end, and the end of the command.
fn open(columns: u16) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let path = ptsname(&ours, Vec::new())?;
    let theirs = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetwinsize(&theirs, Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((ours, theirs))
}

/// All that is written; the system reports an error when nothing more can come.
fn read(ours: OwnedFd) -> Vec<u8> {
    let (mut terminal, mut all, mut part) = (File::from(ours), Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = terminal.read(&mut part) {
        all.extend_from_slice(&part[..length]);
    }
    all
}
