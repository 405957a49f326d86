//! The bounded queue between the handles of a ledger and its writer.
//!
//! Invariants: a command enters only with a slot of the queue and gives it back when it is answered; every
//! command is answered exactly once, also when it is dropped. The queue decides nothing and reorders nothing.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::Domain;
use crate::entry::{Actor, CommandId};
use crate::error::SubmitError;
use crate::submission::{Receipt, Submission};

/// A message to the writer.
pub(crate) enum Message<D: Domain> {
    Commands(Vec<QueuedCommand<D>>),
    /// Another process may have appended to the journal.
    TailMoved,
    /// A checkpoint has ended; its result is in the checkpoint thread's own channel.
    CheckpointEnded,
    Stop,
}

/// The answer to one command.
pub(crate) type Outcome<D> = Result<Receipt, SubmitError<<D as Domain>::Rejection>>;

/// A command that waits for its turn.
pub(crate) struct QueuedCommand<D: Domain> {
    pub(crate) command: D::Command,
    pub(crate) actor: Actor,
    pub(crate) command_id: CommandId,
    pub(crate) validate_only: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) seed: u128,
    /// Whether an entry of its group may be in the journal.
    pub(crate) may_be_durable: bool,
    reply: Option<oneshot::Sender<Outcome<D>>>,
    /// Its slot in the queue, released when the command is answered.
    _slot: OwnedSemaphorePermit,
}

impl<D: Domain> QueuedCommand<D> {
    pub(crate) fn answer(mut self, outcome: Outcome<D>) {
        self.send(outcome);
    }

    fn send(&mut self, outcome: Outcome<D>) {
        if let Some(reply) = self.reply.take() {
            // The caller may be gone; the effect of the command remains.
            let _ = reply.send(outcome);
        }
    }
}

impl<D: Domain> Drop for QueuedCommand<D> {
    /// A command that is dropped unanswered was never started, unless the writer panicked.
    fn drop(&mut self) {
        self.send(Err(if self.may_be_durable {
            SubmitError::Failed { reason: "the ledger's writer panicked".to_owned() }
        } else {
            SubmitError::Closing
        }));
    }
}

/// The handles' end of the queue.
pub(crate) struct Queue<D: Domain> {
    sender: Sender<Message<D>>,
    slots: Arc<Semaphore>,
}

impl<D: Domain> Queue<D> {
    /// A queue for `bound` commands, and the writer's end of it.
    pub(crate) fn new(bound: usize) -> (Self, Receiver<Message<D>>) {
        let (sender, messages) = channel();
        (Self { sender, slots: Arc::new(Semaphore::new(bound)) }, messages)
    }

    /// Sends messages that need no slot.
    pub(crate) fn sender(&self) -> Sender<Message<D>> {
        self.sender.clone()
    }

    /// Waits for a slot, until the deadline of the submission, and puts the command into it. The command is
    /// queued by `send`.
    pub(crate) async fn admit(
        &self,
        submission: Submission<D::Command>,
    ) -> Result<(QueuedCommand<D>, oneshot::Receiver<Outcome<D>>), SubmitError<D::Rejection>> {
        let slots = Arc::clone(&self.slots);
        let slot = match (Arc::clone(&slots).try_acquire_owned(), submission.deadline) {
            (Ok(slot), _) => Ok(slot),
            (Err(_), None) => slots.acquire_owned().await,
            (Err(_), Some(deadline)) => tokio::time::timeout_at(deadline.into(), slots.acquire_owned())
                .await
                .map_err(|_| SubmitError::Overloaded)?,
        };
        let (reply, outcome) = oneshot::channel();
        let seed = uuid::Uuid::new_v4();
        let command_id = submission
            .command_id
            .unwrap_or_else(|| CommandId::Server(uuid::Uuid::now_v7().hyphenated().to_string()));
        let command = QueuedCommand {
            command: submission.command,
            actor: submission.actor,
            command_id,
            validate_only: submission.validate_only,
            deadline: submission.deadline,
            seed: seed.as_u128(),
            may_be_durable: false,
            reply: Some(reply),
            _slot: slot.map_err(|_| SubmitError::Closing)?,
        };
        Ok((command, outcome))
    }

    /// Queues admitted commands in this order.
    pub(crate) fn send(&self, commands: Vec<QueuedCommand<D>>) -> Result<(), SubmitError<D::Rejection>> {
        self.sender.send(Message::Commands(commands)).map_err(|_| SubmitError::Closing)
    }

    /// How many slots are free.
    pub(crate) fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }

    /// Admits no more commands.
    pub(crate) fn close(&self) {
        self.slots.close();
    }

    /// Makes the writer stop after the commands that are queued.
    pub(crate) fn stop(&self) {
        let _ = self.sender.send(Message::Stop);
    }
}
