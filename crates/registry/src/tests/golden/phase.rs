//! Phases: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, cny, date};

const PHASE: Noun = Noun { singular: "Phase", plural: "Phases", field: "phase" };
const PROJECT: &str = "portfolios/wsc/projects/x";

fn name(id: &str) -> String {
    format!("{PROJECT}/phases/{id}")
}

fn create(parent: &str, id: &str, phase: Value) -> Value {
    json!({ "parent": parent, "phase_id": id, "phase": phase })
}

fn numbered(order: i32) -> Value {
    json!({ "display_name": "三期", "order": order })
}

fn full(order: i32) -> Value {
    json!({
        "display_name": "一期",
        "translations": { "en": "Phase one", "zh-Hant": "一期工程" },
        "order": order,
        "planned_period": { "start_date": date(2021, 6, 1), "end_date": date(2023, 12, 31) },
        "actual_period": { "start_date": date(2021, 5, 20), "end_date": date(2021, 5, 27) },
        "investment": cny(1_200_000_000, 10_000_000),
        "scale": "全长7.3公里\n双向六车道",
    })
}

async fn with_project() -> Golden {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    golden.given_project("wsc", "x", json!({})).await;
    golden
}

#[tokio::test]
async fn phases_are_stored_and_sent_as_ever() {
    let mut golden = with_project().await;
    writes(&mut golden).await;
    pages(&mut golden).await;
    faults(&mut golden).await;
    refusals(&mut golden).await;
    golden.every_field(&PHASE, &json!({ "parent": PROJECT }), &name("full")).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.given_portfolio("wsc").await;
    golden.given_project("wsc", "x", json!({})).await;
    golden.made(&PHASE.method("Create"), json!({ "parent": PROJECT, "phase": numbered(1) })).await;
    golden.compare("phase");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    let minimal = create(PROJECT, "minimal", numbered(7));
    golden.ask(&PHASE, "Create", "no more than it must have", minimal).await;
    let by = PHASE.method("Create");
    golden.call_signed("every field, by somebody", &by, create(PROJECT, "full", full(2))).await;
    golden.given(&by, create(PROJECT, "other", full(3))).await;
    let changed = json!({
        "name": name("full"), "etag": "4", "display_name": "首期", "order": 1, "scale": "全长8公里",
        "actual_period": { "end_date": date(2021, 5, 26) }, "investment": cny(5, 0),
    });
    let mask = "display_name,order,scale,actual_period.end_date,planned_period.end_date";
    golden.ask(&PHASE, "Update", "several fields and parts", PHASE.update(mask, changed)).await;
    let set = json!({ "name": name("full"), "translations": { "en": "First" }, "investment": cny(0, 1) });
    golden.ask(&PHASE, "Update", "what is set, without a mask", PHASE.set(set)).await;
    let all = json!({ "name": name("full"), "display_name": "一", "order": 9 });
    let all = PHASE.update("*", all);
    golden.ask(&PHASE, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&PHASE, "Update", "what changes nothing", all).await;
    golden.ask(&PHASE, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&PHASE, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PHASE, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PHASE, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PHASE, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PHASE, "Delete", "with its etag", json!({ "name": name("other"), "etag": "10" })).await;
    // A request id and its digest are those of a body, whichever method it was for.
    let same = json!({ "name": name("other"), "request_id": "same" });
    golden.given(&PHASE.method("Undelete"), json!({ "name": name("other") })).await;
    golden.ask(&PHASE, "Delete", "under a request id", same.clone()).await;
    golden.ask(&PHASE, "Undelete", "the same under the same request id", same).await;
    let tried = json!({ "phase": { "name": name("minimal"), "scale": "9" }, "validate_only": true });
    golden.ask(&PHASE, "Update", "tried only", tried).await;
    golden.ask(&PHASE, "List", "all of them", json!({ "parent": PROJECT, "show_deleted": true })).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    golden.given_project("wsc", "y", json!({})).await;
    golden.given_portfolio("lj").await;
    golden.given_project("lj", "x", json!({})).await;
    for (parent, order) in [("wsc/projects/y", 9), ("lj/projects/x", 7)] {
        let request = create(&format!("portfolios/{parent}"), "full", numbered(order));
        golden.given(&PHASE.method("Create"), request).await;
    }
    let parents = [PROJECT, "portfolios/wsc/projects/-", "portfolios/-/projects/-"];
    let filter = "order > 1 AND display_name = \"*期\"";
    golden.all_pages(&PHASE, &parents, &["name", "order"], filter).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let mut wrong = json!({
        "name": "portfolios/wsc/phases/x", "etag": "four",
        "display_name": " 一期\n", "translations": { "e": "", "en": "x ", "EN": "y" }, "order": -1,
        "planned_period": { "start_date": date(2021, 2, 30), "end_date": date(2021, 2, 0) },
        "actual_period": { "start_date": date(2021, 5, 2), "end_date": date(2021, 5, 1) },
        "investment": { "currency_code": "XYZ", "units": "-1", "nanos": 1 }, "scale": "\u{7}",
    });
    let mut request = create("portfolios/wsc/projects/-", "ÄÖ", wrong.clone());
    request["request_id"] = json!("a b");
    golden.ask(&PHASE, "Create", "everything", request).await;
    golden.ask(&PHASE, "Create", "nothing", json!({})).await;
    golden.ask(&PHASE, "Create", "a message without anything", create("", "-", json!({}))).await;
    let mut request = PHASE.update("*", wrong.clone());
    request["request_id"] = json!("地");
    golden.ask(&PHASE, "Update", "everything", request).await;
    golden.ask(&PHASE, "Update", "what is set", PHASE.set(wrong.clone())).await;
    wrong["investment"] = cny(-1, -1_000_000_000);
    golden.ask(&PHASE, "Update", "by a mask", PHASE.update("investment,scale,planned_period", wrong)).await;
    let period = json!({
        "name": name("full"), "investment": cny(-1, 0),
        "planned_period": { "start_date": date(2021, 5, 2), "end_date": date(2021, 5, 1) },
    });
    golden.ask(&PHASE, "Update", "a period by its ends", PHASE.set(period)).await;
    let backwards = json!({ "name": name("minimal"), "planned_period": {
        "start_date": date(2021, 5, 2), "end_date": date(2021, 5, 1),
    } });
    golden.ask(&PHASE, "Update", "a period that ends before it starts", PHASE.set(backwards)).await;
    golden.ask(&PHASE, "Update", "nothing", json!({})).await;
    let mask = "name,etag,create_time,nome,*,display_name,scale.x,planned_period.start_date,delete_time";
    golden.ask(&PHASE, "Update", "a mask", PHASE.update(mask, json!({ "name": "x", "order": -1 }))).await;
    golden.target_faults(&PHASE, &name("full")).await;

    golden.chapter("Lists that are refused");
    for parent in ["", "portfolios/-", "portfolios/-/projects/x", "projects/x", "portfolios/WSC/projects/-"] {
        let request = json!({ "parent": parent, "page_size": -1 });
        golden.ask(&PHASE, "List", &format!("the parent {parent:?}"), request).await;
    }
    golden.list_refusals(&PHASE, &json!({ "parent": PROJECT }), "order, name").await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&PHASE, "Create", "a name that is taken", create(PROJECT, "full", numbered(5))).await;
    golden
        .ask(&PHASE, "Create", "a name that a deleted one has", create(PROJECT, "other", numbered(5)))
        .await;
    golden.standard_refusals(&PHASE, &name("minimal"), &name("other"), &json!({ "scale": "x" })).await;
    golden.again(&PHASE, create(PROJECT, "again", numbered(4))).await;

    golden.ask(&PHASE, "Create", "an order that is taken", create(PROJECT, "new", numbered(9))).await;
    let taken = json!({ "name": name("minimal"), "order": 9 });
    golden.ask(&PHASE, "Update", "an order that is taken", PHASE.set(taken)).await;
    golden.given(&PHASE.method("Create"), create(PROJECT, "third", numbered(3))).await;
    golden.ask(&PHASE, "Undelete", "an order that is taken", json!({ "name": name("other") })).await;
    let mut future = numbered(5);
    future["actual_period"] = json!({ "start_date": date(2021, 5, 28), "end_date": date(2021, 5, 29) });
    golden.ask(&PHASE, "Create", "what has not happened", create(PROJECT, "new", future.clone())).await;
    future["name"] = json!(name("minimal"));
    golden.ask(&PHASE, "Update", "what has not happened", PHASE.set(future)).await;

    for parent in ["portfolios/wsc/projects/none", "portfolios/none/projects/x"] {
        let what = format!("in {parent}");
        golden.ask(&PHASE, "Create", &what, create(parent, "a", numbered(5))).await;
        golden.ask(&PHASE, "List", &what, json!({ "parent": parent })).await;
    }
    let parent = "portfolios/none/projects/-";
    golden.ask(&PHASE, "List", "in no portfolio", json!({ "parent": parent })).await;
    golden.given("ProjectService/DeleteProject", json!({ "name": "portfolios/lj/projects/x" })).await;
    in_deleted(golden, "in a deleted project").await;
    golden.given("PortfolioService/DeletePortfolio", json!({ "name": "portfolios/lj" })).await;
    in_deleted(golden, "in a deleted portfolio").await;
}

async fn in_deleted(golden: &mut Golden, what: &str) {
    let parent = "portfolios/lj/projects/x";
    let name = format!("{parent}/phases/full");
    golden.ask(&PHASE, "Create", what, create(parent, "new", numbered(5))).await;
    golden.ask(&PHASE, "Update", what, PHASE.set(json!({ "name": name, "scale": "x" }))).await;
    for verb in ["Delete", "Undelete", "Get"] {
        golden.ask(&PHASE, verb, what, json!({ "name": name })).await;
    }
    golden.ask(&PHASE, "List", what, json!({ "parent": parent })).await;
}
