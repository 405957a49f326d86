//! The command line as far as it is typed, and the server that it is for.
//!
//! Invariant: what is typed is understood as it will be when it is run; a part that is not is left out. The environment,
//! contexts and the server are only asked where a name is completed, and until the deadline.

use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgMatches, FromArgMatches};
use clap_complete::CompletionCandidate;
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout_at};

use super::super::session::Session;
use super::super::{ClientArgs, Settings, definition, noun};
use super::names::Step;

/// How long a shell waits for the server: with the rest, less than a second.
const PATIENCE: Duration = Duration::from_millis(900);
/// How many candidates are of use.
const LIMIT: usize = 100;

/// The words before the one that is completed.
#[derive(Debug)]
pub struct Line {
    matches: ArgMatches,
    deadline: Instant,
}

impl Line {
    /// The line of these words; the first is the name of the program.
    pub fn new(words: &[OsString]) -> Self {
        let matches = definition().ignore_errors(true).try_get_matches_from(words).unwrap_or_default();
        Self { matches, deadline: Instant::now() + PATIENCE }
    }

    /// The commands on it, from the left, each with what stands after it.
    fn levels(&self) -> impl Iterator<Item = (&str, &ArgMatches)> {
        std::iter::successors(Some(("", &self.matches)), |(_, matches)| matches.subcommand())
    }

    /// The names of the commands on it: `project`, `get`.
    pub fn path(&self) -> Vec<&str> {
        self.levels().skip(1).map(|(name, _)| name).collect()
    }

    /// The pieces of the name that a verb is given.
    pub fn pieces(&self) -> Vec<String> {
        self.levels().last().map(|(_, matches)| noun::pieces(matches)).unwrap_or_default()
    }

    /// The flags of the client on it, the last one of each.
    fn client(&self) -> ClientArgs {
        let of = |matches: &ArgMatches| ClientArgs {
            context: matches.try_get_one("context").ok().flatten().cloned(),
            settings: match matches.try_contains_id("endpoint") {
                Ok(_) => Settings::from_arg_matches(matches).unwrap_or_default(),
                Err(_) => Settings::default(),
            },
        };
        self.levels().fold(ClientArgs::default(), |before, (_, matches)| of(matches).over(before))
    }

    /// What the server has to offer for a word, by the steps that the session's defaults lead to.
    pub fn ask(&self, word: &str, steps: impl FnOnce(&Session) -> Vec<Step>) -> Vec<CompletionCandidate> {
        let mut found = Vec::new();
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return found };
        let all = async {
            let session = self.client().session().ok()?;
            for step in steps(&session) {
                found
                    .extend(step.candidates(&session, word, LIMIT - found.len()).await.into_iter().flatten());
            }
            Some(())
        };
        let _ = runtime.block_on(async { timeout_at(self.deadline, all).await });
        // What still waits, for an address say, does not keep the process.
        runtime.shutdown_background();
        // Across parents, the same id is found more than once.
        let mut seen = HashSet::new();
        found.retain(|candidate: &CompletionCandidate| seen.insert(candidate.get_value().to_owned()));
        found
    }
}
