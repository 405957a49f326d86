//! How old what a follower knows may be, in seconds, and what of that operators see.
//!
//! Invariant: a follower that has stopped, is refused, or has a source that cannot be reached grows older all the same:
//! only having taken over all that the source knew makes it new again. An idle source says so every few seconds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_types::LedgerKind;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::telemetry::Metrics;

/// When a follower had last taken over everything that its source knew. Clones share it.
#[derive(Debug, Clone)]
pub struct Heard {
    started: Instant,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Default for Heard {
    /// Not yet.
    fn default() -> Self {
        Self { started: Instant::now(), last: Arc::default() }
    }
}

impl Heard {
    /// Now.
    pub fn now(&self) {
        *self.last.lock() = Some(Instant::now());
    }

    /// How long ago; `None` if it has not since this process started: it may have been long before.
    pub fn ago(&self) -> Option<Duration> {
        self.last.lock().map(|last| last.elapsed())
    }

    /// How long ago at least.
    fn at_least(&self) -> Duration {
        self.ago().unwrap_or_else(|| self.started.elapsed())
    }
}

/// Seconds since a follower had taken over all that a source knew: `milepost_{follower}_follow_lag_seconds`, by source.
#[derive(Debug)]
pub struct FollowLag {
    name: String,
    sources: Vec<(LedgerKind, Heard)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: &'static str,
}

impl FollowLag {
    /// Shows how far this follower is behind its sources.
    pub fn register(
        metrics: &Metrics,
        follower: LedgerKind,
        sources: impl IntoIterator<Item = (LedgerKind, Heard)>,
    ) {
        let name = format!("milepost_{follower}_follow_lag_seconds");
        metrics.register_collector(Self { name, sources: sources.into_iter().collect() });
    }
}

impl Collector for FollowLag {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lags = Family::<SourceLabel, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (source, heard) in &self.sources {
            lags.get_or_create(&SourceLabel { source: source.as_str() }).set(heard.at_least().as_secs_f64());
        }
        let help = "Time since all that a source knew had been taken over";
        lags.encode(encoder.encode_descriptor(&self.name, help, None, lags.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_shown_and_grows_older_until_it_is_heard() {
        let (metrics, registry) = (Metrics::new(), Heard::default());
        let sources = [(LedgerKind::Registry, registry.clone()), (LedgerKind::Tracker, Heard::default())];
        FollowLag::register(&metrics, LedgerKind::Notifier, sources);
        let lag = |source: &str| -> f64 {
            let text = metrics.encode();
            let name = format!("milepost_notifier_follow_lag_seconds{{source=\"{source}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&name)).expect(&text).parse().expect("a number")
        };
        assert!(registry.ago().is_none() && lag("registry") < 100.0);
        *registry.last.lock() = Instant::now().checked_sub(Duration::from_secs(100));
        assert!(lag("registry") >= 100.0 && lag("tracker") < 100.0);
        registry.now();
        assert!(registry.ago() < Some(Duration::from_secs(100)) && lag("registry") < 100.0);
    }
}
