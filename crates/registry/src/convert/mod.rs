//! Between messages and the domain: the one place that reads and writes protobuf fields.
//!
//! Invariants: reading a request finds every fault of it at once, each with the path of its field;
//! what was written here is read back to the same. Output-only fields of requests are not read. What a
//! row holds was checked when it was asked for, so a row that cannot be read is a fault of this program.

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
pub(crate) mod request;
pub(crate) mod value;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;
