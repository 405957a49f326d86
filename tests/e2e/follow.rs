//! Followers and what can become of their sources: gone, stopped, slow, started anew, restored.
//!
//! A follower whose source is away keeps serving and says so; it goes on where it was; one whose source
//! was restored to an older state than it had seen refuses, names both positions, is not ready, and goes on
//! when an operator says that this is meant.

use std::time::{Duration, Instant};

use milepost_client::{Client, Failure};
use milepost_proto::tracker::v1 as tracker;
use milepost_tests::cli;
use milepost_tests::command::{Command, create_milestone, create_portfolio, create_project};
use milepost_tests::history::{self, everything, info, sequence};
use milepost_tests::load::Load;
use milepost_tests::promises::Record;
use milepost_tests::wait::until;
use milepost_tests::watching::Watching;
use milepost_tests::{Cluster, Role, files, within};
use milepost_types::LedgerKind;
use rustix::process::Signal;
use serde_json::Value;
use tonic::{Code, Request};

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn project(client: &Client, id: &str) {
    let command = Command::CreateProject(Box::new(create_project("p", id)));
    command.once(client).await.expect("a project");
}

pub(super) async fn milestone(client: &Client, project: &str, id: &str) -> Result<(), Failure> {
    let request = create_milestone(&format!("portfolios/p/projects/{project}"), id);
    Command::CreateMilestone(Box::new(request)).once(client).await.map(drop)
}

