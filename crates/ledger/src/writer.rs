//! The one writer of a ledger: it drains commands into a group, decides them on a draft, appends their
//! entries with one sync, publishes the rows, and only then answers.
//!
//! Invariants: every answer that saw undurable rows, a refusal too, leaves after the sync; a command
//! that panics or is refused leaves no trace in the draft; after a conflict the same commands are decided
//! again on what somebody else wrote, and one that finds its own id there is already done.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use milepost_types::{Clock, Position};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::domain::Domain;
use crate::entry::{Actor, CommandId, Entry};
use crate::error::{Error, SubmitError};
use crate::group::{Answer, Group};
use crate::journal::{AppendError, Journal, ReadLimit};
use crate::ledger::{Receipt, publish};
use crate::options::Options;
use crate::state::State;
use crate::stats::Stats;
use crate::store::{Checkpointer, Done, Layers};

/// What handles and writer share.
pub(crate) struct Shared {
    pub(crate) published: ArcSwap<Layers>,
    pub(crate) position: watch::Sender<Position>,
    pub(crate) stats: Stats,
}

/// What the writer is told.
pub(crate) enum Message<D: Domain> {
    Commands(Vec<Pending<D>>),
    /// Somebody else appended.
    TailMoved,
    /// A checkpoint is done; how it went stands in its own channel.
    Checkpointed,
    Stop,
}

/// What a submitter waits for.
pub(crate) type Outcome<D> = Result<Receipt, SubmitError<<D as Domain>::Rejection>>;

/// A command that waits for its turn.
pub(crate) struct Pending<D: Domain> {
    pub(crate) command: D::Command,
    pub(crate) actor: Actor,
    pub(crate) command_id: CommandId,
    pub(crate) validate_only: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) seed: u128,
    /// Whether an entry of its group may be in the journal.
    pub(crate) at_stake: bool,
    pub(crate) reply: Option<oneshot::Sender<Outcome<D>>>,
    /// Its place in the queue, given back when it is answered.
    pub(crate) _place: OwnedSemaphorePermit,
}

impl<D: Domain> Pending<D> {
    fn answer(mut self, outcome: Outcome<D>) {
        self.send(outcome);
    }

    fn send(&mut self, outcome: Outcome<D>) {
        if let Some(reply) = self.reply.take() {
            // A caller that went away loses its answer, not the effect.
            let _ = reply.send(outcome);
        }
    }
}

impl<D: Domain> Drop for Pending<D> {
    /// One that nobody answered was never begun, unless the writer ended by a panic.
    fn drop(&mut self) {
        self.send(Err(if self.at_stake {
            SubmitError::Failed { reason: "the ledger's writer ended by a panic".to_owned() }
        } else {
            SubmitError::Closing
        }));
    }
}

/// The writer's own state; it lives on its thread.
pub(crate) struct Writer<D: Domain> {
    journal: Arc<dyn Journal>,
    domain: Arc<D>,
    clock: Arc<dyn Clock>,
    options: Options,
    shared: Arc<Shared>,
    state: State,
    checkpointer: Option<Checkpointer>,
    checkpoint_done: Option<Receiver<Done>>,
    checkpointing: bool,
    backlog: VecDeque<Pending<D>>,
}

