//! What a watch says beside its events, on standard error.
//!
//! Invariant: each is said when it changes and not again: a connection that stays lost is one note.

use std::path::Path;

use milepost_client::{Phase, WatchState};

use super::cursor_file::Found;
use crate::output::Output;

/// The notes about the stream that were printed on standard error.
#[derive(Debug)]
pub struct Notes<'a> {
    output: &'a Output,
    interrupted: bool,
    live: bool,
}

impl<'a> Notes<'a> {
    /// No notes yet.
    pub fn new(output: &'a Output) -> Self {
        Self { output, interrupted: false, live: false }
    }

    /// Notes what a caller may not expect of a cursor file.
    pub fn file(&self, path: &Path, found: Found, start_is_given: bool) {
        let path = path.display();
        match found {
            Found::Unknown => {
                self.output.note(&format!(
                    "{path} does not say for which selection its cursor was kept; it is this one's from now on"
                ));
            }
            Found::Changed => self.output.note(&format!("{path} is for this selection from now on")),
            Found::Nothing | Found::Same => {}
        }
        if found != Found::Nothing && start_is_given {
            self.output.note(&format!(
                "going on after the cursor in {path}; where else to start counts only without one"
            ));
        }
    }

    /// Notes what became of the connection.
    pub fn connection(&mut self, state: &WatchState) {
        match state {
            WatchState::Interrupted { reason, .. } if !self.interrupted => {
                self.interrupted = true;
                self.output.note(&format!("interrupted ({reason}); connecting again"));
            }
            WatchState::Connected if self.interrupted => {
                self.interrupted = false;
                self.output.note("connected again");
            }
            _ => {}
        }
    }

    /// Notes when the end of the log is reached first.
    pub fn phase(&mut self, phase: Phase, lag_entries: u64) {
        if phase == Phase::Live && lag_entries == 0 && !self.live {
            self.live = true;
            self.output.note("the end of the log is reached; waiting for what happens (Ctrl-C ends)");
        }
    }
}
