//! Where the values of an argument come from: the schemas, the contexts, or the server.
//!
//! Invariant: it is read from the descriptor of what the argument is for, so that a new resource, verb or field needs
//! nothing here.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::Command;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use milepost_types::event_type::EVENT_TYPES;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

use super::super::name::PORTFOLIOS;
use super::super::{definition, fields, request};
use super::names::{Line, Step};
use crate::context;
use crate::output::{column, event};
use crate::reference;
use crate::schema::{POOL, Resource, Verb, VerbKind, field, resource, resources};

/// Answers what an argument can be, for what is typed of it.
type Source = Box<dyn Fn(&Line, &str) -> Vec<CompletionCandidate> + Send + Sync>;
/// Words, each with what it means.
type Words = Vec<(String, String)>;

/// The whole command line; the arguments of the commands on the line complete their values.
pub fn attach(line: &Arc<Line>) -> Command {
    let mut command = definition();
    // Makes what is deferred.
    command.build();
    attach_along(command, line, &line.path(), 0)
}

fn attach_along(command: Command, line: &Arc<Line>, path: &[&str], depth: usize) -> Command {
    let above = &path[..depth];
    let verb = match above {
        [noun, verb] => resource(noun).and_then(|of| of.verb(verb)),
        _ => None,
    };
    let command = command.mut_args(|argument| {
        let Some(source) = source(above, verb.as_ref(), argument.get_id().as_str()) else { return argument };
        let line = Arc::clone(line);
        let complete = move |word: &OsStr| word.to_str().map(|word| source(&line, word)).unwrap_or_default();
        argument.add(ArgValueCompleter::new(complete))
    });
    match path.get(depth) {
        Some(next) => command.mut_subcommand(next, |below| attach_along(below, line, path, depth + 1)),
        None => command,
    }
}

/// The source of an argument of the command that these words lead to.
fn source(path: &[&str], verb: Option<&Verb>, argument: &str) -> Option<Source> {
    Some(match (path, argument) {
        (_, "context") | (["context", ..], "name" | "old") => words(contexts()),
        (_, "default_portfolio") => references(&resource("portfolio")?.collections, None),
        (["event", ..], "resource") => Box::new(|line, word| {
            let full = |kind: &'static [String]| Step::new(kind, None, word, true);
            let whole = |kind: &'static [String]| full(kind).filter(|step| step.resource.collections == kind);
            line.ask(word, |_| resources().iter().filter_map(|of| whole(&of.collections)).collect())
        }),
        (["event", ..], "type") => {
            words(EVENT_TYPES.iter().map(|kind| ((*kind).to_owned(), String::new())).collect())
        }
        (["event", ..], "columns") => words(columns(&POOL.get_message_by_name(event::MESSAGE)?)),
        (_, "columns") => words(columns(verb?.listed()?.kind().as_message()?)),
        (_, "order_by") => words(orders(verb?)?),
        ([reference::NOUN, reference::VERB], "name") => names(&resource(reference::NOUN)?.collections),
        // The last id of what is created is a new one; what was deleted is on no list.
        (_, "name") if verb?.kind == VerbKind::Create || verb?.name == "undelete" => {
            names(verb?.resource.collections.split_last()?.1)
        }
        (_, "name") if verb?.resource.floats => match verb?.kind {
            VerbKind::List => names(verb?.resource.collections.split_last()?.1),
            _ => floating(verb?.resource),
        },
        (_, "name") => names(&verb?.named()?.collections),
        _ => {
            let flags = fields::flags(verb?);
            let flag = flags.iter().find(|flag| flag.long == argument)?;
            references(&field::reference(flag.field())?.collections, verb)
        }
    })
}

fn words(all: Words) -> Source {
    Box::new(move |_, word| {
        let fitting = all.iter().filter(|(text, _)| text.starts_with(word));
        fitting.map(|(text, means)| CompletionCandidate::new(text).help(Some(means.into()))).collect()
    })
}

/// Names in these collections, over several words; also without the id of the default portfolio.
fn names(kind: &'static [String]) -> Source {
    Box::new(move |line, word| {
        let pieces = line.pieces();
        let pieces: Vec<&str> = pieces.iter().flat_map(|piece| piece.split('/')).collect();
        line.ask(word, |session| {
            let is_within = kind.first().is_some_and(|first| first == PORTFOLIOS);
            let default = session.portfolio().filter(|_| is_within);
            let within = default.map(|portfolio| [&[portfolio], &pieces[..]].concat());
            let known = within.into_iter().chain([pieces]);
            known.filter_map(|known| Step::new(kind, Some(&known), word, false)).collect()
        })
    })
}

/// Names of what floats, over several words: at each depth, or deeper. The default portfolio is none of their ids.
fn floating(of: &'static Resource) -> Source {
    Box::new(move |line, word| {
        let pieces = line.pieces();
        let known: Vec<&str> = pieces.iter().flat_map(|piece| piece.split('/')).collect();
        line.ask(word, |_| Step::floating(of, &known, word))
    })
}

/// References in one word; what their ids lack is as in the name of what a verb is done with, or the default portfolio.
fn references(kind: &'static [String], verb: Option<&Verb>) -> Source {
    let verb = verb.cloned();
    Box::new(move |line, word| {
        line.ask(word, |session| {
            let named = verb.as_ref().and_then(|verb| {
                let mut request = DynamicMessage::new(verb.method.input());
                request::target(verb, &line.pieces(), &mut request, session.portfolio()).ok()
            });
            let portfolio = || Some(format!("{PORTFOLIOS}/{}", session.portfolio()?));
            let holder = named.or_else(portfolio).unwrap_or_default();
            let holder: Vec<&str> = holder.split('/').collect();
            let shared = holder.chunks_exact(2).zip(kind).take_while(|(pair, name)| pair[0] == *name);
            let lacking = (kind.len() - 1).saturating_sub(word.matches('/').count());
            let known: Vec<&str> = shared.map(|(pair, _)| pair[1]).take(lacking).collect();
            Step::new(kind, Some(&known), word, true).into_iter().collect()
        })
    })
}

fn described(field: FieldDescriptor) -> (String, String) {
    (field.name().to_owned(), field::comment(&field))
}

/// The fields of a message, and what is shown of an event besides.
fn columns(message: &MessageDescriptor) -> Words {
    let own = event::columns(message).into_iter().flatten().map(|column| (column.name, String::new()));
    let all = own.chain(column::in_order(message).into_iter().map(described));
    all.collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// The fields that the schema says lists can be ordered by.
fn orders(verb: &Verb) -> Option<Words> {
    let said = field::comment(&verb.method.input().get_field_by_name("order_by")?);
    let listed = verb.listed()?;
    let field = |word| listed.kind().as_message()?.get_field_by_name(word);
    Some(said.split('`').filter_map(field).map(described).collect())
}

/// The contexts, each with its server.
fn contexts() -> Words {
    let path = context::path(|name| env::var_os(name));
    let contexts = path.ok().and_then(|path| context::read(&path).ok()).unwrap_or_default();
    let server = |settings: context::Settings| settings.endpoint.unwrap_or_default();
    contexts.all.into_iter().map(|(name, settings)| (name, server(settings))).collect()
}
