//! Policies: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, date};

const POLICY: Noun = Noun { singular: "Policy", plural: "Policies", field: "policy" };
const PARENT: &str = "policyProgrammes/phoenix";

fn name(id: &str) -> String {
    format!("{PARENT}/policies/{id}")
}

fn create(id: &str, policy: Value) -> Value {
    json!({ "parent": PARENT, "policy_id": id, "policy": policy })
}

fn minimal() -> Value {
    json!({ "display_name": "补助", "kind": "KIND_MEASURE", "subject": "SUBJECT_ORGANIZATION" })
}

fn full() -> Value {
    json!({
        "display_name": "研发补助",
        "translations": { "en": "Grant for research" },
        "description": "最高一百万元",
        "labels": { "field": "innovation" },
        "group": "innovation",
        "number": "第三条",
        "kind": "KIND_INCENTIVE",
        "valid_from": date(2021, 3, 5),
        "valid_until": date(2023, 12, 31),
        "subject": "SUBJECT_PROJECT",
        "conditions": [
            { "id": "staff", "title": "不少于100人", "expression": "num(org.attributes.employees) >= num(\"100\")" },
            { "id": "key", "title": "重点项目", "expression": "project.key", "alternative": "project" },
            { "id": "ring", "title": "内环", "expression": "project.labels.ring == \"inner\"", "alternative": "project" },
        ],
        "supersedes": name("minimal"),
    })
}

#[tokio::test]
async fn policies_are_stored_and_sent_as_ever() {
    let mut golden = with_programme().await;
    writes(&mut golden).await;
    faults(&mut golden).await;
    golden.every_field(&POLICY, &json!({ "parent": PARENT }), &name("draft")).await;
    golden.close().await;
    golden.turn_to(Registry::open().await);
    programme(&mut golden).await;
    golden.made(&POLICY.method("Create"), json!({ "parent": PARENT, "policy": minimal() })).await;
    golden.compare("policy");
}

async fn with_programme() -> Golden {
    let mut golden = Golden::open().await;
    programme(&mut golden).await;
    golden
}

async fn programme(golden: &mut Golden) {
    let programme =
        json!({ "display_name": "金凤凰", "groups": [{ "code": "innovation", "title": "创新" }] });
    let request = json!({ "policy_programme_id": "phoenix", "policy_programme": programme });
    golden.given("milepost.registry.v1.PolicyProgrammeService/CreatePolicyProgramme", request).await;
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&POLICY, "Create", "no more than it must have", create("minimal", minimal())).await;
    golden.ask(&POLICY, "Publish", "today", json!({ "name": name("minimal") })).await;
    let by = POLICY.method("Create");
    golden.ask(&POLICY, "Create", "every field", create("full", full())).await;
    let changed = json!({ "name": name("full"), "etag": "4", "number": "3", "valid_until": null });
    golden.ask(&POLICY, "Update", "fields", POLICY.update("number,valid_until", changed)).await;
    golden.ask(&POLICY, "Publish", "a successor", json!({ "name": name("full") })).await;
    let changed = json!({ "name": name("full"), "number": "4" });
    golden.ask(&POLICY, "Update", "one that is published", POLICY.set(changed)).await;
    golden.ask(&POLICY, "Delete", "one that is published", json!({ "name": name("full") })).await;
    let withdraw = json!({ "name": name("full"), "reason": "到期", "withdrawal_date": date(2021, 5, 1) });
    golden.ask(&POLICY, "Withdraw", "on a day", withdraw.clone()).await;
    golden.ask(&POLICY, "Withdraw", "one that is withdrawn", withdraw).await;
    golden.ask(&POLICY, "Delete", "one that is withdrawn", json!({ "name": name("full") })).await;
    golden.ask(&POLICY, "Undelete", "one", json!({ "name": name("full") })).await;
    golden.ask(&POLICY, "Get", "one", json!({ "name": name("minimal") })).await;
    golden.call_signed("by somebody", &by, create("draft", minimal())).await;
    golden
        .ask(&POLICY, "Publish", "by nobody, what somebody drafted", json!({ "name": name("draft") }))
        .await;
    golden.ask(&POLICY, "List", "all of them", json!({ "parent": PARENT, "show_deleted": true })).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "policies/x", "etag": "x", "display_name": "", "group": "A", "number": "a\nb", "kind": 9, "subject": 9,
        "valid_from": date(2021, 2, 30), "valid_until": date(2021, 13, 1), "supersedes": "x",
        "conditions": [{ "id": "A", "alternative": "B", "expression": "org.nme == 1 + 1" }, {}],
    });
    golden.ask(&POLICY, "Create", "everything", create("ÄÖ", wrong.clone())).await;
    golden.ask(&POLICY, "Create", "nothing", json!({})).await;
    golden.ask(&POLICY, "Update", "everything", POLICY.update("*", wrong)).await;
    let publish = json!({ "name": "x", "etag": "x", "publish_date": date(2021, 2, 30) });
    golden.ask(&POLICY, "Publish", "everything", publish).await;
    let withdraw = json!({ "name": "x", "etag": "x", "withdrawal_date": date(2021, 2, 30) });
    golden.ask(&POLICY, "Withdraw", "everything", withdraw).await;
}
