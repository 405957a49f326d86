//! Contexts: named sets of client settings in one file, as users of kubectl and docker know them.
//!
//! Invariant: setting by setting, flags win over the environment, the environment over the context, the
//! context over defaults; every faulty value is named with its place. Reads no environment and prints
//! nothing: callers pass in what the environment says, and print what comes back. Asks no server.

mod command;
mod file;
mod settings;

use std::collections::BTreeMap;

use milepost_types::suggest::nearest;

use crate::error::Error;

pub use command::{ContextCommand, run};
pub use file::{path, read};
pub use settings::{Settings, services};

/// The contexts of a file, or some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contexts {
    /// The name of the current one.
    pub current: Option<String>,
    /// By name.
    pub all: BTreeMap<String, Settings>,
}

impl Contexts {
    /// The settings of the context to use: of the one that `--context` or else `MILEPOST_CONTEXT` names, else
    /// of the current one; none if there is none.
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

    /// The settings of a context; or says that there is none of that name, and which there are.
    fn find(&self, name: &str) -> Result<&Settings, Error> {
        let known: Vec<&str> = self.all.keys().map(String::as_str).collect();
        let fault = || match known.is_empty() {
            true => {
                format!("there is no context {name:?}, and no other; milepost context set NAME creates one")
            }
            false => unknown("context", name, &known),
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
