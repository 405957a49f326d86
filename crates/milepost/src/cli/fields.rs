//! The fields of messages as flags, and messages from what the flags and files of a command line say.
//!
//! Invariant: every field that callers set has a flag. A list replaces, it does not add to, what the resource has; every
//! flag with a faulty value is named.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};
use milepost_proto::options::v1::Content;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use super::flags::Changing;
use super::input;
use super::read::{self, Fault, Scope};
use crate::error::Error;
use crate::output::json;
use crate::schema::field::{self, Access, Shape};
use crate::schema::{Resource, comment};

/// Other names of flags, where a short one is known: the flag, and its other name.
const ALIASES: [(&str, &str); 4] = [
    ("reporting-currency-code", "currency"),
    ("working-calendar-weekday", "weekday"),
    ("working-calendar-holiday", "holiday"),
    ("working-calendar-make-up-day", "make-up-day"),
];

/// A flag for a field of a message.
#[derive(Debug, Clone)]
pub struct Flag {
    /// Its long name.
    pub long: String,
    /// The field, after those that it is in.
    path: Vec<FieldDescriptor>,
    /// The longitude that is given with a latitude.
    with: Option<FieldDescriptor>,
    /// Whether the command cannot do without it.
    required: bool,
}

/// The flags for these fields of a message.
pub fn flags(fields: impl IntoIterator<Item = FieldDescriptor>) -> Vec<Flag> {
    fields.into_iter().flat_map(|field| flags_of(&[], field)).collect()
}

/// The flags for what a resource is created with, or for what of it may be updated.
pub fn resource_flags(resource: &Resource, at_creation: bool) -> Vec<Flag> {
    let allowed = |field: &FieldDescriptor| at_creation || field::access(field) == Access::Input;
    let mut flags = flags(field::inputs(&resource.message).filter(allowed));
    // A file may give what a flag does not.
    flags.iter_mut().for_each(|flag| flag.required = false);
    flags
}

fn flags_of(above: &[FieldDescriptor], of: FieldDescriptor) -> Vec<Flag> {
    let path = [above, std::slice::from_ref(&of)].concat();
    if let Shape::Message(message) = field::shape(&of)
        && !of.is_list()
    {
        return field::inputs(&message).flat_map(|part| flags_of(&path, part)).collect();
    }
    let several = of.is_list() || of.is_map();
    let own = |field: &FieldDescriptor| {
        if several { field::singular(field.name()) } else { field.name().to_owned() }
    };
    // The longitude has no flag of its own.
    let (name, with) = match field::content(&of) {
        Content::Latitude => {
            let beside =
                of.parent_message().fields().find(|field| field::content(field) == Content::Longitude);
            ("coordinates".to_owned(), beside)
        }
        Content::Longitude => return Vec::new(),
        _ => (own(&of), None),
    };
    let words = above.iter().map(|field| field.name().to_owned()).chain([name]);
    let long = words.collect::<Vec<_>>().join("-").replace('_', "-");
    let required = above.is_empty() && field::is_required(&of);
    vec![Flag { long, path, with, required }]
}

impl Flag {
    /// The field itself.
    pub fn field(&self) -> &FieldDescriptor {
        self.path.last().expect("a flag is for a field")
    }

    /// Leaves out the field that all of the flags are in: `--title` for `--evidence-title`.
    pub fn shortened(mut self) -> Self {
        if let [first, _, ..] = &self.path[..] {
            let prefix = format!("{}-", first.name().replace('_', "-"));
            self.long = self.long.strip_prefix(&prefix).unwrap_or(&self.long).to_owned();
            self.required = field::is_required(self.field());
        }
        self
    }

    /// The same flag under another name.
    pub fn named(mut self, long: &str) -> Self {
        self.long = long.to_owned();
        self
    }

