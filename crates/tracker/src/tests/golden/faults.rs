//! Requests that are wrong in every way at once.

use serde_json::{Value, json};

use super::{Golden, MILESTONE, ROAD, create, date, minimal, name};

fn wrong() -> Value {
    json!({
        "name": "portfolios/wsc/milestones/x", "etag": "seven",
        "display_name": " 开工\n", "translations": { "e": "", "en": "x ", "EN": "y" },
        "type": " x", "code": "x\n", "weight": -1, "owner": "cqu",
        "required_evidence": ["", "x", "x", " y"], "remarks": "\u{7}",
        "baseline_date": date(2021, 2, 30), "forecast_date": date(2021, 2, 0),
        "duration_working_days": 10_001, "labels": { "Ä": "x", "a": "\n" },
    })
}

pub(super) async fn all(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let mut request = create("ÄÖ", wrong());
    request["request_id"] = json!("a b");
    golden.ask(&MILESTONE, "Create", "everything", request.clone()).await;
    request["parent"] = json!("portfolios/wsc/projects/-");
    golden.ask(&MILESTONE, "Create", "everything, the parent too", request).await;
    golden.ask(&MILESTONE, "Create", "nothing", json!({})).await;
    golden.ask(&MILESTONE, "Create", "a message without anything", create("-", json!({}))).await;
    let many: Vec<_> = (0..51).map(|i| i.to_string()).collect();
    let many = json!({ "display_name": "x", "required_evidence": many, "weight": i32::MAX });
    golden.ask(&MILESTONE, "Create", "too much", create("many", many)).await;
    let mut request = MILESTONE.update("*", wrong());
    request["request_id"] = json!("地");
    golden.ask(&MILESTONE, "Update", "everything", request).await;
    golden.ask(&MILESTONE, "Update", "what is set", MILESTONE.set(wrong())).await;
    golden.ask(&MILESTONE, "Update", "by a mask", MILESTONE.update("weight,type,labels", wrong())).await;
    golden.ask(&MILESTONE, "Update", "nothing", json!({})).await;
    let mask = "name,etag,create_time,baseline_date,forecast_date,actual_date,evidence,forecast_sequence,\
                nearness,outlook,slippage,state,state_reason,variance_working_days,nome,*,labels.a";
    golden.ask(&MILESTONE, "Update", "a mask", MILESTONE.update(mask, json!({ "name": "x" }))).await;
    golden.target_faults(&MILESTONE, &name("full")).await;
    actions(golden).await;
    together(golden).await;
    reads(golden).await;
}

async fn actions(golden: &mut Golden) {
    let wrong = json!({ "name": "x", "etag": "x", "request_id": " ", "reason": " x" });
    for (verb, field) in [
        ("Reforecast", "forecast_date"),
        ("Rebaseline", "baseline_date"),
        ("Achieve", "actual_date"),
        ("PartiallyAchieve", "actual_date"),
        ("Miss", ""),
        ("Cancel", ""),
        ("Reopen", ""),
    ] {
        let mut wrong = wrong.clone();
        if !field.is_empty() {
            wrong[field] = date(2021, 2, 29);
        }
        golden.ask(&MILESTONE, verb, "everything", wrong).await;
        golden.ask(&MILESTONE, verb, "nothing", json!({})).await;
    }
    let add = "MilestoneService/AddMilestoneEvidence";
    let evidence = json!({ "title": " x", "uri": "\n", "sha256": "Bw==" });
    let wrong = json!({ "name": "x", "etag": "x", "request_id": " ", "evidence": evidence });
    golden.call("everything", add, wrong).await;
    golden.call("an empty document", add, json!({ "name": "", "evidence": {} })).await;
    golden.call("nothing", add, json!({})).await;
    let advance = "MilestoneService/AdvanceDate";
    let wrong = json!({ "portfolio": "wsc", "date": date(2021, 13, 1), "request_id": " " });
    golden.call("everything", advance, wrong).await;
    golden.call("nothing", advance, json!({})).await;
}

async fn together(golden: &mut Golden) {
    let batch = "MilestoneService/BatchCreateMilestones";
    golden.call("nothing", batch, json!({})).await;
    golden.call("of all portfolios", batch, json!({ "parent": "portfolios/-/projects/-" })).await;
    let requests = json!([
        { "parent": "portfolios/lj/projects/road", "milestone_id": "a", "request_id": "x", "validate_only": true },
        { "milestone_id": "a", "milestone": minimal() },
        { "milestone_id": "a", "milestone": minimal() },
        { "parent": "x", "milestone_id": "-", "milestone": { "weight": -1, "baseline_date": date(0, 0, 1) } },
    ]);
    let wrong = |parent: &str| json!({ "parent": parent, "requests": requests, "request_id": " " });
    golden.call("everything", batch, wrong(ROAD)).await;
    golden.call("everything, the parent too", batch, wrong("portfolios/wsc")).await;
    golden.call("without parents of their own", batch, wrong("portfolios/wsc/projects/-")).await;
    let many: Vec<_> = (0..1001).map(|i| json!({ "milestone_id": format!("m{i}") })).collect();
    golden.call("too many", batch, json!({ "parent": ROAD, "requests": many })).await;
}

async fn reads(golden: &mut Golden) {
    golden.chapter("Lists and reads that are refused");
    for parent in ["", "portfolios/-", "portfolios/-/projects/x", "projects/x", "portfolios/WSC/projects/-"] {
        let request = json!({ "parent": parent, "page_size": -1, "filter": "nome = 1" });
        golden.ask(&MILESTONE, "List", &format!("the parent {parent:?}"), request).await;
    }
    golden.list_refusals(&MILESTONE, &json!({ "parent": ROAD }), "forecast_date, name").await;
    let (forecasts, current) = ("MilestoneService/ListMilestoneForecasts", "MilestoneService/GetCurrentDate");
    golden.call("everything", forecasts, json!({ "name": "x", "page_size": -1, "page_token": "x" })).await;
    golden.call("nothing", forecasts, json!({})).await;
    golden.call("a page token", forecasts, json!({ "name": name("full"), "page_token": "x" })).await;
    golden.call("everything", current, json!({ "portfolio": "x", "min_revisions": ["x"] })).await;
    golden.call("nothing", current, json!({})).await;
    let registry = "UgEBAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze8xPn-1";
    let waiting = json!({ "name": name("full"), "min_revisions": [registry] });
    golden.ask(&MILESTONE, "Get", "a revision of another registry", waiting).await;
}
