//! Looks for changes of the files of TLS, every few seconds and on SIGHUP, and takes them into use.
//!
//! Invariant: content that cannot be used, as while a pair is being replaced file by file, changes nothing; that is
//! logged once for each such content and each SIGHUP. Readiness does not depend on it: what is in use goes on working,
//! and the metric of its expiry says for how long.

use super::load::{Contents, Fault, Loaded};
use super::{Error, Tls};
use crate::config::tls::Tls as Files;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// The task that looks for changes.
pub(in crate::host) struct Reload {
    files: Files,
    /// What is in use.
    used: Contents,
    /// What was refused last, unless it was replaced since.
    refused: Option<Contents>,
    tls: Tls,
    expiry: Gauge,
    failures: Counter,
    hangup: Signal,
}

impl Reload {
    pub(super) fn new(
        files: Files,
        used: Contents,
        tls: Tls,
        expiry: Gauge,
        failures: Counter,
    ) -> Result<Self, Error> {
        let hangup = signal(SignalKind::hangup()).map_err(|error| Error::Tls(error.to_string()))?;
        Ok(Self { files, used, refused: None, tls, expiry, failures, hangup })
    }

    /// Looks until it is to stop.
    pub(in crate::host) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => false,
                _ = self.hangup.recv() => true,
            };
            self.look(asked).await;
        }
    }

    /// Looks once; who asked for it is answered in the log, also if nothing is new.
    async fn look(&mut self, asked: bool) {
        let files = self.files.clone();
        let Ok(contents) = tokio::task::spawn_blocking(move || Contents::read(&files)).await else { return };
        if contents == self.used {
            self.refused = None;
            if asked {
                tracing::info!("the files of TLS have not changed");
            }
            return;
        }
        // Also what was refused before: a certificate may have become valid meanwhile.
        match contents.load(&self.files, &self.tls.clock) {
            Ok(loaded) => self.take(contents, loaded),
            Err(faults) if asked || self.refused.as_ref() != Some(&contents) => {
                self.failures.inc();
                for Fault { key, message } in faults {
                    tracing::error!(
                        "the files of TLS changed, but cannot be used; the earlier ones stay in use: tls.{key}: {message}"
                    );
                }
                self.refused = Some(contents);
            }
            Err(_) => {}
        }
    }

    fn take(&mut self, contents: Contents, loaded: Loaded) {
        tracing::info!(not_after = %loaded.not_after, "changed files of TLS are in use");
        self.expiry.set(loaded.not_after.as_second());
        self.tls.current.send_replace(Arc::new(loaded));
        (self.used, self.refused) = (contents, None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, DAY, Home, Pair, Usage};
    use super::*;
    use crate::telemetry::Metrics;
    use jiff::Timestamp;
    use milepost_types::{Clock, ManualClock};

    struct Case {
        authority: Authority,
        clock: Arc<ManualClock>,
        home: Home,
        metrics: Metrics,
        reload: Reload,
    }

    impl Case {
        fn new() -> Self {
            let (authority, metrics) = (Authority::new("servers"), Metrics::new());
            let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_780_000_000).unwrap()));
            let home = Home::new(&pair(&authority, &clock, 0, 1), None);
            let shared: Arc<dyn Clock> = clock.clone();
            let (_, reload) = Tls::open(&home.files(), &shared, &metrics).unwrap();
            Self { authority, clock, home, metrics, reload }
        }

        /// A certificate that is valid from so many days on, for so many days.
        fn pair(&self, from: i32, days: i32) -> Pair {
            pair(&self.authority, &self.clock, from, days)
        }

        fn used(&self) -> Timestamp {
            self.reload.tls.current.borrow().not_after
        }

        fn failures(&self) -> u64 {
            let text = self.metrics.encode();
            let shown = format!("{} {}\n", super::super::CERTIFICATE_EXPIRY, self.used().as_second());
            assert!(text.contains(&shown), "{text}");
            self.reload.failures.get()
        }
    }

    fn pair(authority: &Authority, clock: &ManualClock, from: i32, days: i32) -> Pair {
        let from = clock.now() + DAY * from;
        authority.issue(Usage::Server, &[], from, from + DAY * days)
    }

    #[tokio::test]
    async fn a_changed_pair_is_taken_and_one_that_is_half_written_is_not() {
        let mut case = Case::new();
        let (before, next) = (case.used(), case.pair(0, 2));
        case.home.write("server.pem", &next.certificate);
        for looks in 1..3 {
            case.reload.look(false).await;
            assert_eq!((case.used(), case.failures()), (before, 1), "after {looks} looks");
        }
        case.home.write("server.key", &next.key[..next.key.len() / 2]);
        case.reload.look(false).await;
        assert_eq!((case.used(), case.failures()), (before, 2));
        case.home.write("server.key", &next.key);
        case.reload.look(false).await;
        assert_eq!((case.used(), case.failures()), (before + DAY, 2));
    }

    #[tokio::test]
    async fn what_is_refused_is_said_again_to_who_asks_and_taken_once_it_is_valid() {
        let mut case = Case::new();
        case.home.put(&case.pair(1, 3));
        for (asked, failures) in [(false, 1), (false, 1), (true, 2), (false, 2)] {
            case.reload.look(asked).await;
            assert_eq!(case.failures(), failures, "asked: {asked}");
        }
        case.clock.advance(DAY);
        case.reload.look(false).await;
        assert_eq!((case.used(), case.failures()), (case.clock.now() + DAY * 3, 2));
    }

    #[tokio::test]
    async fn a_pair_that_expired_or_is_gone_replaces_nothing() {
        let mut case = Case::new();
        let before = case.used();
        case.home.put(&case.pair(-3, 2));
        case.reload.look(false).await;
        std::fs::remove_file(case.home.path("server.pem")).unwrap();
        case.reload.look(false).await;
        assert_eq!((case.used(), case.failures()), (before, 2));
    }
}
