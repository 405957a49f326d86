//! Projects: what is stored and sent, and their pages. What is refused is in two files of its own.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, cny, date, project_faults, project_refusals};

pub(super) const PROJECT: Noun = Noun { singular: "Project", plural: "Projects", field: "project" };
pub(super) const PORTFOLIO: &str = "portfolios/wsc";

pub(super) fn name(id: &str) -> String {
    format!("{PORTFOLIO}/projects/{id}")
}

pub(super) fn create(id: &str, project: Value) -> Value {
    json!({ "parent": PORTFOLIO, "project_id": id, "project": project })
}

pub(super) fn minimal() -> Value {
    json!({ "display_name": "科学大道" })
}

/// Every field, some of them twice.
pub(super) fn full() -> Value {
    json!({
        "display_name": "科学大道一期",
        "translations": { "en": "Science Avenue", "zh-Hant": "科學大道" },
        "codes": [
            { "scheme": "GB/T 40058", "code": "2101-500107-04-01-123457" },
            { "scheme": "区", "code": "沙-7" },
        ],
        "sector": "E4813", "level": "LEVEL_MUNICIPAL", "key": false, "listing": "LISTING_NEW_START",
        "site": {
            "address": "沙坪坝区", "division_code": "500106", "latitude": 29.6, "longitude": -0.0,
        },
        "purpose": "连接南北\n改善交通", "scale": "全长20公里",
        "investment": cny(1_000, 500_000_000),
        "breakdown": [
            { "category": "建安", "amount": cny(700, 0) }, { "category": "其他", "amount": cny(300, 500_000_000) },
        ],
        "funding": [
            { "source": "财政", "organization": "organizations/cqu", "amount": cny(1, 0) },
            { "source": "银行" },
            { "source": "外资", "amount": { "currency_code": "USD", "units": "5" } },
        ],
        "annual_plans": [
            { "year": 2022, "investment": cny(5, 0), "content": "路基\n桥梁" }, { "year": 2021 },
        ],
        "completed_investments": [{
            "period": { "start_date": date(2021, 1, 1), "end_date": date(2021, 3, 31) }, "amount": cny(0, 1),
        }],
        "parties": [
            { "organization": "organizations/cqu", "roles": ["业主", "owner"] },
            { "organization": "organizations/cqu", "roles": ["designer"] },
        ],
        "planned_period": { "start_date": date(2021, 6, 1), "end_date": date(2023, 12, 31) },
        "actual_period": { "start_date": date(2021, 5, 26) },
        "parent_project": name("minimal"),
        "labels": { "district": "沙坪坝", "a": "" },
    })
}

#[tokio::test]
async fn projects_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    golden.given_organization("cqu").await;
    writes(&mut golden).await;
    moves(&mut golden).await;
    together(&mut golden).await;
    pages(&mut golden).await;
    project_faults::all(&mut golden).await;
    project_refusals::all(&mut golden).await;
    golden.every_field(&PROJECT, &json!({ "parent": PORTFOLIO }), &name("full")).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.given_portfolio("wsc").await;
    golden.made(&PROJECT.method("Create"), json!({ "parent": PORTFOLIO, "project": minimal() })).await;
    golden.compare("project");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&PROJECT, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = PROJECT.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", minimal())).await;
    let changed = json!({
        "name": name("full"), "etag": "4", "display_name": "大道", "level": "LEVEL_NATIONAL",
        "site": { "address": "北碚区" }, "investment": cny(1_001, 0), "labels": { "b": "9" },
        "actual_period": { "end_date": date(2021, 5, 27) }, "purpose": "not named",
        "parent_project": name("other"), "codes": [{ "scheme": "市", "code": "1" }],
    });
    let mask = "display_name,level,key,site.address,investment,labels,actual_period.end_date,\
                planned_period.start_date,parent_project,codes,parties";
    golden.ask(&PROJECT, "Update", "several fields and parts", PROJECT.update(mask, changed)).await;
    let set = json!({
        "name": name("full"), "key": true, "site": { "latitude": 30.0, "longitude": 107.5 },
        "planned_period": { "start_date": date(2021, 7, 1) }, "listing": "LISTING_CONTINUED",
        "funding": [{ "source": "自筹" }],
    });
    golden.ask(&PROJECT, "Update", "what is set, without a mask", PROJECT.set(set)).await;
    let all = PROJECT.update("*", json!({ "name": name("full"), "display_name": "路" }));
    golden.ask(&PROJECT, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&PROJECT, "Update", "what changes nothing", all).await;
    golden.ask(&PROJECT, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&PROJECT, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PROJECT, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PROJECT, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PROJECT, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PROJECT, "Delete", "with its etag", json!({ "name": name("other"), "etag": "10" })).await;
    let mut part = full();
    part["name"] = json!(name("full"));
    let part = PROJECT.update("parent_project,completed_investments,annual_plans,breakdown,parties", part);
    golden.ask(&PROJECT, "Update", "lists, and a parent again", part).await;
    let tried = json!({ "project": { "name": name("full"), "purpose": "9" }, "validate_only": true });
    golden.ask(&PROJECT, "Update", "tried only", tried).await;
    golden.ask(&PROJECT, "List", "all of them", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
}

