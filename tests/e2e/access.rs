//! Access on a real server: who may do what by certificates and tokens, what is seen in lists and streams, and what a
//! revocation ends.

use std::time::Duration;

use milepost_client::{Delivery, Selection, Start, WatchOptions};
use milepost_tests::cli::run_command;
use milepost_tests::protected::{self, Protected};
use milepost_tests::wait::until;
use milepost_tests::{Role, binary, files, http, within};
use serde_json::{Value, json};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with the certificates of some, besides one with two URIs and one with none.
async fn start() -> Protected {
    let office = Protected::start(&["ann", "bob"], &[("audit.directory", "DIR/audit")]).await;
    let (two, none) = (["urn:office:ann", "urn:office:first"], []);
    office.clients.client_of(&two).write(office.dir.path(), "two");
    office.clients.client_of(&none).write(office.dir.path(), "none");
    office
}

/// Two portfolios with a project each, which bob made.
async fn with_projects() -> Protected {
    let office = start().await;
    for id in ["a", "b"] {
        office.portfolio(id).await;
    }
    office.grant("grants/bob", "cert:urn:office:bob", "manager").await;
    for id in ["a/x", "a/y", "b/x"] {
        office.does("bob", &format!("project create {id} --display-name {id}")).await;
    }
    office
}

