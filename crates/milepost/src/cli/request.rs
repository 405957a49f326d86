//! The request of a command line: what its name, its flags and its files say.
//!
//! Invariant: every value that is not understood is named. A list replaces, it does not add to, what the resource has.
//! Asks no server: what must be known from there is given.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use prost_reflect::{DynamicMessage, Kind, Value};
use sha2::{Digest, Sha256};

use super::fields;
use super::flags::{self, text, texts};
use super::name;
use super::read::Scope;
use crate::error::{BoxError, Error};
use crate::output::{json, progress};
use crate::schema::field::{self, Access, Shape};
use crate::schema::{Verb, VerbKind};

/// A document is read in pieces of this many bytes: its size does not matter.
const PIECE: usize = 256 * 1024;

/// More than any request that a server takes, also with much white space.
const FILE_LIMIT: u64 = 64 << 20;

/// What a request is made of.
#[derive(Debug)]
pub struct Given<'a> {
    /// The verb and its arguments.
    pub verb: &'a Verb,
    pub matches: &'a ArgMatches,
    /// The portfolio that is meant where its name has none.
    pub portfolio: Option<&'a str>,
    /// A file and its text.
    pub file: Option<(PathBuf, String)>,
    /// The hash of a document, in hexadecimal digits.
    pub hash: Option<String>,
    /// The resource as it is now, if what is changed is a part of a field that is taken over whole.
    pub now: Option<DynamicMessage>,
}

impl Given<'_> {
    /// The request, read in a scope whose name it sets.
    ///
    /// # Errors
    /// Every value that is not understood, or why the request makes no sense.
    pub fn request(&self, scope: &mut Scope) -> Result<DynamicMessage, Error> {
        let (verb, matches, input) = (self.verb, self.matches, self.verb.method.input());
        let mut request = DynamicMessage::new(input.clone());
        if verb.kind == VerbKind::BatchCreate {
            let read = self.read_file(|text| json::read(&input, text, scope))?;
            request = read.unwrap_or(request);
        }
        let stated = request.get_field_by_name("parent").and_then(|parent| Some(parent.as_str()?.to_owned()));
        scope.name = target(verb, &self.pieces()?, &mut request, self.portfolio)?;
        if let Some(stated) = stated.filter(|stated| !stated.is_empty() && *stated != scope.name) {
            let name = &scope.name;
            return Err(Error::Usage(format!("the file is for {stated}, and the command line names {name}")));
        }
        if let Some(field) = verb.resource_field() {
            let (mut resource, paths) = self.resource(scope)?;
            if verb.kind == VerbKind::Update {
                let paths = mask(paths, matches)?.into_iter().map(Value::String).collect();
                let mask = request.get_field_by_name_mut("update_mask").and_then(Value::as_message_mut);
                mask.expect("an update has a mask").set_field_by_name("paths", Value::List(paths));
                resource.set_field_by_name("name", Value::String(scope.name.clone()));
                if let Some(etag) = text(matches, "etag") {
                    resource.set_field_by_name("etag", Value::String(etag));
                }
            }
            request.set_field(&field, Value::Message(resource));
        } else {
            self.put(&mut request, scope)?;
        }
        let shared = flags::shared(verb);
        for field in input.fields().filter(|field| shared.iter().any(|arg| arg.get_id() == field.name())) {
            let texts = || texts(matches, field.name()).into_iter().map(Value::String);
            let value = match field.kind() {
                // What is not given leaves what a file says.
                Kind::Bool => {
                    let given = matches.try_get_one(field.name()).ok().flatten().copied();
                    given.filter(|given| *given).map(Value::Bool)
                }
                Kind::String if field.is_list() => Some(Value::List(texts().collect())),
                Kind::String => texts().next_back(),
                // The mask is made of what was given.
                _ => None,
            };
            value.into_iter().for_each(|value| request.set_field(&field, value));
        }
        Ok(request)
    }

    /// The pieces of the name. The value of a flag that is yes or no is none of them.
    fn pieces(&self) -> Result<Vec<String>, Error> {
        let (pieces, flags) = (texts(self.matches, "name"), fields::flags(self.verb));
        let is_value = |piece: &&String| matches!(piece.as_str(), "true" | "false" | "yes" | "no");
        let given = |flag: &&fields::Flag| {
            field::shape(flag.field()) == Shape::Bool && !texts(self.matches, &flag.long).is_empty()
        };
        match (pieces.iter().find(is_value), flags.iter().find(given)) {
            (Some(value), Some(flag)) => {
                Err(Error::Usage(format!("{value} stands alone; write --{}={value}", flag.long)))
            }
            _ => Ok(pieces),
        }
    }

    /// The resource to be or to change, and the paths of the fields that were given: what the file holds, and over it
    /// what the flags say; parts of fields that are taken over whole are set in what there is now.
    fn resource(&self, scope: &Scope) -> Result<(DynamicMessage, Vec<String>), Error> {
        let message = &self.verb.resource.message;
        let (mut made, mut paths) = (DynamicMessage::new(message.clone()), Vec::new());
        if let Some(now) = &self.now {
            let flags = fields::flags(self.verb);
            let wholes = flags.iter().filter_map(|flag| flag.changed_whole(self.matches));
            if text(self.matches, "request_id").is_some() {
                return Err(Error::Usage(
                    "a part of what is taken over whole is set in what there is now, so that the same command \
                     makes another request the next time; leave --request-id out, or give all of it by --from-file"
                        .to_owned(),
                ));
            }
            // What is changed is what was read.
            for field in wholes.cloned().chain(message.get_field_by_name("etag")) {
                made.set_field(&field, now.get_field(&field).into_owned());
            }
        }
        if let Some((read, said)) = self.read_file(|text| json::resource(self.verb.resource, text, scope))? {
            for field in said {
                made.set_field(&field, read.get_field(&field).into_owned());
                if field::access(&field) == Access::Input {
                    paths.push(field.name().to_owned());
                }
            }
        }
        paths.extend(self.put(&mut made, scope)?);
        Ok((made, paths))
    }

    fn read_file<T>(&self, read: impl FnOnce(&str) -> Result<T, BoxError>) -> Result<Option<T>, Error> {
        let Some((path, text)) = &self.file else { return Ok(None) };
        read(text).map(Some).map_err(|fault| Error::Usage(format!("{}: {fault}", path.display())))
    }

    /// Takes over what was given for flags into a message. Answers the paths of the fields that were given.
    fn put(&self, message: &mut DynamicMessage, scope: &Scope) -> Result<Vec<String>, Error> {
        let (mut paths, mut faults) = (Vec::new(), Vec::new());
        for flag in fields::flags(self.verb) {
            let texts = match &self.hash {
                Some(hash) if flag.long == fields::HASH => vec![hash.clone()],
                _ => texts(self.matches, &flag.long),
            };
            if texts.is_empty() {
                continue;
            }
            match flag.put(message, &texts, scope) {
                Ok(set) => paths.extend(set),
                Err(fault) => faults.push(format!("--{} {}: {fault}", flag.long, texts.join(" "))),
            }
        }
        if faults.is_empty() { Ok(paths) } else { Err(Error::Usage(faults.join("\n  "))) }
    }
}

