//! Which fields an update names: `update_mask` after AIP-134 and AIP-161.
//!
//! Absent or empty, it names the fields that are set; `*` names all; else it names paths: fields, and
//! parts of those that have parts (`site.address`). Maps and lists are named as a whole.
//! Invariant: a mask that exists names only fields that an update may change.

use std::collections::BTreeSet;

use milepost_types::{Violations, quoted};
use prost_types::FieldMask;

/// The fields of a noun, as far as masks are concerned.
pub struct Known {
    /// What an update may change.
    pub fields: &'static [&'static str],
    /// Parts that may be named by themselves, as `field.part`.
    pub parts: &'static [&'static str],
    /// What may be given on create, and is then changed by a method of its own only: which one.
    pub methods: &'static [(&'static str, &'static str)],
    /// What only the server, or another method, sets, besides [`COMMON`], and how that comes about: what the
    /// schema calls OUTPUT_ONLY.
    pub output: &'static [(&'static str, &'static str)],
}

/// What every resource has and no update changes, and how it comes about.
pub const COMMON: [(&str, &str); 5] = [
    ("name", "a name is for ever"),
    ("create_time", "the server sets it"),
    ("update_time", "the server sets it"),
    ("delete_time", "use the methods that delete and undelete"),
    ("etag", "the server sets it"),
];

impl Known {
    /// The fields that only the server sets, and how they come about.
    pub fn output(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.output.iter().copied().chain(COMMON)
    }
}

/// Which fields are read of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    All,
    /// Those that are set.
    Set,
    /// Those with these paths.
    Paths(BTreeSet<&'static str>),
}

impl Mask {
    /// The mask of a request's `update_mask`.
    pub fn read(mask: Option<FieldMask>, known: &Known, violations: &mut Violations) -> Option<Self> {
        let paths = mask.unwrap_or_default().paths;
        if paths.is_empty() {
            return Some(Mask::Set);
        }
        if paths == ["*"] {
            return Some(Mask::All);
        }
        let mut named = BTreeSet::new();
        let before = violations.count();
        for (i, path) in paths.iter().enumerate() {
            match known.fields.iter().chain(known.parts).find(|field| *field == path) {
                Some(field) => {
                    named.insert(*field);
                }
                None => refuse(i, path, known, violations),
            }
        }
        (violations.count() == before).then_some(Mask::Paths(named))
    }

    /// Whether a field is read; `present` tells whether it is set.
    pub fn takes(&self, field: &str, present: bool) -> bool {
        match self {
            Mask::All => true,
            Mask::Set => present,
            Mask::Paths(paths) => paths.contains(field),
        }
    }

    /// Whether a part of a field is read; `present` tells whether the part is set.
    pub fn takes_part(&self, field: &str, part: &str, present: bool) -> bool {
        match self {
            Mask::Paths(paths) => paths.contains(field) || paths.contains(format!("{field}.{part}").as_str()),
            _ => self.takes(field, present),
        }
    }
}

/// Why an update does not change a field that a method of its own changes.
pub const CHANGED_BY_METHOD: &str = "CHANGED_BY_METHOD";

/// The same for people.
pub fn changed_by(field: &str, method: &str) -> String {
    format!("{field} is not changed by an update; use {method}")
}

fn refuse(index: usize, path: &str, known: &Known, violations: &mut Violations) {
    let field = format!("update_mask.paths[{index}]");
    if path == "*" {
        violations.push(field, "INVALID_MASK", "\"*\" names all fields; give it alone");
    } else if let Some((_, instead)) = known.output().find(|(output, _)| *output == path) {
        let description = format!("{path} is not changed by an update: {instead}");
        violations.push(field, "OUTPUT_ONLY", description);
    } else if let Some((_, method)) = known.methods.iter().find(|(changed, _)| *changed == path) {
        violations.push(field, CHANGED_BY_METHOD, changed_by(path, method));
    } else {
        let names = known.fields.join(", ");
        violations.push(
            field,
            "UNKNOWN_FIELD",
            format!("there is no field {} to change; there are {names}", quoted(path)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known = Known {
        fields: &["display_name", "site"],
        parts: &["site.address"],
        methods: &[("baseline", "RebaselineSite")],
        output: &[("status", "use the methods")],
    };

    fn read(paths: &[&str]) -> Result<Mask, Vec<(String, &'static str)>> {
        let mut violations = Violations::new();
        let paths = paths.iter().map(ToString::to_string).collect();
        let mask = Mask::read(Some(FieldMask { paths }), &KNOWN, &mut violations);
        mask.ok_or_else(|| violations.iter().map(|found| (found.field.clone(), found.reason)).collect())
    }

    #[test]
    fn an_absent_or_empty_mask_names_what_is_set() {
        let mut violations = Violations::new();
        assert_eq!(Mask::read(None, &KNOWN, &mut violations), Some(Mask::Set));
        assert_eq!(read(&[]), Ok(Mask::Set));
        assert!(Mask::Set.takes("site", true) && !Mask::Set.takes("site", false));
    }

    #[test]
    fn a_star_names_all_also_what_is_not_set() {
        assert!(read(&["*"]).unwrap().takes("site", false));
    }

    #[test]
    fn a_path_names_a_field_or_a_part_of_it() {
        let mask = read(&["site.address"]).unwrap();
        assert!(mask.takes_part("site", "address", false));
        assert!(!mask.takes_part("site", "latitude", true));
        assert!(!mask.takes("display_name", true));
        assert!(read(&["site"]).unwrap().takes_part("site", "latitude", false));
    }

    #[test]
    fn every_path_that_names_nothing_to_change_is_refused() {
        let refused =
            read(&["status", "display_name", "nome", "*", "site.x", "name", "baseline"]).unwrap_err();
        let refused: Vec<_> = refused.iter().map(|(field, reason)| (field.as_str(), *reason)).collect();
        assert_eq!(
            refused,
            [
                ("update_mask.paths[0]", "OUTPUT_ONLY"),
                ("update_mask.paths[2]", "UNKNOWN_FIELD"),
                ("update_mask.paths[3]", "INVALID_MASK"),
                ("update_mask.paths[4]", "UNKNOWN_FIELD"),
                ("update_mask.paths[5]", "OUTPUT_ONLY"),
                ("update_mask.paths[6]", "CHANGED_BY_METHOD"),
            ]
        );
    }
}
