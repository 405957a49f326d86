//! What is counted of the registry besides its ledger and its calls.

use milepost_service::telemetry;
use prometheus_client::metrics::counter::Counter;

/// Resources that lists looked at.
pub const LIST_LOOKED_AT_TOTAL: &str = "milepost_registry_list_looked_at_total";
/// Resources that lists told. Far fewer than were looked at: a filter that no index helps.
pub const LIST_TOLD_TOTAL: &str = "milepost_registry_list_told_total";

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    looked_at: Counter,
    told: Counter,
}

impl Metrics {
    /// Counters that are exposed.
    pub(crate) fn register(metrics: &telemetry::Metrics) -> Self {
        let counters = Self::default();
        metrics.register(LIST_LOOKED_AT_TOTAL, "Resources that lists looked at", counters.looked_at.clone());
        metrics.register(LIST_TOLD_TOTAL, "Resources that lists told", counters.told.clone());
        counters
    }

    /// Counts a page.
    pub(crate) fn listed(&self, looked_at: usize, told: usize) {
        self.looked_at.inc_by(looked_at as u64);
        self.told.inc_by(told as u64);
    }
}
