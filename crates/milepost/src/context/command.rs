//! `milepost context`: shows contexts and changes them.
//!
//! Invariant: a command that fails leaves the file as it was. Prints nothing: data and notes go back to the
//! caller.

use std::path::Path;

use clap::Subcommand;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::file::{read, update};
use super::{Contexts, Settings, name, services};
use crate::error::Error;

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
        settings: Settings,
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

/// Does what a command says with the contexts of a file. Answers with those that it was about, as they are
/// now, a deleted one as it was; and with what else there is to say, for standard error.
///
/// # Errors
/// If the file is faulty or cannot be read or written, and if the context is not there.
pub fn run(command: &ContextCommand, path: &Path) -> Result<(Contexts, Option<String>), Error> {
    match command {
        ContextCommand::List => Ok((read(path)?, None)),
        ContextCommand::Show { name } => {
            let contexts = read(path)?;
            let none =
                "there is no current context; give a name, or choose one with milepost context use NAME";
            let name = name.clone().or_else(|| contexts.current.clone());
            let name = name.ok_or_else(|| Error::NotFound(none.to_owned()))?;
            Ok((contexts.only(&name)?, None))
        }
        ContextCommand::Set { name, settings, clear } => {
            change(path, name, |before, text| Ok(Some(set(before, text, name, settings, clear))))
        }
        ContextCommand::Use { name } => change(path, name, |before, text| {
            before.find(name)?;
            put(text.as_table_mut(), "current", Some(name.into()));
            Ok(Some(format!("{name} is now the current context")))
        }),
        ContextCommand::Delete { name } => change(path, name, |before, text| {
            before.find(name)?;
            contexts(text).remove(name);
            if before.current.as_ref() != Some(name) {
                return Ok(None);
            }
            text.remove("current");
            Ok(Some("there is no current context now; milepost context use NAME chooses one".to_owned()))
        }),
        ContextCommand::Rename { old, new } => change(path, new, |before, text| {
            before.find(old)?;
            if before.all.contains_key(new) {
                return Err(Error::Exists(new.clone()));
            }
            let context = contexts(text).remove(old).unwrap_or_default();
            contexts(text).insert(new, context);
            if before.current.as_ref() == Some(old) {
                put(text.as_table_mut(), "current", Some(new.into()));
            }
            Ok(Some(format!("{old} is now called {new}")))
        }),
    }
}

/// Makes a change, which answers with a note, and shows the context that it is about.
fn change(
    path: &Path,
    name: &str,
    change: impl FnOnce(&Contexts, &mut DocumentMut) -> Result<Option<String>, Error>,
) -> Result<(Contexts, Option<String>), Error> {
    let (note, before, after) = update(path, change)?;
    let shown = if after.all.contains_key(name) { after } else { before };
    Ok((shown.only(name)?, note))
}

/// Creates or changes a context; answers with the note.
fn set(
    before: &Contexts,
    text: &mut DocumentMut,
    name: &str,
    settings: &Settings,
    clear: &[String],
) -> String {
    let context = contexts(text).entry(name).or_insert(toml_edit::table());
    let context = context.as_table_like_mut().expect("a context that was read is a table");
    clear.iter().for_each(|key| put_setting(context, key, None));
    let mut settings = settings.clone();
    let given = settings.slots().into_iter().filter(|(_, text)| text.is_some());
    given.for_each(|(key, text)| put_setting(context, key, text.as_deref()));
    if before.all.is_empty() {
        put(text.as_table_mut(), "current", Some(name.into()));
        return format!("{name} is created; it is the first, so it is the current context");
    }
    match before.all.contains_key(name) {
        true => format!("{name} is changed"),
        false => format!("{name} is created; milepost context use {name} makes it the current one"),
    }
}

/// The table of all contexts, in a text that was read.
fn contexts(text: &mut DocumentMut) -> &mut dyn TableLike {
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let contexts = text.entry("contexts").or_insert(Item::Table(implicit));
    contexts.as_table_like_mut().expect("contexts that were read are a table")
}

/// Sets or removes a setting of a context; an endpoint in whichever form it is.
fn put_setting(context: &mut dyn TableLike, key: &str, text: Option<&str>) {
    let urls = text.filter(|_| key == "endpoint").and_then(services);
    let value = |text| if key == "utc" { (text == "true").into() } else { Value::from(text) };
    put(context, key, text.filter(|_| urls.is_none()).map(value));
    if key == "endpoint" {
        put(context, "endpoints", urls.map(Value::from_iter));
    }
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
