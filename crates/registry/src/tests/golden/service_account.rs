//! Service accounts: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Registry, Transcript};

const ACCOUNT: Noun =
    Noun { singular: "ServiceAccount", plural: "ServiceAccounts", field: "service_account" };

type Golden = Transcript<Registry<true>>;

fn name(id: &str) -> String {
    format!("serviceAccounts/{id}")
}

fn create(id: &str, account: Value) -> Value {
    json!({ "service_account_id": id, "service_account": account })
}

fn minimal() -> Value {
    json!({ "display_name": "进度导入" })
}

fn full() -> Value {
    json!({ "display_name": "进度导入", "description": "每晚导入。\n负责人:规划部" })
}

#[tokio::test]
async fn service_accounts_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    writes(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.given(&ACCOUNT.method("Create"), create("a", minimal())).await;
    golden.all_pages(&ACCOUNT, &[""], &["name"], "display_name = \"进度*\"").await;
    faults(&mut golden).await;
    golden.chapter("What does not go as things are");
    golden.ask(&ACCOUNT, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&ACCOUNT, "Create", "a name that a deleted one has", create("other", minimal())).await;
    let change = json!({ "display_name": "别的" });
    golden.standard_refusals(&ACCOUNT, &name("full"), &name("other"), &change).await;
    golden.again(&ACCOUNT, create("again", minimal())).await;
    golden.every_field(&ACCOUNT, &json!({}), &name("full")).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.made(&ACCOUNT.method("Create"), json!({ "service_account": minimal() })).await;
    golden.compare("service_account");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&ACCOUNT, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = ACCOUNT.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let changed = json!({ "name": name("full"), "etag": "2", "display_name": "导入" });
    golden.ask(&ACCOUNT, "Update", "by a mask", ACCOUNT.update("display_name,description", changed)).await;
    golden
        .ask(
            &ACCOUNT,
            "Update",
            "what is set",
            ACCOUNT.set(json!({ "name": name("full"), "description": "x" })),
        )
        .await;
    golden
        .ask(
            &ACCOUNT,
            "Update",
            "what changes nothing",
            ACCOUNT.set(json!({ "name": name("full"), "description": "x" })),
        )
        .await;
    golden.ask(&ACCOUNT, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&ACCOUNT, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&ACCOUNT, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&ACCOUNT, "Delete", "with its etag", json!({ "name": name("other"), "etag": "7" })).await;
    golden.ask(&ACCOUNT, "List", "all of them", json!({ "show_deleted": true })).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "serviceAccounts/", "etag": "x", "display_name": "x\ty", "description": "x".repeat(4097),
    });
    let mut request = create("-a", wrong.clone());
    request["request_id"] = json!("x".repeat(129));
    golden.ask(&ACCOUNT, "Create", "everything", request).await;
    golden.ask(&ACCOUNT, "Create", "nothing", json!({})).await;
    golden.ask(&ACCOUNT, "Create", "a message without anything", create("a--", json!({}))).await;
    golden.ask(&ACCOUNT, "Update", "everything", ACCOUNT.update("*", wrong)).await;
    golden.ask(&ACCOUNT, "Update", "nothing", json!({})).await;
    golden.target_faults(&ACCOUNT, &name("full")).await;

    golden.chapter("Lists that are refused");
    golden.list_refusals(&ACCOUNT, &json!({}), "name, display_name").await;
}
