//! What the dashboard and the alert rules of `deploy/telemetry` name is what a server shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use milepost_tests::protected::Protected;
use milepost_tests::{Role, http};

/// Endings that a histogram's name gets in queries.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// What a query asks of a metric: its name, and the labels it is selected by.
type Asked = BTreeMap<String, BTreeSet<String>>;

/// The names in a text, each with the labels in the braces after it.
fn asked(text: &str, asked: &mut Asked) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (at, _) in text.match_indices("milepost_") {
        if text[..at].ends_with(is_name) {
            continue;
        }
        let end = text[at..].find(|c| !is_name(c)).map_or(text.len(), |length| at + length);
        let labels = asked.entry(text[at..end].to_owned()).or_default();
        let Some(selector) = text[end..].strip_prefix('{').and_then(|rest| rest.split('}').next()) else {
            continue;
        };
        let keys = selector.split(',').filter_map(|matcher| matcher.split(['=', '!']).next());
        labels.extend(keys.map(|key| key.trim().to_owned()));
    }
}

/// The queries of a dashboard, wherever they stand in it.
fn queries(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    serde_json::Value::String(text) if key == "expr" || key == "query" => {
                        found.push(text.clone());
                    }
                    _ => queries(value, found),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

fn deployed(file: &str) -> String {
    let path = format!("{}/../deploy/telemetry/{file}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_and_label_of_the_dashboard_and_the_alerts_is_shown_by_a_server() {
    let set = [
        ("audit.directory", "DIR/audit"),
        ("backup.target", "file://DIR/backup"),
        ("access.issuers.office.issuer", "https://issuer.invalid"),
        ("access.issuers.office.audience", "milepost"),
    ];
    let office = Protected::start(&[], &set).await;
    office.portfolio("a").await;
    let admin = office.cluster.server(Role::All).admin();
    let (status, shown) = http::get(admin, "/metrics").await.expect("metrics");
    assert_eq!(status, 200);

    let mut names = Asked::new();
    asked(&deployed("alerts.yaml"), &mut names);
    let of_alerts = names.len();
    assert!(of_alerts > 20, "the alerts name only {of_alerts} metrics");
    let mut found = Vec::new();
    queries(&serde_json::from_str(&deployed("dashboard.json")).expect("JSON"), &mut found);
    assert!(found.len() > 50, "the dashboard has only {} queries", found.len());
    found.iter().for_each(|query| asked(query, &mut names));
    asked(&deployed("../README.md"), &mut names);

    let mut missing = Vec::new();
    for (name, labels) in &names {
        let kind = |name: &str, kind: &str| shown.contains(&format!("# TYPE {name} {kind}\n"));
        let histogram = OF_HISTOGRAMS.iter().find_map(|ending| name.strip_suffix(ending));
        let is_shown = kind(name, "gauge")
            || name.strip_suffix("_total").is_some_and(|name| kind(name, "counter"))
            || kind(name, "info")
            || histogram.is_some_and(|name| kind(name, "histogram"));
        if !is_shown {
            missing.push(name.clone());
        }
        // Prometheus adds the instance.
        for label in labels.iter().filter(|label| *label != "instance") {
            let has = |line: &str| {
                line.strip_prefix(name.as_str()).is_some_and(|rest| rest.contains(&format!("{label}=\"")))
            };
            if !shown.lines().any(has) {
                missing.push(format!("{name}{{{label}}}"));
            }
        }
    }
    assert!(missing.is_empty(), "not shown: {missing:?} in\n{shown}");
}
