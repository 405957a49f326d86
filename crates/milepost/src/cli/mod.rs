//! The command line: one noun a file, and what they share.
//!
//! Invariant: data goes to standard output, everything else to standard error; what a flag, a verb or an
//! exit code means never changes. The nouns use the public API only, through the client crate.

#[macro_use]
mod call;

mod batch;
mod completion;
mod event;
mod flags;
mod input;
mod ledger;
mod milestone;
mod name;
mod organization;
mod phase;
mod portfolio;
mod project;
mod session;
mod value;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::tz::TimeZone;
use milepost_service::config::check_variables;

use crate::demo::DemoArgs;
use crate::endpoint::DEFAULT_ENDPOINT;
use crate::error::{EXIT_CODES, Error};
use crate::operate::{FollowerCommand, JournalCommand, StoreCommand};
use crate::output::zone::Zones;
use crate::output::{Format, Output};
use crate::serve::ServeArgs;
use session::Session;

const AFTER_HELP: &str = "\
Output:
  Tables are for people and may change. --format json prints canonical proto3 JSON: for one
  resource the response as the API answers it, {\"project\": {…}, \"revision\": \"…\"}; for lists
  and watches one resource or event a line. Data goes to standard output, everything else to
  standard error. Tables and cards show times in the portfolio's time zone, or in the system's
  where there is no portfolio, with the offset from UTC; --utc shows them in UTC, as JSON has them.

Names:
  A resource is named in full, or by its ids, with blanks or slashes between them:

  milepost project get portfolios/western-science-city/projects/science-avenue
  milepost project get western-science-city science-avenue
  milepost project get western-science-city/science-avenue
";

/// The system of record, and the event stream, of offices that build many large projects at once.
#[derive(Debug, Parser)]
#[command(name = "milepost", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{AFTER_HELP}\n{EXIT_CODES}"))]
#[command(max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    client: ClientArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// How a server is talked to, and how its answers are printed: before the noun.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Client")]
struct ClientArgs {
    /// The server to talk to [default: http://127.0.0.1:7400]
    #[arg(long, value_name = "URL", env = "MILEPOST_ENDPOINT")]
    endpoint: Option<String>,
    /// How answers are printed [default: table]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How long a call may take, as in 10s or 500ms; attempts to reach the server included [default: 10s]
    #[arg(long, value_name = "SPAN", value_parser = value::duration)]
    timeout: Option<Duration>,
    /// Who makes the changes: an id, for the record; nobody checks it
    #[arg(long, value_name = "ID", env = "MILEPOST_PRINCIPAL")]
    principal: Option<String>,
    /// Shows times in UTC [default: in the portfolio's time zone, else in the system's; JSON is always in UTC]
    #[arg(long)]
    utc: bool,
}

/// The same after the noun, where it has the last word. Commands that talk to no server do not have it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Client")]
struct NounArgs {
    /// The server to talk to [default: MILEPOST_ENDPOINT, or http://127.0.0.1:7400]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
    /// How answers are printed [default: table]
    #[arg(long, global = true, value_enum)]
    format: Option<Format>,
    /// How long a call may take, as in 10s or 500ms; attempts to reach the server included [default: 10s]
    #[arg(long, global = true, value_name = "SPAN", value_parser = value::duration)]
    timeout: Option<Duration>,
    /// Who makes the changes: an id, for the record; nobody checks it [default: MILEPOST_PRINCIPAL]
    #[arg(long, global = true, value_name = "ID")]
    principal: Option<String>,
    /// Shows times in UTC [default: in the portfolio's time zone, else in the system's; JSON is always in UTC]
    #[arg(long, global = true)]
    utc: bool,
}

/// What to do with a noun, through a server.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Noun<V: Subcommand> {
    #[command(flatten)]
    client: NounArgs,
    #[command(subcommand)]
    verb: V,
}

impl ClientArgs {
    /// A session as these flags and those of the noun say.
    fn session(self, noun: NounArgs) -> Result<Session, Error> {
        let endpoint = noun.endpoint.or(self.endpoint);
        let timeout = noun.timeout.or(self.timeout).unwrap_or(DEFAULT_TIMEOUT);
        let format = noun.format.or(self.format).unwrap_or_default();
        let principal = noun.principal.or(self.principal);
        let endpoint = endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT);
        let zones = match noun.utc || self.utc {
            true => Zones::utc(),
            false => Zones::local(TimeZone::system()),
        };
        Session::open(endpoint, timeout, Output::stdout(format, zones), principal.as_deref())
    }
}

