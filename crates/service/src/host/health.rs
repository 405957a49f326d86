//! The health of services, with errors in our form.
//!
//! The standard service keeps the statuses and their watchers; this wrapper names the unknown service in the
//! error.

use crate::status::Answer;
use milepost_proto::error::v1::Reason;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};

/// The health service.
#[derive(Debug)]
pub(super) struct NamedHealth(HealthService);

impl NamedHealth {
    /// The service that serves what the reporter is given.
    pub(super) fn new(reporter: HealthReporter) -> Self {
        Self(HealthService::from_health_reporter(reporter))
    }
}

#[tonic::async_trait]
impl Health for NamedHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.get_ref().service.clone();
        self.0.check(request).await.map_err(|_| unknown(&name))
    }

    type WatchStream = <HealthService as Health>::WatchStream;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.get_ref().service.clone();
        self.0.watch(request).await.map_err(|_| unknown(&name))
    }
}

fn unknown(name: &str) -> Status {
    let message = format!("there is no service {name:?} on this server");
    Answer::new(Code::NotFound, Reason::ResourceNotFound, message)
        .with("kind", "service")
        .with("name", name)
        .status()
}
