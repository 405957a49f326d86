//! Grants, service accounts and API tokens: who may grant what to whom, what never changes, and what is never shown.

use milepost_ledger::{Actor, CommandId, Context};
use milepost_proto::access::v1::*;
use milepost_proto::event::v1::{Event, event};
use milepost_proto::registry::v1::{DeleteProjectRequest, UndeleteProjectRequest};
use milepost_resource::{Act, Standard, create};
use milepost_service::access::Permit;
use milepost_types::{LogId, Rejection, Violations};
use prost::Message;
use prost_types::Timestamp;
use tonic::{Code, Request, Status};

use super::office::{Office, conditions, faults, named, project_name, refusal};
use super::rows::Rows;
use super::transcript::raw;
use crate::tables::{Registry, Scope};

/// An hour after the office opens.
const LATER: Timestamp = Timestamp { seconds: 1_622_091_600, nanos: 0 };

fn to(principal: &str) -> Grant {
    let (principal, reason) = (principal.to_owned(), "因为".to_owned());
    Grant { principal, role: Role::Viewer.into(), reason, ..Grant::default() }
}

fn create_grant(parent: &str, id: &str, grant: Grant) -> CreateGrantRequest {
    let (parent, grant_id, grant) = (parent.to_owned(), id.to_owned(), Some(grant));
    CreateGrantRequest { parent, grant_id, grant, ..CreateGrantRequest::default() }
}

async fn granted(office: &Office, parent: &str, id: &str, grant: Grant) -> Result<Grant, Status> {
    let response = office.grants().create_grant(create_grant(parent, id, grant)).await?;
    Ok(response.into_inner().grant.unwrap())
}

async fn account(office: &Office, id: &str) {
    let service_account =
        Some(ServiceAccount { display_name: "程序".to_owned(), ..ServiceAccount::default() });
    let service_account_id = id.to_owned();
    let request = CreateServiceAccountRequest { service_account_id, service_account, ..Default::default() };
    office.service_accounts().create_service_account(request).await.unwrap();
}

fn create_token(id: &str, account: &str) -> CreateApiTokenRequest {
    let service_account = format!("serviceAccounts/{account}");
    let api_token = Some(ApiToken { service_account, expire_time: Some(LATER), ..ApiToken::default() });
    CreateApiTokenRequest { api_token_id: id.to_owned(), api_token, ..CreateApiTokenRequest::default() }
}

/// What a creation is refused for that this actor asks for.
fn refused(actor: Actor, grant: Grant) -> Result<(), Rejection> {
    let mut request = create_grant("", "g", grant);
    let mut violations = Violations::new();
    let new = create::<Registry, Grant>(&mut request, "grant".to_owned(), Some(Vec::new()), &mut violations);
    let now = "2021-05-27T04:00:00Z".parse().unwrap();
    let (log, command_id) = (LogId::from_bytes([7; 16]), CommandId::Server("s".to_owned()));
    let context = Context { log, sequence: 1, commit_time: now, now, actor, command_id, seed: 1 };
    let rows = Rows::default();
    let (rows, permit) = (milepost_resource::Rows::new(&rows), &Permit::of_system());
    let service = Registry::default();
    let scope = Scope { service: &service, rows, context: &context, permit };
    Standard::Create { new: vec![new.unwrap()], answer: None }.decide(&scope).map(|_| ())
}

#[test]
fn a_role_is_granted_by_another_also_on_behalf() {
    let actor = |principal: &str, on_behalf_of: &str| Actor {
        principal: principal.to_owned(),
        on_behalf_of: on_behalf_of.to_owned(),
        ..Actor::default()
    };
    let (own, other) = ("user:corp/a", "user:corp/b");
    for own in [actor(own, ""), actor(own, other), actor(other, own)] {
        let Err(Rejection::Preconditions(found)) = refused(own, to("user:corp/a")) else { panic!("granted") };
        assert_eq!((found[0].kind, found[0].subject.as_str()), ("SELF_GRANT", "user:corp/a"));
    }
    for other in [actor(other, ""), actor("", ""), actor("user:corp/aa", "user:corp")] {
        assert_eq!(refused(other, to("user:corp/a")), Ok(()));
    }
}

#[tokio::test]
async fn who_asks_is_refused_a_grant_to_itself() {
    let office = Office::open().await;
    let mut request = Request::new(create_grant("", "g", to("user:corp/a")));
    request.metadata_mut().insert("x-milepost-principal", "user:corp/a".parse().unwrap());
    let status = office.grants().create_grant(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "PRECONDITION_FAILED".into()));
    assert_eq!(conditions(&status), [("SELF_GRANT".into(), "user:corp/a".into())]);
    assert_eq!(office.sequence(), 0);
}

