//! Grants under load: what is revoked while its holder writes, and grants that a follower hears nothing of.
//!
//! Invariant: the journal is asked, not the callers: after the entry of a revocation there is none of its principal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use milepost_client::{Client, Delivery, Failure, Selection, Start, Watch, WatchOptions};
use milepost_proto::access::v1::DeleteGrantRequest;
use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_proto::tracker::v1::ListMilestonesRequest;
use milepost_tests::command::{Command, create_milestone, create_project};
use milepost_tests::history::{self, SourceEntry};
use milepost_tests::protected::Protected;
use milepost_tests::wait::until;
use milepost_tests::watching::Watching;
use milepost_tests::{Role, within};
use milepost_types::LedgerKind;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;

use super::follow::ready;

const PATIENCE: Duration = Duration::from_secs(60);
/// Writers of each.
const WRITERS: usize = 8;
/// How many writes of one come before what happens under load, and after it.
const WRITES: usize = 100;

/// What became of the writes of one writer: their request ids, and whether each began after the revocation was answered.
type Written = Vec<(String, bool, Result<(), Code>)>;

/// Writers at work.
struct Writing {
    writers: JoinSet<Written>,
    revoked: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    done: watch::Receiver<usize>,
}

impl Writing {
    /// Each writes projects to portfolio `a`, and milestones of project `a/x`, in turn, until it is to stop.
    fn start(office: &Protected, who: &str, revoked: &Arc<AtomicBool>) -> Self {
        let (count, done) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let mut writers = JoinSet::new();
        for number in 0..WRITERS {
            let client = office.client(Some(who));
            let (revoked, stopped, count) = (Arc::clone(revoked), stopped.clone(), count.clone());
            let who = who.to_owned();
            writers.spawn(async move {
                let mut written = Written::new();
                for round in 0.. {
                    if *stopped.borrow() {
                        break;
                    }
                    let command = write(&format!("{who}-{number}-{round}"), round);
                    let is_after = revoked.load(Ordering::SeqCst);
                    let outcome = command.once(&client).await.map(drop).map_err(|failure| failure.code);
                    written.push((command.request_id().to_owned(), is_after, outcome));
                    count.send_modify(|count| *count += 1);
                }
                written
            });
        }
        Self { writers, revoked: Arc::clone(revoked), stop, done }
    }

    /// Waits until there were so many more writes, allowed or not.
    async fn more(&mut self, count: usize) {
        let goal = *self.done.borrow() + count;
        let reached = self.done.wait_for(|done| *done >= goal);
        drop(within(PATIENCE, format!("{count} writes"), reached).await);
    }

    async fn stop(mut self) -> Written {
        assert!(self.revoked.load(Ordering::SeqCst), "they wrote while nothing was revoked");
        self.stop.send_replace(true);
        let mut written = Written::new();
        while let Some(done) = within(PATIENCE, "end of the writers", self.writers.join_next()).await {
            written.extend(done.expect("a writer"));
        }
        written
    }
}

/// A write to the registry, or to the tracker.
fn write(id: &str, round: usize) -> Command {
    match round % 2 {
        0 => Command::CreateProject(Box::new(create_project("a", id))),
        _ => Command::CreateMilestone(Box::new(create_milestone("portfolios/a/projects/x", id))),
    }
}

