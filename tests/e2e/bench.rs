//! The bench, as short as it goes: it starts systems, measures them and leaves nothing behind; it fills servers.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use milepost_proto::tracker::v1::ListMilestonesRequest;
use milepost_tests::{Cluster, Role, binary, cli, wait};
use serde_json::Value;
use tokio::process::Command;

fn compare(milepost: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::bench());
    command.args(["compare", "--rounds", "1", "--secs", "1", "--warm-up-secs", "0", "--subjects", "100"]);
    command.arg("--milepost").arg(milepost).args(arguments);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_comparison_measures_what_it_names_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let picture = dir.path().join("chart.svg");
    let svg = picture.to_str().expect("a path in UTF-8");
    let mut command =
        compare(binary::milepost(), &["--only", "milepost,echo,writes,live", "--json", "--svg", svg]);
    command.env("TMPDIR", dir.path());
    let run = cli::run_command(command).await.succeeded();

    let report: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(report["failures"], serde_json::json!([]), "{report:#}");
    let figures = report["figures"].as_array().expect("figures");
    let of = |work: &str, unit: &str, system: &str| {
        let is = |figure: &&Value| figure["work"] == work && figure["unit"] == unit;
        figures.iter().find(is).and_then(|figure| figure["systems"][system]["median"].as_f64())
    };
    for clients in ["1 client", "16 clients", "64 clients", "256 clients"] {
        for system in ["milepost", "echo"] {
            let rate = of(&format!("durable writes, {clients}"), "writes_per_second", system);
            assert!(rate.is_some_and(|rate| rate > 0.0), "{system}, {clients}: {report:#}");
        }
    }
    for work in ["write to watcher, 200/s", "100 watchers, 50 writes/s", "1000 watchers, 50 writes/s"] {
        assert_eq!(of(work, "missing", "milepost"), Some(0.0), "{work}: {report:#}");
        assert_eq!(of(work, "missing", "echo"), None, "an echo has no watchers");
    }
    let chart = std::fs::read_to_string(picture).expect("a chart");
    assert!(chart.starts_with("<svg") && chart.contains("durable writes, 64 clients"), "{chart}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a directory").collect();
    assert_eq!(left.len(), 1, "only the chart is left: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_measured_is_said() {
    let missing = compare(Path::new("/nonexistent/milepost"), &["--only", "milepost,writes"]);
    let run = cli::run_command(missing).await.succeeded();
    assert!(run.out.contains("Milepost: not measured: /nonexistent/milepost is not there"), "{run:?}");
    let nonsense = cli::run_command(compare(binary::milepost(), &["--only", "oracle"])).await.failed();
    assert!(nonsense.err.contains("--only oracle: no such system or work"), "{nonsense:?}");
}

/// How long a server may take for what it does by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// The portfolio of a plan, and the command that makes it on a server.
const PORTFOLIO: &str = "portfolios/synthetic-40-3-20251031";

fn generate(cluster: &Cluster) -> Command {
    let mut command = Command::new(binary::bench());
    command.args(["generate", "--projects", "40", "--seed", "3", "--until", "2025-10-31"]);
    command.arg("--endpoint").arg(cluster.server(Role::All).url());
    command
}

/// The events of a portfolio by type, resource and day: but for those of its own marks, and of requests that the tracker
/// was given before it heard of their officers, which depends on how fast it follows the registry. Histories are loaded
/// several at once; which project completes an element, and which elements one completes, depends on which comes last:
/// elements stand here one by one, without a day.
async fn events(cluster: &Cluster) -> Vec<String> {
    let endpoint = cluster.server(Role::All).url();
    let list = ["event", "list", "--resource", PORTFOLIO, "--format", "json", "--endpoint", &endpoint];
    let run = cli::run(list).await.succeeded();
    let lines = |line: &str| -> Vec<String> {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let of = |what: &Value| format!("{} {} {what}", event["type"], event["subject"]);
        match event["collectionElementCompleted"]["elements"].as_array() {
            Some(elements) => elements.iter().map(|element| of(&element["id"])).collect(),
            None => vec![of(&event["eventDate"])],
        }
    };
    let mut events: Vec<_> = run.out.lines().flat_map(lines).collect();
    events.retain(|event| !event.contains("portfolio.updated") && !event.contains("officer_changed"));
    events.sort();
    events
}

