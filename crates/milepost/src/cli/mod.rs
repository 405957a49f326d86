//! The command line: one noun a file, and what they share.
//!
//! Invariant: data goes to standard output, everything else to standard error; what a flag, a verb or an
//! exit code means never changes. The nouns use the public API only, through the client crate.

mod completion;
mod event;
mod examples;
mod extra;
mod fields;
mod flags;
mod input;
mod ledger;
pub mod name;
mod noun;
pub mod read;
mod session;
pub mod usage;
pub mod value;

use std::ffi::OsString;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::tz::TimeZone;
use milepost_client::{Client, Endpoint, Endpoints};
use milepost_service::config::check_variables;

use crate::context::{self, ContextCommand, Settings};
use crate::demo::DemoArgs;
use crate::endpoint::DEFAULT_ENDPOINT;
use crate::error::{EXIT_CODES, Error};
use crate::operate::{FollowerCommand, JournalCommand, StoreCommand};
use crate::output::table::Rendered;
use crate::output::zone::Zones;
use crate::output::{self, Format, Output};
use crate::schema::{self, Resource};
use crate::serve::ServeArgs;
pub use completion::answer as complete;
pub use flags::Columns;
use name::Defaults;
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
struct Root {
    #[command(subcommand)]
    command: Command,
}

/// What a command line says.
#[derive(Debug)]
pub struct Cli {
    client: ClientArgs,
    /// The last `--format`.
    asked: Option<String>,
    /// What to do.
    pub what: What,
}

/// What to do: something that the schemas have no word for, or something with a resource.
#[derive(Debug)]
pub enum What {
    /// A command.
    Command(Command),
    /// A verb of a resource.
    Noun(&'static Resource, ArgMatches),
}

/// How a server is talked to, and how its answers are printed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Client")]
pub struct ClientArgs {
    /// Takes the settings of this context [default: MILEPOST_CONTEXT, or the current one]
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

/// What to do with a noun that the schemas do not have, through a server.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Noun<V: Subcommand> {
    #[command(flatten)]
    client: ClientArgs,
    #[command(subcommand)]
    verb: V,
}

impl ClientArgs {
    /// These, and those that stand before the noun where they say nothing.
    fn over(self, before: ClientArgs) -> Self {
        Self { context: self.context.or(before.context), settings: self.settings.over(before.settings) }
    }

    /// What these flags say; then the environment, then the context.
    fn resolved(self) -> Result<Settings, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let environment = Settings::from_environment(variable)?;
        let context = match context::path(|name| std::env::var_os(name)) {
            Ok(path) => {
                let named = variable("MILEPOST_CONTEXT");
                context::read(&path)?.in_use(self.context.as_deref(), named.as_deref())?
            }
            Err(error) if self.context.is_some() => return Err(error.into()),
            // Without a home there are no contexts.
            Err(_) => Settings::default(),
        };
        Ok(self.settings.over(environment).over(context))
    }

    /// A session as these flags, the environment and the context say.
    fn session(self) -> Result<Session, Error> {
        let settings = self.resolved()?;
        let parsed = |text: Option<&String>| text.map(|text| value::duration(text)).transpose();
        let timeout =
            parsed(settings.timeout.as_ref()).map_err(|fault| Error::Usage(format!("--timeout: {fault}")))?;
        let format = settings.format.as_deref().and_then(format).unwrap_or_default();
        let zones = match settings.utc.as_deref() {
            Some("true") => Zones::utc(),
            _ => Zones::local(TimeZone::system()),
        };
        let endpoint = settings.endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let mut client = match context::services(&endpoint).as_deref() {
            Some([(_, registry), (_, tracker), (_, notifier)]) => {
                let endpoints = Endpoints {
                    registry: Endpoint::parse(registry)?,
                    tracker: Endpoint::parse(tracker)?,
                    notifier: Endpoint::parse(notifier)?,
                };
                Client::new(&endpoints, 1)
            }
            _ => Client::connect(&endpoint)?,
        };
        if let Some(principal) = settings.principal {
            client = client.with_principal(&principal)?;
        }
        let defaults = Defaults { portfolio: settings.portfolio };
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(Session::new(client, endpoint, timeout, Output::stdout(format, zones), defaults))
    }
}

/// The last `--format` of a command line, of whichever command.
fn last_format(matches: &ArgMatches) -> Option<String> {
    let below = matches.subcommand().and_then(|(_, below)| last_format(below));
    below.or_else(|| matches.try_get_one("format").ok().flatten().cloned())
}

fn format(name: &str) -> Option<Format> {
    clap::ValueEnum::from_str(name, false).ok()
}

/// How long a call may take unless a flag says otherwise.
const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs servers
    Serve(ServeArgs),
    /// Runs everything in one process and loads the Western (Chongqing) Science City
    Demo(DemoArgs),
    /// Events: what happened, as lists and as streams
    Event(Noun<event::Verb>),
    /// Ledgers: what a server has, and how far it has come
    Ledger(Noun<ledger::Verb>),
    /// Contexts: named settings of the command line
    #[command(subcommand)]
    Context(ContextCommand),
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

