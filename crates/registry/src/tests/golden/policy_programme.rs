//! Policy programmes: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, date};

const PROGRAMME: Noun =
    Noun { singular: "PolicyProgramme", plural: "PolicyProgrammes", field: "policy_programme" };

fn name(id: &str) -> String {
    format!("policyProgrammes/{id}")
}

fn create(id: &str, programme: Value) -> Value {
    json!({ "policy_programme_id": id, "policy_programme": programme })
}

fn full() -> Value {
    json!({
        "display_name": "金凤凰",
        "translations": { "en": "Golden Phoenix" },
        "description": "四个领域",
        "labels": { "headline": "yes" },
        "issuer": "科学城管委会",
        "declared_count": 40,
        "groups": [
            { "code": "talent", "title": "人才", "translations": { "en": "Talent" } },
            { "code": "finance", "title": "金融", "declared_count": 7 },
        ],
    })
}

#[tokio::test]
async fn policy_programmes_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.chapter("What is stored and answered");
    let minimal = create("minimal", json!({ "display_name": "双七" }));
    golden.ask(&PROGRAMME, "Create", "no more than it must have", minimal).await;
    let by = PROGRAMME.method("Create");
    golden.ask(&PROGRAMME, "Create", "every field", create("full", full())).await;
    golden.call_signed("by somebody", &by, create("signed", json!({ "display_name": "十抓" }))).await;
    golden
        .ask(&PROGRAMME, "Publish", "by nobody, what somebody drafted", json!({ "name": name("signed") }))
        .await;
    let changed = json!({ "name": name("full"), "etag": "2", "declared_count": 41, "issuer": "" });
    let request = PROGRAMME.update("declared_count,issuer", changed);
    golden.ask(&PROGRAMME, "Update", "several fields", request).await;
    let publish = |id: &str| json!({ "name": name(id), "publish_date": date(2021, 3, 5) });
    golden.ask(&PROGRAMME, "Publish", "on a day", publish("full")).await;
    golden.ask(&PROGRAMME, "Publish", "one that is published", publish("full")).await;
    golden.ask(&PROGRAMME, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&PROGRAMME, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&PROGRAMME, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&PROGRAMME, "List", "all of them", json!({ "show_deleted": true })).await;

    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "programmes/x", "etag": "x", "display_name": " ", "issuer": "a\nb", "declared_count": -1,
        "groups": [{ "code": "A" }, { "code": "A", "title": "b", "declared_count": -1 }],
    });
    golden.ask(&PROGRAMME, "Create", "everything", create("ÄÖ", wrong.clone())).await;
    golden.ask(&PROGRAMME, "Create", "nothing", json!({})).await;
    golden.ask(&PROGRAMME, "Update", "everything", PROGRAMME.update("*", wrong)).await;
    let publish = json!({ "name": "x", "etag": "x", "publish_date": date(2021, 2, 30) });
    golden.ask(&PROGRAMME, "Publish", "everything", publish).await;
    golden.every_field(&PROGRAMME, &json!({}), &name("full")).await;
    golden.close().await;
    golden.turn_to(Registry::open().await);
    golden.made(&by, json!({ "policy_programme": { "display_name": "双七" } })).await;
    golden.compare("policy_programme");
}
