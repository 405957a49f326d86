//! Revocations that outlive a restore: what was revoked after the time that is restored stays revoked.
//!
//! Invariant: each is an entry like that of the method, so whoever follows the registry learns of it. What is not there,
//! or is revoked already, is passed over.

use std::sync::Arc;

use milepost_ledger::{Submission, SubmitError};
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_resource::{Act, Command, Name, Rules, Standard, Target};
use milepost_service::access::Permit;
use milepost_service::config::server::Server;
use milepost_service::host::{BoxError, ServiceContext};
use milepost_service::ledger;
use milepost_types::{LedgerKind, Rejection};

use crate::Error;
use crate::tables::Registry;

/// Revokes the grants and API tokens, and deletes the service accounts, of these names, beside the stopped server;
/// returns those that were not revoked before.
///
/// # Errors
/// If the ledger cannot be opened or written.
pub async fn revoke(
    context: &ServiceContext,
    server: &Server,
    names: &[String],
) -> Result<Vec<String>, BoxError> {
    let ledger = ledger::open(context, server, LedgerKind::Registry, Registry::default())
        .await
        .map_err(Error::Open)?;
    let mut revoked = Vec::new();
    let mut failed = None;
    for name in names {
        let acts = [delete::<Grant>(name), delete::<ApiToken>(name), delete::<ServiceAccount>(name)];
        let Some(act) = acts.into_iter().flatten().next() else { continue };
        let command = Command { act, traceparent: String::new(), permit: Permit::of_system() };
        match ledger.submit(Submission::system("operator", Arc::new(command))).await {
            Ok(receipt) if receipt.events.is_empty() => {}
            Ok(_) => revoked.push(name.clone()),
            Err(SubmitError::Rejected(Rejection::NotFound { .. })) => {}
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    tokio::task::spawn_blocking(move || ledger.close()).await?;
    failed.map_or(Ok(revoked), |error| Err(error.into()))
}

/// What deletes the resource of this name, if it is of this kind.
fn delete<R: Rules<Registry>>(name: &str) -> Option<Box<dyn Act<Registry>>> {
    let name = name.parse::<Name<R>>().ok()?;
    Some(Box::new(Standard::<R>::Delete(Target { name, etag: None })))
}
