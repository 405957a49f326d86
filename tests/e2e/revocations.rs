//! Revocations over several restores: what any log of the registry says was revoked stays so, whichever is restored;
//! what a server revoked just before it stopped is in its backup; another resource of the same name is left alone; and
//! where it cannot be read what was revoked, nothing is restored unless somebody says so.

use std::path::Path;

use milepost_tests::cli::{Run, run_command};
use milepost_tests::protected::{self, Protected};
use milepost_tests::{Role, binary, files};
use serde_json::Value;
use tokio::process::Command;

/// A server that backs up when it stops, with a service account that may read a portfolio.
async fn start() -> Protected {
    let office = Protected::start(&[], &set()).await;
    office.portfolio("wsc").await;
    office.does("first", "service-account create portal --display-name portal").await;
    office.does("first", "access grant serviceaccount:portal viewer wsc --reason x").await;
    office
}

/// So rare that only the last backup has what a test does.
fn set() -> [(&'static str, &'static str); 2] {
    [("backup.target", "file://DIR/backups"), ("backup.interval", "1h")]
}

/// Makes a token of the service account; its secret.
async fn token(office: &Protected, id: &str) -> String {
    let create = format!("--service-account portal --expire-time {}", protected::expire_time());
    let created = office.does("first", &format!("api-token create {id} {create} --format json")).await;
    let secret = created.split('"').find(|text| text.starts_with(&format!("mp_{id}_")));
    secret.expect("the token").to_owned()
}

async fn is_accepted(office: &Protected, secret: &str) -> bool {
    let run = office.with(&["--token", secret], "portfolio list").await;
    assert!(run.code == Some(0) || run.err.contains("not accepted"), "{run:?}");
    run.code == Some(0)
}

/// Runs a command for backups in the target of the office.
async fn run(office: &Protected, words: &str) -> Run {
    let mut command = Command::new(binary::milepost());
    command.args(["backup"]).args(words.split(' ')).args(["-o", "json"]);
    command.args(["--target", &format!("file://{}", office.path("backups"))]);
    run_command(command).await
}

async fn backup(office: &Protected, words: &str) -> Run {
    run(office, words).await.succeeded()
}

#[track_caller]
fn objects(run: &Run) -> Vec<Value> {
    run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The last manifest of the target: its number, and where the registry stands.
async fn last(office: &Protected) -> (String, String) {
    let manifests = objects(&backup(office, "list").await);
    let manifest = manifests.last().expect("a manifest");
    let ledgers = manifest["ledgers"].as_array().expect("ledgers");
    let registry = ledgers.iter().find(|own| own["ledger"] == "registry").expect("the registry");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&manifest["manifest"]), text(&registry["tail"]["sequence"]))
}

/// Restores the stopped server and serves that; what was revoked again.
async fn restore(office: &mut Protected, name: &str, options: &str) -> Vec<String> {
    let dir = office.path(name);
    let restored = backup(office, &format!("restore --data-dir {dir}{options}")).await;
    let registry = objects(&restored).into_iter().find(|own| own["ledger"] == "registry");
    let registry = registry.expect("the registry");
    let known = &registry["revocationsKnownUntil"];
    assert!(known["time"].is_string() && known["position"]["sequence"].is_string(), "{registry}");
    office.cluster.launch(Role::All).data = Path::new(&dir).to_owned();
    office.cluster.start().await;
    let again = registry["revokedAgain"].as_array().expect("names");
    again.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

async fn stop(office: &mut Protected) {
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_revoked_in_a_log_stays_revoked_when_that_is_restored_after_another_took_its_place()
{
    let mut office = start().await;
    stop(&mut office).await;
    let (_, before) = last(&office).await;
    office.cluster.start().await;
    let [secret, same_name] = [token(&office, "t1").await, token(&office, "t2").await];
    assert!(is_accepted(&office, &secret).await && is_accepted(&office, &same_name).await);
    stop(&mut office).await;
    let (manifest, made) = last(&office).await;
    assert!(made.parse::<u64>().unwrap() > before.parse().unwrap(), "the last backup has no token");
    office.cluster.start().await;
    office.does("first", "api-token delete t1").await;
    office.does("first", "api-token delete t2").await;
    stop(&mut office).await;

    // Another log takes the place of the first; a token in it has the name of one in the log before.
    let again = restore(&mut office, "second", &format!(" --sequence registry={before}")).await;
    assert!(again.is_empty(), "neither token was there yet: {again:?}");
    assert!(!is_accepted(&office, &secret).await);
    let new = token(&office, "t2").await;
    stop(&mut office).await;
    assert!(restore(&mut office, "third", "").await.is_empty());
    assert!(is_accepted(&office, &new).await, "it was never revoked");
    assert!(!is_accepted(&office, &same_name).await);
    stop(&mut office).await;

    // The first log again, to where it had both tokens.
    let point = format!(" --manifest {manifest} --sequence registry={made}");
    let again = restore(&mut office, "fourth", &point).await;
    assert_eq!(again, ["apiTokens/t1", "apiTokens/t2"]);
    assert!(!is_accepted(&office, &secret).await && !is_accepted(&office, &same_name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_revoked_just_before_the_server_stopped_stays_revoked_after_a_restore() {
    let mut office = start().await;
    let secret = token(&office, "t1").await;
    stop(&mut office).await;
    let (_, made) = last(&office).await;
    office.cluster.start().await;
    office.does("first", "api-token delete t1").await;
    stop(&mut office).await;
    let again = restore(&mut office, "restored", &format!(" --sequence registry={made}")).await;
    assert_eq!(again, ["apiTokens/t1"]);
    assert!(!is_accepted(&office, &secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_cannot_read_what_was_revoked_is_refused_unless_that_is_to_be_forgotten() {
    let mut office = start().await;
    stop(&mut office).await;
    let (_, before) = last(&office).await;
    office.cluster.start().await;
    token(&office, "t1").await;
    stop(&mut office).await;
    let first_log = files::contents(Path::new(&office.path("backups/registry")));
    restore(&mut office, "second", &format!(" --sequence registry={before}")).await;
    stop(&mut office).await;

    // The end of the log that was given up, which is not restored, is lost.
    let (lost, _) = first_log.last_key_value().expect("a range");
    std::fs::remove_file(lost).expect("it is removed");
    let words = format!("restore --data-dir {}", office.path("third"));
    let refused = run(&office, &words).await.failed();
    let name = lost.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(refused.err.contains("BACKUP_DAMAGED") && refused.err.contains(name), "{refused:?}");
    assert!(!Path::new(&office.path("third")).exists());
    let restored = objects(&backup(&office, &format!("{words} --forget-revocations")).await);
    let registry = restored.iter().find(|own| own["ledger"] == "registry").expect("the registry");
    assert_eq!((registry["ok"].as_bool(), registry["revocationsKnownUntil"].is_null()), (Some(true), true));
}
