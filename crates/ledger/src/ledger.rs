//! The handle of a ledger: submit commands, read rows, wait for positions, follow the journal.
//!
//! Invariant: what `view` shows and what `submit` answers is durable. The work is done by one writer
//! thread (`writer`); handles are cheap to clone and share it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::{Clock, Position};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::domain::Domain;
use crate::entry::{Actor, CommandId};
use crate::error::{Error, SubmitError, WaitError};
use crate::feed::Source;
use crate::journal::{self, DiskRoom, Journal, ReadError, ReadLimit};
use crate::options::Options;
use crate::stats::Stats;
use crate::store::{self, Digest, View};
use crate::writer::{self, Message, Pending, Shared};

/// A command, who asks, and how.
#[derive(Debug, Clone)]
pub struct Submission<C> {
    /// What is asked.
    pub command: C,
    /// Who asks.
    pub actor: Actor,
    /// What makes it the same command again; `None`: the ledger makes an id.
    pub command_id: Option<CommandId>,
    /// Decide it and answer, but change nothing.
    pub validate_only: bool,
    /// It has no effect if its turn comes later than this.
    pub deadline: Option<Instant>,
}

impl<C> Submission<C> {
    /// A command that the server gives itself.
    pub fn system(part: &str, command: C) -> Self {
        Self { command, actor: Actor::system(part), command_id: None, validate_only: false, deadline: None }
    }
}

/// What became of a command that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The state that it was decided on and that now includes it.
    pub position: Position,
    /// When it was committed; for one that changed nothing, when the entry before was.
    pub commit_time: Timestamp,
    /// The encoded events of its entry; none if it changed nothing. With `validate_only`, what they
    /// would have been.
    pub events: Vec<Bytes>,
    /// Whether it was done before, under the same request id.
    pub replayed: bool,
}

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
    queue: Sender<Message<D>>,
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
    journal: Arc<dyn Journal>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    tail_watch: Option<tokio::task::JoinHandle<()>>,
}

impl<D: Domain> Drop for Inner<D> {
    fn drop(&mut self) {
        // Without a `close` the writer still ends in order, but nobody waits for it.
        let _ = self.queue.send(Message::Stop);
        if let Some(task) = &self.tail_watch {
            task.abort();
        }
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
        let state = crate::state::open(dir, journal.as_ref(), domain.as_ref(), &options)?;
        let places = Arc::new(Semaphore::new(options.queue_bound));
        let shared = Arc::new(Shared {
            base: Arc::clone(&state.layers.base),
            position: watch::Sender::new(state.layers.tip.position),
            state: RwLock::new(state),
            stats: Stats::default(),
            refused_for_room: watch::Sender::new(None),
        });
        let (queue, messages) = channel();
        let ends = (queue.clone(), messages);
        let writer =
            writer::start(name, Arc::clone(&journal), domain, clock, options, Arc::clone(&shared), ends)?;
        let tail_watch = journal.is_shared().then(|| watch_tail(journal.as_ref(), &shared, queue.clone()));
        let writer = Mutex::new(Some(writer));
        Ok(Self { inner: Arc::new(Inner { queue, places, shared, journal, writer, tail_watch }) })
    }

    /// Has a command decided, and waits until what it did is durable.
    ///
    /// # Errors
    /// Why it has no receipt. Unless it is `Failed`, the command had no effect.
    pub async fn submit(
        &self,
        submission: Submission<D::Command>,
    ) -> Result<Receipt, SubmitError<D::Rejection>> {
        let (pending, outcome) = self.admit(submission).await?;
        self.send(vec![pending])?;
        outcome.await.unwrap_or(Err(SubmitError::Closing))
    }

