//! Whom policies fit: what is stored of it, sent and answered.

use std::sync::Arc;

use milepost_ledger::{CommandId, Submission};
use milepost_resource::Command;
use milepost_service::access::Permit;
use milepost_types::Hash;
use serde_json::{Value, json};

use super::{Golden, date};
use crate::policy::settle::Settle;

const PROGRAMME: &str = "policyProgrammes/phoenix";

fn policy(id: &str) -> String {
    format!("{PROGRAMME}/policies/{id}")
}

fn create(id: &str, policy: Value) -> Value {
    json!({ "parent": PROGRAMME, "policy_id": id, "policy": policy })
}

/// Finds whom policies fit, as one command with an id of its own.
async fn rematch(golden: &mut Golden, id: &str, what: &str) {
    let act = Box::new(Settle::default());
    let command = Command { act, traceparent: String::new(), permit: Permit::of_system() };
    let command_id = Some(CommandId::Request { id: id.to_owned(), body: Hash::ZERO });
    let submission = Submission { command_id, ..Submission::system("registry", Arc::new(command)) };
    golden.subject.office.service.api.ledger.submit(submission).await.unwrap();
    golden.happened(what);
}

#[tokio::test]
async fn matches_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    for (id, kind) in [("cqu", "KIND_UNIVERSITY"), ("swu", "KIND_ENTERPRISE")] {
        golden.given_organization(id).await;
        let kind = json!({ "organization": { "name": format!("organizations/{id}"), "kind": kind } });
        golden.given("OrganizationService/UpdateOrganization", kind).await;
    }
    let party = json!({ "organization": "organizations/cqu", "roles": ["designer"] });
    golden.given_project("wsc", "road", json!({ "key": true, "parties": [party] })).await;
    let programme =
        json!({ "policy_programme_id": "phoenix", "policy_programme": { "display_name": "金凤凰" } });
    golden.given("PolicyProgrammeService/CreatePolicyProgramme", programme).await;
    let organizations = json!({
        "display_name": "补助", "kind": "KIND_MEASURE", "subject": "SUBJECT_ORGANIZATION",
        "conditions": [{ "id": "kind", "title": "高校", "expression": "org.kind == \"UNIVERSITY\"" }],
    });
    golden.given("PolicyService/CreatePolicy", create("all", organizations)).await;
    let projects = json!({
        "display_name": "重点", "kind": "KIND_INCENTIVE", "subject": "SUBJECT_PROJECT",
        "conditions": [{ "id": "key", "title": "重点项目", "expression": "project.key" }],
    });
    golden.given("PolicyService/CreatePolicy", create("key", projects)).await;
    golden.chapter("What is stored and sent");
    for id in ["all", "key"] {
        golden.call("it waits", "PolicyService/PublishPolicy", json!({ "name": policy(id) })).await;
    }
    rematch(&mut golden, "rematch-1", "it is found whom policies fit").await;
    let change =
        json!({ "project": { "name": "portfolios/wsc/projects/road", "key": false }, "update_mask": "key" });
    golden.call("a project changes", "ProjectService/UpdateProject", change).await;
    rematch(&mut golden, "rematch-2", "it is found whom policies fit no longer").await;
    let withdraw = json!({ "name": policy("all"), "reason": "到期", "withdrawal_date": date(2021, 5, 27) });
    golden.call("it fits nobody", "PolicyService/WithdrawPolicy", withdraw).await;
    rematch(&mut golden, "rematch-3", "what was withdrawn fits nobody").await;
    golden.chapter("What is answered");
    let one = json!({ "organization": "organizations/cqu", "explain": true });
    golden.call("of one", "PolicyService/MatchPolicies", one).await;
    let first = json!({ "organization": "organizations/cqu", "page_size": 1 });
    golden.call("a page of one", "PolicyService/MatchPolicies", first).await;
    let many = json!({ "policy_programme": PROGRAMME });
    golden.call("of many", "PolicyService/BatchMatchPolicies", many).await;
    golden.chapter("What is refused");
    let wrong = json!({
        "organization": "x", "project": "x", "date": date(2021, 2, 30), "page_size": -1, "filter": "x y",
    });
    golden.call("everything", "PolicyService/MatchPolicies", wrong).await;
    let wrong = json!({ "policy_programme": "x", "outcomes": [9, 0], "organization_filter": "x y" });
    golden.call("everything", "PolicyService/BatchMatchPolicies", wrong).await;
    let token = json!({ "organization": "organizations/cqu", "page_token": "nonsense" });
    golden.call("a token that is none", "PolicyService/MatchPolicies", token).await;
    golden.close().await;
    golden.compare("matching");
}
