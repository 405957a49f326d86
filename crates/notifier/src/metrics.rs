//! The metrics of the notifier.

use milepost_types::LedgerKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::service::SOURCES;

const FOLLOWED_ENTRIES_TOTAL: &str = "milepost_notifier_followed_entries_total";
const FOLLOWED_EVENTS_TOTAL: &str = "milepost_notifier_followed_events_total";
const FOLLOW_LAG_ENTRIES: &str = "milepost_notifier_follow_lag_entries";
const WATCHERS: &str = "milepost_notifier_watchers";
const SELECTIONS: &str = "milepost_notifier_selections";
const DELIVERED_EVENTS_TOTAL: &str = "milepost_notifier_delivered_events_total";
const RESPONSES_TOTAL: &str = "milepost_notifier_watch_responses_total";
const FELL_BEHIND_TOTAL: &str = "milepost_notifier_fell_behind_total";
const RECENT_BYTES: &str = "milepost_notifier_recent_bytes";

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct SourceLabel {
    source: &'static str,
}

impl From<LedgerKind> for SourceLabel {
    fn from(source: LedgerKind) -> Self {
        Self { source: source.as_str() }
    }
}

/// The notifier's metrics; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    /// Entries that were taken over.
    pub(crate) followed_entries: Family<SourceLabel, Counter>,
    /// Their events.
    pub(crate) followed_events: Family<SourceLabel, Counter>,
    /// How many entries a source is ahead, as far as is known.
    pub(crate) follow_lag: Family<SourceLabel, Gauge>,
    /// Open watch streams.
    pub(crate) watchers: Gauge,
    /// Distinct selections among them.
    pub(crate) selections: Gauge,
    /// Events in responses of watch streams.
    pub(crate) delivered_events: Counter,
    /// Responses of watch streams.
    pub(crate) responses: Counter,
    /// How often a watcher fell behind and read from the log.
    pub(crate) fell_behind: Counter,
    /// Bytes of events that the hub keeps.
    pub(crate) recent_bytes: Gauge,
}

impl Metrics {
    /// New metrics, exposed.
    pub(crate) fn registered(metrics: &milepost_service::telemetry::Metrics) -> Self {
        let own = Self::default();
        // Every source is shown from the start.
        for source in SOURCES.map(SourceLabel::from) {
            let _ = own.followed_entries.get_or_create(&source);
            let _ = own.followed_events.get_or_create(&source);
            let _ = own.follow_lag.get_or_create(&source);
        }
        metrics.register(FOLLOWED_ENTRIES_TOTAL, "Entries taken over", own.followed_entries.clone());
        metrics.register(FOLLOWED_EVENTS_TOTAL, "Events taken over", own.followed_events.clone());
        metrics.register(FOLLOW_LAG_ENTRIES, "Entries that a source is ahead", own.follow_lag.clone());
        metrics.register(WATCHERS, "Open watch streams", own.watchers.clone());
        metrics.register(SELECTIONS, "Distinct selections of watch streams", own.selections.clone());
        metrics.register(
            DELIVERED_EVENTS_TOTAL,
            "Events sent on watch streams",
            own.delivered_events.clone(),
        );
        metrics.register(RESPONSES_TOTAL, "Responses sent on watch streams", own.responses.clone());
        metrics.register(
            FELL_BEHIND_TOTAL,
            "Watchers that fell behind and read on from the log",
            own.fell_behind.clone(),
        );
        metrics.register(RECENT_BYTES, "Bytes of events kept for watchers", own.recent_bytes.clone());
        own
    }
}
