//! Clients that no one here wrote: Python's grpcio through reflection, and `buf curl`.
//!
//! `tests/run` installs both and names them in `TESTS_PYTHON` and `TESTS_BUF`; a tool that could not be
//! installed is not named, and its case says that it was left out.

use milepost_tests::cli::{Run, run_command};
use milepost_tests::command::{Command as Write, create_portfolio, create_project};
use milepost_tests::{Cluster, Role, binary};
use serde_json::Value;
use tokio::process::Command;

fn tool(variable: &str, name: &str) -> Option<Command> {
    match std::env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => Some(Command::new(path)),
        None => {
            eprintln!("LEFT OUT: there is no {name} here; tests/run installs it and names it in {variable}");
            None
        }
    }
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_learns_the_api_by_reflection_and_uses_it() {
    let Some(mut python) = tool("TESTS_PYTHON", "Python with grpcio") else { return };
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    python.arg(binary::root().join("tests/e2e/foreign.py")).arg(cluster.server(Role::All).grpc().to_string());
    let seen = json(&run_command(python).await.succeeded());

    let services = seen["services"].as_array().expect("a list").iter();
    let services: Vec<_> = services.filter_map(Value::as_str).collect();
    for service in [
        "grpc.health.v1.Health",
        "milepost.journal.v1.JournalService",
        "milepost.notifier.v1.EventService",
        "milepost.registry.v1.BatchService",
        "milepost.registry.v1.ProjectService",
        "milepost.tracker.v1.MilestoneService",
    ] {
        assert!(services.contains(&service), "{service} is not listed: {services:?}");
    }
    assert_eq!(seen["listed"].as_array().map(Vec::len), Some(1), "{seen:#}");
    assert_eq!(seen["listed"][0]["name"], "portfolios/foreign/projects/avenue");
    assert_eq!(seen["listed"][0]["displayName"], "科学大道");
    assert_eq!(seen["listed"][0]["plannedPeriod"]["startDate"]["month"], 9);
    assert_eq!(seen["refusal"], "INVALID_ARGUMENT");
    assert_eq!(seen["watched"]["type"], "milepost.project.created");
    assert_eq!(seen["watched"]["projectResource"]["displayName"], "科学大道");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buf_curl_calls_and_streams() {
    let Some(_) = tool("TESTS_BUF", "buf") else { return };
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    Write::CreateProject(Box::new(create_project("p", "avenue"))).once(&client).await.expect("a project");
    milepost_tests::history::settled(&client).await;

    let url = cluster.server(Role::All).url();
    let curl = async |method: &str, body: &str| {
        let mut buf = tool("TESTS_BUF", "buf").expect("it is there");
        buf.args(["curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", body]);
        buf.arg(format!("{url}/{method}"));
        run_command(buf).await
    };
    let listed =
        curl("milepost.registry.v1.ProjectService/ListProjects", r#"{"parent": "portfolios/-"}"#).await;
    assert_eq!(json(&listed.succeeded())["projects"][0]["name"], "portfolios/p/projects/avenue");

    let created = r#"{"selection": {"filter": "type = \"milepost.project.created\""}}"#;
    let page = curl("milepost.notifier.v1.EventService/ListEvents", created).await.succeeded();
    let events = &json(&page)["events"];
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events:#}");
    assert_eq!(events[0]["subject"], "portfolios/p/projects/avenue");

    let refused = curl("milepost.registry.v1.ProjectService/GetProject", r#"{"name": "nonsense"}"#).await;
    assert!(refused.code != Some(0) && refused.err.contains("invalid_argument"), "{refused:?}");
    assert!(refused.err.contains("google.rpc.BadRequest"), "{refused:?}");
}
