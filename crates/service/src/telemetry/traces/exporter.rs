//! Sends spans to the collector.
//!
//! Invariant: a failure is logged once until a batch was taken again, and spans are not tried twice: the collector may have
//! taken them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use tonic::Status;
use tonic::transport::Channel;

use super::Counts;

/// How long a batch may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends spans over a channel.
#[derive(Debug)]
pub(super) struct Exporter {
    client: TraceServiceClient<Channel>,
    resource: ResourceAttributesWithSchema,
    /// Whoever calls the exporter has no runtime.
    runtime: Handle,
    counts: Counts,
    is_failing: AtomicBool,
}

impl Exporter {
    pub(super) fn new(channel: Channel, counts: Counts) -> Self {
        Self {
            client: TraceServiceClient::new(channel),
            resource: ResourceAttributesWithSchema::default(),
            runtime: Handle::current(),
            counts,
            is_failing: AtomicBool::new(false),
        }
    }

    fn count(&self, spans: u64, rejected: u64) {
        self.counts.sent.inc_by(spans.saturating_sub(rejected));
        self.counts.failed.inc_by(rejected.min(spans));
    }

    fn failed(&self, spans: u64, status: &Status) -> OTelSdkResult {
        self.counts.failed.inc_by(spans);
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            let (code, cause) = (status.code(), status.message());
            tracing::warn!(
                ?code,
                cause,
                "spans cannot be sent to the collector; they are dropped until they can"
            );
        }
        Err(OTelSdkError::InternalFailure(status.message().to_owned()))
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let mut client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let request = ExportTraceServiceRequest { resource_spans };
            tokio::time::timeout(TIMEOUT, client.export(request)).await
        });
        let late = |_| Status::deadline_exceeded("the collector did not answer in time");
        let ended = |_| Status::cancelled("the process ends");
        let sent = sending.await.map_err(ended).and_then(|sent| sent.map_err(late)).flatten();
        match sent {
            Ok(answer) => {
                let rejected =
                    answer.into_inner().partial_success.map_or(0, |partial| partial.rejected_spans);
                self.count(spans, u64::try_from(rejected).unwrap_or(0));
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("spans are sent to the collector again");
                }
                Ok(())
            }
            Err(status) => self.failed(spans, &status),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
