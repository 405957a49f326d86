//! Takes over the entries of a source: one follower for each source, from its journal into the notifier's.
//!
//! Invariants: a follower continues exactly after the position in the rows, however its predecessor ended; an
//! entry that was decided on an entry of another source waits for that one, and delays no other source.
//! A source that was restored is followed from the last common position, after a reset is committed. At a log of
//! another history the follower stops, reports both positions in readiness and logs, makes the notifier unready,
//! and leaves the log readable. Everything that was received goes into one commit.

mod progress;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use milepost_client::{Backoff, FollowBatch, FollowError, FollowOptions, FollowState, Follower, Transport};
use milepost_ledger::{Actor, CommandId, Ledger, Receipt, Submission, SubmitError};
use milepost_service::host::BoxError;
use milepost_service::readiness::Check;
use milepost_types::{GoOn, LedgerKind, Position, same_places};
use tokio_util::sync::CancellationToken;

pub(crate) use self::progress::Progress;
use crate::clock::SourceClock;
use crate::convert::entry::source_entry;
use crate::decide::Rules;
use crate::metrics::Metrics;
use crate::source::{Command, Followed, Refusal, SourceEntry};
use crate::tables::Rows;

/// Entries that are committed together at most.
const BLOCK_ENTRIES: usize = 1024;
/// Bytes of events that are committed together at about most.
const BLOCK_BYTES: usize = 4 << 20;
/// How long an entry may wait for another source before that is reported.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before retrying after a failure that may pass.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes over one source.
pub(crate) struct SourceFollower {
    /// Which source.
    pub(crate) source: LedgerKind,
    /// The transport to it.
    pub(crate) transport: Transport,
    /// The notifier's ledger.
    pub(crate) ledger: Ledger<Rules>,
    /// The ledger's clock.
    pub(crate) clock: Arc<SourceClock>,
    /// How far the source is, for readers.
    pub(crate) progress: Arc<Progress>,
    /// The progress of every source, this one included.
    pub(crate) everyone: Arc<[Arc<Progress>]>,
    /// Its readiness check.
    pub(crate) check: Check,
    /// Its metrics.
    pub(crate) metrics: Metrics,
    /// Cancelled when the server drains.
    pub(crate) drain: CancellationToken,
    /// How long to wait between attempts to connect.
    pub(crate) backoff: Backoff,
}

/// Why taking over stopped.
enum Stop {
    /// Retried after a pause, from the position in the rows.
    Pause(String),
    /// The same, but nothing can be committed for now: the check stays degraded until something is.
    NoRoom(String),
    /// Only an operator can help.
    Blocked(String),
    /// The ledger takes no more.
    Closing,
}

impl SourceFollower {
    /// Runs until the drain.
    pub(crate) async fn run(self) -> Result<(), BoxError> {
        let drain = self.drain.clone();
        tokio::select! {
            () = self.follow() => {}
            () = drain.cancelled() => {}
        }
        Ok(())
    }

    async fn follow(&self) {
        self.check.not_ready(format!("connecting to the {}", self.source));
        let mut no_room = false;
        loop {
            match self.take_over(&mut no_room).await {
                Stop::NoRoom(reason) => {
                    if !no_room {
                        no_room = true;
                        tracing::warn!(source = %self.source, reason, "taking over waits until it can be committed");
                    }
                    self.check
                        .degraded(format!("what the {} has cannot be taken over now: {reason}", self.source));
                    tokio::time::sleep(PAUSE).await;
                }
                Stop::Pause(reason) => {
                    tracing::warn!(source = %self.source, reason, "taking over is interrupted");
                    self.check.degraded(reason);
                    tokio::time::sleep(PAUSE).await;
                }
                Stop::Blocked(reason) => {
                    tracing::error!(source = %self.source, reason, "taking over has stopped until an operator helps");
                    self.check.not_ready(reason);
                    return std::future::pending().await;
                }
                Stop::Closing => return std::future::pending().await,
            }
        }
    }

