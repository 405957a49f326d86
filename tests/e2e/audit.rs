//! The audit log of a real server: what was refused and what changed access is found afterwards, also after a crash, by
//! auditors alone; and what was revoked stays so after a restore.

use std::time::Duration;

use milepost_tests::cli::run_command;
use milepost_tests::protected::{self, Protected};
use milepost_tests::wait::until;
use milepost_tests::{Role, binary};
use serde_json::{Value, json};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with an audit log, a portfolio and an auditor.
async fn start() -> Protected {
    let office = Protected::start(&["ann", "auditor"], &[("audit.directory", "DIR/audit")]).await;
    office.portfolio("wsc").await;
    office.does("first", "access grant cert:urn:office:auditor auditor --reason 审计").await;
    office
}

/// The record of a method among those that this selects, once it is there.
async fn record(office: &Protected, selection: &str, method: &str) -> Value {
    let is_of = |record: &Value| record["method"].as_str().is_some_and(|path| path.ends_with(method));
    until(PATIENCE, format!("record of {method} among {selection}"), async || {
        let found = office.values("auditor", &format!("audit list {selection}")).await;
        found.iter().find(|record| is_of(record)).cloned().ok_or_else(|| format!("{found:?}"))
    })
    .await
}

/// The one grant that a caller holds.
async fn grant_of(office: &Protected, who: &str) -> String {
    let said = office.json(who, "access whoami").await;
    said["grants"][0]["name"].as_str().unwrap_or_else(|| panic!("no grant: {said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_changes_of_access_are_found_by_auditors_also_after_a_crash() {
    let mut office = start().await;
    office.run("ann", "project get wsc science-avenue").await.failed();
    office.with(&["--token", "mp_none_00000000"], "portfolio list").await.failed();
    office.does("first", "access grant cert:urn:office:ann viewer wsc --reason 查看").await;
    let grant = grant_of(&office, "ann").await;
    // Grants hold to the nanosecond.
    let got = office.json("first", &format!("grant get {grant}")).await;
    let between = got["grant"]["createTime"].as_str().expect("a time");
    office.does("first", &format!("access revoke {grant}")).await;

    for _ in 0..2 {
        let denied = record(&office, "--actor cert:urn:office:ann --kind denied", "GetProject").await;
        assert_eq!(denied["code"], "PERMISSION_DENIED", "{denied}");
        assert_eq!(denied["resources"], json!(["portfolios/wsc/projects/science-avenue"]), "{denied}");
        assert_eq!(record(&office, "--resource portfolios/wsc", "GetProject").await, denied);
        let refused = record(&office, "--kind credential-refused", "ListPortfolios").await;
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("token")), "{refused}");
        assert!(!refused.to_string().contains("mp_none_"), "no part of a credential: {refused}");
        let of_grant = format!("--kind access-changed --resource {grant}");
        let changed = record(&office, &of_grant, "DeleteGrant").await;
        assert_eq!(changed["principal"], "cert:urn:office:first", "{changed}");
        let none = office.values("auditor", "audit list --actor cert:urn:office:nobody").await;
        assert_eq!(none, [Value::Null; 0]);
        let who =
            office.does("auditor", &format!("audit who portfolios/wsc/projects/x --at {between}")).await;
        assert!(who.contains("cert:urn:office:ann") && who.contains("查看"), "{who}");
        let now = office.does("auditor", "audit who portfolios/wsc/projects/x").await;
        assert!(!now.contains("cert:urn:office:ann") && now.contains("cert:urn:office:auditor"), "{now}");
        let seen = office.run("ann", "audit list").await.failed();
        assert!(seen.err.contains("audit.read"), "{seen:?}");
        office.cluster.kill(Role::All).await;
        office.cluster.start_one(Role::All).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_revoked_stays_revoked_after_a_restore_to_before_that() {
    let mut office = start().await;
    office.does("first", "access grant cert:urn:office:ann viewer wsc --reason x").await;
    office.does("first", "service-account create portal --display-name portal").await;
    office.does("first", "access grant serviceaccount:portal viewer wsc --reason x").await;
    let create =
        format!("api-token create t1 --service-account portal --expire-time {}", protected::expire_time());
    let created = office.json("first", &create).await;
    let secret = created["token"].as_str().expect("the token");
    let info = office.json("auditor", "ledger info registry").await;
    let kept = info["tail"]["sequence"].as_str().expect("a sequence");
    let grant = grant_of(&office, "ann").await;
    office.does("first", &format!("access revoke {grant}")).await;
    office.does("first", "api-token delete t1").await;
    record(&office, "--kind access-changed --resource apiTokens/t1", "DeleteApiToken").await;
    assert!(office.cluster.stop(Role::All).await.success());

    let target = format!("file://{}", office.path("backups"));
    let data = office.cluster.data(Role::All).display().to_string();
    let restored = office.path("restored");
    let operate = async |words: &[&str]| {
        let mut command = Command::new(binary::milepost());
        command.args(words).args(["--target", &target]);
        run_command(command).await.succeeded().out
    };
    operate(&["backup", "run", "--data-dir", &data]).await;
    let sequence = format!("registry={kept}");
    let said = operate(&["backup", "restore", "--data-dir", &restored, "--sequence", &sequence]).await;
    assert!(said.contains(&grant) && said.contains("apiTokens/t1"), "{said}");
    office.cluster.launch(Role::All).data = office.dir.path().join("restored");
    office.cluster.start().await;
    let denied = office.run("ann", "portfolio get wsc").await.failed();
    assert!(denied.err.contains("content.read"), "{denied:?}");
    // Of the tracker and of the notifier too.
    let denied = office.run("ann", "milestone list wsc -").await.failed();
    assert!(denied.err.contains("content.read"), "{denied:?}");
    let denied = office.run("ann", "event list").await.failed();
    assert!(denied.err.contains("content.read"), "{denied:?}");
    let dead = office.with(&["--token", secret], "portfolio list").await.failed();
    assert!(dead.err.contains("not accepted"), "{dead:?}");
    let event = office.json("auditor", "event list --type milepost.api_token.deleted").await;
    assert_eq!(event["actor"]["authentication"], "AUTHENTICATION_SYSTEM", "{event}");
}
