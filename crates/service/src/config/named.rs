//! Entries of one type under names that the configuration chooses: `[access.issuers.corp]`.
//!
//! Invariant: an entry exists as soon as one layer names it, so that an empty table is checked like any other;
//! its keys then have the same paths, layers and faults as those of a fixed section. A name is an alias
//! (`[a-z][a-z0-9-]{0,30}`); in a variable, `_` stands for its `-`. Entries cannot be removed by a later layer.

use super::fault::{Fault, Source};
use super::layers::{Setting, Shape};
use super::section::{Entries, Field, Found, Section, Visitor};
use super::value::Slot;
use milepost_types::check_alias;
use std::collections::BTreeMap;
use std::ops::Deref;

/// Sections of one type by name, in the order of their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(BTreeMap<String, T>);

impl<T> Named<T> {
    /// These entries, for defaults and tests; names are not checked.
    pub fn of(entries: impl IntoIterator<Item = (String, T)>) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Deref for Named<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &BTreeMap<String, T> {
        &self.0
    }
}

impl<T: Section + Default + 'static> Field for Named<T> {
    fn accept(&mut self, name: &'static str, doc: &'static [&'static str], visitor: &mut dyn Visitor) {
        visitor.named(name, doc, self);
    }
}

impl<T: Section> Section for Named<T> {
    fn fields(&mut self, visitor: &mut dyn Visitor) {
        for (name, entry) in &mut self.0 {
            visitor.section(name, &[], entry);
        }
    }

    fn check(&self, _: &mut Found<'_>) {}
}

impl<T: Section + Default + 'static> Entries for Named<T> {
    fn declare(&mut self, name: &str) -> Result<(), String> {
        check_alias(name).map_err(|_| {
            format!(
                "{name:?} is no name here: that is a letter a to z, then up to 30 of a to z, 0 to 9 and -"
            )
        })?;
        self.0.entry(name.to_owned()).or_default();
        Ok(())
    }

    fn example(&self) -> Option<Box<dyn Section>> {
        self.0.is_empty().then(|| Box::new(T::default()) as Box<dyn Section>)
    }
}

/// A named entry, and where a layer first names it.
pub(super) struct Declared {
    /// The path of the entry, such as `access.issuers.corp`.
    pub(super) key: String,
    pub(super) source: Source,
}

/// Adds every entry that `tables` or a setting names to `section`, and answers where each was named first. Settings
/// below a malformed name are dropped: the name is the fault.
pub(super) fn declare(
    section: &mut dyn Section,
    shape: &Shape,
    tables: Vec<Declared>,
    settings: &mut Vec<Setting>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, Source> {
    let mut declared = BTreeMap::new();
    let by_settings = settings.iter().filter_map(|setting| {
        let key = shape.entry(&setting.key)?.to_owned();
        Some(Declared { key, source: setting.source.clone() })
    });
    for Declared { key, source } in tables.into_iter().chain(by_settings) {
        declared.entry(key).or_insert(source);
    }
    let mut visitor = Declare { prefix: String::new(), declared: &declared, malformed: Vec::new() };
    section.fields(&mut visitor);
    for (key, message) in visitor.malformed {
        settings.retain(|setting| shape.entry(&setting.key) != Some(key.as_str()));
        if let Some(source) = declared.remove(&key) {
            faults.push(Fault { source, key: Some(key), message });
        }
    }
    declared
}

struct Declare<'a> {
    prefix: String,
    declared: &'a BTreeMap<String, Source>,
    malformed: Vec<(String, String)>,
}

