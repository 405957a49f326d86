//! Templates and their versions: what is stored, sent and refused.

use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, ROAD, Tracker, compare, date};

const TEMPLATE: Noun = Noun { singular: "Template", plural: "Templates", field: "template" };
const VERSION: Noun =
    Noun { singular: "TemplateVersion", plural: "TemplateVersions", field: "template_version" };
const PORTFOLIO: &str = "portfolios/wsc";
const SHA256: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn template(id: &str) -> String {
    format!("{PORTFOLIO}/templates/{id}")
}

fn version(id: &str) -> String {
    format!("{PORTFOLIO}/templates/full/versions/{id}")
}

fn create(id: &str, template: Value) -> Value {
    json!({ "parent": PORTFOLIO, "template_id": id, "template": template })
}

fn draft(id: &str, version: Value) -> Value {
    json!({ "parent": template("full"), "template_version_id": id, "template_version": version })
}

fn items() -> Value {
    json!([
        {
            "id": "approval",
            "display_name": "项目核准",
            "translations": { "en": "Project approval" },
            "type": "approval",
            "weight": 3,
            "anchor": "ANCHOR_PLANNED_START",
            "offset": { "n": -2, "unit": "UNIT_MONTHS" },
            "required_evidence": ["批复"],
            "satisfies": [{ "code": "approval" }, { "code": "eia", "validity_months": 60 }],
            "gate": "GATE_MERGED",
            "validity": {
                "months": 24, "until_type": "constructionStart", "extensions": 1, "extension_months": 12,
                "file_before_working_days": 30,
            },
        },
        { "id": "land", "display_name": "交地", "anchor": "ANCHOR_ITEM", "anchor_item": "approval", "coupling": "land" },
        { "id": "deed", "display_name": "领证", "anchor": "ANCHOR_ITEM", "anchor_item": "approval", "coupling": "land" },
        { "id": "licence", "display_name": "综合许可", "gate": "GATE_BUNDLED", "members": ["land", "deed"] },
        { "id": "start", "display_name": "开工", "type": "constructionStart", "anchor": "ANCHOR_PLANNED_START" },
    ])
}

fn full() -> Value {
    json!({
        "display_name": "2020年版",
        "translations": { "en": "Of 2020" },
        "description": "第一行\n第二行",
        "labels": { "topic": "reform" },
        "in_force_from": date(2020, 7, 1),
        "items": items(),
    })
}

#[tokio::test]
async fn templates_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    writes(&mut golden).await;
    refusals(&mut golden).await;
    applications(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&TEMPLATE, &[PORTFOLIO], &["name"], "display_name = \"*\"").await;
    let of_version = [template("full")];
    let parents: Vec<&str> = of_version.iter().map(String::as_str).collect();
    golden.all_pages(&VERSION, &parents, &["name", "in_force_from"], "state = STATE_PUBLISHED").await;
    golden.every_field(&TEMPLATE, &json!({ "parent": PORTFOLIO }), &template("full")).await;
    golden.every_field(&VERSION, &json!({ "parent": template("full") }), &version("full")).await;
    golden.close().await;
    compare(&golden, "template");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    let minimal = create("minimal", json!({ "display_name": "空" }));
    golden.ask(&TEMPLATE, "Create", "no more than it must have", minimal).await;
    let every = json!({
        "display_name": "政府投资项目", "translations": { "en": "Government projects" }, "description": "说明",
        "labels": { "a": "" },
    });
    golden.call_signed("every field, by somebody", &TEMPLATE.method("Create"), create("full", every)).await;
    let one = json!({ "display_name": "初版", "in_force_from": date(2019, 1, 1), "items": [
        { "id": "eia", "display_name": "环评" }
    ] });
    golden.ask(&VERSION, "Create", "no more than it must have", draft("minimal", one)).await;
    golden.call_signed("every field, by somebody", &VERSION.method("Create"), draft("full", full())).await;
    let change =
        json!({ "name": version("minimal"), "description": "第一版", "in_force_from": date(2019, 2, 1) });
    golden.ask(&VERSION, "Update", "fields", VERSION.update("description,in_force_from", change)).await;
    let day = json!({ "name": version("full"), "publish_date": date(2020, 6, 30) });
    golden.ask(&VERSION, "Publish", "on a day", day).await;
    golden.ask(&VERSION, "Get", "one", json!({ "name": version("full") })).await;
    golden.ask(&VERSION, "Delete", "a draft", json!({ "name": version("minimal") })).await;
    let all = json!({ "parent": template("full"), "show_deleted": true });
    golden.ask(&VERSION, "List", "all", all).await;
    golden.ask(&VERSION, "Undelete", "a draft", json!({ "name": version("minimal") })).await;
    golden.given(&VERSION.method("Delete"), json!({ "name": version("minimal") })).await;
    golden.ask(&TEMPLATE, "Delete", "one", json!({ "name": template("minimal") })).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "display_name": "", "in_force_from": date(2021, 2, 30), "labels": { "A": "" },
        "items": [
            { "id": "a", "anchor": "ANCHOR_ITEM", "anchor_item": "b", "weight": -1, "satisfies": [{}] },
            { "id": "b", "display_name": "乙", "anchor": "ANCHOR_ITEM", "anchor_item": "a", "offset": { "n": 10001 } },
            { "id": "b", "display_name": "\u{7}", "gate": "GATE_BUNDLED", "members": ["x"], "coupling": "y" },
        ],
    });
    golden.ask(&VERSION, "Create", "everything", draft("-", wrong)).await;
    golden.ask(&VERSION, "Create", "nothing", json!({})).await;
    golden.ask(&TEMPLATE, "Create", "nothing", json!({})).await;
    golden.ask(&TEMPLATE, "Delete", "one with versions", json!({ "name": template("full") })).await;
    golden.ask(&VERSION, "Delete", "one that is published", json!({ "name": version("full") })).await;
    let change =
        VERSION.update("*", json!({ "name": version("full"), "display_name": "改", "items": items() }));
    golden.ask(&VERSION, "Update", "one that is published", change).await;
    let again = json!({ "display_name": "同日", "in_force_from": date(2020, 7, 1), "items": items() });
    golden.ask(&VERSION, "Create", "a day that is taken", draft("again", again)).await;
    let late = json!({ "name": version("full"), "publish_date": date(2021, 2, 30), "etag": "x" });
    golden.ask(&VERSION, "Publish", "everything", late).await;
    golden.ask(&VERSION, "Publish", "one that is published", json!({ "name": version("full") })).await;
}

