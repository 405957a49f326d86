//! The one writer of a ledger: it drains commands into a group, decides them, appends their entries with one
//! sync, publishes what they changed, and only then answers.
//!
//! Invariants: every answer that depends on rows that were not durable, a rejection too, is sent after the sync;
//! after a conflict the same commands are decided again on what the other process wrote, and one that finds its own
//! id there is already done. `group` decides, `checkpoints` moves rows to the store; neither appends.

mod checkpoints;
mod group;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use milepost_types::{Clock, Position};
use tokio::sync::watch;

use self::checkpoints::Checkpoints;
use self::group::{Answer, Basis, Group};
use crate::domain::Domain;
use crate::entry::Entry;
use crate::error::{Error, SubmitError};
use crate::journal::{AppendError, Journal, ReadLimit};
use crate::options::Options;
use crate::queue::{Message, Outcome, QueuedCommand};
use crate::shared::Shared;
use crate::submission::Receipt;

/// The state of the writer thread.
struct Writer<D: Domain> {
    journal: Arc<dyn Journal>,
    domain: Arc<D>,
    clock: Arc<dyn Clock>,
    options: Options,
    shared: Arc<Shared>,
    /// Where readers of `shared` hear of what is in it.
    position: watch::Sender<Position>,
    checkpoints: Checkpoints,
    backlog: VecDeque<QueuedCommand<D>>,
}

/// Starts the writer of a ledger and its checkpointer.
pub(crate) fn start<D: Domain>(
    name: &str,
    journal: Arc<dyn Journal>,
    domain: Arc<D>,
    clock: Arc<dyn Clock>,
    options: Options,
    shared: Arc<Shared>,
    (queue, messages, position): (Sender<Message<D>>, Receiver<Message<D>>, watch::Sender<Position>),
) -> Result<JoinHandle<()>, Error> {
    let notify = move || {
        let _ = queue.send(Message::CheckpointEnded);
    };
    let checkpoints = Checkpoints::start(name, D::STORE_VERSION, &options, Arc::clone(&shared), notify);
    let checkpoints = checkpoints.map_err(Error::Thread)?;
    let base = Arc::clone(&shared.base);
    let backlog = VecDeque::new();
    let writer = Writer { journal, domain, clock, options, shared, position, checkpoints, backlog };
    std::thread::Builder::new()
        .name(format!("{name}-write"))
        .spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| writer.run(&messages))) {
                let message = crate::panic::message(panic.as_ref());
                base.fail(&format!("the ledger's writer panicked: {message}"));
            }
        })
        .map_err(Error::Thread)
}

impl<D: Domain> Writer<D> {
    fn run(mut self, messages: &Receiver<Message<D>>) {
        self.checkpoints.begin_if_due();
        let mut stopping = false;
        loop {
            if self.backlog.is_empty() {
                if stopping {
                    break;
                }
                // All senders are gone only when no handle is left, so nobody waits for an answer.
                let Ok(message) = messages.recv() else { break };
                stopping |= self.take(message);
            }
            // Lets callers that are ready to run queue their commands first: on few processors this makes groups
            // three times as large, and on many it costs no time.
            std::thread::yield_now();
            stopping |= self.drain(messages);
            self.checkpoints.wait_for_table_space();
            let group = self.next_group();
            if !group.is_empty() {
                self.commit(group);
                self.checkpoints.begin_if_due();
            }
        }
        self.finish();
    }

    /// Takes what is queued, without waiting for more: commands that come while a group is written form the next
    /// group, so groups grow with the load by themselves, and waiting would only add latency.
    fn drain(&mut self, messages: &Receiver<Message<D>>) -> bool {
        let mut stopping = false;
        while self.backlog.len() < self.options.group_size {
            let Ok(message) = messages.try_recv() else { break };
            stopping |= self.take(message);
        }
        stopping
    }

    /// Handles one message; returns whether it was `Stop`.
    fn take(&mut self, message: Message<D>) -> bool {
        match message {
            Message::Commands(commands) => self.backlog.extend(commands),
            Message::TailMoved => {
                if !self.shared.failed() {
                    self.catch_up();
                }
            }
            Message::CheckpointEnded => self.checkpoints.collect(Duration::ZERO),
            Message::Stop => return true,
        }
        false
    }

    fn next_group(&mut self) -> Vec<QueuedCommand<D>> {
        let size = self.backlog.len().min(self.options.group_size);
        self.backlog.drain(..size).collect()
    }

