//! Warning policies, warnings and excuses: what is stored, sent, read and refused.

use milepost_proto::event::v1::event::Resource;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1 as registry;
use serde_json::{Value, json};

use super::super::transcript::noun::Noun;
use super::{Golden, ROAD, Tracker, compare, date, portfolio};

const POLICY: Noun = Noun { singular: "WarningPolicy", plural: "WarningPolicies", field: "warning_policy" };
const WARNING: Noun = Noun { singular: "Warning", plural: "Warnings", field: "warning" };
const EXCUSE: Noun = Noun { singular: "Excuse", plural: "Excuses", field: "excuse" };
const PORTFOLIO: &str = "portfolios/wsc";

fn policy(id: &str) -> String {
    format!("{PORTFOLIO}/warningPolicies/{id}")
}

fn create(id: &str, policy: Value) -> Value {
    json!({ "parent": PORTFOLIO, "warning_policy_id": id, "warning_policy": policy })
}

fn minimal() -> Value {
    json!({
        "display_name": "增长",
        "period": "PERIOD_QUARTER",
        "tests": [{
            "metric": "METRIC_GROWTH",
            "comparison": "COMPARISON_VALUE",
            "bands": [{ "light": "WARNING_LIGHT_RED", "high": "0" }],
        }],
    })
}

fn full() -> Value {
    json!({
        "display_name": "投资进度预警",
        "translations": { "en": "Progress of investment" },
        "description": "第一行\n第二行",
        "filter": "status = STATUS_CONSTRUCTION",
        "period": "PERIOD_DATES",
        "dates": [date(2021, 6, 15), date(2021, 3, 15)],
        "evaluate_after_days": 5,
        "time_basis": "TIME_BASIS_DAYS",
        "tests": [{
            "metric": "METRIC_INVESTMENT",
            "comparison": "COMPARISON_POINT_GAP",
            "bands": [
                { "light": "WARNING_LIGHT_GREEN", "high": "0", "high_inclusive": true },
                {
                    "light": "WARNING_LIGHT_YELLOW", "low": "10", "low_inclusive": true, "high": "30.0",
                    "high_inclusive": true,
                },
                { "light": "WARNING_LIGHT_RED", "low": "30" },
            ],
        }],
        "raise_after": 2,
        "clear_after": 3,
        "excusable": true,
        "missing": "MISSING_HOLD",
        "steps": [
            {
                "at_light": "WARNING_LIGHT_YELLOW", "consecutive": 3, "raise_to": "WARNING_LIGHT_RED",
                "action": "ACTION_NOTIFY", "role": "分管领导",
            },
            { "at_light": "WARNING_LIGHT_RED", "action": "ACTION_REVIEW", "months": 6 },
            {
                "at_light": "WARNING_LIGHT_RED", "consecutive": 2, "action": "ACTION_OPEN_ORDER", "due_working_days": 10,
                "responsible": "organizations/office", "responsible_role": "supplier",
            },
        ],
        "labels": { "topic": "progress" },
    })
}

#[tokio::test]
async fn warning_policies_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    writes(&mut golden).await;
    acts(&mut golden).await;
    refusals(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    golden.all_pages(&POLICY, &[PORTFOLIO], &["name"], "state = STATE_DRAFT").await;
    golden.every_field(&POLICY, &json!({ "parent": PORTFOLIO }), &policy("other")).await;
    golden.close().await;
    golden.turn_to(Tracker::open().await);
    let made = json!({ "parent": PORTFOLIO, "warning_policy": minimal() });
    golden.made(&POLICY.method("Create"), made).await;
    compare(&golden, "warning_policy");
}

async fn writes(golden: &mut Golden) {
    golden.chapter("What is stored and answered");
    golden.ask(&POLICY, "Create", "no more than it must have", create("minimal", minimal())).await;
    let by = POLICY.method("Create");
    golden.call_signed("every field, by somebody", &by, create("full", full())).await;
    golden.given(&by, create("other", full())).await;
    let change = json!({ "name": policy("full"), "raise_after": 0, "description": "" });
    golden.ask(&POLICY, "Update", "several fields", POLICY.update("raise_after,description", change)).await;
    golden.ask(&POLICY, "Get", "one", json!({ "name": policy("full") })).await;
    golden.ask(&POLICY, "Delete", "one", json!({ "name": policy("minimal") })).await;
    golden.ask(&POLICY, "List", "all", json!({ "parent": PORTFOLIO, "show_deleted": true })).await;
    golden.ask(&POLICY, "Undelete", "one", json!({ "name": policy("minimal") })).await;
    golden.given(&POLICY.method("Delete"), json!({ "name": policy("minimal") })).await;
}

