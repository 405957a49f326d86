//! Entries and rules of timelines: what is stored, sent, read and refused.

use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, MILESTONE, ROAD, Tracker, compare, date};

const ENTRY: Noun = Noun { singular: "TimelineEntry", plural: "TimelineEntries", field: "timeline_entry" };
const RULE: Noun = Noun { singular: "TimelineRule", plural: "TimelineRules", field: "timeline_rule" };
const PORTFOLIO: &str = "portfolios/wsc";

fn entry(id: &str) -> String {
    format!("{PORTFOLIO}/timelineEntries/{id}")
}

fn rule(id: &str) -> String {
    format!("{PORTFOLIO}/timelineRules/{id}")
}

fn draft(id: &str, entry: Value) -> Value {
    json!({ "parent": PORTFOLIO, "timeline_entry_id": id, "timeline_entry": entry })
}

fn create(id: &str, rule: Value) -> Value {
    json!({ "parent": PORTFOLIO, "timeline_rule_id": id, "timeline_rule": rule })
}

fn full() -> Value {
    json!({
        "date": date(2021, 3, 5),
        "kind": "KIND_EDITORIAL",
        "headline": "工作会",
        "text": "第一行\n第二行",
        "language": "zh-CN",
        "translations": { "en": "Conference" },
        "text_translations": { "en": "First line" },
        "figures": [{
            "label": "项目", "translations": { "en": "Projects" }, "value": "343", "unit": "个", "declared": true,
        }],
        "subjects": [PORTFOLIO, ROAD],
        "merge_key": "conference/2021",
        "rank_in_day": 3,
        "labels": { "headline": "yes" },
    })
}

fn of_milestones() -> Value {
    json!({
        "display_name": "节点实现",
        "description": "重要节点",
        "event_type": "milepost.milestone.achieved",
        "filter": "resource.code != \"\"",
        "kind": "KIND_MILESTONE",
        "merge_key": "achieved/{event_date}",
        "headline": "{display_name}实现",
        "translations": { "en": "{display_name} achieved" },
        "text": "于{event_date}",
        "auto_publish": true,
    })
}

#[tokio::test]
async fn timelines_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    entries(&mut golden).await;
    rules(&mut golden).await;
    readers(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&ENTRY, &[PORTFOLIO], &["name", "date"], "state = STATE_PUBLISHED").await;
    golden.all_pages(&RULE, &[PORTFOLIO], &["name"], "auto_publish = true").await;
    golden.every_field(&ENTRY, &json!({ "parent": PORTFOLIO }), &entry("full")).await;
    golden.every_field(&RULE, &json!({ "parent": PORTFOLIO }), &rule("achieved")).await;
    golden.close().await;
    compare(&golden, "timeline");
}

