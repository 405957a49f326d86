//! Contexts: named sets of client settings in one file, as users of kubectl and docker know them.
//!
//! Invariant: setting by setting, flags win over the environment, the environment over the context, the
//! context over defaults; every faulty value is named with its place. Reads no environment and prints
//! nothing: callers pass in what the environment and the rules are, and print what comes back. Asks no
//! server.

mod command;
mod document;
mod file;

use std::{fmt, io, path::PathBuf};

use crate::cli::value::duration;

pub use command::{ContextCommand, Outcome, Row, run};
pub use document::Contexts;
pub use file::{path, read};

/// What the settings are called in the file, as flags and for `--clear`. The environment has the first four.
pub const KEYS: [&str; 6] = ["endpoint", "portfolio", "format", "principal", "timeout", "utc"];

const SERVICES: [&str; 3] = ["registry", "tracker", "notifier"];

/// What the caller knows about values.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The formats that there are.
    pub formats: &'static [&'static str],
    /// Says what is wrong with a span of time, and how it is written.
    pub timeout: fn(&str) -> Result<(), String>,
    /// The word of a list that a misspelt one was probably meant to be.
    pub nearest: fn(&str, &[&str]) -> Option<String>,
}

impl Rules {
    /// Says what is wrong with a text, and what would be right.
    fn check(&self, key: &str, text: &str) -> Result<(), String> {
        match key {
            _ if text.trim().is_empty() => Err("it is empty; give a value, or leave it out".to_owned()),
            "format" if !self.formats.contains(&text) => Err(self.unknown("format", text, self.formats)),
            "timeout" => (self.timeout)(text),
            _ => Ok(()),
        }
    }

    /// What is said of a word that is none of those that are known.
    fn unknown(&self, what: &str, given: &str, known: &[&str]) -> String {
        let meant = (self.nearest)(given, known).map(|meant| format!("; did you mean {meant}?"));
        format!("there is no {what} {given:?}; there are {}{}", known.join(", "), meant.unwrap_or_default())
    }
}

/// Where the servers are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum EndpointSetting {
    /// All services at one URL.
    One(String),
    /// Each service at its own.
    Each {
        /// That of the registry.
        registry: String,
        /// That of the tracker.
        tracker: String,
        /// That of the notifier.
        notifier: String,
    },
}

impl EndpointSetting {
    /// Reads `http://host:7400`, or `registry=http://…,tracker=http://…,notifier=http://…` in any order.
    ///
    /// # Errors
    /// Every fault: what is no `http` or `https` URL; services that are missing, unknown or there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.split_once('=').is_none_or(|(before, _)| before.contains(':')) {
            return check_url(text).map(|()| Self::One(text.to_owned()));
        }
        let parts = text.split(',').map(str::trim);
        Self::each(parts.map(|part| part.split_once('=').unwrap_or((part, ""))))
    }

    fn each<'a>(urls: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let (mut found, mut faults) = ([None, None, None], Vec::new());
        for (service, url) in urls {
            match SERVICES.iter().position(|known| *known == service) {
                None => {
                    faults.push(format!("there is no service {service:?}; there are {}", SERVICES.join(", ")))
                }
                Some(at) if found[at].is_some() => faults.push(format!("{service} is given twice")),
                Some(at) => {
                    faults.extend(check_url(url).err().map(|fault| format!("{service}: {fault}")));
                    found[at] = Some(url.to_owned());
                }
            }
        }
        let missing = SERVICES.iter().zip(&found).filter(|(_, url)| url.is_none());
        faults.extend(missing.map(|(service, _)| format!("{service} is missing; give all three")));
        match found {
            [Some(registry), Some(tracker), Some(notifier)] if faults.is_empty() => {
                Ok(Self::Each { registry, tracker, notifier })
            }
            _ => Err(faults.join("; ")),
        }
    }
}

impl fmt::Display for EndpointSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(url) => f.write_str(url),
            Self::Each { registry, tracker, notifier } => {
                write!(f, "registry={registry},tracker={tracker},notifier={notifier}")
            }
        }
    }
}

fn check_url(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    let odd = |character: char| character == ',' || character.is_whitespace() || character.is_control();
    match rest.is_empty() || rest.starts_with(['/', ':', '?', '#']) || rest.contains(odd) {
        true => Err(format!("{text:?} is no URL of a server; write http://host:port")),
        false => Ok(()),
    }
}