async fn moves(golden: &mut Golden) {
    golden.chapter("The methods that change the status");
    for id in ["built", "given-up", "today"] {
        golden.given(&PROJECT.method("Create"), create(id, minimal())).await;
    }
    let built = |more: Value| with_name("built", more);
    golden.ask(&PROJECT, "Prepare", "for a reason", built(json!({ "reason": "立项\n批复" }))).await;
    let suspended = built(json!({ "reason": "征地" }));
    golden.ask(&PROJECT, "Suspend", "one in preparation", suspended).await;
    golden.ask(&PROJECT, "Resume", "it", built(json!({ "reason": "已征地" }))).await;
    let day = json!({ "start_date": date(2021, 5, 1), "reason": "开工", "etag": "18" });
    golden.ask(&PROJECT, "Start", "on a day, with its etag", built(day)).await;
    golden
        .ask(&PROJECT, "Complete", "on a day", built(json!({ "completion_date": date(2021, 5, 20) })))
        .await;
    golden.ask(&PROJECT, "Commission", "today", built(json!({}))).await;
    golden.ask(&PROJECT, "Start", "today", with_name("today", json!({}))).await;
    golden
        .ask(&PROJECT, "Suspend", "one under construction", with_name("today", json!({ "reason": "雨" })))
        .await;
    golden.ask(&PROJECT, "Cancel", "one", with_name("given-up", json!({ "reason": "不建" }))).await;
}

pub(super) fn with_name(id: &str, mut more: Value) -> Value {
    more["name"] = json!(name(id));
    more
}

async fn together(golden: &mut Golden) {
    golden.chapter("Several at once");
    let several = json!({ "parent": PORTFOLIO, "requests": [
        { "project_id": "several-b", "project": { "display_name": "二", "parent_project": name("several-a") } },
        { "parent": PORTFOLIO, "project_id": "several-a", "project": { "display_name": "一" } },
    ] });
    golden.call("two, one a part of the other", "ProjectService/BatchCreateProjects", several).await;
    let names = [name("several-b"), name("minimal"), name("several-b")];
    let request = json!({ "parent": "portfolios/-", "names": names });
    golden.call("in the order of names given", "ProjectService/BatchGetProjects", request).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    golden.given_portfolio("lj").await;
    for id in ["minimal", "z"] {
        golden.given_project("lj", id, json!({})).await;
    }
    let orders = ["name", "display_name", "update_time"];
    let filter = "update_time > \"2021-05-27T04:00:09Z\" AND display_name = \"*道\"";
    golden.all_pages(&PROJECT, &[PORTFOLIO, "portfolios/-"], &orders, filter).await;
    for parent in [PORTFOLIO, "portfolios/-"] {
        // These are found by other indexes.
        for filter in ["status = STATUS_PROPOSED", &format!("parent_project = \"{}\"", name("minimal"))] {
            let request = json!({ "parent": parent, "filter": filter });
            golden.pages(&PROJECT.method("List"), request).await;
        }
    }
}
