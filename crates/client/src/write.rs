//! The requests that may be sent again because they carry a request id.
//!
//! Invariant: a request is here if and only if its message has a `request_id`; a test compares the list
//! with the schemas.

use milepost_proto::{registry::v1 as registry, tracker::v1 as tracker};

/// A request whose effect happens once however often it is sent with the same request id.
pub trait Write: Clone {
    /// The field for the request id; empty if there is none.
    fn request_id_mut(&mut self) -> &mut String;
}

macro_rules! writes {
    ($($package:ident: $($request:ident),+;)+) => {
        $($(
            impl Write for $package::$request {
                fn request_id_mut(&mut self) -> &mut String {
                    &mut self.request_id
                }
            }
        )+)+

        #[cfg(test)]
        const WRITES: &[(&str, &str)] = &[$($((stringify!($package), stringify!($request)),)+)+];
    };
}

writes! {
    registry: CreatePortfolioRequest, UpdatePortfolioRequest, DeletePortfolioRequest, UndeletePortfolioRequest;
    registry: CreateOrganizationRequest, UpdateOrganizationRequest, DeleteOrganizationRequest,
        UndeleteOrganizationRequest;
    registry: CreateProjectRequest, UpdateProjectRequest, DeleteProjectRequest, UndeleteProjectRequest,
        BatchCreateProjectsRequest, PrepareProjectRequest, StartProjectRequest, CompleteProjectRequest,
        CommissionProjectRequest, SuspendProjectRequest, ResumeProjectRequest, CancelProjectRequest;
    registry: CreatePhaseRequest, UpdatePhaseRequest, DeletePhaseRequest, UndeletePhaseRequest;
    registry: CreateBatchRequest, UpdateBatchRequest, DeleteBatchRequest, UndeleteBatchRequest,
        AddBatchMembersRequest, RemoveBatchMembersRequest, StartBatchRequest, CancelBatchRequest;
    tracker: CreateMilestoneRequest, UpdateMilestoneRequest, DeleteMilestoneRequest, UndeleteMilestoneRequest,
        BatchCreateMilestonesRequest, ReforecastMilestoneRequest, RebaselineMilestoneRequest,
        AchieveMilestoneRequest, PartiallyAchieveMilestoneRequest, MissMilestoneRequest, CancelMilestoneRequest,
        ReopenMilestoneRequest, AddMilestoneEvidenceRequest, AdvanceDateRequest;
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use std::collections::BTreeSet;

    #[test]
    fn every_request_with_a_request_id_is_listed() {
        let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut expected = BTreeSet::new();
        for file in &set.file {
            let Some(package) = file.package().strip_prefix("milepost.").and_then(|p| p.strip_suffix(".v1"))
            else {
                continue;
            };
            for message in &file.message_type {
                let has_id = message.field.iter().any(|field| field.name() == "request_id");
                if has_id && message.name().ends_with("Request") {
                    expected.insert((package.to_owned(), message.name().to_owned()));
                }
            }
        }
        let listed =
            WRITES.iter().map(|(package, name)| ((*package).to_owned(), (*name).to_owned())).collect();
        assert_eq!(expected, listed);
    }
}
