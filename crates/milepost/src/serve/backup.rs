//! Backups that a server makes of its own journals, one after the other.
//!
//! Invariant: whatever fails here, the server goes on: it is counted, shown by `/readyz` as degraded, logged
//! once for each kind of failure, and tried again after a growing delay. The last one is made when no call runs
//! any more, so that it has everything that was acknowledged; a stop waits for it a few seconds at most: what is
//! there of it then the next one takes over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use milepost_backup::{Backup, BackupTarget, Error, LedgerSource, Outcome, Use};
use milepost_service::config::backup::Backup as Config;
use milepost_service::host::{Component, ServiceContext};
use milepost_service::journal_service::Followed;
use milepost_service::readiness::Check;
use milepost_types::{Clock, LedgerKind};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::error::chain;

/// When the last backup was complete, or had nothing to add, in seconds since 1970; 0 before the first.
const LAST_SUCCESS: &str = "milepost_backup_last_success_timestamp_seconds";
/// Backups that failed.
const FAILURES: &str = "milepost_backup_failures_total";
/// Entries in the backup, of all ledgers.
const ENTRIES: &str = "milepost_backup_entries";

/// The first delay after a failure; it doubles with each one after it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest delay after a failure, unless the interval is longer.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// How long a stop waits for the last backup. It has what one interval brought.
const LAST_LIMIT: Duration = Duration::from_secs(5);

/// A ledger of this process, to be backed up.
pub(super) fn source(kind: LedgerKind, followed: &Followed) -> LedgerSource {
    LedgerSource { kind, source: followed.source.clone() }
}

/// The component that makes the backups; `None` if there is no target.
pub(super) fn component(
    context: &ServiceContext,
    config: &Config,
    ledgers: Vec<LedgerSource>,
) -> Option<Component> {
    let target = config.target.clone()?;
    let check = context.readiness.check("backup.target");
    check.degraded("no backup is complete yet");
    let (success, failures, entries) = (Gauge::default(), Counter::default(), Gauge::default());
    context.metrics.register(LAST_SUCCESS, "When the last backup was complete", success.clone());
    context.metrics.register(FAILURES, "Backups that failed", failures.clone());
    context.metrics.register(ENTRIES, "Entries in the backup", entries.clone());
    let backups = Backups {
        target,
        ledgers,
        clock: context.clock.clone(),
        open: None,
        report: Report {
            check,
            success,
            failures,
            entries,
            clock: context.clock.clone(),
            logged: BTreeSet::new(),
        },
    };
    let (interval, drain) = (config.interval, context.drain.clone());
    let (ended, last) = oneshot::channel();
    let component = Component::new("backup").task("backup", async move {
        // Without a receiver nothing is closed any more.
        let _ = ended.send(backups.run(interval, drain).await);
        Ok(())
    });
    Some(component.on_close(async move {
        // A task that was dropped has sent nothing.
        if let Ok(backups) = last.await {
            backups.finish().await;
        }
        Ok(())
    }))
}

struct Backups {
    target: String,
    ledgers: Vec<LedgerSource>,
    clock: Arc<dyn Clock>,
    /// `None` until the target could be opened.
    open: Option<Backup>,
    report: Report,
}

impl Backups {
    /// Makes them until the drain.
    async fn run(mut self, interval: Duration, drain: CancellationToken) -> Self {
        let mut delay = FIRST_DELAY;
        loop {
            let done = tokio::select! {
                () = drain.cancelled() => return self,
                done = self.back_up() => done,
            };
            let pause = match done {
                Ok(outcome) => {
                    self.report.success(&outcome);
                    delay = FIRST_DELAY;
                    interval
                }
                Err(error) => {
                    self.report.failure(&error);
                    let pause = delay;
                    delay = (delay * 2).min(LONGEST_DELAY.max(interval));
                    pause
                }
            };
            tokio::select! {
                () = drain.cancelled() => return self,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes the last one, of what came since the one before. The journals are still open.
    async fn finish(mut self) {
        match tokio::time::timeout(LAST_LIMIT, self.back_up()).await {
            Ok(Ok(outcome)) => self.report.success(&outcome),
            Ok(Err(error)) => self.report.failure(&error),
            Err(_) => {
                tracing::warn!(limit = ?LAST_LIMIT, "the last backup took too long; the next start makes it");
            }
        }
    }

    async fn back_up(&mut self) -> Result<Outcome, Error> {
        let backup = match &mut self.open {
            Some(backup) => backup,
            None => {
                let target = BackupTarget::open(&self.target, Use::Write)?;
                let (ledgers, clock) = (self.ledgers.clone(), self.clock.clone());
                self.open.insert(Backup::new(target, ledgers, clock, env!("CARGO_PKG_VERSION")))
            }
        };
        backup.run().await
    }
}

/// Where it shows how backups go.
struct Report {
    check: Check,
    success: Gauge,
    failures: Counter,
    entries: Gauge,
    clock: Arc<dyn Clock>,
    /// The kinds of failures that were logged since the last success.
    logged: BTreeSet<&'static str>,
}

impl Report {
    fn success(&mut self, outcome: &Outcome) {
        self.check.ready();
        self.success.set(self.clock.now().as_second());
        let entries: u64 = outcome.positions.iter().map(|(_, at)| at.sequence).sum();
        self.entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
        if !self.logged.is_empty() {
            self.logged.clear();
            tracing::info!(manifest = outcome.manifest, "backups are made again");
        }
        if outcome.is_new {
            let Outcome { manifest, entries, bytes, .. } = *outcome;
            tracing::debug!(manifest, entries, bytes, "made a backup");
        }
    }

    fn failure(&mut self, error: &Error) {
        self.failures.inc();
        let cause = chain(error);
        if self.logged.insert(error.reason()) {
            tracing::error!(reason = error.reason(), %cause, "a backup failed; it is tried again");
        }
        self.check.degraded(cause);
    }
}

#[cfg(test)]
mod tests {
    use milepost_service::config::server::Server;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_target_that_cannot_be_used_is_tried_again_until_it_can_and_the_server_stays_ready() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("backups");
        std::fs::write(&path, "a file is no directory").unwrap();
        let (server, url) = (Server::default(), format!("file://{}", path.display()));
        let context = ServiceContext::new(&server);
        assert!(component(&context, &Config::default(), Vec::new()).is_none(), "no target, no backups");

        let report = Report {
            check: context.readiness.check("backup.target"),
            success: Gauge::default(),
            failures: Counter::default(),
            entries: Gauge::default(),
            clock: context.clock.clone(),
            logged: BTreeSet::new(),
        };
        let (success, failures) = (report.success.clone(), report.failures.clone());
        let backups =
            Backups { target: url, ledgers: Vec::new(), clock: context.clock.clone(), open: None, report };
        let running = tokio::spawn(backups.run(Duration::from_secs(60), context.drain.clone()));
        let mut readiness = context.readiness.watch();
        let state = |check: &str| context.readiness.report().checks[check].clone();
        readiness.wait_for(|report| report.checks["backup.target"].as_str() == "degraded").await.unwrap();
        assert!(context.readiness.report().ready());
        assert!(state("backup.target").reason().contains(&path.display().to_string()));
        assert!(failures.get() > 0 && success.get() == 0);

        std::fs::remove_file(&path).unwrap();
        readiness.wait_for(|report| report.checks["backup.target"].as_str() == "ready").await.unwrap();
        assert!(success.get() > 0);
        context.drain.cancel();
        running.await.unwrap();
    }
}
