//! Grants: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Registry, Transcript};

const GRANT: Noun = Noun { singular: "Grant", plural: "Grants", field: "grant" };

const PORTFOLIO: &str = "portfolios/p";
const PROJECT: &str = "portfolios/p/projects/x";

type Golden = Transcript<Registry<true>>;

fn create(parent: &str, id: &str, grant: Value) -> Value {
    json!({ "parent": parent, "grant_id": id, "grant": grant })
}

fn to(principal: &str) -> Value {
    json!({ "principal": principal, "role": "ROLE_VIEWER", "reason": "他看。" })
}

fn full() -> Value {
    json!({
        "principal": "group:corp/%E8%A7%84%E5%88%92",
        "role": "ROLE_PLANNER",
        "expire_time": "2022-05-27T04:00:00.000000001Z",
        "reason": "第一行\n第二行",
    })
}

#[tokio::test]
async fn grants_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("p").await;
    golden.given_project("p", "x", json!({})).await;
    writes(&mut golden).await;
    pages(&mut golden).await;
    faults(&mut golden).await;
    refusals(&mut golden).await;
    golden.every_field(&GRANT, &json!({}), "grants/full").await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.made(&GRANT.method("Create"), json!({ "grant": to("user:corp/a") })).await;
    golden.compare("grant");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    let by = GRANT.method("Create");
    golden.ask(&GRANT, "Create", "no more than it must have", create("", "minimal", to("user:corp/a"))).await;
    golden.call_signed("every field, by somebody", &by, create("", "full", full())).await;
    golden.ask(&GRANT, "Create", "in a portfolio", create(PORTFOLIO, "full", full())).await;
    golden.ask(&GRANT, "Create", "in a project", create(PROJECT, "full", full())).await;
    golden.given(&by, create(PROJECT, "other", to("cert:spiffe://office/a"))).await;
    golden.ask(&GRANT, "Get", "one in a project", json!({ "name": format!("{PROJECT}/grants/full") })).await;
    let other = format!("{PROJECT}/grants/other");
    golden.ask(&GRANT, "Delete", "one", json!({ "name": other, "etag": "7" })).await;
    golden.ask(&GRANT, "Delete", "one that is revoked", json!({ "name": other })).await;
    golden.ask(&GRANT, "Get", "one that is revoked", json!({ "name": other })).await;
    let mut tried = create(PORTFOLIO, "tried", to("user:corp/a"));
    tried["validate_only"] = json!(true);
    golden.ask(&GRANT, "Create", "tried only", tried).await;
    golden.ask(&GRANT, "List", "all of them", json!({ "show_deleted": true })).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    for (parent, id) in [(PORTFOLIO, "a"), ("", "p"), ("", "q"), (PROJECT, "z")] {
        golden.given(&GRANT.method("Create"), create(parent, id, to("user:corp/b"))).await;
    }
    let filter = "create_time > \"2021-05-27T04:00:02Z\" AND principal = \"group:*\"";
    golden.all_pages(&GRANT, &["", PORTFOLIO, PROJECT], &["name"], filter).await;
    let list = GRANT.method("List");
    for parent in ["", PORTFOLIO, PROJECT] {
        let request = json!({ "parent": parent, "filter": "principal = \"user:corp/b\"" });
        golden.pages(&list, request).await;
    }
    golden.pages(&list, json!({ "filter": "project = \"portfolios/p/projects/x\"" })).await;
    golden.pages(&list, json!({ "filter": "NOT portfolio = \"portfolios/p\"" })).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "grants/", "etag": "x", "principal": "office", "role": 99, "reason": "x".repeat(4097),
        "expire_time": "2021-05-27T04:00:00Z",
    });
    let mut request = create("portfolios/", "-a", wrong);
    request["request_id"] = json!("x".repeat(129));
    golden.ask(&GRANT, "Create", "everything", request).await;
    golden.ask(&GRANT, "Create", "nothing", json!({})).await;
    golden.ask(&GRANT, "Create", "a message without anything", create("-", "a--", json!({}))).await;
    golden.target_faults(&GRANT, &format!("{PROJECT}/grants/full")).await;

    golden.chapter("Lists that are refused");
    golden.list_refusals(&GRANT, &json!({}), "name, principal").await;
    for parent in ["portfolios/-", "portfolios/p/projects/-", "portfolios/p/projects", "grants/full"] {
        golden
            .call(&format!("the parent {parent}"), &GRANT.method("List"), json!({ "parent": parent }))
            .await;
    }
    for parent in ["portfolios/none", "portfolios/none/projects/x", "portfolios/p/projects/none"] {
        golden
            .call(&format!("the parent {parent}"), &GRANT.method("List"), json!({ "parent": parent }))
            .await;
    }
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    let again = |id| create("", id, to("user:corp/c"));
    golden.ask(&GRANT, "Create", "a name that is taken", again("full")).await;
    let other = create(PROJECT, "other", to("user:corp/c"));
    golden.ask(&GRANT, "Create", "a name that a revoked one has", other).await;
    golden.ask(&GRANT, "Create", "in no portfolio", create("portfolios/none", "a", full())).await;
    golden.ask(&GRANT, "Create", "in no project", create("portfolios/p/projects/none", "a", full())).await;
    let account = create("", "account", to("serviceaccount:planner"));
    golden.ask(&GRANT, "Create", "to a service account that is not there", account.clone()).await;
    let planner = json!({ "service_account_id": "planner", "service_account": { "display_name": "程序" } });
    golden.given("ServiceAccountService/CreateServiceAccount", planner).await;
    golden
        .given("ServiceAccountService/DeleteServiceAccount", json!({ "name": "serviceAccounts/planner" }))
        .await;
    golden.ask(&GRANT, "Create", "to a service account that is deleted", account).await;
    let mut past = to("user:corp/c");
    past["expire_time"] = json!("2021-05-27T04:00:00Z");
    golden.ask(&GRANT, "Create", "that has ended", create("", "past", past)).await;
    golden.standard_refusals(&GRANT, "grants/full", &format!("{PROJECT}/grants/other"), &json!({})).await;
    let mut request = again("again");
    request["request_id"] = json!("once");
    golden.ask(&GRANT, "Create", "under a request id", request.clone()).await;
    golden.ask(&GRANT, "Create", "the same again, which is answered the same", request.clone()).await;
    request["grant"]["role"] = json!("ROLE_ADMIN");
    golden.ask(&GRANT, "Create", "another under the same request id", request).await;
    golden.given("milepost.registry.v1.ProjectService/DeleteProject", json!({ "name": PROJECT })).await;
    golden.ask(&GRANT, "Create", "in a project that is deleted", create(PROJECT, "late", full())).await;
    let revoked = json!({ "name": format!("{PROJECT}/grants/z") });
    golden.ask(&GRANT, "Delete", "one in a project that is deleted", revoked).await;
}
