//! Service requests: what is stored, sent and refused.

use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1 as registry;
use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, ROAD, Tracker, compare, date};

const REQUEST: Noun =
    Noun { singular: "ServiceRequest", plural: "ServiceRequests", field: "service_request" };

fn name(id: &str) -> String {
    format!("{ROAD}/serviceRequests/{id}")
}

fn create(id: &str, request: Value) -> Value {
    json!({ "parent": ROAD, "service_request_id": id, "service_request": request })
}

fn minimal() -> Value {
    json!({ "title": "用地", "requester_organization": "organizations/cqu" })
}

fn full() -> Value {
    json!({
        "title": "施工许可",
        "text": "第一行\n第二行",
        "requester": "user:corp/wang",
        "requester_organization": "organizations/cqu",
        "request_date": date(2021, 5, 6),
        "due_date": date(2021, 5, 20),
        "labels": { "topic": "permit", "a": "" },
    })
}

/// The officer of the road from May on.
fn officer(person: &str) -> Resource {
    let day = |day| Some(milepost_proto::google::r#type::Date { year: 2021, month: 5, day });
    Resource::AssignmentResource(registry::Assignment {
        name: format!("{ROAD}/assignments/a"),
        person: person.to_owned(),
        state: registry::assignment::State::Assigned.into(),
        start_date: day(1),
        ..registry::Assignment::default()
    })
}

#[tokio::test]
async fn service_requests_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    writes(&mut golden).await;
    acts(&mut golden).await;
    days(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    let parents = [ROAD, "portfolios/wsc/projects/-"];
    golden.all_pages(&REQUEST, &parents, &["name", "due_date"], "state = STATE_OPEN").await;
    golden.every_field(&REQUEST, &json!({ "parent": ROAD }), &name("full")).await;
    golden.close().await;
    golden.turn_to(Tracker::open().await);
    let made = json!({ "parent": ROAD, "service_request": minimal() });
    golden.made(&REQUEST.method("Create"), made).await;
    compare(&golden, "service_request");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&REQUEST, "Create", "no more than it must have", create("minimal", minimal())).await;
    golden.subject.say("milepost.assignment.created", officer("user:corp/a")).await;
    golden.happened("its project has an officer");
    let by = REQUEST.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let change = json!({ "name": name("full"), "text": "", "due_date": date(2021, 5, 21) });
    golden.ask(&REQUEST, "Update", "several fields", REQUEST.update("text,due_date", change)).await;
    golden.ask(&REQUEST, "Get", "one", json!({ "name": name("full") })).await;
    golden.ask(&REQUEST, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&REQUEST, "List", "all", json!({ "parent": ROAD, "show_deleted": true })).await;
    golden.ask(&REQUEST, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.given(&REQUEST.method("Delete"), json!({ "name": name("minimal") })).await;
}

async fn acts(golden: &mut Golden) {
    golden.chapter("What is done to them");
    let of = |more: Value| {
        let mut request = more;
        request["name"] = json!(name("full"));
        request
    };
    let day = |day| json!({ "date": date(2021, 5, day) });
    golden.ask(&REQUEST, "Accept", "on a day", of(day(7))).await;
    let pause = json!({ "code": "waits", "reason": "等资料", "date": date(2021, 5, 7) });
    golden.ask(&REQUEST, "Pause", "on a day", of(pause.clone())).await;
    golden.ask(&REQUEST, "Pause", "one that is paused", of(pause)).await;
    golden.ask(&REQUEST, "Answer", "one that is paused", of(json!({ "text": "x" }))).await;
    golden.ask(&REQUEST, "Resume", "on a day", of(day(11))).await;
    golden.ask(&REQUEST, "Resume", "one that is not paused", of(json!({}))).await;
    golden
        .ask(&REQUEST, "Answer", "on a day", of(json!({ "text": "已办", "date": date(2021, 5, 12) })))
        .await;
    golden.ask(&REQUEST, "Return", "today", of(json!({ "reason": "不完整" }))).await;
    golden.ask(&REQUEST, "Answer", "again", of(json!({ "text": "补办" }))).await;
    golden.ask(&REQUEST, "Rate", "today", of(json!({ "rating": 5, "comment": "很好" }))).await;
    golden.ask(&REQUEST, "Rate", "one that is closed", of(json!({ "rating": 1 }))).await;
    golden.ask(&REQUEST, "Withdraw", "one that is closed", of(json!({}))).await;
    let statistics = json!({
        "parent": "portfolios/wsc/projects/-", "from_date": date(2021, 5, 1), "to_date": date(2021, 5, 31),
    });
    golden.call("of a month", "ServiceRequestService/GetServiceRequestStatistics", statistics).await;
}

async fn days(golden: &mut Golden) {
    golden.chapter("What days bring, and another officer");
    let urgent = json!({ "title": "急件", "requester": "wang", "due_date": date(2021, 5, 12) });
    golden.ask(&REQUEST, "Create", "that is overdue at once", create("urgent", urgent)).await;
    golden.subject.say("milepost.assignment.updated", officer("user:corp/b")).await;
    golden.happened("another officer leads");
    let withdraw = json!({ "name": name("urgent"), "reason": "已解决" });
    golden.ask(&REQUEST, "Withdraw", "one", withdraw).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "title": "", "text": "\u{7}", "requester": "wang@corp.cn",
        "requester_organization": "x", "request_date": date(2021, 2, 30), "due_date": date(2021, 13, 1),
        "labels": { "A": "" },
    });
    golden.ask(&REQUEST, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&REQUEST, "Create", "nothing", json!({})).await;
    golden.ask(&REQUEST, "Update", "everything", REQUEST.update("*", wrong)).await;
    golden.target_faults(&REQUEST, &name("other")).await;
    let change = json!({ "text": "x" });
    golden.standard_refusals(&REQUEST, &name("other"), &name("minimal"), &change).await;
    for requester in ["x".repeat(201), "a b".to_owned(), "group:corp/x".to_owned()] {
        let request = json!({ "title": "x", "requester": requester });
        golden.ask(&REQUEST, "Create", "of no person", create("new", request)).await;
    }
    golden.ask(&REQUEST, "Create", "of nobody", create("new", json!({ "title": "x" }))).await;
    let future = json!({ "title": "x", "requester": "wang", "request_date": date(2021, 5, 14) });
    golden.ask(&REQUEST, "Create", "made tomorrow", create("new", future)).await;
    for verb in ["Accept", "Answer", "Return", "Rate", "Withdraw", "Pause", "Resume"] {
        let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
        golden.ask(&REQUEST, verb, "everything", wrong).await;
        golden.ask(&REQUEST, verb, "nothing", json!({})).await;
    }
    let early = json!({ "name": name("other"), "date": date(2021, 5, 5) });
    golden.ask(&REQUEST, "Accept", "before it was made", early).await;
    let late = json!({ "name": name("other"), "date": date(2021, 5, 14) });
    golden.ask(&REQUEST, "Accept", "on a day to come", late).await;
    golden.ask(&REQUEST, "Rate", "beyond 5", json!({ "name": name("other"), "rating": 6 })).await;
    let code = json!({ "name": name("other"), "reason": "x", "code": "x".repeat(65) });
    golden.ask(&REQUEST, "Pause", "a code that is too long", code).await;
    let wrong = json!({ "parent": "portfolios/-/projects/-", "to_date": date(2021, 2, 30) });
    golden.call("everything", "ServiceRequestService/GetServiceRequestStatistics", wrong).await;
    let reversed = json!({ "parent": ROAD, "from_date": date(2021, 5, 2), "to_date": date(2021, 5, 1) });
    golden.call("days in reverse", "ServiceRequestService/GetServiceRequestStatistics", reversed).await;
}
