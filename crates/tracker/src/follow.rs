//! Following the registry: its entries, one after another, into the tracker's own journal.
//!
//! Invariants: an entry is taken over exactly once, whatever ends in between, because each says where it
//! goes on from and the rows say where that is; entries that came together are committed together. A log that
//! was restored is followed on where both are the same, once the tracker's own journal says so. A log of
//! another history, or an entry of a newer format, is not guessed about: following ends, which is logged
//! for operators, and the tracker is not ready until one has helped. Nothing else ends it.

mod mirror_upgrade;
pub(crate) mod upstream;

use std::sync::Arc;
use std::time::Duration;

use milepost_client::{Backoff, FollowBatch, FollowError, FollowOptions, FollowState, Follower, Transport};
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{Actor, CommandId, Ledger, Receipt, Submission, SubmitError};
use milepost_service::freshness::Freshness;
use milepost_service::host::BoxError;
use milepost_service::readiness::Check;
use milepost_types::{LedgerKind, Position, Rejection};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::command::Command;
use crate::convert::read_event::is_part;
use crate::convert::source::source_entry;
use crate::decide::Tracker;
use crate::metrics::Metrics;
use crate::source::SourceEntry;
use crate::tables;

/// How long to wait before a command is tried again that failed for want of room.
const PAUSE: Duration = Duration::from_secs(1);
/// Entries of more bytes are read on a thread that may block.
const INLINE_BYTES: usize = 64 << 10;

/// The task that follows the registry.
pub(crate) struct Follow {
    pub(crate) transport: Transport,
    pub(crate) ledger: Ledger<Tracker>,
    pub(crate) check: Check,
    pub(crate) metrics: Metrics,
    pub(crate) drain: CancellationToken,
    /// Notified when there may be another portfolio.
    pub(crate) portfolios: Arc<Notify>,
    /// Why it is not followed any more, once it is not.
    pub(crate) ended: Arc<watch::Sender<Option<String>>>,
    /// How old what is known of it may be.
    pub(crate) freshness: Freshness,
    pub(crate) backoff: Backoff,
}

/// Why following does not go on.
enum Stop {
    /// Only an operator can help.
    Ended(String),
    /// The ledger takes no more commands: the process is stopping.
    Closing,
}

impl Follow {
    /// Follows until the server drains.
    pub(crate) async fn run(self) -> Result<(), BoxError> {
        self.check.degraded("the registry was not reached yet");
        let drain = self.drain.clone();
        let stop = tokio::select! {
            () = drain.cancelled() => Stop::Closing,
            stop = self.follow() => stop,
        };
        match stop {
            Stop::Ended(reason) => {
                tracing::error!(reason, "the registry is not followed any more until an operator helps");
                // It answers for what it knows, but it stands still until then: whoever sends it work must know.
                self.check.not_ready(reason.as_str());
                self.ended.send_replace(Some(reason));
                drain.cancelled().await;
            }
            // Calls that wait for more of the registry would hold up the drain, and in vain.
            Stop::Closing => drop(self.ended.send_replace(Some("the server is stopping".to_owned()))),
        }
        Ok(())
    }

    async fn follow(&self) -> Stop {
        if let Err(stop) = self.upgrade_mirror().await {
            return stop;
        }
        let mut after = tables::source::get(&self.ledger.view());
        let options = FollowOptions { backoff: self.backoff, ..FollowOptions::default() };
        let mut follower = Follower::new(self.transport.clone(), LedgerKind::Registry, after, options);
        let mut states = follower.state();
        loop {
            let taken = match self.next(&mut follower, &mut states).await {
                Ok(batch) => self.receive(batch, &mut after).await,
                Err(stop) => Err(stop),
            };
            if let Err(stop) = taken {
                return stop;
            }
            self.report(&states.borrow_and_update());
        }
    }

    /// The next response, while changes of the follower's state are reported.
    async fn next(
        &self,
        follower: &mut Follower,
        states: &mut watch::Receiver<FollowState>,
    ) -> Result<FollowBatch, Stop> {
        loop {
            tokio::select! {
                batch = follower.next() => return batch.map_err(|error| Stop::Ended(ended(&error))),
                Ok(()) = states.changed() => self.report(&states.borrow_and_update()),
            }
        }
    }

    fn report(&self, state: &FollowState) {
        match state {
            FollowState::Connected => self.check.ready(),
            FollowState::Unreachable { reason, .. } => {
                self.check.degraded(format!("the registry cannot be reached: {reason}"));
            }
            FollowState::Connecting | FollowState::Ended(_) => {}
        }
    }

    /// Takes what one response brought, first that it is of another log.
    async fn receive(&self, mut batch: FollowBatch, after: &mut Option<Position>) -> Result<(), Stop> {
        if let Some(to) = batch.restored.take() {
            let goes_on = Some(to.after);
            self.submit_all(vec![Command::FollowRestored { from: *after, to }]).await?;
            *after = goes_on;
        }
        self.take_over(batch, after).await
    }

    /// Takes over the entries that one response brought.
    async fn take_over(&self, batch: FollowBatch, after: &mut Option<Position>) -> Result<(), Stop> {
        let start = after.unwrap_or(Position::start(batch.tail.log));
        let tail = batch.tail;
        self.freshness.record_tail(tail, batch.as_of);
        let source_entries = read(start, batch).await?;
        let portfolios_changed =
            source_entries.iter().any(|source_entry| !source_entry.portfolios.is_empty());
        if let Some(last) = source_entries.last() {
            *after = Some(last.position);
        }
        let commands: Vec<_> = source_entries.into_iter().map(ingest).collect();
        let count = commands.len() as u64;
        self.submit_all(commands).await?;
        self.metrics.followed_entries.inc_by(count);
        let lag = tail.sequence.saturating_sub(after.map_or(0, |after| after.sequence));
        self.metrics.follow_lag.set(i64::try_from(lag).unwrap_or(i64::MAX));
        self.freshness.record_applied(after.as_ref());
        if let Some(position) = after.filter(|_| lag == 0) {
            self.complete_mirror(position).await?;
        }
        if portfolios_changed {
            self.portfolios.notify_one();
        }
        Ok(())
    }

