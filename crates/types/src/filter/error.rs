//! Why a filter cannot be used, and where.
//!
//! Invariant: the column counts characters of the filter's text from 1, so a client can point at it.

use crate::violation::Fault;

/// What is wrong with a filter, at which column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct FilterError {
    /// Where, in characters, from 1; one past the end where something is missing there.
    pub column: usize,
    /// What is wrong and what to do, for people.
    pub message: String,
}

impl FilterError {
    /// The error at this byte of the text.
    pub(super) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { column: column(text, offset), message: message.into() }
    }
}

/// The column of a byte of the text.
pub(super) fn column(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|&(i, _)| i < offset).count() + 1
}

impl Fault for FilterError {
    fn reason(&self) -> &'static str {
        "INVALID_FILTER"
    }
}
