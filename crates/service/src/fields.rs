//! The fields of a resource in a request, read under a mask.
//!
//! Invariant: a field that the mask does not name is not read, so it has no violations.

use std::collections::BTreeMap;
use std::str::FromStr;

use milepost_types::{Fault, LanguageTag, Violations, text};

use crate::mask::Mask;
use crate::value;

/// A reader of one resource's fields. Paths of violations are relative to the resource.
pub struct Fields<'a> {
    /// Which are read.
    pub mask: &'a Mask,
    /// What is wrong with them.
    pub violations: &'a mut Violations,
}

impl Fields<'_> {
    /// The value of a field, if the mask names it and it is valid.
    pub fn take<T, E: Fault>(
        &mut self,
        field: &str,
        present: bool,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Option<T> {
        self.take_with(field, present, |violations| violations.check(field, read()))
    }

    /// As [`Fields::take`], for a field that records its faults itself.
    pub fn take_with<T>(
        &mut self,
        field: &str,
        present: bool,
        read: impl FnOnce(&mut Violations) -> Option<T>,
    ) -> Option<T> {
        if self.mask.takes(field, present) { read(self.violations) } else { None }
    }

    /// As [`Fields::take`], for a part of a field.
    pub fn take_part<T, E: Fault>(
        &mut self,
        field: &str,
        part: &str,
        present: bool,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Option<T> {
        if !self.mask.takes_part(field, part, present) {
            return None;
        }
        self.violations.check(format!("{field}.{part}"), read())
    }

    /// A text that must be said and is read to something else.
    pub fn parse<T: FromStr<Err: Fault>>(&mut self, field: &str, given: &str) -> Option<T> {
        self.take_with(field, !given.is_empty(), |violations| {
            if given.is_empty() {
                violations.require(field, None)
            } else {
                violations.check(field, given.parse())
            }
        })
    }

    /// A display name.
    pub fn display_name(&mut self, given: String) -> Option<String> {
        self.take("display_name", !given.is_empty(), || text::display_name(given))
    }

    /// A display name in other languages.
    pub fn translations(&mut self, given: BTreeMap<String, String>) -> Option<BTreeMap<LanguageTag, String>> {
        self.take("translations", !given.is_empty(), || text::translations(given))
    }

    /// Labels, or what is like them.
    pub fn labels(
        &mut self,
        field: &str,
        given: BTreeMap<String, String>,
    ) -> Option<BTreeMap<String, String>> {
        self.take(field, !given.is_empty(), || text::labels(given))
    }

    /// Lines of text that need not be said.
    pub fn text(&mut self, field: &str, given: String) -> Option<String> {
        self.take(field, !given.is_empty(), || value::said(given, text::text))
    }

    /// A line of text that need not be said.
    pub fn line(&mut self, field: &str, given: String, limit: usize) -> Option<String> {
        self.take(field, !given.is_empty(), || value::said(given, |given| text::line(given, limit)))
    }

    /// The members of a list, each read by itself.
    pub fn list<M, T>(
        &mut self,
        field: &str,
        given: Vec<M>,
        limit: usize,
        read: impl Fn(M) -> Result<T, Violations>,
    ) -> Option<Vec<T>> {
        self.take_with(field, !given.is_empty(), |violations| {
            if !violations.check_count(field, given.len(), limit) {
                return None;
            }
            let count = given.len();
            let sound: Vec<T> = given
                .into_iter()
                .enumerate()
                .filter_map(|(i, member)| violations.check(format!("{field}[{i}]"), read(member)))
                .collect();
            (sound.len() == count).then_some(sound)
        })
    }
}
