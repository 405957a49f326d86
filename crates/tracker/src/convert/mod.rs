//! Between messages and the values of the domain.
//!
//! Invariant: what was stored is read without checking it again, and what cannot be read is reported, never
//! guessed. Nothing here decides anything.

pub(crate) mod event;
pub(crate) mod milestone;
pub(crate) mod mirror;
pub(crate) mod read_event;
pub(crate) mod source;
