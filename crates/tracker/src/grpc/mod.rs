//! The gRPC service: each handler reads its request, makes one call, and writes the answer.
//!
//! Invariant: what a write answers is built from the events of its entry, so that the same request id
//! answers the same again; only what changed nothing is answered from the rows. No rule of the domain is
//! here.

mod date;
pub(crate) mod forecasts;
mod milestone;
pub(crate) mod routes;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use milepost_ledger::{Ledger, Read, Receipt, Submission, SubmitError, View};
use milepost_proto::tracker::v1 as proto;
use milepost_service::request::{Caller, revisions, wait_for_revision};
use milepost_types::{Clock, LedgerKind, MilestoneName, Position, ProjectPattern, Rejection, Revision};
use prost::Message;
use tonic::Request;

use crate::command::{Command, TracedCommand};
use crate::convert::milestone::complete;
use crate::convert::read_event::{carried, milestones};
use crate::convert::request::ReadCommand;
use crate::decide::Tracker;
use crate::error::Failure;
use crate::follow::upstream::Upstream;
use crate::list::check_parent;
use crate::metrics::Metrics;
use crate::tables::{Table, key};

/// What every handler has at hand.
pub(crate) struct Api {
    pub(crate) ledger: Ledger<Tracker>,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What became of a write.
struct Outcome {
    command: Arc<TracedCommand>,
    receipt: Receipt,
    revision: String,
}

impl Api {
    /// Submits the command that a request is read to.
    async fn write<R: ReadCommand>(&self, request: Request<R>) -> Result<Outcome, Failure> {
        let caller = Caller::of(&request)?;
        let submission = caller.submission(request.into_inner(), |body, violations| {
            let command = body.command(violations)?;
            Some(Arc::new(TracedCommand { command, traceparent: caller.traceparent.clone() }))
        })?;
        let command = Arc::clone(&submission.command);
        let receipt = self.submit(submission, caller.deadline).await?;
        let revision = revision(receipt.position);
        Ok(Outcome { command, receipt, revision })
    }

    /// Submits a command. If it is refused for what the registry said, the registry is asked what it knows
    /// by now, and the command decided once more on that.
    async fn submit(
        &self,
        submission: Submission<Arc<TracedCommand>>,
        deadline: Instant,
    ) -> Result<Receipt, Failure> {
        let again = submission.clone();
        match self.ledger.submit(submission).await {
            Ok(receipt) => Ok(receipt),
            Err(SubmitError::Rejected(refusal)) if refusal.on_mirror => {
                self.upstream.catch_up(deadline).await?;
                self.ledger.submit(again).await.map_err(Failure::Submit)
            }
            Err(error) => Err(Failure::Submit(error)),
        }
    }

    /// Waits until everything is here that a read asks for: entries of this ledger, and of the registry's.
    async fn arrive<R>(&self, request: &Request<R>, min_revisions: &[String]) -> Result<(), Failure> {
        let deadline = Caller::of(request)?.deadline;
        for revision in revisions(min_revisions)? {
            match revision.ledger {
                LedgerKind::Registry => self.upstream.wait_for(revision.position, deadline).await?,
                LedgerKind::Tracker | LedgerKind::Notifier => {
                    wait_for_revision(&self.ledger, LedgerKind::Tracker, revision, deadline).await?;
                }
            }
        }
        Ok(())
    }

    /// Refuses to read under a portfolio or project that is not there. If the tracker does not know it, the
    /// registry is asked what it knows by now.
    async fn parent<R>(&self, request: &Request<R>, parent: &ProjectPattern) -> Result<(), Failure> {
        if check_parent(&self.ledger.view(), parent).is_ok() {
            return Ok(());
        }
        self.upstream.catch_up(Caller::of(request)?.deadline).await?;
        Ok(check_parent(&self.ledger.view(), parent)?)
    }

    /// Reads rows that may be many, on a thread that may block.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let ledger = self.ledger.clone();
        match tokio::task::spawn_blocking(move || read(&ledger.view())).await {
            Ok(read) => read,
            Err(error) => Err(Failure::Internal { what: "a read failed", error: error.into() }),
        }
    }
}

impl Outcome {
    /// The one milestone after the write, as it is stored.
    fn milestone(&self, api: &Api) -> Result<Bytes, Failure> {
        for event in self.receipt.events.iter().rev() {
            if let Some(milestone) = carried(event).map_err(|error| unreadable(error.into()))? {
                return Ok(milestone);
            }
        }
        match &self.command.command {
            Command::Act { name, .. } => row(&api.ledger.view(), name),
            command => Err(nothing_done(command)),
        }
    }

    /// The milestones after the write.
    fn milestones(&self) -> Result<Vec<proto::Milestone>, Failure> {
        milestones(&self.receipt.events).map_err(|error| unreadable(error.into()))
    }
}

fn nothing_done(command: &Command) -> Failure {
    let error = format!("{command:?}").into();
    Failure::Internal { what: "a write that must do something did nothing", error }
}

/// The milestone that a row holds.
fn stored(view: &View<'_>, name: &MilestoneName) -> Result<proto::Milestone, Failure> {
    let damaged = |error| Table::Milestone.damaged(&key::of_milestone(Table::Milestone, name), error);
    let milestone = proto::Milestone::decode(row(view, name)?).map_err(damaged)?;
    complete(milestone).map_err(|error| unreadable(error.into()))
}

/// The row of a milestone.
fn row(view: &View<'_>, name: &MilestoneName) -> Result<Bytes, Failure> {
    let row = view.get(&key::of_milestone(Table::Milestone, name));
    Ok(row.ok_or_else(|| Rejection::not_found(name))?)
}

fn unreadable(error: milepost_service::host::BoxError) -> Failure {
    Failure::Internal { what: "what was stored cannot be read back", error }
}

/// The revision of an answer that is of this position.
fn revision(position: Position) -> String {
    Revision { ledger: LedgerKind::Tracker, position }.to_string()
}
