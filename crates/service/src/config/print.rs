//! The configuration as TOML: each key with its doc comment, and where a value came from.
//!
//! Invariant: what is printed, read back as a file, gives the same configuration.

use super::fault::Source;
use super::section::{Entries, Section, Visitor};
use super::value::Slot;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The reference of a configuration: every key with its doc comment and its default.
pub fn reference<T: Section + Default>() -> String {
    print(&mut T::default(), &BTreeMap::new())
}

pub(super) fn print(section: &mut dyn Section, sources: &BTreeMap<String, Source>) -> String {
    let mut printer = Printer::new(String::new(), sources);
    section.fields(&mut printer);
    // A table header ends the keys of the table above, so values come before sections.
    let text = format!("{}{}", printer.values, printer.sections);
    text.trim_start().to_owned()
}

struct Printer<'a> {
    prefix: String,
    values: String,
    sections: String,
    sources: &'a BTreeMap<String, Source>,
    /// The comment of sections that have none of their own: that of the field whose entries they are.
    doc_of_entries: &'static [&'static str],
}

impl<'a> Printer<'a> {
    fn new(prefix: String, sources: &'a BTreeMap<String, Source>) -> Self {
        Self { prefix, values: String::new(), sections: String::new(), sources, doc_of_entries: &[] }
    }
}

impl Visitor for Printer<'_> {
    fn value(&mut self, name: &'static str, doc: &'static [&'static str], value: &mut dyn Slot) {
        self.values.push('\n');
        comment(&mut self.values, doc);
        let _ = match self.sources.get(&format!("{}{name}", self.prefix)) {
            None | Some(Source::Default) => writeln!(self.values, "{name} = {}", value.show()),
            Some(source) => writeln!(self.values, "# From {source}.\n{name} = {}", value.show()),
        };
    }

    fn section(&mut self, name: &str, doc: &'static [&'static str], section: &mut dyn Section) {
        let key = format!("{}{name}", self.prefix);
        let mut below = Printer::new(format!("{key}."), self.sources);
        section.fields(&mut below);
        self.sections.push('\n');
        comment(&mut self.sections, if doc.is_empty() { self.doc_of_entries } else { doc });
        let _ = write!(self.sections, "[{key}]{}{}", below.values, below.sections);
    }

    fn named(&mut self, name: &'static str, doc: &'static [&'static str], entries: &mut dyn Entries) {
        let prefix = format!("{}{name}.", self.prefix);
        let mut below = Printer::new(prefix, self.sources);
        let Some(mut example) = entries.example() else {
            below.doc_of_entries = doc;
            entries.fields(&mut below);
            return self.sections.push_str(&below.sections);
        };
        below.section("NAME", &[], example.as_mut());
        self.sections.push('\n');
        comment(&mut self.sections, doc);
        for line in below.sections.trim().lines() {
            let _ = writeln!(self.sections, "{}", format!("# {line}").trim_end());
        }
    }

    fn as_dyn(&mut self) -> &mut dyn Visitor {
        self
    }
}

fn comment(text: &mut String, doc: &[&str]) {
    for line in doc {
        // A doc line begins with the space after `///`.
        let _ = writeln!(text, "#{}", line.trim_end());
    }
}
