//! The handle of a ledger: submit commands, read rows, wait for positions, follow the journal.
//!
//! Invariant: what `view` shows and what `submit` answers is durable. Handles are cheap to clone; the work is done
//! by one writer thread (`writer`), which they reach through the `queue`.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use jiff::Timestamp;
use milepost_types::{Clock, Position};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::{Context, Decision, Domain};
use crate::entry::CommandId;
use crate::error::{Error, SubmitError, WaitError};
use crate::feed::Source;
use crate::journal::{DiskRoom, Journal};
use crate::options::Options;
use crate::queue::{Message, Queue};
use crate::shared::Shared;
use crate::stats::Stats;
use crate::store::View;
use crate::submission::{Receipt, Submission};
use crate::{state, wait, writer};

/// One service's ledger.
pub struct Ledger<D: Domain> {
    inner: Arc<Inner<D>>,
}

impl<D: Domain> Clone for Ledger<D> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct Inner<D: Domain> {
    domain: Arc<D>,
    queue: Queue<D>,
    shared: Arc<Shared>,
    journal: Arc<dyn Journal>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    tail_watch: Option<tokio::task::JoinHandle<()>>,
}

impl<D: Domain> Inner<D> {
    fn stop(&self) {
        self.queue.stop();
        if let Some(task) = &self.tail_watch {
            task.abort();
        }
    }
}

impl<D: Domain> Drop for Inner<D> {
    fn drop(&mut self) {
        // Without a `close` the writer still stops in order, but nothing waits for it.
        self.stop();
    }
}

impl<D: Domain> Ledger<D> {
    /// Opens the ledger with its store under `dir`: replays what the store lacks, rebuilds it if it
    /// cannot be used, and starts the writer. May take long; a shared journal needs a tokio runtime.
    ///
    /// # Errors
    /// If the journal cannot be read, or the store can neither be used nor rebuilt.
    pub fn open(
        name: &str,
        dir: &Path,
        journal: Arc<dyn Journal>,
        domain: Arc<D>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, Error> {
        let state = state::open(dir, journal.as_ref(), domain.as_ref(), &options)?;
        let (shared, position) = Shared::new(state);
        let shared = Arc::new(shared);
        let (queue, messages) = Queue::new(options.queue_bound);
        let ends = (queue.sender(), messages, position);
        let (to_journal, to_rules) = (Arc::clone(&journal), Arc::clone(&domain));
        let writer = writer::start(name, to_journal, to_rules, clock, options, Arc::clone(&shared), ends)?;
        let tail_watch = journal.is_shared().then(|| watch_tail(journal.as_ref(), &shared, queue.sender()));
        let writer = Mutex::new(Some(writer));
        Ok(Self { inner: Arc::new(Inner { domain, queue, shared, journal, writer, tail_watch }) })
    }

    /// Submits a command and waits until its effect is durable.
    ///
    /// # Errors
    /// Why there is no receipt. Unless it is `Failed`, the command had no effect.
    pub async fn submit(
        &self,
        submission: Submission<D::Command>,
    ) -> Result<Receipt, SubmitError<D::Rejection>> {
        let (command, outcome) = self.inner.queue.admit(submission).await?;
        self.inner.queue.send(vec![command])?;
        outcome.await.unwrap_or(Err(SubmitError::Closing))
    }

    /// Submits commands to be decided in this order, and with one commit as far as they fit in a group.
    ///
    /// # Errors
    /// Each command has its own answer.
    pub async fn submit_all(
        &self,
        submissions: Vec<Submission<D::Command>>,
    ) -> Vec<Result<Receipt, SubmitError<D::Rejection>>> {
        let queue = &self.inner.queue;
        let mut admitted = Vec::with_capacity(submissions.len());
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in submissions {
            // More commands than the queue has slots: the admitted ones must be sent first, or no slot gets free.
            if queue.free_slots() == 0 && !admitted.is_empty() {
                let _ = queue.send(std::mem::take(&mut admitted));
            }
            outcomes.push(queue.admit(submission).await.map(|(command, outcome)| {
                admitted.push(command);
                outcome
            }));
        }
        let _ = queue.send(admitted);
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            answers.push(match outcome {
                Ok(outcome) => outcome.await.unwrap_or(Err(SubmitError::Closing)),
                Err(error) => Err(error),
            });
        }
        answers
    }

