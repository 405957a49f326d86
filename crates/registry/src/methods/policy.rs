//! The methods of policy programmes and policies besides the standard ones: from their requests to what is to be done, or
//! to be found.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

mod pages;
mod slices;

use std::sync::Arc;

use milepost_ledger::View;
use milepost_proto::event::v1::{Event, event};
use milepost_proto::registry::v1::*;
use milepost_resource::{Api, Command, act, call, optional_date, required_text, write};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_service::status::internal_fault;
use milepost_types::Rejection;
use prost::Message;
use tonic::{Response, Status};

use super::Named;
use crate::policy::expression::Expressions;
use crate::policy::{ask, programme, rules};
use crate::tables::{Registry, Rows};

/// The methods of policy programmes.
pub(crate) fn of_policy_programmes() -> Vec<Named> {
    vec![write("PublishPolicyProgramme", |request: PublishPolicyProgrammeRequest, violations| {
        act(&request, programme::publish, violations, |violations| {
            optional_date("publish_date", request.publish_date, violations)
        })
    })]
}

/// The methods of policies, whose expressions are remembered here.
pub(crate) fn of_policies(known: &Arc<Expressions>) -> Vec<Named> {
    let publishing = Arc::clone(known);
    vec![
        call("PublishPolicy", move |api, request| publish(api, request, Arc::clone(&publishing))),
        write("WithdrawPolicy", |request: WithdrawPolicyRequest, violations| {
            act(&request, rules::withdraw, violations, |violations| {
                let reason = required_text("reason", &request.reason, violations);
                let date = optional_date("withdrawal_date", request.withdrawal_date, violations);
                Some((reason, date?))
            })
        }),
        pages::of_one(known),
        pages::of_many(known),
    ]
}

fn refused(rejection: Rejection) -> Status {
    refusal::status(&rejection)
}

/// Publishes a policy, and says which attributes it asks about that no organization has.
async fn publish(
    api: Arc<Api<Registry>>,
    request: Permitted<PublishPolicyRequest>,
    known: Arc<Expressions>,
) -> Result<Response<PublishPolicyResponse>, Status> {
    let caller = Caller::of_permitted(&request).map_err(refused)?;
    let permit = request.permit().clone();
    let submission = api.submission(&caller, request.into_inner(), |request, violations| {
        let act = act(&request, rules::publish, violations, |violations| {
            optional_date("publish_date", request.publish_date, violations)
        });
        Some(Arc::new(Command { act: act?, traceparent: caller.traceparent.clone(), permit }))
    });
    let receipt = api.submit(submission.await?, caller.deadline).await?;
    // What is refused has no receipt, and what is published has an event.
    let published = receipt.events.first().and_then(published);
    let published = published
        .ok_or_else(|| internal_fault("a publication has no event of the policy", "PublishPolicy"))?;
    let policy = published.clone();
    let read = move |view: &View<'_>| Ok(ask::unknown_attributes(&Rows::new(view), &policy, &known));
    // It is published, whatever can be said besides.
    let unknown_attributes = api.read_settled(caller.deadline, read).await.unwrap_or_default();
    let revision = api.revision(receipt.position);
    Ok(Response::new(PublishPolicyResponse { policy: Some(published), revision, unknown_attributes }))
}

/// The policy that an event carries.
fn published(event: &bytes::Bytes) -> Option<Policy> {
    match Event::decode(event.clone()).ok()?.resource? {
        event::Resource::PolicyResource(policy) => Some(policy),
        _ => None,
    }
}
