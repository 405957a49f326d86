//! Inspections, findings and rectification orders: what is stored, sent and refused.

use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, ROAD, Tracker, compare, date};

const INSPECTION: Noun = Noun { singular: "Inspection", plural: "Inspections", field: "inspection" };
const FINDING: Noun = Noun { singular: "Finding", plural: "Findings", field: "finding" };
const ORDER: Noun =
    Noun { singular: "RectificationOrder", plural: "RectificationOrders", field: "rectification_order" };

fn inspection(id: &str) -> String {
    format!("{ROAD}/inspections/{id}")
}

fn finding(id: &str) -> String {
    format!("{ROAD}/findings/{id}")
}

fn order(id: &str) -> String {
    format!("{ROAD}/rectificationOrders/{id}")
}

fn create(noun: &Noun, id: &str, resource: Value) -> Value {
    let id_field = format!("{}_id", noun.field);
    json!({ "parent": ROAD, id_field: id, noun.field: resource })
}

fn planned(kind: &str) -> Value {
    json!({ "title": "日常巡查", "kind": kind, "aspects": ["ASPECT_QUALITY", "ASPECT_SAFETY"] })
}

fn found(severity: &str) -> Value {
    json!({
        "inspection": inspection("daily"), "title": "临边防护缺失", "aspect": "ASPECT_SAFETY", "severity": severity,
    })
}

fn issued(findings: &[&str]) -> Value {
    let findings: Vec<_> = findings.iter().map(|id| finding(id)).collect();
    json!({
        "title": "限期整改", "findings": findings, "responsible": "organizations/builder",
        "due_date": date(2021, 5, 17),
    })
}

