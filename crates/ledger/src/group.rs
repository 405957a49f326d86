//! The commands of one group commit, decided one after another on a draft.
//!
//! Invariants: a command sees what the commands before it in the group did; one that is refused,
//! panics, or only validates leaves the draft as it found it; two with one request id are one
//! command. Nothing here is durable: dropping a group undoes it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use jiff::Timestamp;
use milepost_types::{Hash, Position};

use crate::domain::{Context, Domain};
use crate::entry::{CommandId, Entry};
use crate::error::SubmitError;
use crate::journal::{Block, StoredEntry};
use crate::ledger::Receipt;
use crate::options::Options;
use crate::request_ids::{RequestIds, Seen};
use crate::state::State;
use crate::store::{Draft, Layers};
use crate::writer::{Outcome, Pending};

/// What a command is answered once the group is durable.
pub(crate) enum Answer<D: Domain> {
    Final(Outcome<D>),
    /// The same as another command of the group.
    SameAs(usize),
    /// This durable entry did it before.
    DoneBy(u64),
}

/// Within a group: which command used a request id, and for which body.
type Used<'a> = HashMap<(&'a str, &'a str), (usize, Hash)>;

/// A group under way.
pub(crate) struct Group<D: Domain> {
    draft: Draft,
    now: Timestamp,
    max_entry_bytes: usize,
    block_bytes: usize,
    pub(crate) block: Block,
    pub(crate) entries: Vec<Entry>,
    pub(crate) answers: Vec<Answer<D>>,
}

/// What became of one command under the guard.
enum Decided {
    Unchanged,
    TooLarge(usize),
    Wrote(Box<(Entry, StoredEntry)>),
}

impl<D: Domain> Group<D> {
    pub(crate) fn new(state: &State, now: Timestamp, options: &Options) -> Self {
        Self {
            draft: Draft::new(state.layers.clone(), state.table_bytes),
            now,
            max_entry_bytes: options.max_entry_bytes,
            block_bytes: 0,
            block: Block { previous: state.layers.hash, entries: Vec::new() },
            entries: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Decides the commands until the block is full, or the rows cannot be read; tells how many were.
    pub(crate) fn decide_all(&mut self, domain: &D, ids: &RequestIds, commands: &[Pending<D>]) -> usize {
        let started = Instant::now();
        let mut used = Used::new();
        for (index, command) in commands.iter().enumerate() {
            if self.block_bytes >= self.max_entry_bytes || self.draft.layers.base.failure.borrow().is_some() {
                return index;
            }
            let answer = if command.deadline.is_some_and(|deadline| deadline < started) {
                Answer::Final(Err(SubmitError::DeadlineExceeded))
            } else {
                known(ids, &used, command).unwrap_or_else(|| Answer::Final(self.decide(domain, command)))
            };
            if let (Answer::Final(Ok(receipt)), CommandId::Request { id, body }) =
                (&answer, &command.command_id)
                && !receipt.events.is_empty()
                && !command.validate_only
            {
                used.insert((&command.actor.principal, id), (index, *body));
            }
            self.answers.push(answer);
        }
        commands.len()
    }

    /// Decides one command and applies what it does, or leaves the draft untouched.
    fn decide(&mut self, domain: &D, command: &Pending<D>) -> Outcome<D> {
        let layers = &self.draft.layers;
        let (position, before) = (layers.position, layers.commit_time);
        let context = Context {
            log: position.log,
            sequence: position.sequence + 1,
            commit_time: self.now.max(before),
            now: self.now,
            actor: command.actor.clone(),
            command_id: command.command_id.clone(),
            seed: command.seed,
        };
        let decided = catch_unwind(AssertUnwindSafe(|| self.run(domain, command, &context)));
        let outcome = match decided {
            Ok(Ok(Decided::Wrote(wrote))) => {
                let (entry, stored) = *wrote;
                let receipt = Receipt {
                    position: Position::after(position.log, entry.sequence, &stored.hash),
                    commit_time: entry.commit_time,
                    events: entry.events.clone(),
                    replayed: false,
                };
                if !command.validate_only {
                    self.draft.keep();
                    self.draft.layers.advance(&entry, &stored.hash);
                    self.block_bytes += stored.bytes.len();
                    self.block.entries.push(stored);
                    self.entries.push(entry);
                    return Ok(receipt);
                }
                Ok(Receipt { position, ..receipt })
            }
            Ok(Ok(Decided::Unchanged)) => {
                Ok(Receipt { position, commit_time: before, events: Vec::new(), replayed: false })
            }
            Ok(Ok(Decided::TooLarge(bytes))) => {
                Err(SubmitError::EntryTooLarge { bytes, limit: self.max_entry_bytes })
            }
            Ok(Err(rejection)) => Err(SubmitError::Rejected(rejection)),
            Err(panic) => {
                let message = crate::panic::message(panic.as_ref());
                tracing::error!(message, "a command panicked and had no effect");
                Err(SubmitError::Panicked { message })
            }
        };
        self.draft.undo();
        outcome
    }

    fn run(&mut self, domain: &D, command: &Pending<D>, context: &Context) -> Result<Decided, D::Rejection> {
        let decision = domain.decide(&self.draft, &command.command, context)?;
        if decision.events.is_empty() {
            return Ok(Decided::Unchanged);
        }
        let entry = Entry {
            sequence: context.sequence,
            commit_time: context.commit_time,
            actor: context.actor.clone(),
            command_id: context.command_id.clone(),
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        let stored = entry.encode(&self.draft.layers.hash);
        if stored.bytes.len() > self.max_entry_bytes {
            return Ok(Decided::TooLarge(stored.bytes.len()));
        }
        domain.apply(&mut self.draft, &entry);
        Ok(Decided::Wrote(Box::new((entry, stored))))
    }

    pub(crate) fn table_bytes(&self) -> usize {
        self.draft.table_bytes
    }

    /// The rows after the group. The group's own are then its copy.
    pub(crate) fn take_layers(&self) -> Layers {
        self.draft.layers.clone()
    }
}

/// The answer of a command whose request id was used before, in the journal or in this group.
fn known<D: Domain>(ids: &RequestIds, used: &Used<'_>, command: &Pending<D>) -> Option<Answer<D>> {
    let CommandId::Request { id, body } = &command.command_id else { return None };
    if command.validate_only {
        return None;
    }
    let reused = || Some(Answer::Final(Err(SubmitError::RequestIdReused { id: id.clone() })));
    if let Some((index, before)) = used.get(&(command.actor.principal.as_str(), id.as_str())) {
        return if before == body { Some(Answer::SameAs(*index)) } else { reused() };
    }
    match ids.seen(&command.actor.principal, &command.command_id) {
        Seen::Never => None,
        Seen::Same(sequence) => Some(Answer::DoneBy(sequence)),
        Seen::Reused => reused(),
    }
}
