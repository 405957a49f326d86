//! Between messages and the domain: the one place that reads and writes protobuf fields.
//!
//! Invariants: reading a request finds every fault of it at once, each with the path of its field;
//! what was written here is read back to the same. Output-only fields of requests are not read. What is
//! stored was checked when it was accepted, perhaps by looser rules than today's: no rule for requests is run
//! on it, and what a later or an earlier version may have stored is kept as it is. What cannot be decoded at
//! all is [`Unreadable`], never guessed and never a panic.

pub(crate) mod batch;
pub(crate) mod event;
pub(crate) mod fields;
pub(crate) mod list;
pub(crate) mod organization;
pub(crate) mod phase;
pub(crate) mod portfolio;
pub(crate) mod project;
mod project_message;
pub(crate) mod project_request;
mod project_row;
pub(crate) mod request;
pub(crate) mod value;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;

/// Stored bytes that this version cannot decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Unreadable {
    what: String,
}

impl Unreadable {
    /// What is wrong with them.
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string() }
    }

    /// The same, of a field.
    pub(crate) fn of(field: &str, what: impl std::fmt::Display) -> Self {
        Self { what: format!("{field}: {what}") }
    }
}

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(error)
    }
}
