//! CreateApiToken: the server makes the token, keeps its hash, and answers with the token once.
//!
//! Invariants: the token is in the answer alone, and there only if this very call created it: not if nothing was
//! changed, and not if an earlier call with the same request id did it. The hash is in no answer.

use std::sync::Arc;

use milepost_proto::access::v1::{ApiToken, CreateApiTokenRequest, CreateApiTokenResponse};
use milepost_proto::event::v1::{Event, event};
use milepost_resource::{Api, Command, Rules, Standard, call, create};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_service::status::internal;
use milepost_types::{ApiToken as Token, Rejection, Violations};
use prost::Message;
use tonic::{Response, Status};

use super::Named;
use crate::tables::Registry;

/// Fills bytes at random.
pub(crate) type Random = fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// The methods of API tokens, whose secrets are made by `random`.
pub(crate) fn of_api_tokens(random: Random) -> Vec<Named> {
    vec![call("CreateApiToken", move |api, request| answer(api, request, random))]
}

async fn answer(
    api: Arc<Api<Registry>>,
    request: Permitted<CreateApiTokenRequest>,
    random: Random,
) -> Result<Response<CreateApiTokenResponse>, Status> {
    let refused = |rejection: Rejection| refusal::status(&rejection);
    let caller = Caller::of_permitted(&request).map_err(refused)?;
    let permit = request.permit().clone();
    let request = request.into_inner();
    let is_kept = !request.validate_only;
    let mut secret = [0; 32];
    random(&mut secret).map_err(|error| internal("the system has no random bytes", &error))?;
    let mut made = None;
    let submission = api.submission(&caller, request, |request, violations| {
        let (token, act) = read(request, secret, violations)?;
        made = Some(token);
        let traceparent = caller.traceparent.clone();
        Some(Arc::new(Command { act: Box::new(act), traceparent, permit }))
    });
    let receipt = api.submit(submission.await?, caller.deadline).await?;
    let mut created = receipt.events.first().and_then(created).unwrap_or_default();
    // Of the same request before, the event has another hash.
    let is_own = |token: &Token| is_kept && token.hash() == created.secret_sha256.as_slice();
    let token = made.filter(is_own).map(|token| token.expose().to_owned()).unwrap_or_default();
    created.secret_sha256.clear();
    let revision = api.revision(receipt.position);
    Ok(Response::new(CreateApiTokenResponse { api_token: Some(created), revision, token }))
}

/// The token that is to be created, and how.
fn read(
    mut request: CreateApiTokenRequest,
    secret: [u8; 32],
    violations: &mut Violations,
) -> Option<(Token, Standard<ApiToken>)> {
    let new =
        create::<Registry, ApiToken>(&mut request, "api_token".to_owned(), Some(Vec::new()), violations)?;
    let mut made = None;
    let new = new.with_id(<ApiToken as Rules<Registry>>::ID_PREFIX, |id, resource| {
        let token = Token::generate(id.clone(), secret);
        resource.secret_sha256 = token.hash().to_vec();
        made = Some(token);
    });
    Some((made?, Standard::Create { new: vec![new], answer: None }))
}

/// The API token that an event carries.
fn created(event: &bytes::Bytes) -> Option<ApiToken> {
    match Event::decode(event.clone()).ok()?.resource? {
        event::Resource::ApiTokenResource(token) => Some(token),
        _ => None,
    }
}
