//! `event list` and `event watch` on what is written meanwhile: the newest first, the last events and then live, a
//! command for each event.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use milepost_client::Client;
use milepost_tests::cli::{CONTEXTS, Run, run_command};
use milepost_tests::command::{Command, create_portfolio, create_project};
use milepost_tests::{Cluster, Role, binary, history, wait, within};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

const PATIENCE: Duration = Duration::from_secs(60);
const CREATED: &str = "--type project.created";

async fn create(client: &Client, id: &str) {
    Command::CreateProject(Box::new(create_project("p", id))).once(client).await.expect("a project");
}

/// A server with a portfolio and these projects.
async fn server(projects: usize) -> (Cluster, Client) {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for number in 0..projects {
        create(&client, &format!("x{number}")).await;
    }
    history::settled(&client).await;
    (cluster, client)
}

/// `milepost event` with these words, as a shell in the cluster's directory reads them.
fn command(cluster: &Cluster, words: &str) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", &format!("exec \"$MILEPOST\" event {words}")]).current_dir(cluster.dir());
    command.env("MILEPOST", binary::milepost()).env("MILEPOST_ENDPOINT", cluster.server(Role::All).url());
    command.env(CONTEXTS, cluster.dir().join("contexts.toml"));
    command
}

async fn run(cluster: &Cluster, words: &str) -> Run {
    run_command(command(cluster, words)).await
}

