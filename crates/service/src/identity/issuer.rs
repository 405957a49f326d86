//! An issuer of tokens and its keys, which are kept fresh in the background.
//!
//! Invariants: keys that were fetched stay in use until others have been: a fetch that fails, or brings no
//! usable key, changes nothing, however long it goes on, so that tokens signed with known keys outlive an outage of
//! the issuer. Tokens with unknown keys cause at most one fetch in [`REQUEST_INTERVAL`]. A key that an
//! issuer dropped verifies nothing any more. Does not look at tokens; `source` knows where keys are.

use std::sync::Arc;
use std::time::Duration;

use milepost_types::Clock;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::fetch::Client;
use super::jwks::KeySet;
use super::metrics::IssuerMetrics;
use super::source::{KeysError, Source};
use crate::config::access;

/// How long between two fetches of keys, before jitter.
const REFRESH_INTERVAL: Duration = Duration::from_secs(600);
/// How long between two fetches that tokens with unknown keys cause.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_secs(30);
/// How long after a failed fetch the next one begins, at most; the first begins after a second.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// How soon a fetch that is running is worth another attempt.
const FETCH_DELAY: Duration = Duration::from_secs(1);
/// How many calls may wait for a fetch at once.
const WAITERS: usize = 64;
/// How long a call waits for a fetch: two documents.
const WAIT: Duration = Duration::from_secs(10);

/// An issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    /// The alias that its principals begin with.
    pub(super) alias: Arc<str>,
    /// What is configured of it.
    pub(super) config: access::Issuer,
    source: Source,
    keys: RwLock<Option<Arc<KeySet>>>,
    schedule: Mutex<Schedule>,
    /// Whether a fetch is running, or asked for and about to run.
    is_fetching: watch::Sender<bool>,
    waiters: Semaphore,
}

#[derive(Debug)]
struct Schedule {
    next: Instant,
    /// Failed fetches since the last one that did not fail.
    failures: u32,
    /// When a token with an unknown key last caused a fetch.
    requested: Option<Instant>,
}

impl Issuer {
    /// An issuer without keys, which are fetched as soon as [`keep_keys`](Self::keep_keys) runs.
    pub(super) fn new(alias: &str, config: &access::Issuer) -> Self {
        Self {
            alias: alias.into(),
            config: config.clone(),
            source: Source::of(config),
            keys: RwLock::new(None),
            schedule: Mutex::new(Schedule { next: Instant::now(), failures: 0, requested: None }),
            is_fetching: watch::Sender::new(true),
            waiters: Semaphore::new(WAITERS),
        }
    }

    /// The keys that verify tokens now.
    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        self.keys.read().clone()
    }

    /// Asks for a fetch, because a token names an unknown key; answers how soon it is worth trying again.
    pub(super) fn request_keys(&self) -> Duration {
        let mut schedule = self.schedule.lock();
        let now = Instant::now();
        let since = schedule.requested.map(|requested| now.duration_since(requested));
        if let Some(since) = since.filter(|since| *since < REQUEST_INTERVAL) {
            return if *self.is_fetching.borrow() {
                Duration::from_secs(1)
            } else {
                REQUEST_INTERVAL - since
            };
        }
        schedule.requested = Some(now);
        self.is_fetching.send_replace(true);
        FETCH_DELAY
    }

    /// How soon there may be keys, where there are none yet.
    pub(super) fn keys_due(&self) -> Duration {
        let next = self.schedule.lock().next;
        next.saturating_duration_since(Instant::now()).max(FETCH_DELAY)
    }

    /// As if no token had asked for keys yet.
    #[cfg(test)]
    pub(super) fn forget_requests(&self) {
        self.schedule.lock().requested = None;
    }

    /// Waits until no fetch is running, not for long, and only if few others wait already.
    pub(super) async fn wait_for_keys(&self) {
        let Ok(_permit) = self.waiters.try_acquire() else { return };
        let mut is_fetching = self.is_fetching.subscribe();
        let _ = tokio::time::timeout(WAIT, is_fetching.wait_for(|is_fetching| !is_fetching)).await;
    }

    /// Fetches keys whenever that is due, for ever.
    pub(super) async fn keep_keys(&self, client: &Client, metrics: &IssuerMetrics, clock: &dyn Clock) {
        let mut asked = self.is_fetching.subscribe();
        loop {
            let next = self.schedule.lock().next;
            tokio::select! {
                _ = asked.wait_for(|is_fetching| *is_fetching) => {}
                () = tokio::time::sleep_until(next) => {}
            }
            self.is_fetching.send_replace(true);
            match self.source.fetch(client, &self.config.issuer).await {
                Ok(keys) => {
                    self.use_keys(keys);
                    metrics.fetch_time.set(clock.now().as_second());
                }
                Err(error) => self.note_failure(&error, metrics),
            }
            self.is_fetching.send_replace(false);
        }
    }

    fn use_keys(&self, fetched: KeySet) {
        let mut keys = self.keys.write();
        // The same keys stay the same set, so that what it verified stays verified.
        if !keys.as_ref().is_some_and(|keys| keys.has_same_keys(&fetched)) {
            tracing::info!(issuer = &*self.alias, keys = fetched.count(), "an issuer has new keys");
            *keys = Some(Arc::new(fetched));
        }
        let mut schedule = self.schedule.lock();
        schedule.failures = 0;
        schedule.next = Instant::now() + with_jitter(REFRESH_INTERVAL);
    }

    fn note_failure(&self, error: &KeysError, metrics: &IssuerMetrics) {
        metrics.failures.inc();
        let mut schedule = self.schedule.lock();
        schedule.failures = schedule.failures.saturating_add(1);
        let delay = Duration::from_secs(1 << schedule.failures.min(6) >> 1).min(RETRY_INTERVAL);
        schedule.next = Instant::now() + delay;
        let issuer = &*self.alias;
        match schedule.failures {
            1 => {
                tracing::warn!(issuer, %error, "the keys of an issuer cannot be fetched; the known ones stay in use")
            }
            failures => {
                tracing::debug!(issuer, %error, failures, "the keys of an issuer still cannot be fetched")
            }
        }
    }
}

/// The interval, up to a tenth shorter or longer, so that servers do not all fetch at once.
fn with_jitter(interval: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() % 1_000;
    interval.mul_f64(0.9 + random as f64 / 5_000.0)
}
