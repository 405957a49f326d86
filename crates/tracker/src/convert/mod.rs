//! Between messages and the values of the domain.
//!
//! Invariants: what a caller sent is checked whole, and every fault is reported with the path of its field;
//! what the tracker stored itself is read without checking anew, and what cannot be read is reported, never
//! guessed. Nothing here decides anything.

pub(crate) mod event;
pub(crate) mod mirror;
pub(crate) mod read_event;
pub(crate) mod source;
pub(crate) mod values;
