//! `milepost timeline`: the public timeline of a portfolio, as a list, and as files for a site: JSON Feed, iCalendar, and
//! one page of HTML.
//!
//! Invariant: an export holds what readers may see and nothing else, and is the same bytes as long as the timeline is the
//! same. Everything that people wrote is escaped as its format asks for.

mod html;
mod icalendar;
mod json_feed;
mod list;
#[cfg(test)]
mod tests;
pub mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::registry::v1::{GetPortfolioRequest, GetPortfolioResponse, Portfolio};
use milepost_proto::tracker::v1::{ListTimelineRequest, ListTimelineResponse, TimelineItem};
use milepost_service::value;
use milepost_types::language;

use crate::cli::name::full;
use crate::cli::rpc;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::{print, replace};
use crate::{reference, schema};

/// Entries of one page.
const PAGE: i32 = 1000;
/// Readings of a timeline of several pages that changes meanwhile.
const READINGS: usize = 5;

/// What an export may be.
pub const FORMATS: [&str; 3] = ["jsonfeed", "icalendar", "html"];

const AFTER_HELP: &str = "\
An export is one whole document on standard output, or in --output, which is replaced when the
document is complete: a job that runs at times can put it on a site. Calendars also hold what was
withdrawn, as cancelled and without its text.

Examples:
  milepost timeline list western-science-city --language en
  milepost timeline export western-science-city --format html --language en
  milepost timeline export western-science-city --format icalendar";

/// What to do with a timeline.
#[derive(Debug, Subcommand)]
#[command(after_long_help = AFTER_HELP)]
pub enum Verb {
    /// Lists the entries that readers see, in their order, with their figures
    List(What),
    /// Writes the entries that readers see as one document
    Export {
        #[command(flatten)]
        what: What,
        /// Where to write it; a file that is there is replaced [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which timeline, and in which language.
#[derive(Debug, Args)]
pub struct What {
    /// The portfolio, by its full name or by its id [default: that of --portfolio]
    #[arg(value_name = "PORTFOLIO")]
    portfolio: Option<String>,
    /// The BCP 47 tag of the language to read in, as in en or zh-CN [default: the portfolio's]
    #[arg(long, value_name = "TAG", value_parser = reference::language)]
    language: Option<String>,
}

/// A timeline as it is told: of which portfolio, in which language.
pub struct Timeline {
    portfolio: Portfolio,
    /// The language of what is written around the entries.
    language: String,
    /// In the order of the timeline.
    items: Vec<TimelineItem>,
}

impl Timeline {
    /// What the portfolio is called in the language, and which that is.
    fn title(&self) -> (&str, &str) {
        let own = (self.portfolio.display_name.as_str(), self.portfolio.language.as_str());
        language::in_language(&self.language, own, &self.portfolio.translations).unwrap_or(own)
    }

    /// The entries that readers see.
    fn visible(&self) -> impl DoubleEndedIterator<Item = &TimelineItem> {
        self.items.iter().filter(|item| !item.withdrawn)
    }

    /// When it last changed for readers, as far as what was withdrawn is among the items.
    fn last_change(&self) -> Option<Timestamp> {
        self.items.iter().filter_map(|item| instant(item.last_publish_time.as_ref())).max()
    }
}

/// Does what a verb says; `format` is that of an export.
///
/// # Errors
/// What the server refused, or why it could not be asked, or the file not be written.
pub async fn run(verb: Verb, format: Option<&str>, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::List(what) => list::run(&read(what, false, session).await?, session).await,
        Verb::Export { what, output } => {
            // Feeds neither say what was withdrawn nor when that was.
            let timeline = read(what, format != Some("jsonfeed"), session).await?;
            let document = match format {
                Some("icalendar") => icalendar::document(&timeline),
                Some("html") => html::document(&timeline),
                Some("jsonfeed") => json_feed::document(&timeline),
                _ => return Err(Error::Usage(format!("give --format: one of {}", FORMATS.join(", ")))),
            };
            match output {
                Some(path) => replace(&path, &document),
                None => print(&document),
            }
        }
    }
}

/// The whole timeline.
async fn read(what: What, show_withdrawn: bool, session: &Session) -> Result<Timeline, Error> {
    let of = schema::resource("portfolio").expect("the registry has portfolios");
    let given: Vec<String> = what.portfolio.into_iter().collect();
    let parent = full(of, &given, session.portfolio())?;
    let asked = GetPortfolioRequest { name: parent.clone(), ..Default::default() };
    let answer: GetPortfolioResponse = rpc::call(session, &asked).await?;
    let portfolio = answer.portfolio.unwrap_or_default();
    let language = what.language.unwrap_or_default();
    let asked = ListTimelineRequest {
        parent,
        page_size: PAGE,
        language: language.clone(),
        show_withdrawn,
        ..Default::default()
    };
    let items = one_cut(async |page_token| {
        let asked = ListTimelineRequest { page_token, ..asked.clone() };
        rpc::call(session, &asked).await
    })
    .await?;
    let language = [language, portfolio.language.clone()].into_iter().find(|tag| !tag.is_empty());
    Ok(Timeline { portfolio, language: language.unwrap_or_default(), items })
}

/// Every entry, as all of them are at one time: pages of different revisions are read again until nothing changed
/// between two readings.
async fn one_cut(
    page: impl AsyncFn(String) -> Result<ListTimelineResponse, Error>,
) -> Result<Vec<TimelineItem>, Error> {
    let mut before = None;
    for _ in 0..READINGS {
        let (mut items, mut revisions, mut token) = (Vec::new(), BTreeSet::new(), String::new());
        loop {
            let answer = page(token).await?;
            items.extend(answer.items);
            revisions.insert(answer.revision);
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        if revisions.len() == 1 || before.as_ref() == Some(&items) {
            return Ok(items);
        }
        before = Some(items);
    }
    Err(Error::State("the timeline changed each time while it was read; try again".to_owned()))
}

fn day(item: &TimelineItem) -> Option<Date> {
    item.date.and_then(|date| value::date(date).ok())
}

fn instant(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
}