/// The place of the registry's entry that deleted a grant.
fn revocation(entries: &[SourceEntry], grant: &str) -> u64 {
    let deletes = |entry: &SourceEntry| {
        entry.events.iter().any(|event| event.r#type == "milepost.grant.deleted" && event.subject == grant)
    };
    entries.iter().find(|entry| deletes(entry)).expect("the revocation").entry.sequence
}

/// The entries of a principal.
fn of<'a>(entries: &'a [SourceEntry], principal: &'a str) -> impl Iterator<Item = &'a SourceEntry> {
    let is_of = move |entry: &&SourceEntry| {
        entry.entry.actor.as_ref().is_some_and(|actor| actor.principal == principal)
    };
    entries.iter().filter(is_of)
}

/// Reads on until a watch ends; the subjects that came, and why it ended.
async fn ended(mut watch: Watch) -> (Vec<(String, u64)>, String) {
    let mut seen = Vec::new();
    loop {
        match within(PATIENCE, "the end of the watch", watch.next()).await.expect("a word at the end") {
            Ok(Delivery::Batch(batch)) => {
                seen.extend(batch.events.into_iter().map(|event| (event.source, event.sequence)));
            }
            Ok(Delivery::Reset(reset)) => panic!("a source was reset: {reset:?}"),
            Err(error) => return (seen, error.to_string()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_while_its_holder_writes_commits_nothing_more_and_others_go_on() {
    let office = Protected::start(&["ann", "bob", "reader"], &[]).await;
    office.portfolio("a").await;
    for role in ["follower", "viewer"] {
        office.grant(&format!("grants/reader-{role}"), "cert:urn:office:reader", role).await;
    }
    for who in ["ann", "bob"] {
        let principal = format!("cert:urn:office:{who}");
        office.grant(&format!("portfolios/a/grants/{who}"), &principal, "manager").await;
    }
    office.does("bob", "project create a/x --display-name x").await;
    for who in ["ann", "bob"] {
        office.when_allowed(who, "event list").await;
        office.when_allowed(who, "milestone list a x").await;
    }
    let watching = Watching::start(&office.client(Some("bob")), Selection::default(), 0);
    let options = WatchOptions::default();
    let watch = office.client(Some("ann")).watch(Start::Earliest, Selection::default(), options);
    let watched = tokio::spawn(ended(watch));
    let revoked = Arc::new(AtomicBool::new(false));
    let (mut ann, mut bob) =
        (Writing::start(&office, "ann", &revoked), Writing::start(&office, "bob", &revoked));
    ann.more(WRITES).await;
    bob.more(WRITES).await;

    let grant = "portfolios/a/grants/ann";
    let request = DeleteGrantRequest { name: grant.to_owned(), ..DeleteGrantRequest::default() };
    office.client(Some("first")).grants().delete_grant(request).await.expect("it is revoked");
    revoked.store(true, Ordering::SeqCst);
    ann.more(WRITES).await;
    bob.more(WRITES).await;
    let (ann, bob) = (ann.stop().await, bob.stop().await);

    let reader = office.client(Some("reader"));
    history::settled(&reader).await;
    let registry = history::journal(&reader, LedgerKind::Registry).await;
    let tracker = history::journal(&reader, LedgerKind::Tracker).await;
    let revocation = revocation(&registry, grant);
    let principal = "cert:urn:office:ann";
    let late: Vec<_> = of(&registry, principal).map(|entry| entry.entry.sequence).collect();
    assert!(late.iter().all(|sequence| *sequence < revocation), "{late:?} after {revocation}");
    // The tracker decides on what it has heard of the registry.
    for entry in of(&tracker, principal) {
        let decided_on = entry.entry.decided_on.iter().map(|position| position.sequence).max();
        assert!(decided_on < Some(revocation), "decided on {decided_on:?}, after {revocation}: {entry:?}");
    }
    let all = [&registry[..], &tracker].concat();
    for (who, written) in [(principal, &ann), ("cert:urn:office:bob", &bob)] {
        let committed: Vec<_> = of(&all, who).map(|entry| entry.events[0].request_id.clone()).collect();
        for (id, _, outcome) in written {
            assert_eq!(committed.contains(id), outcome.is_ok(), "{id}: {outcome:?}");
        }
    }
    let after: Vec<_> = ann.iter().filter(|(_, is_after, _)| *is_after).collect();
    assert!(!after.is_empty() && ann.iter().any(|(.., outcome)| outcome.is_ok()));
    // The tracker hears of it a moment later.
    for (id, _, outcome) in after.iter().filter(|(id, ..)| id.starts_with("create-a-")) {
        assert_eq!(*outcome, Err(Code::PermissionDenied), "{id}");
    }
    assert!(ann.iter().all(|(.., outcome)| matches!(outcome, Ok(()) | Err(Code::PermissionDenied))));
    assert!(bob.iter().all(|(.., outcome)| outcome.is_ok()), "{bob:?}");
    assert!(bob.iter().any(|(_, is_after, _)| *is_after));

    let (seen, why) = watched.await.expect("it ends in order");
    assert!(why.contains("permission content.read denied"), "{why}");
    let late: Vec<_> = seen.iter().filter(|(source, at)| source == "registry" && *at >= revocation).collect();
    assert!(!seen.is_empty() && late.is_empty(), "{late:?} after {revocation}");
    // Others see everything, without an interruption.
    let listed = history::events(&office.client(Some("bob")), Selection::default()).await;
    let watched = watching.finish(listed.len()).await;
    assert!(watched == listed, "another watch saw other events than are listed");
    let is_listed = |id: &String| listed.iter().any(|event| event.request_id == *id);
    assert!(bob.iter().all(|(id, ..)| is_listed(id)));
}

/// Whether a principal may list milestones and events.
async fn lists(client: &Client) -> [Result<(), Failure>; 2] {
    let milestones =
        ListMilestonesRequest { parent: "portfolios/a/projects/-".to_owned(), ..Default::default() };
    let milestones = client.milestones().list_milestones(milestones).await.map(drop).map_err(Failure::from);
    let events = client.events().list_events(ListEventsRequest::default()).await.map(drop);
    [milestones, events.map_err(Failure::from)]
}

/// Waits until the tracker has taken a call.
async fn allowed(client: &Client) {
    until(PATIENCE, "a call that the tracker takes", async || {
        let [milestones, _] = lists(client).await;
        milestones.map_err(|failure| failure.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_that_hears_nothing_of_grants_refuses_every_call_until_it_hears_of_them_again() {
    let mut office = Protected::apart(&["ann"], &[]).await;
    office.portfolio("a").await;
    office.grant("portfolios/a/grants/ann", "cert:urn:office:ann", "viewer").await;
    let ann = office.client(Some("ann"));
    allowed(&ann).await;
    assert!(office.cluster.stop(Role::Tracker).await.success(), "it stops in order");
    let set = &mut office.cluster.launch(Role::Tracker).set;
    set.push(("access.max_staleness".to_owned(), "5s".to_owned()));
    office.cluster.start_one(Role::Tracker).await;
    allowed(&ann).await;

    office.cluster.kill(Role::Registry).await;
    until(PATIENCE, "a tracker that refuses", async || match lists(&ann).await {
        [Err(failure), _] if failure.reason == Some(Reason::AccessStale) => {
            assert_eq!(failure.code, Code::Unavailable, "{failure}");
            Ok(())
        }
        [other, _] => Err(format!("{other:?}")),
    })
    .await;
    let report = until(PATIENCE, "an unready tracker", async || {
        let report = office.cluster.server(Role::Tracker).readiness().await;
        if report["ready"] == false { Ok(report) } else { Err(report.to_string()) }
    })
    .await;
    let unready: Vec<_> = report["checks"].as_array().expect("checks").iter().collect();
    let unready: Vec<_> = unready.iter().filter(|check| check["state"] == "not_ready").collect();
    assert!(
        matches!(&unready[..], [check] if check["name"] == "tracker.grants"
            && check["reason"].as_str().is_some_and(|reason| reason.contains("max_staleness"))),
        "{report}"
    );
    let [milestones, events] = lists(&ann).await;
    assert!(milestones.is_err(), "nothing was heard meanwhile");
    events.expect("the notifier may go by what it knows for five minutes");

    office.cluster.start_one(Role::Registry).await;
    allowed(&ann).await;
    ready(&office.cluster, Role::Tracker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_is_idle_for_longer_than_grants_may_be_old_goes_on() {
    let staleness = Duration::from_secs(5);
    let office = Protected::start(&["ann"], &[("access.max_staleness", "5s")]).await;
    office.portfolio("a").await;
    office.grant("portfolios/a/grants/ann", "cert:urn:office:ann", "viewer").await;
    let ann = office.client(Some("ann"));
    allowed(&ann).await;
    let idle_since = Instant::now();
    while idle_since.elapsed() < 2 * staleness {
        for answer in lists(&ann).await {
            answer.expect("nothing changed");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(office.cluster.server(Role::All).readiness().await["ready"], true);
}
