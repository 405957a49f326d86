//! What is stored and answered, and pages.

use serde_json::{Value, json};

use super::{Golden, MILESTONE, ROAD, create, date, minimal, name, of, project};

/// Every field. A document of the second title is asked for.
fn full() -> Value {
    json!({
        "display_name": "竣工验收",
        "translations": { "en": "Acceptance", "zh-Hant": "竣工驗收" },
        "type": "acceptance", "code": "M-9", "weight": 0, "owner": "organizations/cqu",
        "required_evidence": ["验收报告", "图纸"],
        "remarks": "第一行\n第二行",
        "baseline_date": date(2021, 6, 18), "forecast_date": date(2021, 6, 25),
        "duration_working_days": 30,
        "labels": { "phase": "一期", "a": "" },
    })
}

pub(super) async fn all(golden: &mut Golden) {
    standard(golden).await;
    dates(golden).await;
    states(golden).await;
    together(golden).await;
    days(golden).await;
    started(golden).await;
    pages(golden).await;
}

async fn standard(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&MILESTONE, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = MILESTONE.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let changed = json!({
        "name": name("full"), "etag": "7", "display_name": "验收", "weight": 50, "type": "handover",
        "owner": "organizations/cq", "labels": { "b": "9" }, "code": "not named",
        "baseline_date": date(2021, 1, 1),
    });
    let mask = "display_name,weight,type,owner,labels,required_evidence,remarks";
    golden.ask(&MILESTONE, "Update", "several fields", MILESTONE.update(mask, changed)).await;
    let set = json!({
        "name": name("full"), "translations": { "fr": "Réception" }, "required_evidence": ["图纸"],
        "duration_working_days": 9, "baseline_date": date(2021, 6, 18),
    });
    golden.ask(&MILESTONE, "Update", "what is set, without a mask", MILESTONE.set(set)).await;
    let all = MILESTONE.update("*", json!({ "name": name("full"), "display_name": "工" }));
    golden.ask(&MILESTONE, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&MILESTONE, "Update", "what changes nothing", all).await;
    golden.ask(&MILESTONE, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&MILESTONE, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&MILESTONE, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&MILESTONE, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&MILESTONE, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&MILESTONE, "Delete", "with its etag", json!({ "name": name("other"), "etag": "13" })).await;
    let tried = json!({ "milestone": { "name": name("full"), "remarks": "9" }, "validate_only": true });
    golden.ask(&MILESTONE, "Update", "tried only", tried).await;
    golden.ask(&MILESTONE, "List", "all of them", json!({ "parent": ROAD, "show_deleted": true })).await;
}

async fn dates(golden: &mut Golden) {
    golden.chapter("Forecasts, baselines and documents");
    let slip =
        of("full", json!({ "forecast_date": date(2021, 7, 30), "reason": "汛期\n停工", "etag": "11" }));
    golden.ask(&MILESTONE, "Reforecast", "later, for a reason", slip.clone()).await;
    golden
        .ask(&MILESTONE, "Reforecast", "the same", {
            let mut same = slip;
            same.as_object_mut().unwrap().remove("etag");
            same
        })
        .await;
    golden.ask(&MILESTONE, "Reforecast", "none", of("full", json!({}))).await;
    let soon = of("full", json!({ "forecast_date": date(2021, 5, 14) }));
    golden.ask(&MILESTONE, "Reforecast", "tomorrow", soon).await;
    let approved = of("full", json!({ "baseline_date": date(2021, 6, 1), "reason": "批复" }));
    golden.ask(&MILESTONE, "Rebaseline", "earlier", approved.clone()).await;
    golden.ask(&MILESTONE, "Rebaseline", "the same", approved).await;
    let first = of("minimal", json!({ "baseline_date": date(2021, 5, 12), "reason": "补录" }));
    golden.ask(&MILESTONE, "Rebaseline", "one without any, to yesterday", first).await;
    let add = "MilestoneService/AddMilestoneEvidence";
    golden.call("a document", add, of("full", json!({ "evidence": document("图纸") }))).await;
    golden.call("the same", add, of("full", json!({ "evidence": document("图纸") }))).await;
    golden.pages("MilestoneService/ListMilestoneForecasts", json!({ "name": name("full") })).await;
    let forecasts = json!({ "name": name("full") });
    golden.call("all of them", "MilestoneService/ListMilestoneForecasts", forecasts).await;
}

/// A document; its SHA-256 is of 32 times the byte 7.
pub(super) fn document(title: &str) -> Value {
    let sha256 = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    json!({ "title": title, "uri": "https://example.com/图纸.pdf", "sha256": sha256 })
}

