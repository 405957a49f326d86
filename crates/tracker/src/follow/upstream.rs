//! Asking the registry how far it is, and waiting until that was followed.
//!
//! Invariant: whoever is told that it was followed to the registry's tail sees every fact that the
//! registry knew when it was asked. Nobody waits longer than its deadline, and for an answer of the
//! registry never longer than the timeout.

use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_client::Link;
use milepost_ledger::{Ledger, position_from_proto};
use milepost_proto::journal::v1::GetLedgerInfoRequest;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use milepost_types::{LedgerKind, Position, Rejection};
use tokio::sync::watch;

use crate::decide::Tracker;
use crate::error::Failure;
use crate::tables;

/// The registry, as calls of the tracker need it.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) link: Link,
    pub(crate) ledger: Ledger<Tracker>,
    pub(crate) timeout: Duration,
    /// Why it is not followed any more, once it is not.
    pub(crate) ended: Arc<watch::Sender<Option<String>>>,
}

impl Upstream {
    /// How far the registry was followed.
    pub(crate) fn followed(&self) -> Option<Position> {
        tables::source::get(&self.ledger.view())
    }

    /// Waits until everything was followed that the registry knows now. What was decided before must be
    /// decided again: the facts may have come while the registry was being asked.
    pub(crate) async fn catch_up(&self, deadline: Instant) -> Result<(), Failure> {
        let tail = self.tail(deadline).await?;
        self.reached(&tail).map_err(|_| {
            Failure::RegistryUnavailable("its log is another than the one that was followed".to_owned())
        })?;
        self.wait_for(tail, deadline).await
    }

    /// Waits until the registry was followed to a position.
    pub(crate) async fn wait_for(&self, position: Position, deadline: Instant) -> Result<(), Failure> {
        let mut positions = self.ledger.positions();
        let mut ended = self.ended.subscribe();
        let late = tokio::time::sleep_until(deadline.into());
        tokio::pin!(late);
        loop {
            positions.borrow_and_update();
            if self.reached(&position)? {
                return Ok(());
            }
            if let Some(reason) = &*ended.borrow_and_update() {
                return Err(Failure::RegistryUnavailable(reason.clone()));
            }
            tokio::select! {
                Ok(()) = positions.changed() => {}
                Ok(()) = ended.changed() => {}
                () = &mut late => {
                    let have = self.followed().map_or(0, |followed| followed.sequence);
                    let (ledger, asked) = (LedgerKind::Registry, position.sequence);
                    return Err(Rejection::RevisionNotReached { ledger, asked, have }.into());
                }
            }
        }
    }

    /// Whether the registry was followed to a position of its log.
    fn reached(&self, position: &Position) -> Result<bool, Failure> {
        if position.sequence == 0 {
            return Ok(true);
        }
        match self.followed() {
            None => Ok(false),
            Some(own) if own.log != position.log => {
                Err(Rejection::LogDiverged { given: *position, own }.into())
            }
            Some(own) if own.sequence == position.sequence && own.hash != position.hash => {
                Err(Rejection::LogDiverged { given: *position, own }.into())
            }
            Some(own) => Ok(own.sequence >= position.sequence),
        }
    }

    /// The last position of the registry's log.
    async fn tail(&self, deadline: Instant) -> Result<Position, Failure> {
        if let Some(reason) = &*self.ended.borrow() {
            return Err(Failure::RegistryUnavailable(reason.clone()));
        }
        let unavailable = |why: String| Failure::RegistryUnavailable(why);
        let mut registry = JournalServiceClient::new(self.link.call());
        let request = GetLedgerInfoRequest { ledger: LedgerKind::Registry.to_string() };
        let limit = deadline.min(Instant::now() + self.timeout);
        let asked = tokio::time::timeout_at(limit.into(), registry.get_ledger_info(request)).await;
        let info = match asked {
            Err(_) => return Err(unavailable("it did not answer in time".to_owned())),
            Ok(Err(status)) => return Err(unavailable(status.message().to_owned())),
            Ok(Ok(answer)) => answer.into_inner(),
        };
        let tail = info.tail.as_ref().and_then(position_from_proto);
        tail.ok_or_else(|| unavailable("it does not say how far it is".to_owned()))
    }
}
