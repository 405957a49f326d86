//! Between messages and the values of the domain.
//!
//! Invariants: what a caller sent is checked whole, and every fault is reported with the path of its field;
//! what the tracker stored itself is read without checking anew, and what cannot be read is reported, never
//! guessed. Nothing here decides anything.

mod creation;
pub(crate) mod event;
mod fields;
pub(crate) mod milestone;
pub(crate) mod mirror;
pub(crate) mod read;
pub(crate) mod read_event;
pub(crate) mod request;
pub(crate) mod source;
pub(crate) mod values;

/// Stored bytes that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Unreadable {
    what: String,
}

impl Unreadable {
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string() }
    }
}

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(error)
    }
}
