//! A bare tonic server in a process of its own: the limit of the transport alone. It stores nothing.
//!
//! A write is answered with its payload. A reader gets responses of the shape and size that Milepost's
//! have. It has no live watchers, because it has no events.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, stream};
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client::Grpc as Caller;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::transport::{Channel, Server};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::Service;

use super::milepost::Response;
use super::process::{self, Process};
use super::{Error, From, Setting, System, Watcher, Writer, channels, payload};

const ECHO: &str = "/bench.Echo/Echo";
const HISTORY: &str = "/bench.Echo/History";
/// What Milepost puts into one response.
const RESPONSE_EVENTS: usize = 256;
const RESPONSE_BYTES: usize = 64 * 1024;

/// One write, or how much history to send.
#[derive(Clone, PartialEq, prost::Message)]
struct Call {
    #[prost(bytes = "bytes", tag = "1")]
    payload: Bytes,
    #[prost(uint64, tag = "2")]
    count: u64,
}

/// Serves echoes until the process ends; tells that it does on standard output.
pub async fn serve(listen: SocketAddr) -> Result<(), Error> {
    println!("listening on {listen}");
    Ok(Server::builder().tcp_nodelay(true).add_service(EchoService).serve(listen).await?)
}

#[derive(Clone)]
struct EchoService;

impl NamedService for EchoService {
    const NAME: &'static str = "bench.Echo";
}

impl Service<http::Request<Body>> for EchoService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        async move {
            Ok(match request.uri().path() {
                ECHO => Grpc::new(ProstCodec::default()).unary(Echoes, request).await,
                HISTORY => Grpc::new(ProstCodec::default()).server_streaming(Histories, request).await,
                _ => Status::unimplemented("echo or history").into_http(),
            })
        }
        .boxed()
    }
}

struct Echoes;

impl UnaryService<Call> for Echoes {
    type Response = Call;
    type Future = BoxFuture<'static, Result<tonic::Response<Call>, Status>>;

    fn call(&mut self, request: Request<Call>) -> Self::Future {
        async move { Ok(tonic::Response::new(request.into_inner())) }.boxed()
    }
}

struct Histories;

impl ServerStreamingService<Call> for Histories {
    type Response = Response;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Response, Status>> + Send>>;
    type Future = BoxFuture<'static, Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Call>) -> Self::Future {
        let Call { payload, count } = request.into_inner();
        let each = (RESPONSE_BYTES / payload.len().max(1)).clamp(1, RESPONSE_EVENTS);
        let responses = (0..count.div_ceil(each as u64)).map(move |_| {
            // As long as a cursor is.
            Ok(Response { events: vec![payload.clone(); each], cursor: "c".repeat(64) })
        });
        async move { Ok(tonic::Response::new(Box::pin(stream::iter(responses)) as Self::ResponseStream)) }
            .boxed()
    }
}

/// The server, from the outside.
pub struct Echo {
    setting: Setting,
    process: Process,
    url: String,
}

impl Echo {
    pub async fn start(setting: &Setting) -> Result<Self, Error> {
        let port = process::free_port()?;
        let program = std::env::current_exe()?;
        let words = ["serve-echo".to_owned(), format!("127.0.0.1:{port}")];
        let mut process = Process::start(&program, words, None, "KILL", &setting.dir.join("echo.log"))?;
        let url = format!("http://127.0.0.1:{port}");
        process.ready(async || channels(&url, 1).await.is_ok()).await?;
        Ok(Self { setting: setting.clone(), process, url })
    }
}

impl System for Echo {
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>> {
        async move {
            let channels = channels(&self.url, self.setting.connections.min(count)).await?;
            let bytes = self.setting.payload_bytes;
            let writer = |number: usize| {
                let caller = Caller::new(channels[number % channels.len()].clone());
                Box::new(EchoWriter { caller, bytes }) as Box<dyn Writer>
            };
            Ok((0..count).map(writer).collect())
        }
        .boxed()
    }

    fn watchers(
        &self,
        count: usize,
        connections: usize,
        from: From,
    ) -> BoxFuture<'_, Result<Vec<Box<dyn Watcher>>, Error>> {
        async move {
            if from == From::Now {
                return Err("a bare echo has nothing to watch".into());
            }
            let channels = channels(&self.url, connections.min(count)).await?;
            let mut watchers: Vec<Box<dyn Watcher>> = Vec::with_capacity(count);
            for number in 0..count {
                let mut caller = Caller::new(channels[number % channels.len()].clone());
                caller.ready().await?;
                let payload = payload(0, self.setting.payload_bytes).into();
                // More than anybody reads.
                let call = Request::new(Call { payload, count: u64::from(u32::MAX) });
                let path = PathAndQuery::from_static(HISTORY);
                let codec = ProstCodec::<Call, Response>::default();
                watchers
                    .push(Box::new(History(caller.server_streaming(call, path, codec).await?.into_inner())));
            }
            Ok(watchers)
        }
        .boxed()
    }

    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>> {
        async move { Ok(count) }.boxed()
    }

    fn memory_bytes(&self) -> u64 {
        self.process.memory_bytes()
    }
}

struct EchoWriter {
    caller: Caller<Channel>,
    bytes: usize,
}

impl Writer for EchoWriter {
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            self.caller.ready().await?;
            let call = Call { payload: payload(number, self.bytes).into(), count: 0 };
            let path = PathAndQuery::from_static(ECHO);
            let codec = ProstCodec::<Call, Call>::default();
            self.caller.unary(Request::new(call), path, codec).await?;
            Ok(())
        }
        .boxed()
    }
}

struct History(Streaming<Response>);

impl Watcher for History {
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            into.extend(self.0.message().await?.ok_or("the stream of the echo ended")?.events);
            Ok(())
        }
        .boxed()
    }
}
