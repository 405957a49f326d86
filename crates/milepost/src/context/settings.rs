//! The settings of the client: their flags, their keys, and what each may hold.
//!
//! Invariant: every setting is a text that keeps its rule, whether a flag, a variable or the file set it. An
//! endpoint is one URL, or `registry=URL,tracker=URL,notifier=URL` in this order. A
//! token is never among them, since contexts are kept in a file: only the file that it is in. Connects to nothing.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use milepost_client::{Endpoint, TlsOptions};
use milepost_service::config::{Fault, Faults, Source};
use milepost_types::LedgerKind;
use serde_json::{Map, Value, json};

use super::unknown;
use crate::cli::read::duration;

/// The longest time that a call may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How many settings have variables.
const VARIABLES: usize = 9;
const FORMATS: [&str; 3] = ["table", "json", "csv"];

/// Settings of the client, each of which may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// The server, or registry=URL,tracker=URL,notifier=URL [default: MILEPOST_ENDPOINT, the context's, or http://127.0.0.1:7400]
    #[arg(short = 'e', long, global = true, value_name = "URL", value_parser = endpoint)]
    pub endpoint: Option<String>,
    /// The id of the portfolio that is meant where none is named [default: MILEPOST_PORTFOLIO, or the context's]
    #[arg(short = 'p', long, global = true, value_name = "ID", id = "default_portfolio")]
    #[arg(value_parser = filled)]
    pub portfolio: Option<String>,
    /// How answers are printed: table, json or csv [default: MILEPOST_FORMAT, the context's, or table]
    #[arg(short = 'o', long, global = true, value_name = "FORMAT", value_parser = FORMATS)]
    pub format: Option<String>,
    /// Who makes the changes: an id, for the record; it is not checked [default: MILEPOST_PRINCIPAL, or the context's]
    #[arg(long, global = true, value_name = "ID", value_parser = filled)]
    pub principal: Option<String>,
    /// The principal that the calls are made for: who makes them has the role delegate, where the server has access control [default: MILEPOST_ON_BEHALF_OF, or the context's]
    #[arg(long, global = true, value_name = "PRINCIPAL", value_parser = filled)]
    pub on_behalf_of: Option<String>,
    /// The CAs that may sign the server's certificate, a PEM file [default: MILEPOST_CA, the context's, or those the system trusts]
    #[arg(long, global = true, value_name = "FILE", value_parser = filled)]
    pub ca: Option<String>,
    /// The client certificate that is shown to the server, a PEM file [default: MILEPOST_CERT, or the context's]
    #[arg(long, global = true, value_name = "FILE", value_parser = filled)]
    pub cert: Option<String>,
    /// The private key of the client certificate, a PEM file [default: MILEPOST_CERT_KEY, or the context's]
    #[arg(long, global = true, value_name = "FILE", value_parser = filled)]
    pub cert_key: Option<String>,
    /// A file with the token that proves who makes the calls [default: MILEPOST_TOKEN_FILE, or the context's]
    #[arg(long, global = true, value_name = "FILE", value_parser = filled)]
    pub token_file: Option<String>,
    /// How long a call may take, as in 10s or 500ms; attempts to reach the server included [default: the context's, or 10s]
    #[arg(long, global = true, value_name = "SPAN", value_parser = span)]
    pub timeout: Option<String>,
    /// Shows times in UTC [default: the context's; else in the portfolio's time zone, or the system's; JSON and CSV are always in UTC]
    #[arg(long, global = true, value_name = "BOOL", value_parser = ["true", "false"])]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub utc: Option<String>,
}

impl Settings {
    /// What the settings are called everywhere. The environment has the first [`VARIABLES`].
    pub fn keys() -> [&'static str; 11] {
        Self::default().slots().map(|(key, _)| key)
    }

