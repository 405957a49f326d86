//! Asking the registry how far it is, and waiting until that was followed.
//!
//! Invariant: a caller that learns that it was followed to the registry's tail sees every fact that the
//! registry knew when it was asked. Nobody waits longer than its deadline, and for an answer of the
//! registry never longer than the timeout.

use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_client::Transport;
use milepost_ledger::{Ledger, Read, position_from_proto};
use milepost_proto::journal::v1::GetLedgerInfoRequest;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use milepost_resource::Caught;
use milepost_service::access::AccessRows;
use milepost_service::freshness::Freshness;
use milepost_service::refusal;
use milepost_types::{GoOn, LedgerKind, Lineage, Position, Rejection, same_places};
use tokio::sync::watch;
use tonic::Status;

use crate::decide::Tracker;
use crate::error::registry_unavailable;
use crate::parent::is_missing;
use crate::tables;
use crate::template::DATE_UNKNOWN;

/// The registry, as calls of the tracker need it.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) transport: Transport,
    pub(crate) ledger: Ledger<Tracker>,
    pub(crate) timeout: Duration,
    /// Why it is not followed any more, once it is not.
    pub(crate) ended: Arc<watch::Sender<Option<String>>>,
    /// How old what is known of it may be.
    pub(crate) freshness: Freshness,
}

/// What the registry granted, as far as it was followed.
impl AccessRows for Upstream {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(&self.ledger.view());
    }

    fn age(&self) -> Option<Duration> {
        self.freshness.age()
    }
}

impl Upstream {
    /// How far the registry was followed.
    pub(crate) fn followed(&self) -> Option<Position> {
        tables::source::get(&self.ledger.view())
    }

    /// Waits until everything was followed that the registry knows now. What was decided before must be
    /// decided again: the facts may have come while the registry was being asked.
    pub(crate) async fn follow_to_tail(&self, deadline: Instant) -> Result<(), Status> {
        let now = self.ask(deadline).await?;
        if self.progress_to(&now.tail) == Progress::Elsewhere && !self.will_go_on(&now) {
            let why = "its log is another than the one that was followed";
            return Err(registry_unavailable(why));
        }
        self.follow_to(now.tail, deadline).await
    }

    /// Waits until the registry was followed to a position.
    pub(crate) async fn follow_to(&self, position: Position, deadline: Instant) -> Result<(), Status> {
        let mut positions = self.ledger.positions();
        let mut ended = self.ended.subscribe();
        let mut asked = false;
        let late = tokio::time::sleep_until(deadline.into());
        tokio::pin!(late);
        loop {
            positions.borrow_and_update();
            match self.progress_to(&position) {
                Progress::Reached => return Ok(()),
                Progress::Coming => {}
                // The registry may have been restored a moment ago, and be followed on in a moment.
                Progress::Elsewhere if asked => {}
                Progress::Elsewhere => {
                    asked = true;
                    let own = self.followed().unwrap_or(position);
                    let diverged = || refusal::status(&Rejection::LogDiverged { given: position, own });
                    if own.log == position.log {
                        return Err(diverged());
                    }
                    let now = self.ask(deadline).await?;
                    let goes_on = now.tail.log == position.log && self.will_go_on(&now);
                    if self.progress_to(&position) == Progress::Elsewhere && !goes_on {
                        return Err(diverged());
                    }
                    continue;
                }
            }
            if let Some(reason) = &*ended.borrow_and_update() {
                return Err(registry_unavailable(reason));
            }
            tokio::select! {
                Ok(()) = positions.changed() => {}
                Ok(()) = ended.changed() => {}
                () = &mut late => {
                    let have = self.followed().map_or(0, |followed| followed.sequence);
                    let (ledger, asked) = (LedgerKind::Registry, position.sequence);
                    return Err(refusal::status(&Rejection::RevisionNotReached { ledger, asked, have }));
                }
            }
        }
    }

    /// How what was followed of the registry stands to a position of its log, or of one that it was restored
    /// from.
    fn progress_to(&self, position: &Position) -> Progress {
        if position.sequence == 0 {
            return Progress::Reached;
        }
        let view = self.ledger.view();
        let Some(own) = tables::source::get(&view) else { return Progress::Coming };
        let places = same_places(*position, &|log| tables::later_logs::of(&view, log));
        match places.into_iter().find(|place| place.log == own.log) {
            Some(place) if place.sequence == own.sequence && place.hash != own.hash => Progress::Elsewhere,
            Some(place) if place.sequence <= own.sequence => Progress::Reached,
            Some(_) => Progress::Coming,
            None => Progress::Elsewhere,
        }
    }

    /// Whether the follower goes on by itself in the log that the registry has now.
    fn will_go_on(&self, registry: &RegistryNow) -> bool {
        GoOn::by_itself(self.followed(), registry.tail.log, &registry.lineage).is_some()
    }

    /// Asks the registry what its log is.
    async fn ask(&self, deadline: Instant) -> Result<RegistryNow, Status> {
        if let Some(reason) = &*self.ended.borrow() {
            return Err(registry_unavailable(reason));
        }
        let mut registry = JournalServiceClient::new(self.transport.call_channel());
        let request = GetLedgerInfoRequest { ledger: LedgerKind::Registry.to_string() };
        let limit = deadline.min(Instant::now() + self.timeout);
        let asked = tokio::time::timeout_at(limit.into(), registry.get_ledger_info(request)).await;
        let info = match asked {
            Err(_) => return Err(registry_unavailable("it did not answer in time")),
            Ok(Err(status)) => return Err(registry_unavailable(status.message())),
            Ok(Ok(answer)) => answer.into_inner(),
        };
        let tail = info.tail.as_ref().and_then(position_from_proto);
        let tail = tail.ok_or_else(|| registry_unavailable("it does not say how far it is"))?;
        let lineage: Option<Vec<_>> = info.lineage.iter().map(position_from_proto).collect();
        let lineage =
            lineage.ok_or_else(|| registry_unavailable("it does not say where its log comes from"))?;
        Ok(RegistryNow { tail, lineage: Lineage::new(lineage) })
    }
}

impl milepost_resource::Upstream for Upstream {
    fn kind(&self) -> LedgerKind {
        LedgerKind::Registry
    }

    /// Everything that is known of portfolios and projects was followed.
    fn is_cause_of(&self, rejection: &Rejection) -> bool {
        let lacks_a_date = match rejection {
            Rejection::Preconditions(unmet) => unmet.iter().any(|unmet| unmet.kind == DATE_UNKNOWN),
            _ => false,
        };
        lacks_a_date || is_missing(rejection)
    }

    fn catch_up(&self, deadline: Instant) -> Caught<'_> {
        Box::pin(self.follow_to_tail(deadline))
    }

    fn wait_for(&self, position: Position, deadline: Instant) -> Caught<'_> {
        Box::pin(self.follow_to(position, deadline))
    }
}

/// The registry's log, as it says itself.
struct RegistryNow {
    tail: Position,
    lineage: Lineage,
}

/// How a position stands to what was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It was followed to there.
    Reached,
    /// It is in the log that is followed, or nothing was followed yet.
    Coming,
    /// It is in no log that is known here, or in another history.
    Elsewhere,
}
