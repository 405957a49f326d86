//! The output for people and programs: tables and canonical proto3 JSON, on standard output.
//!
//! Invariant: standard output carries data only; everything else goes to standard error. Nothing is
//! coloured, and nothing is wrapped, unless standard output is a terminal. Which call is made, and what
//! of its answer is shown, is decided in `cli`.

mod batch;
pub mod card;
pub mod caret;
pub mod event;
pub mod json;
mod log;
mod milestone;
mod organization;
mod phase;
pub mod pipe;
mod portfolio;
pub mod progress;
mod project;
pub mod reset;
pub mod resource;
pub mod table;
pub mod text;
pub mod width;
pub mod zone;

use std::io::Write;

use anstream::{AutoStream, ColorChoice};

use crate::error::Error;
use card::Card;
use json::Described;
pub use log::log_info;
pub use milestone::advanced as milestone_date_advanced;
pub use milestone::current_date as milestone_current_date;
use resource::Resource;
use zone::{Place, Zones};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// Canonical proto3 JSON, for programs.
    Json,
}

/// Where answers are printed, and how.
#[derive(Debug, Clone)]
pub struct Output {
    /// How.
    pub format: Format,
    /// Columns of the terminal; `None`: no terminal, nothing is wrapped.
    pub columns: Option<u16>,
    /// Whether colours are shown.
    pub colour: bool,
    /// In which zones times are shown in tables.
    pub zones: Zones,
}

impl Output {
    /// Standard output, as what it is.
    pub fn stdout(format: Format, zones: Zones) -> Self {
        let colour = !matches!(AutoStream::choice(&std::io::stdout()), ColorChoice::Never);
        Self { format, columns: comfy_table::Table::new().width(), colour, zones }
    }

    /// Prints one resource: a card, or the response as JSON with what stands beside the resource in it.
    pub fn one<R: Resource>(&self, resource: &R, beside: (&str, &str)) -> Result<(), Error> {
        print(&self.one_text(resource, beside))
    }

    /// Prints several resources that are listed under a parent: a table, or one JSON object a line.
    pub fn many<R: Resource>(&self, resources: &[R], under: &str) -> Result<(), Error> {
        print(&self.many_text(resources, under))
    }

    /// Prints an answer that is no resource, and belongs to no portfolio: a card, or JSON.
    pub fn answer<M: Described>(&self, answer: &M, card: impl FnOnce(&M, Card) -> Card) -> Result<(), Error> {
        print(&match self.format {
            Format::Table => card(answer, Card::new(self.zones.zone(Place::Nowhere, ""))).render(self),
            Format::Json => json::pretty(&json::to_value(answer)),
        })
    }

    fn one_text<R: Resource>(&self, resource: &R, beside: (&str, &str)) -> String {
        match self.format {
            Format::Table => {
                let mut card = Card::new(self.zones.zone(resource.place(), ""));
                resource.card(&mut card);
                card.render(self)
            }
            Format::Json => json::pretty(&json::response(R::FIELD, json::to_value(resource), beside)),
        }
    }

    fn many_text<R: Resource>(&self, resources: &[R], under: &str) -> String {
        match self.format {
            Format::Table => {
                let row = |resource: &R| resource.row(under, &self.zones.zone(resource.place(), under));
                table::render(R::COLUMNS, resources.iter().map(row).collect(), self)
            }
            Format::Json => resources.iter().map(|resource| json::line(&json::to_value(resource))).collect(),
        }
    }
}

/// Writes text to standard output, and out of the process before anything else happens.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Says something beside the data, on standard error.
pub fn note(text: &str) {
    // If standard error is closed, the note is lost.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests;
