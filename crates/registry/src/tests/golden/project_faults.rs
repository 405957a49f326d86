//! Projects: requests that are wrong in every way at once.

use serde_json::{Value, json};

use super::project::{PORTFOLIO, PROJECT, create, name, with_name};
use super::{Golden, cny, date};

/// Texts, codes and what else is short: an answer has room for so many violations and no more.
fn wrong_lines() -> Value {
    json!({
        "display_name": "", "translations": { "en": " x", "english": "x" },
        "codes": [
            { "scheme": "GB/T 40058", "code": "2101-500107-04-01-123456" },
            { "scheme": "x", "code": "" }, { "scheme": "x\n", "code": "y" }, {},
        ],
        "sector": " E", "level": 9, "listing": -1,
        "site": { "address": "\n", "division_code": "50010", "latitude": 90.1, "longitude": -181.0 },
        "purpose": " ", "scale": "\u{0}",
        "planned_period": { "start_date": date(2021, 0, 0), "end_date": date(10000, 1, 1) },
        "actual_period": { "start_date": date(2021, 13, 1), "end_date": date(0, 0, 0) },
        "parent_project": "portfolios/wsc/projects/-", "labels": { "K": "\t" },
    })
}

fn wrong_amounts() -> Value {
    let odd = json!({ "currency_code": "RMB", "units": "1", "nanos": -1 });
    json!({
        "display_name": "x", "investment": odd,
        "breakdown": [{}, { "category": " ", "amount": odd }, { "category": "x", "amount": cny(-1, 0) }],
        "funding": [{}, { "source": "x", "organization": "cqu", "amount": odd }],
        "annual_plans": [{}, { "year": 1899, "investment": cny(1, 1_000_000_000), "content": "x " }],
        "completed_investments": [
            {}, { "period": {}, "amount": odd },
            { "period": { "start_date": date(2021, 2, 30), "end_date": date(2021, 2, 28) } },
            { "period": { "start_date": date(2021, 3, 1), "end_date": date(2021, 2, 28) }, "amount": cny(1, 0) },
        ],
        "parties": [{}, { "organization": "organizations/cqu", "roles": ["", "x"] }],
    })
}

/// Each of it is right by itself.
fn rules() -> Value {
    let dollars = json!({ "currency_code": "USD", "units": "1" });
    let all = cny(i64::MAX, 0);
    json!({
        "display_name": "x", "investment": cny(1, 0),
        "codes": [{ "scheme": "x", "code": "1" }, { "scheme": "x", "code": "2" }, { "scheme": "GB/T 40058", "code": "1" }],
        "breakdown": [
            { "category": "a", "amount": dollars }, { "category": "b", "amount": all }, { "category": "c", "amount": all },
        ],
        "funding": [{ "source": "a", "amount": all }, { "source": "b", "amount": all }],
        "annual_plans": [{ "year": 2021, "investment": all }, { "year": 2021, "investment": all }],
    })
}

/// Fields whose parts are right by themselves.
fn parts() -> Value {
    let backwards = json!({ "start_date": date(2021, 5, 2), "end_date": date(2021, 5, 1) });
    json!({
        "display_name": "x", "site": { "latitude": 1.0 },
        "planned_period": backwards, "actual_period": backwards,
    })
}

