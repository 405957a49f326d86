//! Every method of a server: its shape, and the metrics of its calls.
//!
//! Read from the descriptor sets, so that a new method needs no entry anywhere. Paths that no schema
//! has share one entry, so that callers cannot make new metrics. Invariant: a method is among the metrics
//! from its first call on, and what it never did is not: an idle server has no series of calls.

use crate::telemetry::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tonic::Code;

/// Calls that ended, by method and code.
pub const CALLS_TOTAL: &str = "milepost_server_calls_total";
/// How long unary calls took, by method.
pub const CALL_DURATION_SECONDS: &str = "milepost_server_call_duration_seconds";
/// Calls that are open now, streams included, by method.
pub const OPEN_CALLS: &str = "milepost_server_open_calls";

/// Who sends how many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One message each.
    Unary,
    /// One message from the caller, many from the server.
    ServerStream,
    /// Many messages from the caller.
    ClientStream,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabel {
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    method: String,
    code: &'static str,
}

/// One method.
#[derive(Debug)]
pub(super) struct Method {
    /// `package.Service/Method`.
    pub(super) name: String,
    pub(super) shape: Shape,
    /// Whether it is of our own schemas, so that its streams end themselves in a drain.
    pub(super) ours: bool,
    families: Arc<Families>,
    /// Of the families, from the first call on: looked up once.
    open: OnceLock<Gauge>,
    durations: OnceLock<Histogram>,
    ok: OnceLock<Counter>,
}

/// The metrics of all methods.
#[derive(Debug)]
struct Families {
    calls: Family<CodeLabel, Counter>,
    open: Family<MethodLabel, Gauge>,
    durations: Family<MethodLabel, Histogram, fn() -> Histogram>,
}

impl Families {
    fn register(metrics: &Metrics) -> Self {
        // From 100 µs to 26 s, by factors of two.
        let histogram = || Histogram::new(exponential_buckets(1e-4, 2.0, 19));
        let families = Self {
            calls: Family::default(),
            open: Family::default(),
            durations: Family::new_with_constructor(histogram),
        };
        metrics.register(CALLS_TOTAL, "Calls that ended", families.calls.clone());
        metrics.register(OPEN_CALLS, "Calls that are open", families.open.clone());
        metrics.register(CALL_DURATION_SECONDS, "How long unary calls took", families.durations.clone());
        families
    }
}

impl Method {
    fn new(name: String, shape: Shape, ours: bool, families: &Arc<Families>) -> Arc<Self> {
        Arc::new(Self {
            name,
            shape,
            ours,
            families: Arc::clone(families),
            open: OnceLock::new(),
            durations: OnceLock::new(),
            ok: OnceLock::new(),
        })
    }

    pub(super) fn began(&self) {
        self.open().inc();
    }

    pub(super) fn ended(&self, code: Code, took: Duration) {
        self.open().dec();
        if self.shape == Shape::Unary {
            let durations = || self.families.durations.get_or_create_owned(&self.label());
            self.durations.get_or_init(durations).observe(took.as_secs_f64());
        }
        let label = || CodeLabel { method: self.name.clone(), code: code_name(code) };
        if code == Code::Ok {
            self.ok.get_or_init(|| self.families.calls.get_or_create_owned(&label())).inc();
        } else {
            self.families.calls.get_or_create(&label()).inc();
        }
    }

    fn open(&self) -> &Gauge {
        self.open.get_or_init(|| self.families.open.get_or_create_owned(&self.label()))
    }

    fn label(&self) -> MethodLabel {
        MethodLabel { method: self.name.clone() }
    }
}

/// All methods by their path, `/package.Service/Method`.
#[derive(Debug)]
pub(super) struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
}

impl Methods {
    /// The methods of our schemas and of the side services.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let families = Arc::new(Families::register(metrics));
        let mut by_path = HashMap::new();
        let sets = [
            (milepost_proto::FILE_DESCRIPTOR_SET, true),
            (tonic_health::pb::FILE_DESCRIPTOR_SET, false),
            (tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET, false),
            (tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET, false),
        ];
        for (set, ours) in sets {
            // A set that is part of this binary and cannot be decoded would fail every test.
            let set = FileDescriptorSet::decode(set).unwrap_or_default();
            for file in &set.file {
                for service in &file.service {
                    for descriptor in &service.method {
                        let name = format!("{}.{}/{}", file.package(), service.name(), descriptor.name());
                        let shape = match (descriptor.client_streaming(), descriptor.server_streaming()) {
                            (true, _) => Shape::ClientStream,
                            (false, true) => Shape::ServerStream,
                            (false, false) => Shape::Unary,
                        };
                        by_path.insert(format!("/{name}"), Method::new(name, shape, ours, &families));
                    }
                }
            }
        }
        Self { by_path, unknown: Method::new("unknown".to_owned(), Shape::Unary, false, &families) }
    }

    /// The method of a request's path.
    pub(super) fn find(&self, path: &str) -> &Arc<Method> {
        self.by_path.get(path).unwrap_or(&self.unknown)
    }
}

pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_come_from_the_schemas() {
        let methods = Methods::new(&Metrics::new());
        for (path, shape, ours) in [
            ("/milepost.journal.v1.JournalService/GetLedgerInfo", Shape::Unary, true),
            ("/milepost.journal.v1.JournalService/Follow", Shape::ServerStream, true),
            ("/grpc.health.v1.Health/Check", Shape::Unary, false),
            ("/grpc.health.v1.Health/Watch", Shape::ServerStream, false),
            ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Shape::ClientStream, false),
            ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Shape::ClientStream, false),
        ] {
            let method = methods.find(path);
            assert_eq!(
                (method.shape, method.ours, format!("/{}", method.name).as_str()),
                (shape, ours, path)
            );
        }
    }

    #[test]
    fn a_method_that_was_not_called_has_no_metrics_and_one_that_was_keeps_them() {
        let metrics = Metrics::new();
        let methods = Methods::new(&metrics);
        assert_eq!(metrics.encode(), "# EOF\n");
        let unary = methods.find("/milepost.journal.v1.JournalService/GetLedgerInfo");
        unary.began();
        let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(series(&metrics.encode()), 1, "it is open, and no more is known of it");
        unary.ended(Code::NotFound, Duration::from_millis(1));
        let text = metrics.encode();
        assert!(!text.contains("code=\"OK\""), "{text}");
        // Open calls, one code, and the buckets with sum, count and infinity.
        assert_eq!(series(&text), 1 + 1 + 22, "{text}");
        let stream = methods.find("/milepost.journal.v1.JournalService/Follow");
        stream.began();
        stream.ended(Code::Ok, Duration::from_millis(1));
        assert_eq!(series(&metrics.encode()), 24 + 2, "how long a stream was open is no figure");
    }

    #[test]
    fn made_up_paths_share_one_metric() {
        let metrics = Metrics::new();
        let methods = Methods::new(&metrics);
        for i in 0..100 {
            let method = methods.find(&format!("/made.up/{i}"));
            method.began();
            method.ended(Code::Unimplemented, Duration::ZERO);
        }
        let text = metrics.encode();
        let expected = "milepost_server_calls_total{method=\"unknown\",code=\"UNIMPLEMENTED\"} 100";
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("made.up"), "{text}");
    }
}