impl<D: Domain> Writer<D> {
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        domain: Arc<D>,
        clock: Arc<dyn Clock>,
        options: Options,
        state: State,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            journal,
            domain,
            clock,
            options,
            shared,
            state,
            checkpointer: None,
            checkpoint_done: None,
            checkpointing: false,
            backlog: VecDeque::new(),
        }
    }

    /// Starts the writer and its checkpointer.
    pub(crate) fn start(
        mut self,
        name: &str,
        queue: Sender<Message<D>>,
        messages: Receiver<Message<D>>,
    ) -> Result<JoinHandle<()>, Error> {
        let (done, checkpoint_done) = channel();
        let base = Arc::clone(&self.state.layers.base);
        let observer = self.options.observe_checkpoint.clone();
        let checkpointer = Checkpointer::start(name, base, observer, move |outcome| {
            let _ = done.send(outcome);
            let _ = queue.send(Message::Checkpointed);
        });
        self.checkpointer = Some(checkpointer.map_err(Error::Thread)?);
        self.checkpoint_done = Some(checkpoint_done);
        std::thread::Builder::new()
            .name(format!("{name}-write"))
            .spawn(move || {
                let base = Arc::clone(&self.state.layers.base);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run(&messages))) {
                    let message = crate::panic::message(panic.as_ref());
                    base.fail(&format!("the ledger's writer ended by a panic: {message}"));
                }
            })
            .map_err(Error::Thread)
    }

    fn run(mut self, messages: &Receiver<Message<D>>) {
        self.maybe_checkpoint();
        let mut stopping = false;
        loop {
            if self.backlog.is_empty() {
                if stopping {
                    break;
                }
                // Every sender is gone only if no handle is left: nobody waits any more.
                let Ok(message) = messages.recv() else { break };
                stopping |= self.take(message);
            }
            stopping |= self.drain(messages);
            self.wait_for_room();
            let group = self.next_group();
            if !group.is_empty() {
                self.commit(group);
                self.maybe_checkpoint();
            }
        }
        self.finish();
    }

    /// Takes what is queued. What comes while a group is being written is the next one: under load groups
    /// are as large as the disk is slow, and to wait for more would only make everybody wait.
    fn drain(&mut self, messages: &Receiver<Message<D>>) -> bool {
        let mut stopping = false;
        while self.backlog.len() < self.options.group_size {
            let Ok(message) = messages.try_recv() else { break };
            stopping |= self.take(message);
        }
        stopping
    }

    /// Takes one message in; tells whether it said to stop.
    fn take(&mut self, message: Message<D>) -> bool {
        match message {
            Message::Commands(commands) => self.backlog.extend(commands),
            Message::TailMoved => {
                if self.failure().is_none()
                    && let Err(error) = self.catch_up()
                {
                    self.fail(&error.to_string());
                }
            }
            Message::Checkpointed => self.collect_checkpoint(Duration::ZERO),
            Message::Stop => return true,
        }
        false
    }

    fn next_group(&mut self) -> Vec<Pending<D>> {
        let size = self.backlog.len().min(self.options.group_size);
        self.backlog.drain(..size).collect()
    }

    /// Decides a group, makes it durable, shows it, answers it.
    fn commit(&mut self, mut commands: Vec<Pending<D>>) {
        loop {
            if let Some(reason) = self.failure() {
                commands.into_iter().for_each(|command| {
                    command.answer(Err(SubmitError::Failed { reason: reason.clone() }));
                });
                return;
            }
            let started = Instant::now();
            let mut group = Group::new(&self.state, self.clock.now(), &self.options);
            let taken = group.decide_all(self.domain.as_ref(), &self.state.ids, &commands);
            self.shared.stats.decide_nanos.add_since(started);
            if self.failure().is_some() {
                continue;
            }
            if group.block.entries.is_empty() {
                self.answer(commands, group);
                return;
            }

            commands.iter_mut().take(taken).for_each(|command| command.at_stake = true);
            let started = Instant::now();
            let appended = self.journal.append(&self.state.layers.position, &group.block);
            self.shared.stats.append_nanos.add_since(started);
            match appended {
                Ok(_) => {
                    // What did not fit into the block is decided next, on what is durable now.
                    for late in commands.drain(taken..).rev() {
                        self.backlog.push_front(late);
                    }
                    self.adopt(&mut group);
                    self.answer(commands, group);
                    return;
                }
                Err(AppendError::Conflict { .. }) => {
                    self.shared.stats.conflicts.add(1);
                    if let Err(error) = self.catch_up() {
                        self.fail(&error.to_string());
                    }
                }
                Err(AppendError::DiskLow { free_bytes, floor_bytes }) => {
                    commands.into_iter().for_each(|command| {
                        command.answer(Err(SubmitError::DiskLow { free_bytes, floor_bytes }));
                    });
                    return;
                }
                Err(error) => self.fail(&error.to_string()),
            }
        }
    }

    /// A group's entries are durable: its draft is what is.
    fn adopt(&mut self, group: &mut Group<D>) {
        self.shared.stats.groups.add(1);
        self.shared.stats.entries.add(group.entries.len() as u64);
        for entry in std::mem::take(&mut group.entries) {
            self.state.ids.remember(&entry);
        }
        self.state.table_bytes = group.table_bytes();
        self.state.layers = group.take_layers();
        publish(&self.shared, &self.state.layers);
    }

    fn answer(&self, commands: Vec<Pending<D>>, group: Group<D>) {
        let answers = group.answers;
        let mut receipts: Vec<Outcome<D>> = Vec::with_capacity(answers.len());
        for answer in answers {
            let outcome = match answer {
                Answer::Final(outcome) => outcome,
                Answer::SameAs(index) => {
                    receipts[index].clone().map(|receipt| Receipt { replayed: true, ..receipt })
                }
                Answer::DoneBy(sequence) => self.replay(sequence),
            };
            if outcome.is_err() {
                self.shared.stats.refused.add(1);
            }
            receipts.push(outcome);
        }
        for (command, outcome) in commands.into_iter().zip(receipts) {
            command.answer(outcome);
        }
    }

    /// The receipt of an entry that a command wrote before.
    fn replay(&self, sequence: u64) -> Outcome<D> {
        let failed = |reason: String| SubmitError::Failed { reason };
        let stored = self
            .journal
            .read_after(sequence - 1, ReadLimit { entries: 1, bytes: 1 })
            .map_err(|error| failed(error.to_string()))?;
        let stored = stored.first().ok_or_else(|| failed(format!("entry {sequence} is not there")))?;
        let entry = Entry::decode(stored).map_err(|error| failed(error.to_string()))?;
        Ok(Receipt {
            position: Position::after(self.state.layers.position.log, sequence, &stored.hash),
            commit_time: entry.commit_time,
            events: entry.events,
            replayed: true,
        })
    }

    /// Applies what somebody else appended.
    fn catch_up(&mut self) -> Result<(), Error> {
        loop {
            let entries = self.journal.read(&self.state.layers.position, ReadLimit::default())?;
            if entries.is_empty() {
                break;
            }
            for stored in &entries {
                self.state.apply(self.domain.as_ref(), stored)?;
            }
        }
        publish(&self.shared, &self.state.layers);
        self.maybe_checkpoint();
        Ok(())
    }

    fn maybe_checkpoint(&mut self) {
        if self.state.is_due(&self.options) && !self.checkpointing && self.failure().is_none() {
            self.begin_checkpoint();
        }
    }

    fn begin_checkpoint(&mut self) {
        let mark = self.state.mark::<D>();
        let frozen = self.state.freeze();
        self.shared.stats.checkpoints.add(1);
        self.shared.stats.checkpoint_rows.add(frozen.len() as u64);
        self.state.layers.frozen = Some(frozen.clone());
        // Readers must see the frozen table in front of the base before the base changes.
        publish(&self.shared, &self.state.layers);
        self.checkpointing = true;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.begin(frozen, mark);
        }
    }

    /// Takes the outcome of a checkpoint in, if it is there or comes within `patience`.
    fn collect_checkpoint(&mut self, patience: Duration) {
        let Some(done) = &self.checkpoint_done else { return };
        match done.recv_timeout(patience) {
            Ok(Ok(digest)) => {
                self.state.digest = digest;
                self.state.layers.frozen = None;
                self.checkpointing = false;
                publish(&self.shared, &self.state.layers);
                self.maybe_checkpoint();
            }
            Ok(Err(error)) => {
                self.checkpointing = false;
                self.fail(&error.explain());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if self.checkpointing => {
                self.checkpointing = false;
                self.fail("the checkpoint thread ended by a panic");
            }
            Err(RecvTimeoutError::Disconnected) => {}
        }
    }

    /// The memory table is bounded: at the bound, writers wait for the checkpoint under way.
    fn wait_for_room(&mut self) {
        while self.checkpointing
            && self.state.table_bytes > self.options.table_bytes
            && self.failure().is_none()
        {
            self.shared.stats.table_waits.add(1);
            self.collect_checkpoint(Duration::from_secs(1));
        }
    }

    /// Why no more commands are taken, if so.
    fn failure(&self) -> Option<String> {
        self.state.layers.base.failure.borrow().clone()
    }

    fn fail(&self, reason: &str) {
        self.state.layers.base.fail(reason);
    }

    fn finish(&mut self) {
        while self.checkpointing {
            self.collect_checkpoint(Duration::from_secs(1));
        }
        if self.failure().is_none() {
            match self.state.checkpoint::<D>() {
                Ok(()) => publish(&self.shared, &self.state.layers),
                // Views go on with the memory table, as it was published last.
                Err(error) => {
                    tracing::warn!(%error, "the last checkpoint failed, the next start replays more")
                }
            }
            if let Err(error) = self.journal.close() {
                tracing::warn!(%error, "the journal did not close cleanly");
            }
        }
    }
}
