//! Nouns from the schemas: the commands of every resource, and what they do.
//!
//! Invariant: every method of a resource's service is a verb, with a flag for everything that its request says. What the
//! server checks is not checked here.

use std::path::Path;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use milepost_proto::resource::FILTERS;
use milepost_types::CurrencyCode;
use prost_reflect::{DynamicMessage, Value};

use super::fields::{self, Draft, Flag};
use super::flags::{
    Changing, Columns, Guard, Limit, Listing, Name, NewName, Parent, Reading, Source, Writing,
};
use super::name::Defaults;
use super::read::{Fault, Scope};
use super::session::{Page, Session};
use super::{ClientArgs, examples, extra, name};
use crate::error::Error;
use crate::output::zone::portfolio_of;
use crate::output::{json, print, shown};
use crate::schema::{Resource, Verb, VerbKind, comment, resource};

/// The command of a resource; its verbs are read from the schema when they are needed.
pub fn command(of: &'static Resource) -> Command {
    let command = Command::new(of.noun.clone()).subcommand_required(true).arg_required_else_help(true);
    // Global arguments do not reach what is deferred, so every verb has them itself.
    client_args(command.defer(|command| {
        let of = resource(command.get_name()).expect("the command of a resource has its noun");
        command.subcommands(of.verbs().iter().map(verb_command))
    }))
    .about(comment::of_file(&of.message.parent_file()))
}

/// Adds the flags of the client, for this command alone.
pub(super) fn client_args(command: Command) -> Command {
    let client = ClientArgs::augment_args(Command::new("client"));
    command.args(client.get_arguments().map(|argument| argument.clone().global(false)))
}

fn verb_command(verb: &Verb) -> Command {
    let mut command = client_args(Command::new(verb.name.clone()));
    command = match verb.kind {
        VerbKind::Create => NewName::augment_args(command),
        _ if verb.named().is_none() => command,
        VerbKind::List if verb.takes("parent") => Parent::augment_args(command),
        VerbKind::BatchCreate | VerbKind::BatchGet => Parent::augment_args(command),
        _ => Name::augment_args(command),
    };
    if has_file(verb) {
        command = Source::augment_args(command);
    }
    let flags = flags(verb);
    command = command.args(flags.iter().map(|flag| flag.arg(&flags)));
    command = extra::augment(verb, command);
    if verb.kind == VerbKind::Update {
        command = Changing::augment_args(command);
    }
    if verb.takes("etag") || verb.kind == VerbKind::Update {
        command = Guard::augment_args(command);
    }
    if verb.is_write() {
        command = Writing::augment_args(command);
    }
    if verb.kind == VerbKind::List {
        command = Columns::augment_args(Limit::augment_args(command));
        if verb.takes("filter") {
            command = Listing::augment_args(command);
        }
    }
    if verb.takes("min_revisions") {
        command = Reading::augment_args(command);
    }
    // What was added brings words of its own.
    command = command.about(comment::of_method(&verb.method)).long_about(None);
    match examples::of(verb) {
        Some(examples) => command.after_long_help(format!("Examples:\n{examples}")),
        None => command,
    }
}

/// What was given for flags that many verbs share, if this one has them: `argument` is one of them.
fn given<A: FromArgMatches + Default>(matches: &ArgMatches, argument: &str) -> A {
    match matches.try_get_raw(argument) {
        Ok(_) => A::from_arg_matches(matches).unwrap_or_default(),
        Err(_) => A::default(),
    }
}

/// Whether what a verb sends may come from a file.
fn has_file(verb: &Verb) -> bool {
    matches!(verb.kind, VerbKind::Create | VerbKind::Update | VerbKind::BatchCreate)
}

/// The flags for what a verb's request says, beyond what requests have in common.
pub(super) fn flags(verb: &Verb) -> Vec<Flag> {
    match verb.kind {
        VerbKind::Create => fields::resource_flags(verb.resource, true),
        VerbKind::Update => fields::resource_flags(verb.resource, false),
        VerbKind::BatchGet => {
            fields::flags(verb.own_fields()).into_iter().map(|flag| flag.named(&verb.resource.noun)).collect()
        }
        _ => {
            let flags = fields::flags(verb.own_fields()).into_iter().map(Flag::shortened);
            flags.map(|flag| extra::adapt(verb, flag)).collect()
        }
    }
}

