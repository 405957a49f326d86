//! Traces of calls, as a collector of OpenTelemetry gets them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use milepost_client::Endpoint;
use milepost_proto::registry::v1::GetProjectRequest;
use milepost_proto::registry::v1::project_service_client::ProjectServiceClient;
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, http, ports};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

const PATIENCE: Duration = Duration::from_secs(30);
/// The trace and the span of a caller.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// What a collector was sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ResourceSpans>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("no test panics with it").extend(request.into_inner().resource_spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn serve(&self, address: std::net::SocketAddr) {
        let service = TraceServiceServer::new(self.clone());
        let served = Server::builder().add_service(service).serve(address);
        tokio::spawn(async move { served.await.expect("it can listen") });
    }

    fn spans(&self) -> Vec<Span> {
        let sent = self.0.lock().expect("no test panics with it");
        sent.iter().flat_map(|of| &of.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?} in {attributes:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for a project that is not there, in a trace if one is given.
async fn ask(url: &str, traceparent: Option<&str>) {
    let channel = Endpoint::parse(url).expect("a URL").channel();
    let name = "portfolios/none/projects/none".to_owned();
    let mut request = Request::new(GetProjectRequest { name, ..Default::default() });
    if let Some(traceparent) = traceparent {
        request.metadata_mut().insert("traceparent", traceparent.parse().expect("ASCII"));
    }
    let answer = ProjectServiceClient::new(channel).get_project(request).await;
    assert_eq!(answer.expect_err("it is not there").code(), tonic::Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_of_each_call_that_is_traced_in_the_trace_of_its_caller() {
    let (collector, address) = (Collector::default(), ports::free());
    collector.serve(address).await;
    let endpoint = format!("http://{address}");
    let set = [("traces.endpoint", endpoint.as_str()), ("traces.one_in", "1000000000")];
    let mut cluster = Cluster::all(&set);
    cluster.start().await;
    let server = cluster.server(Role::All);
    let url = server.url();
    ask(&url, Some(&format!("00-{TRACE}-{SPAN}-01"))).await;
    ask(&url, Some("00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")).await;
    ask(&url, Some("nonsense")).await;
    ask(&url, None).await;
    let spans = until(PATIENCE, "a span", async || {
        let spans = collector.spans();
        if spans.is_empty() { Err("none".to_owned()) } else { Ok(spans) }
    });
    let spans = spans.await;
    let [span] = &spans[..] else { panic!("one call is to be traced: {spans:?}") };
    let method = "milepost.registry.v1.ProjectService/GetProject";
    assert_eq!((span.name.as_str(), span.kind), (method, 2), "{span:?}");
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.to_owned(), SPAN.to_owned()));
    assert_eq!(text(&span.attributes, "rpc.system.name"), "grpc");
    assert_eq!(text(&span.attributes, "rpc.method"), method);
    assert_eq!(text(&span.attributes, "rpc.response.status_code"), "NOT_FOUND");
    assert_eq!(
        span.status.as_ref().map_or(0, |status| status.code),
        0,
        "a caller's fault is none of the server"
    );
    assert!(span.end_time_unix_nano > span.start_time_unix_nano);
    let resource = collector.0.lock().expect("it is there")[0].resource.clone().expect("a resource");
    assert_eq!(text(&resource.attributes, "service.name"), "milepost");
    assert!(!text(&resource.attributes, "service.version").is_empty());
    let admin = cluster.server(Role::All).admin();
    until(PATIENCE, "the count of spans", async || {
        let (_, metrics) = http::get(admin, "/metrics").await.expect("metrics");
        if metrics.contains("\nmilepost_traces_sent_spans_total 1\n") { Ok(()) } else { Err(metrics) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_sends_what_waits_and_a_collector_that_is_away_holds_up_nothing() {
    let (collector, address) = (Collector::default(), ports::free());
    let endpoint = format!("http://{address}");
    let set = [("traces.endpoint", endpoint.as_str()), ("traces.one_in", "1")];
    let mut cluster = Cluster::all(&set);
    cluster.start().await;
    let url = cluster.server(Role::All).url();
    ask(&url, None).await;
    let refused = until(PATIENCE, "a failure", async || {
        let log = cluster.server(Role::All).log();
        if log.contains("spans cannot be sent to the collector") { Ok(log) } else { Err(log) }
    });
    assert_eq!(refused.await.matches("cannot be sent").count(), 1);
    collector.serve(address).await;
    for _ in 0..10 {
        ask(&url, None).await;
    }
    assert!(cluster.stop(Role::All).await.success());
    assert_eq!(collector.spans().len(), 10, "what could not be sent is not tried again");
}
