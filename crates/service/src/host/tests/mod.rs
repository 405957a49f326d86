//! A whole server in the test's process, on port 0, with a service that does as its request says.

mod calls;
mod compression;
mod drain;
mod errors;
mod flush;
mod frames;
mod limits;
mod ports;
mod signals;
mod silent;
mod tls;
mod unread;

use super::*;
use crate::config::server::Server as Config;
use crate::status::Answer;
use milepost_proto::error::v1::Reason;
use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
use milepost_proto::journal::v1::journal_service_server::{JournalService, JournalServiceServer};
use milepost_proto::journal::v1::{
    FollowRequest, FollowResponse, GetLedgerInfoRequest, GetLedgerInfoResponse,
};
use parking_lot::Mutex;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::codegen::BoxStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// Longer than anything here takes, shorter than a person waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen soon.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it should have happened long ago")
}

/// How long the long answer is, three bytes each.
const LONG_CHARACTERS: usize = 100_000;

type Messages = mpsc::UnboundedSender<Result<FollowResponse, Status>>;

/// Does what the `ledger` field of a request says.
#[derive(Clone)]
struct Scripted {
    drain: CancellationToken,
    /// The streams of `follow("scripted")`, in the order they were opened.
    streams: Arc<Mutex<Vec<Messages>>>,
}

#[tonic::async_trait]
impl JournalService for Scripted {
    async fn get_ledger_info(
        &self,
        request: Request<GetLedgerInfoRequest>,
    ) -> Result<Response<GetLedgerInfoResponse>, Status> {
        let deadline = *request.extensions().get::<Deadline>().expect("every call has a deadline");
        let peer =
            request.extensions().get::<Peer>().cloned().expect("every call over a connection has a peer");
        match request.into_inner().ledger.as_str() {
            "peer" => {
                let uris = peer.certificate.map(|certificate| certificate.uris.join(" "));
                let uris = uris.unwrap_or_else(|| "no certificate".to_owned());
                let ledger = format!("{} {uris}", peer.address.ip());
                Ok(Response::new(GetLedgerInfoResponse { ledger, ..Default::default() }))
            }
            "hang" => pending().await,
            "panic" => panic!("on request"),
            "mindful" => {
                tokio::time::sleep_until(deadline.0.into()).await;
                Err(Status::not_found("what was there by the deadline"))
            }
            "long" => {
                let ledger = "长".repeat(LONG_CHARACTERS);
                Ok(Response::new(GetLedgerInfoResponse { ledger, ..Default::default() }))
            }
            "leak" => Err(Status::internal("secret of the house")),
            "remaining" => {
                let remaining = deadline.0.saturating_duration_since(Instant::now());
                let disk_bytes = u64::try_from(remaining.as_millis()).unwrap();
                Ok(Response::new(GetLedgerInfoResponse { disk_bytes, ..Default::default() }))
            }
            ledger => {
                let ledger = ledger.to_owned();
                Ok(Response::new(GetLedgerInfoResponse { ledger, ..Default::default() }))
            }
        }
    }

    type FollowStream = BoxStream<FollowResponse>;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let first = tokio_stream::iter([Ok(FollowResponse::default())]);
        let rest: Self::FollowStream = match request.into_inner().ledger.as_str() {
            "never ends" => Box::pin(tokio_stream::pending()),
            "polite" => {
                let drain = self.drain.clone();
                Box::pin(tokio_stream::once(drain).then(async |drain: CancellationToken| {
                    drain.cancelled().await;
                    Err(Answer::new(Code::Unavailable, Reason::Draining, "go on elsewhere").status())
                }))
            }
            "panic" => Box::pin(tokio_stream::once(()).then(async |()| {
                // The message before leaves with the poll that it was made in.
                tokio::task::yield_now().await;
                panic!("in the stream")
            })),
            _ => {
                let (messages, receiver) = mpsc::unbounded_channel();
                self.streams.lock().push(messages);
                return Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver))));
            }
        };
        Ok(Response::new(Box::pin(first.chain(rest))))
    }
}

/// A server and the handles on it.
struct Running {
    address: SocketAddr,
    admin: SocketAddr,
    context: ServiceContext,
    streams: Arc<Mutex<Vec<Messages>>>,
    shutdown: CancellationToken,
    server: JoinHandle<Result<Ending, Error>>,
}

impl Running {
    async fn start(config: Config) -> Self {
        Self::start_with(config, |component, _| component).await
    }

    /// Starts a server whose one component `adjust` may add to.
    async fn start_with(
        mut config: Config,
        adjust: impl FnOnce(Component, &ServiceContext) -> Component + Send + 'static,
    ) -> Self {
        config.listen.set_port(0);
        config.admin_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let context = ServiceContext::new(&config);
        let streams = Arc::default();
        let service = Scripted { drain: context.drain.clone(), streams: Arc::clone(&streams) };
        let listeners = Listeners::bind(&config).await.unwrap();
        let (address, admin) = listeners.addresses();
        let shutdown = CancellationToken::new();
        let (stopped, server_context) = (shutdown.clone(), context.clone());
        let server = tokio::spawn(async move {
            let open = |context: ServiceContext| async move {
                let limit = context.limits.max_request_bytes.length();
                let service = JournalServiceServer::new(service).max_decoding_message_size(limit);
                let service = service.accept_compressed(CompressionEncoding::Gzip);
                Ok(vec![adjust(Component::new("test").service(service), &context)])
            };
            run(&config, server_context, listeners, open, stopped.cancelled_owned()).await
        });
        let (address, admin) = (address.unwrap(), admin.unwrap());
        Self { address, admin, context, streams, shutdown, server }
    }

    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        soon(endpoint.connect()).await.unwrap()
    }

    async fn client(&self) -> JournalServiceClient<Channel> {
        JournalServiceClient::new(self.channel().await)
    }

    async fn stop(self) -> Result<Ending, Error> {
        self.shutdown.cancel();
        soon(self.server).await.unwrap()
    }

    /// The value of a metric, its labels included in the name; 0 if there is none.
    fn metric(&self, name: &str) -> f64 {
        let text = self.context.metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

fn info(ledger: &str) -> GetLedgerInfoRequest {
    GetLedgerInfoRequest { ledger: ledger.to_owned() }
}

fn follow(ledger: &str) -> FollowRequest {
    FollowRequest { ledger: ledger.to_owned(), after: None }
}

/// The ErrorInfo reason of a status.
fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
