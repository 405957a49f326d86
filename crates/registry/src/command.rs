//! A command: one wish of a caller, already well formed.
//!
//! Invariant: nothing in a command needs rows to be known to be nonsense; that was refused before.

use crate::{batch, organization, phase, portfolio, project};

/// What is asked, and the trace it is part of.
#[derive(Debug)]
pub(crate) struct Command {
    /// What is asked.
    pub(crate) wish: Wish,
    /// The W3C trace context of the request; empty: none was given.
    pub(crate) traceparent: String,
}

/// What is asked, by noun.
#[derive(Debug)]
pub(crate) enum Wish {
    Portfolio(portfolio::Command),
    Organization(organization::Command),
    Project(Box<project::Command>),
    Phase(phase::Command),
    Batch(batch::Command),
}
