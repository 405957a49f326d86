//! Assignments: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, date};

const ASSIGNMENT: Noun = Noun { singular: "Assignment", plural: "Assignments", field: "assignment" };
const PORTFOLIO: &str = "portfolios/wsc";
const ROAD: &str = "portfolios/wsc/projects/road";

fn name(id: &str) -> String {
    format!("{ROAD}/assignments/{id}")
}

fn create(id: &str, assignment: Value) -> Value {
    json!({ "parent": ROAD, "assignment_id": id, "assignment": assignment })
}

fn minimal() -> Value {
    json!({ "person": "user:corp/a" })
}

fn full() -> Value {
    json!({
        "person": "user:corp/b",
        "organization": "organizations/cqu",
        "lead": true,
        "start_date": date(2021, 5, 1),
        "end_date": date(2021, 12, 31),
        "note": "第一行\n第二行",
    })
}

#[tokio::test]
async fn assignments_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    given(&mut golden).await;
    writes(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    let orders = ["name", "person"];
    golden.all_pages(&ASSIGNMENT, &[ROAD, "portfolios/wsc/projects/-"], &orders, "lead = true").await;
    golden.every_field(&ASSIGNMENT, &json!({ "parent": ROAD }), &name("minimal")).await;
    golden.close().await;
    golden.turn_to(Registry::open().await);
    given(&mut golden).await;
    let made = json!({ "parent": ROAD, "assignment": minimal() });
    golden.made(&ASSIGNMENT.method("Create"), made).await;
    golden.compare("assignment");
}

async fn given(golden: &mut Golden) {
    golden.given_portfolio("wsc").await;
    golden.given_organization("cqu").await;
    golden.given_project("wsc", "road", json!({})).await;
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&ASSIGNMENT, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = ASSIGNMENT.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    let change = json!({ "name": name("full"), "note": "", "end_date": date(2021, 11, 30) });
    golden.ask(&ASSIGNMENT, "Update", "several fields", ASSIGNMENT.update("note,end_date", change)).await;
    golden.ask(&ASSIGNMENT, "Get", "one of two", json!({ "name": name("full") })).await;
    let hand_over = json!({
        "name": name("full"), "person": "user:corp/c", "organization": "organizations/cqu",
        "date": date(2021, 5, 20), "reason": "调动", "successor_id": "next",
    });
    golden.ask(&ASSIGNMENT, "HandOver", "on a day", hand_over.clone()).await;
    golden.ask(&ASSIGNMENT, "HandOver", "one that was handed over", hand_over).await;
    golden.ask(&ASSIGNMENT, "Get", "the successor", json!({ "name": name("next") })).await;
    let officers = "AssignmentService/ListOfficers";
    golden.call("by workload", officers, json!({ "portfolio": PORTFOLIO })).await;
    let first = json!({ "portfolio": PORTFOLIO, "page_size": 1, "date": date(2021, 5, 27) });
    golden.call("a page of them", officers, first).await;
    let end = json!({ "name": name("minimal"), "reason": "完成" });
    golden.ask(&ASSIGNMENT, "End", "today", end.clone()).await;
    golden.ask(&ASSIGNMENT, "End", "one that has ended", end).await;
    golden.ask(&ASSIGNMENT, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&ASSIGNMENT, "List", "all", json!({ "parent": ROAD, "show_deleted": true })).await;
    golden.ask(&ASSIGNMENT, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.given(&ASSIGNMENT.method("Delete"), json!({ "name": name("minimal") })).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "person": "wang@corp.cn", "organization": "x",
        "start_date": date(2021, 2, 30), "end_date": date(2021, 13, 1), "note": "\u{7}",
    });
    golden.ask(&ASSIGNMENT, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&ASSIGNMENT, "Create", "nothing", json!({})).await;
    golden.ask(&ASSIGNMENT, "Update", "everything", ASSIGNMENT.update("*", wrong)).await;
    golden.target_faults(&ASSIGNMENT, &name("next")).await;
    let change = json!({ "note": "x" });
    golden.standard_refusals(&ASSIGNMENT, &name("next"), &name("minimal"), &change).await;
    for person in ["x".repeat(201), "a b".to_owned(), "group:corp/x".to_owned()] {
        golden.ask(&ASSIGNMENT, "Create", "no person", create("new", json!({ "person": person }))).await;
    }
    let of_nobody = json!({ "person": "user:corp/d", "organization": "organizations/none" });
    golden.ask(&ASSIGNMENT, "Create", "of an organization that is not there", create("new", of_nobody)).await;
    let twice = json!({ "person": "user:corp/c", "lead": true });
    golden.ask(&ASSIGNMENT, "Create", "twice at once, with two leads", create("new", twice)).await;
    let wrong = json!({
        "name": "x", "etag": "x", "person": "a@b", "organization": "x", "date": date(2021, 2, 30),
        "successor_id": "Ä", "request_id": " ",
    });
    golden.ask(&ASSIGNMENT, "HandOver", "everything", wrong).await;
    golden.ask(&ASSIGNMENT, "HandOver", "nothing", json!({})).await;
    let same =
        json!({ "name": name("next"), "person": "user:corp/c", "date": date(2021, 5, 1), "reason": "x" });
    golden.ask(&ASSIGNMENT, "HandOver", "to the same, before its first day", same).await;
    let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "reason": "\u{7}" });
    golden.ask(&ASSIGNMENT, "End", "everything", wrong).await;
    let future = json!({ "name": name("next"), "date": date(2021, 5, 28) });
    golden.ask(&ASSIGNMENT, "End", "on a day to come", future).await;
    let officers = "AssignmentService/ListOfficers";
    let wrong = json!({ "portfolio": "x", "date": date(2021, 2, 30), "page_size": -1 });
    golden.call("everything", officers, wrong).await;
    let token = json!({ "portfolio": PORTFOLIO, "page_token": "nonsense" });
    golden.call("a token that is none", officers, token).await;
}
