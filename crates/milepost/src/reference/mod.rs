//! `milepost portfolio report`: the reference page of a portfolio, drawn in the terminal and as one file of HTML.
//!
//! Invariants: it only reads, and only through the public API. What is drawn is a function of a [`view::View`] and of
//! nothing else. What was declared and what is registered are never mixed, and nothing absent looks like zero.

mod bins;
mod html;
mod network;
mod phrases;
mod read;
mod terminal;
#[cfg(test)]
mod tests;
mod view;
mod words;

use std::path::PathBuf;

pub use words::Words;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use jiff::civil::Date;
use milepost_types::{LanguageTag, written};

use crate::cli::name;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::{Format, print, replace};
use crate::schema;

/// The noun whose verb it is, and the verb.
pub const NOUN: &str = "portfolio";
pub const VERB: &str = "report";

const AFTER_HELP: &str = "\
Examples:
  milepost portfolio report western-science-city
  milepost portfolio report western-science-city --date 2021-06-30 --year 2021 --language zh
  milepost portfolio report western-science-city --language en --html report.html";

/// Draws the portfolio: lists, starts, rates, campaigns, lights, orders, networks, indicators, templates and the timeline
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The portfolio, by its full name or by its id
    #[arg(value_name = "PORTFOLIO", num_args(1..))]
    name: Vec<String>,
    /// The day that it is of, as in 2021-06-30 [default: today in the portfolio]
    #[arg(long, value_name = "DATE", value_parser = day)]
    date: Option<Date>,
    /// The year of the rates, as in 2021 [default: that of the date]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1900..=2200))]
    year: Option<i32>,
    /// The BCP 47 tag of the language to read in, as in en or zh-CN; words around the data are Chinese or English [default: the portfolio's]
    #[arg(long, value_name = "TAG", value_parser = language)]
    language: Option<String>,
    /// Also writes it to this file as one page of HTML, which is replaced when it is complete; `-` writes that page to standard output in place of the drawing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

fn day(text: &str) -> Result<Date, String> {
    written::date(text).map_err(|error| error.to_string())
}

/// Reads the tag of a language.
///
/// # Errors
/// If it is none, for people.
pub fn language(text: &str) -> Result<String, String> {
    text.parse::<LanguageTag>().map(|tag| tag.to_string()).map_err(|error| error.to_string())
}

/// The command, without the flags of the client.
pub fn command() -> Command {
    ReportArgs::augment_args(Command::new(VERB)).after_long_help(AFTER_HELP)
}

/// Draws the page.
///
/// # Errors
/// What the server refused, or why it could not be asked, or the file not be written.
pub async fn run(matches: &ArgMatches, session: &Session) -> Result<(), Error> {
    let args = ReportArgs::from_arg_matches(matches).map_err(|error| Error::Usage(error.to_string()))?;
    let output = session.output();
    let is_drawn = output.format == Format::Table;
    if !is_drawn && args.html.is_none() {
        return Err(Error::Usage(
            "a report is drawn for people; programs list what is in it with --format json, as with `milepost project \
             list`, or give --html FILE"
                .to_owned(),
        ));
    }
    let portfolio = schema::resource(NOUN).expect("the registry has portfolios");
    let name = name::full(portfolio, &args.name, session.portfolio())?;
    let view = read::read(session, &name, &args).await?;
    let page = || html::document(&view);
    match &args.html {
        Some(path) if path.as_os_str() == "-" => return print(&page()),
        Some(path) => replace(path, &page())?,
        None => {}
    }
    if is_drawn {
        print(&terminal::draw(&view, output.columns.unwrap_or(terminal::COLUMNS), output.colour))?;
    }
    Ok(())
}