/// Does what a verb says.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(of: &'static Resource, matches: &ArgMatches, session: &Session) -> Result<(), Error> {
    let (verb, matches) = matches.subcommand().expect("a verb is required");
    let verb = of.verb(verb).expect("clap knows the verbs of the schema only");
    let columns: Columns = given(matches, "columns");
    if given::<Listing>(matches, "fields").fields {
        return print(&filterable(&verb, session));
    }
    let (request, under) = request(&verb, matches, session).await?;
    match verb.kind {
        VerbKind::List => list(&verb, request, &under, matches, columns, session).await,
        _ => {
            let response = session.call(&verb.method, request).await?;
            match verb.listed() {
                Some(listed) => {
                    let found = response.get_field(&listed);
                    let found: Vec<_> = found
                        .as_list()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_message)
                        .cloned()
                        .collect();
                    session.many(&found, &under, &columns).await
                }
                None => session.one(&response).await,
            }
        }
    }
}

async fn list(
    verb: &Verb,
    first: DynamicMessage,
    under: &str,
    matches: &ArgMatches,
    columns: Columns,
    session: &Session,
) -> Result<(), Error> {
    let limit: Limit = given(matches, "limit");
    let listed = verb.listed().expect("a list has a field for what is listed");
    let filter = first.get_field_by_name("filter").and_then(|filter| filter.as_str().map(str::to_owned));
    let page = async |page_size, page_token| {
        let mut request = first.clone();
        request.set_field_by_name("page_size", Value::I32(page_size));
        request.set_field_by_name("page_token", Value::String(page_token));
        let mut response = session.call(&verb.method, request).await?;
        let items = match response.take_field(&listed) {
            Some(Value::List(items)) => items.into_iter().filter_map(into_message).collect(),
            _ => Vec::new(),
        };
        let next = response.get_field_by_name("next_page_token");
        let next = next.and_then(|next| next.as_str().map(str::to_owned)).unwrap_or_default();
        Ok(Page { items, next })
    };
    let message = listed.kind().as_message().cloned().expect("what is listed are messages");
    let done = session.list(&message, &limit, under, &columns, page).await;
    done.map_err(|error| error.of_filter(&filter.unwrap_or_default()))
}

fn into_message(value: Value) -> Option<DynamicMessage> {
    match value {
        Value::Message(message) => Some(message),
        _ => None,
    }
}

/// What a command line asks for, and the name of what it is in.
async fn request(
    verb: &Verb,
    matches: &ArgMatches,
    session: &Session,
) -> Result<(DynamicMessage, String), Error> {
    let from = given::<Source>(matches, "from_file").from_file;
    let file = fields::file(from.as_deref()).await?;
    let file = file.as_ref().map(|(path, text)| (*path, text.as_str()));
    let document = extra::document(verb, matches).await?;
    let now = match verb.kind == VerbKind::Update && fields::needs_whole(&flags(verb), matches) {
        true => Some(current(verb, matches, session).await?),
        false => None,
    };
    let given = Given { file, document: document.as_deref(), now: now.as_ref() };
    let mut scope = Scope::default();
    loop {
        match fill(verb, matches, given, session.defaults(), &mut scope)? {
            Ok(request) => return Ok((request, scope.name)),
            // Amounts without a currency are in the portfolio's.
            Err(Fault::NoCurrency(fault)) => {
                if scope.currency.is_none() {
                    scope.currency = reporting_currency(&scope.name, session).await?;
                }
                if scope.currency.is_none() {
                    return Err(Error::Usage(fault));
                }
            }
            Err(Fault::Text(fault)) => return Err(Error::Usage(fault)),
        }
    }
}

/// What a request is made of besides the command line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Given<'a> {
    /// A file and its text.
    file: Option<(&'a Path, &'a str)>,
    /// The hash of a document.
    document: Option<&'a [u8]>,
    /// The resource as it is now.
    now: Option<&'a DynamicMessage>,
}

/// The resource that a command line names, as it is now.
async fn current(verb: &Verb, matches: &ArgMatches, session: &Session) -> Result<DynamicMessage, Error> {
    get(verb.resource, name::full(verb.resource, &pieces(matches), session.defaults())?, session).await
}

/// The reporting currency of the portfolio that a name is in, if it has one.
async fn reporting_currency(name: &str, session: &Session) -> Result<Option<CurrencyCode>, Error> {
    let Some(name) = portfolio_of(name) else { return Ok(None) };
    let portfolio = resource("portfolio").expect("the registry has portfolios");
    let portfolio = get(portfolio, name.to_owned(), session).await?;
    let code = portfolio.get_field_by_name("reporting_currency_code");
    Ok(code.and_then(|code| CurrencyCode::stored(code.as_str()?)))
}

async fn get(resource: &'static Resource, name: String, session: &Session) -> Result<DynamicMessage, Error> {
    let get = resource.verb("get").expect("every resource can be read");
    let mut request = DynamicMessage::new(get.method.input());
    request.set_field_by_name("name", Value::String(name));
    Ok(shown(&session.call(&get.method, request).await?))
}

