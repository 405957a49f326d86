//! The one writer of a ledger: it drains commands into a group, decides them, appends their entries with one
//! sync, shows what they did, and only then answers.
//!
//! Invariants: every answer that saw undurable rows, a refusal too, leaves after the sync; after a conflict the
//! same commands are decided again on what somebody else wrote, and one that finds its own id there is
//! already done.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use milepost_types::{Clock, Position};
use parking_lot::RwLock;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::domain::Domain;
use crate::entry::{Actor, CommandId, Entry};
use crate::error::{Error, SubmitError};
use crate::group::{Answer, Basis, Group};
use crate::journal::{AppendError, DiskRoom, Journal, ReadLimit};
use crate::ledger::Receipt;
use crate::options::Options;
use crate::state::State;
use crate::stats::Stats;
use crate::store::{Base, Checkpointer, Done};

/// What handles and writer share.
pub(crate) struct Shared {
    /// What is committed: changed while one group, or one entry of somebody else, that is durable is taken in.
    pub(crate) state: RwLock<State>,
    pub(crate) base: Arc<Base>,
    /// The last entry that the state has.
    pub(crate) position: watch::Sender<Position>,
    pub(crate) stats: Stats,
    /// The room that the last append found that was refused for want of it, unless one has shown since that
    /// this is over.
    pub(crate) refused_for_room: watch::Sender<Option<DiskRoom>>,
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
struct Writer<D: Domain> {
    journal: Arc<dyn Journal>,
    domain: Arc<D>,
    clock: Arc<dyn Clock>,
    options: Options,
    shared: Arc<Shared>,
    checkpointer: Checkpointer,
    checkpoint_done: Receiver<Done>,
    checkpointing: bool,
    backlog: VecDeque<Pending<D>>,
}

/// Starts the writer of a ledger and its checkpointer.
pub(crate) fn start<D: Domain>(
    name: &str,
    journal: Arc<dyn Journal>,
    domain: Arc<D>,
    clock: Arc<dyn Clock>,
    options: Options,
    shared: Arc<Shared>,
    (queue, messages): (Sender<Message<D>>, Receiver<Message<D>>),
) -> Result<JoinHandle<()>, Error> {
    let (done, checkpoint_done) = channel();
    let base = Arc::clone(&shared.base);
    let observer = options.observe_checkpoint.clone();
    let checkpointer = Checkpointer::start(name, Arc::clone(&base), observer, move |outcome| {
        let _ = done.send(outcome);
        let _ = queue.send(Message::Checkpointed);
    });
    let writer = Writer {
        journal,
        domain,
        clock,
        options,
        shared,
        checkpointer: checkpointer.map_err(Error::Thread)?,
        checkpoint_done,
        checkpointing: false,
        backlog: VecDeque::new(),
    };
    std::thread::Builder::new()
        .name(format!("{name}-write"))
        .spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| writer.run(&messages))) {
                let message = crate::panic::message(panic.as_ref());
                base.fail(&format!("the ledger's writer ended by a panic: {message}"));
            }
        })
        .map_err(Error::Thread)
}

impl<D: Domain> Writer<D> {
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
            // Callers that are ready to run get their commands in: where processors are short, groups are three
            // times as large for it, and where they are not, it takes no time.
            std::thread::yield_now();
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
                if !self.failed() {
                    self.catch_up();
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
            if self.failed() {
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
            if self.failed() {
                continue;
            }
            if group.entries.is_empty() {
                self.answer(commands, group.answers);
                return;
            }

            let decided = group.answers.len();
            commands.iter_mut().take(decided).for_each(|command| command.at_stake = true);
            let started = Instant::now();
            let appended = self.journal.append(&self.position(), &group.block);
            self.shared.stats.append_nanos.add_since(started);
            match appended {
                Ok(_) => {
                    self.shared
                        .refused_for_room
                        .send_if_modified(|refused| refused.take_if(|refused| refused.suffices()).is_some());
                    // What did not fit into the block is decided next, on what is durable now.
                    for late in commands.drain(decided..).rev() {
                        self.backlog.push_front(late);
                    }
                    let answers = self.adopt(group);
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
                    self.shared.refused_for_room.send_replace(Some(room));
                    refuse(commands, || SubmitError::DiskLow(room));
                    return;
                }
                Err(error) => self.shared.base.fail(&error.to_string()),
            }
        }
    }