async fn entries(golden: &mut Golden) {
    golden.chapter("What is stored and answered of entries");
    let minimal = json!({ "date": date(2021, 5, 1), "kind": "KIND_POLICY", "headline": "初稿" });
    golden.ask(&ENTRY, "Create", "no more than it must have", draft("minimal", minimal)).await;
    let by = ENTRY.method("Create");
    golden.call_signed("every field, by somebody", &by, draft("full", full())).await;
    golden.ask(&ENTRY, "Publish", "one", json!({ "name": entry("full") })).await;
    golden.ask(&ENTRY, "Publish", "one without changes", json!({ "name": entry("full") })).await;
    let change = json!({ "name": entry("full"), "headline": "大会", "figures": [] });
    golden.ask(&ENTRY, "Update", "several fields", ENTRY.update("headline,figures", change)).await;
    golden.ask(&ENTRY, "Get", "one with changes", json!({ "name": entry("full") })).await;
    golden.ask(&ENTRY, "Publish", "the changes", json!({ "name": entry("full") })).await;
    golden.given(&ENTRY.method("Publish"), json!({ "name": entry("minimal") })).await;
    let withdraw = json!({ "name": entry("minimal"), "reason": "有误" });
    golden.ask(&ENTRY, "Withdraw", "one", withdraw.clone()).await;
    golden.ask(&ENTRY, "Withdraw", "one that is withdrawn", withdraw).await;
    golden.ask(&ENTRY, "Revise", "one", json!({ "name": entry("minimal") })).await;
    golden.ask(&ENTRY, "Delete", "one", json!({ "name": entry("minimal") })).await;
    golden.ask(&ENTRY, "List", "all", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
}

async fn rules(golden: &mut Golden) {
    golden.chapter("What is stored and answered of rules, and what they make");
    golden.ask(&RULE, "Create", "every field", create("achieved", of_milestones())).await;
    let minimal = json!({
        "display_name": "x", "event_type": "milepost.project.started", "kind": "KIND_MILESTONE", "headline": "x",
    });
    golden.ask(&RULE, "Create", "no more than it must have", create("minimal", minimal)).await;
    for (id, code) in [("first", "M-1"), ("second", "M-2"), ("other", "")] {
        let milestone = json!({ "display_name": format!("节点{code}"), "code": code });
        let milestone = json!({ "parent": ROAD, "milestone_id": id, "milestone": milestone });
        golden.given(&MILESTONE.method("Create"), milestone).await;
        let achieved = json!({ "name": format!("{ROAD}/milestones/{id}") });
        golden.ask(&MILESTONE, "Achieve", "what the rule is about, or not", achieved).await;
    }
    let change = json!({ "name": rule("achieved"), "auto_publish": false, "description": "" });
    golden.ask(&RULE, "Update", "several fields", RULE.update("auto_publish,description", change)).await;
    golden.ask(&RULE, "Get", "one", json!({ "name": rule("achieved") })).await;
    golden.ask(&RULE, "Delete", "one", json!({ "name": rule("minimal") })).await;
    golden.ask(&RULE, "List", "all", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
    golden.ask(&RULE, "Undelete", "one", json!({ "name": rule("minimal") })).await;
    golden.given(&RULE.method("Delete"), json!({ "name": rule("minimal") })).await;
}

async fn readers(golden: &mut Golden) {
    golden.chapter("What readers see");
    let list = "TimelineEntryService/ListTimeline";
    golden.call("in the language of the portfolio", list, json!({ "parent": PORTFOLIO })).await;
    let english = json!({ "parent": PORTFOLIO, "language": "en-GB", "page_size": 1, "show_withdrawn": true });
    golden.call("in another, a page", list, english).await;
    let days = json!({
        "parent": PORTFOLIO, "start_date": date(2021, 5, 1), "end_date": date(2021, 5, 31),
        "kinds": ["KIND_MILESTONE"],
    });
    golden.call("of days and a kind", list, days).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "date": date(2021, 2, 30), "kind": 9, "headline": "a\nb", "text": "\u{7}",
        "language": "x y", "translations": { "x y": "" }, "figures": [{ "value": "x" }], "subjects": ["x", "x"],
        "merge_key": "a\nb", "rank_in_day": -1, "labels": { "A": "" },
    });
    golden.ask(&ENTRY, "Create", "everything", draft("-", wrong.clone())).await;
    golden.ask(&ENTRY, "Create", "nothing", json!({})).await;
    golden.ask(&ENTRY, "Update", "everything", ENTRY.update("*", wrong)).await;
    golden.target_faults(&ENTRY, &entry("full")).await;
    let change = json!({ "text": "x" });
    golden.standard_refusals(&ENTRY, &entry("full"), &entry("minimal"), &change).await;
    golden.ask(&ENTRY, "Create", "with a key that is taken", draft("new", full())).await;
    golden.ask(&ENTRY, "Withdraw", "everything", json!({ "name": "x", "etag": "x" })).await;
    let wrong = json!({
        "name": "x", "etag": "x", "display_name": "", "event_type": "milepost.batch.strated", "filter": "x y",
        "kind": 9, "merge_key": "}", "headline": "{x", "translations": { "en": "a ]" }, "text": "[x]",
    });
    golden.ask(&RULE, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&RULE, "Create", "nothing", json!({})).await;
    golden.ask(&RULE, "Update", "everything", RULE.update("*", wrong)).await;
    golden.target_faults(&RULE, &rule("achieved")).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&RULE, &rule("achieved"), &rule("minimal"), &change).await;
    let mut own = of_milestones();
    own["event_type"] = json!("milepost.timeline_entry.published");
    golden.ask(&RULE, "Create", "of events that are not public", create("new", own)).await;
    let list = "TimelineEntryService/ListTimeline";
    let wrong = json!({
        "parent": "x", "page_size": -1, "language": "x y", "start_date": date(2021, 2, 30), "kinds": [9, 0],
    });
    golden.call("everything", list, wrong).await;
    let reversed =
        json!({ "parent": PORTFOLIO, "start_date": date(2021, 5, 2), "end_date": date(2021, 5, 1) });
    golden.call("days in reverse", list, reversed).await;
    golden.call("a token that is none", list, json!({ "parent": PORTFOLIO, "page_token": "nonsense" })).await;
    golden.call("a portfolio that is not there", list, json!({ "parent": "portfolios/none" })).await;
}