/// The pieces of the name that a command line gives.
pub(super) fn pieces(matches: &ArgMatches) -> Vec<String> {
    let pieces = matches.try_get_many("name").ok().flatten();
    pieces.map(|pieces| pieces.cloned().collect()).unwrap_or_default()
}

/// The request of a command line, read in a scope whose name it sets.
pub(super) fn fill(
    verb: &Verb,
    matches: &ArgMatches,
    Given { file, document, now }: Given<'_>,
    defaults: &Defaults,
    scope: &mut Scope,
) -> Result<Result<DynamicMessage, Fault>, Error> {
    let mut request = DynamicMessage::new(verb.method.input());
    if let (VerbKind::BatchCreate, Some((path, text))) = (verb.kind, file) {
        request = match json::read(&verb.method.input(), text, scope) {
            Ok(request) => request,
            Err(Fault::Text(fault)) => return Err(Error::Usage(format!("{}: {fault}", path.display()))),
            Err(fault) => return Ok(Err(fault)),
        };
    }
    let own_name = target(verb, &pieces(matches), &mut request, defaults)?;
    scope.name = own_name.clone();
    let flags = flags(verb);
    match verb.resource_field() {
        Some(field) => {
            let mut draft = match Draft::read(verb.resource, file, &flags, matches, now, scope) {
                Ok(draft) => draft,
                Err(fault) => return Ok(Err(fault)),
            };
            if verb.kind == VerbKind::Update {
                let changing = given::<Changing>(matches, "clear");
                let paths = draft.mask(&changing)?.into_iter().map(Value::String).collect();
                let mask = request.get_field_by_name_mut("update_mask").and_then(Value::as_message_mut);
                mask.expect("an update has a mask").set_field_by_name("paths", Value::List(paths));
                draft.message.set_field_by_name("name", Value::String(own_name));
                if let Some(etag) = given::<Guard>(matches, "etag").etag {
                    draft.message.set_field_by_name("etag", Value::String(etag));
                }
            }
            request.set_field(&field, Value::Message(draft.message));
        }
        None => {
            if let Err(fault) = fields::put(&flags, matches, &mut request, scope) {
                return Ok(Err(fault));
            }
        }
    }
    extra::put(verb, document, &mut request);
    common(verb, matches, &mut request);
    Ok(Ok(request))
}

/// Sets the field that names what a verb is done with or in, and answers that name.
pub(super) fn target(
    verb: &Verb,
    pieces: &[String],
    request: &mut DynamicMessage,
    defaults: &Defaults,
) -> Result<String, Error> {
    if verb.kind == VerbKind::Create {
        let (parent, id) = name::parent_and_id(verb.resource, pieces, defaults)?;
        request.set_field_by_name(&format!("{}_id", verb.resource.field), Value::String(id));
        if verb.takes("parent") {
            request.set_field_by_name("parent", Value::String(parent.clone()));
        }
        return Ok(parent);
    }
    let Some(resource) = verb.named() else { return Ok(String::new()) };
    let name = name::full(resource, pieces, defaults)?;
    // The name of what is updated stands in the resource.
    if let Some((field, _)) = verb.target() {
        request.set_field(&field, Value::String(name.clone()));
    }
    Ok(name)
}

/// Sets what requests have in common.
fn common(verb: &Verb, matches: &ArgMatches, request: &mut DynamicMessage) {
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|_| verb.takes(field)) {
            request.set_field_by_name(field, value);
        }
    };
    if verb.is_write() {
        let writing = given::<Writing>(matches, "request_id");
        set("request_id", writing.request_id.map(Value::String));
        set("validate_only", writing.validate_only.then_some(Value::Bool(true)));
    }
    if verb.takes("etag") {
        set("etag", given::<Guard>(matches, "etag").etag.map(Value::String));
    }
    if verb.takes("filter") {
        let listing: Listing = given(matches, "filter");
        set("filter", Some(Value::String(listing.filter)));
        set("order_by", Some(Value::String(listing.order_by)));
        set("show_deleted", Some(Value::Bool(listing.show_deleted)));
    }
    if verb.takes("min_revisions") {
        let revisions = given::<Reading>(matches, "min_revision").min_revision;
        set("min_revisions", Some(Value::List(revisions.into_iter().map(Value::String).collect())));
    }
}

/// What a list can be filtered by.
fn filterable(verb: &Verb, session: &Session) -> String {
    let message = verb.resource.message.full_name();
    let fields = FILTERS.iter().find(|(name, _)| *name == message).map(|(_, fields)| *fields);
    session.output().fields(fields.unwrap_or_default())
}
