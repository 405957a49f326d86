//! What operators meet: services that cannot start, and who did what.

use milepost_client::Client;
use milepost_proto::registry::v1::{CreateProjectRequest, Project};
use milepost_tests::cli::{self, Run, run_command};
use milepost_tests::{Cluster, Role, binary};
use serde_json::Value;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_cannot_start_say_why_and_what_to_do() {
    let cannot = |run: Run| {
        let run = run.failed();
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.err.contains("/proc/milepost"), "the reason is not said: {run:?}");
        let hint = run.err.lines().last().unwrap_or_default();
        assert!(hint.contains("; ") && hint.contains("--data"), "what to do is not said: {run:?}");
    };
    // Which of its tasks tells first that it is over depends on the host.
    for _ in 0..10 {
        cannot(cli::run("demo --exit --port 0 --admin-port 0 --data /proc/milepost".split(' ')).await);
    }
    let serve = "serve all --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --data-dir /proc/milepost";
    cannot(cli::run(serve.split(' ')).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_keep_who_said_to_have_made_the_change() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let endpoint = cluster.server(Role::All).url();
    let run = async |principal: Option<&str>, words: &str| {
        let mut command = Command::new(binary::milepost());
        command.env_remove("MILEPOST_PRINCIPAL").env("MILEPOST_ENDPOINT", &endpoint).args(words.split(' '));
        if let Some(principal) = principal {
            command.env("MILEPOST_PRINCIPAL", principal);
        }
        run_command(command).await
    };
    let portfolio = "portfolio create p --display-name p --time-zone UTC --currency CNY";
    run(None, portfolio).await.succeeded();
    run(Some("clerk"), "project create p a --display-name a").await.succeeded();
    let flag = "project create p b --display-name b --principal office-1";
    run(Some("clerk"), flag).await.succeeded();
    let client =
        Client::connect(&endpoint).and_then(|client| client.with_principal("robot")).expect("a client");
    let request = CreateProjectRequest {
        parent: "portfolios/p".into(),
        project_id: "c".into(),
        project: Some(Project { display_name: "c".into(), ..Project::default() }),
        ..CreateProjectRequest::default()
    };
    let retry = client.retry();
    let created = retry.write(retry.deadline(), request, |request| {
        let mut projects = client.projects();
        async move { projects.create_project(request).await }
    });
    created.await.expect("a project");

    let watched =
        run(None, "event watch --format json --type portfolio.created --type project.created --count 4")
            .await
            .succeeded();
    let actors: Vec<Value> = watched
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["actor"].clone())
        .collect();
    let said = |actor: &Value| actor["principal"].as_str().unwrap_or_default().to_owned();
    assert_eq!(actors.iter().map(said).collect::<Vec<_>>(), ["", "clerk", "office-1", "robot"], "{actors:?}");
    assert!(
        actors[1..].iter().all(|actor| actor["authentication"] == "AUTHENTICATION_CLAIMED"),
        "{actors:?}"
    );

    let refused = run(Some("not an id"), "portfolio list").await.failed();
    assert!(refused.code == Some(2) && refused.err.contains("not an id"), "{refused:?}");
    // Servers read their configuration from variables with the same prefix: this one is not theirs.
    run(Some("clerk"), "serve all --print-config").await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_do_goes_on_although_nobody_reads_what_it_says() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    cluster.stop(Role::All).await;
    let data = cluster.data(Role::All);
    for words in ["journal verify", "store check", "store rebuild"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(binary::milepost());
        command.args(words.split(' ')).arg("--data-dir").arg(&data);
        command.stdout(writer).stderr(std::process::Stdio::piped());
        let ended = command.spawn().expect("it starts").wait_with_output().await.expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        cli::assert_no_panic(&said);
        assert!(ended.status.success(), "{words}: {said}");
    }
}
