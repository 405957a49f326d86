//! Nouns from the schemas: the commands of every resource, and what they do.
//!
//! Invariant: every method of a resource's service is a verb, with a flag for everything that its request
//! says. What the server checks is not checked here.

use std::cell::Cell;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches, value_parser};
use milepost_proto::resource::FILTERS;
use milepost_types::CurrencyCode;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use super::fields::{HASH, flags};
use super::flags::{self, Columns, Limit, text, texts};
use super::read::Scope;
use super::request::{self, Given};
use super::session::Session;
use super::tables::{self, BelowList};
use super::{ClientArgs, name};
use crate::demo::template;
use crate::error::Error;
use crate::output::zone::portfolio_of;
use crate::output::{print, shown};
use crate::reference;
use crate::schema::{Resource, Verb, VerbKind, comment, resource};

/// Commands that run as written on what `milepost demo` loads, whatever others ran before: a paragraph for
/// each verb that is no standard one, ending with its own command.
const EXAMPLES: &str = include_str!("examples.txt");

/// Flags that stand in for that of a field which is easily forgotten: one of the two must be given.
const ALTERNATIVES: [(&str, &str, &str); 2] = [
    ("forecast-date", "withdraw", "No date is expected any more: the milestone has no forecast then"),
    (HASH, "document", "The document itself, to take the hash of; it is not sent"),
];

/// The command of a resource; its verbs are read from the schema when they are needed.
pub fn command(of: &'static Resource) -> Command {
    let command = Command::new(of.noun.clone()).subcommand_required(true).arg_required_else_help(true);
    // What stands before the syntax of a file is about all of it.
    let about = comment(&of.message.parent_file(), &[12]);
    // Global arguments do not reach what is deferred, so every verb has them itself.
    client_args(command.defer(|command| {
        let of = resource(command.get_name()).expect("the command of a resource has its noun");
        let own = match of.noun.as_str() {
            reference::NOUN => Some(client_args(reference::command())),
            template::NOUN => Some(client_args(template::command())),
            _ => None,
        };
        command.subcommands(of.verbs().iter().map(verb_command)).subcommands(own)
    }))
    .about(about)
}

/// Adds the flags of the client, for this command alone.
pub(super) fn client_args(command: Command) -> Command {
    let client = ClientArgs::augment_args(Command::new("client"));
    command.args(client.get_arguments().map(|argument| argument.clone().global(false)))
}

fn verb_command(verb: &Verb) -> Command {
    let (flags, mut shared) = (flags(verb), flags::shared(verb).into_iter().peekable());
    let file = shared.next_if(|argument| argument.get_id() == "from_file");
    let mut command = client_args(Command::new(verb.name.clone())).args(flags::name(verb)).args(file);
    command = command.args(flags.iter().map(|flag| flag.arg(verb, &flags)));
    for (long, other, help) in ALTERNATIVES {
        if verb.kind == VerbKind::Act && flags.iter().any(|flag| flag.long == long) {
            let arg = Arg::new(other).long(other).help(help).help_heading("Fields");
            let arg = match long {
                HASH => arg.value_name("FILE").value_parser(value_parser!(PathBuf)),
                _ => arg.action(ArgAction::SetTrue),
            };
            let either = ArgGroup::new("either").args([long, other]).required(true);
            command = command.mut_arg(long, |arg| arg.required(false)).arg(arg).group(either);
        }
    }
    command = command.args(shared).about(comment(&verb.method.parent_file(), verb.method.path()));
    match examples(verb) {
        Some(examples) => command.after_long_help(format!("Examples:\n{examples}")),
        None => command,
    }
}

/// The examples of a verb.
pub(super) fn examples(verb: &Verb) -> Option<&'static str> {
    let own = format!("{} {} ", verb.resource.noun, verb.name);
    let is_own =
        |example: &&str| example.rsplit("  milepost ").next().is_some_and(|last| last.starts_with(&own));
    EXAMPLES.trim_end().split("\n\n").find(is_own)
}

