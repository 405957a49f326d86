//! Watches of the real program that go on: with the next token of a file when the one before has ended, and with what
//! their caller may see once that has changed. Every event comes once, in order.

use std::ops::Deref;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use milepost_tests::cli::{CONTEXTS, Run};
use milepost_tests::protected::Protected;
use milepost_tests::within;
use milepost_types::{Clock, SystemClock};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server that knows its callers, with two portfolios.
struct Office(Protected);

impl Deref for Office {
    type Target = Protected;

    fn deref(&self) -> &Protected {
        &self.0
    }
}

impl Office {
    async fn start() -> Self {
        let office = Protected::start(&["bob", "ann"], &[]).await;
        for id in ["a", "b"] {
            office.portfolio(id).await;
        }
        office.grant("grants/bob", "cert:urn:office:bob", "manager").await;
        Self(office)
    }

    async fn project(&self, name: &str) {
        self.does("bob", &format!("project create {name} --display-name x")).await;
    }

    /// A token of the portal, which ends so many seconds from now.
    async fn token(&self, id: &str, seconds: u64) -> String {
        let ends = SystemClock.now() + Duration::from_secs(seconds);
        let words =
            format!("api-token create {id} --service-account portal --expire-time {ends} --format json");
        let created = self.does("first", &words).await;
        let secret = created.split('"').find(|text| text.starts_with(&format!("mp_{id}_")));
        secret.expect("the token").to_owned()
    }

    /// A portal that may see portfolio a.
    async fn with_portal(&self) {
        self.does("first", "service-account create portal --display-name portal").await;
        self.grant("portfolios/a/grants/portal", "serviceaccount:portal", "viewer").await;
    }
}

/// A watch that runs.
struct Watching {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(mut command: Command) -> Self {
        command.env(CONTEXTS, std::env::temp_dir().join("milepost-tests/no-contexts.toml"));
        command.env_remove("RUST_LOG").env("NO_COLOR", "1").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let out = BufReader::new(child.stdout.take().expect("piped")).lines();
        let err = BufReader::new(child.stderr.take().expect("piped")).lines();
        Self { child, out, err }
    }

    /// The projects whose creation the next lines report.
    async fn created(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        while names.len() < count {
            let line = within(PATIENCE, "an event", self.out.next_line()).await.expect("text");
            let event: Value = serde_json::from_str(&line.expect("an event")).expect("JSON");
            names.push(event["subject"].as_str().expect("a subject").to_owned());
        }
        names
    }

    /// Waits for a line on standard error that has this.
    async fn says(&mut self, text: &str) {
        let said = async {
            let mut said = Vec::new();
            while let Some(line) = self.err.next_line().await.expect("text") {
                if line.contains(text) {
                    return;
                }
                said.push(line);
            }
            panic!("it ended without {text:?}: {said:?}");
        };
        within(PATIENCE, format!("{text:?} on standard error"), said).await;
    }

    /// What is left of both outputs, and the exit code.
    async fn end(mut self) -> Run {
        let end = async {
            let (mut out, mut err) = (String::new(), String::new());
            while let Some(line) = self.out.next_line().await.expect("text") {
                out += &(line + "\n");
            }
            while let Some(line) = self.err.next_line().await.expect("text") {
                err += &(line + "\n");
            }
            Run { code: self.child.wait().await.expect("an end").code(), out, err }
        };
        within(PATIENCE, "the end of the watch", end).await
    }
}

const WATCH: &str = "event watch --earliest --type project.created --format json";

fn projects(ids: &[&str]) -> Vec<String> {
    let name = |id: &&str| id.split_once('/').map(|(p, x)| format!("portfolios/{p}/projects/{x}"));
    ids.iter().filter_map(name).collect()
}

