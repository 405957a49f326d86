//! The output for people and programs: tables and cards, canonical proto3 JSON, and CSV, on standard output.
//!
//! Invariant: standard output carries data only; everything else goes to standard error. Nothing is
//! coloured, and nothing is wrapped, unless standard output is a terminal. What is shown of a message is read from its
//! schema; which call is made is decided in `cli`.

pub mod caret;
pub mod column;
mod csv;
pub mod event;
pub mod json;
pub mod pipe;
pub mod progress;
pub mod reset;
pub mod table;
pub mod text;
pub mod value;
pub mod width;
mod wrap;
pub mod zone;

use std::cell::Cell;
use std::io::Write;

use anstream::{AutoStream, ColorChoice};
use milepost_types::filter;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage};
use serde_json::json;

use crate::cli::Columns;
use crate::context::{Contexts, Settings};
use crate::error::Error;
use crate::schema::field::Shape;
use crate::schema::resource_of;
use column::{Choice, Column};
use table::Terminal;
use zone::{Place, Zone, Zones};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// Canonical proto3 JSON, for programs.
    Json,
    /// Comma-separated values, for office software; for lists only.
    Csv,
}

/// Where answers are printed, and how.
#[derive(Debug, Clone)]
pub struct Output {
    /// How.
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
    /// Standard output, as what it is.
    pub fn stdout(format: Format, zones: Zones) -> Self {
        let colour = !matches!(AutoStream::choice(&std::io::stdout()), ColorChoice::Never);
        let terminal = console::Term::stdout();
        let columns = terminal.is_term().then(|| terminal.size().1).filter(|columns| *columns > 0);
        Self { format, columns, colour, zones }
    }

    /// Says something beside the data, on standard error: as a JSON object where programs read.
    pub fn note(&self, text: &str) {
        match self.format {
            Format::Json => note(json!({"note": text}).to_string().as_str()),
            _ => note(text),
        }
    }

    fn terminal(&self) -> Option<Terminal> {
        self.columns.map(|columns| Terminal { columns, colour: self.colour })
    }

    /// Prints one answer: the card of the resource in it, or of the answer itself; or the answer as JSON.
    ///
    /// # Errors
    /// If it cannot be printed so.
    pub fn one(&self, answer: &DynamicMessage) -> Result<(), Error> {
        print(&self.one_text(answer)?)
    }

    fn one_text(&self, answer: &DynamicMessage) -> Result<String, Error> {
        match self.format {
            Format::Json => Ok(json::pretty(&json::of(answer))),
            Format::Table => {
                let shown = shown(answer);
                let zone = self.zones.zone(&place(&shown), "");
                Ok(table::card(&card(&shown, &zone), self.terminal()))
            }
            Format::Csv => Err(Error::Usage("CSV is for lists; give --format json or table".to_owned())),
        }
    }

    /// A list of messages of a type under a parent, to be printed.
    ///
    /// # Errors
    /// If a column that is asked for is none of the message.
    pub fn list(&self, message: &MessageDescriptor, under: &str, choice: &Columns) -> Result<List, Error> {
        let wide = choice.wide || (self.format == Format::Csv && choice.columns.is_empty());
        let columns = column::chosen(message, &Choice { named: choice.columns.clone(), wide })?;
        Ok(List { columns, choice: choice.clone(), under: under.to_owned(), begun: Cell::new(false) })
    }

    /// Whether a list is printed piece by piece as it comes: it needs to know nothing of what follows.
    pub fn is_streamed(&self) -> bool {
        self.format != Format::Table
    }

    /// The text of a piece of a list, and the headers that had no room.
    pub fn piece(&self, list: &List, messages: &[DynamicMessage]) -> (String, Vec<String>) {
        match self.format {
            Format::Json => {
                (messages.iter().map(|message| json::line(&json::of(message))).collect(), Vec::new())
            }
            Format::Csv => {
                let begun = list.begun.replace(true);
                let header = if begun { String::new() } else { csv::header(&list.columns, list.choice.bom) };
                let rows = messages.iter().map(|message| csv::row(&list.columns, message));
                (std::iter::once(header).chain(rows).collect(), Vec::new())
            }
            Format::Table => {
                let descriptor = messages.first().map(ReflectMessage::descriptor);
                let Some(descriptor) = descriptor else { return (String::new(), Vec::new()) };
                let head = |(place, column): (usize, &Column)| column.head(&descriptor, place + 1);
                let heads: Vec<_> = list.columns.iter().enumerate().map(head).collect();
                let row = |message: &DynamicMessage| {
                    let zone = self.zones.zone(&place(message), &list.under);
                    list.columns.iter().map(|column| column.cell(message, &list.under, &zone)).collect()
                };
                let rows: Vec<Vec<table::Cell>> = messages.iter().map(row).collect();
                let terminal = self.terminal().map(|terminal| match list.choice.wide {
                    // As wide as it is; the terminal breaks the lines.
                    true => Terminal { columns: u16::MAX, ..terminal },
                    false => terminal,
                });
                let rendered = table::render(&heads, &rows, terminal);
                (rendered.text, rendered.left_out)
            }
        }
    }

