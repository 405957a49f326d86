//! What is wrong with the fields of a request, all of it at once.
//!
//! Invariant: a check records its fault and goes on, so that one answer names every faulty field.
//! Field paths are those of the request message (`project.labels.sector`, `requests[3].project_id`).
//! At most [`limits::VIOLATIONS`] are kept; the rest are counted. How much of it fits into an answer
//! on the wire is the service's business.

use std::fmt;

use crate::limits;

/// One faulty field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the request message; empty for the request as a whole.
    pub field: String,
    /// Why, for programs: `UPPER_SNAKE_CASE`.
    pub reason: &'static str,
    /// Why and what to do, for people.
    pub description: String,
}

/// An error that can be reported as one or more violations.
pub trait Fault: fmt::Display {
    /// Why, for programs: `UPPER_SNAKE_CASE`.
    fn reason(&self) -> &'static str;

    /// Adds the fault to `violations`, for the field it was found in.
    fn record(self, field: String, violations: &mut Violations)
    where
        Self: Sized,
    {
        violations.push(field, self.reason(), self.to_string());
    }
}

/// The faulty fields found so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Violations {
    found: Vec<Violation>,
    omitted: usize,
}

impl Violations {
    /// No violation yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exactly one violation.
    pub fn one(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.push(field, reason, description);
        violations
    }

    /// Records one violation.
    pub fn push(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        if self.found.len() == limits::VIOLATIONS {
            self.omitted += 1;
            return;
        }
        self.found.push(Violation { field: field.into(), reason, description: description.into() });
    }

    /// The value of a result, or `None` after recording why there is none.
    pub fn check<T, E: Fault>(&mut self, field: impl Into<String>, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                fault.record(field.into(), self);
                None
            }
        }
    }

    /// As [`Violations::check`], for an optional field: the outer `None` is a fault, the inner one
    /// an absent value.
    pub fn check_optional<V, T, E: Fault>(
        &mut self,
        field: impl Into<String>,
        value: Option<V>,
        check: impl FnOnce(V) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match value {
            None => Some(None),
            Some(value) => self.check(field, check(value)).map(Some),
        }
    }

    /// The value, or `None` after recording that it is required.
    pub fn require<T>(&mut self, field: impl Into<String>, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.push(field, "REQUIRED", "the field is required; give a value");
        }
        value
    }

    /// Records that a repeated field has more members than `limit`; true if it has not.
    pub fn check_count(&mut self, field: impl Into<String>, count: usize, limit: usize) -> bool {
        if count > limit {
            self.push(field, "TOO_MANY", format!("{count} members are too many; give at most {limit}"));
        }
        count <= limit
    }

    /// Takes over violations whose paths are relative to this message.
    pub fn extend(&mut self, other: Violations) {
        self.nest("", other);
    }

    /// Takes over violations whose paths are relative to the field `prefix`.
    pub fn nest(&mut self, prefix: &str, other: Violations) {
        self.omitted += other.omitted;
        for violation in other.found {
            self.push(joined(prefix, &violation.field), violation.reason, violation.description);
        }
    }

    /// Whether a field, or a part of it, is at fault.
    pub fn are_of(&self, field: &str) -> bool {
        self.found.iter().any(|violation| is_within(&violation.field, field))
    }

    /// Runs a check that may look at what is at fault already, and keeps what it finds of other fields.
    pub fn check_others(&mut self, check: impl FnOnce(&mut Self)) {
        let mut all = self.clone();
        check(&mut all);
        all.found.drain(..self.found.len());
        all.omitted -= self.omitted;
        self.add_others(all);
    }

    /// Takes over those of fields that are not at fault already, in whole or in part.
    pub fn add_others(&mut self, other: Self) {
        let known: Vec<_> = self.found.iter().map(|violation| violation.field.clone()).collect();
        let is_new = |found: &Violation| {
            !known.iter().any(|field| is_within(field, &found.field) || is_within(&found.field, field))
        };
        // Of which fields those are that were only counted is not known.
        self.omitted += other.omitted;
        for violation in other.found.into_iter().filter(is_new) {
            self.push(violation.field, violation.reason, violation.description);
        }
    }

    /// These without those that `known` has too. If some were only counted, all stay.
    #[must_use]
    pub fn without(mut self, known: &Violations) -> Self {
        if self.omitted == 0 {
            self.found.retain(|violation| !known.found.contains(violation));
        }
        self
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were recorded, those not kept included.
    pub fn count(&self) -> usize {
        self.found.len() + self.omitted
    }

    /// How many were only counted.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The violations in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.found.iter()
    }

    /// `Ok(value)` if nothing was recorded, else the violations.
    pub fn into_result<T>(self, value: T) -> Result<T, Violations> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// `value` if it is there, else the violations that say why it is not.
    ///
    /// For the end of a decoder, where the value could be built only if every check passed. A value
    /// is withheld if anything was recorded at all.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Violations> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => {
                if self.is_empty() {
                    self.push("", "INVALID", "the request could not be read");
                }
                Err(self)
            }
        }
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

