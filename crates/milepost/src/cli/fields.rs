//! The fields of messages as flags.
//!
//! Invariant: every field that callers set has a flag. Does not read what messages have in common.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use milepost_proto::options::v1::Content;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use super::ClientArgs;
use super::flags::texts;
use super::read::{self, Scope};
use crate::error::BoxError;
use crate::schema::field::{self, Access, Shape};
use crate::schema::{Verb, VerbKind, comment};

/// The flag for the hash of a document.
pub const HASH: &str = "sha256";

/// A flag for a field of a message.
#[derive(Debug, Clone)]
pub struct Flag {
    /// Its long name.
    pub long: String,
    /// The field, after those that it is in.
    path: Vec<FieldDescriptor>,
    /// The longitude that is given with a latitude.
    with: Option<FieldDescriptor>,
}

/// The flags for what a verb's request says, beyond what requests have in common.
pub fn flags(verb: &Verb) -> Vec<Flag> {
    let fields = match verb.resource_field() {
        Some(_) => field::inputs(&verb.resource.message).collect(),
        None => verb.own_fields(),
    };
    let is_given = |of: &FieldDescriptor| verb.kind != VerbKind::Update || field::access(of) == Access::Input;
    fields.into_iter().filter(is_given).flat_map(|of| flags_of(verb, &[], of)).collect()
}

fn flags_of(verb: &Verb, above: &[FieldDescriptor], of: FieldDescriptor) -> Vec<Flag> {
    let path = [above, std::slice::from_ref(&of)].concat();
    if let Shape::Message(message) = field::shape(&of)
        && !of.is_list()
    {
        return field::inputs(&message).flat_map(|part| flags_of(verb, &path, part)).collect();
    }
    let mut with = None;
    let name = match field::content(&of) {
        _ if verb.kind == VerbKind::BatchGet => verb.resource.noun.clone(),
        Content::Latitude => {
            let mut beside = of.parent_message().fields();
            with = beside.find(|field| field::content(field) == Content::Longitude);
            "coordinates".to_owned()
        }
        // It has no flag of its own.
        Content::Longitude => return Vec::new(),
        _ if is_several(&of) => field::singular(of.name()),
        _ => of.name().to_owned(),
    };
    // What all of the flags are in is left out: `--title` for `--evidence-title`.
    let all_in = usize::from(verb.resource_field().is_none());
    let words = above.iter().skip(all_in).map(FieldDescriptor::name).chain([name.as_str()]);
    let mut long = words.collect::<Vec<_>>().join("-").replace('_', "-");
    if is_of_clients(&long) {
        long = format!("{}-{long}", verb.resource.noun);
    }
    vec![Flag { long, path, with }]
}

/// Whether every command that talks to a server has a flag of this name.
fn is_of_clients(long: &str) -> bool {
    let client = ClientArgs::augment_args(Command::new("client"));
    client.get_arguments().any(|argument| argument.get_long() == Some(long))
}

fn is_several(of: &FieldDescriptor) -> bool {
    of.is_list() || of.is_map()
}

impl Flag {
    /// The field itself.
    pub fn field(&self) -> &FieldDescriptor {
        self.path.last().expect("a flag is for a field")
    }

    /// The argument of the command line; `others` are the flags beside it.
    pub fn arg(&self, verb: &Verb, others: &[Flag]) -> Arg {
        let of = self.field();
        let mut help = field::comment(of);
        let mut action = ArgAction::Set;
        // A file may give what a flag of a resource does not, and a message that need not be given is given whole or not.
        let required = verb.resource_field().is_none() && self.path.iter().all(field::is_required);
        if is_several(of) {
            help.push_str(". May be given often; an update replaces all that there are");
            action = ArgAction::Append;
        }
        let value = if self.with.is_some() { "LATITUDE,LONGITUDE".to_owned() } else { read::value_name(of) };
        let arg = Arg::new(self.long.clone()).long(self.long.clone()).value_name(value).action(action);
        let arg = arg.help(help).help_heading("Fields").required(required);
        let arg = match field::shape(of) {
            Shape::Bool => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            Shape::Enum(values) => {
                let value = |(word, number): (String, i32)| {
                    let means =
                        values.get_value(number).map(|value| comment(&value.parent_file(), value.path()));
                    PossibleValue::new(word).help(means.unwrap_or_default())
                };
                let words = read::codes(&values).into_iter().map(value);
                arg.value_parser(PossibleValuesParser::new(words)).ignore_case(true)
            }
            // A text that begins with a hyphen is given after `=`: it may be a flag that was forgotten a value before.
            shape => {
                arg.allow_hyphen_values(self.with.is_some() || matches!(shape, Shape::Whole | Shape::Money))
            }
        };
        // Other names, where a short one is known.
        let alias = match self.long.as_str() {
            "reporting-currency-code" => Some("currency"),
            long => long.strip_prefix("working-calendar-").or_else(|| long.strip_suffix("-date")),
        };
        let alias = alias.filter(|alias| others.iter().all(|flag| flag.long != *alias));
        arg.visible_aliases(alias.map(str::to_owned))
    }

    /// The field that it is in, if an update takes over all of that and not its part alone.
    fn whole(&self) -> Option<&FieldDescriptor> {
        self.path.first().filter(|first| self.path.len() > 1 && !field::rules(first).parts)
    }

    /// The field that is taken over whole of which a command line changes a part with this flag.
    pub fn changed_whole(&self, matches: &ArgMatches) -> Option<&FieldDescriptor> {
        self.whole().filter(|_| !texts(matches, &self.long).is_empty())
    }

    /// Takes a value over into a message. Answers the paths of the fields that it sets.
    ///
    /// # Errors
    /// Why the value is not understood.
    pub fn put(
        &self,
        message: &mut DynamicMessage,
        texts: &[String],
        scope: &Scope,
    ) -> Result<Vec<String>, BoxError> {
        let (of, above) = self.path.split_last().expect("a flag is for a field");
        let mut at = message;
        for field in above {
            let inner = at.get_field_mut(field);
            at = inner.as_message_mut().expect("a field that others are in is a message");
        }
        let values = match &self.with {
            None => vec![(of, read::field(of, texts, scope)?)],
            Some(with) => {
                let hint = "write coordinates as LATITUDE,LONGITUDE in degrees, as in 29.6,106.3";
                let (latitude, longitude) = texts.last().and_then(|text| text.split_once(',')).ok_or(hint)?;
                let degrees = |field, text| read::one(field, text, scope).map_err(|_| hint);
                vec![(of, degrees(of, latitude)?), (with, degrees(with, longitude)?)]
            }
        };
        let mut paths = Vec::new();
        for (field, value) in values {
            match (value, at.get_field_mut(field)) {
                // Pairs are taken over beside those of a file.
                (Value::Map(pairs), Value::Map(there)) => there.extend(pairs),
                (value, there) => *there = value,
            }
            let path = above.iter().map(FieldDescriptor::name).chain([field.name()]);
            let path = path.take(if self.whole().is_some() { 1 } else { usize::MAX });
            paths.push(path.collect::<Vec<_>>().join("."));
        }
        Ok(paths)
    }
}
