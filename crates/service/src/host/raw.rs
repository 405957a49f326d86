//! A gRPC service that dispatches its methods itself, instead of a generated server: for services that send
//! messages as the bytes that are stored.
//!
//! Invariant: a method that the service does not have is answered UNIMPLEMENTED.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, NeverError};
use http::{Request, Response};
use milepost_proto::codec::SmallBuffers;
use milepost_proto::rule::AccessRequest;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, NamedService};
use tower::{Service, service_fn};

use super::context::ServiceContext;
use crate::access::{AccessRows, Guard, NoRows, PendingRecord, Permitted};

/// The future of a response.
pub type ResponseFuture = BoxFuture<'static, Response<Body>>;

/// The methods of a raw service.
pub trait RawMethods: Clone + Send + Sync + 'static {
    /// Its full name, `package.Service`.
    const NAME: &'static str;

    /// Answers a call; `None` if there is no method of this name.
    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture>;
}

/// A service that answers its methods by [`RawMethods`], as a host can serve it.
#[derive(Debug, Clone)]
pub struct RawService<S>(pub S);

impl<S: RawMethods> NamedService for RawService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: RawMethods> Service<Request<Body>> for RawService<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = NeverError<ResponseFuture>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let uri = request.uri().clone();
        let method = uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(S::NAME));
        let method = method.and_then(|method| method.strip_prefix('/')).unwrap_or_default();
        // `clean` gives it our form.
        let unknown = || ready(Status::unimplemented("").into_http()).boxed();
        self.0.answer(method, request).unwrap_or_else(unknown).never_error()
    }
}

fn grpc<T, Q>(max_request_bytes: usize) -> Grpc<SmallBuffers<T, Q>>
where
    T: Message + Send + 'static,
    Q: Message + Default + Send + 'static,
{
    Grpc::new(SmallBuffers::default())
        .apply_max_message_size_config(Some(max_request_bytes), Some(usize::MAX))
        .accept_compressed(CompressionEncoding::Gzip)
}

/// What calls of a service have in common.
#[derive(Clone)]
pub struct Calls {
    /// Decides whether a call is allowed.
    pub guard: Guard,
    /// Longer requests are refused.
    pub max_request_bytes: usize,
}

impl Calls {
    /// As the process has it; what is allowed is decided on these rows.
    pub fn new(context: &ServiceContext, rows: Arc<dyn AccessRows>) -> Self {
        let max_request_bytes = context.limits.max_request_bytes.length();
        Self { guard: Guard::new(context, rows), max_request_bytes }
    }
}

impl Calls {
    /// Of what belongs to no one service: what is allowed is decided on the rows of the first that was opened.
    pub fn of_process(context: &ServiceContext) -> Self {
        let rows = context.access.rows().cloned();
        Self::new(context, rows.unwrap_or_else(|| Arc::new(NoRows)))
    }
}

/// Answers a unary call, if it is allowed, by a function of the service's own.
pub fn unary<S, Q, T, F, Fut>(service: &S, calls: &Calls, request: Request<Body>, call: F) -> ResponseFuture
where
    S: Clone + Send + 'static,
    Q: AccessRequest + Default + 'static,
    T: Message + Send + 'static,
    F: Fn(S, Permitted<Q>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<tonic::Response<T>, Status>> + Send + 'static,
{
    let (service, guard) = (service.clone(), calls.guard.clone());
    let call = service_fn(move |request| {
        let begun = |mut permitted: Permitted<Q>| (permitted.take_note(), call(service.clone(), permitted));
        answered(guard.permit(request).map(begun))
    });
    let limit = calls.max_request_bytes;
    async move { grpc(limit).unary(call, request).await }.boxed()
}

/// Answers a call with a stream, as [`unary`].
pub fn server_streaming<S, Q, T, R, F, Fut>(
    service: &S,
    calls: &Calls,
    request: Request<Body>,
    call: F,
) -> ResponseFuture
where
    S: Clone + Send + 'static,
    Q: AccessRequest + Default + 'static,
    T: Message + Send + 'static,
    R: Stream<Item = Result<T, Status>> + Send + 'static,
    F: Fn(S, Permitted<Q>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<tonic::Response<R>, Status>> + Send + 'static,
{
    let (service, guard) = (service.clone(), calls.guard.clone());
    let call = service_fn(move |request| {
        let begun = |mut permitted: Permitted<Q>| (permitted.take_note(), call(service.clone(), permitted));
        answered(guard.permit(request).map(begun))
    });
    let limit = calls.max_request_bytes;
    async move { grpc(limit).server_streaming(call, request).await }.boxed()
}

/// The answer to a call, once it is allowed; recorded if that is to be.
async fn answered<T, Fut>(permitted: Result<(Option<PendingRecord>, Fut), Status>) -> Result<T, Status>
where
    Fut: Future<Output = Result<T, Status>>,
{
    let (note, answer) = permitted?;
    let answer = answer.await;
    if let Some(note) = note {
        note.answered(answer.as_ref().err());
    }
    answer
}

/// The methods that the schemas give a service, for tests that compare them with its `answer`.
pub fn methods(service: &str) -> Vec<String> {
    let set = FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let named = |package: &str, name: &str| format!("{package}.{name}") == service;
    let services = set.file.iter().flat_map(|file| file.service.iter().map(|found| (file.package(), found)));
    let found = services.filter(|(package, found)| named(package, found.name()));
    found.flat_map(|(_, found)| &found.method).map(|method| method.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use milepost_proto::journal::v1::GetLedgerInfoRequest;
    use tonic::Code;

    use super::*;
    use crate::config::server::Server;

    #[derive(Clone)]
    struct Echo;

    impl RawMethods for Echo {
        const NAME: &'static str = "test.Echo";

        fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
            let echo = |_: Self, request: Permitted<GetLedgerInfoRequest>| async {
                Ok(tonic::Response::new(request.into_inner()))
            };
            let calls = Calls::of_process(&ServiceContext::new(&Server::default()));
            (method == "Say").then(|| unary(self, &calls, request, echo))
        }
    }

    #[tokio::test]
    async fn a_method_is_found_by_its_name_and_one_that_is_not_there_is_unimplemented() {
        for (path, code) in [
            ("/test.Echo/Say", Code::Internal),
            ("/test.Echo/Says", Code::Unimplemented),
            ("/test.Echo/x/Say", Code::Unimplemented),
            ("/Say", Code::Unimplemented),
            ("/", Code::Unimplemented),
        ] {
            // No body: a method that is there misses its message.
            let request = Request::post(path).body(Body::empty()).unwrap();
            let Ok(response) = RawService(Echo).call(request).await;
            let said = Status::from_header_map(response.headers()).unwrap().code();
            assert_eq!(said, code, "{path}");
        }
    }

    #[test]
    fn the_schemas_tell_the_methods_of_a_service() {
        assert_eq!(methods("milepost.journal.v1.JournalService"), ["GetLedgerInfo", "Follow"]);
        assert_eq!(methods("milepost.journal.v1.Journal"), [""; 0]);
    }
}
