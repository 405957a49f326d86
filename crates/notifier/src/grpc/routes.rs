//! Routes paths to calls, instead of the generated server, which would decode and encode every event: here
//! events are sent as the bytes that are stored.
//!
//! Invariant: serves exactly the methods of `milepost.notifier.v1.EventService`; a test compares.

use http::Request;
use milepost_service::host::raw::{Calls, RawMethods, ResponseFuture, server_streaming, unary};
use tonic::body::Body;

use super::EventApi;
use super::get_event::get_event;
use super::get_log_info::get_log_info;
use super::list_events::list_events;
use super::watch_events::watch_events;

/// The event service, for a server's routes.
#[derive(Clone)]
pub(crate) struct EventRoutes {
    api: EventApi,
    calls: Calls,
}

impl EventRoutes {
    /// The routes to the calls.
    pub(crate) fn new(api: EventApi, calls: Calls) -> Self {
        Self { api, calls }
    }
}

impl RawMethods for EventRoutes {
    const NAME: &'static str = "milepost.notifier.v1.EventService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
        let (api, calls) = (&self.api, &self.calls);
        Some(match method {
            "ListEvents" => unary(api, calls, request, list_events),
            "GetEvent" => unary(api, calls, request, get_event),
            "GetLogInfo" => unary(api, calls, request, get_log_info),
            "WatchEvents" => server_streaming(api, calls, request, watch_events),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use milepost_service::host::raw::methods;

    use super::*;
    use crate::tests::Fixture;

    #[tokio::test]
    async fn every_method_of_the_schema_is_served_and_no_other() {
        let fixture = Fixture::new();
        let routes = fixture.notifier.routes(&fixture.context).0;
        let answers = |method: &str| routes.answer(method, Request::new(Body::empty())).is_some();
        let methods = methods(EventRoutes::NAME);
        assert_eq!(methods.len(), 4);
        for method in &methods {
            assert!(answers(method), "{method}");
        }
        assert!(!answers("Unknown"));
    }
}
