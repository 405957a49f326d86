//! The rules for every call of every method: call limit, deadline, panic guard, statuses in our form.
//!
//! Invariants: a unary call, and the opening of a server stream, is answered within its deadline, the
//! caller's or ours if it gave none or a longer one than is allowed; a panic is INTERNAL for that call
//! alone; there are never more calls open than the limit, and one more is refused at once; every error
//! leaves in our form, whatever made it.

use super::body::{CallBody, Ends, OpenCall};
use super::clean::clean;
use super::counted::Counted;
use super::gzip;
use super::methods::{Method, Methods, Shape};
use super::protocol::{Violation, timeout};
use super::routes::Routes;
use super::streams::OpenStream;
use super::tls::Peer;
use crate::access::Identify;
use crate::config::server::Limits;
use crate::status::{Answer, internal_fault};
use crate::telemetry::traces;
use futures_util::FutureExt;
use http::{Request, Response};
use milepost_proto::error::v1::Reason;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Instrument, Span};

/// When a call must be answered; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub std::time::Instant);

/// A handler that watches its deadline answers with details; it gets this long for that.
const GRACE: Duration = Duration::from_millis(100);

/// How many may watch the health of the server's services at once: orchestrators, one or two each.
const HEALTH_WATCHES: usize = 1000;

/// The state that all calls of a server share.
pub(super) struct Calls {
    routes: Routes,
    methods: Methods,
    room: Arc<Semaphore>,
    /// Room of those who watch health: everybody may, without a credential.
    health_room: Arc<Semaphore>,
    limits: Limits,
    drain: CancellationToken,
    /// Finds out who calls; none where everything is allowed.
    identify: Option<Arc<Identify>>,
}

impl Calls {
    pub(super) fn new(
        routes: Routes,
        methods: Methods,
        limits: Limits,
        drain: CancellationToken,
        identify: Option<Arc<Identify>>,
    ) -> Self {
        let room = Arc::new(Semaphore::new(limits.max_calls));
        let health_room = Arc::new(Semaphore::new(HEALTH_WATCHES));
        Self { routes, methods, room, health_room, limits, drain, identify }
    }

    /// Answers a call, whose stream of its connection is open until the answer has left.
    pub(super) async fn answer(
        self: Arc<Self>,
        mut request: Request<Body>,
        stream: OpenStream,
    ) -> Response<Body> {
        let method = self.methods.find(request.uri().path()).clone();
        let (permit, refused) = match self.permit(&method) {
            Ok(permit) => (permit, None),
            Err(status) => (None, Some(status)),
        };
        let mut call = OpenCall::new(method.clone(), permit, stream);
        if let Some(status) = refused {
            return respond(status, call);
        }

        let given = match timeout(&request) {
            Ok(given) => given,
            Err(violation) => return refuse(&violation, call),
        };
        let now = Instant::now();
        let allowed = given.unwrap_or(self.limits.unary_timeout).min(self.limits.unary_timeout_max);
        let deadline = now + allowed;
        request.extensions_mut().insert(Deadline(deadline.into_std()));
        if let Some(identify) = self.identify.as_ref().filter(|_| !is_of_health(&method)) {
            let peer = request.extensions().get::<Peer>();
            match identify.authority(&method.name, request.headers(), peer).await {
                Ok(authority) => {
                    let is_stream = method.shape != Shape::Unary;
                    match identify.count(&authority, is_stream) {
                        Ok(open) => call.holds(open),
                        Err(status) => return respond(status, call),
                    }
                    request.extensions_mut().insert(authority.clone());
                    let identify = Arc::clone(identify);
                    request = request.map(|body| Body::new(Counted { body, identify, authority }));
                }
                Err(status) => return respond(status, call),
            }
        }

        // Anybody may ask for health, and orchestrators do so all the time.
        let span =
            if is_of_health(&method) { Span::none() } else { traces::call(&method.name, request.headers()) };
        // Streams are not compressed: their events are encoded once for all who watch.
        let compress = method.shape == Shape::Unary && gzip::is_accepted(request.headers());
        let handled = async {
            let response = self.routes.call(request).await;
            if compress { gzip::compress(response).await } else { response }
        };
        let handled = AssertUnwindSafe(handled).catch_unwind().instrument(span.clone());
        let handled = match method.shape {
            // The caller may take as long as it likes to send its messages.
            Shape::ClientStream => Ok(handled.await),
            Shape::Unary | Shape::ServerStream => timeout_at(deadline + GRACE, handled).await,
        };
        let response = match handled {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err(panicked(&method.name)),
            Err(_) => Err(deadline_exceeded()),
        };
        let answer = response.and_then(|response| clean_head(response, &method, &mut call));
        let code = answer.as_ref().map_or_else(Status::code, |_| call.code.unwrap_or(Code::Ok));
        traces::answered(&span, code);
        let (head, body) = match answer {
            Ok(response) => response.into_parts(),
            Err(status) => return respond(status, call),
        };
        let mut ends = Ends::default();
        if method.shape != Shape::Unary {
            ends.deadline = given.map(|given| Box::pin(sleep_until(now + given)));
            ends.drain = (!method.ours).then(|| Box::pin(self.drain.clone().cancelled_owned()));
        }
        Response::from_parts(head, Body::new(CallBody::new(body, call, ends)))
    }

    fn permit(&self, method: &Method) -> Result<Option<OwnedSemaphorePermit>, Status> {
        let (room, limit) = match method.shape {
            // A full server is still alive, and must be able to say so.
            Shape::Unary if is_of_health(method) => return Ok(None),
            _ if is_of_health(method) => (&self.health_room, HEALTH_WATCHES),
            _ => (&self.room, self.limits.max_calls),
        };
        Arc::clone(room).try_acquire_owned().map(Some).map_err(|_| {
            Answer::new(
                Code::ResourceExhausted,
                Reason::TooMany,
                format!("{limit} calls are open, which is the limit; close some, or try again later"),
            )
            .with("what", "calls")
            .with("limit", limit)
            .retry_after(Duration::from_secs(1))
            .status()
        })
    }
}

/// The response, whose code is noted if its head has one; or its status in our form.
fn clean_head(
    response: Response<Body>,
    method: &Method,
    call: &mut OpenCall,
) -> Result<Response<Body>, Status> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        if let Some(status) = clean(&status, method) {
            return Err(status);
        }
        call.code = Some(status.code());
    }
    Ok(response)
}

fn is_of_health(method: &Method) -> bool {
    method.name.starts_with("grpc.health.")
}

/// The deadline passed while the server worked on the call.
pub(super) fn deadline_exceeded() -> Status {
    let message = "the deadline passed; ask again with the same request id, and more time";
    Answer::new(Code::DeadlineExceeded, Reason::DeadlineExceeded, message).status()
}

/// A handler panicked. The panic itself was logged where it happened.
pub(super) fn panicked(method: &str) -> Status {
    internal_fault("a call panicked", method)
}

fn respond(status: Status, mut call: OpenCall) -> Response<Body> {
    call.code = Some(status.code());
    status.into_http()
}

fn refuse(violation: &Violation, call: OpenCall) -> Response<Body> {
    let mut response = respond(violation.status(), call);
    *response.status_mut() = violation.http_status();
    response
}