/// Starts it, and reads its output line by line.
fn start(cluster: &Cluster, words: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = command(cluster, words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("a shell");
    let out = child.stdout.take().expect("it is piped");
    (child, BufReader::new(out).lines())
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    within(PATIENCE, "a line", lines.next_line()).await.expect("it is read").expect("it goes on")
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn project(line: &str) -> String {
    let event = event(line);
    event["subject"].as_str().expect("a subject").trim_start_matches("portfolios/p/projects/").to_owned()
}

fn projects(run: &Run) -> Vec<String> {
    run.out.lines().map(project).collect()
}

fn text(cluster: &Cluster, name: impl AsRef<Path>) -> String {
    std::fs::read_to_string(cluster.dir().join(name)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_begins_at_a_time_and_may_have_the_newest_first() {
    let (cluster, client) = server(5).await;
    let list = async |words: &str| {
        let words = format!("list {CREATED} --format json {words}");
        projects(&run(&cluster, &words).await.succeeded())
    };
    assert_eq!(list("").await, ["x0", "x1", "x2", "x3", "x4"]);
    assert_eq!(list("--reverse --limit 3").await, ["x4", "x3", "x2"]);
    assert_eq!(list("--reverse --resource portfolios/p/projects/x1").await, ["x1"]);
    assert_eq!(list("--reverse --filter 'subject = \"portfolios/p/projects/x3\"'").await, ["x3"]);

    let all = run(&cluster, &format!("list {CREATED} --format json")).await.succeeded();
    let third = event(all.out.lines().nth(2).expect("a third event"));
    let (id, time) =
        (third["eventId"].as_str().expect("an id"), third["commitTime"].as_str().expect("a time"));
    let got = run(&cluster, &format!("get {id} --format json")).await.succeeded();
    let cursor = event(&got.out)["cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(list(&format!("--reverse --after {cursor}")).await, ["x4", "x3"]);
    // The log has it a moment later than its source, and a clock may have moved on by the events before.
    let since = list(&format!("--since {time}")).await;
    assert!(since.ends_with(&["x2".to_owned(), "x3".to_owned(), "x4".to_owned()]), "{since:?}");
    let mut reversed = list(&format!("--since {time} --reverse")).await;
    reversed.reverse();
    assert_eq!(reversed, since);
    assert_eq!(list("--since 24h").await.len(), 5);
    assert_eq!(list("--since 2021-05-27 --resource portfolios/p").await.len(), 5);
    assert_eq!(list("--since 2999-01-01 --resource portfolios/p").await, [""; 0]);
    let refused = run(&cluster, "list --since yesterday").await.failed();
    assert!(refused.code == Some(2) && refused.err.contains("2h"), "{refused:?}");

    // The note at the end leads on.
    let reverse =
        run(&cluster, &format!("list {CREATED} --reverse --limit 2 --format json")).await.succeeded();
    create(&client, "later").await;
    let note = event(reverse.err.lines().last().expect("a note"));
    let (_, watch) =
        note["note"].as_str().and_then(|note| note.split_once("milepost event ")).expect("a command");
    let watched = run(&cluster, &format!("{} --format json --count 3", watch.trim())).await.succeeded();
    assert_eq!(projects(&watched), ["x3", "x4", "later"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_events_come_first_and_then_what_is_written_without_gap_or_duplicate() {
    let (cluster, client) = server(4).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let writer = tokio::spawn({
        let client = client.clone();
        async move {
            let mut number = 4;
            while !*stopped.borrow() {
                create(&client, &format!("x{number}")).await;
                number += 1;
            }
            number
        }
    });
    let tails = [0, 1, 3, 1_500];
    let watches = tails.map(|tail| start(&cluster, &format!("watch {CREATED} --tail {tail} --format json")));
    for (tail, (_child, mut lines)) in tails.into_iter().zip(watches) {
        let mut found: Vec<usize> = Vec::new();
        // So many that some of them were written after the watch had begun.
        while found.len() < tail.min(100) + 50 {
            let project = project(&line(&mut lines).await);
            found.push(project.trim_start_matches('x').parse().expect("a number"));
        }
        let whole: Vec<usize> = (found[0]..).take(found.len()).collect();
        assert_eq!(found, whole, "--tail {tail}");
        assert!(tail < 1000 || found[0] == 0, "--tail {tail} begins with {}", found[0]);
    }
    stop.send_replace(true);
    let written = within(PATIENCE, "the writer", writer).await.expect("it writes");
    history::settled(&client).await;
    let last = [format!("x{}", written - 2), format!("x{}", written - 1)];
    let tail = |words: &str| format!("watch {CREATED} --format json --tail {words}");
    assert_eq!(projects(&run(&cluster, &tail("2 --count 2")).await.succeeded()), last);
    for start in ["--latest", "--earliest", "--since 2h", "--after x"] {
        assert_eq!(run(&cluster, &tail(&format!("2 {start}"))).await.failed().code, Some(2), "{start}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_file_comes_before_the_last_events() {
    let (cluster, _client) = server(5).await;
    let watch = async |count: usize| {
        let words = format!("watch {CREATED} --format json --tail 4 --cursor-file c --count {count}");
        run(&cluster, &words).await.succeeded()
    };
    assert_eq!(projects(&watch(1).await), ["x1"]);
    let second = watch(3).await;
    assert_eq!(projects(&second), ["x2", "x3", "x4"]);
    assert!(second.err.contains("going on after the cursor in c"), "{second:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_runs_for_each_event_and_the_cursor_passes_only_those_that_succeeded() {
    let (cluster, client) = server(5).await;
    let watch =
        |script: &str, words: &str| format!("watch {CREATED} --cursor-file c --exec '{script}' {words}");
    let fails = "echo \"$MILEPOST_EVENT_SUBJECT\"; case $MILEPOST_EVENT_SUBJECT in */x2) exit 7;; esac";
    for expected in ["x0 x1 x2", "x2"] {
        let failed = run(&cluster, &watch(fails, "")).await.failed();
        assert_eq!(failed.code, Some(1), "{failed:?}");
        let found: Vec<_> = failed.out.lines().map(|line| line.rsplit('/').next().expect("an id")).collect();
        assert_eq!(found.join(" "), expected, "nothing but what the command prints: {failed:?}");
        let list = run(&cluster, &format!("list {CREATED} --format json")).await.succeeded();
        let id = event(list.out.lines().nth(2).expect("a third event"));
        let id = id["eventId"].as_str().expect("an id");
        assert!(failed.err.contains(id) && failed.err.contains("exit status 7"), "{failed:?}");
        assert!(failed.err.contains("*/x2) exit 7"), "the command is named: {failed:?}");
    }
    // What it gets is the line that a watch prints; it may run the program itself.
    let printed = run(&cluster, &format!("list {CREATED} --format json --limit 3")).await.succeeded();
    let third = run(&cluster, &watch("cat; \"$MILEPOST\" event info > info", "--count 1")).await.succeeded();
    assert_eq!(third.out.lines().next(), printed.out.lines().nth(2));
    assert_eq!(third.out.lines().count(), 1);
    assert!(!text(&cluster, "info").is_empty(), "the variables of a command do not keep it from running");
    // One that does not read.
    run(&cluster, &watch("true", "--count 2")).await.succeeded();
    create(&client, "later").await;
    let last = run(&cluster, &watch("echo \"$MILEPOST_EVENT_SUBJECT\"", "--count 1")).await.succeeded();
    assert_eq!(last.out, "portfolios/p/projects/later\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_event_that_fails_comes_again_wherever_the_watch_began() {
    let (cluster, client) = server(2).await;
    for (number, from) in ["--latest", "--tail 0", "--tail 1", "--since 100ms"].into_iter().enumerate() {
        let watch = format!("watch {CREATED} {from} --cursor-file c{number} --exec");
        let (mut child, mut lines) = start(&cluster, &format!("{watch} 'cat; exit 1'"));
        // It knows where it begins: what is written from now on is for it.
        wait::until(PATIENCE, "a cursor", async || match text(&cluster, format!("c{number}")).is_empty() {
            true => Err("there is none".to_owned()),
            false => Ok(()),
        })
        .await;
        create(&client, &format!("new{number}")).await;
        let failed = project(&line(&mut lines).await);
        let ended = within(PATIENCE, "the failure", child.wait()).await.expect("it ends");
        assert_eq!(ended.code(), Some(1), "{from}");
        create(&client, &format!("other{number}")).await;
        let again = run(&cluster, &format!("{watch} cat --count 1")).await.succeeded();
        assert_eq!(projects(&again), [failed], "{from}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_ends_while_a_command_runs_begins_with_the_same_event_again() {
    let (cluster, _client) = server(3).await;
    let watch = format!("watch {CREATED} --cursor-file c --exec");
    run(&cluster, &format!("{watch} cat --count 1")).await.succeeded();
    for signal in ["KILL", "INT"] {
        // It says that it runs, and then does not end until it is left alone.
        let script = "cat; while [ -e hold ]; do sleep 0.02; done";
        std::fs::write(cluster.dir().join("hold"), "").expect("a file");
        let (mut child, mut lines) = start(&cluster, &format!("{watch} '{script}'"));
        assert_eq!(project(&line(&mut lines).await), "x1", "{signal}");
        let pid = child.id().expect("it runs").to_string();
        run_command({
            let mut kill = tokio::process::Command::new("kill");
            kill.args(["-s", signal, &pid]);
            kill
        })
        .await
        .succeeded();
        let ended = within(PATIENCE, "the end", child.wait()).await.expect("it ends");
        assert_eq!(ended.code(), if signal == "INT" { Some(130) } else { None });
        std::fs::remove_file(cluster.dir().join("hold")).expect("the file");
    }
    let rest = run(&cluster, &format!("{watch} cat --count 2")).await.succeeded();
    assert_eq!(projects(&rest), ["x1", "x2"]);
}
