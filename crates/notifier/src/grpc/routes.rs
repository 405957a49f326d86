//! From a path to a call. Takes the place of the generated server, which would decode and encode every
//! event: here events go out as the bytes they are stored as.
//!
//! Invariant: serves exactly the methods of `milepost.notifier.v1.EventService`; a test compares.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use milepost_proto::codec::SmallBuffers;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService};
use tower::service_fn;

use super::EventApi;
use super::get_event::get_event;
use super::get_log_info::get_log_info;
use super::list_events::list_events;
use super::watch_events::watch_events;

/// The full name of the service.
const SERVICE: &str = "milepost.notifier.v1.EventService";

/// The event service, for a server's routes.
#[derive(Clone)]
pub(crate) struct EventRoutes {
    api: EventApi,
    max_request_bytes: usize,
}

impl EventRoutes {
    /// The routes to the calls; longer requests are refused.
    pub(crate) fn new(api: EventApi, max_request_bytes: usize) -> Self {
        Self { api, max_request_bytes }
    }

    fn grpc<T, Q>(&self) -> Grpc<SmallBuffers<T, Q>>
    where
        T: Message + Send + 'static,
        Q: Message + Default + Send + 'static,
    {
        Grpc::new(SmallBuffers::default())
            .apply_max_message_size_config(Some(self.max_request_bytes), Some(usize::MAX))
    }

    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let api = self.api.clone();
        match request.uri().path().rsplit('/').next().unwrap_or_default() {
            "ListEvents" => {
                let call = service_fn(move |request| list_events(api.clone(), request));
                self.grpc().unary(call, request).await
            }
            "GetEvent" => {
                let call = service_fn(move |request| get_event(api.clone(), request));
                self.grpc().unary(call, request).await
            }
            "GetLogInfo" => {
                let call = service_fn(move |request| get_log_info(api.clone(), request));
                self.grpc().unary(call, request).await
            }
            "WatchEvents" => {
                let call = service_fn(move |request| watch_events(api.clone(), request));
                self.grpc().server_streaming(call, request).await
            }
            method => Status::unimplemented(format!("{SERVICE} has no method {method:?}")).into_http(),
        }
    }
}

impl NamedService for EventRoutes {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for EventRoutes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let routes = self.clone();
        Box::pin(async move { Ok(routes.answer(request).await) })
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::tests::Fixture;

    #[tokio::test]
    async fn every_method_of_the_schema_is_served_and_no_other() {
        let fixture = Fixture::new();
        let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let services = set.file.iter().filter(|file| file.package() == "milepost.notifier.v1");
        let service =
            services.flat_map(|file| &file.service).find(|service| service.name() == "EventService");
        let methods: Vec<_> = service.unwrap().method.iter().map(|method| method.name()).collect();
        assert_eq!(methods.len(), 4);
        for (method, known) in methods.into_iter().map(|method| (method, true)).chain([("Unknown", false)]) {
            let routes = EventRoutes::new(fixture.notifier.api().clone(), 1 << 20);
            let request = http::Request::post(format!("/{SERVICE}/{method}")).body(Body::empty()).unwrap();
            let response = routes.answer(request).await;
            let code = response.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned());
            assert_eq!(code.as_deref() != Some("12"), known, "{method}: {code:?}");
        }
    }
}
