//! The process's registry of metrics.
//!
//! Invariant: a metric is registered under its full name, `milepost_{service}_{thing}_{unit}[_total]`,
//! which is a constant beside the code that counts; it is exposed under exactly that name.

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};
use std::sync::Arc;

/// The metrics of a process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Metrics {
    /// No metrics yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exposes a metric; `help` is a phrase without a full stop.
    pub fn register(&self, name: &'static str, help: &'static str, metric: impl Metric) {
        // The encoder appends the suffix of counters itself.
        self.0.lock().register(name.strip_suffix("_total").unwrap_or(name), help, metric);
    }

    /// Exposes what is looked up at each scrape.
    pub fn register_collector(&self, collector: impl Collector) {
        self.0.lock().register_collector(Box::new(collector));
    }

    /// All metrics now, in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail; a collector that does leaves its own lines out.
        let _ = encode(&mut text, &self.0.lock());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn a_counter_is_exposed_under_its_full_name() {
        let metrics = Metrics::new();
        let counter = Counter::<u64>::default();
        metrics.register("milepost_test_things_total", "Things seen", counter.clone());
        counter.inc_by(3);
        let text = metrics.encode();
        assert!(text.contains("\nmilepost_test_things_total 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
