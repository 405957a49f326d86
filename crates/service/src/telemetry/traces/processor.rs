//! Counts the spans that end, before they are queued: the queue does not say what it has no room for.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};
use prometheus_client::metrics::counter::Counter;

use super::exporter::Exporter;

/// A queue of spans that counts them.
#[derive(Debug)]
pub(super) struct Processor {
    queue: BatchSpanProcessor,
    ended: Counter,
}

impl Processor {
    pub(super) fn new(exporter: Exporter, ended: Counter) -> Self {
        Self { queue: BatchSpanProcessor::builder(exporter).build(), ended }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.ended.inc();
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}
