//! How old what a follower knows may be, in seconds, and what of that operators see.
//!
//! Invariant: it is as old as the last moment of which all that the source knew then has been taken over. So one that keeps up
//! with a source at work is new, and one that stopped, is refused, or cannot reach its source grows older; so does one that
//! reads late what its source said earlier. An idle source says every second that there is nothing new.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_types::{LedgerKind, Position};
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::telemetry::Metrics;

/// How many moments are kept of which not everything is taken over yet.
const MOMENTS: usize = 1024;
/// Moments are not kept closer together than this, and further apart the more there are.
const APART: Duration = Duration::from_millis(20);

/// How old what a follower knows of a source may be. Clones share it.
#[derive(Debug, Clone)]
pub struct Freshness {
    started: Instant,
    moments: Arc<Mutex<Moments>>,
}

#[derive(Debug, Default)]
struct Moments {
    /// The last one of which everything is taken over.
    known: Option<Instant>,
    /// Those after it, and where the source's log ended then.
    tails: VecDeque<(Position, Instant)>,
    /// How far apart they are.
    apart: Duration,
}

impl Default for Freshness {
    /// Nothing was heard yet.
    fn default() -> Self {
        Self { started: Instant::now(), moments: Arc::default() }
    }
}

impl Freshness {
    /// The source's log ended here at this moment, or later.
    pub fn record_tail(&self, tail: Position, as_of: Instant) {
        let Moments { tails, apart, .. } = &mut *self.moments.lock();
        if tails.is_empty() {
            *apart = APART;
        }
        if let Some(last) = tails.back_mut().filter(|(last, _)| *last == tail) {
            last.1 = as_of;
        } else if tails.back().is_none_or(|(_, at)| as_of >= *at + *apart) {
            if tails.len() == MOMENTS {
                // Every second one goes.
                let mut is_kept = false;
                tails.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
                *apart *= 2;
            }
            tails.push_back((tail, as_of));
        }
    }

    /// The source is taken over up to here; `None`: nothing of it is.
    pub fn record_applied(&self, applied: Option<&Position>) {
        let Moments { known, tails, .. } = &mut *self.moments.lock();
        let is_taken = |tail: &Position| match applied {
            Some(applied) => applied.log == tail.log && applied.sequence >= tail.sequence,
            None => tail.sequence == 0,
        };
        // Those of another log, before a restore, are over too once a later one is reached.
        if let Some(last) = tails.iter().rposition(|(tail, _)| is_taken(tail)) {
            *known = tails.drain(..=last).next_back().map(|(_, at)| at);
        }
    }

    /// How old it may be; `None` if nothing was heard since this process started: it may be of any age.
    pub fn age(&self) -> Option<Duration> {
        self.moments.lock().known.map(|known| known.elapsed())
    }

    /// How old it is at least.
    fn at_least(&self) -> Duration {
        self.age().unwrap_or_else(|| self.started.elapsed())
    }
}

/// How old what a follower knows may be: `milepost_{follower}_follow_lag_seconds`, by source.
#[derive(Debug)]
pub struct FollowLag {
    name: String,
    sources: Vec<(LedgerKind, Freshness)>,
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
        sources: impl IntoIterator<Item = (LedgerKind, Freshness)>,
    ) {
        let name = format!("milepost_{follower}_follow_lag_seconds");
        metrics.register_collector(Self { name, sources: sources.into_iter().collect() });
    }
}

