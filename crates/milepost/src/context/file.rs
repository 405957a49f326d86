//! The file of contexts: where it is, what it says, and how a change is made in it.
//!
//! Invariant: every fault is found, with its place; of a line that is no TOML only that is said. The file is
//! whole at every moment, what no change touches stays in it, comments included, and nothing is written that
//! could not be read again. Does not see what others write after it was read.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use milepost_service::config::{Fault, Faults, Source};
use milepost_types::without_number;
use tempfile::NamedTempFile;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::DocumentMut;

use super::{Contexts, Settings, name, unknown};
use crate::cli::request::bounded_text;
use crate::error::Error;

/// Faults: at which byte, and what is wrong.
type Found = Vec<(usize, String)>;

/// More than contexts take.
const LIMIT: u64 = 1 << 20;

/// Where the contexts are: `MILEPOST_CONTEXTS`, else `milepost/contexts.toml` in the user's configuration.
///
/// # Errors
/// If no variable says where that is.
pub fn path(lookup: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Faults> {
    let set = |name: &str| lookup(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    // A relative one is to be ignored, says the specification of XDG.
    let configuration = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = configuration.or_else(|| Some(set("HOME")?.join(".config")));
    let path = set("MILEPOST_CONTEXTS").or_else(|| Some(configuration?.join("milepost/contexts.toml")));
    let message = "it is not set; set it, or set MILEPOST_CONTEXTS to the file of contexts".to_owned();
    let source = Source::Environment("HOME".to_owned());
    path.ok_or_else(|| Faults(vec![Fault { source, key: None, message }]))
}

/// Reads a file; one that is missing has no contexts.
///
/// # Errors
/// If it cannot be read, and every fault in it.
pub fn read(path: &Path) -> Result<Contexts, Faults> {
    parse(&text(path)?, path)
}

/// Changes a file, with no other writer between reading and writing. Answers with what the change answers,
/// and with the contexts before and after it.
///
/// # Errors
/// Those of the change, of reading and of writing; the file is whole all the same.
pub fn update<T>(
    path: &Path,
    change: impl FnOnce(&Contexts, &mut DocumentMut) -> Result<T, Error>,
) -> Result<(T, Contexts, Contexts), Error> {
    // A link stays one: some keep such files elsewhere.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::write(path))?;
    let lock = File::open(dir).map_err(Error::write(path))?;
    // Where the file system has no locks, the last writer wins; the file is whole all the same.
    let _ = lock.lock();
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return Err(Error::write(path)(io::Error::other("it is no regular file")));
    }
    let earlier = text(path)?;
    let before = parse(&earlier, path)?;
    let mut document = earlier.parse().map_err(io::Error::other).map_err(Error::write(path))?;
    let done = change(&before, &mut document)?;
    let later = document.to_string();
    let after = parse(&later, path)?;
    replace(&target, dir, &later).and_then(|()| lock.sync_all()).map_err(Error::write(path))?;
    Ok((done, before, after))
}

/// Puts a text in the place of a file's, which is complete and on disk before.
fn replace(target: &Path, dir: &Path, text: &str) -> io::Result<()> {
    let mut file = NamedTempFile::with_prefix_in(".contexts-", dir)?;
    file.write_all(text.as_bytes())?;
    // A new one is for its owner only; an earlier one keeps its mode.
    if let Ok(earlier) = fs::metadata(target) {
        file.as_file().set_permissions(earlier.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(target).map(drop).map_err(|error| error.error)
}

fn text(path: &Path) -> Result<String, Faults> {
    match File::open(path).and_then(|file| bounded_text(file, LIMIT)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| {
            let message = format!("it cannot be read: {}", without_number(&error.to_string()));
            faults("", path, vec![(0, message)])
        }),
    }
}

/// Reads a text as that of the file at a path, or finds every fault in it.
pub(super) fn parse(text: &str, path: &Path) -> Result<Contexts, Faults> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let start = |error: &toml::de::Error| error.span().unwrap_or_default().start;
    let broken: Found = errors.iter().map(|error| (start(error), error.message().to_owned())).collect();
    let (contexts, mut found) = contexts(root.get_ref(), broken.is_empty());
    let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count();
    found.retain(|(at, _)| broken.iter().all(|(broken, _)| line(*broken) != line(*at)));
    found.extend(broken);
    found.sort();
    if found.is_empty() { Ok(contexts) } else { Err(faults(text, path, found)) }
}

/// Faults with their lines and columns.
fn faults(text: &str, path: &Path, found: Found) -> Faults {
    let fault = |(at, message)| {
        let before = text.get(..at).unwrap_or(text);
        let (_, line) = before.rsplit_once('\n').unwrap_or(("", before));
        let (line, column) = (before.matches('\n').count() + 1, line.chars().count() + 1);
        Fault { source: Source::File { path: path.to_owned(), line, column }, key: None, message }
    };
    Faults(found.into_iter().map(fault).collect())
}

/// What a file says. That the current context is missing is a fault only if all of the file could be read.
fn contexts(root: &DeTable<'_>, is_whole: bool) -> (Contexts, Found) {
    let (mut contexts, mut found) = (Contexts::default(), Vec::new());
    for (key, value) in root {
        let (at, key) = (key.span().start, key.get_ref().as_ref());
        match (key, value.get_ref()) {
            ("current", DeValue::String(name)) => contexts.current = Some(name.to_string()),
            ("contexts", DeValue::Table(table)) => {
                for (name, value) in table {
                    let settings = settings(name, value.get_ref(), &mut found);
                    contexts.all.insert(name.get_ref().to_string(), settings);
                }
            }
            ("current", _) => found.push((at, "current: write the name of a context, in quotes".to_owned())),
            ("contexts", _) => found.push((at, "contexts: write each as in [contexts.office]".to_owned())),
            _ => found.push((at, unknown("key", key, &["current", "contexts"]))),
        }
    }
    if let Some(name) = contexts.current.as_ref().filter(|_| is_whole)
        && let Err(error) = contexts.find(name)
    {
        let at = root.get_key_value("current").map_or(0, |(key, _)| key.span().start);
        found.push((at, format!("current: {error}; or remove this line")));
    }
    (contexts, found)
}

fn settings(context: &Spanned<Cow<'_, str>>, value: &DeValue<'_>, found: &mut Found) -> Settings {
    let (of, mut settings) = (format!("contexts.{}", context.get_ref()), Settings::default());
    let at = context.span().start;
    if let Err(fault) = name(context.get_ref()) {
        found.push((at, format!("{of}: {fault}")));
    }
    let DeValue::Table(table) = value else {
        found.push((at, format!("{of}: write it as in [{of}]")));
        return settings;
    };
    for (key, value) in table {
        let (at, key) = (key.span().start, key.get_ref().as_ref());
        let set = match (key, value.get_ref()) {
            _ if !Settings::keys().contains(&key) => Err(unknown("setting", key, &Settings::keys())),
            ("utc", DeValue::Boolean(utc)) => settings.set(key, &utc.to_string()),
            ("utc", _) => Err("write true or false, without quotes".to_owned()),
            (_, DeValue::String(text)) => settings.set(key, text),
            _ => Err("write a text in quotes".to_owned()),
        };
        found.extend(set.err().map(|fault| (at, format!("{of}.{key}: {fault}"))));
    }
    settings
}