pub(super) async fn all(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    for (what, wrong) in
        [("lines", wrong_lines()), ("amounts", wrong_amounts()), ("rules", rules()), ("parts", parts())]
    {
        golden.ask(&PROJECT, "Create", what, create("x", wrong.clone())).await;
        golden.ask(&PROJECT, "Update", what, PROJECT.update("*", with_name("minimal", wrong.clone()))).await;
        let set = PROJECT.set(with_name("minimal", wrong));
        golden.ask(&PROJECT, "Update", &format!("{what} that are set"), set).await;
    }
    let request =
        json!({ "parent": "portfolios/-", "project_id": "X", "request_id": "\u{7f}", "project": rules() });
    golden.ask(&PROJECT, "Create", "rules, and what is around them", request).await;
    let mut both = rules();
    for (field, value) in parts().as_object_mut().unwrap() {
        both[field] = value.take();
    }
    golden.ask(&PROJECT, "Create", "rules and parts", create("x", both.clone())).await;
    golden.ask(&PROJECT, "Update", "rules and parts", PROJECT.set(with_name("minimal", both))).await;
    let mut everything = wrong_lines();
    for (field, value) in wrong_amounts().as_object_mut().unwrap() {
        everything[field] = value.take();
    }
    golden.ask(&PROJECT, "Create", "more than an answer has room for", create("x", everything)).await;
    golden.ask(&PROJECT, "Create", "nothing", json!({})).await;
    golden.ask(&PROJECT, "Create", "a message without anything", create("", json!({}))).await;
    golden.ask(&PROJECT, "Update", "nothing", json!({})).await;
    golden.ask(&PROJECT, "Update", "a message without anything", PROJECT.set(json!({}))).await;
    let wrong = json!({ "name": "projects/x", "etag": "01", "site": { "latitude": 91.0 }, "sector": " " });
    golden.ask(&PROJECT, "Update", "by a mask", PROJECT.update("site.latitude,sector", wrong.clone())).await;
    let mask = "name,etag,create_time,status,suspended_status,status_reason,batch,nome,*,site.x,delete_time";
    golden.ask(&PROJECT, "Update", "a mask", PROJECT.update(mask, wrong)).await;
    golden.target_faults(&PROJECT, &name("minimal")).await;
    moves(golden).await;
    together(golden).await;

    golden.chapter("Lists that are refused");
    for parent in ["", "portfolios", "portfolios/-/projects", "portfolios/WSC"] {
        let request = json!({ "parent": parent, "page_size": -1 });
        golden.ask(&PROJECT, "List", &format!("the parent {parent:?}"), request).await;
    }
    golden.list_refusals(&PROJECT, &json!({ "parent": PORTFOLIO }), "display_name, name").await;
}

async fn moves(golden: &mut Golden) {
    let wrong = json!({ "name": "wsc/x", "etag": "one", "request_id": "\n", "reason": " x" });
    for verb in ["Prepare", "Suspend", "Resume", "Cancel"] {
        golden.ask(&PROJECT, verb, "everything", wrong.clone()).await;
        golden.ask(&PROJECT, verb, "nothing", json!({})).await;
    }
    for (verb, field) in
        [("Start", "start_date"), ("Complete", "completion_date"), ("Commission", "commission_date")]
    {
        let mut wrong = wrong.clone();
        wrong[field] = date(2021, 2, 29);
        golden.ask(&PROJECT, verb, "everything", wrong).await;
        golden.ask(&PROJECT, verb, "nothing", json!({})).await;
    }
}

async fn together(golden: &mut Golden) {
    let batch_create = "ProjectService/BatchCreateProjects";
    golden.call("nothing", batch_create, json!({})).await;
    let requests = json!([
        { "parent": "portfolios/lj", "project_id": "a", "request_id": "x", "validate_only": true },
        { "project_id": "a", "project": { "sector": " " } },
        { "project_id": "-", "project": rules() },
    ]);
    let wrong = json!({ "parent": "portfolios/-", "requests": requests, "request_id": " " });
    golden.call("everything", batch_create, wrong).await;
    let many: Vec<_> = (0..1001).map(|i| json!({ "project_id": format!("p{i}") })).collect();
    golden.call("too many", batch_create, json!({ "parent": PORTFOLIO, "requests": many })).await;

    let batch_get = "ProjectService/BatchGetProjects";
    golden.call("nothing", batch_get, json!({})).await;
    let names = [name("-"), "portfolios/lj/projects/z".to_owned(), String::new()];
    golden.call("everything", batch_get, json!({ "parent": PORTFOLIO, "names": names })).await;
    golden.call("everything", batch_get, json!({ "parent": "x", "names": names })).await;
    let many = vec![name("minimal"); 1001];
    golden.call("too many", batch_get, json!({ "parent": PORTFOLIO, "names": many })).await;
}
