//! What every call of a service's resources has at hand: what is submitted, what is waited for, and what is read.
//!
//! Invariants: a request that is at fault has no effect, and hears all that can be said of it. What is refused for what was
//! followed of another ledger is looked at once more on what that knows by now. No rule of the domain is here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use milepost_ledger::{Domain, Ledger, Receipt, Submission, SubmitError, View};
use milepost_proto::WriteRequest;
use milepost_service::access::Permitted;
use milepost_service::host::raw::Calls;
use milepost_service::refusal;
use milepost_service::request::{Caller, revisions, wait_for_revision};
use milepost_service::status::internal;
use milepost_service::telemetry;
use milepost_types::{Clock, LedgerKind, Position, Rejection, Revision, Violations};
use prometheus_client::metrics::counter::Counter;
use tonic::Status;

use crate::command::Command;
use crate::days::Dates;

/// What is counted of lists.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub(crate) scanned: Counter,
    pub(crate) returned: Counter,
}

impl Metrics {
    /// Counters that are exposed under these names.
    pub fn register(metrics: &telemetry::Metrics, scanned: &'static str, returned: &'static str) -> Self {
        let counters = Self::default();
        metrics.register(scanned, "Resources that lists scanned", counters.scanned.clone());
        metrics.register(returned, "Resources that lists returned", counters.returned.clone());
        counters
    }
}

/// Another ledger that a service follows, and rests its refusals on: it may know more by now.
pub trait Upstream: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> LedgerKind;

    /// Whether a refusal rests on what was followed.
    fn is_cause_of(&self, rejection: &Rejection) -> bool;

    /// Returns once everything was followed that the other ledger knows now.
    fn catch_up(&self, deadline: Instant) -> Caught<'_>;

    /// Returns once it was followed to a position.
    fn wait_for(&self, position: Position, deadline: Instant) -> Caught<'_>;
}

/// Whether an upstream was followed as far as was asked.
pub type Caught<'a> = Pin<Box<dyn Future<Output = Result<(), Status>> + Send + 'a>>;

/// What every call of a service's resources has at hand.
#[derive(Clone)]
pub struct Api<D: Domain> {
    /// The ledger.
    pub ledger: Ledger<D>,
    /// Which one it is.
    pub kind: LedgerKind,
    /// The one that it follows, if it follows one.
    pub upstream: Option<Arc<dyn Upstream>>,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// What is counted of lists.
    pub metrics: Metrics,
    /// Which calls are allowed.
    pub calls: Calls,
}

/// A ledger of resources.
pub trait Resources:
    Domain<Command: From<Arc<Command<Self>>> + Clone, Rejection = Rejection> + Dates + Clone
{
}

impl<D> Resources for D where
    D: Domain<Command: From<Arc<Command<D>>> + Clone, Rejection = Rejection> + Dates + Clone
{
}

impl<D: Resources> Api<D> {
    /// The command that a request of this caller is read to.
    ///
    /// # Errors
    /// All that is wrong with the request: what is wrong with it by itself, and what a decision without effect finds to be
    /// wrong with the rest of it.
    pub async fn submission<Q: WriteRequest>(
        &self,
        caller: &Caller,
        request: Q,
        read: impl FnOnce(Q, &mut Violations) -> Option<D::Command>,
    ) -> Result<Submission<D::Command>, Status> {
        let (mut submission, mut violations) = caller.submission(request, read);
        if let Some(faulty) = submission.take_if(|_| !violations.is_empty()) {
            let (ledger, now) = (self.ledger.clone(), self.clock.now());
            let trial = move |rows: &View<'_>| ledger.try_out(rows, &faulty, now).map(drop);
            // Not on what the upstream may know by now: nobody waits to hear that a request is at fault.
            if let Ok(Err(Rejection::Invalid(found))) = self.read_blocking(trial).await {
                violations.add_others(found);
            }
        }
        violations.finish(submission).map_err(|violations| refused(violations.into()))
    }

    /// Submits a command. One that is refused for what was followed of another ledger is decided once more on
    /// what that knows by now.
    pub async fn submit(
        &self,
        submission: Submission<D::Command>,
        deadline: Instant,
    ) -> Result<Receipt, Status> {
        let again = self.upstream.as_ref().map(|upstream| (upstream, submission.clone()));
        let refused = match (self.ledger.submit(submission).await, again) {
            (Err(SubmitError::Rejected(rejection)), Some((upstream, again)))
                if upstream.is_cause_of(&rejection) =>
            {
                upstream.catch_up(deadline).await?;
                self.ledger.submit(again).await
            }
            (submitted, _) => submitted,
        };
        refused.map_err(|error| refusal::submit_status(&error))
    }

    /// Returns once everything was followed that the upstream knows now; at once if there is none.
    ///
    /// # Errors
    /// If it cannot be asked, or is not followed to there in time.
    pub async fn catch_up(&self, deadline: Instant) -> Result<(), Status> {
        match &self.upstream {
            Some(upstream) => upstream.catch_up(deadline).await,
            None => Ok(()),
        }
    }

    /// Returns once what a read waits for is there.
    ///
    /// # Errors
    /// If it names what is none, or if that is not there in time.
    pub async fn wait_for_revisions<Q>(
        &self,
        request: &Permitted<Q>,
        min_revisions: &[String],
    ) -> Result<(), Status> {
        let deadline = Caller::of_permitted(request).map_err(refused)?.deadline;
        for revision in revisions(min_revisions).map_err(refused)? {
            match self.upstream.as_ref().filter(|upstream| upstream.kind() == revision.ledger) {
                Some(upstream) => upstream.wait_for(revision.position, deadline).await?,
                None => {
                    let reached = wait_for_revision(&self.ledger, self.kind, revision, deadline).await;
                    reached.map_err(refused)?;
                }
            }
        }
        Ok(())
    }

    /// Reads rows that may be many, on a thread that may block.
    pub(crate) async fn read_blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let ledger = self.ledger.clone();
        let read = tokio::task::spawn_blocking(move || read(&ledger.view()));
        read.await.map_err(|error| internal("a read failed", &error))
    }

    /// Reads rows. What is refused for what was followed of another ledger is read once more on what that knows
    /// by now.
    pub async fn read_settled<T: Send + 'static>(
        &self,
        deadline: Instant,
        read: impl Fn(&View<'_>) -> Result<T, Rejection> + Clone + Send + 'static,
    ) -> Result<T, Status> {
        match (self.read_blocking(read.clone()).await?, &self.upstream) {
            (Err(rejection), Some(upstream)) if upstream.is_cause_of(&rejection) => {
                upstream.catch_up(deadline).await?;
                self.read_blocking(read).await?.map_err(refused)
            }
            (read, _) => read.map_err(refused),
        }
    }

    /// The revision that an answer is of.
    pub fn revision(&self, position: Position) -> String {
        Revision { ledger: self.kind, position }.to_string()
    }
}

pub(crate) fn refused(rejection: Rejection) -> Status {
    refusal::status(&rejection)
}
