//! The task that finds whom policies fit after something changed, part by part.
//!
//! Invariants: what is to be done stands in the rows, so nothing is lost when the process ends, and another replica that
//! does the same finds it done. It does nothing while nothing waits. Where a row cannot be decoded, readiness says so: what
//! needs it is tried again at intervals, and the rest is found meanwhile.

use std::sync::Arc;
use std::time::Duration;

use milepost_ledger::{Ledger, Submission, SubmitError};
use milepost_resource::Command;
use milepost_service::access::Permit;
use milepost_service::host::BoxError;
use milepost_service::readiness::Check;
use milepost_types::LedgerKind;
use tokio_util::sync::CancellationToken;

use crate::policy::settle::Settle;
use crate::tables::{Registry, matches};

/// How long until what failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The task.
pub(crate) struct Settling {
    pub(crate) ledger: Ledger<Registry>,
    pub(crate) check: Check,
    pub(crate) drain: CancellationToken,
    pub(crate) part: Settle,
}

impl Settling {
    /// Finds what is to be found until the server drains.
    pub(crate) async fn run(self) -> Result<(), BoxError> {
        let mut positions = self.ledger.positions();
        loop {
            positions.borrow_and_update();
            let settled = tokio::select! {
                () = self.drain.cancelled() => return Ok(()),
                settled = settle(&self.ledger, self.part) => settled,
            };
            let failed = settled.is_err();
            match settled {
                Ok(()) => self.check.ready(),
                Err(reason) => {
                    tracing::warn!(reason, "matching policies failed");
                    self.check.degraded(reason);
                }
            }
            tokio::select! {
                () = self.drain.cancelled() => return Ok(()),
                // The ledger is closed when its last handle is gone, and this is one. What failed is not tried after
                // every entry.
                changed = positions.changed(), if !failed => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep(RETRY), if failed => {}
            }
        }
    }
}

/// Finds whom policies fit until nothing waits any more.
///
/// # Errors
/// Why it cannot go on.
pub(crate) async fn settle(ledger: &Ledger<Registry>, part: Settle) -> Result<(), String> {
    while matches::changes(&ledger.view()).next().is_some() {
        let command =
            Command { act: Box::new(part), traceparent: String::new(), permit: Permit::of_system() };
        let submission = Submission::system(LedgerKind::Registry.as_str(), Arc::new(command));
        match ledger.submit(submission).await {
            Ok(_) => {}
            // What was written is found again by the next process.
            Err(SubmitError::Closing | SubmitError::Failed { .. }) => return Ok(()),
            Err(SubmitError::Rejected(rejection)) => return Err(rejection.to_string()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}
