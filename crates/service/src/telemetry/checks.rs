//! Metrics of readiness: the same that the probe says, so that alerts can name the check.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use crate::readiness::{Readiness, State};

/// 1 if the server may be sent traffic.
const READY: &str = "milepost_server_ready";
/// 1 for the state that a check is in, 0 for the others.
const CHECK_STATE: &str = "milepost_server_check_state";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    check: String,
    state: &'static str,
}

/// Reads the checks when it is asked for them.
#[derive(Debug)]
pub struct Checks(pub Readiness);

impl Collector for Checks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let report = self.0.report();
        let ready = ConstGauge::new(i64::from(report.ready()));
        let help = "1 if the server may be sent traffic";
        ready.encode(encoder.encode_descriptor(READY, help, None, ready.metric_type())?)?;
        let states = Family::<CheckLabels, Gauge>::default();
        for (check, is) in report.checks {
            for state in State::ALL {
                let labels = CheckLabels { check: check.clone(), state };
                states.get_or_create(&labels).set(i64::from(state == is.as_str()));
            }
        }
        let help = "1 for the state that a check is in";
        states.encode(encoder.encode_descriptor(CHECK_STATE, help, None, states.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn every_check_is_in_one_state() {
        let (readiness, metrics) = (Readiness::new(), Metrics::new());
        metrics.register_collector(Checks(readiness.clone()));
        let check = readiness.check("registry.disk");
        check.degraded("low");
        let text = metrics.encode();
        let of = |state: &str| format!("{CHECK_STATE}{{check=\"registry.disk\",state=\"{state}\"}}");
        for (state, value) in [("ready", 0), ("degraded", 1), ("not_ready", 0)] {
            assert!(text.contains(&format!("{} {value}\n", of(state))), "{text}");
        }
        assert!(text.contains(&format!("{READY} 1\n")), "{text}");
        drop(check);
        let text = metrics.encode();
        assert!(text.contains(&format!("{} 1\n", of("not_ready"))), "{text}");
        assert!(text.contains(&format!("{READY} 0\n")), "{text}");
    }
}
