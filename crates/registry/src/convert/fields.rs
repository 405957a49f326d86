//! The fields of a resource in a request, read under a mask.
//!
//! Invariant: a field that the mask does not name is not looked at, so it cannot be at fault.

use std::collections::BTreeMap;
use std::str::FromStr;

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_types::{Fault, LanguageTag, Money, Violations, limits, text};

use super::mask::Mask;
use super::value;
use crate::details::PeriodPatch;

/// A reader of one resource's fields. Paths of violations are relative to the resource.
pub(crate) struct Fields<'a> {
    pub(crate) mask: &'a Mask,
    pub(crate) violations: &'a mut Violations,
}

impl Fields<'_> {
    /// The value of a field, if the mask names it and it is sound.
    pub(crate) fn take<T, E: Fault>(
        &mut self,
        field: &str,
        present: bool,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Option<T> {
        self.take_with(field, present, |violations| violations.check(field, read()))
    }

    /// As [`Fields::take`], for a field that records its faults itself.
    pub(crate) fn take_with<T>(
        &mut self,
        field: &str,
        present: bool,
        read: impl FnOnce(&mut Violations) -> Option<T>,
    ) -> Option<T> {
        if self.mask.takes(field, present) { read(self.violations) } else { None }
    }

    /// As [`Fields::take`], for a part of a field.
    pub(crate) fn take_part<T, E: Fault>(
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
    pub(crate) fn parse<T: FromStr<Err: Fault>>(&mut self, field: &str, given: &str) -> Option<T> {
        self.take_with(field, !given.is_empty(), |violations| {
            if given.is_empty() {
                violations.require(field, None)
            } else {
                violations.check(field, given.parse())
            }
        })
    }

    /// A display name.
    pub(crate) fn display_name(&mut self, given: String) -> Option<String> {
        self.take("display_name", !given.is_empty(), || text::display_name(given))
    }

    /// A display name in other languages.
    pub(crate) fn translations(
        &mut self,
        given: BTreeMap<String, String>,
    ) -> Option<BTreeMap<LanguageTag, String>> {
        self.take("translations", !given.is_empty(), || text::translations(given))
    }

    /// Labels, or what is like them.
    pub(crate) fn labels(
        &mut self,
        field: &str,
        given: BTreeMap<String, String>,
    ) -> Option<BTreeMap<String, String>> {
        self.take(field, !given.is_empty(), || text::labels(given))
    }

    /// Lines of text that need not be said.
    pub(crate) fn text(&mut self, field: &str, given: String) -> Option<String> {
        self.take(field, !given.is_empty(), || value::said(given, text::text))
    }

    /// A line of text that need not be said.
    pub(crate) fn line(&mut self, field: &str, given: String, limit: usize) -> Option<String> {
        self.take(field, !given.is_empty(), || value::said(given, |given| text::line(given, limit)))
    }

    /// An amount that need not be known.
    pub(crate) fn money(&mut self, field: &str, given: Option<gtype::Money>) -> Option<Option<Money>> {
        self.take_with(field, given.is_some(), |violations| {
            violations.check_optional(field, given, value::money)
        })
    }

    /// A period, whose ends may be named one by one.
    pub(crate) fn period(&mut self, field: &str, given: Option<proto::Period>) -> Option<PeriodPatch> {
        let proto::Period { start_date, end_date } = given.unwrap_or_default();
        let day = |date: Option<gtype::Date>| date.map(value::date).transpose();
        let start = self.take_part(field, "start_date", start_date.is_some(), || day(start_date));
        let end = self.take_part(field, "end_date", end_date.is_some(), || day(end_date));
        (start.is_some() || end.is_some()).then_some(PeriodPatch { start, end })
    }

    /// The members of a list, each read by itself.
    pub(crate) fn list<M, T>(
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

/// A line with a code or an identifier.
pub(crate) fn code(given: String) -> Result<String, text::TextError> {
    text::line(given, limits::CODE_CHARS)
}

/// A line with the name of a scheme or a role.
pub(crate) fn scheme(given: String) -> Result<String, text::TextError> {
    text::line(given, limits::SCHEME_CHARS)
}
