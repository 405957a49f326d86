//! Organizations: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry};

const ORGANIZATION: Noun = Noun { singular: "Organization", plural: "Organizations", field: "organization" };

fn name(id: &str) -> String {
    format!("organizations/{id}")
}

fn create(id: &str, organization: Value) -> Value {
    json!({ "organization_id": id, "organization": organization })
}

fn minimal() -> Value {
    json!({ "display_name": "中建三局" })
}

fn full() -> Value {
    json!({
        "display_name": "重庆大学",
        "translations": { "en": "Chongqing University", "ZH-hk": "重慶大學" },
        "kind": "KIND_UNIVERSITY",
        "identifiers": [
            { "scheme": "统一社会信用代码", "id": "12100000400002697C" },
            { "scheme": "a", "id": "1" },
        ],
        "attributes": { "site": "虎溪", "b": "", "a-1": "x" },
    })
}

#[tokio::test]
async fn organizations_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    writes(&mut golden).await;
    pages(&mut golden).await;
    faults(&mut golden).await;
    golden.chapter("What does not go as things are");
    golden.ask(&ORGANIZATION, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&ORGANIZATION, "Create", "a name that a deleted one has", create("other", minimal())).await;
    let change = json!({ "kind": "KIND_OTHER" });
    golden.standard_refusals(&ORGANIZATION, &name("full"), &name("other"), &change).await;
    golden.again(&ORGANIZATION, create("again", minimal())).await;
    golden.every_field(&ORGANIZATION, &json!({}), &name("full")).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.made(&ORGANIZATION.method("Create"), json!({ "organization": minimal() })).await;
    golden.compare("organization");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&ORGANIZATION, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = ORGANIZATION.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let changed = json!({
        "name": name("full"), "etag": "2", "display_name": "重大", "kind": "KIND_INSTITUTE",
        "identifiers": [{ "scheme": "b", "id": "2" }], "attributes": { "a": "not named" },
    });
    let mask = "display_name,kind,identifiers,translations";
    golden.ask(&ORGANIZATION, "Update", "several fields", ORGANIZATION.update(mask, changed)).await;
    let set =
        json!({ "name": name("full"), "kind": "KIND_AUTHORITY", "translations": { "fr": "Université" } });
    golden.ask(&ORGANIZATION, "Update", "what is set, without a mask", ORGANIZATION.set(set)).await;
    let all = ORGANIZATION.update("*", json!({ "name": name("full"), "display_name": "渝大" }));
    golden.ask(&ORGANIZATION, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&ORGANIZATION, "Update", "what changes nothing", all).await;
    golden.ask(&ORGANIZATION, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&ORGANIZATION, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&ORGANIZATION, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&ORGANIZATION, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&ORGANIZATION, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&ORGANIZATION, "Delete", "with its etag", json!({ "name": name("other"), "etag": "8" })).await;
    let tried = json!({ "organization": { "name": name("full"), "kind": 7 }, "validate_only": true });
    golden.ask(&ORGANIZATION, "Update", "tried only", tried).await;
    golden.ask(&ORGANIZATION, "List", "all of them", json!({ "show_deleted": true })).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    for id in ["a", "z"] {
        golden.given_organization(id).await;
    }
    let filter = "create_time > \"2021-05-27T04:00:02Z\" AND display_name = \"重*\"";
    golden.all_pages(&ORGANIZATION, &[""], &["name", "display_name"], filter).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "organizations/", "etag": "x", "display_name": "x\ty", "translations": { "en": "", "en-": "x" },
        "kind": 99,
        "identifiers": [{ "scheme": "", "id": "" }, { "scheme": " a", "id": "x\n" }, {}],
        "attributes": { "A": "x", "b": " " },
    });
    let mut request = create("-a", wrong.clone());
    request["request_id"] = json!("x".repeat(129));
    golden.ask(&ORGANIZATION, "Create", "everything", request).await;
    golden.ask(&ORGANIZATION, "Create", "nothing", json!({})).await;
    golden.ask(&ORGANIZATION, "Create", "a message without anything", create("a--", json!({}))).await;
    let codes: Vec<_> = (0..21).map(|i| json!({ "scheme": "s", "id": i.to_string() })).collect();
    let many = json!({ "display_name": "x", "identifiers": codes });
    golden.ask(&ORGANIZATION, "Create", "too many identifiers", create("many", many)).await;
    golden.ask(&ORGANIZATION, "Update", "everything", ORGANIZATION.update("*", wrong.clone())).await;
    golden.ask(&ORGANIZATION, "Update", "what is set", ORGANIZATION.set(wrong.clone())).await;
    golden.ask(&ORGANIZATION, "Update", "by a mask", ORGANIZATION.update("kind,attributes", wrong)).await;
    golden.ask(&ORGANIZATION, "Update", "nothing", json!({})).await;
    let mask = "name,etag,create_time,update_time,nome,*,identifiers.scheme,delete_time,kind";
    golden.ask(&ORGANIZATION, "Update", "a mask", ORGANIZATION.update(mask, json!({ "name": "x" }))).await;
    golden.target_faults(&ORGANIZATION, &name("full")).await;

    golden.chapter("Lists that are refused");
    golden.list_refusals(&ORGANIZATION, &json!({}), "display_name, name").await;
}
