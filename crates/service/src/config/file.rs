//! The TOML file layer: its leaves as settings, each with line and column.
//!
//! Invariant: every syntax error of the file is reported, not only the first. A table is descended
//! into only where the configuration has a section; a table elsewhere is one unknown key.

use super::fault::{Fault, Source};
use super::layers::{Setting, Shape};
use super::named::Declared;
use super::value::Raw;
use milepost_types::without_number;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Reads the file's settings, and which named entries have a table; what cannot be read becomes faults.
pub(super) fn settings(path: &Path, shape: &Shape, faults: &mut Vec<Fault>) -> (Vec<Setting>, Vec<Declared>) {
    let mut reader = Reader { path, text: "", shape, faults, settings: Vec::new(), entries: Vec::new() };
    let text = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            reader.fault(0..0, None, format!("cannot read the file: {}", without_number(&error.to_string())));
            return Default::default();
        }
    };
    let text = match String::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            reader.fault(
                0..0,
                None,
                format!("the file is not UTF-8 at byte {}", error.utf8_error().valid_up_to()),
            );
            return Default::default();
        }
    };
    let mut reader = Reader { text: &text, ..reader };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        reader.fault(error.span().unwrap_or(0..0), None, error.message().to_owned());
    }
    reader.table(table.get_ref(), "");
    (reader.settings, reader.entries)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    shape: &'a Shape,
    faults: &'a mut Vec<Fault>,
    settings: Vec<Setting>,
    entries: Vec<Declared>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, prefix: &str) {
        let has_entries = self.shape.has_entries(prefix.trim_end_matches('.'));
        for (name, value) in table.iter() {
            let key = format!("{prefix}{}", name.get_ref());
            let is_section = has_entries || self.shape.is_section(&key);
            match value.get_ref() {
                DeValue::Table(below) if is_section => {
                    if has_entries {
                        let source = self.source(name.span());
                        self.entries.push(Declared { key: key.clone(), source });
                    }
                    self.table(below, &format!("{key}."));
                }
                _ if is_section => {
                    self.fault(name.span(), Some(key), "is a section, so it must be a table".to_owned());
                }
                value => {
                    let (source, raw) = (self.source(name.span()), raw(value));
                    self.settings.push(Setting { key, raw, source });
                }
            }
        }
    }

    fn fault(&mut self, span: Range<usize>, key: Option<String>, message: String) {
        let source = self.source(span);
        self.faults.push(Fault { source, key, message });
    }

    fn source(&self, span: Range<usize>) -> Source {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Source::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::String(text.to_string()),
        DeValue::Boolean(boolean) => Raw::Boolean(*boolean),
        DeValue::Array(items) => Raw::Array(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("integer beyond 64 bits"), Raw::Integer),
        other => Raw::Other(other.type_str()),
    }
}
