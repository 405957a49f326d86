//! Telemetry of a process: log lines, panics, metrics, traces.
//!
//! Invariant: everything goes through `tracing` to standard error, a panic too, so that one filter
//! and one format hold for all; standard output belongs to data. A metric's full name is a constant.

mod checks;
mod logging;
mod metrics;
mod process;
pub(crate) mod traces;

pub use checks::Checks;
pub use logging::{init, log_panics, parse_filter};
pub use metrics::Metrics;
pub use process::Process;
pub use traces::Traces;
