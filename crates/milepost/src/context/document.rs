//! The text of the file of contexts: what it says, and how a change is made in it.
//!
//! Invariant: every fault is found, with its line; what is wrong with the syntax of a line is said alone. A
//! change touches what changed: the rest of the text stays, comments included. Reads and writes no file.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::{ContextError, EndpointSetting, KEYS, Rules, Settings, check_name};

/// The contexts of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contexts {
    /// The name of the current one, which is among them.
    pub current: Option<String>,
    /// All, by name.
    pub all: BTreeMap<String, Settings>,
}

impl Contexts {
    /// Reads a text as that of the file at a path.
    ///
    /// # Errors
    /// Every fault in it, with path and line.
    pub fn parse(text: &str, path: &Path, rules: &Rules) -> Result<Self, ContextError> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let (mut contexts, mut current_at, mut faults) = (Self::default(), 0, Vec::new());
        for (key, value) in root.get_ref() {
            let (at, key) = (key.span().start, key.get_ref().as_ref());
            let fault = match (key, value.get_ref()) {
                ("current", DeValue::String(name)) => {
                    (contexts.current, current_at) = (Some(name.to_string()), at);
                    continue;
                }
                ("contexts", DeValue::Table(table)) => {
                    contexts.all = read_contexts(table, rules, &mut faults);
                    continue;
                }
                ("current", _) => "current: write the name of a context, in quotes".to_owned(),
                ("contexts", _) => "contexts: write each as in [contexts.office]".to_owned(),
                _ => rules.unknown("key", key, &["current", "contexts"]),
            };
            faults.push((at, fault));
        }
        if let Some(name) = &contexts.current
            // What could not be read may have been that context.
            && errors.is_empty()
            && let Err(fault) = contexts.find(name, rules)
        {
            faults.push((current_at, format!("current: {fault}; or remove this line")));
        }
        let syntax = errors.iter().map(|error| (error.span().unwrap_or_default().start, error.message()));
        let faults = placed(text, path, syntax.collect(), faults);
        if faults.is_empty() { Ok(contexts) } else { Err(ContextError::Faults(faults)) }
    }

    /// The settings of the context to use: of the one that `--context` or else `MILEPOST_CONTEXT` names, else
    /// of the current one; none if there is none.
    ///
    /// # Errors
    /// If the one that is named is not there.
    pub fn in_use(
        &self,
        flag: Option<&str>,
        lookup: impl Fn(&str) -> Option<String>,
        rules: &Rules,
    ) -> Result<Settings, ContextError> {
        let variable = lookup("MILEPOST_CONTEXT").filter(|name| !name.is_empty());
        let (place, name) = match (flag, &variable, &self.current) {
            (Some(name), ..) => ("--context", name),
            (_, Some(name), _) => ("MILEPOST_CONTEXT", name.as_str()),
            (.., Some(name)) => ("current", name.as_str()),
            _ => return Ok(Settings::default()),
        };
        let found = self.find(name, rules).cloned();
        found.map_err(|fault| ContextError::NotFound(format!("{place}: {fault}")))
    }

    /// The settings of a context; or says that there is none of that name, and which there are.
    pub(super) fn find(&self, name: &str, rules: &Rules) -> Result<&Settings, String> {
        let known: Vec<&str> = self.all.keys().map(String::as_str).collect();
        self.all.get(name).ok_or_else(|| match known.is_empty() {
            true => {
                format!("there is no context {name:?}, and no other; milepost context set NAME creates one")
            }
            false => rules.unknown("context", name, &known),
        })
    }
}

/// A fault, after the byte that it is at.
type Found = (usize, String);

fn read_contexts(table: &DeTable<'_>, rules: &Rules, faults: &mut Vec<Found>) -> BTreeMap<String, Settings> {
    let read = table.iter().map(|(name, value)| {
        let (at, name, mut settings) = (name.span().start, name.get_ref(), Settings::default());
        let mut fault =
            |at, key: &str, fault: String| faults.push((at, format!("contexts.{name}{key}: {fault}")));
        if let Err(message) = check_name(name) {
            fault(at, "", message);
        }
        let DeValue::Table(table) = value.get_ref() else {
            fault(at, "", format!("write it as in [contexts.{name}]"));
            return (name.to_string(), settings);
        };
        for (key, value) in table {
            if let Err(message) = read_setting(&mut settings, key.get_ref(), value.get_ref(), rules) {
                fault(key.span().start, &format!(".{}", key.get_ref()), message);
            }
        }
        if let Some((key, _)) = table.get_key_value("endpoints")
            && table.contains_key("endpoint")
        {
            fault(key.span().start, "", "it has endpoint and endpoints; remove one of them".to_owned());
        }
        (name.to_string(), settings)
    });
    read.collect()
}

