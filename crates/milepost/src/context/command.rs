//! `milepost context`: shows contexts and changes them.
//!
//! Invariant: a command that fails leaves the file as it was. Prints nothing: data and notes go back to the
//! caller.

use std::path::Path;

use clap::Subcommand;

use super::file::{read, update};
use super::{ContextError, Contexts, KEYS, Rules, Settings, check_name};

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
        #[arg(value_parser = new_name)]
        name: String,
        #[command(flatten)]
        settings: Settings,
        /// Leaves a setting out, before others are set; may be repeated
        #[arg(long, value_name = "FIELD", value_parser = KEYS)]
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
        #[arg(value_parser = new_name)]
        new: String,
    },
}

/// A context, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Its settings.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What a command showed or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The contexts that it was about, as they are now; a deleted one as it was.
    pub rows: Vec<Row>,
    /// What else there is to say, one sentence each; for standard error.
    pub notes: Vec<String>,
}

/// Does what a command says with the contexts of a file.
///
/// # Errors
/// If the file is faulty or cannot be read or written, if the context is not there, and every faulty setting.
pub fn run(command: &ContextCommand, path: &Path, rules: &Rules) -> Result<Outcome, ContextError> {
    match command {
        ContextCommand::List | ContextCommand::Show { .. } => act(command, &mut read(path, rules)?, rules),
        _ => update(path, rules, |contexts| act(command, contexts, rules)),
    }
}

fn act(command: &ContextCommand, contexts: &mut Contexts, rules: &Rules) -> Result<Outcome, ContextError> {
    let found = |contexts: &Contexts, name: &str| match contexts.find(name, rules) {
        Ok(settings) => Ok(row(contexts, name, settings)),
        Err(fault) => Err(ContextError::NotFound(fault)),
    };
    let (name, note) = match command {
        ContextCommand::List => {
            let rows = contexts.all.iter().map(|(name, settings)| row(contexts, name, settings));
            return Ok(Outcome { rows: rows.collect(), notes: Vec::new() });
        }
        ContextCommand::Show { name } => {
            let none =
                "there is no current context; give a name, or choose one with milepost context use NAME";
            let name = name.clone().or_else(|| contexts.current.clone());
            (name.ok_or_else(|| ContextError::NotFound(none.to_owned()))?, None)
        }
        ContextCommand::Set { name, settings, clear } => {
            (name.clone(), Some(set(contexts, name, settings, clear, rules)?))
        }
        ContextCommand::Use { name } => {
            found(contexts, name)?;
            contexts.current = Some(name.clone());
            (name.clone(), Some(format!("{name} is now the current context")))
        }
        ContextCommand::Delete { name } => {
            let row = found(contexts, name)?;
            contexts.all.remove(name);
            contexts.current.take_if(|current| current == name);
            let left = "there is no current context now; milepost context use NAME chooses one";
            let notes = row.current.then(|| left.to_owned());
            return Ok(Outcome { rows: vec![row], notes: notes.into_iter().collect() });
        }
        ContextCommand::Rename { old, new } => {
            let row = found(contexts, old)?;
            if contexts.all.contains_key(new) {
                return Err(ContextError::Exists(new.clone()));
            }
            contexts.all.remove(old);
            contexts.all.insert(new.clone(), row.settings);
            if row.current {
                contexts.current = Some(new.clone());
            }
            (new.clone(), Some(format!("{old} is now called {new}")))
        }
    };
    Ok(Outcome { rows: vec![found(contexts, &name)?], notes: note.into_iter().collect() })
}

fn row(contexts: &Contexts, name: &str, settings: &Settings) -> Row {
    let current = contexts.current.as_deref() == Some(name);
    Row { name: name.to_owned(), current, settings: settings.clone() }
}

/// Creates or changes a context; returns what to say of it.
fn set(
    contexts: &mut Contexts,
    name: &str,
    settings: &Settings,
    clear: &[String],
    rules: &Rules,
) -> Result<String, ContextError> {
    let check =
        |(key, text): (&str, Option<&str>)| Some(format!("--{key}: {}", rules.check(key, text?).err()?));
    let faults: Vec<_> = settings.texts().filter_map(check).collect();
    if !faults.is_empty() {
        return Err(ContextError::Faults(faults));
    }
    let first = contexts.all.is_empty();
    let earlier = contexts.all.remove(name);
    let note = match &earlier {
        Some(_) => format!("{name} is changed"),
        None if first => format!("{name} is created; it is the first, so it is the current context"),
        None => format!("{name} is created; milepost context use {name} makes it the current one"),
    };
    let mut below = earlier.unwrap_or_default();
    clear.iter().for_each(|key| below.clear(key));
    contexts.all.insert(name.to_owned(), settings.clone().over(below));
    if first {
        contexts.current = Some(name.to_owned());
    }
    Ok(note)
}

fn new_name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}
