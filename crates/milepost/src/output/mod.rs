//! The output for people and programs: tables and cards, canonical proto3 JSON, and CSV, on standard output.
//!
//! Invariant: standard output carries data only; everything else goes to standard error. Nothing is coloured,
//! and nothing is wrapped, unless standard output is a terminal. What is shown of a message is read from its
//! schema; which call is made is decided in `cli`.

pub mod chart;
pub mod column;
pub mod csv;
pub mod event;
pub mod json;
pub mod markup;
pub mod pipe;
pub mod plan;
pub mod progress;
pub mod reset;
pub mod standings;
pub mod table;
pub mod text;
pub mod value;
pub mod wall;
pub mod width;
pub mod zone;

use std::cell::Cell;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use milepost_types::filter;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage};
use serde_json::{Value, json};

use crate::cli::Columns;
use crate::context::{Contexts, Settings};
use crate::error::Error;
use crate::schema::field::Shape;
use crate::schema::resource_of;
use column::Column;
use table::{Rendered, Room};
use zone::{Zone, Zones};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// Canonical proto3 JSON, for programs.
    Json,
    /// Comma-separated values, a row for each resource, for office software.
    Csv,
}

/// Where answers are printed, and how.
#[derive(Debug, Clone)]
pub struct Output {
    /// For whom it is printed.
    pub format: Format,
    /// Columns of the terminal; `None`: no terminal, nothing is wrapped.
    pub columns: Option<u16>,
    /// Whether colours are shown.
    pub colour: bool,
    /// In which zones times are shown in tables.
    pub zones: Zones,
}

/// A list that is shown page by page.
#[derive(Debug)]
pub struct List {
    columns: Vec<Column>,
    choice: Columns,
    under: String,
    begun: Cell<bool>,
}

impl Output {
    /// Whether answers are printed whole, as JSON.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Standard output, as what it is.
    pub fn stdout(format: Format, zones: Zones) -> Self {
        let terminal = console::Term::stdout();
        let columns = terminal.is_term().then(|| terminal.size().1).filter(|columns| *columns > 0);
        let choice = AutoStream::choice(&std::io::stdout());
        let colour = columns.is_some() && !matches!(choice, ColorChoice::Never);
        Self { format, columns, colour, zones }
    }

    /// Says something beside the data, on standard error: as a JSON object where programs read.
    pub fn note(&self, text: &str) {
        match self.format {
            Format::Json => note(json!({"note": text}).to_string().as_str()),
            _ => note(text),
        }
    }

    /// The text of one answer: its JSON, or the card or row of the resource in it, else of the answer itself.
    ///
    /// # Errors
    /// If it cannot be shown so.
    pub fn one(&self, answer: &DynamicMessage) -> Result<String, Error> {
        match self.format {
            Format::Json => Ok(json::pretty(&json::of(answer))),
            Format::Table => {
                let shown = shown(answer);
                let zone = self.zones.zone(self.zones.portfolio(&shown, "").as_deref());
                Ok(table::card(&card(&shown, &zone), self.columns, self.colour))
            }
            Format::Csv => {
                let shown = shown(answer);
                Ok(csv::list(&column::chosen(&shown.descriptor(), &[], true)?, &[shown], false))
            }
        }
    }

    /// A list of messages of a type under a parent, to be printed.
    ///
    /// # Errors
    /// If a column that is asked for is none of the message.
    pub fn list(&self, message: &MessageDescriptor, under: &str, choice: &Columns) -> Result<List, Error> {
        let wide = choice.wide || self.format == Format::Csv;
        let mut columns = column::chosen(message, &choice.columns, wide)?;
        if choice.deleted && choice.columns.is_empty() && !wide {
            columns.extend(column::chosen(message, &["delete_time".to_owned()], false)?);
        }
        Ok(List { columns, choice: choice.clone(), under: under.to_owned(), begun: Cell::new(false) })
    }

    /// Whether a list is printed piece by piece as it comes: it needs to know nothing of what follows.
    pub fn is_streamed(&self) -> bool {
        self.format != Format::Table
    }

    /// The text of a piece of a list, and the headers that had no room.
    pub fn piece(&self, list: &List, messages: &[DynamicMessage]) -> Rendered {
        let text = match self.format {
            Format::Json => messages.iter().map(|message| json::line(&json::of(message))).collect(),
            Format::Csv if list.begun.replace(true) => csv::rows(&list.columns, messages),
            Format::Csv => csv::list(&list.columns, messages, list.choice.bom),
            Format::Table => return self.table(list, messages),
        };
        Rendered { text, left_out: Vec::new() }
    }

    fn table(&self, list: &List, messages: &[DynamicMessage]) -> Rendered {
        let Some(first) = messages.first() else { return Rendered::default() };
        let zone = |message| self.zones.zone(self.zones.portfolio(message, &list.under).as_deref());
        let zones: Vec<Zone> = messages.iter().map(zone).collect();
        let columns = (1..).zip(&list.columns).map(|(place, column)| {
            let rows = messages.iter().zip(&zones);
            let cells = rows.map(|(message, zone)| column.cell(message, &list.under, zone)).collect();
            column.head(&first.descriptor(), place, cells)
        });
        // If all is asked for the table is as wide as it is; the terminal breaks the lines.
        let columns_shown = self.columns.map(|columns| if list.choice.wide { u16::MAX } else { columns });
        table::render(columns.collect(), columns_shown, self.colour)
    }

