//! Batches: what does not go as things are.

use serde_json::{Value, json};

use super::batch::{BATCH, PORTFOLIO, create, minimal, name, of, project};
use super::{Golden, cny, date};

const ADD: &str = "BatchService/AddBatchMembers";
const REMOVE: &str = "BatchService/RemoveBatchMembers";
const START: &str = "BatchService/StartBatch";

fn with(members: &[&str], day: i32) -> Value {
    let mut batch = of("", members);
    batch["display_name"] = json!("x");
    batch["start_date"] = date(2021, 5, day);
    batch
}

pub(super) async fn all(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&BATCH, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&BATCH, "Create", "a name that a deleted one has", create("other", minimal())).await;
    golden.standard_refusals(&BATCH, &name("minimal"), &name("other"), &json!({ "place": "x" })).await;
    golden.again(&BATCH, create("again", minimal())).await;
    for (what, id, etag) in
        [("none", "none", ""), ("a deleted one", "other", ""), ("a stale etag", "minimal", "1")]
    {
        let mut request = of(id, &["c"]);
        request["etag"] = json!(etag);
        golden.call(what, ADD, request.clone()).await;
        golden.call(what, REMOVE, request).await;
        golden.call(what, START, json!({ "name": name(id), "etag": etag })).await;
        golden.ask(&BATCH, "Cancel", what, json!({ "name": name(id), "etag": etag, "reason": "x" })).await;
    }
    states(golden).await;
    members(golden).await;
    starts(golden).await;
    in_no_portfolio(golden, "portfolios/none").await;
    golden.given("PortfolioService/DeletePortfolio", json!({ "name": "portfolios/lj" })).await;
    in_no_portfolio(golden, "portfolios/lj").await;
}

/// What a batch that started, or was given up, does not do any more.
async fn states(golden: &mut Golden) {
    for id in ["full", "given-up"] {
        golden.call(id, START, json!({ "name": name(id) })).await;
        golden.ask(&BATCH, "Cancel", id, json!({ "name": name(id), "reason": "x" })).await;
        golden.call(id, REMOVE, of(id, &["a"])).await;
        let moved = json!({ "name": name(id), "start_date": date(2021, 5, 2) });
        golden.ask(&BATCH, "Update", id, BATCH.set(moved)).await;
    }
    golden.call("given-up", ADD, of("given-up", &["c"])).await;
    golden.ask(&BATCH, "Delete", "full", json!({ "name": name("full") })).await;
}

async fn members(golden: &mut Golden) {
    golden.given_project("wsc", "gone", json!({})).await;
    golden.given("ProjectService/DeleteProject", json!({ "name": project("gone") })).await;
    let absent = ["none", "c", "gone"];
    golden.ask(&BATCH, "Create", "members that are not there", create("new", with(&absent, 27))).await;
    golden.call("members that are not there", ADD, of("minimal", &absent)).await;
    let many: Vec<_> = (0..10_000).map(|i| format!("p{i}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    golden.given(&BATCH.method("Create"), create("crowd", with(&["c"], 27))).await;
    golden.call("more than a batch has", ADD, of("crowd", &many)).await;
}

async fn starts(golden: &mut Golden) {
    for id in ["ended", "leaves", "most"] {
        golden.given_project("wsc", id, json!({})).await;
    }
    let most = json!({ "name": project("most"), "investment": cny(i64::MAX, 0) });
    let ended = json!({ "name": project("ended"), "actual_period": { "end_date": date(2021, 5, 1) } });
    for changed in [ended, most] {
        golden.given("ProjectService/UpdateProject", json!({ "project": changed })).await;
    }
    golden.given_project("wsc", "by-itself", json!({})).await;
    golden.given("ProjectService/StartProject", json!({ "name": project("by-itself") })).await;
    let refusing = ["leaves", "ended", "a", "by-itself", "c"];
    golden.given(&BATCH.method("Create"), create("mixed", with(&refusing, 27))).await;
    golden.given(&BATCH.method("Create"), create("tomorrow", with(&refusing, 28))).await;
    golden.given("ProjectService/DeleteProject", json!({ "name": project("leaves") })).await;
    golden.call("members that refuse", START, json!({ "name": name("mixed") })).await;
    golden.call("members that refuse, before its day", START, json!({ "name": name("tomorrow") })).await;
    let joining = [&refusing[..], &["none", "gone"]].concat();
    golden.call("members that refuse to join", ADD, of("empty", &joining)).await;

    // Together they are more than an amount holds: neither found, nor started, nor joined.
    golden.given_project("wsc", "one", json!({ "investment": cny(1, 0) })).await;
    golden.ask(&BATCH, "Create", "too much together", create("new", with(&["most", "one"], 27))).await;
    golden.given(&BATCH.method("Create"), create("much", with(&["most"], 27))).await;
    golden.call("too much together", ADD, of("much", &["one"])).await;
    golden.given_project("wsc", "zero", json!({ "investment": cny(0, 0) })).await;
    golden.given(ADD, of("much", &["zero"])).await;
    let grown = json!({ "project": { "name": project("zero"), "investment": cny(1, 0) } });
    golden.given("ProjectService/UpdateProject", grown).await;
    golden.call("too much together", START, json!({ "name": name("much") })).await;
    golden.ask(&BATCH, "Get", "too much together", json!({ "name": name("much") })).await;
    golden.ask(&BATCH, "List", "too much together", json!({ "parent": PORTFOLIO })).await;
}

async fn in_no_portfolio(golden: &mut Golden, portfolio: &str) {
    let batch = format!("{portfolio}/batches/full");
    let create = json!({ "parent": portfolio, "batch_id": "new", "batch": minimal() });
    golden.ask(&BATCH, "Create", portfolio, create).await;
    golden.ask(&BATCH, "Update", portfolio, BATCH.set(json!({ "name": batch, "place": "x" }))).await;
    for verb in ["Get", "Delete", "Undelete", "Start"] {
        golden.ask(&BATCH, verb, portfolio, json!({ "name": batch })).await;
    }
    golden.ask(&BATCH, "Cancel", portfolio, json!({ "name": batch, "reason": "x" })).await;
    let members = [format!("{portfolio}/projects/x")];
    golden.call(portfolio, ADD, json!({ "name": batch, "members": members })).await;
    golden.call(portfolio, REMOVE, json!({ "name": batch, "members": members })).await;
    golden.ask(&BATCH, "List", portfolio, json!({ "parent": portfolio })).await;
}