/// Whether a field is this one or a part of it.
fn is_within(field: &str, whole: &str) -> bool {
    field.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Violations found in a part of a message nest under the part's field.
impl Fault for Violations {
    fn reason(&self) -> &'static str {
        "INVALID"
    }

    fn record(self, field: String, violations: &mut Violations) {
        violations.nest(&field, self);
    }
}

/// `field: description`, separated by `; `, the first five of them.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        for (i, violation) in self.found.iter().take(SHOWN).enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            if !violation.field.is_empty() {
                write!(f, "{}: ", violation.field)?;
            }
            f.write_str(&violation.description)?;
        }
        match self.count().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Violations {}

fn joined(prefix: &str, field: &str) -> String {
    match (prefix.is_empty(), field.is_empty()) {
        (true, _) => field.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if field.starts_with('[') => format!("{prefix}{field}"),
        _ => format!("{prefix}.{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceId;

    fn fields(violations: &Violations) -> Vec<&str> {
        violations.iter().map(|violation| violation.field.as_str()).collect()
    }

    #[test]
    fn every_fault_is_recorded_and_the_good_values_come_through() {
        let mut violations = Violations::new();
        let good = violations.check("project_id", "a".parse::<ResourceId>());
        let bad = violations.check("parent", "Ä".parse::<ResourceId>());
        assert_eq!((good.is_some(), bad), (true, None));
        assert_eq!(violations.require::<u8>("project", None), None);
        assert_eq!(violations.require("page", Some(1)), Some(1));
        let absent = violations.check_optional("phase", None::<&str>, |text| text.parse::<ResourceId>());
        let faulty = violations.check_optional("batch", Some("-"), |text| text.parse::<ResourceId>());
        assert_eq!((absent, faulty), (Some(None), None));
        assert!(!violations.check_count("members", 3, 2) && violations.check_count("codes", 2, 2));
        assert_eq!(fields(&violations), ["parent", "project", "batch", "members"]);
        let reasons: Vec<_> = violations.iter().map(|violation| violation.reason).collect();
        assert_eq!(reasons, ["INVALID_ID", "REQUIRED", "INVALID_ID", "TOO_MANY"]);
        assert!(violations.into_result(()).is_err());
        assert_eq!(Violations::new().into_result(1), Ok(1));
    }

    #[test]
    fn paths_nest() {
        let mut inner = Violations::one("labels", "X", "x");
        inner.push("", "Y", "y");
        inner.push("[2].id", "Z", "z");
        let mut outer = Violations::new();
        outer.nest("requests[3]", inner);
        outer.extend(Violations::one("parent", "X", "x"));
        assert_eq!(fields(&outer), ["requests[3].labels", "requests[3]", "requests[3][2].id", "parent"]);
    }

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let mut violations = Violations::new();
        for i in 0..limits::VIOLATIONS + 10 {
            violations.push(format!("f[{i}]"), "X", "x");
        }
        let mut outer = Violations::one("parent", "X", "x");
        outer.nest("batch", violations);
        assert_eq!(outer.iter().count(), limits::VIOLATIONS);
        assert_eq!((outer.omitted(), outer.count()), (11, limits::VIOLATIONS + 11));
        assert!(outer.to_string().ends_with(&format!("; and {} more", limits::VIOLATIONS + 6)));
    }

    #[test]
    fn what_is_known_already_is_taken_out_unless_something_was_not_kept() {
        let mut found = Violations::one("codes", "X", "x");
        found.push("codes", "X", "y");
        let known = Violations::one("codes", "X", "x");
        let new = found.clone().without(&known);
        assert_eq!(new, Violations::one("codes", "X", "y"));
        assert!(new.without(&found).is_empty());
        for _ in 0..limits::VIOLATIONS {
            found.push("codes", "X", "x");
        }
        assert_eq!(found.clone().without(&known), found);
    }

    #[test]
    fn a_value_is_withheld_while_anything_is_wrong() {
        assert_eq!(Violations::new().finish(Some(1)), Ok(1));
        assert_eq!(Violations::one("a", "X", "x").finish(Some(1)).unwrap_err().count(), 1);
        assert_eq!(Violations::new().finish(None::<u8>).unwrap_err().count(), 1);
    }
}
