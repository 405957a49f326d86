//! `milepost health`: what a container's health check, and a person, learn of a server by its exit code and one line.

use std::time::Duration;

use milepost_tests::cli::{self, Run};
use milepost_tests::command::create_portfolio;
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, ports};

const PATIENCE: Duration = Duration::from_secs(60);

async fn health(endpoint: &str, more: &str) -> Run {
    let words = format!("health --endpoint {endpoint} {more}");
    cli::run(words.split_whitespace()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_traffic_is_serving() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let url = cluster.server(Role::All).url();
    assert_eq!(health(&url, "").await.succeeded().out, format!("{url} is serving\n"));
    let service = "milepost.registry.v1.ProjectService";
    let run = health(&url, &format!("--format json --service {service}")).await.succeeded();
    let printed: serde_json::Value = serde_json::from_str(&run.out).expect("one object");
    assert_eq!(printed, serde_json::json!({ "endpoint": url, "service": service, "status": "SERVING" }));
    let unknown = health(&url, "--service milepost.nothing.v1.Nothing").await.failed();
    assert!(unknown.code == Some(3) && unknown.err.contains("milepost.nothing.v1.Nothing"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_apart_are_serving_only_if_all_of_them_are() {
    let mut cluster = Cluster::apart(&[]);
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    milepost_tests::history::settled(&cluster.client(1)).await;
    let urls = [Role::Registry, Role::Tracker, Role::Notifier].map(|role| cluster.server(role).url());
    let [registry, tracker, notifier] = &urls;
    let endpoint = format!("registry={registry},tracker={tracker},notifier={notifier}");
    let run = health(&endpoint, "").await.succeeded();
    assert_eq!(run.out, urls.clone().map(|url| format!("{url} is serving\n")).concat());

    // The registry begins another log: who followed the old one stands still.
    assert!(cluster.stop(Role::Registry).await.success(), "it stops in order");
    std::fs::remove_dir_all(cluster.data(Role::Registry)).expect("the registry is lost");
    cluster.start_one(Role::Registry).await;
    let run = until(PATIENCE, "a tracker that does not serve", async || {
        let run = health(&endpoint, "").await;
        let all = [tracker, notifier].iter().all(|url| run.err.contains(&format!("{url} is not serving")));
        if all { Ok(run) } else { Err(format!("{run:?}")) }
    });
    let run = run.await.failed();
    assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (Some(1), "", 1), "{run:?}");
    assert!(run.err.contains("/readyz") && !run.err.contains(registry), "{run:?}");
    health(registry, "").await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_a_failure_in_time() {
    let url = format!("http://{}", ports::free());
    let run = health(&url, "--timeout 200ms").await.failed();
    assert!(run.code == Some(6) && run.err.contains(&url), "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
}
