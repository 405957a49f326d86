//! The command line in a terminal, on the demo's portfolio: every noun's list and card at three widths, colours,
//! and terminals that can do less.
//!
//! The snapshots are what people see; whoever changes one looks at it as they would.

use std::time::Duration;

use console::measure_text_width as width;
use milepost_tests::Cluster;
use milepost_tests::cli::{Run, assert_no_panic, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::terminal::{self, Shown};
use milepost_types::{Clock, SystemClock};
use serde_json::Value;

const WIDTHS: [u16; 3] = [60, 80, 120];

/// What stands in place of a day that differs from run to run.
const DAY: &str = "2000-01-01";

/// Texts that differ from run to run, and as wide: digits and hexadecimal digits.
const VARYING: [&str; 5] = [
    "dddd-dd-dd dd:dd:dd",
    "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    "/dd@xxxxxxxxxxxxxxxx",
    "  dddddddd  ",
    "  dddddddd\n",
];

async fn show(cluster: &Cluster, line: &str, columns: u16) -> Run {
    let run = terminal::run(shell(cluster, line), columns, Shown::Output).await;
    assert_no_panic(&run.err);
    assert_eq!(run.code, Some(0), "{line}: {run:?}");
    run
}

/// Which day the portfolio has: the tests' own.
async fn today(cluster: &Cluster) -> String {
    let line = format!("milepost milestone current-date {}", demo::PORTFOLIO);
    let day = run_command(shell(cluster, &line)).await.succeeded().out;
    day.split_whitespace().last().expect("a day").to_owned()
}

/// The text with what differs from run to run made constant, in as many columns.
fn constant(text: &str, today: &str) -> String {
    let mut text: Vec<char> = text.replace(today, DAY).chars().collect();
    for pattern in VARYING.map(|pattern| pattern.chars().collect::<Vec<_>>()) {
        for at in 0..text.len().saturating_sub(pattern.len()) {
            let place = &mut text[at..at + pattern.len()];
            if pattern.iter().zip(&*place).all(|(kind, letter)| is_of(*kind, *letter)) {
                let varying = pattern.iter().zip(place).filter(|(kind, _)| "dx".contains(**kind));
                varying.for_each(|(_, letter)| *letter = '0');
            }
        }
    }
    let text = String::from_iter(text);
    text.lines().map(|line| without_cursor(&without_sequence(line)) + "\n").collect()
}

fn is_of(kind: char, letter: char) -> bool {
    match kind {
        'd' => letter.is_ascii_digit(),
        'x' => letter.is_ascii_hexdigit(),
        kind => kind == letter,
    }
}

/// How many entries a ledger makes of another's depends on when it looks.
fn without_sequence(line: &str) -> String {
    let varies = ["Etag ", "registry ", "tracker ", "notifier ", "Durable sequence "];
    if !varies.iter().any(|start| line.starts_with(start)) {
        return line.to_owned();
    }
    line.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

/// A cursor is the last word of a line.
fn without_cursor(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((before, cursor)) if cursor.starts_with("Qw") && cursor.len() > 50 => {
            format!("{before} {}", "A".repeat(cursor.len()))
        }
        _ => line.to_owned(),
    }
}

/// The first line that is wider than the terminal, but for words that stay whole to be copied.
fn too_wide(text: &str, columns: u16) -> Option<&str> {
    text.lines().find(|line| {
        let value = line.rsplit("  ").next().unwrap_or_default();
        width(line) > columns.into() && value.contains(' ')
    })
}

/// The names that people gave to what a list shows.
async fn names(cluster: &Cluster, line: &str) -> Vec<String> {
    let run = run_command(shell(cluster, &format!("{line} --format json"))).await.succeeded();
    let name = |line: &str| {
        let object: Value = serde_json::from_str(line).expect("JSON");
        object["displayName"].as_str().map(str::to_owned)
    };
    run.out.lines().filter_map(name).collect()
}

/// Names are whole, and stand under their header.
fn assert_names(text: &str, names: &[String], columns: u16) {
    let Some((before, _)) = text.lines().next().and_then(|head| head.split_once("DISPLAY NAME")) else {
        return;
    };
    for name in names {
        let line = text.lines().skip(1).find(|line| line.contains(&format!("  {name}")));
        let line = line.unwrap_or_else(|| panic!("{name} is broken at {columns} columns:\n{text}"));
        let place = line.find(&format!("  {name}")).map_or(0, |at| width(&line[..at]) + 2);
        assert_eq!(place, width(before), "{name} does not stand under its header:\n{text}");
    }
}

/// The lists and cards of a noun at every width, as one text.
async fn noun(cluster: &Cluster, today: &str, lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let line = format!("milepost {}", line.replace("CITY", demo::PORTFOLIO));
        let names = if line.contains(" list") { names(cluster, &line).await } else { Vec::new() };
        for columns in WIDTHS {
            let run = show(cluster, &format!("NO_COLOR=1 {line}"), columns).await;
            assert_eq!(too_wide(&run.out, columns), None, "{line} at {columns} columns:\n{}", run.out);
            assert_names(&run.out, &names, columns);
            text.push_str(&format!("$ {line}   # {columns} columns\n{}{}\n", run.out, run.err));
        }
    }
    constant(&text, today)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_cards_of_every_noun_fit_the_terminal() {
    let cluster = demo::start().await;
    let today = today(&cluster).await;
    let started = "milepost event list --type project.started --limit 1 --format json";
    let started = run_command(shell(&cluster, started)).await.succeeded().out;
    let started: Value = serde_json::from_str(&started).expect("an event");
    let started = format!("event get {}", started["eventId"].as_str().expect("an id"));
    for (name, lines) in [
        ("portfolio", ["portfolio list", "portfolio get CITY"].as_slice()),
        ("organization", &["organization list", "organization get chongqing-university"]),
        ("project", &["project list CITY", "project get CITY ultra-transient-facility"]),
        (
            "phase",
            &["phase list CITY ultra-transient-facility", "phase get CITY ultra-transient-facility phase-1"],
        ),
        ("batch", &["batch list CITY", "batch get CITY start-2020-09-11"]),
        ("milestone", &["milestone list CITY -", "milestone get CITY science-avenue construction-start"]),
        ("event", &["event list --type 'project.*' --limit 14", &started]),
        ("ledger", &["ledger info", "event info"]),
    ] {
        insta::assert_snapshot!(name, noun(&cluster, &today, lines).await);
    }
}

/// What the office keeps of its work, and what drives it; of the demo where it has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_cards_and_tables_of_the_office_fit_the_terminal() {
    let cluster = demo::start().await;
    let today = today(&cluster).await;
    for (name, lines) in [
        ("annual-list", ["annual-list list CITY", "annual-list get CITY 2021"].as_slice()),
        ("collection", &["collection list CITY", "collection get CITY rings", "collection rollup CITY grid"]),
        (
            "indicator",
            &[
                "indicator list CITY",
                "indicator series CITY attracted-investment",
                "observation list CITY attracted-investment",
            ],
        ),
        (
            "policy",
            &[
                "policy-programme list",
                "policy-programme get golden-phoenix",
                "policy list golden-phoenix",
                "policy match chongqing-university --explain",
            ],
        ),
        ("alliance", &["alliance list CITY", "alliance get CITY science-avenue"]),
        ("timeline", &["timeline list CITY", "timeline list CITY --language en", "timeline-rule list CITY"]),
        ("statistics", &["report statistics CITY --year 2021"]),
        (
            "template",
            &[
                "template list CITY",
                "template-version list CITY government-projects",
                "template-version get CITY government-projects joint-review",
                "milestone requirements CITY science-valley",
            ],
        ),
        (
            "supervision",
            &["inspection list CITY -", "finding list CITY -", "rectification-order list CITY -"],
        ),
        (
            "campaign",
            &[
                "campaign list CITY",
                "campaign get CITY example-hundred-days",
                "campaign standings CITY example-hundred-days --sign-off 1",
            ],
        ),
        (
            "warning",
            &[
                "warning-policy list CITY",
                "warning-policy get CITY example-enrolment",
                "warning-policy replay CITY --policy example-enrolment --from-date 2020-09-30 --to-date 2021-06-30",
                "warning list CITY -",
            ],
        ),
    ] {
        insta::assert_snapshot!(name, noun(&cluster, &today, lines).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_cards_of_grants_and_of_who_has_them_fit_the_terminal() {
    let cluster = demo::start().await;
    let today = today(&cluster).await;
    let late = SystemClock.now() + Duration::from_secs(24 * 3600);
    for line in [
        "service-account create portal --display-name 工地门户 --description 只读".to_owned(),
        "service-account create planner --display-name 计划编制".to_owned(),
        format!(
            "grant create CITY portal --grant-principal serviceaccount:portal --role viewer --reason 门户显示进度 \
             --expire-time {late}"
        ),
        "grant create CITY science-avenue office --grant-principal user:office/lilei --role planner \
         --reason 编制计划"
            .to_owned(),
        format!(
            "api-token create portal-1 --service-account portal --expire-time {late} --description 展厅大屏"
        ),
    ] {
        let line = format!("milepost {}", line.replace("CITY", demo::PORTFOLIO));
        run_command(shell(&cluster, &line)).await.succeeded();
    }
    for (name, lines) in [
        ("service-account", ["service-account list", "service-account get portal"]),
        ("grant", ["grant list CITY", "grant get CITY portal"]),
        ("api-token", ["api-token list", "api-token get portal-1"]),
    ] {
        insta::assert_snapshot!(name, noun(&cluster, &today, &lines).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contexts_fit_the_terminal_and_what_has_no_room_is_named() {
    let cluster = demo::start().await;
    for line in [
        "milepost context set 科学城工地 --endpoint http://127.0.0.1:7400 --portfolio western-science-city --utc",
        "milepost context set site --endpoint registry=http://a:1,tracker=http://b:2,notifier=http://c:3",
    ] {
        run_command(shell(&cluster, line)).await.succeeded();
    }
    let mut text = String::new();
    for line in ["milepost context list", "milepost context show site"] {
        for columns in WIDTHS {
            let run = show(&cluster, &format!("NO_COLOR=1 {line}"), columns).await;
            assert_eq!(too_wide(&run.out, columns), None, "{}", run.out);
            text.push_str(&format!("$ {line}   # {columns} columns\n{}{}\n", run.out, run.err));
        }
    }
    insta::assert_snapshot!("context", text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_and_headers_have_colours() {
    let cluster = demo::start().await;
    let mut text = String::new();
    for line in ["project list CITY", "milestone list CITY -", "project get CITY science-valley"] {
        let line = format!("milepost {}", line.replace("CITY", demo::PORTFOLIO));
        let run = show(&cluster, &line, 80).await;
        text.push_str(&format!("$ {line}\n{}\n", run.out));
    }
    let today = today(&cluster).await;
    insta::assert_snapshot!("colours", constant(&text, &today).replace('\u{1b}', "␛"));
}

/// What people read and what moves: each is in the terminal with its standard error.
const TALKATIVE: [(&str, i32); 7] = [
    ("milepost portfolio list", 0),
    ("milepost event list --reverse", 0),
    ("milepost portfolio get none", 3),
    ("milepost project list western-science-city --filter 'x = 1 OR y = 2'", 4),
    ("milepost journal verify --data-dir data", 0),
    ("milepost demo --exit --port 0 --admin-port 0", 0),
    ("milepost --help", 0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dumb_terminal_gets_lines_and_nothing_else() {
    let cluster = demo::start().await;
    for (line, code) in TALKATIVE {
        let run = terminal::run(shell(&cluster, &format!("TERM=dumb {line}")), 80, Shown::Everything).await;
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        let control = run.out.chars().find(|letter| letter.is_control() && *letter != '\n');
        assert_eq!(control, None, "{line}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_colours_nothing_is_coloured_and_with_them_the_same_is_said() {
    let cluster = demo::start().await;
    for (line, code) in TALKATIVE {
        let plain =
            terminal::run(shell(&cluster, &format!("NO_COLOR=1 {line}")), 80, Shown::Everything).await;
        assert_eq!(plain.code, Some(code), "{line}: {plain:?}");
        // A progress bar moves the cursor, and clears its line.
        let colour = plain.out.split("\u{1b}[").skip(1).find(|code| !code.starts_with("2K"));
        assert_eq!(colour, None, "{line}: {plain:?}");
        if line.contains("demo") || line.contains("verify") {
            continue;
        }
        let coloured = terminal::run(shell(&cluster, line), 80, Shown::Everything).await;
        assert!(coloured.out.contains("\u{1b}["), "{line}: {coloured:?}");
        assert_eq!(console::strip_ansi_codes(&coloured.out), plain.out, "{line}");
    }
}
