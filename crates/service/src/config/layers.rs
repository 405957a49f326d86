//! Merges the layers in their order into one struct, or returns every fault.
//!
//! Invariant: later layers win, earlier ones are still checked. The environment is read only by the
//! prefix `MILEPOST_`; what a container platform puts there by itself (Kubernetes' `…_SERVICE_HOST`
//! and `…_PORT…` of a service named milepost) is not taken for a misspelt key.

use super::fault::{Fault, Faults, Source};
use super::file;
use super::named;
use super::print;
use super::section::{Entries, Found, Section, Visitor};
use super::value::{Raw, Slot};
use super::variables;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use milepost_types::suggest::nearest;

/// A value given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As a person wrote it, for messages: `--listen`, `--set journal.segment_bytes`.
    pub flag: String,
    /// The key's path.
    pub key: String,
    /// The value's text.
    pub value: String,
}

/// Everything a configuration is read from, earliest layer first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The TOML file, if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment; other prefixes are ignored.
    pub environment: Vec<(OsString, OsString)>,
    /// Variables with our prefix that are not configuration, such as those of the client.
    pub not_configuration: Vec<&'static str>,
    /// The flags, in the order they were given.
    pub flags: Vec<Flag>,
}

/// One value from one layer.
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) source: Source,
}

/// A configuration without faults, and where its values came from.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The values in effect.
    pub config: T,
    sources: BTreeMap<String, Source>,
}

impl<T: Section + Clone> Loaded<T> {
    /// Where the value of this key came from.
    pub fn source(&self, key: &str) -> &Source {
        self.sources.get(key).unwrap_or(&Source::Default)
    }

    /// The configuration in effect, as TOML with the reference as comments (`--print-config`).
    pub fn print(&self) -> String {
        print::print(&mut self.config.clone(), &self.sources)
    }
}

impl Layers {
    /// Reads all layers over `defaults`.
    ///
    /// # Errors
    /// Every fault of every layer, and every rule that the outcome breaks.
    pub fn load<T: Section>(&self, mut defaults: T) -> Result<Loaded<T>, Faults> {
        let shape = Shape::of(&mut defaults);
        let mut faults = Vec::new();
        let (mut settings, tables) = match &self.file {
            Some(path) => file::settings(path, &shape, &mut faults),
            None => Default::default(),
        };
        settings.extend(self.environment_settings(&shape, &mut faults));
        settings.extend(self.flags.iter().map(|flag| Setting {
            key: flag.key.clone(),
            raw: Raw::Text(flag.value.clone()),
            source: Source::Flag(flag.flag.clone()),
        }));
        let entries = named::declare(&mut defaults, &shape, tables, &mut settings, &mut faults);
        let shape = Shape::of(&mut defaults);

        let mut by_key: BTreeMap<String, Vec<Setting>> = BTreeMap::new();
        for setting in settings {
            if shape.values.contains(&setting.key) {
                by_key.entry(setting.key.clone()).or_default().push(setting);
            } else {
                faults.push(shape.unknown(setting.key, setting.source, &self.not_configuration));
            }
        }
        let mut apply = Apply { prefix: String::new(), settings: by_key, sources: entries, faults };
        defaults.fields(&mut apply);
        let Apply { sources, mut faults, .. } = apply;
        Check { found: Found::new(&sources, &mut faults) }.flat(&mut defaults);
        if faults.is_empty() { Ok(Loaded { config: defaults, sources }) } else { Err(Faults(faults)) }
    }

    fn environment_settings(&self, shape: &Shape, faults: &mut Vec<Fault>) -> Vec<Setting> {
        let mut settings = Vec::new();
        for (name, value) in &self.environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(variables::PREFIX)) else {
                continue;
            };
            if self.not_configuration.contains(&name) {
                continue;
            }
            let key = shape.with_entry_name(variables::key(name));
            if !shape.values.contains(&key) && variables::set_by_the_platform(name, &value.to_string_lossy())
            {
                continue;
            }
            let source = Source::Environment(name.to_owned());
            match value.to_str() {
                Some(value) => settings.push(Setting { key, raw: Raw::Text(value.to_owned()), source }),
                None => faults.push(Fault {
                    source,
                    key: Some(key),
                    message: "the value is not UTF-8".to_owned(),
                }),
            }
        }
        settings.sort_by(|a, b| a.key.cmp(&b.key));
        settings
    }
}

/// Which keys there are, in declaration order, and which of them are sections.
#[derive(Default)]
pub(super) struct Shape {
    prefix: String,
    values: BTreeSet<String>,
    sections: BTreeSet<String>,
    /// The sections whose keys are names of entries.
    named: BTreeSet<String>,
}

impl Shape {
    fn of(section: &mut dyn Section) -> Self {
        let mut shape = Self::default();
        section.fields(&mut shape);
        shape
    }