    /// The same flag, which the command can do without.
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// The argument of the command line; `others` are the flags beside it.
    pub fn arg(&self, others: &[Flag]) -> Arg {
        let of = self.field();
        let several = of.is_list() || of.is_map();
        let mut help = comment::of_field(of);
        if several {
            help.push_str(". May be given often; an update replaces all that there are");
        }
        let mut arg = Arg::new(self.long.clone()).long(self.long.clone()).help(help).help_heading("Fields");
        arg = arg.value_name(match self.with {
            Some(_) => "LATITUDE,LONGITUDE".to_owned(),
            None => read::value_name(of),
        });
        arg = arg.required(self.required).action(if several { ArgAction::Append } else { ArgAction::Set });
        arg = match field::shape(of) {
            Shape::Bool if !several => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
            Shape::Enum(values) => {
                let value = |(word, number): (String, i32)| {
                    let means = values.get_value(number).map(|value| comment::of_value(&value));
                    PossibleValue::new(word).help(means.unwrap_or_default())
                };
                let words = read::codes(&values).into_iter().map(value);
                arg.value_parser(PossibleValuesParser::new(words)).ignore_case(true)
            }
            _ => arg.allow_hyphen_values(true),
        };
        let alias = ALIASES.iter().find(|(long, _)| *long == self.long).map(|(_, alias)| (*alias).to_owned());
        let stem = self.long.strip_suffix("-date").map(str::to_owned);
        let is_free = |name: &String| others.iter().all(|flag| flag.long != *name);
        match alias.or(stem).filter(is_free) {
            Some(alias) => arg.visible_alias(alias),
            None => arg,
        }
    }

    /// What was given for it.
    pub fn texts(&self, matches: &ArgMatches) -> Option<Vec<String>> {
        let given = matches.try_get_many::<String>(&self.long).ok().flatten()?;
        Some(given.cloned().collect())
    }

    /// Whether an update takes over all of the field that it is in, and not its part alone.
    fn is_part_of_whole(&self) -> bool {
        self.path.len() > 1 && !field::rules(&self.path[0]).parts
    }

    /// Takes a value over into a message. Answers the paths of the fields that it sets.
    fn put(
        &self,
        message: &mut DynamicMessage,
        texts: &[String],
        scope: &Scope,
    ) -> Result<Vec<String>, Fault> {
        let mut at = message;
        for above in &self.path[..self.path.len() - 1] {
            let inner = at.get_field_mut(above);
            at = inner.as_message_mut().expect("a field that others are in is a message");
        }
        let of = self.field();
        let path = |last: &FieldDescriptor| {
            if self.is_part_of_whole() {
                return self.path[0].name().to_owned();
            }
            let above = self.path[..self.path.len() - 1].iter().map(FieldDescriptor::name);
            above.chain([last.name()]).collect::<Vec<_>>().join(".")
        };
        let Some(with) = &self.with else {
            let value = read::field(of, texts, scope)?;
            match (value, at.get_field_mut(of)) {
                // Pairs are taken over beside those of a file.
                (Value::Map(pairs), Value::Map(there)) => there.extend(pairs),
                (value, there) => *there = value,
            }
            return Ok(vec![path(of)]);
        };
        let text = texts.last().map(String::as_str).unwrap_or_default();
        let hint = "write coordinates as LATITUDE,LONGITUDE in degrees, as in 29.6,106.3";
        let (latitude, longitude) = text.split_once(',').ok_or(hint)?;
        let degrees =
            |field, text: &str| read::one(field, text, scope).map_err(|_| Fault::Text(hint.to_owned()));
        let (latitude, longitude) = (degrees(of, latitude)?, degrees(with, longitude)?);
        at.set_field(of, latitude);
        at.set_field(with, longitude);
        Ok(vec![path(of), path(with)])
    }
}

/// Whether an update by what was given must begin with what there is: a part of a field was given that is taken over whole.
pub fn needs_whole(flags: &[Flag], matches: &ArgMatches) -> bool {
    flags.iter().any(|flag| flag.is_part_of_whole() && flag.texts(matches).is_some())
}