/// What resources are called, in their order.
fn names(resources: &[Value]) -> Vec<&str> {
    resources.iter().map(|resource| resource["name"].as_str().expect("a name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_gets_nothing_and_hears_what_to_do() {
    let office = start().await;
    let bare = office.with(&[], "portfolio list").await;
    assert!(bare.code != Some(0) && bare.err.contains("authorization: Bearer"), "{bare:?}");
    // The operator learns what is wrong with a certificate, and its holder nothing that helps to guess. By several
    // methods, because refusals of one are recorded as one.
    let none = office.refused("none", "organization list", "the credential is not accepted").await;
    assert_eq!(office.refused("two", "project list -", "the credential is not accepted").await, none);
    for count in ["0", "2"] {
        let detail = format!("the client certificate has {count} URIs as alternative names, not one");
        until(PATIENCE, &detail, async || {
            let log = files::contents(&office.dir.path().join("audit")).into_values();
            let log = log.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect::<String>();
            if log.contains(&detail) { Ok(()) } else { Err(log) }
        })
        .await;
    }
    let token = office.path("token");
    std::fs::write(&token, "mp_t1_nonsense_00000000").expect("a file");
    let wrong = office.with(&["--token-file", &token], "portfolio list").await;
    assert!(wrong.code != Some(0) && wrong.out.is_empty(), "{wrong:?}");
    let claimed = office.run("ann", "--principal office portfolio list").await;
    assert!(claimed.code != Some(0) && claimed.err.contains("x-milepost-principal"), "{claimed:?}");
    let health = office.with(&[], "health").await;
    assert_eq!(health.code, Some(0), "everybody may ask for health: {health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_holds_where_it_was_granted_and_forbidden_is_told_as_absent_is() {
    let office = with_projects().await;
    office.refused("ann", "project get a x", "permission content.read denied").await;
    office.grant("portfolios/a/projects/x/grants/ann", "cert:urn:office:ann", "viewer").await;
    office.does("ann", "project get a x").await;
    let forbidden = office.refused("ann", "project get a y", "or it might not exist").await;
    let absent = office.refused("ann", "project get a z", "or it might not exist").await;
    assert_eq!(forbidden.replace("projects/y", "projects/z"), absent);
    assert_eq!(names(&office.values("ann", "project list -").await), ["portfolios/a/projects/x"]);
    office.refused("ann", "project list b", "permission content.read denied").await;
    office.refused("ann", "project update a x --display-name n", "plan.edit").await;
    office.refused("first", "project get a x", "content.read").await;
    let all = ["portfolios/a/projects/x", "portfolios/a/projects/y", "portfolios/b/projects/x"];
    assert_eq!(names(&office.values("bob", "project list -").await), all);
}

/// office.md, section 0, another person: the principal and whom it acts for, by `x-milepost-on-behalf-of`.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_set_a_date_cannot_approve_the_next_one_also_not_through_a_delegate() {
    let office = with_projects().await;
    for (grant, principal, role) in [
        ("bob-approves", "cert:urn:office:bob", "approver"),
        ("ann-approves", "cert:urn:office:ann", "approver"),
        ("ann-for-others", "cert:urn:office:ann", "delegate"),
    ] {
        office.grant(&format!("grants/{grant}"), principal, role).await;
    }
    let start = "milestone create a x start --display-name 开工 --baseline-date 2027-03-01";
    office.does("bob", start).await;
    office.does("bob", "milestone reforecast a x start --forecast-date 2027-04-01 --reason 土地").await;
    let approve = "milestone rebaseline a x start --baseline-date 2027-04-01 --reason 批准";
    office.refused("bob", approve, "another person").await;
    office.refused("ann", &format!("{approve} --on-behalf-of cert:urn:office:bob"), "another person").await;
    let before = &office.json("bob", "milestone get a x start").await["milestone"];
    assert_eq!(before["baselineDate"], json!({"year": 2027, "month": 3, "day": 1}), "{before}");
    assert!(before.to_string().contains("cert:urn:office:bob"), "{before}");
    office.does("ann", approve).await;
}

/// office.md, section 9, scenario 4: A, and B on behalf of A, cannot review; C, who is ann for herself here, returns
/// it; a MAJOR finding is not accepted without a follow-up.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_answered_an_order_does_not_review_it_also_not_through_a_delegate() {
    let office = with_projects().await;
    for (grant, principal, role) in [
        ("bob-inspects", "cert:urn:office:bob", "inspector"),
        ("bob-approves", "cert:urn:office:bob", "approver"),
        ("ann-approves", "cert:urn:office:ann", "approver"),
        ("ann-for-others", "cert:urn:office:ann", "delegate"),
    ] {
        office.grant(&format!("grants/{grant}"), principal, role).await;
    }
    let answer = "rectification-order answer a x order --text 已整改";
    for line in [
        "inspection create a x walk --title 巡查 --kind daily --aspect safety",
        "inspection complete a x walk",
        "finding create a x rail --inspection portfolios/a/projects/x/inspections/walk --title 护栏缺失 \
         --aspect safety --severity major",
        "rectification-order create a x order --title 补设护栏 --due-date 2099-12-31 \
         --finding portfolios/a/projects/x/findings/rail --responsible organizations/builder",
        answer,
    ] {
        office.does("bob", line).await;
    }
    let review = "rectification-order review a x order --verdict return --reason 不完整";
    office.refused("bob", review, "answered the order").await;
    office
        .refused("ann", &format!("{review} --on-behalf-of cert:urn:office:bob"), "answered the order")
        .await;
    office.does("ann", review).await;
    office.does("bob", answer).await;
    office.refused("ann", "rectification-order review a x order --verdict accept", "FOLLOW_UP").await;
    let order = &office.json("bob", "rectification-order get a x order").await["rectificationOrder"];
    assert_eq!(order["state"], "STATE_ANSWERED", "{order}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_may_not_read_is_not_there_to_be_named() {
    let office = with_projects().await;
    office.grant("portfolios/a/projects/x/grants/ann", "cert:urn:office:ann", "manager").await;
    let name = |id: &str| format!("project update a x --parent-project portfolios/a/projects/{id}");
    let forbidden = office.refused("ann", &name("y"), "there is no such project").await;
    let absent = office.refused("ann", &name("z"), "there is no such project").await;
    assert_eq!(forbidden.replace("projects/y", "projects/z"), absent);
    office.does("bob", "project update a y --parent-project portfolios/a/projects/x").await;
    let parts = office.refused("ann", "project delete a x", "may not read").await;
    assert!(!parts.contains("projects/y"), "{parts}");
    office.refused("bob", "project delete a x", "portfolios/a/projects/y").await;
    office.grant("portfolios/a/projects/y/grants/ann", "cert:urn:office:ann", "viewer").await;
    office.refused("ann", &name("y"), "part of itself").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_learns_who_it_is_and_an_administrator_why_somebody_may_do_something() {
    let office = with_projects().await;
    let who = office.does("first", "access whoami").await;
    assert!(
        who.starts_with("cert:urn:office:first, proved by cert:") && who.contains("until the first"),
        "{who}"
    );
    office.does("first", "access grant cert:urn:office:ann planner a/x --reason 试").await;
    let who = office.json("ann", "access whoami").await;
    let held = &who["grants"][0];
    assert_eq!(held["role"], "ROLE_PLANNER", "{who}");
    let grant = held["name"].as_str().expect("its name");
    assert!(grant.starts_with("portfolios/a/projects/x/grants/g"), "{who}");
    let milestone = "portfolios/a/projects/x/milestones/none";
    let may = office
        .does("first", &format!("access explain cert:urn:office:ann UpdateMilestone {milestone}"))
        .await;
    assert!(
        may.contains("may do UpdateMilestone") && may.contains("PLANNER") && may.contains("a/x/g"),
        "{may}"
    );
    let may_not = office.does("first", "access explain cert:urn:office:ann plan.edit portfolios/a").await;
    assert!(may_not.contains("may not do plan.edit") && may_not.contains("planner, manager"), "{may_not}");
    assert!(may_not.contains("It holds, or held:") && may_not.contains("a/x/g"), "{may_not}");
    office.refused("ann", "access explain cert:urn:office:bob plan.edit portfolios/a", "access.manage").await;
    office.refused("first", "access explain nobody plan.edits", "did you mean plan.edit?").await;
    assert_eq!(names(&office.values("first", "access list a").await), [grant]);
    office.does("first", &format!("access revoke {grant}")).await;
    let who = office.does("ann", "access whoami").await;
    assert!(who.contains("cert:urn:office:ann") && !who.contains("PLANNER"), "{who}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_grants_to_others_and_is_one_no_more_once_there_is_another() {
    let office = start().await;
    let own = "--grant-principal cert:urn:office:first --role manager --reason mine";
    office.refused("first", &format!("grant create grants/own {own}"), "who asks").await;
    office.grant("grants/ann", "cert:urn:office:ann", "admin").await;
    office.refused("first", "grant list", "access.manage").await;
    assert_eq!(names(&office.values("ann", "grant list").await), ["grants/ann"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_breaks_the_glass_beside_the_stopped_server_and_everybody_can_see_it() {
    let mut office = start().await;
    office.grant("grants/ann", "cert:urn:office:ann", "admin").await;
    office.does("ann", "access grant cert:urn:office:bob auditor --reason 审计").await;
    let data = office.cluster.data(Role::All).display().to_string();
    let broken = |ttl: &str| {
        let mut command = Command::new(binary::milepost());
        command.args(["access", "break-glass", "--data-dir", &data, "--principal", "cert:urn:office:first"]);
        command.args(["--reason", "管理员离职", "--ttl", ttl]);
        command
    };
    let running = run_command(broken("4h")).await;
    assert!(running.code != Some(0) && running.err.contains("in use"), "{running:?}");
    assert!(office.cluster.stop(Role::All).await.success());
    let long = run_command(broken("25h")).await;
    assert!(long.code != Some(0) && long.err.contains("at most 24h"), "{long:?}");
    let done = run_command(broken("4h")).await;
    assert!(done.code == Some(0) && done.out.contains("administrator until"), "{done:?}");
    office.cluster.start_one(Role::All).await;
    office.does("first", "access grant cert:urn:office:two viewer --reason x").await;
    let event = office.json("bob", "event list --type milepost.grant.break_glass").await;
    assert_eq!(event["actor"]["authentication"], "AUTHENTICATION_SYSTEM", "{event}");
    assert!(event.to_string().contains("管理员离职"), "{event}");
    let admin = office.cluster.server(Role::All).admin();
    let (_, metrics) = http::get(admin, "/metrics").await.expect("metrics");
    assert!(metrics.contains("\nmilepost_access_break_glass_grants 1\n"), "{metrics}");
    let grant = done.out.split(' ').find(|word| word.starts_with("grants/")).expect("its name");
    office.does("ann", &format!("access revoke {}", grant.trim_end_matches(';'))).await;
    let (_, metrics) = http::get(admin, "/metrics").await.expect("metrics");
    assert!(metrics.contains("\nmilepost_access_break_glass_grants 0\n"), "{metrics}");
    office.refused("first", "access list", "access.manage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_has_what_its_caller_may_see_and_ends_when_that_is_nothing() {
    let office = with_projects().await;
    office.grant("portfolios/a/grants/ann", "cert:urn:office:ann", "viewer").await;
    office.when_allowed("ann", "event list").await;
    let mut watch =
        office.client(Some("ann")).watch(Start::Earliest, Selection::default(), WatchOptions::default());
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let next = within(PATIENCE, "what ann may see", watch.next()).await.expect("a delivery");
        if let Delivery::Batch(batch) = next.expect("a delivery") {
            let created = batch.events.into_iter().filter(|event| event.r#type.ends_with(".created"));
            seen.extend(created.map(|event| event.subject));
        }
    }
    assert_eq!(seen, ["portfolios/a", "portfolios/a/projects/x", "portfolios/a/projects/y"]);
    office.does("first", "grant delete portfolios/a/grants/ann").await;
    office.does("bob", "project create a/late --display-name late").await;
    let ended = within(PATIENCE, "the end", async {
        loop {
            match watch.next().await {
                Some(Ok(Delivery::Batch(batch))) => {
                    assert!(batch.events.is_empty(), "{:?}", batch.events);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("the watch ended without a word"),
            }
        }
    })
    .await;
    assert!(ended.to_string().contains("permission content.read denied"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_is_its_service_account_until_it_is_revoked() {
    let office = with_projects().await;
    office.does("first", "service-account create portal --display-name portal").await;
    office.grant("portfolios/b/grants/portal", "serviceaccount:portal", "viewer").await;
    let create =
        format!("api-token create t1 --service-account portal --expire-time {}", protected::expire_time());
    let created = office.json("first", &create).await;
    let secret = created["token"].as_str().filter(|text| text.starts_with("mp_t1_")).expect("the token");
    let table = office.run("first", &create.replace("t1", "t2")).await;
    assert!(table.err.contains("shown only now: mp_t2_"), "{table:?}");
    let file = office.path("token");
    std::fs::write(&file, secret).expect("a file");
    let flags = ["--token-file", &file];
    let read = office.with(&flags, "project list - --format json").await;
    assert!(read.code == Some(0) && read.out.contains("portfolios/b/projects/x"), "{read:?}");
    assert!(!read.out.contains("portfolios/a"), "{read:?}");
    let shown = office.does("first", "api-token get t1 --format json").await;
    assert!(!shown.contains("secret") && !shown.contains(secret), "{shown}");
    office.does("first", "api-token delete t1").await;
    let gone = office.with(&flags, "project list -").await;
    assert!(gone.code != Some(0) && gone.out.is_empty(), "{gone:?}");
}
