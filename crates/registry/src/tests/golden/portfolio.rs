//! Portfolios: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, Registry, date};

const PORTFOLIO: Noun = Noun { singular: "Portfolio", plural: "Portfolios", field: "portfolio" };

fn name(id: &str) -> String {
    format!("portfolios/{id}")
}

fn create(id: &str, portfolio: Value) -> Value {
    json!({ "portfolio_id": id, "portfolio": portfolio })
}

fn minimal() -> Value {
    json!({ "display_name": "两江新区", "time_zone": "Asia/Shanghai", "reporting_currency_code": "CNY" })
}

fn full() -> Value {
    json!({
        "display_name": "西部(重庆)科学城",
        "translations": { "en": "Western Science City", "zh-hant-hk": "西部科學城" },
        "time_zone": "America/New_York",
        "working_calendar": {
            "weekdays": [5, 1, 2, 4, 3],
            "holidays": [date(2021, 10, 1), date(2021, 6, 14), date(2021, 10, 2)],
            "make_up_days": [date(2021, 10, 9), date(2021, 9, 26)],
        },
        "reporting_currency_code": "USD",
        "description": "第一行\n第二行",
        "labels": { "city": "重庆", "a": "", "z-9": "x" },
    })
}

#[tokio::test]
async fn portfolios_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    writes(&mut golden).await;
    pages(&mut golden).await;
    faults(&mut golden).await;
    refusals(&mut golden).await;
    golden.every_field(&PORTFOLIO, &json!({}), &name("full")).await;
    golden.close().await;

    golden.turn_to(Registry::open().await);
    golden.made(&PORTFOLIO.method("Create"), json!({ "portfolio": minimal() })).await;
    golden.compare("portfolio");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&PORTFOLIO, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = PORTFOLIO.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let changed = json!({
        "name": name("full"), "etag": "2", "display_name": "科学城", "time_zone": "Asia/Tokyo",
        "reporting_currency_code": "JPY", "labels": { "b": "9" }, "description": "not named",
    });
    let mask = "display_name,time_zone,reporting_currency_code,labels,working_calendar";
    golden.ask(&PORTFOLIO, "Update", "several fields", PORTFOLIO.update(mask, changed)).await;
    let calendar = json!({ "holidays": [date(2022, 1, 1)] });
    let set = json!({ "name": name("full"), "working_calendar": calendar, "translations": { "fr": "Cité" } });
    golden.ask(&PORTFOLIO, "Update", "what is set, without a mask", PORTFOLIO.set(set)).await;
    let mut all = minimal();
    all["name"] = json!(name("full"));
    let all = PORTFOLIO.update("*", all);
    golden.ask(&PORTFOLIO, "Update", "all fields, so that most are empty", all.clone()).await;
    golden.ask(&PORTFOLIO, "Update", "what changes nothing", all).await;
    golden.ask(&PORTFOLIO, "Get", "one that is there", json!({ "name": name("full") })).await;
    golden.ask(&PORTFOLIO, "Delete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PORTFOLIO, "Delete", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PORTFOLIO, "Get", "one that is deleted", json!({ "name": name("other") })).await;
    golden.ask(&PORTFOLIO, "Undelete", "one", json!({ "name": name("other") })).await;
    golden.ask(&PORTFOLIO, "Delete", "with its etag", json!({ "name": name("other"), "etag": "8" })).await;
    let tried =
        json!({ "portfolio": { "name": name("minimal"), "description": "9" }, "validate_only": true });
    golden.ask(&PORTFOLIO, "Update", "tried only", tried).await;
    // A day begins: rows stay, answers say which day it is.
    golden.subject.office.clock.advance(jiff::SignedDuration::from_hours(24));
    golden.ask(&PORTFOLIO, "Get", "a day later", json!({ "name": name("full") })).await;
    golden
        .ask(&PORTFOLIO, "Delete", "one that is deleted, a day later", json!({ "name": name("other") }))
        .await;
    golden.ask(&PORTFOLIO, "List", "all of them", json!({ "show_deleted": true })).await;
    let later = json!({ "name": name("full"), "description": "次日" });
    golden.ask(&PORTFOLIO, "Update", "a day later", PORTFOLIO.set(later)).await;
    golden.subject.office.clock.advance(jiff::SignedDuration::from_hours(-48));
    golden.ask(&PORTFOLIO, "Get", "the clock goes back", json!({ "name": name("full") })).await;
    let back = json!({ "name": name("full"), "description": "昨日" });
    golden.ask(&PORTFOLIO, "Update", "the clock goes back", PORTFOLIO.set(back)).await;
}

async fn pages(golden: &mut Golden) {
    golden.chapter("Pages, and the tokens between them");
    for id in ["a", "z"] {
        golden.given_portfolio(id).await;
    }
    let filter = "update_time > \"2021-05-27T04:00:05Z\" AND display_name = \"*科*\"";
    golden.all_pages(&PORTFOLIO, &[""], &["name", "display_name"], filter).await;
}

async fn faults(golden: &mut Golden) {
    golden.chapter("Requests that are wrong in every way at once");
    let mut wrong = json!({
        "name": "portfolios/-", "etag": "-1", "display_name": "\u{202e}", "translations": { "": "x" },
        "time_zone": "Asia/Chongqin",
        "working_calendar": {
            "weekdays": [0, 8, 1, 1],
            "holidays": [date(2021, 2, 30), date(2021, 6, 14), date(2021, 6, 14)],
            "make_up_days": [date(2021, 6, 14), date(0, 6, 14)],
        },
        "reporting_currency_code": "cny", "description": " ",
        "labels": { "Ä": "x", "a": "\n", "": "x" },
    });
    let mut request = create("Full", wrong.clone());
    request["request_id"] = json!("a\tb");
    golden.ask(&PORTFOLIO, "Create", "everything", request).await;
    golden.ask(&PORTFOLIO, "Create", "nothing", json!({})).await;
    golden.ask(&PORTFOLIO, "Create", "a message without anything", create("-", json!({}))).await;
    golden.ask(&PORTFOLIO, "Update", "everything", PORTFOLIO.update("*", wrong.clone())).await;
    golden.ask(&PORTFOLIO, "Update", "what is set", PORTFOLIO.set(wrong.clone())).await;
    wrong["working_calendar"] =
        json!({ "holidays": [date(2021, 6, 14)], "make_up_days": [date(2021, 6, 14)], "weekdays": [9] });
    let mask = "working_calendar,display_name,description";
    golden.ask(&PORTFOLIO, "Update", "by a mask", PORTFOLIO.update(mask, wrong)).await;
    golden.ask(&PORTFOLIO, "Update", "nothing", json!({})).await;
    let mask = "name,etag,current_date,update_time,nome,*,working_calendar.weekdays,delete_time";
    golden.ask(&PORTFOLIO, "Update", "a mask", PORTFOLIO.update(mask, json!({ "name": "x" }))).await;
    golden.target_faults(&PORTFOLIO, &name("full")).await;

    golden.chapter("Lists that are refused");
    golden.list_refusals(&PORTFOLIO, &json!({}), "display_name, name").await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&PORTFOLIO, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&PORTFOLIO, "Create", "a name that a deleted one has", create("other", minimal())).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&PORTFOLIO, &name("full"), &name("other"), &change).await;
    golden.again(&PORTFOLIO, create("again", minimal())).await;
    golden.given_project("full", "b", json!({})).await;
    golden.given_project("full", "a", json!({})).await;
    golden.ask(&PORTFOLIO, "Delete", "one with projects", json!({ "name": name("full") })).await;
}
