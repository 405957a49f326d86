//! Patterns: texts with fields in them, and parts that are left out where a field is absent.
//!
//! ```text
//! pattern = { text | field | part }
//! part    = "[" { text | field } "]"
//! field   = "{" path "}"
//! ```
//!
//! `\` takes the next character as it is. Invariant: every field of a pattern is one that can be written, and every
//! part has one. Faults point at the column, all of them.

use milepost_proto::event::v1::Event;
use milepost_types::{TimeZoneId, Violations};

use super::values::{Field, Style};

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A field, and its path as it was given.
    Field(Field, String),
    /// What is left out where a field in it is absent.
    Part(Vec<Piece>),
}

/// What came of a pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// The paths of fields outside of parts that were absent.
    pub(super) absent: Vec<String>,
}

/// What is wrong with a pattern, and where: in characters, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternFault {
    pub(super) column: usize,
    pub(super) message: String,
}

/// Records faults under a path.
pub(super) fn record(path: &str, faults: &[PatternFault], violations: &mut Violations) {
    for PatternFault { column, message } in faults {
        violations.push(path, "INVALID_PATTERN", format!("column {column}: {message}"));
    }
}

impl Pattern {
    /// Reads a pattern whose fields `find` knows.
    ///
    /// # Errors
    /// All faults, in the order of their columns.
    pub(super) fn parse(
        text: &str,
        find: &dyn Fn(&str) -> Result<Field, String>,
    ) -> Result<Self, Vec<PatternFault>> {
        let mut parser =
            Parser { find, faults: Vec::new(), pieces: Vec::new(), part: None, text: String::new() };
        let mut characters = (1..).zip(text.chars());
        while let Some((column, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, next)) => parser.text.push(next),
                    None => parser.fault(column, "nothing follows this \\; write \\\\ for one"),
                },
                '{' => {
                    let mut path = String::new();
                    let closed = characters.by_ref().any(|(_, character)| {
                        let ends = character == '}';
                        path.extend((!ends).then_some(character));
                        ends
                    });
                    parser.field(column, &path, closed);
                }
                '}' => parser.fault(column, "this } closes nothing; write \\} for one"),
                '[' => parser.open(column),
                ']' => parser.close(column),
                other => parser.text.push(other),
            }
        }
        parser.finish()
    }

    /// The text that comes of it for an event.
    pub(super) fn write(&self, event: &Event, zone: &TimeZoneId, style: Style<'_>) -> Written {
        let mut written = Written::default();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => written.text.push_str(text),
                Piece::Field(field, path) => match value(field, event, zone, style) {
                    Some(value) => written.text.push_str(&value),
                    None => written.absent.push(path.clone()),
                },
                Piece::Part(pieces) => {
                    let part = pieces.iter().map(|piece| match piece {
                        Piece::Field(field, _) => value(field, event, zone, style),
                        Piece::Text(text) => Some(text.clone()),
                        // Parts do not stand in each other.
                        Piece::Part(_) => None,
                    });
                    written.text.push_str(&part.collect::<Option<String>>().unwrap_or_default());
                }
            }
        }
        written
    }
}

fn value(field: &Field, event: &Event, zone: &TimeZoneId, style: Style<'_>) -> Option<String> {
    field.value(event, zone)?.written(style)
}

/// A pattern that is being read.
struct Parser<'a> {
    find: &'a dyn Fn(&str) -> Result<Field, String>,
    faults: Vec<PatternFault>,
    /// What is outside of parts so far.
    pieces: Vec<Piece>,
    /// The part that is open: where it began, and what is in it so far.
    part: Option<(usize, Vec<Piece>)>,
    /// The text since the last piece.
    text: String,
}

impl Parser<'_> {
    fn fault(&mut self, column: usize, message: impl Into<String>) {
        self.faults.push(PatternFault { column, message: message.into() });
    }

    fn push(&mut self, piece: Piece) {
        let text = std::mem::take(&mut self.text);
        let pieces = self.part.as_mut().map_or(&mut self.pieces, |(_, pieces)| pieces);
        pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
        pieces.push(piece);
    }

    fn field(&mut self, column: usize, path: &str, closed: bool) {
        if !closed {
            return self.fault(column, "this { is not closed; write \\{ for one");
        }
        match (self.find)(path) {
            Ok(field) => self.push(Piece::Field(field, path.to_owned())),
            Err(message) => {
                // A part with a field that there is not has one all the same.
                self.push(Piece::Field(Field::Subject, path.to_owned()));
                self.fault(column + 1, message);
            }
        }
    }

    fn open(&mut self, column: usize) {
        if self.part.is_some() {
            return self
                .fault(column, "parts do not stand in each other; close the one before, or write \\[");
        }
        let text = std::mem::take(&mut self.text);
        self.pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
        self.part = Some((column, Vec::new()));
    }

    fn close(&mut self, column: usize) {
        let text = std::mem::take(&mut self.text);
        let Some((start, mut pieces)) = self.part.take() else {
            return self.fault(column, "this ] closes nothing; write \\] for one");
        };
        pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
        if !pieces.iter().any(|piece| matches!(piece, Piece::Field(..))) {
            let message =
                "there is no field in this part, so it would never be left out; write \\[ for a bracket";
            return self.fault(start, message);
        }
        self.pieces.push(Piece::Part(pieces));
    }

    fn finish(mut self) -> Result<Pattern, Vec<PatternFault>> {
        if let Some((column, _)) = self.part {
            self.fault(column, "this [ is not closed; write \\[ for one");
        }
        let text = std::mem::take(&mut self.text);
        self.pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
        self.faults.sort_by_key(|fault| fault.column);
        if self.faults.is_empty() { Ok(Pattern(self.pieces)) } else { Err(self.faults) }
    }
}
