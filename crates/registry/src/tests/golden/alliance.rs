//! Alliances and their activities: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, date};

const ALLIANCE: Noun = Noun { singular: "Alliance", plural: "Alliances", field: "alliance" };
const ACTIVITY: Noun = Noun { singular: "Activity", plural: "Activities", field: "activity" };
const PORTFOLIO: &str = "portfolios/wsc";

fn name(id: &str) -> String {
    format!("{PORTFOLIO}/alliances/{id}")
}

fn activity(id: &str) -> String {
    format!("{}/activities/{id}", name("full"))
}

fn create(id: &str, alliance: Value) -> Value {
    json!({ "parent": PORTFOLIO, "alliance_id": id, "alliance": alliance })
}

fn plan(id: &str, activity: Value) -> Value {
    json!({ "parent": name("full"), "activity_id": id, "activity": activity })
}

fn member(id: &str, lead: bool, left: Option<Value>) -> Value {
    let mut member =
        json!({ "organization": format!("organizations/{id}"), "lead": lead, "joined": date(2021, 1, 1) });
    if let Some(left) = left {
        member["left"] = left;
    }
    member
}

fn full() -> Value {
    json!({
        "display_name": "创新联盟",
        "translations": { "en": "Innovation alliance" },
        "description": "第一行\n第二行",
        "labels": { "plan": "十四五" },
        "projects": ["portfolios/wsc/projects/b", "portfolios/wsc/projects/a"],
        "members": [member("cqu", true, None), member("swu", false, None)],
        "shared_resources": ["实验室", "讲师"],
    })
}

fn meeting() -> Value {
    json!({
        "kind": "KIND_JOINT_ACTIVITY", "title": "联席会议", "date": date(2021, 5, 20),
        "participants": ["organizations/cqu", "organizations/swu"], "description": "第一次",
    })
}

fn document(title: &str) -> Value {
    let sha256 = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=";
    json!({ "title": title, "uri": "https://docs.example/minutes", "sha256": sha256 })
}

#[tokio::test]
async fn alliances_and_activities_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    given(&mut golden).await;
    alliances(&mut golden).await;
    activities(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&ALLIANCE, &[PORTFOLIO], &["name", "display_name"], "display_name:联盟").await;
    let parents = [name("full"), name("-")];
    let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
    golden.all_pages(&ACTIVITY, &parents, &["name", "date"], "state = STATE_HELD").await;
    golden.every_field(&ALLIANCE, &json!({ "parent": PORTFOLIO }), &name("full")).await;
    golden.every_field(&ACTIVITY, &json!({ "parent": name("full") }), &activity("meeting")).await;
    golden.close().await;
    golden.turn_to(Registry::open().await);
    given(&mut golden).await;
    let made = json!({ "parent": PORTFOLIO, "alliance": { "display_name": "联盟" } });
    golden.made(&ALLIANCE.method("Create"), made).await;
    golden.compare("alliance");
}

async fn given(golden: &mut Golden) {
    golden.given_portfolio("wsc").await;
    for id in ["cqu", "swu", "cqupt"] {
        golden.given_organization(id).await;
    }
    for id in ["a", "b"] {
        golden.given_project("wsc", id, json!({})).await;
    }
}

async fn alliances(golden: &mut Golden) {
    golden.chapter("What is stored and answered of alliances");
    let minimal = create("minimal", json!({ "display_name": "培训联盟" }));
    golden.ask(&ALLIANCE, "Create", "no more than it must have", minimal).await;
    let by = ALLIANCE.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    let change = json!({ "name": name("full"), "projects": ["portfolios/wsc/projects/a"], "labels": {} });
    golden.ask(&ALLIANCE, "Update", "several fields", ALLIANCE.update("projects,labels", change)).await;
    let members = "AllianceService/ChangeAllianceMembers";
    let change = json!({
        "name": name("full"), "joining": ["organizations/cqupt"], "lead": "organizations/swu",
        "date": date(2021, 5, 10), "reason": "轮值",
    });
    golden.call("one joins and another leads, on a day", members, change).await;
    let leave = json!({ "name": name("full"), "leaving": ["organizations/cqu"] });
    golden.call("one leaves today", members, leave).await;
    golden.call("nothing", members, json!({ "name": name("full") })).await;
    golden.ask(&ALLIANCE, "Get", "one", json!({ "name": name("full") })).await;
    golden.ask(&ALLIANCE, "Delete", "one", json!({ "name": name("minimal") })).await;
    golden.ask(&ALLIANCE, "Undelete", "one", json!({ "name": name("minimal") })).await;
    golden.given(&ALLIANCE.method("Delete"), json!({ "name": name("minimal") })).await;
}