    pub(super) fn is_section(&self, key: &str) -> bool {
        self.sections.contains(key)
    }

    /// Whether what is below this key are named entries.
    pub(super) fn has_entries(&self, key: &str) -> bool {
        self.named.contains(key)
    }

    /// The path of the named entry that a key is of: `access.issuers.corp` of `access.issuers.corp.audience`.
    pub(super) fn entry<'a>(&self, key: &'a str) -> Option<&'a str> {
        self.named.iter().find_map(|named| {
            let below = key.strip_prefix(named.as_str())?.strip_prefix('.')?;
            let length = below.find('.')?;
            Some(&key[..named.len() + 1 + length])
        })
    }

    /// The key of a variable, where `_` in the name of an entry stands for `-`.
    fn with_entry_name(&self, key: String) -> String {
        match self.entry(&key) {
            Some(entry) => {
                let name = entry.rfind('.').map_or(0, |dot| dot + 1);
                format!("{}{}{}", &entry[..name], entry[name..].replace('_', "-"), &key[entry.len()..])
            }
            None => key,
        }
    }

    /// There is no such key; `others` are variables that have names like those of keys, but set something else.
    fn unknown(&self, key: String, source: Source, others: &[&str]) -> Fault {
        if let Source::Environment(_) = source {
            return self.unknown_variable(&key, source, others);
        }
        let message = if self.is_section(&key) {
            "is a section; name one of its keys".to_owned()
        } else {
            match nearest(&key, self.values.iter().chain(&self.sections).map(String::as_str)) {
                Some(meant) => format!("there is no such key; did you mean {meant}?"),
                None => "there is no such key".to_owned(),
            }
        };
        Fault { source, key: Some(key), message }
    }

    /// The same for an environment variable: what is suggested is another variable, as it is written.
    fn unknown_variable(&self, key: &str, source: Source, others: &[&str]) -> Fault {
        let below = format!("{key}.");
        let example = self.values.iter().find(|known| known.starts_with(&below));
        let message = if let (true, Some(example)) = (self.is_section(key), example) {
            format!("is a section; name one of its keys, as in {}", variables::variable(example))
        } else {
            let others: Vec<String> = others.iter().map(|name| variables::key(name)).collect();
            variables::no_such_variable(nearest(key, self.values.iter().chain(&others).map(String::as_str)))
        };
        Fault { source, key: None, message }
    }
}

impl Visitor for Shape {
    fn value(&mut self, name: &'static str, _: &'static [&'static str], _: &mut dyn Slot) {
        self.values.insert(format!("{}{name}", self.prefix));
    }

    fn section(&mut self, name: &str, _: &'static [&'static str], section: &mut dyn Section) {
        let key = format!("{}{name}", self.prefix);
        let outer = std::mem::replace(&mut self.prefix, format!("{key}."));
        self.sections.insert(key);
        section.fields(self);
        self.prefix = outer;
    }

    fn named(&mut self, name: &'static str, doc: &'static [&'static str], entries: &mut dyn Entries) {
        self.named.insert(format!("{}{name}", self.prefix));
        self.section(name, doc, entries);
    }

    fn as_dyn(&mut self) -> &mut dyn Visitor {
        self
    }
}

struct Apply {
    prefix: String,
    settings: BTreeMap<String, Vec<Setting>>,
    sources: BTreeMap<String, Source>,
    faults: Vec<Fault>,
}

impl Visitor for Apply {
    fn value(&mut self, name: &'static str, _: &'static [&'static str], value: &mut dyn Slot) {
        let key = format!("{}{name}", self.prefix);
        for setting in self.settings.remove(&key).unwrap_or_default() {
            match value.set(&setting.raw) {
                Ok(()) => drop(self.sources.insert(key.clone(), setting.source)),
                Err(message) => {
                    self.faults.push(Fault { source: setting.source, key: Some(key.clone()), message })
                }
            }
        }
    }

    fn section(&mut self, name: &str, _: &'static [&'static str], section: &mut dyn Section) {
        let within = format!("{}{name}.", self.prefix);
        let outer = std::mem::replace(&mut self.prefix, within);
        section.fields(self);
        self.prefix = outer;
    }

    fn as_dyn(&mut self) -> &mut dyn Visitor {
        self
    }
}

struct Check<'a> {
    found: Found<'a>,
}

impl Visitor for Check<'_> {
    fn value(&mut self, _: &'static str, _: &'static [&'static str], _: &mut dyn Slot) {}

    fn section(&mut self, name: &str, _: &'static [&'static str], section: &mut dyn Section) {
        Check { found: self.found.within(name) }.flat(section);
    }

    fn flat(&mut self, section: &mut dyn Section) {
        section.check(&mut self.found);
        section.fields(self);
    }

    fn as_dyn(&mut self) -> &mut dyn Visitor {
        self
    }
}