    /// Whether showing a list needs the time zones of what is in it.
    pub fn needs_zones(&self, list: &List) -> bool {
        self.format == Format::Table && list.columns.iter().any(|column| column.shape() == Shape::Instant)
    }

    /// What can be filtered by: a table of fields, types and operators, or a JSON object a line.
    pub fn fields(&self, fields: &[filter::Field<usize>]) -> String {
        let texts = |field: &filter::Field<usize>| {
            [field.path().to_owned(), field.kind().words(), field.kind().operators().to_owned()]
        };
        match self.format {
            Format::Json => {
                let object = |[field, holds, operators]: [String; 3]| {
                    json::line(&serde_json::json!({"field": field, "holds": holds, "operators": operators}))
                };
                fields.iter().map(|field| object(texts(field))).collect()
            }
            _ => {
                let column = |header: &str, room, rank| table::Column {
                    header: header.to_owned(),
                    room,
                    right: false,
                    rank,
                };
                let columns = [
                    column("FIELD", table::Room::Whole, 0),
                    column("HOLDS", table::Room::Text, 0),
                    column("OPERATORS", table::Room::Whole, 0),
                ];
                let rows: Vec<Vec<table::Cell>> =
                    fields.iter().map(|field| texts(field).map(Into::into).to_vec()).collect();
                table::render(&columns, &rows, self.terminal()).text
            }
        }
    }
}

/// Contexts, the current one marked: a table, and the headers that had no room; or a JSON object a line. Without a
/// terminal the columns are aligned too.
pub fn contexts(contexts: Contexts, format: Format, columns: Option<u16>) -> (String, Vec<String>) {
    let Contexts { current, all } = contexts;
    let all = all.into_iter().map(|(name, settings)| (current.as_ref() == Some(&name), name, settings));
    if format == Format::Json {
        let object = |(current, name, settings): (bool, String, Settings)| {
            let mut object = json!({"name": name, "current": current});
            settings.json().into_iter().for_each(|(key, value)| object[key] = value);
            json::line(&object)
        };
        return (all.map(object).collect(), Vec::new());
    }
    let column = |(place, header): (u8, &str)| {
        let (room, rank) = match header {
            "context" | "endpoint" => (table::Room::Name, 0),
            "current" => (table::Room::Whole, 0),
            _ => (table::Room::Whole, place),
        };
        table::Column { header: header.to_uppercase(), room, right: false, rank }
    };
    let headers = ["current", "context"].into_iter().chain(Settings::keys());
    let heads: Vec<_> = (0..).zip(headers).map(column).collect();
    let row = |(current, name, mut settings): (bool, String, Settings)| -> Vec<table::Cell> {
        let texts = settings.slots().map(|(_, text)| text::or_absent(text.as_deref().unwrap_or_default()));
        let mark = if current { "*" } else { "" }.to_owned();
        [mark, name].into_iter().chain(texts).map(Into::into).collect()
    };
    let rows: Vec<_> = all.map(row).collect();
    let terminal = Terminal { columns: columns.unwrap_or(u16::MAX), colour: false };
    let rendered = table::render(&heads, &rows, Some(terminal));
    (rendered.text, rendered.left_out)
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

/// Where a message belongs: in whose zone its times are shown.
pub fn place(message: &DynamicMessage) -> Place {
    if let Some(zone) = column::own_zone(message) {
        return Place::Zone(zone);
    }
    let text =
        |field: &str| message.get_field_by_name(field).and_then(|name| name.as_str().map(str::to_owned));
    match text("portfolio").or_else(|| text("name")) {
        Some(name) => Place::of(&name),
        None => Place::Parent,
    }
}

/// The lines of a card: what is there of a message.
fn card(message: &DynamicMessage, zone: &Zone) -> Vec<(String, String)> {
    if let Some(lines) = event::card(message, zone) {
        return lines;
    }
    let descriptor = message.descriptor();
    let is_resource = resource_of(&descriptor).is_some();
    let fields = column::in_order(&descriptor).into_iter();
    let lines = fields.filter(|field| is_resource || field.name() != "revision").filter_map(|of| {
        let lines = value::lines(message, &of, zone);
        let unit = of.name().ends_with("_working_days") && !lines.is_empty();
        let mut label = column::label(of.name());
        if unit {
            label.push_str(" in working days");
        }
        (!lines.is_empty()).then(|| (text::sentence(&label), lines.join("\n")))
    });
    lines.collect()
}

/// Writes text to standard output, and out of the process before anything else happens.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}

/// Says something beside the data, on standard error.
pub fn note(text: &str) {
    // If standard error is closed, the note is lost.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests;
