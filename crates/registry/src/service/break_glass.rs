//! Access without one who could grant it: the role admin, granted beside the stopped server.
//!
//! Invariants: such a grant ends by itself within a day and says why it was made; it is an entry like any other, with
//! an event of its own, and is revoked like any other. Whoever can write the data directory can make one, and nobody
//! over the network.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milepost_ledger::Submission;
use milepost_proto::access::v1::{CreateGrantRequest, Grant, Role};
use milepost_resource::{Command, Standard, create};
use milepost_service::access::Permit;
use milepost_service::config::server::Server;
use milepost_service::host::{BoxError, ServiceContext};
use milepost_service::ledger;
use milepost_service::value::instant_message;
use milepost_types::{LedgerKind, Position, Violations};

use crate::Error;
use crate::tables::Registry;

/// The longest time that such a grant is in force.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A grant that was made beside the stopped server.
#[derive(Debug)]
pub struct Broken {
    /// Its name.
    pub name: String,
    /// When it ends by itself.
    pub expire_time: Timestamp,
    /// The entry that says so.
    pub position: Position,
}

/// Grants the role admin everywhere to a principal, for a time of at most [`LONGEST`].
///
/// # Errors
/// If the ledger cannot be opened or written, as while its server runs; everything that is wrong with the request.
pub async fn break_glass(
    context: &ServiceContext,
    server: &Server,
    principal: &str,
    lasting: Duration,
    reason: &str,
) -> Result<Broken, BoxError> {
    if lasting > LONGEST {
        return Err("a grant of break glass is in force for at most 24h; give less".into());
    }
    let expire_time = context.clock.now().checked_add(lasting)?;
    let grant = Grant {
        principal: principal.to_owned(),
        role: Role::Admin.into(),
        expire_time: Some(instant_message(expire_time)),
        reason: reason.to_owned(),
        ..Grant::default()
    };
    let mut request = CreateGrantRequest { grant: Some(grant), ..CreateGrantRequest::default() };
    let mut violations = Violations::new();
    let new = create::<Registry, Grant>(&mut request, "grant".to_owned(), Some(Vec::new()), &mut violations);
    let mut name = String::new();
    let new = violations.finish(new)?.with_id('g', |id, grant| {
        name = format!("grants/{id}");
        grant.break_glass = true;
    });
    let act = Box::new(Standard::Create { new: vec![new], answer: None });
    let command = Command { act, traceparent: String::new(), permit: Permit::of_system() };
    let ledger = ledger::open(context, server, LedgerKind::Registry, Registry::default())
        .await
        .map_err(Error::Open)?;
    let submitted = ledger.submit(Submission::system("operator", Arc::new(command))).await;
    tokio::task::spawn_blocking(move || ledger.close()).await?;
    Ok(Broken { name, expire_time, position: submitted?.position })
}
