//! Contexts: named sets of client settings in one file, and `milepost context`, which shows and changes them.
//!
//! Invariant: setting by setting, flags win over the environment, the environment over the context, the
//! context over defaults; a command that fails leaves the file as it was. Reads no environment, prints
//! nothing and asks no server: callers pass in what the environment says, and print what comes back.

mod file;
mod settings;

use std::collections::BTreeMap;
use std::path::Path;

use clap::Subcommand;
use milepost_types::suggest::nearest;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::error::Error;

use file::update;
pub use file::{path, read};
pub use settings::{Settings, services};

const AFTER_HELP: &str = "\
Contexts:
  A context is a named set of settings. Flags win over the environment, the environment over the
  context, the context over defaults. For one command, --context NAME or MILEPOST_CONTEXT takes
  another context than the current one. They are in the file that MILEPOST_CONTEXTS names, else
  in $XDG_CONFIG_HOME/milepost/contexts.toml, else in ~/.config/milepost/contexts.toml. It may
  be edited: comments stay with what they stand at.

Examples:
  milepost context set office --endpoint http://127.0.0.1:7400 --portfolio western-science-city
  milepost context set site --endpoint registry=http://a:1,tracker=http://b:2,notifier=http://c:3
  milepost context set office --format json --clear principal --clear timeout
  milepost context use site
  milepost context show";

/// What to do with contexts.
#[derive(Debug, Subcommand)]
#[command(after_long_help = AFTER_HELP)]
pub enum ContextCommand {
    /// Lists contexts; the current one is marked
    List,
    /// Shows the settings of a context
    Show {
        /// Which one [default: the current one]
        name: Option<String>,
    },
    /// Creates a context, or changes the settings that are given; the first becomes the current one
    Set {
        /// Which one
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        settings: Box<Settings>,
        /// Leaves a setting out, before others are set; may be repeated
        #[arg(long, value_name = "FIELD", value_parser = Settings::keys())]
        clear: Vec<String>,
    },
    /// Makes a context the current one
    Use {
        /// Which one
        name: String,
    },
    /// Deletes a context; after the current one, none is current until `use` chooses one
    Delete {
        /// Which one
        name: String,
    },
    /// Renames a context
    Rename {
        /// Its name
        old: String,
        /// Its name from now on
        #[arg(value_parser = name)]
        new: String,
    },
}

/// The contexts of a file, or some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contexts {
    /// The name of the current one.
    pub current: Option<String>,
    /// By name.
    pub all: BTreeMap<String, Settings>,
}

impl Contexts {
    /// The settings of the context that `--context` names, else `MILEPOST_CONTEXT`, else of the current one.
    ///
    /// # Errors
    /// If the one that is named is not there.
    pub fn in_use(&self, flag: Option<&str>, variable: Option<&str>) -> Result<Settings, Error> {
        let variable = variable.filter(|name| !name.is_empty());
        let (place, name) = match (flag, variable, &self.current) {
            (Some(name), ..) => ("--context", name),
            (_, Some(name), _) => ("MILEPOST_CONTEXT", name),
            (.., Some(name)) => ("current", name.as_str()),
            _ => return Ok(Settings::default()),
        };
        self.find(name).cloned().map_err(|fault| Error::NotFound(format!("{place}: {fault}")))
    }

    fn find(&self, name: &str) -> Result<&Settings, Error> {
        let known: Vec<&str> = self.all.keys().map(String::as_str).collect();
        let fault = || match known[..] {
            [] => {
                format!("there is no context {name:?}, and no other; milepost context set NAME creates one")
            }
            _ => unknown("context", name, &known),
        };
        self.all.get(name).ok_or_else(|| Error::NotFound(fault()))
    }

    /// These without any but one, which must be there.
    fn only(mut self, name: &str) -> Result<Self, Error> {
        self.find(name)?;
        self.all.retain(|other, _| other == name);
        Ok(self)
    }
}

