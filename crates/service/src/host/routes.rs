//! Routes a path to the service that it names.
//!
//! Replaces tonic's routes, which come from a web framework and box every body twice. Invariant: a path of no service is answered UNIMPLEMENTED.

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
    /// Adds a service.
    ///
    /// # Panics
    /// If there is one of that name.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let handler: Handler =
            Box::new(move |request| service.clone().oneshot(request).map(|Ok(response)| response).boxed());
        let before = self.0.insert(S::NAME, handler);
        assert!(before.is_none(), "{} is served twice", S::NAME);
    }

    /// Adds all services of others; panics as `add`.
    pub(super) fn merge(&mut self, others: Self) {
        for (name, handler) in others.0 {
            assert!(self.0.insert(name, handler).is_none(), "{name} is served twice");
        }
    }

    /// The names of the services.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Calls the service that the path names.
    pub(super) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let name = request.uri().path().split('/').nth(1).unwrap_or_default();
        match self.0.get(name) {
            Some(handler) => handler(request).await,
            // `clean` says it in our words, as it does for a method that a service lacks.
            None => Status::unimplemented("").into_http(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};
    use tonic::Code;

    #[derive(Clone)]
    struct Hello;

    impl NamedService for Hello {
        const NAME: &'static str = "test.Hello";
    }

    impl Service<Request<Body>> for Hello {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            ready(Ok(Status::ok("").into_http()))
        }
    }

    #[tokio::test]
    async fn a_call_goes_to_the_service_of_its_path_and_one_of_none_is_unimplemented() {
        let mut routes = Routes::default();
        routes.add(Hello);
        assert_eq!(routes.names().collect::<Vec<_>>(), ["test.Hello"]);
        for (path, code) in [
            ("/test.Hello/Any", Code::Ok),
            ("/test.Hello", Code::Ok),
            ("/test.Hell/Any", Code::Unimplemented),
            ("/Any/test.Hello", Code::Unimplemented),
            ("/", Code::Unimplemented),
            ("//", Code::Unimplemented),
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = routes.call(request).await;
            assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), code, "{path}");
        }
    }

    #[test]
    #[should_panic(expected = "test.Hello is served twice")]
    fn two_services_of_one_name_are_a_fault_of_the_program() {
        let (mut one, mut other) = (Routes::default(), Routes::default());
        one.add(Hello);
        other.add(Hello);
        one.merge(other);
    }
}
