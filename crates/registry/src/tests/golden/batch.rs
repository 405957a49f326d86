//! Batches: what is stored and sent, and requests that are wrong. What else is refused is in a file of its own.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, batch_refusals, cny, date};

pub(super) const BATCH: Noun = Noun { singular: "Batch", plural: "Batches", field: "batch" };
pub(super) const PORTFOLIO: &str = "portfolios/wsc";

pub(super) fn name(id: &str) -> String {
    format!("{PORTFOLIO}/batches/{id}")
}

pub(super) fn project(id: &str) -> String {
    format!("{PORTFOLIO}/projects/{id}")
}

pub(super) fn create(id: &str, batch: Value) -> Value {
    json!({ "parent": PORTFOLIO, "batch_id": id, "batch": batch })
}

pub(super) fn minimal() -> Value {
    json!({ "display_name": "集中开工", "start_date": date(2021, 5, 27) })
}

/// One with these members, for a method about them or for a creation.
pub(super) fn of(id: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|member| project(member)).collect();
    json!({ "name": name(id), "members": members })
}

fn full() -> Value {
    json!({
        "display_name": "二季度集中开工",
        "translations": { "en": "Second quarter", "zh-Hant": "二季度集中開工" },
        "start_date": date(2021, 5, 26),
        "place": "沙坪坝区",
        "declared_count": 0,
        "declared_investment": cny(99, 990_000_000),
        "members": [project("b"), project("a"), project("unknown")],
        "description": "第一行\n第二行",
        "labels": { "quarter": "二", "a": "" },
    })
}

#[tokio::test]
async fn batches_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    golden.given_project("wsc", "a", json!({ "investment": cny(5, 0) })).await;
    let dollars = json!({ "currency_code": "USD", "units": "7", "nanos": 250_000_000 });
    golden.given_project("wsc", "b", json!({ "investment": dollars })).await;
    for id in ["unknown", "late", "c", "d"] {
        golden.given_project("wsc", id, json!({})).await;
    }
    writes(&mut golden).await;
    members(&mut golden).await;
    pages(&mut golden).await;
    faults(&mut golden).await;
    golden.every_field(&BATCH, &json!({ "parent": PORTFOLIO }), &name("minimal")).await;
    batch_refusals::all(&mut golden).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.given_portfolio("wsc").await;
    golden.made(&BATCH.method("Create"), json!({ "parent": PORTFOLIO, "batch": minimal() })).await;
    golden.compare("batch");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&BATCH, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = BATCH.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let changed = json!({
        "name": name("full"), "etag": "9", "display_name": "开工", "start_date": date(2021, 5, 20),
        "declared_count": 7, "labels": { "b": "9" }, "place": "not named", "members": [project("c")],
    });
    let mask = "display_name,start_date,declared_count,labels,declared_investment";
    golden.ask(&BATCH, "Update", "several fields", BATCH.update(mask, changed)).await;
    let set = json!({
        "name": name("full"), "place": "北碚区", "members": [project("c")], "declared_investment": cny(0, 1),
    });
    golden.ask(&BATCH, "Update", "what is set, without a mask", BATCH.set(set)).await;
    let project = json!({ "name": project("unknown"), "investment": cny(1, 0) });
    golden.given("ProjectService/UpdateProject", json!({ "project": project })).await;
    golden.ask(&BATCH, "Get", "with what its members add up to now", json!({ "name": name("full") })).await;
    let mut all = minimal();
    all["name"] = json!(name("full"));
    let all = BATCH.update("*", all);
    golden.ask(&BATCH, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&BATCH, "Update", "what changes nothing", all).await;
    golden.ask(&BATCH, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&BATCH, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&BATCH, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&BATCH, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&BATCH, "Delete", "with its etag", json!({ "name": name("other"), "etag": "16" })).await;
    let tried = json!({ "batch": { "name": name("full"), "place": "9" }, "validate_only": true });
    golden.ask(&BATCH, "Update", "tried only", tried).await;
    golden.ask(&BATCH, "List", "all of them", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
}