async fn applications(golden: &mut Golden) {
    golden.chapter("What is made of them, and what is done to that");
    let of = |id: &str, mut more: Value| {
        more["name"] = json!(format!("{ROAD}/milestones/{id}"));
        more
    };
    let (apply, upgrade) = ("TemplateService/ApplyTemplate", "TemplateService/UpgradeTemplate");
    let milestones = |method: &str| format!("MilestoneService/{method}");
    let dates = json!({
        "name": template("full"), "project": ROAD, "application_date": date(2021, 5, 1),
        "planned_start_date": date(2021, 3, 31), "start_date": date(2021, 3, 1), "planned_end_date": date(2023, 3, 1),
    });
    let undated = json!({ "name": template("full"), "project": ROAD, "application_date": date(2021, 5, 1) });
    golden.call("without days", apply, undated).await;
    golden.call("of a project", apply, dates.clone()).await;
    golden.call("again", apply, dates).await;
    let nothing = json!({ "name": template("full"), "project": ROAD, "version": version("full") });
    golden.call("to the same version", upgrade, nothing).await;
    golden.call("nothing", apply, json!({})).await;
    golden.call("nothing", upgrade, json!({})).await;
    let early = json!({ "name": template("full"), "project": ROAD, "application_date": date(2018, 1, 1) });
    golden.call("before all versions", apply, early).await;
    let evidence = json!({ "evidence": { "title": "批复", "uri": "x", "sha256": SHA256 } });
    golden.call("without what is required", &milestones("AchieveMilestone"), of("approval", json!({}))).await;
    golden.given(&milestones("AddMilestoneEvidence"), of("approval", evidence)).await;
    let day = json!({ "actual_date": date(2020, 7, 20) });
    golden.call("an approval", &milestones("AchieveMilestone"), of("approval", day)).await;
    golden.call("of what was achieved", "MilestoneService/ListRequirements", json!({ "parent": ROAD })).await;
    golden.call("one that is coupled", &milestones("AchieveMilestone"), of("land", json!({}))).await;
    golden.call("a licence too early", &milestones("AchieveMilestone"), of("licence", json!({}))).await;
    let together = json!({
        "actual_date": date(2021, 5, 12), "reason": "同日", "reported_date": date(2021, 5, 12),
    });
    golden.call("together", &milestones("AchieveCoupledMilestones"), of("land", together)).await;
    golden.call("one alone", &milestones("AchieveCoupledMilestones"), of("start", json!({}))).await;
    let extend =
        json!({ "reason": "延期", "filed_date": date(2021, 5, 12), "valid_until": date(2023, 7, 20) });
    golden.call("an approval", &milestones("ExtendApproval"), of("approval", extend)).await;
    let far = json!({ "reason": "延期", "filed_date": date(2021, 5, 12), "valid_until": date(2025, 7, 20) });
    golden.call("again, and too far", &milestones("ExtendApproval"), of("approval", far)).await;
    golden.call("nothing", &milestones("ExtendApproval"), json!({})).await;
    let reopen = json!({ "reason": "有误" });
    golden.call("both", &milestones("ReopenMilestone"), of("deed", reopen)).await;
    let alone = json!({ "break_coupling": true, "reason": "证书未出" });
    golden
        .call(
            "alone without a reason",
            &milestones("AchieveMilestone"),
            of("land", json!({ "break_coupling": true })),
        )
        .await;
    golden.call("alone", &milestones("AchieveMilestone"), of("land", alone)).await;
    golden.call("that is achieved", &milestones("DeleteMilestone"), of("approval", json!({}))).await;
}
