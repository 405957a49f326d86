//! The file of contexts: where it is, what it says, and how a change is made in it.
//!
//! Invariant: every fault is found, with its place; what is wrong with the syntax of a line is said alone.
//! The file is whole at every moment, what no change touches stays in it, comments included, and nothing is
//! written that could not be read again. Does not see what others write after it was read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use milepost_service::config::{Fault, Faults, Source};
use milepost_types::without_number;
use tempfile::NamedTempFile;
use toml::de::{DeTable, DeValue};
use toml_edit::DocumentMut;

use super::{Contexts, Settings, name, unknown};
use crate::error::Error;

/// Takes a fault: at which byte, and what is wrong.
type Report<'a> = &'a mut dyn FnMut(usize, String);

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
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| {
            let message = format!("it cannot be read: {}", without_number(&error.to_string()));
            faults(path, vec![((1, 1), message)])
        }),
    }
}

/// Faults after line and column.
fn faults(path: &Path, found: Vec<((usize, usize), String)>) -> Faults {
    let source = |(line, column)| Source::File { path: path.to_owned(), line, column };
    Faults(found.into_iter().map(|(at, message)| Fault { source: source(at), key: None, message }).collect())
}

/// Reads a text as that of the file at a path, or finds every fault in it.
pub(super) fn parse(text: &str, path: &Path) -> Result<Contexts, Faults> {
    let place = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        let (_, line) = before.rsplit_once('\n').unwrap_or(("", before));
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    let contexts =
        contexts(root.get_ref(), errors.is_empty(), &mut |at, fault| found.push((place(at), fault)));
    let broken = errors.iter().map(|error| (error.span().unwrap_or_default().start, error.message()));
    let broken: Vec<_> = broken.map(|(at, message)| (place(at), message.to_owned())).collect();
    found.retain(|((line, _), _)| broken.iter().all(|((broken, _), _)| broken != line));
    found.extend(broken);
    found.sort();
    if found.is_empty() { Ok(contexts) } else { Err(faults(path, found)) }
}

/// What a file says. That the current context is missing is a fault only if all of the file could be read.
fn contexts(root: &DeTable<'_>, is_whole: bool, report: Report<'_>) -> Contexts {
    let (mut contexts, mut current_at) = (Contexts::default(), 0);
    for (key, value) in root {
        let (at, key) = (key.span().start, key.get_ref().as_ref());
        match (key, value.get_ref()) {
            ("current", DeValue::String(name)) => {
                (contexts.current, current_at) = (Some(name.to_string()), at);
            }
            ("contexts", DeValue::Table(table)) => {
                for (name, value) in table {
                    let settings = settings(name.get_ref(), name.span().start, value.get_ref(), report);
                    contexts.all.insert(name.get_ref().to_string(), settings);
                }
            }
            ("current", _) => report(at, "current: write the name of a context, in quotes".to_owned()),
            ("contexts", _) => report(at, "contexts: write each as in [contexts.office]".to_owned()),
            _ => report(at, unknown("key", key, &["current", "contexts"])),
        }
    }
    if let Some(name) = contexts.current.as_ref().filter(|_| is_whole)
        && let Err(error) = contexts.find(name)
    {
        report(current_at, format!("current: {error}; or remove this line"));
    }
    contexts
}

fn settings(context: &str, at: usize, value: &DeValue<'_>, report: Report<'_>) -> Settings {
    let (of, mut settings) = (format!("contexts.{context}"), Settings::default());
    if let Err(fault) = name(context) {
        report(at, format!("{of}: {fault}"));
    }
    let DeValue::Table(table) = value else {
        report(at, format!("{of}: write it as in [{of}]"));
        return settings;
    };
    let known = [&Settings::keys()[..], &["endpoints"]].concat();
    for (key, value) in table {
        let (at, key) = (key.span().start, key.get_ref().as_ref());
        let set = match (key, value.get_ref()) {
            _ if !known.contains(&key) => Err(unknown("setting", key, &known)),
            ("endpoints", _) if table.contains_key("endpoint") => {
                Err("there is endpoint too; remove one of them".to_owned())
            }
            ("endpoints", DeValue::Table(urls)) => {
                let urls = urls.iter().map(|(service, url)| (service.get_ref(), url.get_ref().as_str()));
                let urls = urls.map(|(service, url)| format!("{service}={}", url.unwrap_or_default()));
                settings.set("endpoint", &urls.collect::<Vec<_>>().join(","))
            }
            ("endpoints", _) => {
                Err("write {registry = URL, tracker = URL, notifier = URL}, URLs in quotes".to_owned())
            }
            ("utc", DeValue::Boolean(utc)) => settings.set(key, &utc.to_string()),
            ("utc", _) => Err("write true or false, without quotes".to_owned()),
            (_, DeValue::String(text)) => settings.set(key, text),
            _ => Err("write a text in quotes".to_owned()),
        };
        if let Err(fault) = set {
            report(at, format!("{of}.{key}: {fault}"));
        }
    }
    settings
}