    /// The committed rows, as one consistent cut. Not to be held across an await, nor two at once on one
    /// thread: a checkpoint that waits for the first would block the second.
    ///
    /// # Panics
    /// In a debug build, if the thread holds a view already.
    pub fn view(&self) -> View<'_> {
        self.inner.shared.view()
    }

    /// What a command would come to on these rows at this time. The writer does not hear of it, and nothing has an effect.
    ///
    /// # Errors
    /// What the command would be refused for.
    pub fn try_out(
        &self,
        rows: &View<'_>,
        submission: &Submission<D::Command>,
        now: Timestamp,
    ) -> Result<Decision, D::Rejection> {
        let Position { log, sequence, .. } = rows.position();
        let context = Context {
            log,
            sequence: sequence + 1,
            commit_time: now.max(rows.commit_time()),
            now,
            actor: submission.actor.clone(),
            command_id: CommandId::Server(String::new()),
            seed: 0,
        };
        self.inner.domain.decide(rows, &submission.command, &context)
    }

    /// The last entry that `view` includes.
    pub fn position(&self) -> Position {
        self.inner.shared.position()
    }

    /// Notifies when `view` includes more entries.
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.inner.shared.positions()
    }

    /// Waits until `view` includes the entry at `position`.
    ///
    /// # Errors
    /// `Diverged` if this ledger's log is another or has another entry there, `TimedOut` at the deadline.
    pub async fn wait_for(&self, position: Position, deadline: Instant) -> Result<(), WaitError> {
        wait::wait_for(&self.inner.shared, &self.inner.journal, position, deadline).await
    }

    /// The journal as far as `view` includes it, for followers and readers of history.
    pub fn source(&self) -> Source {
        Source::up_to(Arc::clone(&self.inner.journal), self.positions())
    }

    /// Why the ledger takes no more commands, once it has failed: the process should stop.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.shared.base.failure.subscribe()
    }

    /// Notifies when a command was refused for lack of disk space; `shortage` returns whether that persists.
    pub fn refusals_for_room(&self) -> watch::Receiver<Option<DiskRoom>> {
        self.inner.shared.disk_low.subscribe()
    }

    /// The shortage of space on the journal's disk for which commands are, or will be, refused, measured now.
    /// Blocks.
    ///
    /// # Errors
    /// If the disk cannot be measured.
    pub fn shortage(&self) -> std::io::Result<Option<DiskRoom>> {
        let refused = *self.inner.shared.disk_low.borrow();
        let now = self.inner.journal.room()?;
        Ok(self.inner.shared.shortage(now, refused))
    }

    /// Counters since the ledger was opened.
    pub fn stats(&self) -> &Stats {
        &self.inner.shared.stats
    }

    /// How many commands wait or are being decided.
    pub fn waiting(&self, options: &Options) -> usize {
        options.queue_bound.saturating_sub(self.inner.queue.free_slots())
    }

    /// Finishes the commands that wait, writes a last checkpoint, and closes the journal. Later
    /// commands are answered `Closing`. Blocks. The store stays open for views until the last handle is
    /// dropped.
    pub fn close(&self) {
        self.inner.queue.close();
        self.inner.stop();
        if let Some(writer) = self.inner.writer.lock().take()
            && writer.join().is_err()
        {
            tracing::error!("the ledger's writer panicked outside its panic guard");
        }
    }
}

/// Notifies the writer when another process appends.
fn watch_tail<D: Domain>(
    journal: &dyn Journal,
    shared: &Arc<Shared>,
    queue: Sender<Message<D>>,
) -> tokio::task::JoinHandle<()> {
    let mut tail = journal.tail();
    let mut position = shared.positions();
    tokio::spawn(async move {
        // The first round covers what was appended between the replay and this subscription.
        loop {
            let ahead = tail.borrow_and_update().sequence;
            if position.borrow_and_update().sequence < ahead && queue.send(Message::TailMoved).is_err() {
                break;
            }
            if tail.changed().await.is_err() {
                break;
            }
        }
    })
}
