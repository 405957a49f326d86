//! The audit log of a real server: what was refused and what changed access is found afterwards, also after a crash, by
//! auditors alone; and what was revoked stays so after a restore.

use std::time::Duration;

use milepost_tests::cli::run_command;
use milepost_tests::protected::Protected;
use milepost_tests::{Role, binary, within};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with an audit log, a portfolio and an auditor.
async fn start() -> Protected {
    let office = Protected::start(&["ann", "auditor"], &[("audit.directory", "DIR/audit")]).await;
    office.portfolio("wsc").await;
    office.does("first", "access grant cert:urn:office:auditor auditor --reason 审计").await;
    office
}

/// Records that this selects, once there are some.
async fn records(office: &Protected, selection: &str) -> String {
    within(PATIENCE, selection, async {
        loop {
            let found = office.does("auditor", &format!("audit list {selection} --format json")).await;
            if !found.is_empty() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_changes_of_access_are_found_by_auditors_also_after_a_crash() {
    let mut office = start().await;
    office.run("ann", "project get wsc science-avenue").await.failed();
    office.with(&["--token", "mp_none_00000000"], "portfolio list").await.failed();
    office.does("first", "access grant cert:urn:office:ann viewer wsc --reason 查看").await;
    let granted = office.does("ann", "access whoami --format json").await;
    let grant =
        granted.split('"').find(|text| text.starts_with("portfolios/wsc/grants/")).expect("the grant");
    // Grants hold to the nanosecond.
    let between = office.does("first", &format!("grant get {grant} --format json")).await;
    let between =
        between.split("\"createTime\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a time");
    let (grant, between) = (grant.to_owned(), between.to_owned());
    office.does("first", &format!("access revoke {grant}")).await;

    for _ in 0..2 {
        let denied = records(&office, "--actor cert:urn:office:ann --kind denied").await;
        assert!(
            denied.contains("portfolios/wsc/projects/science-avenue") && denied.contains("PERMISSION_DENIED"),
            "{denied}"
        );
        assert!(records(&office, "--resource portfolios/wsc").await.contains("GetProject"));
        let refused = records(&office, "--kind credential-refused").await;
        assert!(refused.contains("token"), "{refused}");
        assert!(!refused.contains("mp_none_"), "no part of a credential: {refused}");
        let changed = records(&office, &format!("--kind access-changed --resource {grant}")).await;
        assert!(changed.contains("DeleteGrant") && changed.contains("cert:urn:office:first"), "{changed}");
        let none = office
            .run("auditor", "audit list --actor cert:urn:office:nobody --format json")
            .await
            .succeeded();
        assert_eq!(none.out, "");
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
        "api-token create t1 --service-account portal --expire-time 2027-06-01T00:00:00Z --format json";
    let created = office.does("first", create).await;
    let secret = created.split('"').find(|text| text.starts_with("mp_t1_")).expect("the token").to_owned();
    let info = office.does("auditor", "ledger info registry --format json").await;
    let kept =
        info.split("\"sequence\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a sequence");
    let kept = kept.to_owned();
    let who = office.does("ann", "access whoami --format json").await;
    let grant =
        who.split('"').find(|text| text.starts_with("portfolios/wsc/grants/")).expect("the grant").to_owned();
    office.does("first", &format!("access revoke {grant}")).await;
    office.does("first", "api-token delete t1").await;
    let deleted = records(&office, "--kind access-changed --resource apiTokens/t1").await;
    assert!(deleted.contains("DeleteApiToken"), "{deleted}");
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
    let dead = office.with(&["--token", &secret], "portfolio list").await.failed();
    assert!(dead.err.contains("not accepted"), "{dead:?}");
    let events = office.does("auditor", "event list --type milepost.api_token.deleted --format json").await;
    assert!(events.contains("AUTHENTICATION_SYSTEM"), "{events}");
}
