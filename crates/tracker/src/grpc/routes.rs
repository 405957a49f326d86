//! From a path to a call. Takes the place of the generated server, which would decode and encode anew the
//! milestone that every write answers with.
//!
//! Invariant: serves exactly the methods of `milepost.tracker.v1.MilestoneService`; a test compares.

use http::Request;
use milepost_proto::tracker::v1::*;
use milepost_service::host::served::{Answering, Serve, unary};
use tonic::body::Body;

use super::{Api, milestone};
use crate::convert::request::ToWish;

/// The milestone service, for a server's routes.
#[derive(Clone)]
pub(crate) struct MilestoneRoutes {
    api: Api,
    max_request_bytes: usize,
}

impl MilestoneRoutes {
    /// The routes to the calls; longer requests are refused.
    pub(crate) fn new(api: Api, max_request_bytes: usize) -> Self {
        Self { api, max_request_bytes }
    }

    fn write<R>(&self, request: Request<Body>) -> Answering
    where
        R: ToWish + prost::Message + Default + Send + 'static,
    {
        let api = self.api.clone();
        unary(self.max_request_bytes, request, move |request| milestone::write::<R>(api.clone(), request))
    }
}

impl Serve for MilestoneRoutes {
    const NAME: &'static str = "milepost.tracker.v1.MilestoneService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<Answering> {
        let (api, limit) = (self.api.clone(), self.max_request_bytes);
        Some(match method {
            "GetMilestone" => {
                unary(limit, request, move |request| milestone::get_milestone(api.clone(), request))
            }
            "ListMilestones" => {
                unary(limit, request, move |request| milestone::list_milestones(api.clone(), request))
            }
            "ListMilestoneForecasts" => unary(limit, request, move |request| {
                milestone::list_milestone_forecasts(api.clone(), request)
            }),
            "BatchCreateMilestones" => {
                unary(limit, request, move |request| milestone::batch_create_milestones(api.clone(), request))
            }
            "AdvanceDate" => {
                unary(limit, request, move |request| milestone::advance_date(api.clone(), request))
            }
            "CreateMilestone" => self.write::<CreateMilestoneRequest>(request),
            "UpdateMilestone" => self.write::<UpdateMilestoneRequest>(request),
            "DeleteMilestone" => self.write::<DeleteMilestoneRequest>(request),
            "UndeleteMilestone" => self.write::<UndeleteMilestoneRequest>(request),
            "ReforecastMilestone" => self.write::<ReforecastMilestoneRequest>(request),
            "RebaselineMilestone" => self.write::<RebaselineMilestoneRequest>(request),
            "AchieveMilestone" => self.write::<AchieveMilestoneRequest>(request),
            "PartiallyAchieveMilestone" => self.write::<PartiallyAchieveMilestoneRequest>(request),
            "MissMilestone" => self.write::<MissMilestoneRequest>(request),
            "CancelMilestone" => self.write::<CancelMilestoneRequest>(request),
            "ReopenMilestone" => self.write::<ReopenMilestoneRequest>(request),
            "AddMilestoneEvidence" => self.write::<AddMilestoneEvidenceRequest>(request),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::FILE_DESCRIPTOR_SET;
    use milepost_service::host::served::{Served, methods};
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::tests::{Registry, RegistryServer, Running};

    #[tokio::test]
    async fn every_method_of_the_schema_is_served_and_no_other() {
        let registry = RegistryServer::running(Registry::new(3));
        let tracker = Running::idle(&registry);
        let Served(routes) = tracker.service.routes(1 << 20);
        let answers = |method: &str| routes.answer(method, Request::new(Body::empty())).is_some();
        let methods = methods(MilestoneRoutes::NAME);
        assert_eq!(methods.len(), 17);
        assert!(methods.iter().all(|method| answers(method)));
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
