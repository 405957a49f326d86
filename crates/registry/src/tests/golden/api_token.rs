//! API tokens: what is stored, sent and refused. Their secrets are not at random here, and the first is all zeros.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Registry, Transcript};

const TOKEN: Noun = Noun { singular: "ApiToken", plural: "ApiTokens", field: "api_token" };

type Golden = Transcript<Registry<true>>;

fn name(id: &str) -> String {
    format!("apiTokens/{id}")
}

fn create(id: &str, token: Value) -> Value {
    json!({ "api_token_id": id, "api_token": token })
}

fn minimal() -> Value {
    json!({ "service_account": "serviceAccounts/planner", "expire_time": "2021-06-27T04:00:00Z" })
}

fn full() -> Value {
    json!({
        "service_account": "serviceAccounts/planner",
        "expire_time": "2022-07-01T04:00:00.5Z",
        "description": "机房里的\n服务器",
        "secret_sha256": "AAAA",
    })
}

async fn account(golden: &mut Golden) {
    let planner = json!({ "service_account_id": "planner", "service_account": { "display_name": "程序" } });
    golden.given("ServiceAccountService/CreateServiceAccount", planner).await;
}

#[tokio::test]
async fn api_tokens_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    account(&mut golden).await;
    writes(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.given(&TOKEN.method("Create"), create("a", minimal())).await;
    golden.all_pages(&TOKEN, &[""], &["name"], "service_account = \"serviceAccounts/planner\"").await;
    faults(&mut golden).await;
    refusals(&mut golden).await;
    golden.every_field(&TOKEN, &json!({}), &name("full")).await;
    golden.close().await;
    golden.compare("api_token");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&TOKEN, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = TOKEN.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    let mut tried = create("tried", minimal());
    tried["validate_only"] = json!(true);
    golden.ask(&TOKEN, "Create", "tried only, which shows no token", tried).await;
    golden.ask(&TOKEN, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&TOKEN, "List", "all of them", json!({})).await;
    golden.given(&by, create("other", minimal())).await;
    golden.ask(&TOKEN, "Delete", "one", json!({ "name": name("other"), "etag": "4" })).await;
    golden.ask(&TOKEN, "Delete", "one that is revoked", json!({ "name": name("other") })).await;
    golden.ask(&TOKEN, "Get", "one that is revoked", json!({ "name": name("other") })).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "apiTokens/", "etag": "x", "service_account": "planner", "expire_time": "2021-05-27T04:00:00Z",
        "description": "x".repeat(4097),
    });
    let mut request = create("-a", wrong);
    request["request_id"] = json!("x".repeat(129));
    golden.ask(&TOKEN, "Create", "everything", request).await;
    golden.ask(&TOKEN, "Create", "nothing", json!({})).await;
    golden.ask(&TOKEN, "Create", "a message without anything", create("a--", json!({}))).await;
    golden.target_faults(&TOKEN, &name("full")).await;

    golden.chapter("Lists that are refused");
    golden.list_refusals(&TOKEN, &json!({}), "name, expire_time").await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&TOKEN, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&TOKEN, "Create", "a name that a revoked one has", create("other", minimal())).await;
    for (what, time) in [
        ("that ends now", "2021-05-27T04:00:00Z"),
        ("that ends in more than 400 days", "2023-01-01T00:00:00Z"),
    ] {
        let mut token = minimal();
        token["expire_time"] = json!(time);
        golden.ask(&TOKEN, "Create", what, create("a2", token)).await;
    }
    let mut token = minimal();
    token["service_account"] = json!("serviceAccounts/none");
    golden.ask(&TOKEN, "Create", "of a service account that is not there", create("a2", token)).await;
    golden.standard_refusals(&TOKEN, &name("full"), &name("other"), &json!({})).await;
    let mut request = create("again", minimal());
    request["request_id"] = json!("once");
    golden.ask(&TOKEN, "Create", "under a request id", request.clone()).await;
    golden.ask(&TOKEN, "Create", "the same again, which shows no token", request.clone()).await;
    request["api_token"]["description"] = json!("别的");
    golden.ask(&TOKEN, "Create", "another under the same request id", request).await;
    golden
        .given("ServiceAccountService/DeleteServiceAccount", json!({ "name": "serviceAccounts/planner" }))
        .await;
    golden.ask(&TOKEN, "Create", "of a service account that is deleted", create("late", minimal())).await;
}