impl Collector for FollowLag {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lags = Family::<SourceLabel, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (source, freshness) in &self.sources {
            lags.get_or_create(&SourceLabel { source: source.as_str() })
                .set(freshness.at_least().as_secs_f64());
        }
        let help = "Time since all that a source knew had been taken over";
        lags.encode(encoder.encode_descriptor(&self.name, help, None, lags.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::LogId;

    use super::*;

    fn at(log: LogId, sequence: u64) -> Position {
        Position { sequence, ..Position::start(log) }
    }

    /// Makes every moment so much older.
    fn age(freshness: &Freshness, by: Duration) {
        let mut moments = freshness.moments.lock();
        let Moments { known, tails, .. } = &mut *moments;
        let older = |at: &mut Instant| *at = at.checked_sub(by).expect("the machine has been up for longer");
        known.iter_mut().chain(tails.iter_mut().map(|(_, at)| at)).for_each(older);
    }

    fn seconds(freshness: &Freshness) -> Option<u64> {
        freshness.age().map(|age| age.as_secs())
    }

    #[test]
    fn what_is_known_is_as_old_as_the_moment_of_which_all_is_taken_over() {
        let (freshness, log, second) = (Freshness::default(), LogId::generate(), Duration::from_secs(1));
        let at = |sequence| at(log, sequence);
        freshness.record_applied(Some(&at(7)));
        assert_eq!(seconds(&freshness), None, "the source said nothing yet");
        for tail in [10, 20, 30] {
            freshness.record_tail(at(tail), Instant::now());
            age(&freshness, second);
        }
        freshness.record_applied(Some(&at(9)));
        assert_eq!(seconds(&freshness), None);
        freshness.record_applied(Some(&at(25)));
        assert_eq!(seconds(&freshness), Some(2), "of entry 20");
        age(&freshness, second);
        freshness.record_applied(Some(&at(30)));
        assert_eq!(seconds(&freshness), Some(2), "of entry 30");
        freshness.record_tail(at(30), Instant::now());
        freshness.record_applied(Some(&at(30)));
        assert_eq!(seconds(&freshness), Some(0), "an idle source");
    }

    #[test]
    fn one_that_is_always_a_little_behind_is_a_little_old_and_one_that_stands_still_keeps_few_moments() {
        let (freshness, log) = (Freshness::default(), LogId::generate());
        for sequence in 1..10_000 {
            freshness.record_tail(at(log, sequence + 100), Instant::now());
            age(&freshness, Duration::from_millis(100));
            freshness.record_applied(Some(&at(log, sequence)));
        }
        assert_eq!(seconds(&freshness), Some(10));
        for sequence in 20_000..30_000 {
            freshness.record_tail(at(log, sequence), Instant::now());
            age(&freshness, Duration::from_millis(100));
        }
        assert!(freshness.moments.lock().tails.len() <= MOMENTS);
        freshness.record_applied(Some(&at(log, 25_000)));
        let behind = seconds(&freshness).expect("some moment is kept");
        assert!((500..=520).contains(&behind), "{behind} s, of 500");
        freshness.record_applied(Some(&at(log, 30_000)));
        freshness.record_tail(at(log, 30_000), Instant::now());
        freshness.record_applied(Some(&at(log, 30_000)));
        assert_eq!(seconds(&freshness), Some(0));
    }

    #[test]
    fn an_empty_source_and_one_in_another_log_are_taken_over_too() {
        let (freshness, log) = (Freshness::default(), LogId::generate());
        freshness.record_tail(at(log, 0), Instant::now());
        freshness.record_applied(None);
        assert_eq!(seconds(&freshness), Some(0));
        freshness.record_tail(at(log, 9), Instant::now());
        let restored = at(LogId::generate(), 5);
        age(&freshness, Duration::from_secs(3));
        freshness.record_tail(restored, Instant::now());
        assert_eq!(seconds(&freshness), Some(3));
        freshness.record_applied(Some(&restored));
        assert_eq!((seconds(&freshness), freshness.moments.lock().tails.len()), (Some(0), 0));
    }

    #[test]
    fn every_source_is_shown_also_before_it_is_heard() {
        let (metrics, registry) = (Metrics::new(), Freshness::default());
        let sources = [(LedgerKind::Registry, registry.clone()), (LedgerKind::Tracker, Freshness::default())];
        FollowLag::register(&metrics, LedgerKind::Notifier, sources);
        let lag = |source: &str| -> f64 {
            let text = metrics.encode();
            let name = format!("milepost_notifier_follow_lag_seconds{{source=\"{source}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&name)).expect(&text).parse().expect("a number")
        };
        let tail = at(LogId::generate(), 1);
        registry.record_tail(tail, Instant::now());
        registry.record_applied(Some(&tail));
        age(&registry, Duration::from_secs(100));
        assert!(lag("registry") >= 100.0 && lag("tracker") < 100.0);
    }
}
