//! Collections: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, date};

const COLLECTION: Noun = Noun { singular: "Collection", plural: "Collections", field: "collection" };
const PORTFOLIO: &str = "portfolios/wsc";

fn name(id: &str) -> String {
    format!("{PORTFOLIO}/collections/{id}")
}

fn project(id: &str) -> String {
    format!("{PORTFOLIO}/projects/{id}")
}

fn create(id: &str, collection: Value) -> Value {
    json!({ "parent": PORTFOLIO, "collection_id": id, "collection": collection })
}

fn element(id: &str, contributions: Value) -> Value {
    json!({ "id": id, "group": "两环", "planned_measure": "40", "contributions": contributions })
}

fn full() -> Value {
    json!({
        "display_name": "两环",
        "translations": { "en": "Two rings", "zh-Hant": "兩環" },
        "description": "第一行\n第二行",
        "labels": { "plan": "十四五", "a": "" },
        "kind": "ring",
        "unit": "km",
        "members": [project("b"), project("a")],
        "declared": [{ "group": "两环", "count": 2 }, { "count": 0 }],
        "elements": [
            element("inner", json!([
                { "project": project("done"), "measure": "25.0" },
                { "project": project("a"), "measure": "10", "built_measure": "4" },
            ])),
            { "id": "outer", "display_name": "外环" },
        ],
    })
}

#[tokio::test]
async fn collections_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    for id in ["a", "b", "done"] {
        golden.given_project("wsc", id, json!({})).await;
    }
    writes(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    let filter = format!("members:\"{}\"", project("a"));
    golden.all_pages(&COLLECTION, &[PORTFOLIO, "portfolios/-"], &["name", "display_name"], &filter).await;
    golden.every_field(&COLLECTION, &json!({ "parent": PORTFOLIO }), &name("full")).await;
    golden.close().await;
    golden.compare("collection");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    let minimal = create("minimal", json!({ "display_name": "科学谷" }));
    golden.ask(&COLLECTION, "Create", "no more than it must have", minimal).await;
    let by = COLLECTION.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    let add = "CollectionService/AddCollectionMembers";
    golden
        .call("members", add, json!({ "name": name("full"), "members": [project("done"), project("a")] }))
        .await;
    let remove = "CollectionService/RemoveCollectionMembers";
    golden.call("a member", remove, json!({ "name": name("full"), "members": [project("b")] })).await;
    for method in ["Start", "Complete"] {
        let request = json!({ "name": project("done") });
        golden.call("what builds an element", &format!("ProjectService/{method}Project"), request).await;
    }
    let built = element("inner", json!([{ "project": project("done"), "measure": "40" }]));
    let change = json!({ "name": name("full"), "elements": [built], "kind": "" });
    let change = COLLECTION.update("elements,kind", change);
    golden.ask(&COLLECTION, "Update", "so that an element is complete", change).await;
    let rollup = "CollectionService/GetCollectionRollup";
    golden.call("today", rollup, json!({ "name": name("full") })).await;
    let earlier = json!({ "name": name("full"), "date": date(2021, 5, 26) });
    golden.call("a day earlier", rollup, earlier).await;
    golden.ask(&COLLECTION, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&COLLECTION, "List", "all", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
    golden.ask(&COLLECTION, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.given(&COLLECTION.method("Delete"), json!({ "name": name("minimal") })).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "display_name": "", "kind": "x\ny", "unit": "x".repeat(65),
        "members": ["x", project("a"), project("a"), "portfolios/lj/projects/x"],
        "declared": [{ "group": "g", "count": -1 }, { "group": "g" }],
        "elements": [
            { "id": "Ä", "planned_measure": "-1" },
            { "contributions": [
                { "project": project("a"), "measure": "1", "built_measure": "1.000001" },
                { "project": project("a"), "measure": "x" },
                { "project": "x" },
            ] },
        ],
    });
    golden.ask(&COLLECTION, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&COLLECTION, "Create", "nothing", json!({})).await;
    golden.ask(&COLLECTION, "Update", "everything", COLLECTION.update("*", wrong)).await;
    golden.target_faults(&COLLECTION, &name("full")).await;
    golden.standard_refusals(&COLLECTION, &name("full"), &name("minimal"), &json!({ "kind": "x" })).await;
    golden.again(&COLLECTION, create("again", json!({ "display_name": "x" }))).await;
    let lost = json!([{ "project": project("lost"), "measure": "1" }]);
    let lost = json!({ "display_name": "x", "members": [project("lost")], "elements": [element("e", lost)] });
    golden.ask(&COLLECTION, "Create", "of projects that are not there", create("new", lost)).await;
    let future = json!({ "name": name("full"), "date": date(2021, 5, 28) });
    golden.call("a day to come", "CollectionService/GetCollectionRollup", future).await;
}