/// The first few of these that are not among those: of what stands several times, each time beyond those of the others.
fn without<'a>(these: &'a [String], those: &[String]) -> Vec<&'a String> {
    let mut those = those.iter().peekable();
    let of_these_alone = |event: &&String| {
        while those.next_if(|other| other < event).is_some() {}
        those.next_if_eq(event).is_none()
    };
    these.iter().filter(of_these_alone).take(5).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portfolio_is_generated_once_also_if_the_generator_is_killed_on_the_way() {
    let mut whole = Cluster::all(&[]);
    whole.start().await;
    let run = cli::run_command(generate(&whole)).await.succeeded();
    assert!(run.err.contains("milestones: 1,200 resources"), "{run:?}");

    let mut killed = Cluster::all(&[]);
    killed.start().await;
    let mut first = generate(&killed);
    let mut first =
        first.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("it starts");
    let mut milestones = killed.client(1).milestones();
    let parent = format!("{PORTFOLIO}/projects/-");
    let request = ListMilestonesRequest { parent, filter: "forecast_date:*".into(), ..Default::default() };
    wait::at_once(PATIENCE, "the first forecast", async || {
        let listed =
            milestones.list_milestones(request.clone()).await.map_err(|status| status.to_string())?;
        let any = !listed.into_inner().milestones.is_empty();
        any.then_some(()).ok_or_else(|| "no milestone has a forecast".to_owned())
    })
    .await;
    first.kill().await.expect("it is killed");

    let rest = cli::run_command(generate(&killed)).await.succeeded();
    assert!(rest.out.contains("an earlier run had done"), "{rest:?}");
    // What follows from the last writes may be on its way to the log.
    wait::until(PATIENCE, "the same events in both", async || {
        let (these, those) = (events(&killed).await, events(&whole).await);
        let (only_killed, only_whole) = (without(&these, &those), without(&those, &these));
        (these == those).then_some(()).ok_or_else(|| {
            format!("events; only of the killed one: {only_killed:?}, of the whole one: {only_whole:?}")
        })
    })
    .await;
    let again = cli::run_command(generate(&killed)).await.succeeded();
    assert!(again.out.contains("was whole already"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_office_is_measured_and_nothing_is_left_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(binary::bench());
    command.args(["office", "--projects", "40", "--rounds", "2", "--calls", "3", "--secs", "1", "--json"]);
    command.arg("--milepost").arg(binary::milepost()).env("TMPDIR", dir.path());
    let run = cli::run_command(command).await.succeeded();

    let report: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(report["failures"], serde_json::json!([]), "{report:#}");
    let answers = report["answers"].as_array().expect("answers");
    for noun in [
        "portfolios",
        "projects",
        "milestones",
        "organizations",
        "phases",
        "batches",
        "annual lists",
        "collections",
        "indicators",
        "observations",
        "timeline",
        "timeline rules",
        "assignments",
        "alliances",
        "activities",
        "service requests",
        "inspections",
        "findings",
        "rectification orders",
        "campaigns",
        "warning policies",
        "policies",
        "policy programmes",
    ] {
        let rows = answers.iter().filter(|answer| answer["noun"] == noun);
        let most = rows.filter_map(|answer| answer["rows"].as_u64()).max();
        assert!(most > Some(0), "no page of {noun} holds anything: {report:#}");
    }
    let asked = |noun: &str| answers.iter().filter(|answer| answer["noun"] == noun).count();
    assert!(asked("reports") > 5 && asked("officers") > 0, "{report:#}");
    let titles: HashSet<_> =
        answers.iter().map(|answer| format!("{}: {}", answer["noun"], answer["query"])).collect();
    assert_eq!(titles.len(), answers.len(), "no two queries are called the same");
    for answer in answers {
        assert_eq!(answer["calls"], 6, "{answer:#}");
        let (median, p99) = (answer["p50_ms"].as_f64(), answer["p99_ms"].as_f64());
        assert!(median > Some(0.0) && p99 >= median, "{answer:#}");
    }
    let rounds = report["reforecasts"].as_array().expect("rounds");
    assert_eq!(rounds.len(), 2);
    assert!(rounds.iter().all(|round| round["ratio"].as_f64() > Some(0.0)), "{rounds:?}");
    assert!(report["days"]["count"].as_u64() >= Some(1), "{:#}", report["days"]);
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a directory").collect();
    assert!(left.is_empty(), "{left:?}");
}
