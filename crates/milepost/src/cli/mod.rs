//! The command line: resources as the schemas describe them, the other nouns a module each, and what they share.
//!
//! Invariant: data goes to standard output, everything else to standard error; what a flag, a verb or an
//! exit code means never changes. The nouns use the public API only, through the client crate.

mod access;
mod audit;
mod completion;
mod event;
mod fields;
pub mod flags;
mod health;
mod ledger;
pub mod name;
mod noun;
pub mod read;
mod report;
pub mod request;
pub mod rpc;
pub mod session;
mod tables;
pub mod usage;

use std::ffi::OsString;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::context::{self, ContextCommand, Settings};
use crate::demo::DemoArgs;
use crate::error::{EXIT_CODES, Error};
use crate::operate::{BackupCommand, FollowerCommand, JournalCommand, StoreCommand, UpgradeCommand};
use crate::output::table::Rendered;
use crate::output::zone::Zones;
use crate::output::{self, Format, Output};
use crate::schema::{self, Resource};
use crate::serve::ServeArgs;
use crate::timeline;
pub use access::AccessCommand;
pub use completion::answer as complete;
pub use flags::Columns;
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

/// What a command line says.
#[derive(Debug)]
pub struct Cli {
    client: ClientArgs,
    pub command: Command,
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
    /// The token that proves who makes the calls. Others on this machine can read it in the list of processes: use --token-file or the variable [default: MILEPOST_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl ClientArgs {
    /// Those of a command line, the last one of each.
    fn of(matches: &ArgMatches) -> Self {
        let mut own = Self::default();
        match matches.try_contains_id("context") {
            Ok(_) => own = Self::from_arg_matches(matches).unwrap_or_default(),
            // Commands that talk to no server have the format alone.
            Err(_) => own.settings.format = flags::text(matches, "format"),
        }
        let Some((_, below)) = matches.subcommand() else { return own };
        let Self { context, token, settings } = Self::of(below);
        let settings = settings.over(own.settings);
        Self { context: context.or(own.context), token: token.or(own.token), settings }
    }

    /// What these flags say; then the environment, then the context.
    fn resolved(&self) -> Result<Settings, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let environment = Settings::from_environment(variable)?;
        // Without a home there are no contexts.
        let path = context::path(|name| std::env::var_os(name)).ok();
        let contexts = path.map(|path| context::read(&path)).transpose()?.unwrap_or_default();
        let context = contexts.in_use(self.context.as_deref(), variable("MILEPOST_CONTEXT").as_deref())?;
        Ok(self.settings.clone().over(environment).over(context))
    }

    /// A session as all of them say.
    fn session(&self) -> Result<Session, Error> {
        let mut settings = self.resolved()?;
        match self.token()? {
            Some(token) => {
                settings.token_file = None;
                Session::new(settings)?.with_token(&token)
            }
            None => Session::new(settings),
        }
    }

    /// The token that is given itself, which stands in for the file of a later place.
    fn token(&self) -> Result<Option<String>, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let flags = (self.token.clone(), self.settings.token_file.is_some());
        token(flags, (variable("MILEPOST_TOKEN"), variable("MILEPOST_TOKEN_FILE").is_some()))
    }
}

