//! Annual lists, and adjustments of plans: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, cny, date};

const LIST: Noun = Noun { singular: "AnnualList", plural: "AnnualLists", field: "annual_list" };
const PORTFOLIO: &str = "portfolios/wsc";

fn name(year: &str) -> String {
    format!("{PORTFOLIO}/annualLists/{year}")
}

fn project(id: &str) -> String {
    format!("{PORTFOLIO}/projects/{id}")
}

fn create(year: &str, list: Value) -> Value {
    json!({ "parent": PORTFOLIO, "annual_list_id": year, "annual_list": list })
}

fn of(year: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|member| project(member)).collect();
    json!({ "name": name(year), "members": members })
}

fn full() -> Value {
    json!({
        "members": [
            { "project": project("a"), "listing": "LISTING_NEW_START" },
            { "project": project("b") },
        ],
        "declared": [
            { "category": "all", "count": 343 },
            { "category": "重点项目", "count": 169, "investment": cny(64_740_000_000, 0) },
        ],
        "description": "项目建设年",
        "labels": { "source": "公报" },
    })
}

#[tokio::test]
async fn annual_lists_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    golden.given_project("wsc", "a", json!({ "investment": cny(5, 0), "key": true })).await;
    for id in ["b", "c"] {
        golden.given_project("wsc", id, json!({ "listing": "LISTING_CONTINUED" })).await;
    }
    writes(&mut golden).await;
    plans(&mut golden).await;
    faults(&mut golden).await;
    golden.close().await;
    golden.compare("annual_list");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&LIST, "Create", "no more than it must have", create("2020", json!({}))).await;
    let by = LIST.method("Create");
    golden.call_signed("every field, by somebody", &by, create("2021", full())).await;
    golden.given(&by, create("2022", full())).await;
    let changed = json!({ "name": name("2021"), "declared": [{ "category": "all", "count": 0 }] });
    golden.ask(&LIST, "Update", "what was declared", LIST.update("declared,labels", changed)).await;
    let (add, remove) =
        ("AnnualListService/AddAnnualListMembers", "AnnualListService/RemoveAnnualListMembers");
    let mut added = of("2021", &["b", "c", "c"]);
    added["listing"] = json!("LISTING_COMPLETED");
    golden.call("two, one of them a member already", add, added).await;
    golden.call("none that is new", add, of("2021", &["a"])).await;
    golden.call("two, one of them no member", remove, of("2021", &["b", "x"])).await;
    golden.ask(&LIST, "Get", "one that is there", json!({ "name": name("2021") })).await;
    golden.ask(&LIST, "Delete", "one", json!({ "name": name("2022") })).await;
    golden.ask(&LIST, "Undelete", "one", json!({ "name": name("2022") })).await;
    golden.ask(&LIST, "List", "all of them", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
    golden.chapter("Pages, and the tokens between them");
    let filter = "members.project:\"portfolios/wsc/projects/a\"";
    golden.all_pages(&LIST, &[PORTFOLIO, "portfolios/-"], &["name"], filter).await;
}

async fn plans(golden: &mut Golden) {
    golden.chapter("Plans");
    let adjust = "ProjectService/AdjustAnnualPlan";
    let plan = json!({
        "year": 2021,
        "investment": cny(100, 0),
        "content": "土建",
        "schedule": [{ "date": date(2021, 6, 30), "cumulative": cny(40, 0) }],
        "funds": cny(30, 500_000_000),
        "reported_date": date(2021, 5, 1),
    });
    let request = json!({
        "name": project("a"), "annual_plan": plan, "reason": "年初下达", "date": date(2021, 5, 2),
    });
    golden.call("a new one", adjust, request.clone()).await;
    golden.call("the same again", adjust, request).await;
    let plan = json!({ "year": 2021, "investment": cny(80, 0) });
    let request = json!({ "name": project("a"), "annual_plan": plan, "reason": "年中调整" });
    golden.call("one that takes its place", adjust, request).await;
    let reports = json!({
        "name": project("a"),
        "completed_investments": [{
            "period": { "start_date": date(2021, 1, 1), "end_date": date(2021, 4, 30) },
            "amount": cny(20, 0), "reported_date": date(2021, 5, 10),
        }],
        "received_funds": [{
            "period": { "start_date": date(2021, 1, 1), "end_date": date(2021, 3, 31) }, "amount": cny(7, 0),
        }],
        "enrolment_date": date(2021, 5, 20),
    });
    golden.call("what was reported", "ProjectService/UpdateProject", json!({ "project": reports })).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "members": [
            { "project": project("a") }, { "project": project("a"), "listing": 9 },
            { "project": "portfolios/lj/projects/x" }, { "project": "a" }, {},
        ],
        "declared": [
            { "category": "all", "count": -1, "investment": cny(-1, 0) }, { "category": "a\n" }, {},
        ],
        "description": "\u{7}",
    });
    golden.ask(&LIST, "Create", "everything", create("y2021", wrong)).await;
    golden.ask(&LIST, "Create", "nothing", json!({})).await;
    let twice = json!({ "declared": [{ "category": "all" }, { "category": "all" }] });
    golden.ask(&LIST, "Create", "a category twice", create("2023", twice)).await;
    golden.ask(&LIST, "Create", "a year that is taken", create("2021", json!({}))).await;
    let unknown = json!({ "members": [{ "project": project("x") }, { "project": project("y") }] });
    golden.ask(&LIST, "Create", "members that are not there", create("2023", unknown)).await;
    golden
        .call("members that are not there", "AnnualListService/AddAnnualListMembers", of("2021", &["x", "y"]))
        .await;
    golden.call("no members", "AnnualListService/AddAnnualListMembers", of("2021", &[])).await;
    golden.call("no plan", "ProjectService/AdjustAnnualPlan", json!({ "name": project("a") })).await;
    golden.ask(&LIST, "Get", "no year", json!({ "name": name("x") })).await;
    golden.list_refusals(&LIST, &json!({ "parent": PORTFOLIO }), "name, name").await;
}
