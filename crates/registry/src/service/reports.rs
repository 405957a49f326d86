//! The service of reports: it has methods of its own only, for a report is no resource.
//!
//! Invariant: it has each method that the schema gives it.

use std::sync::Arc;

use http::Request;
use milepost_resource::{Api, Method};
use milepost_service::host::raw::{RawMethods, ResponseFuture};
use tonic::body::Body;

use crate::tables::Registry;

/// The service of reports.
#[derive(Clone)]
pub(crate) struct ReportService {
    api: Arc<Api<Registry>>,
    methods: Arc<[(&'static str, Method<Registry>)]>,
}

impl ReportService {
    /// The service with these methods.
    pub(crate) fn new(api: Arc<Api<Registry>>, methods: Vec<(&'static str, Method<Registry>)>) -> Self {
        Self { api, methods: methods.into() }
    }
}

impl RawMethods for ReportService {
    const NAME: &'static str = "milepost.registry.v1.ReportService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
        let (_, answer) = self.methods.iter().find(|(name, _)| *name == method)?;
        Some(answer(&self.api, request))
    }
}
