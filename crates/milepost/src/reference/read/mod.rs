//! Reads the page through the public API, list by list and page by page.
//!
//! Invariant: of what may be many, projects and milestones, only counts, days and titles are kept; of warnings no more are
//! read than are drawn, and counted up to a bound. A terminal sees how far it has come.

mod campaigns;
mod collections;
mod indicators;
mod lists;
mod orders;
mod projects;
mod templates;
mod timeline;
mod warnings;

use std::collections::{BTreeMap, HashMap};

use indicatif::ProgressBar;
use jiff::civil::Date;
use milepost_proto::figure::v1::Figure as FigureMessage;
use milepost_proto::google::r#type as google;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::{GetPortfolioRequest, GetPortfolioResponse, Portfolio};
use milepost_proto::rule::AccessRequest;
use milepost_types::language;
use prost::Message;
use tonic::Code;

use super::ReportArgs;
use super::phrases::NAMED;
use super::view::{Amount, Figure, Missing, View};
use super::words::Words;
use crate::cli::rpc;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::value::civil_date;
use crate::output::{progress, text};

/// Resources on a page: as many as servers answer.
const PAGE: i32 = 1000;
/// Further titles of a portfolio that are shown.
const TITLES: usize = 3;

/// What reads.
struct Reader<'a> {
    session: &'a Session,
    bar: ProgressBar,
    /// The portfolio.
    name: String,
    /// The language that titles are wanted in, and the one that they are written in.
    language: String,
    written: String,
    /// The day that the page is of, and whether that is today.
    date: Date,
    is_today: bool,
    /// What projects are called, by their names.
    titles: HashMap<String, String>,
}

/// Everything that the page shows.
///
/// # Errors
/// What the server refused, or why it could not be asked; or that the day is still to come.
pub async fn read(session: &Session, name: &str, args: &ReportArgs) -> Result<View, Error> {
    let request = GetPortfolioRequest { name: name.to_owned(), ..GetPortfolioRequest::default() };
    let answer: GetPortfolioResponse = rpc::call(session, &request).await?;
    let portfolio = answer.portfolio.unwrap_or_default();
    let today = civil_date(portfolio.current_date).unwrap_or(Date::MIN);
    let date = args.date.unwrap_or(today);
    if date > today {
        return Err(Error::Usage(format!("--date {date} is still to come: in {name} it is {today}")));
    }
    let language = args.language.clone().unwrap_or_else(|| portfolio.language.clone());
    let mut reader = Reader {
        session,
        bar: progress::spinner("reading"),
        name: name.to_owned(),
        language,
        written: portfolio.language.clone(),
        date,
        is_today: date == today,
        titles: HashMap::new(),
    };
    let view = reader.view(&portfolio, args.year).await;
    reader.bar.finish_and_clear();
    view
}

impl Reader<'_> {
    async fn view(&mut self, portfolio: &Portfolio, year: Option<i32>) -> Result<View, Error> {
        let year = year.unwrap_or(self.date.year().into());
        let (projects, starts) = self.projects().await?;
        let milestones = self.milestones().await?;
        let batches = self.batches().await?;
        let lists = self.lists().await?;
        let rates = self.rates(year).await?;
        let collections = self.collections().await?;
        let indicators = self.indicators().await?;
        let campaigns = self.campaigns().await?;
        let warnings = self.warnings().await?;
        let orders = self.orders().await?;
        let templates = self.templates().await?;
        let timeline = self.timeline().await?;
        let title = self.title(&portfolio.display_name, &portfolio.translations);
        let others = [&portfolio.display_name].into_iter().chain(portfolio.translations.values());
        let mut other_titles: Vec<String> = others.filter(|other| **other != title).cloned().collect();
        other_titles.sort();
        other_titles.dedup();
        other_titles.truncate(TITLES);
        Ok(View {
            words: Words::of(&self.language),
            language: self.language.clone(),
            name: self.name.clone(),
            title,
            other_titles,
            description: portfolio.description.clone(),
            time_zone: portfolio.time_zone.clone(),
            currency: portfolio.reporting_currency_code.clone(),
            date: self.date,
            year,
            is_today: self.is_today,
            projects,
            milestones,
            lists,
            batches,
            starts,
            rates,
            collections,
            indicators,
            campaigns,
            warnings,
            orders,
            templates,
            timeline,
        })
    }

    /// Every item of a list. `request` makes the request for a page with its token; `split` takes the items out of an
    /// answer, and the token of the next page.
    async fn list<Q: AccessRequest, M: Message + Default, I>(
        &self,
        what: &'static str,
        request: impl Fn(String) -> Q,
        split: impl Fn(M) -> (Vec<I>, String),
        mut each: impl FnMut(I),
    ) -> Result<(), Error> {
        self.bar.set_message(format!("reading {what}"));
        self.bar.set_position(0);
        let mut token = String::new();
        loop {
            let (items, next) = split(rpc::call(self.session, &request(token)).await?);
            self.bar.inc(items.len() as u64);
            items.into_iter().for_each(&mut each);
            if next.is_empty() {
                return Ok(());
            }
            token = next;
        }
    }

    /// A computed figure, with what is missing in it by why.
    fn figure(&self, figure: Option<&FigureMessage>) -> Figure {
        let Some(figure) = figure else { return Figure::default() };
        let mut missing: Vec<Missing> = Vec::new();
        for one in &figure.missing {
            let place = missing.iter().position(|known| known.why == one.why).unwrap_or_else(|| {
                missing.push(Missing { why: one.why.clone(), count: 0, titles: Vec::new() });
                missing.len() - 1
            });
            missing[place].count += 1;
            let title = self.title_of(&one.subject);
            if missing[place].titles.len() < NAMED && !missing[place].titles.contains(&title) {
                missing[place].titles.push(title);
            }
        }
        Figure {
            value: figure.value.clone(),
            numerator: figure.numerator.clone(),
            denominator: figure.denominator.clone(),
            counted: figure.counted.into(),
            is_lower_bound: figure.lower_bound,
            missing,
            missing_count: figure.missing_count.into(),
        }
    }

    /// What a resource is called, or its ids below the portfolio.
    fn title_of(&self, name: &str) -> String {
        self.titles.get(name).cloned().unwrap_or_else(|| text::ids_under(name, &self.name))
    }

    /// What something is called in the language of the page.
    fn title(&self, display_name: &str, translations: &BTreeMap<String, String>) -> String {
        let found = language::in_language(&self.language, (display_name, &self.written), translations);
        found.map_or(display_name, |(title, _)| title).to_owned()
    }
}

/// What was read; nothing if an older server does not have the method.
fn there<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if error.failure().is_some_and(|call| call.code == Code::Unimplemented) => Ok(None),
        read => read.map(Some),
    }
}

fn status_of(status: i32) -> Status {
    Status::try_from(status).unwrap_or_default()
}

fn amount(money: &google::Money) -> Amount {
    Amount { currency: money.currency_code.clone(), number: text::plain_amount(money) }
}
