//! The text of a transcript: one line a fact, and the comparison with the golden text.
//!
//! Bytes are ASCII with `\x` escapes. A message has a line for each of its fields; a long one is wrapped, and the
//! rest of it is indented. `{…}` is no byte of it: it stands for a run of bytes that is written elsewhere (a row
//! in an event, an event in an entry), or for one that is made at random.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{Entry, Row};
use prost::encoding::{DecodeContext, decode_key, skip_field};
use tonic::Status;
use tonic_types::StatusExt;

/// Shorter runs are written each time.
const SHORT: usize = 16;
const WIDTH: usize = 100;

#[derive(Default)]
pub(super) struct Text {
    text: String,
    rows: BTreeMap<Bytes, Bytes>,
    words: Vec<(String, Bytes)>,
}

impl Text {
    pub(super) fn chapter(&mut self, title: &str) {
        self.line(&format!("\n# {title}"));
    }

    pub(super) fn step(&mut self, what: &str) {
        self.words.clear();
        self.line(&format!("\n## {what}"));
    }

    pub(super) fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// From here to the end of the step, a word stands for these bytes.
    pub(super) fn word(&mut self, word: &str, bytes: &[u8]) {
        self.words.push((word.to_owned(), Bytes::copy_from_slice(bytes)));
    }

    /// Takes these rows as written already.
    pub(super) fn settle(&mut self, rows: Vec<Row>) {
        self.rows = rows.into_iter().collect();
    }

    /// What became of the rows, and the entries that say so.
    pub(super) fn stored(&mut self, rows: Vec<Row>, entries: &[StoredEntry]) {
        let now: BTreeMap<Bytes, Bytes> = rows.into_iter().collect();
        let before = std::mem::take(&mut self.rows);
        for key in before.keys().filter(|key| !now.contains_key(*key)) {
            self.line(&format!("{} is gone", self.row(key)));
        }
        for (key, value) in now.iter().filter(|(key, value)| before.get(*key) != Some(*value)) {
            self.bytes(&self.row(key), value);
        }
        self.rows = now;
        for stored in entries {
            self.entry(stored);
        }
    }

    fn entry(&mut self, stored: &StoredEntry) {
        let events = Entry::decode(stored).unwrap().events;
        for (i, event) in events.iter().enumerate() {
            self.bytes(&format!("event {i}"), event);
        }
        let words = self.words.len();
        for (i, event) in events.iter().enumerate() {
            self.word(&format!("event {i}"), event);
        }
        self.bytes(&format!("entry {}", stored.sequence), &stored.bytes);
        self.words.truncate(words);
    }

    pub(super) fn answer(&mut self, answer: &Result<Bytes, Status>) {
        match answer {
            Ok(answer) => self.bytes("answer", answer),
            Err(status) => self.refusal(status),
        }
    }

    fn refusal(&mut self, status: &Status) {
        let details = status.get_error_details();
        let info = details.error_info().expect("every status has an ErrorInfo");
        self.line(&format!("refused {:?} {} of {}", status.code(), info.reason, info.domain));
        self.line(&format!("  {}", status.message()));
        let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
        for (key, value) in metadata {
            self.line(&format!("  {key} = {value}"));
        }
        if let Some(resource) = details.resource_info() {
            self.line(&format!("  about {} {}", resource.resource_type, resource.resource_name));
        }
        for found in details.bad_request().map(|found| &found.field_violations).into_iter().flatten() {
            self.line(&format!("  field {} {}: {}", found.field, found.reason, found.description));
        }
        for found in details.precondition_failure().map(|found| &found.violations).into_iter().flatten() {
            self.line(&format!("  condition {} {}: {}", found.r#type, found.subject, found.description));
        }
        if let Some(retry) = details.retry_info() {
            self.line(&format!("  retry after {:?}", retry.retry_delay));
        }
    }

    /// A name, and the bytes of it: a line for each field.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.line(&format!("{name} is empty"));
        }
        self.line(&format!("{name} is"));
        for field in fields(bytes).unwrap_or_else(|| vec![bytes]) {
            let mut line = String::from("  ");
            for piece in self.shown(field) {
                if line.len() + piece.len() > WIDTH && line.len() > 4 {
                    self.line(&visible(std::mem::replace(&mut line, "    ".to_owned())));
                }
                line.push_str(&piece);
            }
            self.line(&visible(line));
        }
    }

    /// The bytes as text, in pieces that are not wrapped; rows and words stand for what they are.
    fn shown(&self, bytes: &[u8]) -> Vec<String> {
        let rows = self.rows.iter().filter(|(_, value)| value.len() >= SHORT);
        let rows = rows.map(|(key, value)| (self.row(key), value.clone()));
        pieces(bytes, &rows.chain(self.words.iter().cloned()).collect::<Vec<_>>())
    }

    fn row(&self, key: &[u8]) -> String {
        format!("row {}", pieces(key, &self.words).concat())
    }

    pub(super) fn check(&self, package: &str, path: &Path) {
        let renewal = format!("GOLDEN=renew cargo nextest run -p {package} golden");
        let own = self.text.trim_start();
        if std::env::var_os("GOLDEN").is_some_and(|value| value == "renew") {
            std::fs::write(path, own).unwrap();
            panic!("{} is renewed; look at what changed, and run it again without GOLDEN", path.display());
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        if golden == own {
            return;
        }
        let (mut golden, mut own) = (golden.split('\n'), own.split('\n'));
        let mut number = 1;
        let (golden, own) = loop {
            match (golden.next(), own.next()) {
                (golden, own) if golden == own => number += 1,
                (golden, own) => break (golden.unwrap_or("the end"), own.unwrap_or("the end")),
            }
        };
        let path = path.display();
        panic!(
            "{path}:{number} differs\n  golden: {golden}\n  now:    {own}\nif this is meant, renew it: {renewal}"
        );
    }
}

/// The top-level fields of an encoded message, each with its key; `None` if it is none.
fn fields(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let mut rest = bytes;
        let (tag, wire_type) = decode_key(&mut rest).ok()?;
        skip_field(wire_type, tag, &mut rest, DecodeContext::default()).ok()?;
        found.push(&bytes[..bytes.len() - rest.len()]);
        bytes = rest;
    }
    Some(found)
}

/// Bytes as text, where a word stands for each of these runs.
fn pieces(bytes: &[u8], runs: &[(String, Bytes)]) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let known = runs.iter().filter(|(_, run)| rest.starts_with(run));
        let (piece, length) = match known.max_by_key(|(_, run)| run.len()) {
            Some((word, run)) => (format!("{{{word}}}"), run.len()),
            None => (escaped(&rest[..1]), 1),
        };
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

/// The line, with a blank at its end as an escape.
fn visible(line: String) -> String {
    match line.strip_suffix(' ') {
        Some(rest) => format!("{rest}\\x20"),
        None => line,
    }
}

/// Bytes as ASCII; the braces that stand for words are escapes too.
fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'{' | b'}' => format!("\\x{byte:02x}"),
        byte => byte.escape_ascii().to_string(),
    };
    bytes.iter().map(escape).collect()
}