    /// Has commands done, in order. An entry that cannot be taken over is, without deriving anything.
    async fn submit_all(&self, mut commands: Vec<Command>) -> Result<(), Stop> {
        let mut done = 0;
        let mut waits = false;
        // One that takes several entries goes on alone: those after it would be refused until it is done.
        let mut alone = false;
        while done < commands.len() {
            let end = if alone { done + 1 } else { commands.len() };
            let submissions = commands[done..end].iter().map(submission).collect();
            let answers = self.ledger.submit_all(submissions).await;
            if waits && answers.first().is_some_and(Result::is_ok) {
                waits = false;
                tracing::info!("entries of the registry are taken over again");
            }
            let open = answers.iter().position(|answer| !is_done(answer));
            done += open.unwrap_or(answers.len());
            alone = open.is_some();
            let Some(Err(error)) = open.and_then(|open| answers.into_iter().nth(open)) else { continue };
            match error {
                SubmitError::Rejected(rejection) => return Err(refused(rejection)),
                SubmitError::Closing | SubmitError::Failed { .. } => return Err(Stop::Closing),
                error @ (SubmitError::EntryTooLarge { .. } | SubmitError::Panicked { .. }) => {
                    let reason = error.to_string();
                    match without_deriving(&commands[done], &reason) {
                        Some(command) => {
                            tracing::error!(reason, "nothing is derived from an entry of the registry");
                            self.metrics.followed_skipped_entries.inc();
                            commands[done] = command;
                        }
                        None => return Err(Stop::Ended(reason)),
                    }
                }
                error @ (SubmitError::DiskLow { .. }
                | SubmitError::Overloaded
                | SubmitError::DeadlineExceeded
                | SubmitError::RequestIdReused { .. }) => {
                    if !waits {
                        waits = true;
                        tracing::warn!(%error, "an entry of the registry cannot be taken over now");
                    }
                    self.check
                        .degraded(format!("an entry of the registry cannot be taken over now: {error}"));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }
}

/// What the entries of a response bring.
async fn read(after: Position, batch: FollowBatch) -> Result<Vec<SourceEntry>, Stop> {
    let bytes: usize = batch.entries.iter().map(|entry| entry.bytes.len()).sum();
    let read = move || {
        let mut previous = after;
        let mut source_entries = Vec::with_capacity(batch.entries.len());
        for entry in batch.entries {
            let stored = StoredEntry { sequence: entry.sequence, hash: entry.hash, bytes: entry.bytes };
            let source_entry =
                source_entry(previous, &stored).map_err(|error| Stop::Ended(error.to_string()))?;
            previous = source_entry.position;
            source_entries.push(source_entry);
        }
        Ok(source_entries)
    };
    if bytes <= INLINE_BYTES {
        return read();
    }
    match tokio::task::spawn_blocking(read).await {
        Ok(source_entries) => source_entries,
        Err(error) => Err(Stop::Ended(format!("an entry of the registry cannot be read: {error}"))),
    }
}

/// Whether an entry was taken over to its end.
fn is_done(answer: &Result<Receipt, SubmitError<Rejection>>) -> bool {
    // What cannot be read is none of ours, and no part.
    answer.as_ref().is_ok_and(|receipt| !is_part(&receipt.events).unwrap_or(false))
}

fn ingest(source_entry: SourceEntry) -> Command {
    Command::Ingest { source_entry: Arc::new(source_entry), skip: None }
}

/// The same command again, deriving nothing; `None` if it did not derive anything before.
fn without_deriving(command: &Command, reason: &str) -> Option<Command> {
    match command {
        Command::Ingest { source_entry, skip: None } => {
            let (source_entry, skip) = (Arc::clone(source_entry), Some(reason.to_owned()));
            Some(Command::Ingest { source_entry, skip })
        }
        _ => None,
    }
}

fn submission(command: &Command) -> Submission<Command> {
    let command_id = match command {
        Command::Ingest { source_entry, .. } => Some(CommandId::Source(source_entry.position)),
        _ => None,
    };
    Submission {
        command: command.clone(),
        actor: Actor::system(LedgerKind::Tracker.as_str()),
        command_id,
        validate_only: false,
        deadline: None,
    }
}

fn refused(rejection: Rejection) -> Stop {
    match rejection {
        Rejection::LogDiverged { given, own } => Stop::Ended(diverged(&own, &given.to_string())),
        rejection => Stop::Ended(rejection.to_string()),
    }
}

fn ended(error: &FollowError) -> String {
    match error {
        FollowError::Diverged { asked, have, .. } => {
            let have = have.map_or_else(|| "elsewhere".to_owned(), |have| have.to_string());
            diverged(asked, &have)
        }
        FollowError::EntryTooLarge { .. } => error.to_string(),
    }
}

fn diverged(own: &Position, theirs: &str) -> String {
    format!(
        "LOG_DIVERGED: the registry's log is another, or was restored to before what was followed: it was followed \
         to {own}, and the two part at {theirs}; nothing of it is followed any more. If that log is meant, stop the \
         tracker and run `milepost follower reset --follower tracker --source registry --reason WHY`"
    )
}