/// Sets the field that names what a verb is done with or in, and answers that name.
///
/// # Errors
/// If the pieces are too few or too many.
pub fn target(
    verb: &Verb,
    pieces: &[String],
    request: &mut DynamicMessage,
    portfolio: Option<&str>,
) -> Result<String, Error> {
    let name = match (verb.kind, verb.named()) {
        (VerbKind::Create, _) => {
            let (parent, id) = name::parent_and_id(verb.resource, pieces, portfolio)?;
            request.set_field_by_name(&format!("{}_id", verb.resource.field), Value::String(id));
            parent
        }
        (VerbKind::List, _) if verb.resource.floats => name::above(verb.resource, pieces),
        (_, Some(resource)) => name::full(resource, pieces, portfolio)?,
        (_, None) => String::new(),
    };
    // The name of what is updated stands in the resource.
    if let Some((field, _)) = verb.target() {
        request.set_field(&field, Value::String(name.clone()));
    }
    Ok(name)
}

/// The fields that an update takes over, of which these were given.
fn mask(given: Vec<String>, matches: &ArgMatches) -> Result<Vec<String>, Error> {
    let (cleared, named) = (texts(matches, "clear"), texts(matches, "update_mask"));
    let is_in = |path: &str, field: &str| path.split('.').next() == Some(field);
    let is_given = |field: &&String| given.iter().any(|path| path == *field || is_in(path, field));
    if let Some(field) = cleared.iter().find(is_given) {
        return Err(Error::Usage(format!("{field} is both given and cleared")));
    }
    let mut paths = if named.is_empty() { given } else { named };
    paths.extend(cleared);
    paths.sort();
    paths.dedup();
    // A part goes with its whole.
    let wholes = paths.clone();
    paths.retain(|path| !wholes.iter().any(|whole| whole != path && is_in(path, whole)));
    if paths.is_empty() {
        return Err(Error::Usage("nothing to change: give a field, --clear or --from-file".to_owned()));
    }
    Ok(paths)
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// If it cannot be read, or is no UTF-8.
pub async fn file_text(path: &Path) -> Result<String, Error> {
    aside(path, |path| match path.as_os_str() == "-" {
        true => bounded_text(io::stdin().lock(), FILE_LIMIT),
        false => bounded_text(File::open(path)?, FILE_LIMIT),
    })
    .await
}

/// What is read, if it is UTF-8 and has at most so many bytes: some files have no end.
///
/// # Errors
/// If it cannot be read, or is longer.
pub fn bounded_text(from: impl Read, limit: u64) -> io::Result<String> {
    let mut text = Vec::new();
    from.take(limit + 1).read_to_end(&mut text)?;
    if text.len() as u64 > limit {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    String::from_utf8(text).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// The SHA-256 hash of a document, in hexadecimal digits.
///
/// # Errors
/// If it cannot be read.
pub async fn sha256(path: &Path) -> Result<String, Error> {
    aside(path, |path| {
        let file = File::open(path)?;
        let bar = progress::bytes("hashing", file.metadata()?.len());
        let (mut hasher, mut reader) = (Sha256::new(), BufReader::with_capacity(PIECE, bar.wrap_read(file)));
        while let piece = reader.fill_buf()?
            && !piece.is_empty()
        {
            hasher.update(piece);
            let read = piece.len();
            reader.consume(read);
        }
        bar.finish_and_clear();
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    })
    .await
}

/// Reads on another thread, so that an interruption is heard while it waits for input.
async fn aside(path: &Path, read: fn(PathBuf) -> io::Result<String>) -> Result<String, Error> {
    let from = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read(from)).await.map_err(io::Error::other);
    read.flatten().map_err(Error::read(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_is_hashed_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "科学谷".repeat(100_000)).unwrap();
        let expected = Sha256::digest("科学谷".repeat(100_000).as_bytes());
        let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256(file.path()).await.unwrap(), expected);
        assert!(matches!(sha256(Path::new("/nowhere")).await, Err(Error::Read { .. })));
    }
}
