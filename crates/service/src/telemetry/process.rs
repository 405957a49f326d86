//! Metrics of the process itself: processor time, memory, open files, runtime tasks, start, version.
//!
//! Read from the operating system at each scrape; what cannot be read is left out, never guessed.

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use tokio::runtime::Handle;

/// Processor time of all threads, user and system.
const CPU_SECONDS: &str = "milepost_process_cpu_seconds_total";
/// Memory that is in RAM.
const RESIDENT_MEMORY_BYTES: &str = "milepost_process_resident_memory_bytes";
/// Open file descriptors.
const OPEN_FILES: &str = "milepost_process_open_files";
/// When the process started, since the Unix epoch.
const START_TIME_SECONDS: &str = "milepost_process_start_time_seconds";
/// Tasks that the runtime has not finished.
const RUNTIME_TASKS: &str = "milepost_process_runtime_tasks";
/// Always 1; the version is its label.
const BUILD_INFO: &str = "milepost_process_build_info";

/// The metrics of the process, to be registered once.
#[derive(Debug)]
pub struct Process {
    started: Timestamp,
    runtime: Option<Handle>,
}

impl Process {
    /// A process that started at this time, with the runtime that the caller runs in, if any.
    pub fn new(started: Timestamp) -> Self {
        Self { started, runtime: Handle::try_current().ok() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = ConstCounter::new(cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9);
        let name = CPU_SECONDS.trim_end_matches("_total");
        cpu.encode(encoder.encode_descriptor(name, "Processor time", None, cpu.metric_type())?)?;

        let mut gauge = |name: &str, help: &str, value: Option<i64>| match value {
            Some(value) => {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
            }
            None => Ok(()),
        };
        gauge(RESIDENT_MEMORY_BYTES, "Memory in RAM", resident_memory_bytes())?;
        gauge(OPEN_FILES, "Open file descriptors", open_files())?;
        gauge(START_TIME_SECONDS, "Start since the Unix epoch", Some(self.started.as_second()))?;
        let tasks = self.runtime.as_ref().map(|runtime| runtime.metrics().num_alive_tasks());
        gauge(RUNTIME_TASKS, "Unfinished tasks", tasks.and_then(|tasks| i64::try_from(tasks).ok()))?;

        let build = Family::<Vec<(&str, &str)>, prometheus_client::metrics::gauge::Gauge>::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION"))]).set(1);
        build.encode(encoder.encode_descriptor(BUILD_INFO, "The version", None, build.metric_type())?)
    }
}

fn resident_memory_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn open_files() -> Option<i64> {
    // One of the entries is the descriptor that reads the directory.
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn every_process_metric_is_exposed_with_a_plausible_value() {
        let metrics = Metrics::new();
        metrics.register_collector(Process::new(Timestamp::from_second(1_622_073_600).unwrap()));
        let text = metrics.encode();
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
            let line = line.unwrap_or_else(|| panic!("{name} in {text}"));
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value(CPU_SECONDS) > 0.0);
        assert!(value(RESIDENT_MEMORY_BYTES) > 1e6);
        assert!(value(OPEN_FILES) >= 3.0);
        assert_eq!(value(START_TIME_SECONDS), 1_622_073_600.0);
        assert!(value(RUNTIME_TASKS) >= 0.0);
        assert!(text.contains(&format!("{BUILD_INFO}{{version=\"")), "{text}");
    }
}