fn document() -> Value {
    json!({ "title": "照片", "uri": "https://example.org/p", "sha256": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" })
}

/// What a method is asked for a resource, with what else it asks for.
fn of(name: String, mut more: Value) -> Value {
    more["name"] = json!(name);
    more
}

#[tokio::test]
async fn inspections_findings_and_orders_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    inspections(&mut golden).await;
    findings(&mut golden).await;
    orders(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    let parents = [ROAD, "portfolios/wsc/projects/-"];
    golden.all_pages(&INSPECTION, &parents, &["name", "inspection_date"], "state = STATE_DONE").await;
    golden.all_pages(&FINDING, &parents, &["name", "finding_date"], "state = STATE_OPEN").await;
    let orders = ["name", "due_date", "responsible"];
    golden.all_pages(&ORDER, &parents, &orders, "light = LIGHT_BLUE").await;
    golden.every_field(&INSPECTION, &json!({ "parent": ROAD }), &inspection("daily")).await;
    golden.every_field(&FINDING, &json!({ "parent": ROAD }), &finding("open")).await;
    golden.every_field(&ORDER, &json!({ "parent": ROAD }), &order("first")).await;
    golden.close().await;
    golden.turn_to(Tracker::open().await);
    let made = json!({ "parent": ROAD, "inspection": planned("KIND_SPECIAL") });
    golden.made(&INSPECTION.method("Create"), made).await;
    compare(&golden, "supervision");
}

async fn inspections(golden: &mut Golden) {
    golden.chapter("Inspections");
    let mut full = planned("KIND_DAILY");
    full["text"] = json!("第一行\n第二行");
    full["planned_date"] = date(2021, 5, 6);
    full["inspectors"] = json!(["user:corp/wang", "unit-7"]);
    full["labels"] = json!({ "topic": "safety", "a": "" });
    let by = INSPECTION.method("Create");
    golden.call_signed("every field, by somebody", &by, create(&INSPECTION, "daily", full)).await;
    golden
        .ask(
            &INSPECTION,
            "Complete",
            "on a day",
            of(inspection("daily"), json!({ "date": date(2021, 5, 6) })),
        )
        .await;
    golden.ask(&INSPECTION, "Complete", "one that is done", of(inspection("daily"), json!({}))).await;
    let mut follow_up = planned("KIND_FOLLOW_UP");
    follow_up["follows"] = json!(inspection("daily"));
    golden.ask(&INSPECTION, "Create", "a follow-up", create(&INSPECTION, "after", follow_up.clone())).await;
    let change = json!({ "name": inspection("after"), "planned_date": date(2021, 5, 12) });
    golden.ask(&INSPECTION, "Update", "a day", INSPECTION.update("planned_date", change)).await;
    let reported = json!({ "date": date(2021, 5, 12), "reported_date": date(2021, 5, 13) });
    golden.ask(&INSPECTION, "Complete", "reported later", of(inspection("after"), reported)).await;
    golden.given(&by, create(&INSPECTION, "rain", planned("KIND_SPECIAL"))).await;
    golden
        .ask(&INSPECTION, "Cancel", "for a reason", of(inspection("rain"), json!({ "reason": "暴雨" })))
        .await;
    golden.ask(&INSPECTION, "Delete", "one", json!({ "name": inspection("rain") })).await;
    golden.ask(&INSPECTION, "List", "all", json!({ "parent": ROAD, "show_deleted": true })).await;
}

async fn findings(golden: &mut Golden) {
    golden.chapter("Findings");
    let mut full = found("SEVERITY_MAJOR");
    full["text"] = json!("三层东侧");
    full["responsible"] = json!("organizations/builder");
    full["finding_date"] = date(2021, 5, 7);
    full["reported_date"] = date(2021, 5, 8);
    full["labels"] = json!({ "floor": "3" });
    golden.ask(&FINDING, "Create", "every field", create(&FINDING, "grave", full)).await;
    for id in ["minor", "open", "none"] {
        golden.given(&FINDING.method("Create"), create(&FINDING, id, found("SEVERITY_MINOR"))).await;
    }
    let method = "FindingService/AddFindingEvidence";
    golden.call("one", method, of(finding("grave"), json!({ "evidence": document() }))).await;
    let withdraw = json!({ "reason": "重复", "date": date(2021, 5, 9) });
    golden.ask(&FINDING, "Withdraw", "on a day", of(finding("none"), withdraw)).await;
    let change = json!({ "name": finding("open"), "severity": "SEVERITY_OBSERVATION" });
    golden.ask(&FINDING, "Update", "its severity", FINDING.update("severity", change)).await;
    golden.ask(&FINDING, "Get", "one", json!({ "name": finding("open") })).await;
}

async fn orders(golden: &mut Golden) {
    golden.chapter("Rectification orders");
    let by = ORDER.method("Create");
    let mut full = issued(&["grave", "minor"]);
    full["text"] = json!("全面整改");
    full["stop_work"] = json!(true);
    full["issue_date"] = date(2021, 5, 9);
    full["labels"] = json!({ "a": "" });
    golden.call_signed("every field, by somebody", &by, create(&ORDER, "first", full)).await;
    golden
        .ask(&FINDING, "Withdraw", "one that is ordered", of(finding("grave"), json!({ "reason": "x" })))
        .await;
    golden.ask(&ORDER, "Answer", "by nobody", of(order("first"), json!({ "text": "x" }))).await;
    let answer = json!({ "text": "已整改", "evidence": [document()], "date": date(2021, 5, 10) });
    let method = "RectificationOrderService/AnswerRectificationOrder";
    golden.call_signed("on a day", method, of(order("first"), answer)).await;
    let back = json!({ "verdict": "VERDICT_RETURN", "reason": "不完整", "date": date(2021, 5, 11) });
    golden.ask(&ORDER, "Review", "and return it", of(order("first"), back)).await;
    let ask = json!({ "due_date": date(2021, 5, 24), "reason": "雨天", "date": date(2021, 5, 11) });
    let request = "RectificationOrderService/RequestRectificationOrderExtension";
    golden.call_signed("on a day", request, of(order("first"), ask)).await;
    golden.ask(&ORDER, "Extend", "today", of(order("first"), json!({ "reason": "同意" }))).await;
    golden.call_signed("again", method, of(order("first"), json!({ "text": "补充整改" }))).await;
    let accept = json!({ "verdict": "VERDICT_ACCEPT" });
    golden.ask(&ORDER, "Review", "without a follow-up", of(order("first"), accept.clone())).await;
    golden.ask(&ORDER, "Withdraw", "for a reason", of(order("first"), json!({ "reason": "误发" }))).await;
    golden.ask(&ORDER, "Create", "again", create(&ORDER, "second", issued(&["minor"]))).await;
    golden.call_signed("on the day of issue", method, of(order("second"), json!({ "text": "已整改" }))).await;
    golden.ask(&ORDER, "Review", "and accept it", of(order("second"), accept)).await;
    golden.ask(&ORDER, "Delete", "one", json!({ "name": order("first") })).await;
    golden.ask(&ORDER, "Undelete", "one", json!({ "name": order("first") })).await;
    golden.given(&by, create(&ORDER, "live", issued(&["open"]))).await;
    let change = json!({ "name": order("live"), "title": "立即整改" });
    golden.ask(&ORDER, "Update", "its title", ORDER.update("title", change)).await;
    golden.ask(&ORDER, "List", "all", json!({ "parent": ROAD })).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "title": "", "text": "\u{7}", "kind": 9, "aspects": [9, 1, 1], "labels": { "A": "" },
        "planned_date": date(2021, 2, 30), "inspectors": ["a@b.cn", "x", "x"], "follows": "x",
    });
    golden.ask(&INSPECTION, "Create", "everything", create(&INSPECTION, "-", wrong.clone())).await;
    golden.ask(&INSPECTION, "Update", "everything", INSPECTION.update("*", wrong)).await;
    let wrong = json!({
        "name": "x", "etag": "x", "inspection": "x", "title": "", "text": "\u{7}", "aspect": 9, "severity": 9,
        "responsible": "x", "finding_date": date(2021, 2, 30), "reported_date": date(2021, 13, 1), "labels": { "A": "" },
    });
    golden.ask(&FINDING, "Create", "everything", create(&FINDING, "-", wrong.clone())).await;
    golden.ask(&FINDING, "Update", "everything", FINDING.update("*", wrong)).await;
    let wrong = json!({
        "name": "x", "etag": "x", "title": "", "text": "\u{7}", "findings": ["x", "y", "y"], "responsible": "x",
        "due_date": date(2021, 2, 30), "issue_date": date(2021, 13, 1), "labels": { "A": "" },
    });
    golden.ask(&ORDER, "Create", "everything", create(&ORDER, "-", wrong.clone())).await;
    golden.ask(&ORDER, "Update", "everything", ORDER.update("*", wrong)).await;
    for noun in [&INSPECTION, &FINDING, &ORDER] {
        golden.ask(noun, "Create", "nothing", json!({})).await;
    }
    for (noun, verbs) in [
        (&INSPECTION, &["Complete", "Cancel"][..]),
        (&FINDING, &["Withdraw"]),
        (&ORDER, &["Answer", "Review", "Extend", "Withdraw"]),
    ] {
        for verb in verbs {
            let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
            golden.ask(noun, verb, "everything", wrong).await;
            golden.ask(noun, verb, "nothing", json!({})).await;
        }
    }
    let request = "RectificationOrderService/RequestRectificationOrderExtension";
    let wrong = json!({ "name": "x", "due_date": date(2021, 2, 30), "date": date(2021, 2, 30) });
    golden.call("everything", request, wrong).await;
    golden.call("nothing", request, json!({})).await;
    let many = json!({ "text": "x", "evidence": vec![document(); 21] });
    golden.ask(&ORDER, "Answer", "too many documents", of(order("live"), many)).await;
    let faulty = json!({ "text": "x", "evidence": [{ "title": "", "uri": "", "sha256": "AA==" }] });
    golden.ask(&ORDER, "Answer", "a faulty document", of(order("live"), faulty)).await;
    golden
        .ask(&ORDER, "Create", "of what is closed", create(&ORDER, "new", issued(&["minor", "never"])))
        .await;
    golden.target_faults(&INSPECTION, &inspection("daily")).await;
    golden.target_faults(&FINDING, &finding("open")).await;
    golden.target_faults(&ORDER, &order("live")).await;
}
