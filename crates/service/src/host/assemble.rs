//! The components of a process put together, with the side services that every server has.
//!
//! Health is reported for each service: a service is serving if the checks of its component allow it.

use super::context::{BoxError, Component, Task};
use super::error::Error;
use super::health::NamedHealth;
use super::routes::Routes;
use crate::readiness::Report;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use tonic::codec::CompressionEncoding;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthReporter;

type Close = (&'static str, BoxFuture<'static, Result<(), BoxError>>);

/// What all components come to.
pub(super) struct Assembled {
    pub(super) routes: Routes,
    pub(super) health: Health,
    /// Each with the name of its component.
    pub(super) tasks: Vec<(&'static str, Task)>,
    /// In the order of the components; each with the name of its component.
    pub(super) closes: Vec<Close>,
}

impl Assembled {
    pub(super) fn of(components: Vec<Component>) -> Result<Self, Error> {
        let reporter = HealthReporter::new();
        let mut routes = Routes::default();
        let health = HealthServer::new(NamedHealth::new(reporter.clone()));
        routes.add(health.accept_compressed(CompressionEncoding::Gzip));
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(milepost_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let v1 = reflection().build_v1().map_err(|error| Error::Reflection(error.into()))?;
        routes.add(v1.accept_compressed(CompressionEncoding::Gzip));
        let v1alpha = reflection().build_v1alpha().map_err(|error| Error::Reflection(error.into()))?;
        routes.add(v1alpha.accept_compressed(CompressionEncoding::Gzip));
        let (mut services, mut tasks, mut closes) = (Vec::new(), Vec::new(), Vec::new());
        for component in components {
            services.extend(component.routes.names().map(|service| (service, component.name)));
            routes.merge(component.routes);
            tasks.extend(component.tasks.into_iter().map(|task| (component.name, task)));
            closes.extend(component.close.map(|close| (component.name, close)));
        }
        let health = Health { reporter, services, reported: HashMap::new() };
        Ok(Self { routes, health, tasks, closes })
    }
}

/// The health service's side of the readiness checks.
pub(super) struct Health {
    reporter: HealthReporter,
    /// Every service and the component that it is of.
    services: Vec<(&'static str, &'static str)>,
    /// What was reported last: watchers of health get changes only.
    reported: HashMap<&'static str, bool>,
}

impl Health {
    /// Tells health as the checks have it: of each service, and of the server as a whole (the empty name).
    pub(super) async fn tell(&mut self, report: &Report) {
        let whole = ("", report.ready());
        let services =
            self.services.iter().map(|(service, component)| (*service, report.component_ready(component)));
        for (service, ready) in services.chain([whole]).collect::<Vec<_>>() {
            if self.reported.insert(service, ready) != Some(ready) {
                let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
                self.reporter.set_service_status(service, status).await;
            }
        }
    }
}
