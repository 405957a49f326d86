//! Where the values of an argument come from: the schemas, the contexts, or the server.
//!
//! Invariant: it is read from the descriptor of what the argument is for, so that a new resource, verb or field needs
//! nothing here.

use std::env;
use std::ffi::OsStr;
use std::sync::Arc;

use clap::Command;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use milepost_types::event_type::EVENT_TYPES;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

use super::super::session::Session;
use super::super::{definition, noun};
use super::line::Line;
use super::names::{self, Step};
use crate::context;
use crate::output::{column, event};
use crate::schema::field::{self, Access, Shape};
use crate::schema::{POOL, Resource, Verb, VerbKind, comment, resource};

/// Where the values of an argument come from.
enum Source {
    /// Names in these collections, over several words; of what was deleted, if they are for that.
    Name(&'static [String], bool),
    /// References to a resource from what a verb is done with.
    Reference {
        to: &'static Resource,
        from: Option<Verb>,
        /// What stands behind one.
        after: &'static str,
    },
    /// Full names of any resource.
    AnyName,
    /// Contexts.
    Contexts,
    /// These words, each with what it means.
    Words(Vec<(String, String)>),
}

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
    let command =
        command.mut_args(|argument| match Source::of(above, verb.as_ref(), argument.get_id().as_str()) {
            Some(source) => {
                let line = Arc::clone(line);
                let complete = move |word: &OsStr| word.to_str().map(|word| source.candidates(&line, word));
                argument.add(ArgValueCompleter::new(move |word: &OsStr| complete(word).unwrap_or_default()))
            }
            None => argument,
        });
    command.mut_subcommands(|below| match path.get(depth).is_some_and(|next| below.get_name() == *next) {
        true => attach_along(below, line, path, depth + 1),
        false => below,
    })
}

impl Source {
    /// That of an argument of the command that these words lead to.
    fn of(path: &[&str], verb: Option<&Verb>, argument: &str) -> Option<Self> {
        Some(match (path, argument) {
            (_, "context") | (["context", ..], "name" | "old") => Self::Contexts,
            (_, "default_portfolio") => Self::Reference { to: resource("portfolio")?, from: None, after: "" },
            (["event", ..], "resource") => Self::AnyName,
            (["event", ..], "type") => {
                Self::Words(EVENT_TYPES.iter().map(|kind| ((*kind).to_owned(), String::new())).collect())
            }
            (["event", ..], "columns") => Self::Words(columns(&POOL.get_message_by_name(event::MESSAGE)?)),
            _ => return Self::of_verb(verb?, argument),
        })
    }

    fn of_verb(verb: &Verb, argument: &str) -> Option<Self> {
        let listed = || verb.listed()?.kind().as_message().cloned();
        Some(match argument {
            // The last id of what is created is a new one.
            "name" if verb.kind == VerbKind::Create => {
                Self::Name(verb.resource.collections.split_last()?.1, false)
            }
            "name" => Self::Name(&verb.named()?.collections, verb.name == "undelete"),
            "columns" => Self::Words(columns(&listed()?)),
            "order_by" => Self::Words(orders(verb, &listed()?)),
            "clear" | "update_mask" => {
                let inputs = field::inputs(&verb.resource.message);
                Self::Words(inputs.filter(|of| field::access(of) == Access::Input).map(described).collect())
            }
            _ => {
                let flags = noun::flags(verb);
                let flag = flags.iter().find(|flag| flag.long == argument)?;
                let (to, after) = reference(flag.field())?;
                Self::Reference { to, from: Some(verb.clone()), after }
            }
        })
    }

    /// The values that begin so.
    fn candidates(&self, line: &Line, word: &str) -> Vec<CompletionCandidate> {
        match self {
            Self::Name(kind, deleted) => line.ask(word, |session| {
                let portfolio = session.defaults().portfolio.as_deref();
                let steps = names::of_name(kind, &line.pieces(), word, portfolio).into_iter();
                let is_last = |step: &Step| step.resource.collections == *kind;
                steps.map(|step| Step { deleted: *deleted && is_last(&step), ..step }).collect()
            }),
            Self::Reference { to, from, after } => line.ask(word, |session| {
                let from = holder(line, from.as_ref(), session);
                let steps = names::of_reference(&to.collections, &from, word).into_iter();
                let is_last = |step: &Step| step.resource.collections == to.collections;
                steps.map(|step| if is_last(&step) { Step { after, ..step } } else { step }).collect()
            }),
            Self::AnyName => line.ask(word, |_| names::of_full(None, word)),
            Self::Contexts => beginning(word, &contexts()),
            Self::Words(words) => beginning(word, words),
        }
    }
}

fn beginning(word: &str, all: &[(String, String)]) -> Vec<CompletionCandidate> {
    let fitting = all.iter().filter(|(text, _)| text.starts_with(word));
    fitting.map(|(text, means)| CompletionCandidate::new(text).help(Some(means.into()))).collect()
}

/// What a flag for a field refers to, or begins with, and what stands behind that.
fn reference(of: &FieldDescriptor) -> Option<(&'static Resource, &'static str)> {
    match field::shape(of) {
        Shape::Message(pair) => match &field::inputs(&pair).collect::<Vec<_>>()[..] {
            [first, _] => Some((field::reference(first)?, "=")),
            _ => None,
        },
        _ => Some((field::reference(of)?, "")),
    }
}

/// The name that references stand in: that of what the verb is done with, else the default portfolio.
fn holder(line: &Line, verb: Option<&Verb>, session: &Session) -> String {
    let named = verb.and_then(|verb| {
        let mut request = DynamicMessage::new(verb.method.input());
        noun::target(verb, &line.pieces(), &mut request, session.defaults()).ok()
    });
    let portfolio = session.defaults().portfolio.as_ref().map(|id| format!("portfolios/{id}"));
    named.or(portfolio).unwrap_or_default()
}

fn described(field: FieldDescriptor) -> (String, String) {
    (field.name().to_owned(), comment::of_field(&field))
}

/// The fields of a message, and what is shown of an event besides.
fn columns(message: &MessageDescriptor) -> Vec<(String, String)> {
    let own = event::columns(message).into_iter().flatten().filter(|column| column.field().is_none());
    let own = own.map(|column| (column.name, String::new()));
    let mut all: Vec<_> = column::in_order(message).into_iter().map(described).chain(own).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all.dedup_by(|(one, _), (other, _)| one == other);
    all
}

/// The fields that the schema says lists can be ordered by.
fn orders(verb: &Verb, message: &MessageDescriptor) -> Vec<(String, String)> {
    let order_by = verb.method.input().get_field_by_name("order_by");
    let said = order_by.map(|field| comment::of_field(&field)).unwrap_or_default();
    said.split('`').filter_map(|word| message.get_field_by_name(word)).map(described).collect()
}

/// The contexts, each with its server.
fn contexts() -> Vec<(String, String)> {
    let path = context::path(|name| env::var_os(name));
    let contexts = path.ok().and_then(|path| context::read(&path).ok()).unwrap_or_default();
    let server = |settings: context::Settings| settings.endpoint.unwrap_or_default();
    contexts.all.into_iter().map(|(name, settings)| (name, server(settings))).collect()
}