    /// A group's entries are durable: what it decided is what is.
    fn adopt(&mut self, group: Group<D>) -> Vec<Answer<D>> {
        let Group { entries, changes, tip, answers, .. } = group;
        self.shared.stats.groups.add(1);
        self.shared.stats.entries.add(entries.len() as u64);
        self.shared.state.write().advance(changes, tip, &entries);
        self.shared.position.send_replace(tip.position);
        answers
    }

    /// The last entry that the state has.
    fn position(&self) -> Position {
        *self.shared.position.borrow()
    }

    fn answer(&self, commands: Vec<Pending<D>>, answers: Vec<Answer<D>>) {
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
            position: Position::after(self.position().log, sequence, &stored.hash),
            commit_time: entry.commit_time,
            events: entry.events,
            replayed: true,
        })
    }

    /// Applies what somebody else appended.
    fn catch_up(&mut self) {
        if let Err(error) = self.apply_new() {
            self.shared.base.fail(&error.to_string());
        }
        self.maybe_checkpoint();
    }

    fn apply_new(&self) -> Result<(), Error> {
        loop {
            let entries = self.journal.read(&self.position(), ReadLimit::default())?;
            if entries.is_empty() {
                return Ok(());
            }
            for stored in &entries {
                let mut state = self.shared.state.write();
                state.apply(self.domain.as_ref(), self.journal.as_ref(), stored)?;
                self.shared.position.send_replace(state.layers.tip.position);
            }
        }
    }

    fn maybe_checkpoint(&mut self) {
        if !self.checkpointing && !self.failed() && self.shared.state.read().is_due(&self.options) {
            self.begin_checkpoint();
        }
    }

    fn begin_checkpoint(&mut self) {
        let (mark, frozen) = {
            let mut state = self.shared.state.write();
            let mark = state.mark::<D>();
            let frozen = state.freeze();
            if frozen.is_empty() {
                return;
            }
            // Readers must see the frozen table in front of the base before the base changes.
            state.layers.frozen = Some(frozen.clone());
            (mark, frozen)
        };
        self.shared.stats.checkpoints.add(1);
        self.shared.stats.checkpoint_rows.add(frozen.len() as u64);
        self.checkpointing = true;
        self.checkpointer.begin(frozen, mark);
    }

    /// Takes the outcome of a checkpoint in, if it is there or comes within `patience`; the ledger fails if the
    /// checkpoint did.
    fn collect_checkpoint(&mut self, patience: Duration) {
        if let Err(reason) = self.checkpointed(patience) {
            self.shared.base.fail(&reason);
        }
        self.maybe_checkpoint();
    }

    fn checkpointed(&mut self, patience: Duration) -> Result<(), String> {
        match self.checkpoint_done.recv_timeout(patience) {
            Ok(Ok(digest)) => {
                let written = {
                    let mut state = self.shared.state.write();
                    state.digest = digest;
                    state.layers.frozen.take()
                };
                if let Some(written) = written {
                    self.checkpointer.let_go(written);
                }
                self.checkpointing = false;
                Ok(())
            }
            Ok(Err(error)) => {
                self.checkpointing = false;
                Err(error.explain())
            }
            Err(RecvTimeoutError::Disconnected) if self.checkpointing => {
                self.checkpointing = false;
                Err("the checkpoint thread ended by a panic".to_owned())
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    /// The memory table is bounded: at the bound, writers wait for the checkpoint under way.
    fn wait_for_room(&mut self) {
        while self.checkpointing
            && self.shared.state.read().table_bytes > self.options.table_bytes
            && !self.failed()
        {
            self.shared.stats.table_waits.add(1);
            self.collect_checkpoint(Duration::from_secs(1));
        }
    }

    /// Whether no more commands are taken.
    fn failed(&self) -> bool {
        self.shared.base.failure.borrow().is_some()
    }

    fn finish(&mut self) {
        while self.checkpointing {
            self.collect_checkpoint(Duration::from_secs(1));
        }
        if !self.failed() {
            self.begin_checkpoint();
            while self.checkpointing {
                if let Err(reason) = self.checkpointed(Duration::from_secs(1)) {
                    tracing::warn!(reason, "the last checkpoint failed, the next start replays more");
                }
            }
            if let Err(error) = self.journal.close() {
                tracing::warn!(%error, "the journal did not close cleanly");
            }
        }
    }
}

/// Answers commands that had no effect.
fn refuse<D: Domain>(commands: Vec<Pending<D>>, why: impl Fn() -> SubmitError<D::Rejection>) {
    commands.into_iter().for_each(|command| command.answer(Err(why())));
}
