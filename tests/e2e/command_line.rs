//! The command line: the demo, the client's nouns and exit codes, and configurations with faults.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use milepost_tests::cli::{self, Run, assert_no_panic, run_command};
use milepost_tests::{Cluster, Role, binary};
use serde_json::Value;
use tokio::process::Command;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Runs a client command, whose words hold no blanks, against a cluster.
async fn client(cluster: &Cluster, line: &str) -> Run {
    let endpoint = ["--endpoint".to_owned(), cluster.server(Role::All).url()];
    cli::run(endpoint.into_iter().chain(words(line))).await
}

fn json_lines(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.out.lines().map(parse).collect()
}

async fn entries(data: &Path) -> Vec<String> {
    let verified = cli::run(["journal".as_ref(), "verify".as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
    verified.await.succeeded().out.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_loads_the_science_city_and_a_second_run_loads_nothing() {
    let dir = tempfile::TempDir::with_prefix("milepost-demo-").expect("a directory");
    let data = dir.path().join("data");
    let demo = async || {
        let mut command = Command::new(binary::milepost());
        command.args(["demo", "--exit", "--port", "0", "--admin-port", "0", "--data"]).arg(&data);
        command.env("COLUMNS", "100");
        run_command(command).await.succeeded()
    };
    let first = demo().await;
    assert_no_panic(&first.err);
    // What was declared of the three concentrated starts; the total of the second is absent, not zero.
    for line in [
        "西部(重庆)科学城 Western (Chongqing) Science City",
        "2020-09-11  declared      79",
        "CNY 130,000,000,000",
        "2021-04-15  declared     107",
        "total not said",
        "2021-05-27  declared       8",
        "CNY 28,360,000,000",
        "超瞬态实验装置 · 开工  ← project.started 超瞬态实验装置",
        "each once, causes before effects.",
    ] {
        assert!(first.out.contains(line), "{line:?} is not in the transcript:\n{}", first.out);
    }
    let before = entries(&data).await;
    let second = demo().await;
    assert!(second.out.contains("Nothing was loaded"), "{}", second.out);
    assert_eq!(entries(&data).await, before, "the second run wrote something");
    let chart = |run: &Run| {
        let from = run.out.find("Starts and milestones over time").expect("a chart");
        run.out[from..].to_owned()
    };
    assert_eq!(chart(&first), chart(&second), "both runs show the same portfolio");
    milepost_tests::store::assert_equals_rebuild(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nouns_and_verbs_do_what_they_say_and_exit_codes_tell_how_it_went() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    for line in [
        "portfolio create wsc --display-name 西部科学城 --time-zone Asia/Shanghai --currency CNY",
        "project create wsc avenue --display-name 科学大道 --key",
        "milestone create wsc avenue opening --display-name 通车 --baseline 2023-06-30",
        "milestone reforecast wsc avenue opening --forecast 2023-07-18 --reason 材料到场推迟",
    ] {
        let run = client(&cluster, line).await.succeeded();
        assert!(!run.out.is_empty(), "{line} says nothing");
    }
    let listed = client(&cluster, "milestone list wsc avenue --format json").await.succeeded();
    let listed = json_lines(&listed);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["name"], "portfolios/wsc/projects/avenue/milestones/opening");
    assert_eq!(listed[0]["forecastDate"]["day"], 18);
    assert_eq!(listed[0]["displayName"], "通车");
    let table = client(&cluster, "project list wsc").await.succeeded();
    assert!(table.out.contains("科学大道"), "{table:?}");

    // A watch that keeps its cursor goes on where it was.
    let cursor = cluster.dir().join("cursor").display().to_string();
    let watch = format!("event watch --format json --resource portfolios/wsc --cursor-file {cursor} --count");
    let first = client(&cluster, &format!("{watch} 2")).await.succeeded();
    let second = client(&cluster, &format!("{watch} 1")).await.succeeded();
    let ids: Vec<_> =
        [first, second].iter().flat_map(json_lines).map(|event| event["eventId"].clone()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "an event came twice: {ids:?}");

    let id = ids[0].as_str().expect("an id");
    for (line, code, says) in [
        ("project get wsc nobody", 3, "there is no project"),
        ("project create wsc avenue --display-name 科学大道", 5, "exists"),
        ("milestone create wsc avenue m --display-name 通车 --baseline 2021-02-30", 2, "2021-02-30"),
        ("project create wsc UPPER --display-name x", 4, "project_id"),
        ("project list wsc --filter nonsense=1", 4, "nonsense"),
        ("nonsense", 2, "nonsense"),
        (&format!("event get {id} --format xml"), 2, "xml"),
    ] {
        let run = client(&cluster, line).await.failed();
        assert!(matches!(run.code, Some(found) if found == code), "{line}: expected {code}: {run:?}");
        assert!(run.err.contains(says), "{line}: {says:?} is not said: {run:?}");
        assert!(run.out.is_empty(), "{line}: nothing goes to standard output: {run:?}");
    }
    let endpoint = cluster.server(Role::All).url();
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let line = format!("--endpoint {endpoint} --timeout 500ms project list wsc");
    let run = cli::run(words(&line)).await.failed();
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.err.contains("start a server with"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_configuration_is_told_at_once() {
    let dir = tempfile::TempDir::with_prefix("milepost-config-").expect("a directory");
    let file = dir.path().join("bad.toml");
    let text = "listen = \"nonsense\"\nlisen = 1\n[journal]\nsegment_bytes = \"7 bananas\"\n[limits]\nmax_calls = -3\n";
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(binary::milepost());
    command.args(["serve", "all", "--set", "drain_timeout=yes", "--admin-listen", "nowhere", "--config"]);
    command.arg(&file).env("MILEPOST_LOG__FILTER", "x=loud").env("MILEPOST_NONSENSE", "1");
    let run = run_command(command).await.failed();
    assert_eq!(run.code, Some(64), "{run:?}");
    let at = |line: usize| format!("{}:{line}:", file.display());
    for parts in [
        [at(1).as_str(), "listen"],
        [&at(2), "lisen"],
        [&at(4), "journal.segment_bytes"],
        [&at(6), "limits.max_calls"],
        ["--set drain_timeout", "yes"],
        ["--admin-listen", "nowhere"],
        ["MILEPOST_LOG__FILTER", "x=loud"],
        ["MILEPOST_NONSENSE", "no such"],
    ] {
        let reported = run.err.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(reported, "{parts:?} is not reported:\n{}", run.err);
    }
    let missing = dir.path().join("missing.toml");
    let run = cli::run(["serve".as_ref(), "all".as_ref(), "--config".as_ref(), missing.as_os_str()]).await;
    assert_eq!(run.clone().failed().code, Some(64), "{run:?}");
    assert!(run.err.contains("missing.toml"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_configuration_is_understood_by_its_role() {
    let examples = binary::root().join("deploy/config");
    let home = tempfile::tempdir().expect("a directory");
    // The examples name files of TLS, which are read before anything is printed.
    let mut certificates = Command::new(binary::root().join("deploy/certificates"));
    certificates.arg(home.path());
    run_command(certificates).await.succeeded();
    let tls = home.path().join("server").display().to_string();
    let print = async |role: &str, name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let path = path.display().to_string();
        cli::run(["serve", role, "--print-config", "--config", path.as_str()]).await.succeeded().out
    };
    let mut roles = Vec::new();
    for entry in std::fs::read_dir(&examples).expect("the examples") {
        let path = entry.expect("a directory entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let role = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(&path).expect("a file").replace("/etc/milepost/tls", &tls);
        let out = print(&role, "example.toml", &text).await;
        let printed: toml::Table = out.parse().unwrap_or_else(|error| panic!("{role}: {error}:\n{out}"));
        // What is printed says the same when it is read again.
        let reread: toml::Table = print(&role, "again.toml", &out).await.parse().expect("TOML");
        assert_eq!(printed, reread, "{role}");
        let given: toml::Table = text.parse().expect("TOML");
        for key in given.keys() {
            assert!(printed.contains_key(key), "{role}: {key} is not in force");
        }
        roles.push(role);
    }
    roles.sort();
    assert_eq!(roles, ["all", "notifier", "registry", "tracker"], "an example for each role, and no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn port_zero_takes_a_free_one_and_every_address_is_told() {
    let mut cluster = Cluster::all(&[]);
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    cluster.launch(Role::All).listen = any;
    cluster.launch(Role::All).admin = any;
    cluster.start().await;
    let server = cluster.server(Role::All);
    assert!(server.grpc().port() != 0 && server.admin().port() != 0, "{server:?}");
    let (status, body) = milepost_tests::http::get(server.admin(), "/healthz").await.expect("it answers");
    assert_eq!((status, body.trim()), (200, "alive"));
    let (status, _) = milepost_tests::http::get(server.admin(), "/metrics").await.expect("it answers");
    assert_eq!(status, 200);
    let listed = client(&cluster, "portfolio list").await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let readiness = server.readiness().await;
    assert!(readiness["checks"].as_array().is_some_and(|checks| checks.len() >= 6), "{readiness:#}");
}