/// Settings of the client, each of which may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, serde::Serialize)]
pub struct Settings {
    /// The server, or registry=URL,tracker=URL,notifier=URL [default: MILEPOST_ENDPOINT, the context's, or http://127.0.0.1:7400]
    #[arg(short = 'e', long, global = true, value_name = "URL", value_parser = EndpointSetting::parse)]
    pub endpoint: Option<EndpointSetting>,
    /// The id of the portfolio that is meant where none is named [default: MILEPOST_PORTFOLIO, or the context's]
    #[arg(short = 'p', long, global = true, value_name = "ID", id = "default_portfolio")]
    pub portfolio: Option<String>,
    /// How answers are printed: table, json or csv [default: MILEPOST_FORMAT, the context's, or table]
    #[arg(short = 'o', long, global = true, value_name = "FORMAT", value_parser = ["table", "json", "csv"])]
    pub format: Option<String>,
    /// Who makes the changes: an id, for the record; nobody checks it [default: MILEPOST_PRINCIPAL, or the context's]
    #[arg(long, global = true, value_name = "ID")]
    pub principal: Option<String>,
    /// How long a call may take, as in 10s or 500ms; attempts to reach the server included [default: the context's, or 10s]
    #[arg(long, global = true, value_name = "SPAN", value_parser = span)]
    pub timeout: Option<String>,
    /// Shows times in UTC [default: the context's; else in the portfolio's time zone, or the system's; JSON is always in UTC]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub utc: Option<bool>,
}

impl Settings {
    /// These settings, and those below where nothing is set here.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            endpoint: self.endpoint.or(below.endpoint),
            portfolio: self.portfolio.or(below.portfolio),
            format: self.format.or(below.format),
            principal: self.principal.or(below.principal),
            timeout: self.timeout.or(below.timeout),
            utc: self.utc.or(below.utc),
        }
    }

    /// The settings that environment variables have, as in `MILEPOST_ENDPOINT`; an empty one is not set.
    ///
    /// # Errors
    /// Every variable with a faulty value.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<String>,
        rules: &Rules,
    ) -> Result<Self, ContextError> {
        let (mut settings, mut faults) = (Self::default(), Vec::new());
        for key in &KEYS[..4] {
            let name = format!("MILEPOST_{}", key.to_uppercase());
            let text = lookup(&name).filter(|text| !text.is_empty());
            let fault = text.and_then(|text| settings.set(key, &text, rules).err());
            faults.extend(fault.map(|fault| format!("{name}: {fault}")));
        }
        if faults.is_empty() { Ok(settings) } else { Err(ContextError::Faults(faults)) }
    }

    /// Sets one that is written as a text.
    fn set(&mut self, key: &str, text: &str, rules: &Rules) -> Result<(), String> {
        rules.check(key, text)?;
        match key {
            "endpoint" => self.endpoint = Some(EndpointSetting::parse(text)?),
            "portfolio" => self.portfolio = Some(text.to_owned()),
            "format" => self.format = Some(text.to_owned()),
            "principal" => self.principal = Some(text.to_owned()),
            _ => self.timeout = Some(text.to_owned()),
        }
        Ok(())
    }

    fn clear(&mut self, key: &str) {
        match key {
            "endpoint" => self.endpoint = None,
            "portfolio" => self.portfolio = None,
            "format" => self.format = None,
            "principal" => self.principal = None,
            "timeout" => self.timeout = None,
            _ => self.utc = None,
        }
    }

    /// Those that are only texts, by key.
    fn texts(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        let texts = [&self.portfolio, &self.format, &self.principal, &self.timeout];
        KEYS[1..].iter().copied().zip(texts.map(Option::as_deref))
    }
}

/// A span of time, as it is written.
fn span(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

/// Why something could not be done with contexts.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Values break rules: all that do, each after its place.
    #[error("{} fault{} in the settings\n  {}", .0.len(), if .0.len() == 1 {""} else {"s"}, .0.join("\n  "))]
    Faults(Vec<String>),
    /// There is no context of that name, or no current one.
    #[error("{0}")]
    NotFound(String),
    /// There is a context of that name already.
    #[error("there is a context {0:?} already; give another name, or delete that one first")]
    Exists(String),
    /// The file cannot be read or written.
    #[error("{} cannot be {verb}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Says what is wrong with the name of a context.
fn check_name(name: &str) -> Result<(), String> {
    let odd = |character: char| character.is_whitespace() || character.is_control();
    match name.is_empty() || name.starts_with('-') || name.contains(odd) {
        true => Err("a name is not empty, has no blanks, and does not begin with -".to_owned()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