    /// Every setting after its key.
    pub fn slots(&mut self) -> [(&'static str, &mut Option<String>); 11] {
        [
            ("endpoint", &mut self.endpoint),
            ("portfolio", &mut self.portfolio),
            ("format", &mut self.format),
            ("principal", &mut self.principal),
            ("on_behalf_of", &mut self.on_behalf_of),
            ("ca", &mut self.ca),
            ("cert", &mut self.cert),
            ("cert_key", &mut self.cert_key),
            ("token_file", &mut self.token_file),
            ("timeout", &mut self.timeout),
            ("utc", &mut self.utc),
        ]
    }

    /// These settings with whole paths, so that they are of the same files wherever a command runs.
    ///
    /// # Errors
    /// If this process has no directory.
    pub fn with_whole_paths(mut self) -> io::Result<Self> {
        for path in
            [&mut self.ca, &mut self.cert, &mut self.cert_key, &mut self.token_file].into_iter().flatten()
        {
            *path = std::path::absolute(&*path)?.to_string_lossy().into_owned();
        }
        Ok(self)
    }

    /// What connections trust and show.
    pub fn tls(&self) -> TlsOptions {
        let path = |text: &Option<String>| text.as_ref().map(PathBuf::from);
        TlsOptions {
            ca: path(&self.ca),
            certificate: path(&self.cert),
            key: path(&self.cert_key),
            domain: None,
        }
    }

    /// These settings, and those below where nothing is set here.
    #[must_use]
    pub fn over(mut self, mut below: Self) -> Self {
        let pairs = self.slots().into_iter().zip(below.slots());
        pairs.for_each(|((_, own), (_, below))| *own = own.take().or(below.take()));
        self
    }

    /// The settings that environment variables have, as in `MILEPOST_ENDPOINT`; an empty one is not set.
    ///
    /// # Errors
    /// Every variable with a faulty value.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let (mut settings, mut faults) = (Self::default(), Vec::new());
        for key in &Self::keys()[..VARIABLES] {
            let name = format!("MILEPOST_{}", key.to_uppercase());
            let text = lookup(&name).filter(|text| !text.is_empty());
            if let Some(message) = text.and_then(|text| settings.set(key, &text).err()) {
                faults.push(Fault { source: Source::Environment(name), key: None, message });
            }
        }
        if faults.is_empty() { Ok(settings) } else { Err(Faults(faults)) }
    }

    /// Sets the one of this key, which is among the [`keys`](Self::keys), or says what is wrong.
    pub(super) fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        let text = match key {
            "endpoint" => endpoint(text)?,
            "format" if !FORMATS.contains(&text) => return Err(unknown("format", text, &FORMATS)),
            "timeout" => span(text)?,
            _ => filled(text)?,
        };
        let slot = self.slots().into_iter().find_map(|(known, slot)| (known == key).then_some(slot));
        *slot.expect("callers know the keys") = Some(text);
        Ok(())
    }

    /// As JSON: `utc` is a boolean, endpoints of services are an object, what is absent is null.
    pub fn json(mut self) -> Map<String, Value> {
        let value = |key, text: &str| match (key, services(text)) {
            ("utc", _) => json!(text == "true"),
            ("endpoint", Some(urls)) => urls.into_iter().collect(),
            _ => json!(text),
        };
        let slots = self.slots().into_iter();
        slots.map(|(key, text)| (key.to_owned(), json!(text.as_ref().map(|text| value(key, text))))).collect()
    }
}

/// The services that an endpoint names, each with its URL; none if it is one URL.
pub fn services(endpoint: &str) -> Option<Vec<(&str, &str)>> {
    // In a URL a colon comes before any equals sign.
    endpoint.split_once('=').filter(|(before, _)| !before.contains(':'))?;
    let parts = endpoint.split(',').map(str::trim);
    Some(parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect())
}

/// An endpoint as it is kept, or every fault of it.
fn endpoint(text: &str) -> Result<String, String> {
    let check = |url: &str| Endpoint::parse(url).err().map(|error| error.to_string());
    let Some(given) = services(text) else { return check(text).map_or_else(|| Ok(text.to_owned()), Err) };
    let known = LedgerKind::ALL.map(LedgerKind::as_str);
    let others = given.iter().filter(|(service, _)| !known.contains(service));
    let mut faults: Vec<String> = others.map(|(service, _)| unknown("service", service, &known)).collect();
    let mut kept = Vec::new();
    for service in known {
        let urls: Vec<&str> = given.iter().filter(|(of, _)| *of == service).map(|(_, url)| *url).collect();
        match urls[..] {
            [] => faults.push(format!("{service} is missing; give all three")),
            [url] => faults.extend(check(url).map(|fault| format!("{service}: {fault}"))),
            _ => faults.push(format!("{service} is given twice")),
        }
        kept.extend(urls.iter().map(|url| format!("{service}={url}")));
    }
    if faults.is_empty() { Ok(kept.join(",")) } else { Err(faults.join("; ")) }
}

fn span(text: &str) -> Result<String, String> {
    match duration(text)? {
        span if span > LONGEST => Err("it is longer than 24h".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn filled(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("it is empty; give a value, or leave it out".to_owned()),
        false => Ok(text.to_owned()),
    }
}