    /// Takes over entries after the position in the rows, until something fails.
    async fn take_over(&self, no_room: &mut bool) -> Stop {
        let mut after = self.applied();
        let options = FollowOptions { backoff: self.backoff, ..FollowOptions::default() };
        let mut follower = Follower::new(self.transport.clone(), self.source, after, options);
        let mut state = follower.state();
        loop {
            let mut block = Vec::new();
            let received = tokio::select! {
                received = follower.next() => received,
                Ok(()) = state.changed() => {
                    let state = state.borrow_and_update();
                    if !*no_room || !matches!(*state, FollowState::Connected) {
                        self.tell(&state);
                    }
                    continue;
                }
            };
            let (mut next, mut ended) = (Some(received), None);
            while let Some(received) = next.take() {
                if let Ok(FollowBatch { restored: Some(to), .. }) = &received {
                    // The block so far is of the log before it.
                    if let Err(stop) = self.submit(std::mem::take(&mut block)).await {
                        return stop;
                    }
                    if let Err(stop) = self.follow_restored(&mut after, to).await {
                        return stop;
                    }
                    if std::mem::take(no_room) {
                        self.check.ready();
                    }
                }
                ended = self.receive(received, &mut after, &mut block);
                // What has arrived meanwhile goes into the same commit.
                if ended.is_none() && has_room(&block) {
                    next = follower.next().now_or_never();
                }
            }
            let brought = !block.is_empty();
            if let Err(stop) = self.submit(block).await {
                return stop;
            }
            if brought && std::mem::take(no_room) {
                tracing::info!(source = %self.source, "taking over goes on");
                self.check.ready();
            }
            if let Some(stop) = ended {
                return stop;
            }
        }
    }

    /// Commits that the source is followed in the log that was restored from the one before.
    async fn follow_restored(&self, after: &mut Option<Position>, to: &GoOn) -> Result<(), Stop> {
        let command = Command::FollowRestored { source: self.source, from: *after, to: to.clone() };
        let submission = Submission::system(LedgerKind::Notifier.as_str(), command);
        self.ledger.submit(submission).await.map_err(|error| self.stop(error))?;
        *after = Some(to.after);
        Ok(())
    }

    /// Adds what the follower brought to the block.
    fn receive(
        &self,
        received: Result<FollowBatch, FollowError>,
        after: &mut Option<Position>,
        block: &mut Vec<SourceEntry>,
    ) -> Option<Stop> {
        let FollowBatch { entries, tail, as_of, .. } = match received {
            Ok(batch) => batch,
            Err(error) => return Some(Stop::Blocked(self.ended(&error))),
        };
        self.progress.record_tail(tail, as_of);
        if entries.is_empty() && block.is_empty() {
            self.progress.freshness.record_applied(self.applied().as_ref());
        }
        for followed in entries {
            let before = after.unwrap_or(Position::start(tail.log));
            match source_entry(self.source, before, followed) {
                Ok(entry) => {
                    *after = Some(entry.position);
                    block.push(entry);
                }
                Err(error) => return Some(Stop::Blocked(format!("the {}: {error}", self.source))),
            }
        }
        None
    }

    /// Commits a block, each entry after what it needs.
    async fn submit(&self, mut block: Vec<SourceEntry>) -> Result<(), Stop> {
        while let Some(first) = block.first() {
            self.wait_for_needs(first).await?;
            let rest = block.split_off(self.ready(&block));
            self.commit(std::mem::replace(&mut block, rest)).await?;
        }
        Ok(())
    }

    /// How many entries from the first on need nothing that is missing.
    fn ready(&self, block: &[SourceEntry]) -> usize {
        let view = self.ledger.view();
        block.iter().take_while(|entry| entry.needs(&Rows(&view)).is_none()).count()
    }

    async fn commit(&self, entries: Vec<SourceEntry>) -> Result<(), Stop> {
        if let Some(latest) = entries.iter().map(|entry| entry.commit_time).max() {
            self.clock.raise(latest);
        }
        let submissions = entries.into_iter().map(|entry| Submission {
            actor: Actor::system(LedgerKind::Notifier.as_str()),
            command_id: Some(CommandId::Source(entry.position)),
            command: Command::Ingest(entry),
            validate_only: false,
            deadline: None,
        });
        let outcomes = self.ledger.submit_all(submissions.collect()).await;
        let done = self.count(outcomes);
        let applied = self.applied();
        self.metrics.follow_lag.get_or_create(&self.source.into()).set(self.lag(applied.as_ref()));
        self.progress.freshness.record_applied(applied.as_ref());
        done
    }