impl Visitor for Declare<'_> {
    fn value(&mut self, _: &'static str, _: &'static [&'static str], _: &mut dyn Slot) {}

    fn section(&mut self, name: &str, _: &'static [&'static str], section: &mut dyn Section) {
        let within = format!("{}{name}.", self.prefix);
        let outer = std::mem::replace(&mut self.prefix, within);
        section.fields(self);
        self.prefix = outer;
    }

    fn named(&mut self, name: &'static str, _: &'static [&'static str], entries: &mut dyn Entries) {
        let within = format!("{}{name}.", self.prefix);
        for key in self.declared.keys() {
            let Some(entry) = key.strip_prefix(&within) else { continue };
            if let Err(message) = entries.declare(entry) {
                self.malformed.push((key.clone(), message));
            }
        }
    }

    fn as_dyn(&mut self) -> &mut dyn Visitor {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flag, Layers, Loaded, Rules, reference};
    use super::*;
    use crate::section;

    section! {
        /// Where to send.
        struct Peer {
            /// Its address.
            pub address: String = String::new(),
            /// How often.
            pub times: u32 = 3,
        }
    }

    impl Rules for Peer {
        fn rules(&self, found: &mut Found<'_>) {
            if self.address.is_empty() {
                found.fault("address", "is required");
            }
        }
    }

    section! {
        /// A mesh.
        struct Mesh {
            /// Whether it is on.
            pub on: bool = true,
            /// The others.
            pub peers: Named<Peer> = Named::default(),
        }
    }

    impl Rules for Mesh {}

    section! {
        /// A process.
        struct Process {
            /// The mesh.
            pub mesh: Mesh = Mesh::default(),
        }
    }

    impl Rules for Process {}

    fn layers(
        text: &str,
        environment: &[(&str, &str)],
        flags: &[(&str, &str)],
    ) -> (tempfile::TempDir, Layers) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("milepost.toml");
        std::fs::write(&path, text).unwrap();
        let flag = |(key, value): &(&str, &str)| Flag {
            flag: format!("--set {key}"),
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let layers = Layers {
            file: Some(path),
            environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            flags: flags.iter().map(flag).collect(),
            ..Layers::default()
        };
        (directory, layers)
    }

    fn load(text: &str) -> Loaded<Process> {
        let (_directory, layers) = layers(text, &[], &[]);
        layers.load(Process::default()).unwrap()
    }

    fn faults(layers: &Layers) -> Vec<String> {
        let shown = layers.load(Process::default()).map(|_| ()).unwrap_err().to_string();
        let path = layers.file.as_ref().unwrap().display().to_string();
        shown.lines().skip(1).map(|line| line.trim().replace(&path, "FILE")).collect()
    }

    #[test]
    fn every_layer_adds_entries_and_later_ones_win() {
        let (_directory, layers) = layers(
            "[mesh.peers.a]\naddress = 'x'\ntimes = 1\n[mesh.peers.b-c]\naddress = 'y'\n",
            &[("MILEPOST_MESH__PEERS__B_C__TIMES", "2"), ("MILEPOST_MESH__PEERS__D__ADDRESS", "z")],
            &[("mesh.peers.a.address", "w")],
        );
        let loaded = layers.load(Process::default()).unwrap();
        let peers = &loaded.config.mesh.peers;
        let shown: Vec<_> =
            peers.iter().map(|(name, peer)| (name.as_str(), peer.address.as_str(), peer.times)).collect();
        assert_eq!(shown, [("a", "w", 1), ("b-c", "y", 2), ("d", "z", 3)]);
        assert_eq!(loaded.source("mesh.peers.a.address").to_string(), "--set mesh.peers.a.address");
        assert_eq!(loaded.source("mesh.peers.b-c.times").to_string(), "MILEPOST_MESH__PEERS__B_C__TIMES");
    }

    #[test]
    fn every_fault_of_an_entry_is_reported_at_its_place() {
        let (_directory, layers) = layers(
            "[mesh.peers.a]\ntime = 1\n[mesh.peers.B]\ntimes = 1\nx = 2\n[mesh.peers]\nc = 1\n\
             [mesh.peers.\"d.e\"]\n[mesh.peers.f]\naddress = 1\n",
            &[("MILEPOST_MESH__PEERS__G__ADRESS", "x"), ("MILEPOST_MESH__PEERS__A", "x")],
            &[("mesh.peers.h.times", "-1"), ("mesh.peers.-i.times", "1"), ("mesh.peers", "1")],
        );
        let mut expected = [
            "FILE:1:13: mesh.peers.a.address: is required",
            "FILE:2:1: mesh.peers.a.time: there is no such key; did you mean mesh.peers.a.times?",
            "FILE:3:13: mesh.peers.B: \"B\" is no name here: that is a letter a to z, then up to 30 of a to z, 0 to 9 and -",
            "FILE:7:1: mesh.peers.c: is a section, so it must be a table",
            "FILE:8:13: mesh.peers.d.e: \"d.e\" is no name here: that is a letter a to z, then up to 30 of a to z, 0 to 9 and -",
            "FILE:10:1: mesh.peers.f.address: 1 is not a text",
            "MILEPOST_MESH__PEERS__A: is a section; name one of its keys, as in MILEPOST_MESH__PEERS__A__ADDRESS",
            "MILEPOST_MESH__PEERS__G__ADRESS: there is no such variable; did you mean MILEPOST_MESH__PEERS__G__ADDRESS?",
            "MILEPOST_MESH__PEERS__G__ADRESS: mesh.peers.g.address: is required",
            "--set mesh.peers.h.times: mesh.peers.h.times: \"-1\" is not a whole number from 0 to 4294967295",
            "--set mesh.peers.h.times: mesh.peers.h.address: is required",
            "--set mesh.peers.-i.times: mesh.peers.-i: \"-i\" is no name here: that is a letter a to z, then up to 30 of a to z, 0 to 9 and -",
            "--set mesh.peers: mesh.peers: is a section; name one of its keys",
        ];
        let mut shown = faults(&layers);
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_entry_that_is_written_twice_is_a_fault() {
        let text = "[mesh.peers.a]\naddress = 'x'\n[mesh.peers.a]\ntimes = 2\n";
        let (_directory, layers) = layers(text, &[], &[]);
        let shown = faults(&layers);
        assert!(shown.iter().any(|fault| fault.starts_with("FILE:3:")), "{shown:?}");
    }

    #[test]
    fn entries_print_back_and_without_any_an_example_is_shown() {
        let text = "[mesh.peers.a]\naddress = 'x'\n[mesh.peers.b]\naddress = '甲'\n";
        let first = load(text);
        let printed = first.print();
        assert!(printed.contains("\n# The others.\n[mesh.peers.a]\n# Its address.\n# From "), "{printed}");
        assert_eq!(load(&printed).config, first.config);

        let reference = reference::<Process>();
        let example =
            "\n# The others.\n# [mesh.peers.NAME]\n# # Its address.\n# address = \"\"\n#\n# # How often.\n";
        assert!(reference.contains(example), "{reference}");
        assert_eq!(load(&reference).config, Process::default());
    }
}
