//! What every request that changes something has: a request id, and whether to validate only.
//!
//! Invariant: every such request of the schema is listed here; one that is not cannot be submitted.

use milepost_proto::registry::v1 as proto;
use prost::Message;

/// A request that changes something.
pub(crate) trait WriteRequest: Message {
    /// Takes the request id out, so that what is left is the body that the id stands for.
    fn take_request_id(&mut self) -> String;

    /// Whether nothing is to be changed.
    fn validate_only(&self) -> bool;
}

macro_rules! write_requests {
    ($($request:ident),* $(,)?) => {
        /// All of them, for the test that holds them against the schema.
        #[cfg(test)]
        pub(crate) const REQUESTS: &[&str] = &[$(stringify!($request)),*];

        $(
        impl WriteRequest for proto::$request {
            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn validate_only(&self) -> bool {
                self.validate_only
            }
        }
        )*
    };
}

write_requests!(
    CreatePortfolioRequest,
    UpdatePortfolioRequest,
    DeletePortfolioRequest,
    UndeletePortfolioRequest,
    CreateOrganizationRequest,
    UpdateOrganizationRequest,
    DeleteOrganizationRequest,
    UndeleteOrganizationRequest,
    CreateProjectRequest,
    UpdateProjectRequest,
    DeleteProjectRequest,
    UndeleteProjectRequest,
    BatchCreateProjectsRequest,
    PrepareProjectRequest,
    StartProjectRequest,
    CompleteProjectRequest,
    CommissionProjectRequest,
    SuspendProjectRequest,
    ResumeProjectRequest,
    CancelProjectRequest,
    CreatePhaseRequest,
    UpdatePhaseRequest,
    DeletePhaseRequest,
    UndeletePhaseRequest,
    CreateBatchRequest,
    UpdateBatchRequest,
    DeleteBatchRequest,
    UndeleteBatchRequest,
    AddBatchMembersRequest,
    RemoveBatchMembersRequest,
    StartBatchRequest,
    CancelBatchRequest,
);