/// Does what a verb says.
pub async fn run(of: &'static Resource, matches: &ArgMatches, session: &Session) -> Result<(), Error> {
    let (verb, matches) = matches.subcommand().expect("a verb is required");
    match (of.noun.as_str(), verb) {
        (reference::NOUN, reference::VERB) => return reference::run(matches, session).await,
        (template::NOUN, template::VERB) => return template::run(matches, session).await,
        _ => {}
    }
    let verb = of.verb(verb).expect("clap knows the verbs of the schema only");
    if verb.takes("filter") && matches.get_flag("fields") {
        let message = verb.resource.message.full_name();
        let fields = FILTERS.iter().find(|(name, _)| *name == message).map(|(_, fields)| *fields);
        return print(&session.output().fields(fields.unwrap_or_default()));
    }
    let (request, under) = request(&verb, matches, session).await?;
    let Some(listed) = verb.listed() else {
        let answer = session.call(&verb.method, request).await?;
        match tables::of(&answer, session.output()) {
            Some(shown) => session.print(&shown, "--format json shows")?,
            None => {
                session.one(&answer).await?;
                let below = tables::below_card(&shown(&answer), session.output());
                if !below.is_empty() {
                    print(&below)?;
                }
            }
        }
        let secret = answer.get_field_by_name("token").and_then(|token| token.as_str().map(str::to_owned));
        if let Some(secret) = secret.filter(|secret| !secret.is_empty() && !session.output().is_json()) {
            anstream::eprintln!("its token, which is shown only now: {secret}");
        }
        return Ok(());
    };
    if verb.kind != VerbKind::List {
        let mut response = session.call(&verb.method, request).await?;
        if verb.method.output().fields().filter(FieldDescriptor::is_list).count() > 1 {
            return several(&response, &under, session).await;
        }
        return session.many(&take_items(&mut response, &listed), &under, &Columns::default()).await;
    }
    let limit = Limit::from_arg_matches(matches).expect("every list has a limit");
    let mut columns = Columns::from_arg_matches(matches).expect("every list has columns");
    columns.deleted = verb.takes("show_deleted") && matches.get_flag("show_deleted");
    // What items say beside their row stands below the table.
    let mut below = BelowList::new(session.output());
    let page = async |page_size, page_token| {
        let mut request = request.clone();
        request.set_field_by_name("page_size", Value::I32(page_size));
        request.set_field_by_name("page_token", Value::String(page_token));
        let mut response = session.call(&verb.method, request).await?;
        let next = response.get_field_by_name("next_page_token");
        let next = next.and_then(|next| next.as_str().map(str::to_owned)).unwrap_or_default();
        let items = take_items(&mut response, &listed);
        below.add(&items);
        below.answered(&response);
        Ok((items, next))
    };
    let message = listed.kind().as_message().cloned().expect("what is listed are messages");
    let done = session.list(&message, &limit, &under, &columns, page).await;
    done.map_err(|error| error.of_filter(&text(matches, "filter").unwrap_or_default()))?;
    let below = below.text();
    if below.is_empty() { Ok(()) } else { print(&below) }
}

/// Shows an answer that has several lists: programs get it whole, people each list that holds something under its name.
async fn several(answer: &DynamicMessage, under: &str, session: &Session) -> Result<(), Error> {
    if session.output().is_json() {
        return session.one(answer).await;
    }
    for field in answer.descriptor().fields().filter(FieldDescriptor::is_list) {
        let value = answer.get_field(&field);
        let items = value.as_list().unwrap_or_default();
        if items.is_empty() {
            continue;
        }
        print(&format!("{}\n", field.name()))?;
        let messages: Vec<_> = items.iter().filter_map(|item| item.as_message().cloned()).collect();
        if messages.is_empty() {
            let names = items.iter().filter_map(Value::as_str).map(|name| format!("{name}\n"));
            print(&names.collect::<String>())?;
        } else {
            session.many(&messages, under, &Columns::default()).await?;
        }
    }
    Ok(())
}

fn take_items(response: &mut DynamicMessage, listed: &FieldDescriptor) -> Vec<DynamicMessage> {
    let items = response.take_field(listed).and_then(|items| items.as_list().map(<[_]>::to_vec));
    items.into_iter().flatten().filter_map(|item| item.as_message().cloned()).collect()
}

/// What a command line asks for, and the name of what it is in.
async fn request(
    verb: &Verb,
    matches: &ArgMatches,
    session: &Session,
) -> Result<(DynamicMessage, String), Error> {
    let path = |id| matches.try_get_one::<PathBuf>(id).ok().flatten();
    let portfolio = session.portfolio();
    let mut given = Given { verb, matches, portfolio, file: None, hash: None, now: None };
    if let Some(path) = path("from_file") {
        given.file = Some((path.clone(), request::file_text(path).await?));
    }
    if let Some(path) = path("document") {
        given.hash = Some(request::sha256(path).await?);
    }
    if verb.kind == VerbKind::Update && flags(verb).iter().any(|flag| flag.changed_whole(matches).is_some()) {
        let name = name::full(verb.resource, &texts(matches, "name"), portfolio)?;
        given.now = Some(get(verb.resource, name, session).await?);
    }
    let mut scope = Scope { lacks_currency: Some(Cell::new(false)), ..Scope::default() };
    let mut request = given.request(&mut scope)?;
    if scope.lacks_currency.take().is_some_and(|lacks| lacks.get()) {
        scope = Scope { currency: reporting_currency(&scope.name, session).await?, ..Scope::default() };
        request = given.request(&mut scope)?;
    }
    Ok((request, scope.name))
}

/// The reporting currency of the portfolio that a name is in, if it has one.
async fn reporting_currency(name: &str, session: &Session) -> Result<Option<CurrencyCode>, Error> {
    let Some(name) = portfolio_of(name) else { return Ok(None) };
    let portfolio =
        get(resource("portfolio").expect("the registry has portfolios"), name.to_owned(), session).await?;
    let code = portfolio.get_field_by_name("reporting_currency_code");
    Ok(code.and_then(|code| CurrencyCode::stored(code.as_str()?)))
}

async fn get(resource: &'static Resource, name: String, session: &Session) -> Result<DynamicMessage, Error> {
    let get = resource.verb("get").expect("every resource can be read");
    let mut request = DynamicMessage::new(get.method.input());
    request.set_field_by_name("name", Value::String(name));
    Ok(shown(&session.call(&get.method, request).await?))
}
