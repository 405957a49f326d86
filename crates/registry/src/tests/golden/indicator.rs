//! Indicators and their observations: what is stored, sent and refused.

use serde_json::{Value, json};

use super::noun::Noun;
use super::{Golden, date};

const INDICATOR: Noun = Noun { singular: "Indicator", plural: "Indicators", field: "indicator" };
const OBSERVATION: Noun = Noun { singular: "Observation", plural: "Observations", field: "observation" };
const PORTFOLIO: &str = "portfolios/wsc";

fn name(id: &str) -> String {
    format!("{PORTFOLIO}/indicators/{id}")
}

fn observation(id: &str) -> String {
    format!("{}/observations/{id}", name("full"))
}

fn create(id: &str, indicator: Value) -> Value {
    json!({ "parent": PORTFOLIO, "indicator_id": id, "indicator": indicator })
}

fn observe(id: &str, value: &str, more: Value) -> Value {
    let day = date(2021, 5, 20);
    let mut observation = json!({
        "period": { "start_date": day, "end_date": day }, "value": value, "source": "管委会",
    });
    for (key, value) in more.as_object().unwrap() {
        observation[key] = value.clone();
    }
    json!({ "parent": name("full"), "observation_id": id, "observation": observation })
}

fn full() -> Value {
    json!({
        "display_name": "市级以上研发机构",
        "translations": { "en": "R&D institutions", "zh-Hant": "市級以上研發機構" },
        "description": "第一行\n第二行",
        "labels": { "plan": "十四五" },
        "unit": "家",
        "kind": "KIND_STOCK",
        "higher_is_better": true,
        "scope": "核心区",
        "part_of": name("all"),
        "rollup": "ROLLUP_NONE",
        "targets": [{ "year": 2021, "value": "278" }, { "date": date(2022, 6, 30), "value": "300.0" }],
        "thresholds": [{ "value": "278", "label": "今年" }],
    })
}

#[tokio::test]
async fn indicators_and_observations_are_stored_and_sent_as_ever() {
    let mut golden = Golden::open().await;
    golden.given_portfolio("wsc").await;
    writes(&mut golden).await;
    observations(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&INDICATOR, &[PORTFOLIO], &["name", "display_name"], "contradiction_count = 0").await;
    golden.all_pages(&OBSERVATION, &[&name("full"), &name("-")], &["name"], "state = STATE_ACTIVE").await;
    golden.every_field(&INDICATOR, &json!({ "parent": PORTFOLIO }), &name("full")).await;
    golden.every_field(&OBSERVATION, &json!({ "parent": name("full") }), &observation("a")).await;
    golden.close().await;
    golden.compare("indicator");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered of indicators");
    let all = json!({ "display_name": "全部", "kind": "KIND_STOCK", "unit": "家", "rollup": "ROLLUP_SUM" });
    golden.ask(&INDICATOR, "Create", "no more than it must have to sum", create("all", all)).await;
    let by = INDICATOR.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    let change = json!({ "name": name("full"), "scope": "全域", "thresholds": [{ "value": "200" }] });
    golden.ask(&INDICATOR, "Update", "what is set", INDICATOR.set(change)).await;
    let rate = create("rate", json!({ "display_name": "空置率", "kind": "KIND_RATE" }));
    golden.given(&by, rate).await;
    golden.ask(&INDICATOR, "Delete", "one", json!({ "name": name("rate") })).await;
}

async fn observations(golden: &mut Golden) {
    golden.chapter("What is stored and answered of observations");
    let more = json!({
        "qualifier": "QUALIFIER_AT_LEAST", "note": "含在建", "reported_date": date(2021, 5, 21),
    });
    golden.ask(&OBSERVATION, "Create", "that comes to all bounds", observe("a", "278.0", more)).await;
    golden.ask(&OBSERVATION, "Create", "that contradicts it", observe("b", "277", json!({}))).await;
    let more = json!({ "dimensions": { "district": "高新区" } });
    golden.ask(&OBSERVATION, "Create", "of a part", observe("c", "5", more)).await;
    golden.ask(&INDICATOR, "Get", "what is contradicted", json!({ "name": name("full") })).await;
    let decision = |id: &str| json!({ "name": observation(id), "reason": "核实", "date": date(2021, 5, 25) });
    golden.call("one", "ObservationService/PreferObservation", decision("b")).await;
    golden.call("the other", "ObservationService/PreferObservation", decision("a")).await;
    golden.call("one that is preferred", "ObservationService/RetractObservation", decision("a")).await;
    golden.call("one that is retracted", "ObservationService/RetractObservation", decision("a")).await;
    let series = "IndicatorService/GetIndicatorSeries";
    golden.call("as known now", series, json!({ "name": name("full") })).await;
    let day = date(2021, 5, 25);
    let then = json!({ "name": name("full"), "date": day, "knowledge": "KNOWLEDGE_THEN" });
    golden.call("as known then", series, then).await;
    let span = json!({ "start_date": date(2021, 5, 1), "end_date": day });
    let whole = json!({ "name": name("all"), "date": day, "span": span });
    golden.call("the sum of its parts", series, whole).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "display_name": "", "kind": 9, "part_of": "x", "rollup": 9,
        "targets": [{}, { "year": 2021, "date": date(2021, 2, 30), "value": "x" }],
        "thresholds": [{ "value": "1" }, { "value": "1.0" }, {}],
    });
    golden.ask(&INDICATOR, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&INDICATOR, "Create", "nothing", json!({})).await;
    golden.ask(&INDICATOR, "Update", "everything", INDICATOR.update("*", wrong)).await;
    golden.target_faults(&INDICATOR, &name("full")).await;
    golden.standard_refusals(&INDICATOR, &name("full"), &name("rate"), &json!({ "scope": "x" })).await;
    golden.again(&INDICATOR, create("again", json!({ "display_name": "x", "kind": "KIND_FLOW" }))).await;
    let wrong = json!({
        "period": { "end_date": date(2021, 2, 0) }, "source": "", "qualifier": 9,
        "dimensions": { "A": "\u{7}" }, "reported_date": date(2021, 2, 30),
    });
    golden.ask(&OBSERVATION, "Create", "everything", observe("-", "1,000", wrong)).await;
    golden.ask(&OBSERVATION, "Create", "nothing", json!({})).await;
    golden.target_faults(&OBSERVATION, &observation("b")).await;
    let future = json!({ "reported_date": date(2021, 5, 28) });
    golden.ask(&OBSERVATION, "Create", "reported tomorrow", observe("d", "1", future)).await;
    golden.ask(&OBSERVATION, "Create", "a name that is taken", observe("a", "1", json!({}))).await;
    for method in ["PreferObservation", "RetractObservation"] {
        let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
        golden.call("everything", &format!("ObservationService/{method}"), wrong).await;
        golden.call("nothing", &format!("ObservationService/{method}"), json!({})).await;
    }
    let part = json!({ "display_name": "x", "kind": "KIND_FLOW", "part_of": name("all") });
    golden.ask(&INDICATOR, "Create", "what cannot be summed", create("new", part)).await;
}
