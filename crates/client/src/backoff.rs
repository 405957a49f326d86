//! How long to wait before the next attempt.
//!
//! Invariant: delays double from `min` up to `max`, each with up to as much again at random, so that
//! the clients of a restarted server do not all connect at once. It never gives up by itself.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Bounds of the delays between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay, before jitter.
    pub min: Duration,
    /// The longest delay, before jitter.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: Duration::from_millis(50), max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The delays of one series of failures.
    pub(crate) fn delays(self) -> Delays {
        let builder = ExponentialBuilder::new()
            .with_min_delay(self.min)
            .with_max_delay(self.max)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times();
        Delays { bounds: self, series: builder.build() }
    }
}

/// A series of delays that can be started again.
#[derive(Debug)]
pub(crate) struct Delays {
    bounds: Backoff,
    series: backon::ExponentialBackoff,
}

impl Delays {
    /// The next delay, or the one that the server asked for if that is longer.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let own = self.series.next().unwrap_or(self.bounds.max);
        asked.map_or(own, |asked| asked.max(own))
    }

    /// An attempt succeeded: the next delay is the first one again.
    pub(crate) fn reset(&mut self) {
        *self = self.bounds.delays();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_bound_and_never_end() {
        let bounds = Backoff { min: Duration::from_millis(10), max: Duration::from_millis(80) };
        let mut delays = bounds.delays();
        for base in [10, 20, 40, 80, 80, 80, 80] {
            let delay = delays.next(None).as_millis();
            assert!((base..=2 * base).contains(&delay), "{delay} ms is not {base} to {} ms", 2 * base);
        }
        delays.reset();
        assert!(delays.next(None) <= Duration::from_millis(20));
        assert_eq!(delays.next(Some(Duration::from_secs(3))), Duration::from_secs(3));
    }
}
