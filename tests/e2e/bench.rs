//! The bench, as short as it goes: it starts systems, measures them and leaves nothing behind.

use std::path::Path;

use milepost_tests::{binary, cli};
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
