//! What people and programs read: tables and canonical proto3 JSON, on standard output.
//!
//! Invariant: standard output carries data only; everything else goes to standard error. Nothing is
//! coloured, and nothing is wrapped, unless standard output is a terminal. Which call is made, and what
//! of its answer is shown, is decided in `cli`.

mod batch;
pub mod card;
pub mod event;
pub mod json;
mod log;
mod milestone;
mod organization;
mod phase;
mod portfolio;
pub mod progress;
mod project;
pub mod resource;
pub mod table;
pub mod text;
pub mod width;

use std::io::Write;

use anstream::{AutoStream, ColorChoice};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::Error;
use card::Card;
use json::Described;
pub use log::log_info;
pub use milestone::advanced as milestone_date_advanced;
use resource::Resource;

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
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// How.
    pub format: Format,
    /// Columns of the terminal; `None`: no terminal, nothing is wrapped.
    pub columns: Option<u16>,
    /// Whether colours are shown.
    pub colour: bool,
}

impl Output {
    /// Standard output, as what it is.
    pub fn stdout(format: Format) -> Self {
        let colour = !matches!(AutoStream::choice(&std::io::stdout()), ColorChoice::Never);
        Self { format, columns: comfy_table::Table::new().width(), colour }
    }

    /// Prints one resource: a card, or the response as JSON with what stands beside the resource in it.
    pub fn one<R: Resource>(&self, resource: &R, beside: (&str, &str)) -> Result<(), Error> {
        print(&self.one_text(resource, beside))
    }

    /// Prints several resources that are listed under a parent: a table, or one JSON object a line.
    pub fn many<R: Resource>(&self, resources: &[R], under: &str) -> Result<(), Error> {
        print(&self.many_text(resources, under))
    }

    /// Prints an answer that is no resource: a card, or JSON.
    pub fn answer<M: Described>(&self, answer: &M, card: impl FnOnce(&M) -> Card) -> Result<(), Error> {
        print(&match self.format {
            Format::Table => card(answer).render(self),
            Format::Json => json::pretty(&json::to_value(answer)),
        })
    }

    fn one_text<R: Resource>(&self, resource: &R, beside: (&str, &str)) -> String {
        match self.format {
            Format::Table => {
                let mut card = Card::new();
                resource.card(&mut card);
                card.render(self)
            }
            Format::Json => json::pretty(&json::response(R::FIELD, json::to_value(resource), beside)),
        }
    }

    fn many_text<R: Resource>(&self, resources: &[R], under: &str) -> String {
        match self.format {
            Format::Table => table::render(
                R::COLUMNS,
                resources.iter().map(|resource| resource.row(under)).collect(),
                self,
            ),
            Format::Json => resources.iter().map(|resource| json::line(&json::to_value(resource))).collect(),
        }
    }
}

/// Writes text to standard output, and out of the process before anything else happens.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Waits until whoever reads standard output goes away. For ever where the system does not tell.
///
/// Only writing tells otherwise, and a quiet watch does not write.
#[allow(
    deprecated,
    reason = "what it was deprecated for needs unsafe; standard output stays open, as that asks for"
)]
pub async fn closed() {
    // Files have no readers to go away: registering them fails.
    if let Ok(stdout) = AsyncFd::with_interest(std::io::stdout(), Interest::ERROR)
        && stdout.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Says something beside the data, on standard error.
pub fn note(text: &str) {
    // There is nobody left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests;
