//! The gRPC services: each handler reads its request, makes one call, and writes the answer.
//!
//! Invariant: what a write answers is built from the events of its entry, so that the same request id
//! answers the same again; only what changed nothing is answered from the rows. No rule of the domain is
//! here.

mod batch;
mod organization;
mod phase;
mod portfolio;
mod project;

use std::sync::Arc;

use bytes::Bytes;
use milepost_ledger::{Ledger, View};
use milepost_proto::WriteRequest;
use milepost_service::refusal;
use milepost_service::request::{Caller, reach, revisions};
use milepost_service::status::internal;
use milepost_types::{Clock, LedgerKind, Position, Rejection, Revision, Violations};
use prost::Message;
use tonic::{Request, Status};

use crate::apply;
use crate::command::{Command, Wish};
use crate::decide::Registry;
use crate::metrics::Metrics;
use crate::tables;

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) ledger: Ledger<Registry>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What became of a write.
struct Outcome {
    /// The events of its entry; none if it changed nothing.
    events: Vec<Bytes>,
    /// The row of what it was about, if it changed nothing.
    row: Option<Bytes>,
    revision: String,
}

impl Api {
    /// Submits the wish that a request is read to.
    async fn write<R: WriteRequest>(
        &self,
        request: Request<R>,
        read: impl FnOnce(R, &mut Violations) -> Option<Wish>,
    ) -> Result<Outcome, Status> {
        let caller = Caller::of(&request).map_err(refused)?;
        let submission = caller.submission(request.into_inner(), |body, violations| {
            let wish = read(body, violations)?;
            Some(Command { wish, traceparent: caller.traceparent.clone() })
        });
        let submission = submission.map_err(refused)?;
        let subject = submission.command.wish.subject();
        let receipt = self.ledger.submit(submission).await.map_err(|error| refusal::submit_status(&error))?;
        let row = match subject {
            Some(key) if receipt.events.is_empty() => {
                tables::told(&self.ledger.view(), &key).map_err(refused)?
            }
            _ => None,
        };
        Ok(Outcome { events: receipt.events, row, revision: revision(receipt.position) })
    }

    /// The caller of a read, once what it waits for is there.
    async fn arrive<R>(&self, request: &Request<R>, min_revisions: &[String]) -> Result<(), Status> {
        let caller = Caller::of(request).map_err(refused)?;
        for revision in revisions(min_revisions).map_err(refused)? {
            let reached = reach(&self.ledger, LedgerKind::Registry, revision, caller.deadline).await;
            reached.map_err(refused)?;
        }
        Ok(())
    }

    /// Reads rows that may be many, on a thread that may block.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, Rejection> + Send + 'static,
    ) -> Result<T, Status> {
        let ledger = self.ledger.clone();
        let read = tokio::task::spawn_blocking(move || read(&ledger.view()));
        match read.await {
            Ok(read) => read.map_err(refused),
            Err(error) => Err(internal("a read failed", &error)),
        }
    }
}

impl Outcome {
    /// The resource after the write.
    fn resource<M: Message + Default>(&self) -> Result<M, Status> {
        let resource = match (self.events.first(), &self.row) {
            (Some(event), _) => apply::resource(event),
            (None, Some(row)) => row.clone(),
            (None, None) => Bytes::new(),
        };
        M::decode(resource).map_err(|error| internal("an event cannot be read back", &error))
    }

    /// The resources after the write, one of each event.
    fn resources<M: Message + Default>(&self) -> Result<Vec<M>, Status> {
        let read = |event| M::decode(apply::resource(event));
        let resources: Result<_, _> = self.events.iter().map(read).collect();
        resources.map_err(|error| internal("an event cannot be read back", &error))
    }
}

/// A request that breaks no rule of its own, or all that it breaks.
fn sound<T>(read: impl FnOnce(&mut Violations) -> Option<T>) -> Result<T, Status> {
    let mut violations = Violations::new();
    let value = read(&mut violations);
    violations.finish(value).map_err(|found| refused(found.into()))
}

fn refused(rejection: Rejection) -> Status {
    refusal::status(&rejection)
}

/// The revision of an answer that is of this position.
fn revision(position: Position) -> String {
    Revision { ledger: LedgerKind::Registry, position }.to_string()
}
