//! From a path to a call. Takes the place of the generated server, which would decode and encode anew the
//! milestone that every write answers with.
//!
//! Invariant: serves exactly the methods of `milepost.tracker.v1.MilestoneService`; a test compares.

use std::sync::Arc;

use http::Request;
use milepost_proto::tracker::v1::*;
use milepost_service::host::raw::{RawMethods, ResponseFuture, unary};
use tonic::body::Body;

use super::Api;
use super::date::{advance_date, get_current_date};
use super::milestone::{
    batch_create_milestones, get_milestone, list_milestone_forecasts, list_milestones, write,
};

/// The milestone service, for a server's routes.
#[derive(Clone)]
pub(crate) struct MilestoneRoutes {
    api: Arc<Api>,
    max_request_bytes: usize,
}

impl MilestoneRoutes {
    /// The routes to the calls; longer requests are refused.
    pub(crate) fn new(api: Arc<Api>, max_request_bytes: usize) -> Self {
        Self { api, max_request_bytes }
    }
}

impl RawMethods for MilestoneRoutes {
    const NAME: &'static str = "milepost.tracker.v1.MilestoneService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
        let (api, limit) = (&self.api, self.max_request_bytes);
        Some(match method {
            "GetMilestone" => unary(api, limit, request, get_milestone),
            "ListMilestones" => unary(api, limit, request, list_milestones),
            "ListMilestoneForecasts" => unary(api, limit, request, list_milestone_forecasts),
            "BatchCreateMilestones" => unary(api, limit, request, batch_create_milestones),
            "GetCurrentDate" => unary(api, limit, request, get_current_date),
            "AdvanceDate" => unary(api, limit, request, advance_date),
            "CreateMilestone" => unary(api, limit, request, write::<CreateMilestoneRequest>),
            "UpdateMilestone" => unary(api, limit, request, write::<UpdateMilestoneRequest>),
            "DeleteMilestone" => unary(api, limit, request, write::<DeleteMilestoneRequest>),
            "UndeleteMilestone" => unary(api, limit, request, write::<UndeleteMilestoneRequest>),
            "ReforecastMilestone" => unary(api, limit, request, write::<ReforecastMilestoneRequest>),
            "RebaselineMilestone" => unary(api, limit, request, write::<RebaselineMilestoneRequest>),
            "AchieveMilestone" => unary(api, limit, request, write::<AchieveMilestoneRequest>),
            "PartiallyAchieveMilestone" => {
                unary(api, limit, request, write::<PartiallyAchieveMilestoneRequest>)
            }
            "MissMilestone" => unary(api, limit, request, write::<MissMilestoneRequest>),
            "CancelMilestone" => unary(api, limit, request, write::<CancelMilestoneRequest>),
            "ReopenMilestone" => unary(api, limit, request, write::<ReopenMilestoneRequest>),
            "AddMilestoneEvidence" => unary(api, limit, request, write::<AddMilestoneEvidenceRequest>),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::FILE_DESCRIPTOR_SET;
    use milepost_service::host::raw::{RawService, methods};
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::tests::{Registry, RegistryServer, Running};

    #[tokio::test]
    async fn every_method_of_the_schema_is_served_and_no_other() {
        let registry = RegistryServer::running(Registry::new(3));
        let tracker = Running::idle(&registry);
        let RawService(routes) = tracker.service.routes(1 << 20);
        let answers = |method: &str| routes.answer(method, Request::new(Body::empty())).is_some();
        let methods = methods(MilestoneRoutes::NAME);
        assert_eq!(methods.len(), 18);
        for method in &methods {
            assert!(answers(method), "{method}");
        }
        assert!(!answers("Unknown"));
    }

    /// What `Written` leans on.
    #[test]
    fn every_write_to_one_milestone_answers_with_it_as_field_1_and_the_revision_as_field_2() {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let file = set.file.iter().find(|file| file.package() == "milepost.tracker.v1").unwrap();
        let others = ["Get", "List", "BatchCreate", "AdvanceDate"];
        let writes = methods(MilestoneRoutes::NAME).into_iter();
        let writes: Vec<_> =
            writes.filter(|method| !others.iter().any(|other| method.starts_with(other))).collect();
        assert_eq!(writes.len(), 12);
        for method in writes {
            let name = format!("{method}Response");
            let response = file.message_type.iter().find(|message| message.name() == name).unwrap();
            let fields: Vec<_> = response
                .field
                .iter()
                .map(|field| (field.name(), field.number(), field.type_name()))
                .collect();
            let milestone = ".milepost.tracker.v1.Milestone";
            assert_eq!(fields, [("milestone", 1, milestone), ("revision", 2, "")], "{name}");
        }
    }
}
