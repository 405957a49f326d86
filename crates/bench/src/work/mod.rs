//! What is measured, one module each, on whatever system is given.
//!
//! Invariants: figures are of acknowledged work, without warm-up; events that a
//! watcher misses are counted. Numbers of writes continue from one work to the next, so that no write repeats an
//! earlier one.

mod full_speed;
mod idle;
mod live;
mod million;
mod replay;
mod writes;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use million::measure as measure_million;

use crate::figure::{Figure, Unit};
use crate::system::{Error, Kind, System};

/// Writers of a live stream at full speed, and at a fixed rate.
const LIVE_WRITERS: usize = 16;
/// Connections of watchers, at most.
const WATCHER_CONNECTIONS: usize = 100;
/// Writes that one reader replays.
const HISTORY: u64 = 100_000;

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Durable writes by so many clients, each waiting for its answer.
    Writes(usize),
    /// So many watchers of writes at a fixed rate a second.
    Live { watchers: usize, per_second: u64 },
    /// So many watchers of writes at full speed.
    FullSpeed { watchers: usize },
    /// One reader from the start of history.
    Replay,
    /// So many watchers of nothing.
    Idle { watchers: usize },
    /// Milepost with so many entries: reopened, rebuilt, weighed.
    Million { entries: u64 },
}

/// What a work may use.
pub struct Bench<'a> {
    pub system: &'a dyn System,
    pub warm_up: Duration,
    pub measure: Duration,
    /// The next write's number.
    pub next: AtomicU64,
}

impl Bench<'_> {
    /// The next numbers of writes.
    fn take(&self, count: u64) -> u64 {
        self.next.fetch_add(count, Ordering::Relaxed)
    }
}

impl Work {
    /// All of them, in the order that they are done in.
    pub fn all(entries: u64) -> Vec<Self> {
        vec![
            Self::Writes(1),
            Self::Writes(16),
            Self::Writes(64),
            Self::Writes(256),
            Self::Live { watchers: 1, per_second: 200 },
            Self::Live { watchers: 100, per_second: 50 },
            Self::Live { watchers: 1000, per_second: 50 },
            Self::FullSpeed { watchers: 100 },
            Self::Replay,
            Self::Idle { watchers: 10_000 },
            Self::Million { entries },
        ]
    }

    /// Whether it is the one, or one of those, that is named so on the command line: `writes`, `writes-64`.
    pub fn is_called(self, name: &str) -> bool {
        let count = match self {
            Self::Writes(count) | Self::Live { watchers: count, .. } => Some(count),
            _ => None,
        };
        name == self.kind() || count.is_some_and(|count| name == format!("{}-{count}", self.kind()))
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Writes(_) => "writes",
            Self::Live { .. } => "live",
            Self::FullSpeed { .. } => "full-speed",
            Self::Replay => "replay",
            Self::Idle { .. } => "idle",
            Self::Million { .. } => "million",
        }
    }

    /// As tables call it.
    pub fn title(self) -> String {
        match self {
            Self::Writes(1) => "durable writes, 1 client".to_owned(),
            Self::Writes(clients) => format!("durable writes, {clients} clients"),
            Self::Live { watchers: 1, per_second } => format!("write to watcher, {per_second}/s"),
            Self::Live { watchers, per_second } => format!("{watchers} watchers, {per_second} writes/s"),
            Self::FullSpeed { watchers } => format!("{watchers} watchers, full speed"),
            Self::Replay => "replay, one reader".to_owned(),
            Self::Idle { watchers } => format!("{watchers} idle watchers, {WATCHER_CONNECTIONS} connections"),
            Self::Million { entries } => format!("{entries} entries"),
        }
    }

    /// Whether a system can do it.
    pub fn suits(self, kind: Kind) -> bool {
        match self {
            Self::Writes(clients) => clients == 64 || !kind.is_protected(),
            Self::Replay => !kind.is_protected(),
            Self::Live { watchers, .. } | Self::FullSpeed { watchers } | Self::Idle { watchers } => {
                kind.takes_watchers(watchers)
            }
            Self::Million { .. } => kind == Kind::Milepost,
        }
    }

    /// Does it; a server of its own does a million.
    pub async fn measure(self, bench: &Bench<'_>) -> Result<Vec<Figure>, Error> {
        match self {
            Self::Writes(clients) => writes::measure(bench, clients).await,
            Self::Live { watchers, per_second } => live::measure(bench, watchers, per_second).await,
            Self::FullSpeed { watchers } => full_speed::measure(bench, watchers).await,
            Self::Replay => replay::measure(bench).await,
            Self::Idle { watchers } => idle::measure(bench, watchers).await,
            Self::Million { .. } => Ok(Vec::new()),
        }
    }
}

/// A quantile of times that are sorted, in milliseconds.
pub fn quantile_ms(times: &[Duration], quantile: f64) -> f64 {
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * quantile).round() as usize).copied().unwrap_or_default().as_secs_f64() * 1e3
}

/// Median and ninety-ninth percentile.
fn latencies(mut times: Vec<Duration>) -> [Figure; 2] {
    times.sort_unstable();
    [Figure::new(Unit::P50Ms, quantile_ms(&times, 0.5)), Figure::new(Unit::P99Ms, quantile_ms(&times, 0.99))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_is_called_by_its_kind_or_with_its_count() {
        let called = |name: &str| {
            let all = Work::all(5).into_iter();
            all.filter(|work| work.is_called(name)).map(Work::title).collect::<Vec<_>>()
        };
        assert_eq!(called("writes").len(), 4);
        assert_eq!(called("writes-64"), ["durable writes, 64 clients"]);
        assert_eq!(called("live-1"), ["write to watcher, 200/s"]);
        assert_eq!(called("million"), ["5 entries"]);
        for none in ["", "writes-7", "replay-1", "Writes"] {
            assert_eq!(called(none), [""; 0], "{none}");
        }
    }
}