/// Does what a command says with the contexts of a file. Answers with those that it was about, as they are
/// now, a deleted one as it was; and with what else there is to say, for standard error.
///
/// # Errors
/// If the file is faulty or cannot be read or written, and if the context is not there.
pub fn run(command: &ContextCommand, path: &Path) -> Result<(Contexts, Option<String>), Error> {
    use ContextCommand::{Delete, List, Rename, Set, Show, Use};
    match command {
        List => Ok((read(path)?, None)),
        Show { name } => {
            let contexts = read(path)?;
            let none =
                "there is no current context; give a name, or choose one with milepost context use NAME";
            let name = name.clone().or_else(|| contexts.current.clone());
            Ok((contexts.only(&name.ok_or_else(|| Error::NotFound(none.to_owned()))?)?, None))
        }
        Set { name, .. } | Use { name } | Delete { name } | Rename { new: name, .. } => {
            let (note, before, after) = update(path, |before, text| change(command, before, text))?;
            let shown = if after.all.contains_key(name) { after } else { before };
            Ok((shown.only(name)?, note))
        }
    }
}

/// Makes the change of a command in the text of a file; answers with a note.
fn change(
    command: &ContextCommand,
    before: &Contexts,
    text: &mut DocumentMut,
) -> Result<Option<String>, Error> {
    match command {
        ContextCommand::List | ContextCommand::Show { .. } => Ok(None),
        ContextCommand::Set { name, settings, clear } => {
            let context = contexts(text).entry(name).or_insert(toml_edit::table());
            let context = context.as_table_like_mut().expect("a context that was read is a table");
            clear.iter().for_each(|key| drop(context.remove(key)));
            let mut settings =
                settings.clone().with_whole_paths().map_err(|error| Error::Other(error.into()))?;
            for (key, text) in settings.slots() {
                let value = |text: &str| if key == "utc" { (text == "true").into() } else { text.into() };
                text.iter().for_each(|text| put(context, key, value(text)));
            }
            Ok(Some(if before.all.is_empty() {
                put(text.as_table_mut(), "current", name.into());
                format!("{name} is created; it is the first, so it is the current context")
            } else if before.all.contains_key(name) {
                format!("{name} is changed")
            } else {
                format!("{name} is created; milepost context use {name} makes it the current one")
            }))
        }
        ContextCommand::Use { name } => {
            before.find(name)?;
            put(text.as_table_mut(), "current", name.into());
            Ok(Some(format!("{name} is now the current context")))
        }
        ContextCommand::Delete { name } => {
            before.find(name)?;
            contexts(text).remove(name);
            if before.current.as_ref() != Some(name) {
                return Ok(None);
            }
            text.remove("current");
            Ok(Some("there is no current context now; milepost context use NAME chooses one".to_owned()))
        }
        ContextCommand::Rename { old, new } => {
            before.find(old)?;
            if before.all.contains_key(new) {
                return Err(Error::Exists(new.clone()));
            }
            let context = contexts(text).remove(old).unwrap_or_default();
            contexts(text).insert(new, context);
            if before.current.as_ref() == Some(old) {
                put(text.as_table_mut(), "current", new.into());
            }
            Ok(Some(format!("{old} is now called {new}")))
        }
    }
}

/// The table of all contexts, in a text that was read.
fn contexts(text: &mut DocumentMut) -> &mut dyn TableLike {
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let contexts = text.entry("contexts").or_insert(Item::Table(implicit));
    contexts.as_table_like_mut().expect("contexts that were read are a table")
}

/// Sets a value; the comments around an earlier one stay.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    let place = table.entry(key).or_insert(Item::None);
    if let Some(earlier) = place.as_value() {
        *value.decor_mut() = earlier.decor().clone();
    }
    *place = Item::Value(value);
}

/// What is said of a word that is none of those that are known.
fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let meant = nearest(given, known.iter().copied()).map(|meant| format!("; did you mean {meant}?"));
    format!("there is no {what} {given:?}; there are {}{}", known.join(", "), meant.unwrap_or_default())
}

/// The name of a context, or what is wrong with it.
fn name(text: &str) -> Result<String, String> {
    let odd = |character: char| character.is_whitespace() || character.is_control();
    match text.is_empty() || text.starts_with('-') || text.contains(odd) {
        true => Err("a name is not empty, has no blanks, and does not begin with -".to_owned()),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
