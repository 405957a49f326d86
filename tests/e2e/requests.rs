//! What a command line asks for is what it says, no more and no less; and a write whose outcome is unknown says how to
//! learn it.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use milepost_tests::cli::{Run, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::{Cluster, Role};
use rustix::process::Signal;
use serde_json::Value;

const VALLEY: &str = "western-science-city science-valley";

async fn run(cluster: &Cluster, line: &str) -> Run {
    run_command(shell(cluster, &format!("milepost {}", line.replace("VALLEY", VALLEY)))).await
}

/// The project after a command that succeeds.
async fn valley(cluster: &Cluster, line: &str) -> Value {
    run(cluster, line).await.succeeded();
    let read = run(cluster, "project get VALLEY --format json").await.succeeded();
    let read: Value = serde_json::from_str(&read.out).expect("JSON");
    read["project"].clone()
}

async fn refused(cluster: &Cluster, line: &str, says: &str) {
    let run = run(cluster, line).await.failed();
    assert!(run.code == Some(2) && run.err.contains(says), "{line}: {run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_changes_what_is_given_and_empties_what_a_file_empties() {
    let cluster = demo::start().await;
    let file = |text: &str| std::fs::write(cluster.dir().join("file.json"), text).expect("a file");
    let before = valley(&cluster, "project update VALLEY --purpose 研发 --scale 大 --label a=b").await;
    assert_eq!((&before["purpose"], &before["scale"]), (&"研发".into(), &"大".into()));

    let masked = "project update VALLEY --display-name 谷 --purpose x --update-mask display_name";
    let masked = valley(&cluster, masked).await;
    assert_eq!((&masked["displayName"], &masked["purpose"]), (&"谷".into(), &"研发".into()));

    file(r#"{"purpose": "", "scale": null, "labels": {}, "displayName": "科学谷"}"#);
    let emptied = valley(&cluster, "project update VALLEY --from-file file.json").await;
    assert_eq!(emptied["displayName"], "科学谷");
    assert!(["purpose", "scale", "labels"].iter().all(|key| emptied.get(key).is_none()), "{emptied}");
    assert_eq!(emptied["translations"], before["translations"], "what the file does not name stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_be_misread_is_refused_and_a_dry_run_in_a_file_stays_one() {
    let cluster = demo::start().await;
    let file = |text: &str| std::fs::write(cluster.dir().join("file.json"), text).expect("a file");
    refused(&cluster, "project create western-science-city --key false --display-name x", "--key=false")
        .await;
    refused(&cluster, "project update VALLEY --purpose --validate-only", "a value is required").await;
    let twice = "project update VALLEY --annual-plan 'year=2021; content=a; year=2022'";
    refused(&cluster, twice, "year twice").await;
    let holiday = "portfolio update western-science-city --holiday 2026-10-01 --request-id r";
    refused(&cluster, holiday, "leave --request-id out").await;
    refused(&cluster, "portfolio list --timeout 99999999999h", "longer than 24h").await;

    let requests = r#""requests": [{"projectId": "bridge", "project": {"displayName": "桥"}}]"#;
    file(&format!(r#"{{"validateOnly": true, {requests}}}"#));
    run(&cluster, "project batch-create western-science-city --from-file file.json").await.succeeded();
    assert_eq!(run(&cluster, "project get western-science-city bridge").await.code, Some(3));
    file(&format!(r#"{{"parent": "portfolios/other", {requests}}}"#));
    let other = "project batch-create western-science-city --from-file file.json";
    refused(&cluster, other, "the file is for portfolios/other").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_does_not_come_is_done_once_if_it_is_sent_again_as_it_says() {
    let cluster = demo::start().await;
    let create = "project create western-science-city --display-name 暂停";
    cluster.signal(Role::All, Signal::STOP);
    let late = run(&cluster, &format!("{create} --timeout 1s")).await.failed();
    cluster.signal(Role::All, Signal::CONT);
    assert_eq!(late.code, Some(6), "{late:?}");
    let (_, id) = late.err.split_once("--request-id ").expect("how to learn what became of it");
    let id = id.split_whitespace().next().expect("an id");
    run(&cluster, &format!("{create} --request-id {id}")).await.succeeded();
    let found = "project list western-science-city --filter 'display_name = \"暂停\"' --format json";
    assert_eq!(run(&cluster, found).await.succeeded().out.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cursor_is_kept_where_it_cannot_be_known_what_was_read() {
    let cluster = demo::start().await;
    let (_reader, writer) = UnixStream::pair().expect("a pair of sockets");
    let mut watch = shell(&cluster, "exec milepost event watch --cursor-file c --count 1");
    watch.stdout(Stdio::from(OwnedFd::from(writer))).stderr(Stdio::piped());
    let ended = watch.spawn().expect("a shell").wait_with_output().await.expect("it ends");
    let says = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(2) && says.contains("| cat"), "{says}");
    assert!(!cluster.dir().join("c").exists());
}