/// The whole command line: what is written here, and a noun for every resource of the schemas.
pub fn definition() -> clap::Command {
    let mut root = Root::command();
    let first = root.get_subcommands().count();
    // Nouns stand after `serve` and `demo`, before what works on them all.
    let names: Vec<String> = root.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for (index, name) in names.iter().enumerate() {
        let order = if index < 2 { index } else { first + schema::resources().len() + index };
        root = root.mut_subcommand(name, |command| command.display_order(order));
    }
    let nouns = schema::resources().iter().enumerate();
    let nouns = nouns.map(|(index, resource)| noun::command(resource).display_order(first + index));
    // Before the noun they are for the nouns too, but not for what talks to no server.
    noun::client_args(root).subcommands(nouns)
}

impl Cli {
    /// What these arguments say; the first is the name of the program.
    ///
    /// # Errors
    /// Help that was asked for, or what of them is not understood.
    pub fn try_parse_from(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let mut definition = definition();
        let read = |matches: &mut ArgMatches| {
            let client = ClientArgs::from_arg_matches(matches)?;
            let asked = last_format(matches);
            let what =
                match matches.subcommand().and_then(|(name, inner)| Some((schema::resource(name)?, inner))) {
                    Some((resource, inner)) => What::Noun(resource, inner.clone()),
                    None => What::Command(Command::from_arg_matches(matches)?),
                };
            Ok(Self { client, asked, what })
        };
        let mut matches = definition.try_get_matches_from_mut(arguments)?;
        read(&mut matches).map_err(|error: clap::Error| error.format(&mut definition))
    }

    /// The flags of the client, those after the noun over those before it.
    fn client_args(&self) -> ClientArgs {
        let after = match &self.what {
            What::Noun(_, matches) => {
                let of = |matches| ClientArgs::from_arg_matches(matches).unwrap_or_default();
                matches.subcommand().map(|(_, verb)| of(verb)).unwrap_or_default().over(of(matches))
            }
            What::Command(Command::Event(noun)) => noun.client.clone(),
            What::Command(Command::Ledger(noun)) => noun.client.clone(),
            What::Command(_) => ClientArgs::default(),
        };
        after.over(self.client.clone())
    }

    /// How outcomes and errors are printed.
    pub fn format(&self) -> Format {
        use Command::{Context, Event, Ledger};
        let context = match &self.what {
            // What is wrong with contexts is said when they are used.
            What::Noun(..) | What::Command(Event(_) | Ledger(_) | Context(_)) => {
                self.client_args().resolved().ok()
            }
            What::Command(_) => None,
        };
        let asked = context.and_then(|settings| settings.format).or_else(|| self.asked.clone());
        asked.as_deref().and_then(format).unwrap_or_default()
    }

    /// Checks that no environment variable is a misspelling of one that the command reads: it would act on another
    /// server, or on other files, than was meant.
    ///
    /// # Errors
    /// Each that is.
    pub fn check_environment(
        &self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), Error> {
        let read: &[&str] = match &self.what {
            // It checks the whole environment with the rest of its configuration.
            What::Command(Command::Serve(_) | Command::Demo(_) | Command::Completion(_)) => &[],
            What::Command(Command::Journal(_) | Command::Store(_) | Command::Follower(_)) => {
                &["MILEPOST_DATA_DIR"]
            }
            _ => &VARIABLES,
        };
        Ok(check_variables(environment, read)?)
    }

    /// Does what a client command says; the other commands are not for here.
    ///
    /// # Errors
    /// What the server refused, or why it could not be asked.
    pub async fn run_client(self) -> Result<(), Error> {
        let (client, format) = (self.client_args(), self.format());
        match self.what {
            What::Noun(resource, matches) => noun::run(resource, &matches, &client.session()?).await,
            What::Command(Command::Event(noun)) => event::run(noun.verb, &client.session()?).await,
            What::Command(Command::Ledger(noun)) => ledger::run(noun.verb, &client.session()?).await,
            What::Command(Command::Context(command)) => run_context(&command, format),
            What::Command(Command::Completion(args)) => completion::run(&args),
            What::Command(_) => Err(Error::Usage("this is no client command".to_owned())),
        }
    }
}

/// The environment variables that client commands read.
pub const VARIABLES: [&str; 6] = [
    "MILEPOST_ENDPOINT",
    "MILEPOST_PORTFOLIO",
    "MILEPOST_FORMAT",
    "MILEPOST_PRINCIPAL",
    "MILEPOST_CONTEXT",
    "MILEPOST_CONTEXTS",
];

/// Changes contexts, or shows them.
fn run_context(command: &ContextCommand, format: Format) -> Result<(), Error> {
    let path = context::path(|name| std::env::var_os(name))?;
    let (contexts, note) = context::run(command, &path)?;
    let output = Output::stdout(format, Zones::utc());
    let Rendered { text, left_out } = output.contexts(contexts);
    output::print(&text)?;
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        output.note(&format!("no room for {left_out}; milepost --format json context list shows everything"));
    }
    note.iter().for_each(|text| output.note(text));
    Ok(())
}

#[cfg(test)]
mod tests;
