//! Projects: what does not go as things are.

use serde_json::{Value, json};

use super::project::{PORTFOLIO, PROJECT, create, minimal, name, with_name};
use super::{Golden, date};

const BATCH_CREATE: &str = "ProjectService/BatchCreateProjects";
const BATCH_GET: &str = "ProjectService/BatchGetProjects";

pub(super) async fn all(golden: &mut Golden) {
    golden.chapter("What does not go as things are");
    golden.ask(&PROJECT, "Create", "a name that is taken", create("full", minimal())).await;
    golden.ask(&PROJECT, "Create", "a name that a deleted one has", create("other", minimal())).await;
    golden.standard_refusals(&PROJECT, &name("full"), &name("other"), &json!({ "sector": "x" })).await;
    golden.again(&PROJECT, create("again", minimal())).await;
    wrong_states(golden).await;
    dates(golden).await;
    references(golden).await;
    together(golden).await;
    golden.given("ProjectService/DeleteProject", json!({ "name": "portfolios/lj/projects/minimal" })).await;
    golden.given("ProjectService/DeleteProject", json!({ "name": "portfolios/lj/projects/z" })).await;
    golden.given("PortfolioService/DeletePortfolio", json!({ "name": "portfolios/lj" })).await;
    for portfolio in ["portfolios/none", "portfolios/lj"] {
        elsewhere(golden, portfolio).await;
    }
}

/// Every method that changes the status, of projects of every status that it does not lead from.
async fn wrong_states(golden: &mut Golden) {
    let of = |id: &str| with_name(id, json!({ "reason": "x" }));
    golden.given("ProjectService/CreateProject", create("prepared", minimal())).await;
    golden.given("ProjectService/PrepareProject", of("prepared")).await;
    golden.given("ProjectService/CreateProject", create("going", minimal())).await;
    golden.given("ProjectService/StartProject", of("going")).await;
    golden.given("ProjectService/CreateProject", create("done", minimal())).await;
    golden.given("ProjectService/StartProject", of("done")).await;
    golden.given("ProjectService/CompleteProject", of("done")).await;
    let verbs = ["Prepare", "Start", "Complete", "Commission", "Suspend", "Resume", "Cancel"];
    for (id, verbs) in [
        ("minimal", &["Complete", "Commission", "Resume"][..]),
        ("prepared", &["Prepare", "Complete", "Commission", "Resume"]),
        ("going", &["Prepare", "Start", "Commission", "Resume", "Delete"]),
        ("done", &["Prepare", "Start", "Complete", "Suspend", "Resume", "Cancel"]),
        ("built", &verbs),
        ("today", &["Prepare", "Start", "Complete", "Commission", "Suspend"]),
        ("given-up", &verbs),
        ("none", &verbs),
        ("other", &verbs),
    ] {
        for verb in verbs {
            let mut request = of(id);
            if *verb == "Delete" {
                request.as_object_mut().unwrap().remove("reason");
            }
            golden.ask(&PROJECT, verb, id, request).await;
        }
    }
    for verb in verbs {
        let stale = with_name("minimal", json!({ "etag": "1", "reason": "x" }));
        golden.ask(&PROJECT, verb, "a stale etag", stale).await;
    }
}

async fn dates(golden: &mut Golden) {
    let period = json!({ "start_date": date(2021, 5, 28), "end_date": date(2021, 5, 29) });
    let future = json!({ "display_name": "x", "actual_period": period });
    golden.ask(&PROJECT, "Create", "what has not happened", create("new", future.clone())).await;
    golden.ask(&PROJECT, "Update", "what has not happened", PROJECT.set(with_name("minimal", future))).await;
    let tomorrow = date(2021, 5, 28);
    for (verb, id, field) in [
        ("Start", "minimal", "start_date"),
        ("Complete", "going", "completion_date"),
        ("Commission", "done", "commission_date"),
    ] {
        golden.ask(&PROJECT, verb, "tomorrow", with_name(id, json!({ field: tomorrow }))).await;
    }
    let early = with_name("going", json!({ "completion_date": date(2021, 5, 1) }));
    golden.ask(&PROJECT, "Complete", "before it started", early).await;
    let ended = json!({ "display_name": "x", "actual_period": { "end_date": date(2021, 5, 1) } });
    golden.given("ProjectService/CreateProject", create("ended", ended)).await;
    golden.ask(&PROJECT, "Start", "after it ended", with_name("ended", json!({}))).await;
}