/// The three apart, with a portfolio, a project and a milestone that all have heard of.
async fn office() -> (Cluster, Client) {
    let mut cluster = Cluster::apart(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    project(&client, "x").await;
    milestone(&client, "x", "a").await.expect("a milestone");
    history::settled(&client).await;
    (cluster, client)
}

/// Waits for a check that is degraded, or worse, and whose reason holds all of these.
pub(super) async fn degraded(cluster: &Cluster, role: Role, parts: &[&str]) -> String {
    until(PATIENCE, format!("the {} that says {parts:?}", role.as_str()), async || {
        let report = cluster.server(role).readiness().await;
        let checks = report["checks"].as_array().cloned().unwrap_or_default();
        let reason = checks.iter().find_map(|check| {
            let reason = check["reason"].as_str().unwrap_or_default();
            let bad = check["state"] != "ready" && parts.iter().all(|part| reason.contains(part));
            bad.then(|| reason.to_owned())
        });
        reason.ok_or_else(|| report.to_string())
    })
    .await
}

pub(super) async fn ready(cluster: &Cluster, role: Role) {
    until(PATIENCE, format!("readiness of the {} in all parts", role.as_str()), async || {
        let report = cluster.server(role).readiness().await;
        let all = |report: &Value| {
            report["checks"]
                .as_array()
                .is_some_and(|checks| checks.iter().all(|check| check["state"] == "ready"))
        };
        if all(&report) { Ok(()) } else { Err(report.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_is_gone_is_missed_and_the_others_serve_on() {
    let (mut cluster, client) = office().await;
    cluster.kill(Role::Registry).await;
    for role in [Role::Tracker, Role::Notifier] {
        degraded(&cluster, role, &["registry"]).await;
        let report = cluster.server(role).readiness().await;
        assert_eq!(report["ready"], true, "a follower whose source is away stays in rotation: {report}");
    }
    // What they know, they serve; what they cannot know, they say so, soon.
    milestone(&client, "x", "b").await.expect("a milestone of a project that is known");
    let asked = Instant::now();
    let failure = milestone(&client, "unheard-of", "a").await.expect_err("nobody knows the project");
    assert!(matches!(failure.code, Code::Unavailable | Code::DeadlineExceeded), "{failure:?}");
    assert!(asked.elapsed() < Duration::from_secs(25), "it took {:?} to say so", asked.elapsed());
    let request = tracker::GetMilestoneRequest {
        name: "portfolios/p/projects/x/milestones/b".to_owned(),
        ..Default::default()
    };
    client.milestones().get_milestone(request).await.expect("reads go on");
    let watching = Watching::start(&client, everything(), 0);

    // Followers that start while their source is away wait for it.
    cluster.kill(Role::Tracker).await;
    cluster.kill(Role::Notifier).await;
    cluster.spawn(Role::Tracker);
    cluster.spawn(Role::Notifier);
    cluster.start_one(Role::Registry).await;
    let client = cluster.client(1);
    until(PATIENCE, "the tracker", async || milestone(&client, "x", "c").await.map_err(|e| e.to_string()))
        .await;
    project(&client, "y").await;
    milestone(&client, "y", "a").await.expect("a milestone of a project of a moment ago");
    let record = Record::read(&client).await;
    record.assert_streams();
    assert!(watching.finish(record.log.len()).await == record.log, "the watcher saw other events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_hangs_holds_up_nobody_beyond_their_deadline() {
    let (cluster, client) = office().await;
    project(&client, "y").await;
    history::settled(&client).await;
    cluster.signal(Role::Registry, Signal::STOP);
    // Many ask for a project that only the registry could know; others go on meanwhile.
    let asking = (0..20).map(|number| {
        let mut request = Request::new(create_milestone(&format!("portfolios/p/projects/new-{number}"), "a"));
        request.set_timeout(Duration::from_secs(2));
        let mut milestones = client.milestones();
        async move { milestones.create_milestone(request).await }
    });
    let asked = Instant::now();
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asking), async {
        for number in 0..20 {
            milestone(&client, "y", &format!("m{number}")).await.expect("a milestone of a known project");
        }
        assert!(asked.elapsed() < Duration::from_secs(2), "others were held up: {:?}", asked.elapsed());
    });
    for answer in answers {
        let code = answer.expect_err("nobody knows the project").code();
        assert!(matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
    }
    assert!(asked.elapsed() < Duration::from_secs(6), "deadlines did not hold: {:?}", asked.elapsed());
    cluster.signal(Role::Registry, Signal::CONT);
    project(&client, "new-0").await;
    milestone(&client, "new-0", "a").await.expect("all is well again");
    Record::read(&client).await.assert_streams();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notifier_that_was_away_for_long_catches_up() {
    let (mut cluster, client) = office().await;
    let watching = Watching::start(&client, everything(), 3);
    assert!(cluster.stop(Role::Notifier).await.success(), "it stops in order");
    let (mut load, mut sent) = Load::start(&client, 16, 4).await;
    load.more(1500).await;
    cluster.start_one(Role::Notifier).await;
    load.more(200).await;
    sent.extend(load.stop().await);
    let record = Record::read(&client).await;
    record.assert_streams();
    record.assert_kept(&sent);
    record.assert_rows(&client).await;
    assert!(watching.finish(record.log.len()).await == record.log, "the watcher saw other events");
    ready(&cluster, Role::Notifier).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_an_older_registry_that_grew_past_its_followers_is_refused() {
    let (mut cluster, client) = office().await;
    let (data, older) = (cluster.data(Role::Registry), cluster.dir().join("older"));
    assert!(cluster.stop(Role::Registry).await.success(), "it stops in order");
    files::copy(&data, &older);
    cluster.start_one(Role::Registry).await;
    for id in ["lost-1", "lost-2"] {
        project(&client, id).await;
    }
    milestone(&client, "lost-1", "a").await.expect("a milestone");
    history::settled(&client).await;
    let seen = sequence(&client, LedgerKind::Registry).await;

    assert!(cluster.stop(Role::Registry).await.success(), "it stops in order");
    std::fs::remove_dir_all(&data).expect("the registry is lost");
    files::copy(&older, &data);
    cluster.start_one(Role::Registry).await;
    for number in 0..10 {
        project(&client, &format!("grown-{number}")).await;
    }
    assert!(sequence(&client, LedgerKind::Registry).await > seen, "it grew past what was seen");
    let before = [LedgerKind::Tracker, LedgerKind::Notifier];
    let before = [sequence(&client, before[0]).await, sequence(&client, before[1]).await];

    // A running follower connects again by itself; one that is started anew looks, too.
    for round in 0..2 {
        for role in [Role::Tracker, Role::Notifier] {
            let at = format!("/{seen}@");
            let reason = degraded(&cluster, role, &["registry", &at]).await;
            // Where it was followed to, and where it is: that is before or after it grew past.
            assert!(reason.matches('@').count() >= 2, "both positions are named: {reason}");
            let log = cluster.server(role).log();
            assert!(log.contains(&at), "the log says it too:\n{log}");
            if round == 0 {
                assert!(cluster.stop(role).await.success(), "it stops in order");
                cluster.spawn(role);
                cluster.server_mut(role).listening().await;
            }
        }
        until(PATIENCE, "followers that answer", async || {
            let answers = milestone(&client, "x", &format!("still-{round}")).await;
            answers.map_err(|failure| failure.to_string())
        })
        .await;
    }
    // The two milestones of the meantime, once the notifier has them, and nothing of the registry: the
    // check must be waited for, and what comes too much would have come before a third.
    let reached = async |count: u64| {
        until(PATIENCE, "the tracker's entries", async || {
            let now = sequence(&client, LedgerKind::Notifier).await;
            if now >= before[1] + count { Ok(now) } else { Err(format!("{now} of {}", before[1] + count)) }
        })
        .await
    };
    assert_eq!(reached(2).await, before[1] + 2, "something of the registry was taken over");
    milestone(&client, "x", "last").await.expect("a milestone");
    assert_eq!(reached(3).await, before[1] + 3, "something of the registry was taken over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_registry_is_followed_again_once_an_operator_says_so() {
    let (mut cluster, client) = office().await;
    let data = cluster.data(Role::Registry);
    let export = cluster.dir().join("registry.export");
    let args = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let path = |path: &std::path::Path| path.display().to_string();
    // An export may be taken beside the running server.
    let exported =
        args(&["journal", "export", "--data-dir", &path(&data), "--ledger", "registry", &path(&export)]);
    let said = cli::run(exported).await.succeeded();
    let exported = sequence(&client, LedgerKind::Registry).await;
    assert!(said.out.contains(&format!("{exported} entries")), "{said:?}");
    project(&client, "lost").await;
    history::settled(&client).await;
    let old = info(&client, LedgerKind::Registry).await.tail.expect("a tail");

    assert!(cluster.stop(Role::Registry).await.success(), "it stops in order");
    let import =
        args(&["journal", "import", "--data-dir", &path(&data), "--ledger", "registry", &path(&export)]);
    let refused = cli::run(import.clone()).await.failed();
    assert!(refused.err.contains("exists and is not empty"), "{refused:?}");
    std::fs::remove_dir_all(&data).expect("the registry is lost");
    // An export that was damaged on its way is not restored.
    let bytes = std::fs::read(&export).expect("an export");
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&export, damaged).expect("it is written");
    assert!(!cli::run(import.clone()).await.failed().err.is_empty());
    assert!(files::segments_if_any(&data, "registry").is_empty(), "nothing was left behind");
    std::fs::write(&export, bytes).expect("it is written");
    cli::run(import).await.succeeded();

    cluster.start_one(Role::Registry).await;
    let restored = info(&client, LedgerKind::Registry).await;
    let tail = restored.tail.expect("a tail");
    assert_ne!(tail.log_id, old.log_id, "a restored log has an id of its own");
    assert_eq!(
        restored.parent.map(|parent| (parent.log_id, parent.sequence)),
        Some((old.log_id.clone(), exported))
    );
    project(&client, "after").await;
    for role in [Role::Tracker, Role::Notifier] {
        degraded(&cluster, role, &["registry", &old.log_id, &tail.log_id, "milepost follower reset"]).await;
        let report = cluster.server(role).readiness().await;
        assert_eq!(report["ready"], false, "a follower that stands still is not ready: {report}");
    }

    // The way out, for each follower.
    for (role, follower) in [(Role::Tracker, "tracker"), (Role::Notifier, "notifier")] {
        assert!(cluster.stop(role).await.success(), "it stops in order");
        let reset = args(&[
            "follower",
            "reset",
            "--data-dir",
            &path(&cluster.data(role)),
            "--follower",
            follower,
            "--source",
            "registry",
            "--source-data-dir",
            &path(&data),
            "--reason",
            "restored after the fire",
        ]);
        let said = cli::run(reset.clone()).await.succeeded();
        assert!(said.out.contains(&tail.log_id), "{said:?}");
        cluster.start_one(role).await;
    }
    for role in [Role::Tracker, Role::Notifier] {
        ready(&cluster, role).await;
    }
    let client = cluster.client(1);
    milestone(&client, "after", "a").await.expect("a milestone of a project after the fire");
    history::settled(&client).await;
    let log = history::events(&client, everything()).await;
    let created = log.iter().filter(|event| event.r#type.ends_with(".created"));
    let subjects: Vec<_> = created.map(|event| event.subject.as_str()).collect();
    let count = |name: &str| subjects.iter().filter(|subject| **subject == name).count();
    // What subscribers heard before the fire stays, and what came after it is delivered once.
    assert_eq!(count("portfolios/p/projects/lost"), 1, "{subjects:?}");
    assert_eq!(count("portfolios/p/projects/after"), 1, "{subjects:?}");
    assert_eq!(count("portfolios/p/projects/after/milestones/a"), 1, "{subjects:?}");
    assert!(log.iter().any(|event| event.source == "registry" && event.event_id.starts_with(&tail.log_id)));
    let ids: std::collections::HashSet<_> = log.iter().map(|event| &event.event_id).collect();
    assert_eq!(ids.len(), log.len(), "no event comes twice");
    within(PATIENCE, "end", cluster.stop(Role::Notifier)).await;
}