    fn count(&self, outcomes: Vec<Result<Receipt, SubmitError<Refusal>>>) -> Result<(), Stop> {
        let (mut entries, mut events) = (0, 0);
        let done = outcomes.into_iter().try_for_each(|outcome| {
            let receipt = outcome.map_err(|error| self.stop(error))?;
            entries += u64::from(!receipt.events.is_empty());
            events += receipt.events.len() as u64;
            Ok(())
        });
        let source = self.source.into();
        self.metrics.followed_entries.get_or_create(&source).inc_by(entries);
        self.metrics.followed_events.get_or_create(&source).inc_by(events);
        done
    }

    fn stop(&self, error: SubmitError<Refusal>) -> Stop {
        match error {
            // Another replica took over, or an operator reset the follower: start again from the rows.
            SubmitError::Rejected(refusal @ (Refusal::Diverged { .. } | Refusal::NotYet { .. })) => {
                Stop::Pause(refusal.to_string())
            }
            SubmitError::Rejected(refusal @ Refusal::Malformed { .. }) => Stop::Blocked(refusal.to_string()),
            error @ (SubmitError::EntryTooLarge { .. } | SubmitError::Panicked { .. }) => {
                Stop::Blocked(format!("the {}: {error}", self.source))
            }
            SubmitError::Closing | SubmitError::Failed { .. } => Stop::Closing,
            error @ (SubmitError::DiskLow(_) | SubmitError::Overloaded) => Stop::NoRoom(error.to_string()),
            error => Stop::Pause(error.to_string()),
        }
    }

    /// Waits until everything that an entry was decided on is in the log.
    async fn wait_for_needs(&self, entry: &SourceEntry) -> Result<(), Stop> {
        let mut positions = self.ledger.positions();
        let mut reported = false;
        loop {
            positions.borrow_and_update();
            let Some(needs) = self.missing(entry) else { break };
            match tokio::time::timeout(PATIENCE, positions.changed()).await {
                Ok(changed) => changed.map_err(|_| Stop::Closing)?,
                Err(_) if reported => {}
                Err(_) => {
                    reported = true;
                    let (source, position) = (self.source, entry.position);
                    let reason = format!("entry {position} of the {source} waits for {needs}");
                    if self.is_of_no_source(&needs) {
                        let why =
                            "a position of a log that no source has here: the sources do not belong together";
                        self.check.not_ready(format!("{reason}, {why}"));
                    } else {
                        self.check.degraded(reason);
                    }
                }
            }
        }
        if reported {
            self.check.ready();
        }
        Ok(())
    }

    fn missing(&self, entry: &SourceEntry) -> Option<Position> {
        entry.needs(&Rows(&self.ledger.view()))
    }

    /// Whether every source was reached, and a position is neither of their logs nor of a log that is known to have
    /// entries in common with one of them.
    fn is_of_no_source(&self, position: &Position) -> bool {
        let view = self.ledger.view();
        let places = same_places(*position, &|log| Rows(&view).later(log));
        let other = |tail: Position| places.iter().all(|place| place.log != tail.log);
        self.everyone.iter().all(|source| source.tail().is_some_and(other))
    }

    /// The readiness reason of a follower that ended.
    fn ended(&self, error: &FollowError) -> String {
        match error {
            FollowError::Diverged { .. } => format!(
                "LOG_DIVERGED: {error}. If that log is meant, stop the notifier and run `milepost follower reset \
                 --follower notifier --source {} --reason WHY`",
                self.source
            ),
            FollowError::EntryTooLarge { .. } => error.to_string(),
        }
    }

    fn applied(&self) -> Option<Position> {
        Rows(&self.ledger.view()).applied(self.source)
    }

    fn lag(&self, applied: Option<&Position>) -> i64 {
        let lag = self.progress.lag(applied);
        lag.and_then(|lag| i64::try_from(lag).ok()).unwrap_or(0)
    }

    fn tell(&self, state: &FollowState) {
        match state {
            FollowState::Connecting => {}
            FollowState::Connected => self.check.ready(),
            FollowState::Unreachable { reason, .. } => {
                self.check
                    .degraded(format!("the {} cannot be followed at the moment: {reason}", self.source));
            }
            FollowState::Ended(error) => self.check.not_ready(self.ended(error)),
        }
    }
}

fn has_room(block: &[SourceEntry]) -> bool {
    let bytes: usize = block.iter().flat_map(|entry| &entry.events).map(bytes::Bytes::len).sum();
    block.len() < BLOCK_ENTRIES && bytes < BLOCK_BYTES
}
