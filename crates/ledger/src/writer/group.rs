//! The commands of one group commit, decided one after another on what is committed.
//!
//! Invariants: a command sees the effects of the commands before it in the group; one that is rejected, panics, or
//! only validates leaves no trace; two with one request id are one command. Nothing here is durable: dropping a
//! group undoes it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use jiff::Timestamp;
use milepost_types::Position;

use crate::domain::{Context, Domain, Unusable};
use crate::entry::{CommandId, Entry};
use crate::error::SubmitError;
use crate::journal::{Block, StoredEntry};
use crate::queue::{Outcome, QueuedCommand};
use crate::request_ids::{self, Seen, Uses};
use crate::state::State;
use crate::store::{Changes, Draft, Tip};
use crate::submission::Receipt;

/// The answer to a command once the group is durable.
pub(super) enum Answer<D: Domain> {
    Final(Outcome<D>),
    /// An earlier command with the same id wrote this entry; it is durable by then.
    DoneBy(u64),
}

/// Commands that were decided, and their effects.
pub(super) struct Group<D: Domain> {
    /// Of each decided command, in their order.
    pub(super) answers: Vec<Answer<D>>,
    /// The entries as the journal takes them.
    pub(super) block: Block,
    /// Those entries, decoded.
    pub(super) entries: Vec<Entry>,
    /// What they change.
    pub(super) changes: Changes,
    /// The state after the last of them.
    pub(super) tip: Tip,
    /// The request ids that they use.
    uses: Uses,
    block_bytes: usize,
}

/// The rules and the state that commands are decided with.
pub(super) struct Basis<'a, D: Domain> {
    pub(super) domain: &'a D,
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    pub(super) max_entry_bytes: usize,
}

/// The result of one command under the panic guard.
enum Decided {
    Unchanged,
    TooLarge(usize),
    /// Its events cannot be applied.
    Unusable(Unusable),
    Wrote(Box<(Entry, StoredEntry, Changes)>),
}

impl<D: Domain> Group<D> {
    /// Decides the commands until the block is full, or the rows cannot be read.
    pub(super) fn decide(basis: &Basis<'_, D>, commands: &[QueuedCommand<D>]) -> Self {
        let layers = &basis.state.layers;
        let mut group = Self {
            answers: Vec::with_capacity(commands.len()),
            block: Block { previous: layers.tip.hash, entries: Vec::new() },
            entries: Vec::new(),
            changes: Changes::new(),
            tip: layers.tip,
            uses: Uses::new(),
            block_bytes: 0,
        };
        let started = Instant::now();
        for command in commands {
            if group.block_bytes >= basis.max_entry_bytes || layers.base.failure.borrow().is_some() {
                break;
            }
            let answer = if command.deadline.is_some_and(|deadline| deadline < started) {
                Answer::Final(Err(SubmitError::DeadlineExceeded))
            } else {
                let known = group.known(basis, command);
                known.unwrap_or_else(|| Answer::Final(group.decide_one(basis, command)))
            };
            group.answers.push(answer);
        }
        group
    }

    /// The answer of a command whose request id was used before.
    fn known(&self, basis: &Basis<'_, D>, command: &QueuedCommand<D>) -> Option<Answer<D>> {
        let CommandId::Request { id, .. } = &command.command_id else { return None };
        if command.validate_only {
            return None;
        }
        match basis.state.ids.seen(&command.actor, &command.command_id, &self.uses) {
            Seen::Never => None,
            Seen::Same(sequence) => Some(Answer::DoneBy(sequence)),
            Seen::Reused => Some(Answer::Final(Err(SubmitError::RequestIdReused { id: id.clone() }))),
        }
    }

    /// Decides one command and keeps its effect, if it has one.
    fn decide_one(&mut self, basis: &Basis<'_, D>, command: &QueuedCommand<D>) -> Outcome<D> {
        let Tip { position, commit_time: before, .. } = self.tip;
        let context = Context {
            log: position.log,
            sequence: position.sequence + 1,
            commit_time: basis.now.max(before),
            now: basis.now,
            actor: command.actor.clone(),
            command_id: command.command_id.clone(),
            seed: command.seed,
        };
        let run = || self.run(basis, command, context);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(Decided::Wrote(wrote))) => {
                let (entry, stored, changes) = *wrote;
                let receipt = Receipt {
                    position: Position::after(position.log, entry.sequence, &stored.hash),
                    commit_time: entry.commit_time,
                    events: entry.events.clone(),
                    replayed: false,
                };
                if command.validate_only {
                    return Ok(Receipt { position, ..receipt });
                }
                self.keep(entry, stored, changes);
                Ok(receipt)
            }
            Ok(Ok(Decided::Unchanged)) => {
                Ok(Receipt { position, commit_time: before, events: Vec::new(), replayed: false })
            }
            Ok(Ok(Decided::TooLarge(bytes))) => {
                Err(SubmitError::EntryTooLarge { bytes, limit: basis.max_entry_bytes })
            }
            Ok(Ok(Decided::Unusable(error))) => {
                let message = error.to_string();
                tracing::error!(message, "a command made events that cannot be applied; it had no effect");
                Err(SubmitError::Panicked { message })
            }
            Ok(Err(rejection)) => Err(SubmitError::Rejected(rejection)),
            Err(panic) => {
                let message = crate::panic::message(panic.as_ref());
                tracing::error!(message, "a command panicked; it had no effect");
                Err(SubmitError::Panicked { message })
            }
        }
    }

    fn run(
        &self,
        basis: &Basis<'_, D>,
        command: &QueuedCommand<D>,
        context: Context,
    ) -> Result<Decided, D::Rejection> {
        let mut draft = Draft::new(&basis.state.layers, &self.changes);
        let decision = basis.domain.decide(&draft, &command.command, &context)?;
        if decision.events.is_empty() {
            return Ok(Decided::Unchanged);
        }
        let entry = Entry {
            sequence: context.sequence,
            commit_time: context.commit_time,
            actor: context.actor,
            command_id: context.command_id,
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        let stored = entry.encode(&self.tip.hash);
        if stored.bytes.len() > basis.max_entry_bytes {
            return Ok(Decided::TooLarge(stored.bytes.len()));
        }
        if let Err(error) = basis.domain.apply(&mut draft, &entry) {
            return Ok(Decided::Unusable(error));
        }
        Ok(Decided::Wrote(Box::new((entry, stored, draft.into_changes()))))
    }

    fn keep(&mut self, entry: Entry, stored: StoredEntry, changes: Changes) {
        self.changes.extend(changes);
        request_ids::add_use(&mut self.uses, &entry);
        self.tip = self.tip.after(&entry, &stored.hash);
        self.block_bytes += stored.bytes.len();
        self.block.entries.push(stored);
        self.entries.push(entry);
    }
}
