//! Why a filter cannot be used, and where.
//!
//! Invariant: a column counts characters of the filter's text from 1, so that a client can point at it. The
//! faults of one error are in the order of their columns.

use crate::violation::{Fault, Violations};

/// What is wrong with a filter, at which column: the first fault, and the others that were found with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct FilterError {
    /// Where, in characters, from 1; one past the end where something is missing there.
    pub column: usize,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// Further faults. A text that cannot be parsed has one fault; of one that can, every comparison that
    /// does not fit the fields has its own.
    pub others: Vec<FilterFault>,
}

/// One more fault of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterFault {
    /// As [`FilterError::column`].
    pub column: usize,
    /// As [`FilterError::message`].
    pub message: String,
}

impl FilterError {
    /// One fault.
    pub fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into(), others: Vec::new() }
    }

    /// The columns of all faults.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.column).chain(self.others.iter().map(|fault| fault.column))
    }

    /// The error of a text with these faults, at least one.
    pub(super) fn of(text: &str, mut faults: Vec<FaultAt>) -> Self {
        faults.sort_by_key(|fault| fault.offset);
        let mut columns = Columns { text, at: 0, column: 1 };
        let mut faults = faults.into_iter().map(|FaultAt { offset, message }| {
            let column = columns.of(offset);
            FilterFault { column, message }
        });
        let FilterFault { column, message } = faults.next().expect("what was refused has a fault");
        Self { column, message, others: faults.collect() }
    }
}

/// A fault by the byte of the text that it is at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FaultAt {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl FaultAt {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// The columns of ascending bytes of a text, found in one pass.
struct Columns<'a> {
    text: &'a str,
    at: usize,
    column: usize,
}

impl Columns<'_> {
    fn of(&mut self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        if let Some(between) = self.text.get(self.at..offset) {
            self.column += between.chars().count();
            self.at = offset;
        }
        self.column
    }
}

/// One violation for each fault.
impl Fault for FilterError {
    fn reason(&self) -> &'static str {
        "INVALID_FILTER"
    }

    fn record(self, field: String, violations: &mut Violations) {
        let (reason, first) = (self.reason(), self.to_string());
        violations.push(field.clone(), reason, first);
        for FilterFault { column, message } in self.others {
            violations.push(field.clone(), reason, format!("column {column}: {message}"));
        }
    }
}