async fn states(golden: &mut Golden) {
    golden.chapter("The methods that change the state");
    let achieved = of("full", json!({ "actual_date": date(2021, 5, 10), "reason": "提前" }));
    golden.ask(&MILESTONE, "Achieve", "on a day", achieved).await;
    golden.ask(&MILESTONE, "Reopen", "it", of("full", json!({ "reason": "有误" }))).await;
    let partly = of("full", json!({ "actual_date": date(2021, 5, 11), "reason": "部分" }));
    golden.ask(&MILESTONE, "PartiallyAchieve", "on a day", partly).await;
    golden.ask(&MILESTONE, "Achieve", "what was achieved in part, today", of("full", json!({}))).await;
    for id in ["missed", "cancelled", "partly"] {
        let planned = json!({ "display_name": "桥", "baseline_date": date(2021, 5, 20) });
        golden.given(&MILESTONE.method("Create"), create(id, planned)).await;
    }
    golden.ask(&MILESTONE, "Miss", "one", of("missed", json!({ "reason": "未成" }))).await;
    golden.ask(&MILESTONE, "Cancel", "one", of("cancelled", json!({ "reason": "不建" }))).await;
    golden.ask(&MILESTONE, "PartiallyAchieve", "today", of("partly", json!({ "reason": "一半" }))).await;
}

async fn together(golden: &mut Golden) {
    golden.chapter("Several at once");
    let several = json!({ "parent": "portfolios/wsc/projects/-", "requests": [
        { "parent": "portfolios/wsc/projects/tower", "milestone_id": "top", "milestone": full() },
        { "parent": ROAD, "milestone_id": "several", "milestone": { "display_name": "二" } },
    ] });
    golden.call("of two projects", "MilestoneService/BatchCreateMilestones", several).await;
    let one = json!({ "parent": ROAD, "requests": [{ "milestone_id": "one", "milestone": minimal() }] });
    golden.call("one of one project", "MilestoneService/BatchCreateMilestones", one).await;
}

async fn days(golden: &mut Golden) {
    golden.chapter("Days");
    let (advance, current) = ("MilestoneService/AdvanceDate", "MilestoneService/GetCurrentDate");
    // Each differs on one of the days to come: it is due soon, overdue, late.
    for (id, baseline, forecast) in [("near", 21, 21), ("passing", 14, 14), ("slipping", 13, 30)] {
        let dates = json!({
            "display_name": "桥",
            "baseline_date": date(2021, 5, baseline), "forecast_date": date(2021, 5, forecast),
        });
        golden.given(&MILESTONE.method("Create"), create(id, dates)).await;
    }
    golden.call("before any day began", current, json!({ "portfolio": "portfolios/wsc" })).await;
    let day = |day: i32| json!({ "portfolio": "portfolios/wsc", "date": date(2021, 5, day) });
    golden.call("the first", advance, day(13)).await;
    golden.call("the same", advance, day(13)).await;
    golden.subject.running.clock.advance(jiff::SignedDuration::from_hours(50));
    let mut tried = day(15);
    tried["validate_only"] = json!(true);
    golden.call("two days, tried only", advance, tried).await;
    golden.call("two days", advance, day(15)).await;
    golden.call("after that", current, json!({ "portfolio": "portfolios/wsc" })).await;
    golden.ask(&MILESTONE, "Get", "as of that day", json!({ "name": name("minimal") })).await;
}

async fn started(golden: &mut Golden) {
    golden.chapter("What the registry brings about");
    let awaited =
        json!({ "display_name": "开工", "type": "constructionStart", "baseline_date": date(2021, 5, 20) });
    let create =
        json!({ "parent": "portfolios/wsc/projects/tower", "milestone_id": "start", "milestone": awaited });
    golden.given(&MILESTONE.method("Create"), create).await;
    let milepost_proto::event::v1::event::Resource::ProjectResource(mut tower) = project("wsc", "tower")
    else {
        unreachable!()
    };
    tower.status = milepost_proto::registry::v1::project::Status::Construction.into();
    let day = milepost_proto::google::r#type::Date { year: 2021, month: 5, day: 14 };
    tower.actual_period =
        Some(milepost_proto::registry::v1::Period { start_date: Some(day), end_date: None });
    let tower = milepost_proto::event::v1::event::Resource::ProjectResource(tower);
    golden.subject.say("milepost.project.started", tower).await;
    golden.happened("a project started that has a milestone of this");
    golden.subject.say("milepost.project.created", project("wsc", "later")).await;
    golden.happened("a project is new");
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    for (id, day) in [("full", 14), ("z", 30)] {
        let milestone = json!({ "display_name": "桥", "forecast_date": date(2021, 5, day) });
        let parent = "portfolios/lj/projects/road";
        let request = json!({ "parent": parent, "milestone_id": id, "milestone": milestone });
        golden.given(&MILESTONE.method("Create"), request).await;
    }
    let filter = "baseline_date > \"2021-05-15\" AND display_name = \"*桥\"";
    let parents = [ROAD, "portfolios/wsc/projects/-", "portfolios/-/projects/-"];
    golden.all_pages(&MILESTONE, &parents, &["name", "forecast_date"], filter).await;
}