fn read_setting(
    settings: &mut Settings,
    key: &str,
    value: &DeValue<'_>,
    rules: &Rules,
) -> Result<(), String> {
    match (key, value) {
        ("endpoints", DeValue::Table(table)) => {
            let urls =
                table.iter().map(|(service, url)| (service.get_ref().as_ref(), url.get_ref().as_str()));
            settings.endpoint =
                Some(EndpointSetting::each(urls.map(|(key, url)| (key, url.unwrap_or_default())))?);
        }
        ("endpoints", _) => {
            return Err("write {registry = URL, tracker = URL, notifier = URL}, URLs in quotes".to_owned());
        }
        ("utc", DeValue::Boolean(utc)) => settings.utc = Some(*utc),
        ("utc", _) => return Err("write true or false, without quotes".to_owned()),
        (key, DeValue::String(text)) if KEYS.contains(&key) => settings.set(key, text, rules)?,
        (key, _) if KEYS.contains(&key) => return Err("write a text in quotes".to_owned()),
        _ => return Err(rules.unknown("setting", key, &[&KEYS[..], &["endpoints"]].concat())),
    }
    Ok(())
}

/// Faults after their places, by line. What is wrong with the syntax of a line is said alone.
fn placed(text: &str, path: &Path, syntax: Vec<(usize, &str)>, faults: Vec<Found>) -> Vec<String> {
    let line = |at: usize| text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    let mut lines: Vec<_> = syntax.iter().map(|(at, fault)| (line(*at), (*fault).to_owned())).collect();
    let broken: Vec<usize> = lines.iter().map(|(line, _)| *line).collect();
    let faults = faults.into_iter().map(|(at, fault)| (line(at), fault));
    lines.extend(faults.filter(|(line, _)| !broken.contains(line)));
    lines.sort();
    lines.into_iter().map(|(line, fault)| format!("{}:{line}: {fault}", path.display())).collect()
}

/// The text with the contexts after a change instead of those before it; all else in it stays.
pub(super) fn rewritten(text: &str, before: &Contexts, after: &Contexts) -> io::Result<String> {
    let mut document: DocumentMut = text.parse().map_err(io::Error::other)?;
    put(document.as_table_mut(), "current", after.current.clone().map(Value::from));
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let contexts = document.entry("contexts").or_insert(Item::Table(implicit)).as_table_like_mut();
    let contexts = contexts.ok_or(ErrorKind::InvalidData)?;
    for (old, settings) in before.all.iter().filter(|(old, _)| !after.all.contains_key(*old)) {
        let mut new =
            after.all.iter().filter(|(new, same)| !before.all.contains_key(*new) && *same == settings);
        // The same under a new name keeps its comments.
        if let (Some(context), Some((new, _))) = (contexts.remove(old), new.next()) {
            contexts.insert(new, context);
        }
    }
    for (name, settings) in
        after.all.iter().filter(|(name, settings)| before.all.get(*name) != Some(settings))
    {
        if !contexts.contains_key(name) {
            contexts.insert(name, toml_edit::table());
        }
        let context = contexts.get_mut(name).and_then(Item::as_table_like_mut);
        put_settings(context.ok_or(ErrorKind::InvalidData)?, settings);
    }
    Ok(document.to_string())
}

fn put_settings(context: &mut dyn TableLike, settings: &Settings) {
    let (one, each) = match &settings.endpoint {
        Some(EndpointSetting::One(url)) => (Some(url.into()), None),
        Some(EndpointSetting::Each { registry, tracker, notifier }) => (
            None,
            Some(Value::from_iter([("registry", registry), ("tracker", tracker), ("notifier", notifier)])),
        ),
        None => (None, None),
    };
    let others = [("endpoint", one), ("endpoints", each), ("utc", settings.utc.map(Value::from))];
    let texts = settings.texts().map(|(key, text)| (key, text.map(Value::from)));
    others.into_iter().chain(texts).for_each(|(key, value)| put(context, key, value));
}

/// Sets a value, or removes it; the comments around an earlier one stay.
fn put(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    match (value, table.get_mut(key)) {
        (Some(mut value), Some(Item::Value(earlier))) => {
            *value.decor_mut() = earlier.decor().clone();
            *earlier = value;
        }
        (Some(value), _) => drop(table.insert(key, Item::Value(value))),
        (None, _) => drop(table.remove(key)),
    }
}
