//! From a path to the service that it names.
//!
//! Takes the place of tonic's routes, which are a web framework's: those put every body into another box on
//! its way in and on its way out. Invariant: a path of no service is answered as gRPC wants it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use std::collections::HashMap;
use std::convert::Infallible;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::{Service, ServiceExt};

type Handler = Box<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Services by their names, `package.Service`.
#[derive(Default)]
pub(super) struct Routes(HashMap<&'static str, Handler>);

impl Routes {
    /// Adds a service; the last one of a name serves it.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let answered = |answer| match answer {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let handler: Handler =
            Box::new(move |request| service.clone().oneshot(request).map(answered).boxed());
        self.0.insert(S::NAME, handler);
    }

    /// Adds all services of others.
    pub(super) fn merge(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Calls the service that the path names.
    pub(super) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let name = request.uri().path().split('/').nth(1).unwrap_or_default();
        match self.0.get(name) {
            Some(handler) => handler(request).await,
            None => Status::unimplemented("").into_http(),
        }
    }
}