#[tokio::test]
async fn a_grant_outlives_the_deletion_of_its_project_and_can_be_revoked_in_it() {
    let office = Office::with_portfolio().await;
    office.project("x", named("x")).await;
    let parent = project_name("x");
    for id in ["a", "b"] {
        granted(&office, &parent, id, to("user:corp/a")).await.unwrap();
    }
    let name = parent.clone();
    office.projects().delete_project(DeleteProjectRequest { name, ..Default::default() }).await.unwrap();
    let status = granted(&office, &parent, "c", to("user:corp/a")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
    let request = DeleteGrantRequest { name: format!("{parent}/grants/a"), ..Default::default() };
    let revoked = office.grants().delete_grant(request).await.unwrap().into_inner().grant.unwrap();
    assert!(revoked.delete_time.is_some());
    let name = parent.clone();
    office.projects().undelete_project(UndeleteProjectRequest { name, ..Default::default() }).await.unwrap();
    let request = ListGrantsRequest { parent, ..Default::default() };
    let left = office.grants().list_grants(request).await.unwrap().into_inner().grants;
    assert_eq!(
        left.iter().map(|grant| grant.name.as_str()).collect::<Vec<_>>(),
        [format!("{}/grants/b", project_name("x"))]
    );
}

#[tokio::test]
async fn what_never_changes_has_no_methods_to_change_it() {
    let office = Office::open().await;
    for method in [
        "GrantService/UpdateGrant",
        "GrantService/UndeleteGrant",
        "ApiTokenService/UpdateApiToken",
        "ApiTokenService/UndeleteApiToken",
    ] {
        let method = format!("milepost.access.v1.{method}");
        let status = raw::call(&office.channel, &method, bytes::Bytes::new()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{method}");
    }
}

#[tokio::test]
async fn principals_times_and_roles_that_are_none_are_refused() {
    let office = Office::open().await;
    let past = Timestamp { seconds: 1, nanos: 0 };
    for (grant, field, reason) in [
        (Grant { principal: String::new(), ..to("") }, "grant.principal", "REQUIRED"),
        (to("office"), "grant.principal", "INVALID_PRINCIPAL"),
        (to("user:corp/a\nb"), "grant.principal", "INVALID_CHARACTER"),
        (to(&format!("user:corp/{}", "x".repeat(400))), "grant.principal", "TOO_LONG"),
        (Grant { role: 0, ..to("user:corp/a") }, "grant.role", "REQUIRED"),
        (Grant { role: 13, ..to("user:corp/a") }, "grant.role", "UNKNOWN_ENUM_VALUE"),
        (Grant { reason: String::new(), ..to("user:corp/a") }, "grant.reason", "REQUIRED"),
        (Grant { expire_time: Some(past), ..to("user:corp/a") }, "grant.expire_time", "TIME_NOT_IN_FUTURE"),
    ] {
        let status = granted(&office, "", "g", grant).await.unwrap_err();
        assert_eq!(faults(&status), [(field.to_owned(), reason.to_owned())], "{status:?}");
    }
    for (seconds, nanos) in [
        (i64::MAX, 0),
        (i64::MIN, 0),
        (0, -1),
        (0, 1_000_000_000),
        (-62_135_596_801, 0),
        (253_402_300_800, 0),
    ] {
        let expire_time = Some(Timestamp { seconds, nanos });
        let status = granted(&office, "", "g", Grant { expire_time, ..to("user:corp/a") }).await.unwrap_err();
        assert_eq!(
            faults(&status),
            [("grant.expire_time".into(), "INVALID_INSTANT".into())],
            "{seconds} {nanos}"
        );
    }
    assert_eq!(office.sequence(), 0);
}

/// The hash that the last event holds.
fn stored_hash(office: &Office) -> Vec<u8> {
    let rows = office.rows().into_iter().filter(|(key, _)| key[0] == 8);
    rows.map(|(_, row)| ApiToken::decode(row).unwrap().secret_sha256).next_back().unwrap()
}

#[tokio::test]
async fn a_token_is_shown_once_and_its_hash_never() {
    use sha2::{Digest, Sha256};
    let office = Office::open().await;
    account(&office, "planner").await;
    let mut client = office.api_tokens();
    let request = CreateApiTokenRequest { request_id: "r".to_owned(), ..create_token("", "planner") };
    let tried = CreateApiTokenRequest { validate_only: true, ..create_token("t", "planner") };
    let tried = client.create_api_token(tried).await.unwrap().into_inner();
    assert_eq!((tried.token.as_str(), office.sequence()), ("", 1));

    let created = client.create_api_token(request.clone()).await.unwrap().into_inner();
    let token = created.api_token.unwrap();
    let id = token.name.strip_prefix("apiTokens/").unwrap();
    assert!(created.token.starts_with(&format!("mp_{id}_")), "{}", token.name);
    assert_eq!(stored_hash(&office), Sha256::digest(&created.token).to_vec());
    let again = client.create_api_token(request).await.unwrap().into_inner();
    assert_eq!((again.token.as_str(), again.api_token.as_ref()), ("", Some(&token)));

    let name = token.name.clone();
    let request = GetApiTokenRequest { name: name.clone(), ..Default::default() };
    let read = client.get_api_token(request).await.unwrap().into_inner().api_token.unwrap();
    let listed =
        client.list_api_tokens(ListApiTokensRequest::default()).await.unwrap().into_inner().api_tokens;
    let request = DeleteApiTokenRequest { name, ..Default::default() };
    let revoked = client.delete_api_token(request).await.unwrap().into_inner().api_token.unwrap();
    for shown in [&token, &read, &listed[0], &revoked] {
        assert!(shown.secret_sha256.is_empty(), "{}", shown.name);
    }
    assert!(stored_hash(&office).is_empty(), "of one that is revoked, nothing is compared");
}

#[tokio::test]
async fn two_tokens_differ_and_neither_is_in_a_refusal() {
    let office = Office::open().await;
    account(&office, "planner").await;
    let mut client = office.api_tokens();
    let first = client.create_api_token(create_token("a", "planner")).await.unwrap().into_inner().token;
    let second = client.create_api_token(create_token("b", "planner")).await.unwrap().into_inner().token;
    assert_ne!(first[4..], second[4..]);
    let status = client.create_api_token(create_token("a", "planner")).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    assert!(!format!("{status:?}").contains("mp_a_"), "{status:?}");
}

#[tokio::test]
async fn a_token_ends_within_400_days_and_is_of_an_account_that_is_there() {
    let office = Office::open().await;
    account(&office, "planner").await;
    let ends = |seconds, nanos| {
        let mut request = create_token("t", "planner");
        request.api_token.as_mut().unwrap().expire_time = Some(Timestamp { seconds, nanos });
        CreateApiTokenRequest { validate_only: true, ..request }
    };
    let last = 1_622_088_000 + 400 * 86_400;
    for (request, reason) in [(ends(1_622_088_000, 0), "TIME_NOT_IN_FUTURE"), (ends(last, 1), "OUT_OF_RANGE")]
    {
        let status = office.api_tokens().create_api_token(request).await.unwrap_err();
        assert_eq!(faults(&status), [("api_token.expire_time".into(), reason.into())]);
    }
    for request in [ends(1_622_088_000, 1), ends(last, 0)] {
        office.api_tokens().create_api_token(request).await.unwrap();
    }
    let status = office.api_tokens().create_api_token(create_token("t", "none")).await.unwrap_err();
    assert_eq!(conditions(&status), [("REFERENCE_NOT_FOUND".into(), "serviceAccounts/none".into())]);
}

#[tokio::test]
async fn an_event_of_a_token_holds_its_hash_and_its_revocation_does_not() {
    use milepost_ledger::Entry;
    use milepost_ledger::journal::memory::MemoryJournal;
    use milepost_ledger::journal::{Journal, ReadLimit};
    let journal = std::sync::Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
    let office = Office::on(journal.clone()).await;
    account(&office, "planner").await;
    office.api_tokens().create_api_token(create_token("t", "planner")).await.unwrap();
    let request = DeleteApiTokenRequest { name: "apiTokens/t".to_owned(), ..Default::default() };
    office.api_tokens().delete_api_token(request).await.unwrap();
    let entries = journal.read_after(1, ReadLimit { entries: 9, bytes: 1 << 20 }).unwrap();
    let hashes = entries.iter().map(|entry| {
        let event = Event::decode(Entry::decode(entry).unwrap().events[0].clone()).unwrap();
        let Some(event::Resource::ApiTokenResource(token)) = event.resource else {
            panic!("{}", event.r#type)
        };
        (event.changed_fields, token.secret_sha256.len())
    });
    assert_eq!(hashes.collect::<Vec<_>>(), [(vec![], 32), (vec!["delete_time".to_owned()], 0)]);
}