/// The system of record, and the event stream, of offices that build many large projects at once.
#[derive(Debug, Parser)]
#[command(name = "milepost", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{AFTER_HELP}\n{EXIT_CODES}"))]
#[command(max_term_width = 100)]
pub enum Command {
    /// Runs servers
    Serve(ServeArgs),
    /// Runs everything in one process and loads the Western (Chongqing) Science City
    Demo(DemoArgs),
    /// Events: what happened, as lists and as streams
    #[command(subcommand)]
    Event(event::Verb),
    /// Ledgers: what a server has, and how far it has come
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Reports: what the projects of a portfolio come to
    #[command(subcommand)]
    Report(report::Verb),
    /// Access: who calls, who may do what and why; grants
    #[command(subcommand)]
    Access(AccessCommand),
    /// Audit: what was refused, what changed access, and who could do what
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Timelines: what readers see of a portfolio, as a list and as files for a site
    #[command(subcommand)]
    Timeline(timeline::Verb),
    /// Asks whether a server takes traffic; tries for 3 s unless --timeout is given
    Health(health::HealthArgs),
    /// Contexts: named settings of the command line
    #[command(subcommand)]
    Context(ContextCommand),
    /// Journals: verify, export, import
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Stores: check, rebuild
    #[command(subcommand)]
    Store(StoreCommand),
    /// Followers: reset
    #[command(subcommand)]
    Follower(FollowerCommand),
    /// Backups: run, verify, list, restore
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Upgrades: check
    #[command(subcommand)]
    Upgrade(UpgradeCommand),
    /// Prints what a shell needs to complete command lines
    Completion(completion::CompletionArgs),
    /// A verb of a resource, as the schemas have it
    #[command(skip)]
    Noun(&'static Resource, ArgMatches),
}

/// The whole command line: what is written here, and a noun for every resource of the schemas.
pub fn definition() -> clap::Command {
    // Nouns stand after `serve` and `demo`, before what works on them all.
    let mut orders = (0..2).chain(100..);
    let root = Command::command().mut_subcommands(|command| {
        let command = command.display_order(orders.next().unwrap_or_default());
        match command.get_name() {
            // It talks to no server.
            "access" => noun::client_args(command).mut_subcommands(|verb| match verb.get_name() {
                "break-glass" => verb,
                _ => noun::client_args(verb),
            }),
            "timeline" => noun::client_args(command).mut_subcommands(|verb| match verb.get_name() {
                // The format of an export is that of its document.
                "export" => noun::client_args(verb).mut_arg("format", |format| {
                    let help = "What to write: a JSON Feed, a calendar, or a page for a site";
                    format.value_parser(timeline::FORMATS).required(true).help(help)
                }),
                _ => noun::client_args(verb),
            }),
            "event" | "ledger" | "report" | "audit" | "health" => {
                noun::client_args(command).mut_subcommands(noun::client_args)
            }
            _ => command,
        }
    });
    // Before the noun they are for the nouns too, but not for what talks to no server.
    noun::client_args(root).subcommands(schema::resources().iter().map(noun::command))
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
        let mut matches = definition.try_get_matches_from_mut(arguments)?;
        let client = ClientArgs::of(&matches);
        let noun = matches.subcommand().and_then(|(name, inner)| Some((schema::resource(name)?, inner)));
        let command = match noun {
            Some((resource, inner)) => Command::Noun(resource, inner.clone()),
            None => {
                Command::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))?
            }
        };
        Ok(Self { client, command })
    }

    /// How outcomes and errors are printed.
    pub fn format(&self) -> Format {
        // What is wrong with contexts is said when they are used.
        let resolved = self.client.resolved().ok().filter(|_| self.variables() == VARIABLES);
        format(resolved.as_ref().unwrap_or(&self.client.settings))
    }

    /// The environment variables that the command reads. A misspelling of one of them is refused: the command would act
    /// on another server, or on other files, than was meant.
    pub fn variables(&self) -> &'static [&'static str] {
        match &self.command {
            // They check the whole environment themselves, or read none of it.
            Command::Serve(_) | Command::Demo(_) | Command::Completion(_) => &[],
            Command::Journal(_) | Command::Store(_) | Command::Follower(_) | Command::Upgrade(_) => {
                &["MILEPOST_DATA_DIR"]
            }
            Command::Access(AccessCommand::BreakGlass(_)) => &["MILEPOST_DATA_DIR"],
            Command::Backup(_) => &["MILEPOST_DATA_DIR", "MILEPOST_BACKUP__TARGET"],
            _ => &VARIABLES,
        }
    }

    /// Does what a client command says; the other commands are not for here.
    ///
    /// # Errors
    /// What the server refused, or why it could not be asked.
    pub async fn run_client(self) -> Result<(), Error> {
        let session = || self.client.session();
        let format = self.format();
        match self.command {
            Command::Noun(resource, matches) => noun::run(resource, &matches, &session()?).await,
            Command::Event(verb) => event::run(verb, &session()?).await,
            Command::Ledger(verb) => ledger::run(verb, &session()?).await,
            Command::Report(verb) => report::run(verb, &session()?).await,
            Command::Access(AccessCommand::Verb(verb)) => access::run(verb, &session()?).await,
            Command::Audit(verb) => audit::run(verb, &session()?).await,
            Command::Timeline(verb) => {
                timeline::run(verb, self.client.settings.format.as_deref(), &session()?).await
            }
            Command::Health(args) => health::run(&args, self.client.resolved()?, format).await,
            Command::Context(command) => run_context(&command, format),
            Command::Completion(args) => completion::run(&args),
            _ => Err(Error::Usage("this is no client command".to_owned())),
        }
    }
}

/// The format of these settings.
fn format(settings: &Settings) -> Format {
    settings.format.as_deref().and_then(|name| ValueEnum::from_str(name, false).ok()).unwrap_or_default()
}

/// The token among the flags, else the variables: each with whether they name a file.
fn token(flags: (Option<String>, bool), variables: (Option<String>, bool)) -> Result<Option<String>, Error> {
    let both =
        |first: &str, second: &str| Error::Usage(format!("{first} and {second} are both given: give one"));
    match (flags, variables) {
        ((Some(_), true), _) => Err(both("--token", "--token-file")),
        ((None, false), (Some(_), true)) => Err(both("MILEPOST_TOKEN", "MILEPOST_TOKEN_FILE")),
        ((Some(token), false), _) | ((None, false), (Some(token), false)) => Ok(Some(token)),
        ((None, true), _) | ((None, false), (None, _)) => Ok(None),
    }
}

/// The environment variables that client commands read.
pub const VARIABLES: [&str; 12] = [
    "MILEPOST_ENDPOINT",
    "MILEPOST_PORTFOLIO",
    "MILEPOST_FORMAT",
    "MILEPOST_PRINCIPAL",
    "MILEPOST_ON_BEHALF_OF",
    "MILEPOST_CA",
    "MILEPOST_CERT",
    "MILEPOST_CERT_KEY",
    "MILEPOST_TOKEN",
    "MILEPOST_TOKEN_FILE",
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
