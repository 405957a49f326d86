//! The metrics of issuers.
//!
//! Invariant: every configured issuer is shown from the start, also before its first fetch.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::telemetry::Metrics;

/// Fetches of an issuer's keys that failed, or brought no usable key.
pub const JWKS_FETCH_FAILURES_TOTAL: &str = "milepost_identity_jwks_fetch_failures_total";
/// When an issuer's keys were last fetched, since the Unix epoch; 0 if never. Their age is the time since.
pub const JWKS_FETCH_TIME_SECONDS: &str = "milepost_identity_jwks_fetch_time_seconds";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabel {
    issuer: String,
}

/// The metrics of all issuers.
#[derive(Debug)]
pub(super) struct IdentityMetrics {
    failures: Family<IssuerLabel, Counter>,
    fetch_times: Family<IssuerLabel, Gauge>,
}

/// Those of one.
#[derive(Debug)]
pub(super) struct IssuerMetrics {
    pub(super) failures: Counter,
    pub(super) fetch_time: Gauge,
}

impl IdentityMetrics {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let this = Self { failures: Family::default(), fetch_times: Family::default() };
        metrics.register(
            JWKS_FETCH_FAILURES_TOTAL,
            "Failed fetches of an issuer's keys",
            this.failures.clone(),
        );
        let help = "Last fetch of an issuer's keys since the Unix epoch";
        metrics.register(JWKS_FETCH_TIME_SECONDS, help, this.fetch_times.clone());
        this
    }

    pub(super) fn of(&self, alias: &str) -> IssuerMetrics {
        let label = IssuerLabel { issuer: alias.to_owned() };
        IssuerMetrics {
            failures: self.failures.get_or_create_owned(&label),
            fetch_time: self.fetch_times.get_or_create_owned(&label),
        }
    }
}
