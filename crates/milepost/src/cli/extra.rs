//! What a command line needs beyond the schemas: flags that say on purpose what the absence of a field says, and
//! documents whose hash is a field.
//!
//! Does not send anything itself.

use std::path::PathBuf;

use bytes::Bytes;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use prost_reflect::{DynamicMessage, Kind, Value};

use super::fields::Flag;
use super::input;
use crate::error::Error;
use crate::schema::Verb;

/// A field whose absence means something that is easily meant otherwise: so it must be said.
struct Absence {
    method: &'static str,
    field: &'static str,
    flag: &'static str,
    help: &'static str,
}

const ABSENCES: [Absence; 1] = [Absence {
    method: "ReforecastMilestone",
    field: "forecast-date",
    flag: "withdraw",
    help: "No date is expected any more: the milestone has no forecast then",
}];

/// The field of a message that holds the hash of a document.
const HASH: &str = "sha256";

fn absence(verb: &Verb) -> Option<&'static Absence> {
    ABSENCES.iter().find(|absence| absence.method == verb.method.name())
}

/// The message of a verb's request that holds the hash of a document.
fn hashed(verb: &Verb) -> Option<prost_reflect::FieldDescriptor> {
    let has_hash = |field: &prost_reflect::FieldDescriptor| match field.kind() {
        Kind::Message(message) => message.get_field_by_name(HASH).is_some(),
        _ => false,
    };
    verb.own_fields().into_iter().find(has_hash)
}

/// The flag of a field, as far as what is here changes it.
pub fn adapt(verb: &Verb, flag: Flag) -> Flag {
    if hashed(verb).is_some() && flag.long == HASH { flag.optional() } else { flag }
}

/// Adds the flags.
pub fn augment(verb: &Verb, mut command: Command) -> Command {
    if let Some(absence) = absence(verb) {
        let flag = Arg::new(absence.flag).long(absence.flag).action(ArgAction::SetTrue);
        let either = ArgGroup::new("either").args([absence.field, absence.flag]).required(true);
        command = command.arg(flag.help(absence.help).help_heading("Fields")).group(either);
    }
    if hashed(verb).is_some() {
        let flag =
            Arg::new("document").long("document").value_name("FILE").value_parser(value_parser!(PathBuf));
        let flag =
            flag.help("The document itself, to take the hash of; it is not sent").help_heading("Fields");
        let either = ArgGroup::new("hash").args([HASH, "document"]).required(true);
        command = command.arg(flag).group(either);
    }
    command
}

/// The hash of the document that a command line names.
///
/// # Errors
/// If it cannot be read.
pub async fn document(verb: &Verb, matches: &ArgMatches) -> Result<Option<Vec<u8>>, Error> {
    if hashed(verb).is_none() {
        return Ok(None);
    }
    match matches.get_one::<PathBuf>("document") {
        Some(path) => Ok(Some(input::sha256(path).await?)),
        None => Ok(None),
    }
}

/// Sets the hash of a document.
pub fn put(verb: &Verb, hash: Option<&[u8]>, request: &mut DynamicMessage) {
    if let (Some(field), Some(hash)) = (hashed(verb), hash)
        && let Some(message) = request.get_field_mut(&field).as_message_mut()
    {
        message.set_field_by_name(HASH, Value::Bytes(Bytes::copy_from_slice(hash)));
    }
}
