//! What earlier versions left on disk: it opens, says the same as it did, and goes on.
//!
//! `tests/golden/*.tar.gz` are data directories that an earlier version wrote, with their exports, what its
//! command line printed of them, and tokens that it gave out. They are never made again: what stands in them
//! is what operators have. `format-1` has journals of format 1, of the Western Science City and of a small
//! portfolio whose milestones lie in the future.

use std::fs;
use std::path::Path;

use milepost_tests::{Cluster, Role, cli};
use serde_json::Value;
use tempfile::TempDir;

/// A golden directory, unpacked.
pub(super) async fn golden(name: &str) -> TempDir {
    let dir = TempDir::with_prefix("golden-").expect("a temporary directory");
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{name}.tar.gz"));
    let mut tar = tokio::process::Command::new("tar");
    tar.arg("--extract").arg("--gzip").arg("--strip-components=1").arg("--no-same-owner");
    tar.arg("--file").arg(archive).arg("--directory").arg(dir.path());
    cli::run_command(tar).await.succeeded();
    dir
}

/// All services on the data of a golden directory.
async fn cluster_on(golden: &Path) -> (Cluster, String) {
    let mut cluster = Cluster::all(&[]);
    fs::rename(golden.join("data"), cluster.data(Role::All)).expect("the data directory can be moved");
    cluster.start().await;
    let endpoint = format!("http://{}", cluster.launch(Role::All).listen);
    (cluster, endpoint)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn recorded(golden: &Path, file: &str) -> Vec<Value> {
    lines(&fs::read_to_string(golden.join(file)).expect("a golden file"))
}

/// What the command line prints as JSON.
async fn json(endpoint: &str, arguments: &[&str]) -> String {
    let arguments = [&["--endpoint", endpoint, "--format", "json"], arguments].concat();
    cli::run(arguments).await.succeeded().out
}

async fn printed(endpoint: &str, arguments: &[&str]) -> Vec<Value> {
    lines(&json(endpoint, arguments).await)
}

async fn printed_one(endpoint: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&json(endpoint, arguments).await).expect("JSON")
}

/// That everything recorded is still said; there may be more, which later versions tell.
fn assert_says(now: &Value, then: &Value, path: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (key, then) in then {
                let path = format!("{path}.{key}");
                assert_says(now.get(key).unwrap_or_else(|| panic!("{path} is gone")), then, &path);
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{path}");
            for (i, (now, then)) in now.iter().zip(then).enumerate() {
                assert_says(now, then, &format!("{path}[{i}]"));
            }
        }
        _ => assert_eq!(now, then, "{path}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_of_format_1_says_what_it_said_and_its_tokens_go_on() {
    let golden = golden("format-1").await;
    let (mut cluster, endpoint) = cluster_on(golden.path()).await;

    for (file, commands) in [
        (
            "projects.jsonl",
            &[
                &["project", "list", "western-science-city", "--show-deleted"][..],
                &["project", "list", "golden", "--show-deleted"],
            ][..],
        ),
        (
            "milestones.jsonl",
            &[
                &["milestone", "list", "western-science-city", "-", "--show-deleted"][..],
                &["milestone", "list", "golden", "-", "--show-deleted"],
            ],
        ),
        ("forecasts.jsonl", &[&["milestone", "forecasts", "golden", "avenue", "opening"][..]]),
        (
            "batches-and-phases.jsonl",
            &[
                &["batch", "list", "western-science-city"][..],
                &["phase", "list", "western-science-city", "-"],
                &["batch", "list", "golden"],
                &["phase", "list", "golden", "-"],
            ],
        ),
    ] {
        let mut now = Vec::new();
        for command in commands {
            now.extend(printed(&endpoint, command).await);
        }
        let mut then = recorded(golden.path(), file);
        if file == "milestones.jsonl" {
            // How a milestone stands to its dates goes with the day, and a day that changes it is a change.
            for milestone in then.iter_mut().filter_map(Value::as_object_mut) {
                milestone.retain(|field, _| !["outlook", "updateTime", "etag"].contains(&field.as_str()));
            }
        }
        assert_says(&Value::from(now), &Value::from(then), file);
    }

    let events = recorded(golden.path(), "events.jsonl");
    let cursor = fs::read_to_string(golden.path().join("after-40.cursor")).expect("a cursor");
    let listed = printed(&endpoint, &["event", "list", "--after", cursor.trim()]).await;
    let rest = &events[40..];
    assert_says(&Value::from(listed[..rest.len()].to_vec()), &Value::from(rest.to_vec()), "events");
    for event in [&events[0], &events[60]] {
        let id = event["eventId"].as_str().expect("an id");
        let got = printed_one(&endpoint, &["event", "get", id]).await;
        assert_says(&got["event"], event, id);
    }
    let revision = fs::read_to_string(golden.path().join("revision")).expect("a revision");
    printed_one(&endpoint, &["project", "get", "golden", "avenue", "--min-revision", &revision]).await;

    // It goes on: what is written now comes after all that, to a watcher that was away meanwhile.
    let reforecast = [
        "milestone",
        "reforecast",
        "golden",
        "avenue",
        "opening",
        "--forecast",
        "2033-09-18",
        "--reason",
        "再推迟",
    ];
    printed_one(&endpoint, &reforecast).await;
    let file = golden.path().join("after-40.cursor");
    let file = file.to_str().expect("UTF-8");
    let selection = ["--type", "milepost.milestone.reforecast", "--resource", "portfolios/golden"];
    let watch = ["event", "watch", "--cursor-file", file, "--count", "3"];
    let watched = printed(&endpoint, &[&watch[..], &selection].concat()).await;
    let reasons: Vec<_> = watched.iter().map(|event| &event["milestoneReforecast"]["reason"]).collect();
    assert_eq!(reasons, ["材料到场推迟", "又推迟", "再推迟"]);

    cluster.stop(Role::All).await;
    let data = cluster.data(Role::All);
    let verified =
        cli::run(["journal", "verify", "--data-dir", data.to_str().expect("UTF-8")]).await.succeeded();
    assert_eq!(verified.out.matches("chain unbroken").count(), 3, "{}", verified.out);
}

#[tokio::test]
async fn an_export_of_format_1_is_restored_as_its_own_ledger_and_refused_as_another() {
    let golden = golden("format-1").await;
    for exported in ["registry", "tracker", "notifier"] {
        for ledger in ["registry", "tracker", "notifier"] {
            let data = golden.path().join(format!("{exported}-as-{ledger}"));
            let export = golden.path().join(format!("{exported}.export"));
            let mut import = tokio::process::Command::new(milepost_tests::binary::milepost());
            import.args(["journal", "import", "--ledger", ledger, "--data-dir"]).arg(&data).arg(&export);
            let run = cli::run_command(import).await;
            if exported == ledger {
                run.succeeded();
            } else {
                let refused = run.failed();
                assert!(refused.err.contains(exported) && refused.err.contains(ledger), "{refused:?}");
                let left = data.join(ledger).join("journal");
                assert!(!left.exists(), "something is left in {}", left.display());
            }
        }
    }
}
