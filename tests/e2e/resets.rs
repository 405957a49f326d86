//! A source that is restored to an older state, as those see it who had what it lost.

use std::time::Duration;

use milepost_client::{Client, Delivery, Reset, Selection, Start, WatchOptions};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::GetLogInfoRequest;
use milepost_tests::cli::{self, Run};
use milepost_tests::command::{Command, create_milestone, create_portfolio, create_project};
use milepost_tests::history::{self, everything, info, sequence};
use milepost_tests::{Cluster, Role, within};
use milepost_types::LedgerKind;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

async fn milestone(client: &Client, id: &str) {
    let request = create_milestone("portfolios/p/projects/x", id);
    Command::CreateMilestone(Box::new(request)).once(client).await.expect("a milestone");
}

/// What a watch is given first: nothing that it selected, then the reset.
async fn first_reset(client: &Client, cursor: &str, selection: Selection) -> Reset {
    let start = Start::After(cursor.to_owned());
    let mut watch = client.watch(start, selection, WatchOptions::default());
    loop {
        let delivery = within(PATIENCE, "the reset", watch.next()).await;
        match delivery.expect("it goes on").expect("it is served") {
            Delivery::Reset(reset) => return *reset,
            Delivery::Batch(batch) => {
                let known = |event: &Event| event.r#type == "milepost.source.reset";
                assert!(batch.events.iter().all(known), "an event comes before the reset: {batch:?}");
            }
        }
    }
}

fn json_lines(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.out.lines().map(parse).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_has_what_a_restored_source_lost_is_told_so() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    let data = cluster.data(Role::All).display().to_string();
    let export = cluster.dir().join("tracker.export").display().to_string();
    create_portfolio("p").once(&client).await.expect("a portfolio");
    let project = Command::CreateProject(Box::new(create_project("p", "x")));
    project.once(&client).await.expect("a project");
    milestone(&client, "kept").await;
    history::settled(&client).await;
    let exported = sequence(&client, LedgerKind::Tracker).await;
    cli::run(["journal", "export", "--data-dir", &data, "--ledger", "tracker", &export]).await.succeeded();
    for id in ["lost-1", "lost-2"] {
        milestone(&client, id).await;
    }
    history::settled(&client).await;
    let seen = history::events(&client, everything()).await;
    let log = client.events().get_log_info(GetLogInfoRequest {}).await.expect("info").into_inner();
    let before = info(&client, LedgerKind::Tracker).await.tail.expect("a tail");

    // Only the tracker is restored.
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    std::fs::remove_dir_all(cluster.data(Role::All).join("tracker")).expect("the tracker is lost");
    cli::run(["journal", "import", "--data-dir", &data, "--ledger", "tracker", &export]).await.succeeded();
    let reset = ["follower", "reset", "--data-dir", &data, "--follower", "notifier", "--source", "tracker"];
    cli::run(reset.into_iter().chain(["--reason", "restored after the fire"])).await.succeeded();
    cluster.start().await;
    let client = cluster.client(1);
    milestone(&client, "after").await;
    history::settled(&client).await;

    let nothing = Selection { resource: "portfolios/nowhere".into(), ..Selection::default() };
    for selection in [Selection::default(), nothing, everything()] {
        let Reset { notice, cursor } = &first_reset(&client, &log.latest_cursor, selection.clone()).await;
        assert_eq!((&*notice.source, &*notice.reason), ("tracker", "restored after the fire"));
        assert_eq!(notice.previous_position.as_ref(), Some(&before));
        assert_eq!(notice.position.as_ref().map(|position| position.sequence), Some(exported));
        let reset = Reset { notice: notice.clone(), cursor: cursor.clone() };
        for event in &seen {
            let lost = event.source == "tracker" && event.sequence > exported;
            assert_eq!(reset.revokes(event), lost, "{event:?} after {notice:?}");
        }
    }
    let lost =
        |event: &&Event| event.subject.contains("/milestones/lost-") && event.r#type.ends_with(".created");
    assert_eq!(seen.iter().filter(lost).count(), 2);

    // The command line says the same, to people and to programs.
    let endpoint = cluster.server(Role::All).url();
    let event = async |words: &str| {
        let line = format!("--endpoint {endpoint} event {words} --after {} --format json", log.latest_cursor);
        cli::run(line.split_whitespace()).await.succeeded()
    };
    let file = cluster.dir().join("cursor").display().to_string();
    let milestones = "--type milepost.milestone.created";
    for run in [
        event(&format!("watch --count 1 {milestones} --cursor-file {file}")).await,
        event(&format!("list {milestones}")).await,
    ] {
        let lines = json_lines(&run);
        assert_eq!(lines[0]["sourceReset"]["source"], "tracker", "{run:?}");
        assert_eq!(lines[0]["sourceReset"]["revokedEvents"]["afterSequence"], exported.to_string());
        assert_eq!(lines[1]["subject"], "portfolios/p/projects/x/milestones/after", "{run:?}");
        assert_eq!(lines.len(), 2, "{run:?}");
        let range = format!("with sequence {} to {}", exported + 1, before.sequence);
        assert!(run.err.contains("no longer true") && run.err.contains(&range), "{run:?}");
        assert!(run.err.contains("restored after the fire"), "{run:?}");
    }
    // The cursor that was kept is after it.
    milestone(&client, "later").await;
    let words = format!("watch --count 1 {milestones} --cursor-file {file}");
    let line = format!("--endpoint {endpoint} event {words} --format json");
    let again = cli::run(line.split_whitespace()).await.succeeded();
    let lines = json_lines(&again);
    assert_eq!(
        (lines.len(), &lines[0]["subject"]),
        (1, &Value::from("portfolios/p/projects/x/milestones/later"))
    );
}
