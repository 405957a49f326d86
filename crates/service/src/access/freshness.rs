//! Whether what a follower knows of grants is new enough to decide on, for who sends it calls: the check `{follower}.grants`.
//!
//! Invariant: while it is too old every call is refused, so the follower is unready: another replica may know more. One that
//! has just started is degraded until it hears of the registry: it must be possible to start it first.

use std::time::Duration;

use milepost_types::LedgerKind;
use tokio_util::sync::CancellationToken;

use super::Access;
use crate::freshness::Freshness;
use crate::host::{Component, ServiceContext};
use crate::readiness::Check;

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Adds the check to the component of a follower, if calls are authorized at all; `known` is of the registry.
pub fn attach(
    component: Component,
    context: &ServiceContext,
    follower: LedgerKind,
    known: Freshness,
) -> Component {
    if !context.access.is_enforced() {
        return component;
    }
    let check = context.readiness.check(format!("{follower}.grants"));
    let (access, drain) = (context.access.clone(), context.drain.clone());
    component.task("grants", async move {
        watch(&access, &known, &check, &drain).await;
        Ok(())
    })
}

async fn watch(access: &Access, known: &Freshness, check: &Check, drain: &CancellationToken) {
    loop {
        let age = known.age();
        match age {
            // A start does not wait for another server; why it is not heard, the check of following says.
            None => check.degraded("nothing was heard of the registry yet, so every call is refused"),
            Some(_) if access.is_recent(age) => check.ready(),
            Some(_) => check.not_ready(format!(
                "nothing was heard of the registry for more than {} s (access.max_staleness), so every call is refused; \
                 see why it cannot be followed",
                access.max_staleness.as_secs()
            )),
        }
        tokio::select! {
            () = drain.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_types::{LogId, Position};

    use crate::readiness::{Readiness, State};

    #[tokio::test]
    async fn a_follower_is_unready_while_its_grants_are_too_old() {
        let (readiness, known, drain) = (Readiness::new(), Freshness::default(), CancellationToken::new());
        let check = readiness.check("tracker.grants");
        let mut reports = readiness.watch();
        assert!(known.age().is_none());
        let watched = {
            let (known, drain) = (known.clone(), drain.clone());
            let access = Access::enforced(Duration::from_millis(20));
            tokio::spawn(async move { watch(&access, &known, &check, &drain).await })
        };
        reports.wait_for(|report| report.checks["tracker.grants"].as_str() == "degraded").await.unwrap();
        let tail = Position::start(LogId::generate());
        let hear = move |known: &Freshness| {
            known.record_tail(tail, std::time::Instant::now());
            known.record_applied(Some(&tail));
        };
        hear(&known);
        let stands = |state: &State| state.reason().contains("max_staleness");
        let report = reports.wait_for(|report| stands(&report.checks["tracker.grants"])).await.unwrap();
        assert!(!report.ready());
        drop(report);
        let hears = tokio::spawn(async move {
            loop {
                hear(&known);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        reports.wait_for(|report| report.checks["tracker.grants"] == State::Ready).await.unwrap();
        hears.abort();
        drain.cancel();
        watched.await.unwrap();
    }
}