    /// Has commands decided in this order, and with one commit as far as they fit in a group.
    ///
    /// # Errors
    /// Each has its own answer.
    pub async fn submit_all(
        &self,
        submissions: Vec<Submission<D::Command>>,
    ) -> Vec<Result<Receipt, SubmitError<D::Rejection>>> {
        let mut admitted = Vec::with_capacity(submissions.len());
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in submissions {
            // More commands than the queue has places: what is admitted must go on first.
            if self.inner.places.available_permits() == 0 && !admitted.is_empty() {
                let _ = self.send(std::mem::take(&mut admitted));
            }
            outcomes.push(self.admit(submission).await.map(|(pending, outcome)| {
                admitted.push(pending);
                outcome
            }));
        }
        let _ = self.send(admitted);
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            answers.push(match outcome {
                Ok(outcome) => outcome.await.unwrap_or(Err(SubmitError::Closing)),
                Err(error) => Err(error),
            });
        }
        answers
    }

    async fn admit(
        &self,
        submission: Submission<D::Command>,
    ) -> Result<Admitted<D>, SubmitError<D::Rejection>> {
        let places = Arc::clone(&self.inner.places);
        let place = match (Arc::clone(&places).try_acquire_owned(), submission.deadline) {
            (Ok(place), _) => Ok(place),
            (Err(_), None) => places.acquire_owned().await,
            (Err(_), Some(deadline)) => tokio::time::timeout_at(deadline.into(), places.acquire_owned())
                .await
                .map_err(|_| SubmitError::Overloaded)?,
        };
        let (reply, outcome) = oneshot::channel();
        let seed = uuid::Uuid::new_v4();
        let command_id = submission
            .command_id
            .unwrap_or_else(|| CommandId::Server(uuid::Uuid::now_v7().hyphenated().to_string()));
        let pending = Pending {
            command: submission.command,
            actor: submission.actor,
            command_id,
            validate_only: submission.validate_only,
            deadline: submission.deadline,
            seed: seed.as_u128(),
            at_stake: false,
            reply: Some(reply),
            _place: place.map_err(|_| SubmitError::Closing)?,
        };
        Ok((pending, outcome))
    }

    fn send(&self, commands: Vec<Pending<D>>) -> Result<(), SubmitError<D::Rejection>> {
        self.inner.queue.send(Message::Commands(commands)).map_err(|_| SubmitError::Closing)
    }

    /// The committed rows, as one consistent cut. Not to be held across an await, nor two at once on one
    /// thread: a checkpoint that waits for the first would keep the second waiting.
    ///
    /// # Panics
    /// In a debug build, if the thread holds a view already.
    pub fn view(&self) -> View<'_> {
        View::enter();
        // The guard first: a checkpoint between the two would write past the layers that were loaded.
        let cut = self.inner.shared.base.cut.read();
        View::new(self.inner.shared.state.read().layers.clone(), cut)
    }

    /// The last entry that `view` shows.
    pub fn position(&self) -> Position {
        *self.inner.shared.position.borrow()
    }

    /// Tells when `view` shows more.
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.inner.shared.position.subscribe()
    }

    /// Waits until `view` shows the entry at `position`.
    ///
    /// # Errors
    /// `Diverged` if this ledger's log is another or has another entry there, `TimedOut` at the deadline.
    pub async fn wait_for(&self, position: Position, deadline: Instant) -> Result<(), WaitError> {
        let started = Instant::now();
        let mut positions = self.positions();
        let have = *positions.borrow();
        // A position of a log that this one was restored from is waited for as the one that it is here.
        let asked = position;
        let here = if have.log == asked.log { Some(asked) } else { self.source().resolve(asked) };
        let Some(position) = here else { return Err(WaitError::Diverged { asked, have }) };
        let reached = positions.wait_for(|have| have.sequence >= position.sequence);
        match tokio::time::timeout_at(deadline.into(), reached).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(WaitError::Closing),
            Err(_) => {
                let have = self.position();
                return Err(WaitError::TimedOut { asked, have, waited: started.elapsed() });
            }
        }
        let have = self.position();
        if have.sequence == position.sequence {
            let same = have == position;
            return if same { Ok(()) } else { Err(WaitError::Diverged { asked, have }) };
        }
        let source = self.source();
        let entry = source.read(position, ReadLimit { entries: 1, bytes: 1 });
        match tokio::time::timeout_at(deadline.into(), entry).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(ReadError::Diverged { .. })) => Err(WaitError::Diverged { asked, have }),
            Ok(Err(error)) => Err(WaitError::Journal { reason: error.to_string() }),
            Err(_) => Err(WaitError::TimedOut { asked, have, waited: started.elapsed() }),
        }
    }

    /// The journal, for followers and readers of history.
    pub fn source(&self) -> Source {
        Source::new(Arc::clone(&self.inner.journal))
    }

    /// Why the ledger takes no more commands, once it does not: the process should stop.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.shared.base.failure.subscribe()
    }

    /// Tells when a command was refused for want of room; whether that is still so, `shortage` says.
    pub fn refusals_for_room(&self) -> watch::Receiver<Option<DiskRoom>> {
        self.inner.shared.refused_for_room.subscribe()
    }

    /// Why commands are refused for want of room on the journal's disk, if they are, or will be: measured
    /// now. Blocks.
    ///
    /// # Errors
    /// If the disk cannot be measured.
    pub fn shortage(&self) -> std::io::Result<Option<DiskRoom>> {
        let refused = *self.inner.shared.refused_for_room.borrow();
        let now = self.inner.journal.room()?;
        let shortage = now.and_then(|now| journal::shortage(refused, now));
        if shortage.is_none() {
            // Unless a command was refused meanwhile.
            let over = |latest: &mut Option<DiskRoom>| *latest == refused && latest.take().is_some();
            self.inner.shared.refused_for_room.send_if_modified(over);
        }
        Ok(shortage)
    }

    /// What it has done so far.
    pub fn stats(&self) -> &Stats {
        &self.inner.shared.stats
    }

    /// How many commands wait or are being decided.
    pub fn waiting(&self, options: &Options) -> usize {
        options.queue_bound.saturating_sub(self.inner.places.available_permits())
    }

    /// Finishes the commands that wait, writes a last checkpoint, and closes the journal. Later
    /// commands are answered `Closing`. Blocks. The store stays open for views until the last handle is
    /// dropped.
    pub fn close(&self) {
        self.inner.places.close();
        let _ = self.inner.queue.send(Message::Stop);
        if let Some(task) = &self.inner.tail_watch {
            task.abort();
        }
        if let Some(writer) = self.inner.writer.lock().take()
            && writer.join().is_err()
        {
            tracing::error!("the ledger's writer ended by a panic in its panic guard");
        }
    }
}

