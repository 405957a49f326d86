//! Campaigns: what is stored, sent and refused.

use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, ROAD, Tracker, compare, date};

const CAMPAIGN: Noun = Noun { singular: "Campaign", plural: "Campaigns", field: "campaign" };
const WSC: &str = "portfolios/wsc";
const TOWER: &str = "portfolios/wsc/projects/tower";

fn name(id: &str) -> String {
    format!("{WSC}/campaigns/{id}")
}

fn create(id: &str, campaign: Value) -> Value {
    json!({ "parent": WSC, "campaign_id": id, "campaign": campaign })
}

fn minimal() -> Value {
    json!({
        "display_name": "三比一争",
        "start_date": date(2021, 3, 1),
        "end_date": date(2021, 6, 8),
        "criteria": [{ "id": "progress", "kind": "KIND_PROGRESS", "weight_bp": 10000 }],
    })
}

fn full() -> Value {
    let money = |units: &str| json!({ "currency_code": "CNY", "units": units });
    json!({
        "display_name": "三比一争",
        "translations": { "en": "Three comparisons" },
        "description": "第一行\n第二行",
        "start_date": date(2021, 3, 1),
        "end_date": date(2021, 6, 8),
        "members": [
            { "project": ROAD, "investment_target": money("200") },
            { "project": TOWER, "join_date": date(2021, 4, 1), "leave_date": date(2021, 6, 1) },
        ],
        "criteria": [
            { "id": "quality", "kind": "KIND_QUALITY", "weight_bp": 3000, "deductions": { "minor": 3, "overdue_day": 0 } },
            { "id": "safety", "kind": "KIND_SAFETY", "weight_bp": 3000 },
            { "id": "progress", "kind": "KIND_PROGRESS", "weight_bp": 4000 },
        ],
        "tie_breakers": ["safety", "quality"],
        "pioneer_rule": { "max": 1, "min_score": "80", "min_days": 30 },
        "veto": { "min_severity": "SEVERITY_CRITICAL", "aspects": ["ASPECT_SAFETY"] },
        "labels": { "topic": "spring", "a": "" },
    })
}

#[tokio::test]
async fn campaigns_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    writes(&mut golden).await;
    acts(&mut golden).await;
    endings(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&CAMPAIGN, &[WSC, "portfolios/-"], &["name", "start_date"], "state = STATE_DRAFT").await;
    golden.every_field(&CAMPAIGN, &json!({ "parent": WSC }), &name("other")).await;
    golden.close().await;
    golden.turn_to(Tracker::open().await);
    golden.made(&CAMPAIGN.method("Create"), json!({ "parent": WSC, "campaign": minimal() })).await;
    compare(&golden, "campaign");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&CAMPAIGN, "Create", "no more than it must have", create("minimal", minimal())).await;
    golden.call_signed("every field, by somebody", &CAMPAIGN.method("Create"), create("full", full())).await;
    golden.given(&CAMPAIGN.method("Create"), create("other", full())).await;
    let change = json!({ "name": name("full"), "description": "", "tie_breakers": ["safety"] });
    golden
        .ask(&CAMPAIGN, "Update", "several fields", CAMPAIGN.update("description,tie_breakers", change))
        .await;
    golden.ask(&CAMPAIGN, "Get", "one", json!({ "name": name("full") })).await;
    golden.ask(&CAMPAIGN, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&CAMPAIGN, "List", "all", json!({ "parent": WSC, "show_deleted": true })).await;
    golden.ask(&CAMPAIGN, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.given(&CAMPAIGN.method("Delete"), json!({ "name": name("minimal") })).await;
}

