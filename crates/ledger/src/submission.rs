//! What a caller submits to a ledger, and the receipt that it gets.
//!
//! Invariant: a receipt describes durable state only. Nothing is decided here; the types are shared by the
//! handles, the queue and the writer.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::Position;

use crate::entry::{Actor, CommandId};

/// A command, who submits it, and how.
#[derive(Debug, Clone)]
pub struct Submission<C> {
    /// The command.
    pub command: C,
    /// Who submits it.
    pub actor: Actor,
    /// Identifies the command across retries; `None`: the ledger generates an id.
    pub command_id: Option<CommandId>,
    /// Decide the command and answer, but change nothing.
    pub validate_only: bool,
    /// The command has no effect if its turn comes later than this.
    pub deadline: Option<Instant>,
}

impl<C> Submission<C> {
    /// A command that a component of the server submits itself.
    pub fn system(component: &str, command: C) -> Self {
        Self {
            command,
            actor: Actor::system(component),
            command_id: None,
            validate_only: false,
            deadline: None,
        }
    }
}

/// The outcome of an accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The command's own entry; for one that changed nothing, the last entry that it was decided on.
    pub position: Position,
    /// The commit time of that entry.
    pub commit_time: Timestamp,
    /// The encoded events of the command's entry; none if it changed nothing. With `validate_only`, the events
    /// that it would have written.
    pub events: Vec<Bytes>,
    /// Whether an earlier command with the same request id had done it already.
    pub replayed: bool,
}
