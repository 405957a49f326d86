//! The configuration as TOML: each key with its doc comment, and where a value came from.
//!
//! Invariant: what is printed, read back as a file, gives the same configuration.

use super::fault::Source;
use super::section::{Section, Visitor};
use super::value::Slot;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The reference of a configuration: every key with its doc comment and its default.
pub fn reference<T: Section + Default>() -> String {
    print(&mut T::default(), &BTreeMap::new())
}

pub(super) fn print(section: &mut dyn Section, sources: &BTreeMap<String, Source>) -> String {
    let mut printer =
        Printer { prefix: String::new(), values: String::new(), sections: String::new(), sources };
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

    fn section(&mut self, name: &'static str, doc: &'static [&'static str], section: &mut dyn Section) {
        let key = format!("{}{name}", self.prefix);
        let mut below = Printer {
            prefix: format!("{key}."),
            values: String::new(),
            sections: String::new(),
            sources: self.sources,
        };
        section.fields(&mut below);
        self.sections.push('\n');
        comment(&mut self.sections, doc);
        let _ = write!(self.sections, "[{key}]{}{}", below.values, below.sections);
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
