//! Traces of calls, if a collector is configured: a span for each call that is traced, sent by OTLP.
//!
//! Invariants: a span is that of one call, from when its caller is known to its answer; of a stream, to its first answer.
//! It has the method and the code, as the conventions of OpenTelemetry for gRPC name them, and nothing of what was asked or
//! who asked; of what the caller says, only in which trace it is. Calls of unknown callers, and of health, have none. Calls
//! never wait for the collector, and what waits for it is bounded: what does not fit, or cannot be sent, is dropped, and seen
//! by what is counted.

mod exporter;
mod processor;

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use prometheus_client::metrics::counter::Counter;
use tonic::Code;
use tonic::transport::Channel;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use self::exporter::Exporter;
use self::processor::Processor;
use super::Metrics;
use crate::config::traces::Traces as Config;
use crate::host::code_name;

/// Spans of calls that are traced. Those that were neither sent nor failed wait, or found no room.
pub const ENDED_SPANS_TOTAL: &str = "milepost_traces_ended_spans_total";
/// Spans that the collector took.
pub const SENT_SPANS_TOTAL: &str = "milepost_traces_sent_spans_total";
/// Spans that could not be sent to it.
pub const FAILED_SPANS_TOTAL: &str = "milepost_traces_failed_spans_total";

/// The target of the spans of calls.
const CALL: &str = "milepost::call";
/// The header that says which trace a call is in (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";
/// How long a stop waits for the last spans to be sent.
const LAST: Duration = Duration::from_secs(5);

/// What is counted of spans; clones share it.
#[derive(Debug, Clone, Default)]
struct Counts {
    ended: Counter,
    sent: Counter,
    failed: Counter,
}

/// The traces of a process.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    counts: Counts,
}

impl Traces {
    /// Traces calls of this service, as it is called in traces, and sends the spans over this channel. Must be called
    /// in the runtime that the channel works in.
    pub fn start(config: &Config, service: &str, channel: Channel) -> Self {
        let counts = Counts::default();
        let sampler = Sampler::TraceIdRatioBased(1.0 / f64::from(config.one_in));
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource =
            Resource::builder_empty().with_service_name(service.to_owned()).with_attribute(version);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource.build())
            .with_span_processor(Processor::new(Exporter::new(channel, counts.clone()), counts.ended.clone()))
            .build();
        Self { provider, counts }
    }

    /// Shows what is counted.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(ENDED_SPANS_TOTAL, "Spans of calls that are traced", self.counts.ended.clone());
        metrics.register(SENT_SPANS_TOTAL, "Spans that the collector took", self.counts.sent.clone());
        metrics.register(FAILED_SPANS_TOTAL, "Spans that could not be sent", self.counts.failed.clone());
    }

    /// What makes the spans.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let is_call = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == CALL;
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("milepost"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_call).with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends what waits, as far as that is possible within a few seconds. Blocks.
    pub fn finish(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// The span of a call, in the trace that its caller names.
pub(crate) fn call(method: &str, headers: &HeaderMap) -> Span {
    let span = tracing::debug_span!(
        target: CALL,
        "call",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = tracing::field::Empty,
    );
    if !span.is_disabled() && headers.contains_key(TRACEPARENT) {
        // Fails only where nothing is traced, and the span is there for the log alone.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
    span
}

/// The call was answered with this code.
pub(crate) fn answered(span: &Span, code: Code) {
    if span.is_disabled() {
        return;
    }
    span.record("rpc.response.status_code", code_name(code));
    if is_fault_of_server(code) {
        span.record("otel.status_code", "ERROR");
    }
}

/// What the conventions count as an error of a server.
fn is_fault_of_server(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    /// `tracestate` is text of the caller's own, and is not passed on.
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.0.get(TRACEPARENT)?.to_str().ok()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