async fn acts(golden: &mut Golden) {
    golden.chapter("What is done to them");
    let of = |more: Value| {
        let mut request = more;
        request["name"] = json!(policy("full"));
        request
    };
    golden.ask(&POLICY, "Adopt", "from a day on", of(json!({ "date": date(2021, 5, 1) }))).await;
    golden.ask(&POLICY, "Adopt", "one that is adopted", of(json!({}))).await;
    let change = of(json!({ "display_name": "x" }));
    golden.ask(&POLICY, "Update", "one that is adopted", POLICY.update("display_name", change)).await;
    let labels = of(json!({ "labels": { "a": "" } }));
    golden.ask(&POLICY, "Update", "its labels", POLICY.update("labels", labels)).await;
    golden.ask(&POLICY, "Delete", "one that is adopted", of(json!({}))).await;
    let early = of(json!({ "date": date(2021, 4, 30) }));
    golden.ask(&POLICY, "Retire", "before it was adopted", early).await;
    golden.ask(&POLICY, "Retire", "today", of(json!({ "reason": "已有新规" }))).await;
    golden.ask(&POLICY, "Retire", "one that is retired", of(json!({}))).await;
}

async fn refusals(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "display_name": "", "translations": { "!": "x" }, "description": "\u{7}",
        "filter": "x = 1", "period": 9, "dates": [date(2021, 2, 30)], "evaluate_after_days": 32, "time_basis": 9,
        "tests": [{
            "metric": "METRIC_FUNDS", "comparison": "COMPARISON_AGE",
            "bands": [{ "light": "WARNING_LIGHT_RED", "low": "x" }, { "light": "WARNING_LIGHT_NO_LIGHT" }],
        }],
        "raise_after": 25, "clear_after": -1, "missing": 9, "steps": [{ "action": 9 }], "labels": { "A": "" },
    });
    golden.ask(&POLICY, "Create", "everything", create("-", wrong.clone())).await;
    golden.ask(&POLICY, "Create", "nothing", json!({})).await;
    golden.ask(&POLICY, "Create", "an empty one", create("new", json!({}))).await;
    golden.ask(&POLICY, "Update", "everything", POLICY.update("*", wrong)).await;
    golden.target_faults(&POLICY, &policy("other")).await;
    let change = json!({ "description": "x" });
    golden.standard_refusals(&POLICY, &policy("other"), &policy("minimal"), &change).await;
    let mut overlapping = minimal();
    overlapping["tests"][0]["bands"] = json!([
        { "light": "WARNING_LIGHT_RED", "high": "0", "high_inclusive": true },
        { "light": "WARNING_LIGHT_YELLOW", "low": "0", "low_inclusive": true, "high": "0.5" },
    ]);
    golden.ask(&POLICY, "Create", "with bands that overlap", create("new", overlapping)).await;
    for verb in ["Adopt", "Retire"] {
        let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
        golden.ask(&POLICY, verb, "everything", wrong).await;
        golden.ask(&POLICY, verb, "nothing", json!({})).await;
    }
    for (what, day) in [("on a day to come", date(2021, 5, 14)), ("too long ago", date(2001, 5, 1))] {
        golden.ask(&POLICY, "Adopt", what, json!({ "name": policy("other"), "date": day })).await;
    }
}

/// The portfolio reports in yuan.
fn in_yuan() -> Resource {
    match portfolio("wsc", None) {
        Resource::PortfolioResource(of) => {
            Resource::PortfolioResource(registry::Portfolio { reporting_currency_code: "CNY".into(), ..of })
        }
        other => other,
    }
}

