//! The command line, run to its end.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::binary;
use crate::wait::within;

const PATIENCE: Duration = Duration::from_secs(120);

/// The variable that says where contexts are.
pub const CONTEXTS: &str = "MILEPOST_CONTEXTS";

/// What a run of the program came to.
#[derive(Debug, Clone)]
pub struct Run {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Run {
    /// The run, which succeeded.
    ///
    /// # Panics
    /// If it did not.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "it failed:\n{}{}", self.out, self.err);
        self
    }

    /// The run, which failed as a program should: an exit code, a message, no panic.
    ///
    /// # Panics
    /// If it succeeded, was ended by a signal or panicked.
    pub fn failed(self) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "it did not fail: {self:?}");
        assert!(!self.err.is_empty(), "it failed in silence: {self:?}");
        assert_no_panic(&self.err);
        self
    }
}

/// That nothing in a log or a message is a panic or its backtrace.
///
/// # Panics
/// If there is one.
pub fn assert_no_panic(text: &str) {
    for sign in ["panicked at", "panic:", "stack backtrace", "RUST_BACKTRACE"] {
        assert!(!text.contains(sign), "a panic shows:\n{text}");
    }
}

/// Runs `milepost` with these arguments, to its end.
///
/// # Panics
/// If it takes minutes.
pub async fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(binary::milepost());
    command.args(arguments);
    run_command(command).await
}

/// Runs a command to its end. Unless it names a file of contexts, there are none: not those of who runs the tests.
///
/// # Panics
/// If it cannot be started, or takes minutes.
pub async fn run_command(mut command: Command) -> Run {
    if !command.as_std().get_envs().any(|(name, _)| name == CONTEXTS) {
        command.env(CONTEXTS, std::env::temp_dir().join("milepost-tests/no-contexts.toml"));
    }
    command.env_remove("RUST_BACKTRACE").env_remove("RUST_LOG").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let what = format!("end of {:?}", command.as_std());
    let child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.as_std()));
    let Output { status, stdout, stderr } =
        within(PATIENCE, what, child.wait_with_output()).await.expect("it can be waited for");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: status.code(), out: text(stdout), err: text(stderr) }
}