async fn activities(golden: &mut Golden) {
    golden.chapter("What is stored and answered of activities");
    let minimal = json!({ "kind": "KIND_SHARED_TRAINING", "title": "培训", "date": date(2021, 6, 1) });
    golden.ask(&ACTIVITY, "Create", "no more than it must have", plan("training", minimal)).await;
    let by = ACTIVITY.method("Create");
    golden.call_signed("every field, by somebody", &by, plan("meeting", meeting())).await;
    let change = json!({ "name": activity("training"), "title": "安全培训", "date": date(2021, 6, 2) });
    golden.ask(&ACTIVITY, "Update", "several fields", ACTIVITY.update("title,date", change)).await;
    let held = json!({ "name": activity("meeting"), "date": date(2021, 5, 21) });
    golden.ask(&ACTIVITY, "Hold", "on a day", held.clone()).await;
    golden.ask(&ACTIVITY, "Hold", "one that was held", held).await;
    let evidence = "ActivityService/AddActivityEvidence";
    let shown = json!({ "name": activity("meeting"), "evidence": document("纪要") });
    golden.call("a document", evidence, shown.clone()).await;
    golden.call("the same again", evidence, shown).await;
    let cancel = json!({ "name": activity("training"), "reason": "疫情" });
    golden.ask(&ACTIVITY, "Cancel", "one", cancel).await;
    golden.ask(&ACTIVITY, "Get", "one", json!({ "name": activity("meeting") })).await;
    golden.ask(&ACTIVITY, "Delete", "one", json!({ "name": activity("training") })).await;
    golden.ask(&ACTIVITY, "List", "all", json!({ "parent": name("full"), "show_deleted": true })).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "display_name": "", "projects": ["x", "portfolios/lj/projects/a"],
        "members": [{}, { "organization": "x", "joined": date(2021, 2, 30) }],
        "shared_resources": ["a\nb", ""],
    });
    golden.ask(&ALLIANCE, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&ALLIANCE, "Create", "nothing", json!({})).await;
    golden.ask(&ALLIANCE, "Update", "everything", ALLIANCE.update("*", wrong)).await;
    golden.target_faults(&ALLIANCE, &name("full")).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&ALLIANCE, &name("full"), &name("minimal"), &change).await;
    golden.again(&ALLIANCE, create("again", json!({ "display_name": "x" }))).await;
    let elsewhere = json!({ "display_name": "x", "projects": ["portfolios/lj/projects/a"] });
    golden.ask(&ALLIANCE, "Create", "with a project of another portfolio", create("new", elsewhere)).await;
    let lost = json!({
        "display_name": "x", "projects": ["portfolios/wsc/projects/lost"],
        "members": [member("lost", false, None)],
    });
    golden.ask(&ALLIANCE, "Create", "with what is not there, and without a lead", create("new", lost)).await;
    let members = "AllianceService/ChangeAllianceMembers";
    let wrong = json!({
        "name": "x", "joining": ["x", "organizations/a", "organizations/a"], "leaving": ["organizations/a"],
        "lead": "y", "date": date(2021, 2, 30), "reason": "\u{7}",
    });
    golden.call("everything", members, wrong).await;
    let strangers =
        json!({ "name": name("full"), "leaving": ["organizations/cqu"], "lead": "organizations/none" });
    golden.call("who is no member", members, strangers).await;
    let wrong = json!({
        "name": "x", "kind": 9, "title": "", "date": date(2021, 2, 30), "participants": ["x"],
        "evidence": [{ "sha256": "AA==" }],
    });
    golden.ask(&ACTIVITY, "Create", "everything", plan("-", wrong.clone())).await;
    golden.ask(&ACTIVITY, "Create", "nothing", json!({})).await;
    golden.ask(&ACTIVITY, "Update", "everything", ACTIVITY.update("*", wrong)).await;
    golden.target_faults(&ACTIVITY, &activity("meeting")).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&ACTIVITY, &activity("meeting"), &activity("training"), &change).await;
    let mut of_a_stranger = meeting();
    of_a_stranger["participants"] = json!(["organizations/none"]);
    golden.ask(&ACTIVITY, "Create", "of who is no member", plan("new", of_a_stranger)).await;
    let evidence = "ActivityService/AddActivityEvidence";
    let wrong = json!({ "name": activity("meeting"), "evidence": { "title": "", "sha256": "AA==" } });
    golden.call("no document", evidence, wrong).await;
    golden.call("nothing", evidence, json!({})).await;
    golden.ask(&ACTIVITY, "Cancel", "nothing", json!({ "name": activity("meeting") })).await;
    let cancel = json!({ "name": activity("meeting"), "reason": "x" });
    golden.ask(&ACTIVITY, "Cancel", "one that was held", cancel).await;
}
