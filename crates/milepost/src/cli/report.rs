//! `milepost report`: what the projects of a portfolio come to in a year.
//!
//! Invariant: what is computed is computed by the server; here it is asked for, and shown.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::query_statistics_request::{Basis, TimeBasis};
use milepost_proto::registry::v1::{QueryStatisticsRequest, QueryStatisticsResponse};
use milepost_service::value::date_message;
use milepost_types::written;

use super::flags::Reading;
use super::session::Session;
use super::{name, rpc};
use crate::error::Error;
use crate::output::{Format, json, print};
use crate::report;
use crate::schema;

const AFTER_HELP: &str = "\
Examples:
  milepost report statistics western-science-city
  milepost report statistics western-science-city --year 2021 --date 2021-10-31 --group-by sector
  milepost report statistics western-science-city --filter 'key = true' --basis split \\
    --knowledge then --date 2021-06-30 --format csv";

/// What to report.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Computes the rates of a year as of a day: start, investment, completion, funds, enrolment, and how far ahead of time
    #[command(after_long_help = AFTER_HELP)]
    Statistics(Box<Statistics>),
}

/// Which statistics.
#[derive(Debug, Args)]
pub struct Statistics {
    /// The portfolio, by its full name or its id
    #[arg(value_name = "PORTFOLIO")]
    portfolio: Vec<String>,
    /// Only projects that match, as in 'key = true'; `milepost project list --fields` lists what there is to compare
    #[arg(short = 'f', long, default_value = "", hide_default_value = true)]
    filter: String,
    /// Groups by up to three of: a field of projects, labels.KEY, collection; joined by commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// The year [default: that of the date]
    #[arg(long)]
    year: Option<i32>,
    /// The day up to which facts count [default: today]
    #[arg(long, value_parser = day)]
    date: Option<Date>,
    /// How a bundle and its parts are counted
    #[arg(long, value_parser = ["listed", "split"], default_value = "listed")]
    basis: String,
    /// What counts as known: all facts, those reported by the date, or those also committed by it
    #[arg(long, value_parser = ["latest", "then", "then-strict"], default_value = "latest")]
    knowledge: String,
    /// How far the year is said to have come: by months ended, by days passed, or by the schedules of the plans
    #[arg(long, value_parser = ["months", "days", "schedule"], default_value = "months")]
    time_basis: String,
    #[command(flatten)]
    reading: Reading,
}

fn day(text: &str) -> Result<Date, String> {
    written::date(text).map_err(|error| error.to_string())
}

/// Does what a verb says.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    let Verb::Statistics(asked) = verb;
    let portfolio = schema::resource("portfolio").expect("the registry has portfolios");
    let parent = name::full(portfolio, &asked.portfolio, session.portfolio())?;
    let filter = asked.filter.clone();
    let answer: QueryStatisticsResponse =
        rpc::call(session, &asked.request(parent)).await.map_err(|error| error.of_filter(&filter))?;
    let output = session.output();
    match output.format {
        Format::Json => session.one(&json::dynamic(&answer)).await,
        Format::Csv => print(&report::csv(&answer)),
        Format::Table => {
            let (text, left_out) = report::table(&answer, output.columns, output.colour);
            print(&text)?;
            if !left_out.is_empty() {
                output.note(&format!("no room for {}; --format csv shows everything", left_out.join(", ")));
            }
            Ok(())
        }
    }
}

impl Statistics {
    fn request(self, parent: String) -> QueryStatisticsRequest {
        let value = |prefix: &str, word: &str| format!("{prefix}_{}", word.to_uppercase().replace('-', "_"));
        let basis = Basis::from_str_name(&value("BASIS", &self.basis)).unwrap_or_default();
        let knowledge = Knowledge::from_str_name(&value("KNOWLEDGE", &self.knowledge)).unwrap_or_default();
        let time_basis = TimeBasis::from_str_name(&value("TIME_BASIS", &self.time_basis)).unwrap_or_default();
        QueryStatisticsRequest {
            parent,
            filter: self.filter,
            group_by: self.group_by,
            year: self.year.unwrap_or_default(),
            date: self.date.map(date_message),
            basis: basis.into(),
            knowledge: knowledge.into(),
            time_basis: time_basis.into(),
            min_revisions: self.reading.min_revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        verb: Verb,
    }

    #[test]
    fn words_are_the_values_of_the_schema() {
        let asked = |words: &str| {
            let Verb::Statistics(asked) = Line::try_parse_from(words.split(' ')).unwrap().verb;
            asked.request("portfolios/p".into())
        };
        let usual = asked("report statistics p");
        let chosen = (usual.basis(), usual.knowledge(), usual.time_basis());
        assert_eq!(chosen, (Basis::Listed, Knowledge::Latest, TimeBasis::Months));
        let line = "report statistics p --basis split --knowledge then-strict --time-basis schedule --group-by \
                    sector,labels.owner --year 2021 --date 2021-10-31";
        let other = asked(line);
        let chosen = (other.basis(), other.knowledge(), other.time_basis());
        assert_eq!(chosen, (Basis::Split, Knowledge::ThenStrict, TimeBasis::Schedule));
        assert_eq!(
            (&other.group_by[..], other.year),
            (&["sector".to_owned(), "labels.owner".into()][..], 2021)
        );
        assert_eq!(asked("report statistics p --knowledge then").knowledge(), Knowledge::Then);
        assert_eq!(asked("report statistics p --time-basis days").time_basis(), TimeBasis::Days);
    }
}