/// The road with a plan, and what it completed of it in March, and in April, which is reported late.
fn behind(april: bool) -> Resource {
    let cny = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
    let day = |month, day| Some(Date { year: 2021, month, day });
    let completed = |month, last, units, reported_date| registry::CompletedInvestment {
        period: Some(registry::Period { start_date: day(month, 1), end_date: day(month, last) }),
        amount: cny(units),
        reported_date,
    };
    let mut completed_investments = vec![completed(3, 31, 100, day(3, 31))];
    completed_investments.extend(april.then(|| completed(4, 30, 300, day(5, 12))));
    Resource::ProjectResource(registry::Project {
        name: ROAD.into(),
        annual_plans: vec![registry::AnnualPlan {
            year: 2021,
            investment: cny(1_200),
            ..registry::AnnualPlan::default()
        }],
        completed_investments,
        ..registry::Project::default()
    })
}

/// 10 to 30 points behind is yellow, both included; more is red.
fn by_points() -> Value {
    let mut policy = full();
    policy["period"] = json!("PERIOD_MONTH");
    policy["dates"] = json!([]);
    policy["filter"] = json!("");
    policy["evaluate_after_days"] = json!(0);
    policy["time_basis"] = json!("TIME_BASIS_MONTHS");
    policy["raise_after"] = json!(1);
    policy["clear_after"] = json!(1);
    policy
}

#[tokio::test]
async fn warnings_and_excuses_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    golden.subject.say("milepost.portfolio.updated", in_yuan()).await;
    golden.subject.say("milepost.project.updated", behind(false)).await;
    golden.happened("a project is behind its plan");
    golden.given(&POLICY.method("Create"), create("w", by_points())).await;
    golden.given(&POLICY.method("Adopt"), json!({ "name": policy("w"), "date": date(2021, 3, 1) })).await;
    evaluations(&mut golden).await;
    excuses(&mut golden).await;
    refusals_of_excuses(&mut golden).await;
    golden.chapter("Pages, and the tokens between them");
    let parents = [ROAD, "portfolios/wsc/projects/-"];
    golden.all_pages(&WARNING, &parents, &["name", "period_end"], "light = WARNING_LIGHT_YELLOW").await;
    golden.all_pages(&EXCUSE, &parents, &["name"], "state = STATE_REQUESTED").await;
    golden.every_field(&EXCUSE, &json!({ "parent": ROAD }), &excuse("other")).await;
    golden.close().await;
    compare(&golden, "warning");
}

async fn evaluations(golden: &mut Golden) {
    golden.chapter("What days bring");
    let today = json!({ "portfolio": PORTFOLIO, "date": date(2021, 5, 13) });
    golden.call("March, with the first day", "MilestoneService/AdvanceDate", today.clone()).await;
    golden.call("April, of days that have begun", "MilestoneService/AdvanceDate", today.clone()).await;
    golden.call("nothing more", "MilestoneService/AdvanceDate", today).await;
    golden.ask(&WARNING, "List", "all", json!({ "parent": ROAD })).await;
    golden.subject.say("milepost.project.updated", behind(true)).await;
    golden.happened("April is reported");
    let replay = json!({
        "parent": PORTFOLIO, "policy": policy("w"), "from_date": date(2021, 3, 1), "to_date": date(2021, 5, 13),
    });
    golden.call("by all that is known now", "WarningPolicyService/ReplayWarningPolicy", replay.clone()).await;
    let mut then = replay;
    then["knowledge"] = json!("KNOWLEDGE_THEN");
    golden.call("by what was known then", "WarningPolicyService/ReplayWarningPolicy", then).await;
    let recompute = json!({ "name": policy("w"), "period_end": date(2021, 4, 30), "reason": "补报" });
    golden.call("April", "WarningPolicyService/RecomputeWarnings", recompute.clone()).await;
    golden.call("what differs in nothing", "WarningPolicyService/RecomputeWarnings", recompute).await;
    let list = json!({ "parent": ROAD, "filter": "NOT superseded_by:*" });
    golden.ask(&WARNING, "List", "those that count", list).await;
}

fn excuse(id: &str) -> String {
    format!("{ROAD}/excuses/{id}")
}

fn ask(id: &str, excuse: Value) -> Value {
    json!({ "parent": ROAD, "excuse_id": id, "excuse": excuse })
}