    /// Whether showing a list needs the time zones of what is in it.
    pub fn needs_zones(&self, list: &List) -> bool {
        self.format == Format::Table && list.columns.iter().any(|column| column.shape() == Shape::Instant)
    }

    /// What can be filtered by: fields, types and operators.
    pub fn fields(&self, fields: &[filter::Field<usize>]) -> String {
        let object = |field: &filter::Field<usize>| {
            let kind = field.kind();
            json!({"field": field.path(), "holds": kind.words(), "operators": kind.operators()})
        };
        self.objects(&["field", "holds", "operators"], fields.iter().map(object)).text
    }

    /// Contexts, the current one marked.
    pub fn contexts(&self, contexts: Contexts) -> Rendered {
        let Contexts { current, all } = contexts;
        let object = |(name, settings): (String, Settings)| {
            let mut object = json!({"name": name, "current": current.as_ref() == Some(&name)});
            settings.json().into_iter().for_each(|(key, value)| object[key] = value);
            object
        };
        let objects: Vec<Value> = all.into_iter().map(object).collect();
        // A terminal has little room: what no context sets is left out there, and nowhere else.
        let is_whole = self.format != Format::Table || self.columns.is_none();
        let is_shown = |key: &&str| is_whole || objects.iter().any(|object| !object[*key].is_null());
        let keys = ["name", "current"].into_iter().chain(Settings::keys());
        let keys: Vec<&str> = keys.filter(is_shown).collect();
        self.objects(&keys, objects.into_iter())
    }

    /// Objects with these keys: a table whose first three columns stay, rows of CSV, or a JSON object
    /// a line.
    fn objects(&self, keys: &[&str], objects: impl Iterator<Item = Value>) -> Rendered {
        if self.format == Format::Json {
            return Rendered {
                text: objects.map(|object| json::line(&object)).collect(),
                left_out: Vec::new(),
            };
        }
        let text = |value: &Value| match value {
            Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Value::Null if self.format == Format::Csv => String::new(),
            Value::Null => text::ABSENT.to_owned(),
            Value::Object(parts) => {
                let part = |(key, value): (&String, &Value)| Some(format!("{key}={}", value.as_str()?));
                parts.iter().filter_map(part).collect::<Vec<_>>().join(",")
            }
            value => value.as_str().unwrap_or_default().to_owned(),
        };
        let objects: Vec<Value> = objects.collect();
        if self.format == Format::Csv {
            let row = |object: &Value| keys.iter().map(|key| text(&object[*key])).collect();
            let header = keys.iter().map(|key| (*key).to_owned()).collect();
            let text = csv::records(std::iter::once(header).chain(objects.iter().map(row)));
            return Rendered { text, left_out: Vec::new() };
        }
        let column = |(place, key): (usize, &&str)| {
            let cells = objects.iter().map(|object| text(&object[*key]).into());
            table::Column::new(&key.to_uppercase(), Room::Name, if place < 3 { 0 } else { place }, cells)
        };
        let columns = keys.iter().enumerate().map(column).collect();
        table::render(columns, self.columns, self.colour)
    }
}

/// What of an answer is shown: the one message in it that it is about, or the answer itself.
pub fn shown(answer: &DynamicMessage) -> DynamicMessage {
    let is_about = |message: &DynamicMessage| {
        let descriptor = message.descriptor();
        resource_of(&descriptor).is_some() || descriptor.full_name() == event::MESSAGE
    };
    let inner = answer.fields().find_map(|(_, value)| value.as_message().filter(|inner| is_about(inner)));
    inner.unwrap_or(answer).clone()
}

/// The lines of a card: what is there of a message, each after its label.
fn card(message: &DynamicMessage, zone: &Zone) -> Vec<(String, String)> {
    let descriptor = message.descriptor();
    let is_resource = resource_of(&descriptor).is_some();
    let mut columns = event::columns(&descriptor).unwrap_or_default();
    let is_event = !columns.is_empty();
    for field in column::in_order(&descriptor) {
        // What an event carries is said in its detail; the revision is for programs.
        let said =
            is_event && field.containing_oneof().is_some() || !is_resource && field.name() == "revision";
        if !said && columns.iter().all(|column| column.name != field.name()) {
            columns.push(Column::of(field));
        }
    }
    let lines = columns.into_iter().filter_map(|column| {
        let unit = if column.name.ends_with("_working_days") { " in working days" } else { "" };
        let label = column::label(&column.name);
        let lines = column.lines(message, zone);
        (!lines.is_empty()).then(|| (label[..1].to_uppercase() + &label[1..] + unit, lines.join("\n")))
    });
    lines.collect()
}

/// Writes text to standard output, and out of the process before anything else happens.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Replaces a file that others may read, when all of it is written.
///
/// # Errors
/// If it cannot be written; what was there before is there still.
pub fn replace(path: &Path, document: &str) -> Result<(), Error> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let readable = Permissions::from_mode(0o644);
    let written = tempfile::Builder::new().permissions(readable).tempfile_in(dir).and_then(|mut file| {
        file.write_all(document.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(Error::write(path))
}

/// Says something beside the data, on standard error.
pub fn note(text: &str) {
    // If standard error is closed, the note is lost.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests;