/// Takes over what was given for these flags into a message. Answers the paths of the fields that were given.
///
/// # Errors
/// Every value that is not understood; or that an amount lacks its currency, if that is all that is wrong.
pub fn put(
    flags: &[Flag],
    matches: &ArgMatches,
    message: &mut DynamicMessage,
    scope: &Scope,
) -> Result<Vec<String>, Fault> {
    let (mut given, mut faults, mut lacks) = (Vec::new(), Vec::new(), None);
    for flag in flags {
        let Some(texts) = flag.texts(matches) else { continue };
        match flag.put(message, &texts, scope) {
            Ok(paths) => given.extend(paths),
            Err(Fault::Text(fault)) => faults.push(format!("--{} {}: {fault}", flag.long, texts.join(" "))),
            Err(Fault::NoCurrency(fault)) => lacks = Some(format!("--{}: {fault}", flag.long)),
        }
    }
    match (&faults[..], lacks) {
        ([], None) => Ok(given),
        ([], Some(fault)) => Err(Fault::NoCurrency(fault)),
        _ => Err(Fault::Text(faults.join("\n  "))),
    }
}

/// A resource in the making, and which of its fields were given.
#[derive(Debug)]
pub struct Draft {
    /// The resource.
    pub message: DynamicMessage,
    given: Vec<String>,
}

impl Draft {
    /// What the file holds, if there is one, and over it what the flags say; parts of fields that are taken over whole are
    /// set in what there is now.
    ///
    /// # Errors
    /// As [`put`], and what of the file is not understood.
    pub fn read(
        resource: &Resource,
        file: Option<(&Path, &str)>,
        flags: &[Flag],
        matches: &ArgMatches,
        now: Option<&DynamicMessage>,
        scope: &Scope,
    ) -> Result<Self, Fault> {
        let (mut message, mut given) = (DynamicMessage::new(resource.message.clone()), Vec::new());
        if let Some(now) = now {
            let wholes = flags.iter().filter(|flag| flag.is_part_of_whole() && flag.texts(matches).is_some());
            for whole in wholes.map(|flag| &flag.path[0]) {
                message.set_field(whole, now.get_field(whole).into_owned());
            }
            // What is changed is what was read.
            message.set_field_by_name(
                "etag",
                now.get_field_by_name("etag").expect("a resource has one").into_owned(),
            );
        }
        if let Some((path, text)) = file {
            let read = json::resource(resource, text, scope).map_err(|fault| match fault {
                Fault::Text(fault) => Fault::Text(format!("{}: {fault}", path.display())),
                fault => fault,
            })?;
            read.fields().for_each(|(field, value)| message.set_field(&field, value.clone()));
            let inputs = read.fields().filter(|(of, _)| field::access(of) == Access::Input);
            given.extend(inputs.map(|(field, _)| field.name().to_owned()));
        }
        given.extend(put(flags, matches, &mut message, scope)?);
        Ok(Self { message, given })
    }

    /// Whether a field, or a part of it, was given.
    fn gives(&self, field: &str) -> bool {
        let part = |given: &String| given.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        self.given.iter().any(|given| given == field || part(given))
    }

    /// The fields that an update takes over.
    ///
    /// # Errors
    /// If there are none.
    pub fn mask(&self, changing: &Changing) -> Result<Vec<String>, Error> {
        let mut paths =
            if changing.update_mask.is_empty() { self.given.clone() } else { changing.update_mask.clone() };
        paths.extend(changing.clear.iter().cloned());
        paths.sort();
        paths.dedup();
        // A part goes with its whole.
        let wholes = paths.clone();
        paths.retain(|path| {
            path.split_once('.').is_none_or(|(whole, _)| !wholes.iter().any(|path| path == whole))
        });
        if paths.is_empty() {
            return Err(Error::Usage("nothing to change: give a field, --clear or --from-file".to_owned()));
        }
        if let Some(field) = changing.clear.iter().find(|field| self.gives(field)) {
            return Err(Error::Usage(format!("{field} is both given and cleared")));
        }
        Ok(paths)
    }
}

/// The text of the file that a command line names, if it names one.
///
/// # Errors
/// If it cannot be read.
pub async fn file(path: Option<&Path>) -> Result<Option<(&Path, String)>, Error> {
    Ok(match path {
        Some(path) => Some((path, input::text(path).await?)),
        None => None,
    })
}