fn flood() -> Value {
    json!({
        "policy": policy("w"),
        "period_ends": [date(2021, 3, 31), date(2021, 6, 30)],
        "text": "洪水",
        "evidence": [{ "title": "照片", "uri": "https://example.org/1.jpg", "sha256": "A".repeat(43) + "=" }],
        "labels": { "topic": "flood" },
    })
}

async fn excuses(golden: &mut Golden) {
    golden.chapter("Excuses");
    let minimal = json!({ "policy": policy("w"), "period_ends": [date(2021, 4, 30)], "text": "下雨" });
    golden.ask(&EXCUSE, "Create", "by nobody", ask("minimal", minimal.clone())).await;
    golden.call_signed("every field, by somebody", &EXCUSE.method("Create"), ask("full", flood())).await;
    golden.given(&EXCUSE.method("Create"), ask("other", minimal.clone())).await;
    let change = json!({ "name": excuse("full"), "text": "山洪" });
    golden.call_signed("its text", &EXCUSE.method("Update"), EXCUSE.update("text", change)).await;
    golden.ask(&EXCUSE, "Grant", "one that nobody asked for", json!({ "name": excuse("minimal") })).await;
    let grant = json!({ "name": excuse("full"), "reason": "属实", "date": date(2021, 5, 12) });
    golden.ask(&EXCUSE, "Grant", "one, whose period was evaluated", grant.clone()).await;
    golden.ask(&EXCUSE, "Grant", "one that is granted", grant).await;
    golden.ask(&EXCUSE, "Delete", "one that is granted", json!({ "name": excuse("full") })).await;
    golden.call_signed("another", &EXCUSE.method("Create"), ask("refused", minimal)).await;
    golden.ask(&EXCUSE, "Refuse", "one", json!({ "name": excuse("refused"), "reason": "不属实" })).await;
    golden.ask(&EXCUSE, "Delete", "one", json!({ "name": excuse("minimal") })).await;
    golden.ask(&EXCUSE, "List", "all", json!({ "parent": ROAD, "show_deleted": true })).await;
}

async fn refusals_of_excuses(golden: &mut Golden) {
    golden.chapter("What is refused");
    let wrong = json!({
        "name": "x", "etag": "x", "policy": "x", "period_ends": [date(2021, 2, 30)], "text": "",
        "evidence": [{ "title": "", "uri": "", "sha256": "AA==" }], "labels": { "A": "" },
    });
    golden.ask(&EXCUSE, "Create", "everything", ask("-", wrong.clone())).await;
    golden.ask(&EXCUSE, "Create", "nothing", json!({})).await;
    golden.ask(&EXCUSE, "Update", "everything", EXCUSE.update("*", wrong)).await;
    golden.target_faults(&EXCUSE, &excuse("other")).await;
    for (what, id, day) in [("of no policy", "none", 30), ("of no period", "w", 29)] {
        let faulty = json!({ "policy": policy(id), "period_ends": [date(2021, 4, day)], "text": "x" });
        golden.ask(&EXCUSE, "Create", what, ask("new", faulty)).await;
    }
    for verb in ["Grant", "Refuse"] {
        let wrong = json!({ "name": "x", "etag": "x", "date": date(2021, 2, 30), "request_id": " " });
        golden.ask(&EXCUSE, verb, "everything", wrong).await;
        golden.ask(&EXCUSE, verb, "nothing", json!({})).await;
    }
    let late = json!({ "name": excuse("other"), "date": date(2021, 5, 14) });
    golden.ask(&EXCUSE, "Grant", "on a day to come", late).await;
    golden.call("nothing", "WarningPolicyService/RecomputeWarnings", json!({})).await;
    let elsewhere = json!({
        "name": policy("w"), "period_end": date(2021, 4, 29), "project": "portfolios/lj/projects/road", "reason": "x",
    });
    golden.call("a project elsewhere", "WarningPolicyService/RecomputeWarnings", elsewhere).await;
    golden.call("nothing", "WarningPolicyService/ReplayWarningPolicy", json!({})).await;
    let wrong = json!({
        "parent": PORTFOLIO, "policy": policy("w"), "warning_policy": {}, "from_date": date(2021, 5, 2),
        "to_date": date(2021, 5, 1), "knowledge": 9, "compare_with": "x", "page_size": -1,
    });
    golden.call("everything", "WarningPolicyService/ReplayWarningPolicy", wrong).await;
}
