//! What an operator must know of access, looked up when it is asked for.

use std::sync::Arc;

use milepost_types::Clock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::{Access, table};

/// Grants of break glass that are in force: nothing that is meant to last.
pub const BREAK_GLASS_GRANTS: &str = "milepost_access_break_glass_grants";

/// Reads them from the rows that calls are decided on.
#[derive(Clone)]
pub(crate) struct AccessMetrics {
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for AccessMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessMetrics").finish_non_exhaustive()
    }
}

impl Collector for AccessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(rows) = self.access.rows() else { return Ok(()) };
        let mut count = 0;
        rows.read(&mut |rows| count = table::break_glass(rows, self.clock.now()));
        let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
        let help = "Grants of break glass that are in force";
        gauge.encode(encoder.encode_descriptor(BREAK_GLASS_GRANTS, help, None, gauge.metric_type())?)
    }
}
