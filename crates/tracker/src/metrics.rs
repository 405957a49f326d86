//! What is counted of the tracker besides its ledger and its calls.

use milepost_service::telemetry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// Entries of the registry that were taken over.
pub const FOLLOWED_ENTRIES_TOTAL: &str = "milepost_tracker_followed_entries_total";
/// Entries of the registry that were taken over without deriving anything, because it failed.
pub const FOLLOWED_SKIPPED_ENTRIES_TOTAL: &str = "milepost_tracker_followed_skipped_entries_total";
/// How many entries of the registry are known and not yet taken over.
pub const FOLLOW_LAG_ENTRIES: &str = "milepost_tracker_follow_lag_entries";
/// Days that began in portfolios.
pub const DAYS_ADVANCED_TOTAL: &str = "milepost_tracker_days_advanced_total";
/// Portfolios whose current date waits for somebody to confirm it.
pub const PORTFOLIOS_UNCONFIRMED: &str = "milepost_tracker_portfolios_unconfirmed";
/// Milestones that lists scanned.
pub const LIST_SCANNED_TOTAL: &str = "milepost_tracker_list_scanned_total";
/// Milestones that lists returned. Far fewer than were scanned means that no index serves the filter.
pub const LIST_RETURNED_TOTAL: &str = "milepost_tracker_list_returned_total";

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    pub(crate) followed_entries: Counter,
    pub(crate) followed_skipped_entries: Counter,
    pub(crate) follow_lag: Gauge,
    pub(crate) days_advanced: Counter,
    pub(crate) portfolios_unconfirmed: Gauge,
}

impl Metrics {
    /// Counters that are exposed.
    pub(crate) fn register(metrics: &telemetry::Metrics) -> Self {
        let all = Self::default();
        metrics.register(
            FOLLOWED_ENTRIES_TOTAL,
            "Entries of the registry taken over",
            all.followed_entries.clone(),
        );
        metrics.register(
            FOLLOWED_SKIPPED_ENTRIES_TOTAL,
            "Entries of the registry taken over without deriving anything, because it failed",
            all.followed_skipped_entries.clone(),
        );
        metrics.register(
            FOLLOW_LAG_ENTRIES,
            "Entries of the registry that are known and not yet taken over",
            all.follow_lag.clone(),
        );
        metrics.register(DAYS_ADVANCED_TOTAL, "Days that began in portfolios", all.days_advanced.clone());
        metrics.register(
            PORTFOLIOS_UNCONFIRMED,
            "Portfolios whose current date waits for somebody to confirm it",
            all.portfolios_unconfirmed.clone(),
        );
        all
    }
}