async fn references(golden: &mut Golden) {
    golden.given_organization("gone").await;
    golden.given("OrganizationService/DeleteOrganization", json!({ "name": "organizations/gone" })).await;
    let refers = |id: &str, parent: &str| {
        let project = json!({
            "display_name": "x", "parent_project": parent,
            "funding": [{ "source": "x" }, { "source": "x", "organization": "organizations/gone" }],
            "parties": [
                { "organization": "organizations/none", "roles": ["x"] },
                { "organization": "organizations/gone", "roles": ["x"] },
            ],
        });
        with_name(id, project)
    };
    for (what, parent) in [("missing", name("none")), ("deleted", name("other"))] {
        golden.ask(&PROJECT, "Create", what, create("new", refers("new", &parent))).await;
        golden.ask(&PROJECT, "Update", what, PROJECT.set(refers("minimal", &parent))).await;
    }
    let part_of =
        |id: &str, parent: &str| with_name(id, json!({ "display_name": "x", "parent_project": parent }));
    for (what, parent) in
        [("itself", name("new")), ("another portfolio's", "portfolios/lj/projects/z".into())]
    {
        golden
            .ask(&PROJECT, "Create", &format!("a part of {what}"), create("new", part_of("new", &parent)))
            .await;
    }
    golden.ask(&PROJECT, "Update", "a part of itself", PROJECT.set(part_of("full", &name("full")))).await;
    golden
        .ask(&PROJECT, "Update", "a part of its part", PROJECT.set(part_of("minimal", &name("full"))))
        .await;
    golden.ask(&PROJECT, "Delete", "one with parts", json!({ "name": name("minimal") })).await;
    golden.given("ProjectService/CreateProject", create("whole", minimal())).await;
    golden.given("ProjectService/CreateProject", create("part", part_of("part", &name("whole")))).await;
    for id in ["part", "whole"] {
        golden.given("ProjectService/DeleteProject", json!({ "name": name(id) })).await;
    }
    golden.ask(&PROJECT, "Undelete", "a part of a deleted one", json!({ "name": name("part") })).await;
}

async fn together(golden: &mut Golden) {
    let several = |projects: [(&str, Value); 3]| {
        let requests = projects.map(|(id, project)| json!({ "project_id": id, "project": project }));
        json!({ "parent": PORTFOLIO, "requests": requests })
    };
    let part_of = |id: &str| json!({ "display_name": "x", "parent_project": name(id) });
    let circle = several([("n-1", part_of("n-2")), ("n-2", part_of("n-3")), ("n-3", part_of("n-1"))]);
    golden.call("a circle of parts", BATCH_CREATE, circle).await;
    let bad = several([("n-1", part_of("n-1")), ("n-2", part_of("none")), ("n-3", part_of("other"))]);
    golden.call("a part of itself among others", BATCH_CREATE, bad).await;
    let bad = several([("n-1", minimal()), ("n-2", part_of("none")), ("n-3", part_of("other"))]);
    golden.call("missing and deleted ones", BATCH_CREATE, bad).await;
    let taken = several([("n-1", minimal()), ("full", minimal()), ("other", minimal())]);
    golden.call("names that are taken", BATCH_CREATE, taken).await;
    let parties = json!([{ "organization": "organizations/none", "roles": ["x"] }]);
    let future = json!({ "display_name": "x", "actual_period": { "start_date": date(2021, 5, 28) } });
    let party = json!({ "display_name": "x", "parties": parties });
    let dates = several([("n-1", future.clone()), ("n-2", party), ("n-3", future)]);
    golden.call("what has not happened", BATCH_CREATE, dates).await;
    let names = [name("minimal"), name("none"), "portfolios/none/projects/x".to_owned()];
    golden
        .call("one that is not there", BATCH_GET, json!({ "parent": "portfolios/-", "names": names }))
        .await;
}

/// In a portfolio that is not there, or is deleted.
async fn elsewhere(golden: &mut Golden, portfolio: &str) {
    let project = format!("{portfolio}/projects/z");
    let create = json!({ "parent": portfolio, "project_id": "new", "project": minimal() });
    golden.ask(&PROJECT, "Create", portfolio, create.clone()).await;
    let several = json!({ "parent": portfolio, "requests": [create] });
    golden.call(portfolio, BATCH_CREATE, several).await;
    golden.call(portfolio, BATCH_GET, json!({ "parent": portfolio, "names": [project] })).await;
    golden.ask(&PROJECT, "Update", portfolio, PROJECT.set(json!({ "name": project, "sector": "x" }))).await;
    for verb in ["Get", "Delete", "Undelete", "Start"] {
        golden.ask(&PROJECT, verb, portfolio, json!({ "name": project })).await;
    }
    golden.ask(&PROJECT, "List", portfolio, json!({ "parent": portfolio })).await;
}