async fn members(golden: &mut Golden) {
    golden.chapter("Members, the start and the end");
    let (add, remove) = ("BatchService/AddBatchMembers", "BatchService/RemoveBatchMembers");
    golden.call("two, one of them a member already", add, of("full", &["b", "late", "late"])).await;
    golden.call("none that is new", add, of("full", &["a"])).await;
    golden.call("two, one of them no member", remove, of("full", &["c", "b"])).await;
    golden.call("none that is one", remove, of("full", &["b"])).await;
    golden.ask(&BATCH, "Start", "with three members", json!({ "name": name("full") })).await;
    golden.ask(&BATCH, "Get", "one that started", json!({ "name": name("full") })).await;
    golden.call("two, of which one joins", add, of("full", &["a", "b"])).await;
    let empty = create("empty", minimal());
    golden.given(&BATCH.method("Create"), empty).await;
    golden.ask(&BATCH, "Start", "without members", json!({ "name": name("empty") })).await;
    let given_up =
        json!({ "display_name": "取消", "start_date": date(2021, 5, 1), "members": [project("d")] });
    golden.given(&BATCH.method("Create"), create("given-up", given_up)).await;
    let cancel = json!({ "name": name("given-up"), "reason": "天气\n不好" });
    golden.ask(&BATCH, "Cancel", "for a reason", cancel).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    golden.given_portfolio("lj").await;
    for (id, day) in [("full", 27), ("a", 28)] {
        let batch = json!({ "display_name": "桥", "start_date": date(2021, 5, day) });
        let request = json!({ "parent": "portfolios/lj", "batch_id": id, "batch": batch });
        golden.given(&BATCH.method("Create"), request).await;
    }
    let filter = "start_date < \"2021-05-27\" AND display_name = \"*开工\"";
    golden.all_pages(&BATCH, &[PORTFOLIO, "portfolios/-"], &["name", "start_date"], filter).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let wrong = json!({
        "name": "batches/x", "etag": "", "display_name": "x\n", "translations": { "x": "x" },
        "start_date": date(2021, 2, 30), "place": " ", "declared_count": -1,
        "declared_investment": { "currency_code": "", "units": "1" }, "description": " x",
        "labels": { "-": "x", "k": " x" },
        "members": [project("-"), project("a"), "portfolios/lj/projects/a", "", project("a")],
    });
    let mut request = create("b-", wrong.clone());
    request["request_id"] = json!("a b");
    golden.ask(&BATCH, "Create", "everything", request.clone()).await;
    request["parent"] = json!("portfolios/-");
    golden.ask(&BATCH, "Create", "everything, the parent too", request).await;
    golden.ask(&BATCH, "Create", "nothing", json!({})).await;
    golden.ask(&BATCH, "Create", "a message without anything", create("", json!({}))).await;
    golden.ask(&BATCH, "Update", "everything", BATCH.update("*", wrong.clone())).await;
    golden.ask(&BATCH, "Update", "what is set", BATCH.set(wrong.clone())).await;
    golden.ask(&BATCH, "Update", "by a mask", BATCH.update("start_date,place", wrong)).await;
    golden.ask(&BATCH, "Update", "nothing", json!({})).await;
    let mask = "name,etag,members,state,registered_count,registered_investments,\
                registered_without_investment_count,update_time,nome,*,start_date.year,delete_time";
    golden.ask(&BATCH, "Update", "a mask", BATCH.update(mask, json!({ "name": "x" }))).await;
    golden.target_faults(&BATCH, &name("full")).await;
    for verb in ["Start", "Cancel"] {
        let mut wrong = json!({ "name": name("-"), "etag": "x", "request_id": " " });
        if verb == "Cancel" {
            wrong["reason"] = json!("\u{7}");
        }
        golden.ask(&BATCH, verb, "everything", wrong).await;
        golden.ask(&BATCH, verb, "nothing", json!({})).await;
    }
    for method in ["BatchService/AddBatchMembers", "BatchService/RemoveBatchMembers"] {
        let members = json!(["x", "portfolios/lj/projects/x"]);
        let wrong = json!({ "name": name("full"), "etag": "x", "request_id": " ", "members": members });
        golden.call("everything but the name", method, wrong).await;
        golden.call("everything", method, json!({ "name": "x", "etag": "x", "members": members })).await;
        golden.call("nothing", method, json!({})).await;
        let many: Vec<_> = (0..10_001).map(|i| project(&format!("p{i}"))).collect();
        golden.call("too many", method, json!({ "name": name("full"), "members": many })).await;
    }

    golden.chapter("Lists that are refused");
    for parent in ["", "portfolios", "portfolios/wsc/projects/x", "portfolios/WSC"] {
        let request = json!({ "parent": parent, "page_size": -1 });
        golden.ask(&BATCH, "List", &format!("the parent {parent:?}"), request).await;
    }
    golden.list_refusals(&BATCH, &json!({ "parent": PORTFOLIO }), "start_date, name").await;
}