/// Replaces the content of a file in one step.
fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).expect("a file");
    std::fs::rename(&next, path).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_with_the_next_token_of_its_file_and_misses_nothing() {
    let office = Office::start().await;
    office.with_portal().await;
    let file = office.path("token");
    let fixed = office.token("t1", 12).await;
    replace(Path::new(&file), &fixed);
    let mut command = office.command(&format!("{WATCH} --count 4"));
    command.arg("--token-file").arg(&file);
    let mut watching = Watching::start(command);
    let mut command = office.command(WATCH);
    command.arg("--token").arg(&fixed);
    let with_fixed = Watching::start(command);
    office.project("a/one").await;
    office.project("b/hidden").await;
    assert_eq!(watching.created(1).await, projects(&["a/one"]));
    office.project("a/two").await;
    assert_eq!(watching.created(1).await, projects(&["a/two"]));

    watching.says("interrupted (the credential has ended); connecting again").await;
    // Nothing is lost of what is committed while no good token is there.
    office.project("a/three").await;
    replace(Path::new(&file), &office.token("t2", 3600).await);
    watching.says("connected again").await;
    office.project("a/four").await;
    let rest = watching.end().await.succeeded();
    assert_eq!(rest.out.lines().count(), 2, "{rest:?}");
    for (line, name) in rest.out.lines().zip(projects(&["a/three", "a/four"])) {
        assert!(line.contains(&format!("\"{name}\"")), "{name}: {line}");
    }
    let ended = with_fixed.end().await.failed();
    assert!(ended.err.contains("the credential has ended"), "{ended:?}");
    assert_eq!(ended.out.lines().count(), 2, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_with_what_its_caller_may_see_until_that_is_nothing() {
    let office = Office::start().await;
    office.grant("portfolios/a/grants/ann", "cert:urn:office:ann", "viewer").await;
    let mut watching = Watching::start(office.command_of("ann", WATCH));
    office.project("a/one").await;
    assert_eq!(watching.created(1).await, projects(&["a/one"]));

    office.grant("portfolios/b/grants/ann", "cert:urn:office:ann", "viewer").await;
    watching.says("interrupted (what the caller may see has changed); connecting again").await;
    watching.says("connected again").await;
    for name in ["a/two", "b/shown"] {
        office.project(name).await;
    }
    assert_eq!(watching.created(2).await, projects(&["a/two", "b/shown"]));

    office.does("first", "grant delete portfolios/a/grants/ann").await;
    watching.says("what the caller may see has changed").await;
    office.project("a/late").await;
    office.project("b/three").await;
    assert_eq!(watching.created(1).await, projects(&["b/three"]));

    office.does("first", "grant delete portfolios/b/grants/ann").await;
    let ended = watching.end().await.failed();
    assert!(ended.err.contains("permission content.read denied"), "{ended:?}");
    assert_eq!(ended.out, "", "nothing comes after the revocation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_run_once_for_each_event_whatever_happens_to_access() {
    let office = Office::start().await;
    office.grant("portfolios/a/grants/ann", "cert:urn:office:ann", "viewer").await;
    let mut command = office.command_of("ann", "event watch --earliest --type project.created --count 4");
    let seen = office.path("seen");
    command.arg("--exec").arg(format!("echo \"$MILEPOST_EVENT_SUBJECT\" >> {}", seen));
    let mut watching = Watching::start(command);
    let names = ["a/one", "a/two", "b/three", "a/four"];
    office.project(names[0]).await;
    for (grant, role) in [("portfolios/b/grants/ann", "viewer"), ("grants/ann", "reporter")] {
        office.grant(grant, "cert:urn:office:ann", role).await;
        watching.says("what the caller may see has changed").await;
        watching.says("connected again").await;
        if role == "viewer" {
            office.project(names[1]).await;
        }
    }
    for name in &names[2..] {
        office.project(name).await;
    }
    watching.end().await.succeeded();
    let seen = std::fs::read_to_string(&seen).expect("what was run");
    assert_eq!(seen.lines().collect::<Vec<_>>(), projects(&names));
}
