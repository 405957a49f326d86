//! Prints events of a watch, and knows which of them were taken.
//!
//! Invariant: if a cursor is kept, an event counts as taken only once the reader of standard output has it: what is
//! written to a pipe is not read yet.

use std::io::ErrorKind;

use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::SourceResetNotice;

use crate::cli::session::Session;
use crate::error::Error;
use crate::output::pipe::Reader;
use crate::output::zone::portfolio_of;
use crate::output::{Format, event, json, print, reset};

/// Prints events, and knows how many of them were taken.
pub struct Printer<'a> {
    session: &'a Session,
    reader: Reader,
    /// One event at a time, each when the one before was taken.
    paced: bool,
}

/// What became of a batch.
pub struct Printed {
    /// How many of the first events were written, and taken by the reader if that can be known.
    pub taken: usize,
    /// Why not all.
    pub failure: Option<Error>,
}

impl<'a> Printer<'a> {
    /// A printer to standard output; if a cursor is `kept`, one that lets no event pass that was not taken.
    pub fn new(session: &'a Session, kept: bool) -> Self {
        let reader = Reader::attach();
        let paced = kept && reader.narrow();
        Self { session, reader, paced }
    }

    /// Prints them in their order, as far as they are taken.
    pub async fn print(&self, events: &[Event]) -> Printed {
        self.session.learn_zones(events.iter().filter_map(|event| portfolio_of(&event.portfolio))).await;
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
    ///
    /// # Errors
    /// If it cannot be written, or was not taken.
    pub async fn print_reset(&self, notice: &SourceResetNotice, cursor: &str) -> Result<(), Error> {
        let output = self.session.output();
        reset::print_json(notice, cursor, output.format)?;
        reset::note_text(notice, output);
        if self.paced && !self.reader.taken().await {
            return Err(Error::Output(ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    /// Waits until the reader goes away.
    pub async fn gone(&self) {
        self.reader.gone().await;
    }

    fn line(&self, event: &Event) -> String {
        let output = self.session.output();
        match output.format {
            Format::Table => event::line(event, &output.zones.zone(portfolio_of(&event.portfolio))) + "\n",
            _ => json::line(&json::to_value(event)),
        }
    }
}
