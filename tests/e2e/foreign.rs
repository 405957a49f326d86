//! Clients that no one here wrote: Python's grpcio through reflection, `buf curl`, and the examples under `proto/`,
//! whose stubs are generated as `proto/README.md` says.
//!
//! `tests/run` installs what they need and names it in `TESTS_PYTHON`, `TESTS_BUF` and `TESTS_TYPESCRIPT`; what could
//! not be installed is not named, and its case says that it was left out.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use milepost_proto::notifier::v1::{EventSelection, ListEventsRequest};
use milepost_proto::registry::v1::PrepareProjectRequest;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_runs_twice() {
    let Some(mut protoc) = tool("TESTS_PYTHON", "Python with grpcio-tools") else { return };
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let stubs = cluster.dir().join("stubs");
    fs::create_dir(&stubs).expect("a directory for the stubs");
    protoc.args(["-m", "grpc_tools.protoc", "--proto_path=proto"]).current_dir(binary::root());
    protoc.arg(format!("--python_out={}", stubs.display()));
    protoc.arg(format!("--grpc_python_out={}", stubs.display()));
    run_command(with_schemas(protoc)).await.succeeded();

    let example = || {
        let mut python = tool("TESTS_PYTHON", "Python with grpcio-tools").expect("it is there");
        python.arg(binary::root().join("proto/examples/python/example.py")).env("PYTHONPATH", &stubs);
        python.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
        python
    };
    check_example(&cluster, "portfolios/example-python", example).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_typescript_is_sound_and_runs_twice() {
    let Some(packages) = std::env::var_os("TESTS_TYPESCRIPT").filter(|path| !path.is_empty()) else {
        eprintln!("LEFT OUT: tests/run installs what the example needs and names it in TESTS_TYPESCRIPT");
        return;
    };
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let directory = copy_typescript(cluster.dir(), Path::new(&packages));
    let mut npm = Command::new("npm");
    npm.args(["run", "build"]).current_dir(&directory);
    run_command(npm).await.succeeded();

    let example = || {
        let mut node = Command::new("node");
        node.arg(directory.join("build/example.js"));
        node
    };
    check_example(&cluster, "portfolios/example-typescript", example).await;
}

/// The arguments of protoc, with every schema of Milepost.
fn with_schemas(mut protoc: Command) -> Command {
    let mut directories = vec![binary::root().join("proto/milepost")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory of schemas") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension() == Some(OsStr::new("proto")) {
                protoc.arg(path.strip_prefix(binary::root()).expect("it is in the workspace"));
            }
        }
    }
    protoc
}

/// The example beside the schemas, as in the repository, with its packages: builds write into its directory.
fn copy_typescript(dir: &Path, packages: &Path) -> PathBuf {
    let proto = binary::root().join("proto");
    let copy = dir.join("proto/examples/typescript");
    fs::create_dir_all(&copy).expect("a directory for the example");
    for name in ["milepost", "google", "buf.yaml"] {
        symlink(proto.join(name), dir.join("proto").join(name)).expect("a link to the schemas");
    }
    for name in ["example.ts", "package.json", "tsconfig.json", "buf.gen.yaml"] {
        fs::copy(proto.join("examples/typescript").join(name), copy.join(name))
            .expect("a file of the example");
    }
    symlink(packages.join("node_modules"), copy.join("node_modules")).expect("a link to the packages");
    copy
}

/// Runs an example three times: from nothing, after a change by another client, and with a cursor that is none.
async fn check_example(cluster: &Cluster, portfolio: &str, example: impl Fn() -> Command) {
    let (address, kept) = (cluster.server(Role::All).grpc().to_string(), cluster.dir().join("kept.json"));
    let run = async || {
        let mut command = example();
        command.arg(&address).arg(&kept);
        let out = run_command(command).await.succeeded().out;
        out.lines().map(|line| line.replace(portfolio, "P")).collect::<Vec<_>>()
    };
    let opening = [
        "created P/projects/avenue 科学大道",
        "created P/projects/school 小学",
        "created P/projects/substation 变电站",
        "refused: INVALID_FIELDS",
        "  project_id: the id \"No id\" has the character 'N'; use only a to z, 0 to 9 and hyphen",
        "  project.display_name: the text is empty; give at least one character",
        "found P/projects/avenue",
        "found P/projects/substation",
    ];
    let own = "milepost.project.updated P/projects/avenue";

    let first = run().await;
    assert_eq!(first[..opening.len()], opening);
    assert_eq!(first.last().map(String::as_str), Some(own), "{first:#?}");

    let client = cluster.client(1);
    let school = format!("{portfolio}/projects/school");
    let request = PrepareProjectRequest { name: school.clone(), ..Default::default() };
    client.projects().prepare_project(request).await.expect("the school is prepared");
    let second = run().await;
    assert_eq!(second[..opening.len()], opening);
    assert_eq!(second[opening.len()..], ["milepost.project.prepared P/projects/school", own]);
    let mut copy = read_json(&kept);
    assert_eq!(copy["projects"][&school]["status"], "STATUS_PREPARATION", "{copy:#}");

    copy["cursor"] = "nonsense".into();
    fs::write(&kept, copy.to_string()).expect("the kept copy can be written");
    assert_eq!(run().await[opening.len()..], ["CURSOR_INVALID: listing again"]);
    assert_ne!(read_json(&kept)["cursor"], "nonsense");

    let created = EventSelection {
        resource: portfolio.to_owned(),
        types: vec!["milepost.project.created".to_owned(), "milepost.portfolio.created".to_owned()],
        ..Default::default()
    };
    let request = ListEventsRequest { selection: Some(created), ..Default::default() };
    let page = client.events().list_events(request).await.expect("a page").into_inner();
    assert_eq!(page.events.len(), 4, "a request id did not keep its write from being done again: {page:#?}");
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("the kept copy")).expect("it is JSON")
}