async fn acts(golden: &mut Golden) {
    golden.chapter("What is done to them");
    let of = |more: Value| {
        let mut request = more;
        request["name"] = json!(name("full"));
        request
    };
    let baseline = json!({ "display_name": "封顶", "baseline_date": date(2021, 4, 1), "weight": 5 });
    golden.given("MilestoneService/CreateMilestone", super::create("top", baseline)).await;
    golden.call_signed("on a day", &CAMPAIGN.method("Open"), of(json!({ "date": date(2021, 3, 1) }))).await;
    let standings = "CampaignService/GetCampaignStandings";
    golden.call("of a day", standings, of(json!({ "date": date(2021, 4, 19) }))).await;
    let then = json!({ "date": date(2021, 4, 19), "knowledge": "KNOWLEDGE_THEN" });
    golden.call("of a day as it was known then", standings, of(then)).await;
    let amendment = json!({
        "reason": "调整", "date": date(2021, 5, 12), "remove_members": [ROAD],
        "criteria": [{ "id": "progress", "kind": "KIND_PROGRESS", "weight_bp": 10000 }],
    });
    golden.ask(&CAMPAIGN, "Amend", "members and weights", of(amendment)).await;
    let added = json!({ "reason": "加入", "add_members": [{ "project": ROAD }] });
    golden.ask(&CAMPAIGN, "Amend", "one who joins again", of(added)).await;
    golden.ask(&CAMPAIGN, "Close", "before its end", of(json!({}))).await;
    golden.ask(&CAMPAIGN, "SignOff", "before its end", of(json!({}))).await;
    golden.ask(&CAMPAIGN, "Cancel", "one", of(json!({ "reason": "停办" }))).await;
    golden.call("of one that was given up", standings, of(json!({ "date": date(2021, 4, 19) }))).await;
}

async fn endings(golden: &mut Golden) {
    golden.chapter("How they end");
    let mut past = full();
    past["end_date"] = date(2021, 4, 30);
    past["members"] = json!([{ "project": ROAD }]);
    golden.given(&CAMPAIGN.method("Create"), create("past", past)).await;
    let of = |more: Value| {
        let mut request = more;
        request["name"] = json!(name("past"));
        request
    };
    golden
        .call_signed("one that has passed", &CAMPAIGN.method("Open"), of(json!({ "date": date(2021, 3, 1) })))
        .await;
    golden.ask(&CAMPAIGN, "Close", "on a day", of(json!({ "date": date(2021, 5, 3) }))).await;
    golden.call_signed("by who opened it", &CAMPAIGN.method("SignOff"), of(json!({}))).await;
    golden.ask(&CAMPAIGN, "SignOff", "by nobody", of(json!({}))).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "display_name": "", "translations": { "x": "" }, "description": "\u{7}",
        "start_date": date(2021, 2, 30), "end_date": date(2021, 13, 1),
        "members": [{ "project": "x", "join_date": date(2021, 2, 30), "investment_target": { "units": "-1" } }],
        "criteria": [{ "id": "A", "kind": 9, "weight_bp": -1 }],
        "tie_breakers": ["x", "x"],
        "pioneer_rule": { "max": -1, "min_score": "x", "min_days": -1 },
        "labels": { "A": "" },
    });
    golden.ask(&CAMPAIGN, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&CAMPAIGN, "Create", "nothing", json!({})).await;
    golden.ask(&CAMPAIGN, "Update", "everything", CAMPAIGN.update("*", wrong)).await;
    golden.target_faults(&CAMPAIGN, &name("other")).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&CAMPAIGN, &name("other"), &name("minimal"), &change).await;
    let of_another = |project: &str| {
        let mut campaign = minimal();
        campaign["members"] = json!([{ "project": project }]);
        create("new", campaign)
    };
    golden
        .ask(&CAMPAIGN, "Create", "a member of another portfolio", of_another("portfolios/lj/projects/road"))
        .await;
    golden
        .ask(&CAMPAIGN, "Create", "a member that is not there", of_another("portfolios/wsc/projects/x"))
        .await;
    for verb in ["Open", "Amend", "Close", "Cancel", "SignOff", "Revise"] {
        let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
        golden.ask(&CAMPAIGN, verb, "everything", wrong).await;
        golden.ask(&CAMPAIGN, verb, "nothing", json!({})).await;
    }
    let late = json!({ "name": name("other"), "date": date(2021, 5, 14) });
    golden.ask(&CAMPAIGN, "Open", "on a day to come", late).await;
    let standings = "CampaignService/GetCampaignStandings";
    let wrong = json!({ "name": "x", "date": date(2021, 2, 30), "knowledge": "KNOWLEDGE_THEN_STRICT", "sign_off": -1 });
    golden.call("everything", standings, wrong).await;
    golden.call("of a draft", standings, json!({ "name": name("other") })).await;
}