/// How long a call may take unless a flag says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs servers
    Serve(ServeArgs),
    /// Runs everything in one process and loads the Western (Chongqing) Science City
    Demo(DemoArgs),
    /// Portfolios: what one office builds
    Portfolio(Noun<portfolio::Verb>),
    /// Organizations: who takes part in projects
    Organization(Noun<organization::Verb>),
    /// Projects: what is built
    Project(Box<Noun<project::Verb>>),
    /// Phases: the parts in which a project is built
    Phase(Noun<phase::Verb>),
    /// Batches: acts that start many projects on a day
    Batch(Noun<batch::Verb>),
    /// Milestones: dated points of projects
    Milestone(Box<Noun<milestone::Verb>>),
    /// Events: what happened, as lists and as streams
    Event(Noun<event::Verb>),
    /// Ledgers: what a server has, and how far it has come
    Ledger(Noun<ledger::Verb>),
    /// Journals: verify, export, import
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Stores: rebuild
    #[command(subcommand)]
    Store(StoreCommand),
    /// Followers: reset
    #[command(subcommand)]
    Follower(FollowerCommand),
    /// Prints what a shell needs to complete command lines
    Completion(completion::CompletionArgs),
}

impl Cli {
    /// Checks that no environment variable is a misspelling of one that the command reads: it would act on another
    /// server, or on other files, than was meant.
    ///
    /// # Errors
    /// Each that is.
    pub fn check_environment(
        &self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), Error> {
        let read: &[&str] = match &self.command {
            // It checks the whole environment with the rest of its configuration.
            Command::Serve(_) => &[],
            Command::Demo(_) | Command::Completion(_) => &[],
            Command::Journal(_) | Command::Store(_) | Command::Follower(_) => &["MILEPOST_DATA_DIR"],
            _ => &["MILEPOST_ENDPOINT", "MILEPOST_PRINCIPAL"],
        };
        Ok(check_variables(environment, read)?)
    }

    /// Does what a client command says; the other commands are not for here.
    ///
    /// # Errors
    /// What the server refused, or why it could not be asked.
    pub async fn run_client(self) -> Result<(), Error> {
        let client = self.client;
        match self.command {
            Command::Portfolio(noun) => portfolio::run(noun.verb, &client.session(noun.client)?).await,
            Command::Organization(noun) => organization::run(noun.verb, &client.session(noun.client)?).await,
            Command::Project(noun) => project::run(noun.verb, &client.session(noun.client)?).await,
            Command::Phase(noun) => phase::run(noun.verb, &client.session(noun.client)?).await,
            Command::Batch(noun) => batch::run(noun.verb, &client.session(noun.client)?).await,
            Command::Milestone(noun) => milestone::run(noun.verb, &client.session(noun.client)?).await,
            Command::Event(noun) => event::run(noun.verb, &client.session(noun.client)?).await,
            Command::Ledger(noun) => ledger::run(noun.verb, &client.session(noun.client)?).await,
            Command::Completion(args) => completion::run(&args),
            Command::Serve(_)
            | Command::Demo(_)
            | Command::Journal(_)
            | Command::Store(_)
            | Command::Follower(_) => Err(Error::Usage("this is no client command".to_owned())),
        }
    }
}

/// The value of an enumeration that a word stands for, as in `new-start` for `LISTING_NEW_START`.
///
/// # Panics
/// If the word stands for none; it comes from a list that a test compares with the schema.
fn code<E: Coded>(prefix: &str, word: &str) -> E {
    let name = format!("{prefix}_{}", word.to_uppercase().replace('-', "_"));
    E::from_name(&name).unwrap_or_else(|| panic!("{name} is in the schema"))
}

/// An enumeration whose values have names.
trait Coded: Sized {
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! coded {
    ($($Type:path),+) => {
        $(impl Coded for $Type {
            fn from_name(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }
        })+
    };
}

coded!(
    milepost_proto::registry::v1::organization::Kind,
    milepost_proto::registry::v1::project::Level,
    milepost_proto::registry::v1::project::Listing
);

#[cfg(test)]
mod tests;
