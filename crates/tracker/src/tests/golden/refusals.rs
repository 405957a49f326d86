//! What does not go as things are.

use serde_json::{Value, json};

use super::super::registry::deleted;
use super::writes::document;
use super::{Golden, MILESTONE, ROAD, create, date, minimal, name, of, portfolio, project};

const ADD: &str = "MilestoneService/AddMilestoneEvidence";
const ADVANCE: &str = "MilestoneService/AdvanceDate";
const BATCH: &str = "MilestoneService/BatchCreateMilestones";
const CURRENT: &str = "MilestoneService/GetCurrentDate";
const FORECASTS: &str = "MilestoneService/ListMilestoneForecasts";

/// The methods that act on a milestone, each with what it must be asked with.
fn actions() -> [(&'static str, Value); 7] {
    let reason = || json!({ "reason": "x" });
    [
        ("Reforecast", json!({ "forecast_date": date(2021, 9, 1) })),
        ("Rebaseline", json!({ "baseline_date": date(2021, 9, 1), "reason": "x" })),
        ("Achieve", json!({})),
        ("PartiallyAchieve", reason()),
        ("Miss", reason()),
        ("Cancel", reason()),
        ("Reopen", reason()),
    ]
}

pub(super) async fn all(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&MILESTONE, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&MILESTONE, "Create", "a name that a deleted one has", create("other", minimal())).await;
    golden.standard_refusals(&MILESTONE, &name("minimal"), &name("other"), &json!({ "remarks": "x" })).await;
    golden.again(&MILESTONE, create("again", minimal())).await;
    let requests = json!([
        { "milestone_id": "new", "milestone": minimal() }, { "milestone_id": "full", "milestone": minimal() },
    ]);
    golden.call("a name that is taken", BATCH, json!({ "parent": ROAD, "requests": requests })).await;
    states(golden).await;
    documents(golden).await;
    dates(golden).await;
    elsewhere(golden, "none", "none").await;
    elsewhere(golden, "wsc", "none").await;
    golden.subject.say("milepost.project.deleted", deleted(project("lj", "road"))).await;
    golden.happened("a project is deleted");
    elsewhere(golden, "lj", "road").await;
    golden.subject.say("milepost.portfolio.deleted", deleted(portfolio("lj", None))).await;
    golden.happened("a portfolio is deleted");
    elsewhere(golden, "lj", "road").await;
    let date = json!({ "portfolio": "portfolios/lj", "date": date(2021, 5, 15) });
    golden.call("in a deleted portfolio", ADVANCE, date).await;
    golden.call("in a deleted portfolio", CURRENT, json!({ "portfolio": "portfolios/lj" })).await;
}

async fn states(golden: &mut Golden) {
    for (id, verbs) in [
        ("minimal", &["Reopen"][..]),
        ("full", &["Reforecast", "Achieve", "PartiallyAchieve", "Miss", "Cancel"]),
        ("partly", &["Reforecast", "PartiallyAchieve"]),
        ("missed", &["Reforecast", "Achieve", "PartiallyAchieve", "Miss", "Cancel"]),
        ("cancelled", &["Reforecast", "Achieve", "PartiallyAchieve", "Miss", "Cancel"]),
    ] {
        for (verb, request) in actions().into_iter().filter(|(verb, _)| verbs.contains(verb)) {
            golden.ask(&MILESTONE, verb, id, of(id, request)).await;
        }
    }
    for (verb, request) in actions() {
        golden.ask(&MILESTONE, verb, "none", of("none", request.clone())).await;
        golden.ask(&MILESTONE, verb, "a deleted one", of("other", request.clone())).await;
        let mut stale = of("minimal", request);
        stale["etag"] = json!("1");
        golden.ask(&MILESTONE, verb, "a stale etag", stale).await;
    }
    golden.call("none", FORECASTS, json!({ "name": name("none") })).await;
}

async fn documents(golden: &mut Golden) {
    for (id, etag) in [("none", ""), ("other", ""), ("minimal", "1")] {
        let request = json!({ "evidence": document("x"), "etag": etag });
        golden.call(&format!("{id}, etag {etag:?}"), ADD, of(id, request)).await;
    }
    let asked = json!({ "display_name": "x", "required_evidence": ["甲", "乙", "丙"] });
    golden.given(&MILESTONE.method("Create"), create("asked", asked)).await;
    golden.given(ADD, of("asked", json!({ "evidence": document("乙") }))).await;
    golden.ask(&MILESTONE, "Achieve", "without its documents", of("asked", json!({}))).await;
    for i in 1..200 {
        golden.given(ADD, of("asked", json!({ "evidence": document(&i.to_string()) }))).await;
    }
    golden.call("one too many", ADD, of("asked", json!({ "evidence": document("200") }))).await;
}

async fn dates(golden: &mut Golden) {
    let tomorrow = json!({ "actual_date": date(2021, 5, 16), "reason": "x" });
    golden.ask(&MILESTONE, "Achieve", "tomorrow", of("minimal", tomorrow.clone())).await;
    golden.ask(&MILESTONE, "PartiallyAchieve", "tomorrow", of("minimal", tomorrow)).await;
    let moved = json!({
        "name": name("minimal"), "display_name": "x",
        "baseline_date": date(2022, 1, 1), "forecast_date": date(2022, 1, 2),
    });
    golden.ask(&MILESTONE, "Update", "dates that it has not", MILESTONE.update("*", moved.clone())).await;
    golden.ask(&MILESTONE, "Update", "dates that it has not, as set", MILESTONE.set(moved)).await;
    let day = |portfolio: &str, year: i32| json!({ "portfolio": format!("portfolios/{portfolio}"), "date": date(year, 5, 17) });
    golden.call("a day to come", ADVANCE, day("wsc", 2021)).await;
    golden.call("a first day too long ago", ADVANCE, day("lj", 2001)).await;
    golden.call("of no portfolio", ADVANCE, day("none", 2021)).await;
    golden.call("of no portfolio", CURRENT, json!({ "portfolio": "portfolios/none" })).await;
    // The clock jumps, and is set right again.
    let jump = jiff::SignedDuration::from_hours(24 * 4_100);
    golden.subject.running.clock.advance(jump);
    golden.call("too many days at once", ADVANCE, day("wsc", 2032)).await;
    golden.subject.running.clock.advance(-jump);
}

/// In a project that is not there, or is deleted.
async fn elsewhere(golden: &mut Golden, portfolio: &str, project: &str) {
    let parent = format!("portfolios/{portfolio}/projects/{project}");
    let milestone = format!("{parent}/milestones/full");
    let create = json!({ "parent": parent, "milestone_id": "new", "milestone": minimal() });
    golden.ask(&MILESTONE, "Create", &parent, create.clone()).await;
    golden.call(&parent, BATCH, json!({ "parent": parent, "requests": [create] })).await;
    let changed = MILESTONE.set(json!({ "name": milestone, "remarks": "x" }));
    golden.ask(&MILESTONE, "Update", &parent, changed).await;
    for verb in ["Get", "Delete", "Undelete", "Achieve"] {
        golden.ask(&MILESTONE, verb, &parent, json!({ "name": milestone })).await;
    }
    golden.ask(&MILESTONE, "List", &parent, json!({ "parent": parent })).await;
    let all = format!("portfolios/{portfolio}/projects/-");
    golden.ask(&MILESTONE, "List", &all, json!({ "parent": all })).await;
}