    /// Decides a group, makes it durable, publishes it, answers it.
    fn commit(&mut self, mut commands: Vec<QueuedCommand<D>>) {
        loop {
            if self.shared.failed() {
                let reason = self.shared.base.failure.borrow().clone().unwrap_or_default();
                refuse(commands, || SubmitError::Failed { reason: reason.clone() });
                return;
            }
            let started = Instant::now();
            let group = Group::decide(
                &Basis {
                    domain: self.domain.as_ref(),
                    state: &self.shared.state.read(),
                    now: self.clock.now(),
                    max_entry_bytes: self.options.max_entry_bytes,
                },
                &commands,
            );
            self.shared.stats.decide_nanos.add_since(started);
            if self.shared.failed() {
                continue;
            }
            if group.entries.is_empty() {
                self.answer(commands, group.answers);
                return;
            }

            let decided = group.answers.len();
            commands.iter_mut().take(decided).for_each(|command| command.may_be_durable = true);
            let started = Instant::now();
            let appended = self.journal.append(&self.shared.position(), &group.block);
            self.shared.stats.append_nanos.add_since(started);
            match appended {
                Ok(_) => {
                    self.shared
                        .disk_low
                        .send_if_modified(|refused| refused.take_if(|refused| refused.suffices()).is_some());
                    // Commands that did not fit into the block are decided next, on what is durable now.
                    for late in commands.drain(decided..).rev() {
                        self.backlog.push_front(late);
                    }
                    let answers = self.publish(group);
                    self.answer(commands, answers);
                    return;
                }
                Err(AppendError::Conflict { .. }) => {
                    self.shared.stats.conflicts.add(1);
                    self.catch_up();
                }
                Err(AppendError::DiskLow(room)) => {
                    self.shared.stats.refused.add(commands.len() as u64);
                    self.shared.stats.disk_low.add(commands.len() as u64);
                    self.shared.disk_low.send_replace(Some(room));
                    refuse(commands, || SubmitError::DiskLow(room));
                    return;
                }
                Err(error) => self.shared.fail(&error.to_string()),
            }
        }
    }

    /// Makes a group whose entries are durable part of the committed state.
    fn publish(&mut self, group: Group<D>) -> Vec<Answer<D>> {
        let Group { entries, changes, tip, answers, .. } = group;
        self.shared.stats.groups.add(1);
        self.shared.stats.entries.add(entries.len() as u64);
        self.shared.state.write().advance(changes, tip, &entries);
        self.position.send_replace(tip.position);
        answers
    }

    fn answer(&self, commands: Vec<QueuedCommand<D>>, answers: Vec<Answer<D>>) {
        for (command, answer) in commands.into_iter().zip(answers) {
            let outcome = match answer {
                Answer::Final(outcome) => outcome,
                Answer::DoneBy(sequence) => self.replay(sequence),
            };
            if outcome.is_err() {
                self.shared.stats.refused.add(1);
            }
            command.answer(outcome);
        }
    }

    /// The receipt of the entry that an earlier command with the same id wrote.
    fn replay(&self, sequence: u64) -> Outcome<D> {
        let failed = |reason: String| SubmitError::Failed { reason };
        let stored = self
            .journal
            .read_after(sequence - 1, ReadLimit { entries: 1, bytes: 1 })
            .map_err(|error| failed(error.to_string()))?;
        let stored = stored.first().ok_or_else(|| failed(format!("the journal has no entry {sequence}")))?;
        let entry = Entry::decode(stored).map_err(|error| failed(error.to_string()))?;
        Ok(Receipt {
            position: Position::after(self.shared.position().log, sequence, &stored.hash),
            commit_time: entry.commit_time,
            events: entry.events,
            replayed: true,
        })
    }

    /// Applies what another process appended.
    fn catch_up(&mut self) {
        if let Err(error) = self.apply_new() {
            self.shared.fail(&error.to_string());
        }
        self.checkpoints.begin_if_due();
    }

    fn apply_new(&self) -> Result<(), Error> {
        loop {
            let entries = self.journal.read(&self.shared.position(), ReadLimit::default())?;
            if entries.is_empty() {
                return Ok(());
            }
            for stored in &entries {
                let mut state = self.shared.state.write();
                state.apply(self.domain.as_ref(), self.journal.as_ref(), stored)?;
                self.position.send_replace(state.layers.tip.position);
            }
        }
    }

    fn finish(&mut self) {
        self.checkpoints.wait_until_idle();
        if !self.shared.failed() {
            self.checkpoints.write_last();
            if let Err(error) = self.journal.close() {
                tracing::warn!(%error, "the journal did not close cleanly");
            }
        }
    }
}

/// Answers commands that had no effect.
fn refuse<D: Domain>(commands: Vec<QueuedCommand<D>>, why: impl Fn() -> SubmitError<D::Rejection>) {
    commands.into_iter().for_each(|command| command.answer(Err(why())));
}
