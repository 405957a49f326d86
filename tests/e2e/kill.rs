//! Crashes: real servers killed under load, at any moment, over and over.
//!
//! What is checked stands in `promises` and `history`: what was acknowledged is there, nothing is half
//! there, every source entry reaches the log once and after its causes, and a watcher that resumes by
//! cursor sees it so. A store that went through crashes equals the one rebuilt from the journal.

use std::fs;
use std::time::Duration;

use futures_util::StreamExt;
use milepost_tests::history::everything;
use milepost_tests::load::{Load, Sent};
use milepost_tests::promises::Record;
use milepost_tests::random::{Rng, seeded};
use milepost_tests::wait::at_once;
use milepost_tests::watching::Watching;
use milepost_tests::{Cluster, Role, files, store};
use milepost_types::LedgerKind;

const PATIENCE: Duration = Duration::from_secs(60);
const WRITERS: usize = 64;
const PORTFOLIOS: usize = 8;

/// Small segments, so that crashes meet the making of new ones.
const SET: &[(&str, &str)] = &[("journal.segment_bytes", "1MiB")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_and_do_nothing_twice() {
    let mut rng = seeded("kill");
    let mut cluster = Cluster::all(SET);
    cluster.start().await;
    let client = cluster.client(8);
    let watching = [0, 7].map(|change_after| Watching::start(&client, everything(), change_after));
    let (mut load, mut sent) = Load::start(&client, WRITERS, PORTFOLIOS).await;

    for kill in 1..=50 {
        load.more(1 + rng.below(400) as u64).await;
        cluster.kill(Role::All).await;
        if kill % 5 == 0 {
            kill_while_it_opens(&mut cluster, Role::All, &mut rng).await;
        }
        if kill % 10 == 0 {
            cluster.start().await;
            load.more(1).await;
            assert!(cluster.stop(Role::All).await.success(), "it stops in order");
            store::assert_equals_rebuild(&cluster.data(Role::All)).await;
        }
        cluster.start().await;
    }
    check(&cluster, load, &mut sent, watching).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    store::assert_equals_rebuild(&cluster.data(Role::All)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_apart_survive_the_kills_of_each_other() {
    let mut rng = seeded("kill");
    let mut cluster = Cluster::apart(SET);
    cluster.start().await;
    let client = cluster.client(4);
    let watching = [0, 7].map(|change_after| Watching::start(&client, everything(), change_after));
    let (mut load, mut sent) = Load::start(&client, 16, 4).await;

    let roles = [Role::Registry, Role::Tracker, Role::Notifier];
    for kill in 0..15 {
        load.more(1 + rng.below(200) as u64).await;
        let victims = match rng.below(5) {
            0 => roles.to_vec(),
            _ => vec![roles[kill % 3]],
        };
        for role in victims {
            cluster.kill(role).await;
        }
        if rng.below(3) == 0 {
            kill_while_it_opens(&mut cluster, roles[kill % 3], &mut rng).await;
        }
        cluster.start().await;
    }
    check(&cluster, load, &mut sent, watching).await;
    for role in roles {
        assert!(cluster.stop(role).await.success(), "the {} stops in order", role.as_str());
        store::assert_equals_rebuild(&cluster.data(role)).await;
    }
}

/// A crash before the server is ready, at any moment of its beginning: when it has read so many bytes. It reads its
/// journals then.
async fn kill_while_it_opens(cluster: &mut Cluster, role: Role, rng: &mut Rng) {
    let data = cluster.data(role);
    let segments = LedgerKind::ALL.iter().flat_map(|ledger| files::segments_if_any(&data, ledger.as_str()));
    let journals: u64 = segments.map(|path| fs::metadata(path).expect("a segment").len()).sum();
    let goal = rng.below(journals as usize) as u64;
    cluster.spawn(role);
    let server = cluster.server(role);
    at_once(PATIENCE, format!("server that has read {goal} bytes"), async || {
        match bytes_read(server.pid()) {
            read if read >= goal || server.log().contains("ready=true") => Ok(()),
            read => Err(format!("it has read {read}")),
        }
    })
    .await;
    cluster.kill(role).await;
}

/// The bytes that a process has read since it began.
fn bytes_read(pid: u32) -> u64 {
    let counted = fs::read_to_string(format!("/proc/{pid}/io")).expect("the process runs");
    let bytes = counted.lines().find_map(|line| line.strip_prefix("rchar: "));
    bytes.and_then(|bytes| bytes.parse().ok()).expect("a number")
}

async fn check(cluster: &Cluster, load: Load, sent: &mut Vec<Sent>, watching: [Watching; 2]) {
    let client = cluster.client(2);
    sent.extend(load.stop().await);
    let open = sent.iter().filter(|sent| sent.outcome.is_none()).count();
    eprintln!("{} commands, {open} of them open", sent.len());

    let record = Record::read(&client).await;
    record.assert_streams();
    record.assert_kept(sent);
    record.assert_rows(&client).await;

    // What nobody answered is sent again, and once more: it has one effect, and the same answer.
    assert!(open > 0, "no kill left a command open: the load is no test");
    let open = sent.iter_mut().filter(|sent| sent.outcome.is_none());
    let sending = open.map(|sent| {
        let client = &client;
        async move {
            let first = sent.command.once(client).await.expect("it is done now, or was before");
            let again = sent.command.once(client).await.expect("it is answered again");
            let id = sent.command.request_id();
            assert_eq!(first.resources, again.resources, "{id} has another answer when it is repeated");
            sent.outcome = Some(first);
        }
    });
    futures_util::stream::iter(sending).buffer_unordered(WRITERS).collect::<()>().await;
    let record = Record::read(&client).await;
    record.assert_streams();
    record.assert_kept(sent);
    record.assert_rows(&client).await;

    for watching in watching {
        let watched = watching.finish(record.log.len()).await;
        for (watched, logged) in watched.iter().zip(&record.log) {
            assert_eq!(watched.event_id, logged.event_id, "the watcher saw another order, or a gap");
        }
        assert!(watched == record.log, "the watcher saw other events than the log has");
    }
}