type Admitted<D> = (Pending<D>, oneshot::Receiver<Result<Receipt, SubmitError<<D as Domain>::Rejection>>>);

/// Lets the writer know when somebody else appends.
fn watch_tail<D: Domain>(
    journal: &dyn Journal,
    shared: &Arc<Shared>,
    queue: Sender<Message<D>>,
) -> tokio::task::JoinHandle<()> {
    let mut tail = journal.tail();
    let mut position = shared.position.subscribe();
    tokio::spawn(async move {
        // First what was appended after the replay and before anybody watched.
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

/// Throws the store under `dir` away and builds it anew from the journal, offline.
///
/// # Errors
/// If the journal cannot be read, or the store not be written or is in use.
pub fn rebuild<D: Domain>(
    dir: &Path,
    journal: &dyn Journal,
    domain: &D,
    options: &Options,
) -> Result<(Position, Digest), Error> {
    store::discard(dir)?;
    let mut state = crate::state::open(dir, journal, domain, options)?;
    state.checkpoint::<D>()?;
    Ok((state.layers.tip.position, state.digest))
}

/// Checks the store under `dir`, offline: where it is, and the digest of its rows; `None` if it is empty.
/// Nothing is written but a copy of the store in `scratch`, an empty directory, which needs as much room.
///
/// # Errors
/// If it is damaged or in use, or cannot be copied.
pub fn check_store(
    dir: &Path,
    scratch: &Path,
    options: &Options,
) -> Result<Option<(Position, Digest)>, Error> {
    let mark = store::read_mark(dir, scratch, options.cache_bytes)?;
    Ok(mark.map(|mark| (mark.position(), mark.digest)))
}
