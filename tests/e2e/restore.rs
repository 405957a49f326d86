//! Backups taken while writes go on, restored as new logs: the office goes on as if nothing had been, and
//! the export of one ledger is never taken for that of another.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use milepost_client::{Client, Delivery, Start, WatchOptions};
use milepost_proto::event::v1::Event;
use milepost_proto::notifier::v1::GetLogInfoRequest;
use milepost_tests::cli;
use milepost_tests::command::create_portfolio;
use milepost_tests::history::{self, everything, info};
use milepost_tests::promises::Record;
use milepost_tests::{Cluster, Role, files, within};
use milepost_types::LedgerKind;

use super::follow::{milestone, project, ready};

const PATIENCE: Duration = Duration::from_secs(30);

async fn journal(verb: &str, data: &Path, ledger: LedgerKind, file: &Path) -> cli::Run {
    let (data, file) = (data.display().to_string(), file.display().to_string());
    let words = ["journal", verb, "--data-dir", &data, "--ledger", ledger.as_str(), &file];
    cli::run(words.map(str::to_owned).to_vec()).await
}

async fn latest_cursor(client: &Client) -> String {
    client.events().get_log_info(GetLogInfoRequest {}).await.expect("log info").into_inner().latest_cursor
}

/// What a watcher hears after a cursor, up to the end of the log now.
async fn heard(client: &Client, cursor: &str) -> Vec<Event> {
    let latest = latest_cursor(client).await;
    let start = Start::After(cursor.to_owned());
    let mut watch = client.watch(start, everything(), WatchOptions::default());
    let mut events = Vec::new();
    loop {
        let delivery = within(PATIENCE, "events", watch.next()).await.expect("a batch").expect("no end");
        let Delivery::Batch(batch) = delivery else { panic!("nothing was lost, so nothing is announced") };
        events.extend(batch.events);
        if batch.cursor == latest {
            return events;
        }
    }
}

/// The log without what the notifier says itself.
async fn record(client: &Client) -> Record {
    let mut record = Record::read(client).await;
    record.log.retain(|event| event.source != LedgerKind::Notifier.as_str());
    record
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_was_restored_whole_goes_on_by_itself_for_followers_and_watchers_twice() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let mut client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    let (data, backups) = (cluster.data(Role::All), cluster.dir().to_owned());
    for round in 0..2 {
        let name = |what: &str| format!("{what}-{round}");
        project(&client, &name("x")).await;
        milestone(&client, &name("x"), "a").await.expect("a milestone");
        history::settled(&client).await;
        let cursor = latest_cursor(&client).await;
        // The notifier first: nobody is ahead of a source, and each is behind.
        let export = |ledger: LedgerKind| backups.join(format!("{ledger}-{round}.export"));
        for ledger in [LedgerKind::Notifier, LedgerKind::Tracker, LedgerKind::Registry] {
            journal("export", &data, ledger, &export(ledger)).await.succeeded();
            project(&client, &name(&format!("during-{ledger}"))).await;
            milestone(&client, &name(&format!("during-{ledger}")), "a").await.expect("a milestone");
        }
        let old = info(&client, LedgerKind::Registry).await.tail.expect("a tail").log_id;
        assert!(cluster.stop(Role::All).await.success(), "it stops in order");
        std::fs::remove_dir_all(&data).expect("all is lost");

        for (ledger, other) in
            LedgerKind::ALL.into_iter().flat_map(|own| LedgerKind::ALL.map(|other| (own, other)))
        {
            if ledger != other {
                let refused = journal("import", &data, ledger, &export(other)).await.failed();
                let both = format!("an export of the {other}, not of the {ledger}");
                assert!(refused.err.contains(&both), "{refused:?}");
                assert!(files::segments_if_any(&data, ledger.as_str()).is_empty(), "nothing is left behind");
            }
        }
        for ledger in LedgerKind::ALL {
            let said = journal("import", &data, ledger, &export(ledger)).await.succeeded();
            assert!(said.out.contains("go on by themselves"), "{said:?}");
        }
        cluster.start().await;
        ready(&cluster, Role::All).await;
        client = cluster.client(1);
        history::settled(&client).await;
        let registry = info(&client, LedgerKind::Registry).await;
        assert_eq!(registry.lineage.len(), round + 1);
        assert_eq!(registry.lineage[0].log_id, old);

        // A watcher of before goes on and hears what the notifier had not had when it was exported, and what is new.
        project(&client, &name("after")).await;
        milestone(&client, &name("after"), "a").await.expect("a milestone");
        let record = record(&client).await;
        record.assert_streams();
        record.assert_rows(&client).await;
        let mut heard = heard(&client, &cursor).await;
        heard.retain(|event| event.source != LedgerKind::Notifier.as_str());
        assert_eq!(heard, record.log[record.log.len() - heard.len()..]);
        let subjects: HashSet<_> = heard.iter().map(|event| event.subject.clone()).collect();
        for subject in ["during-notifier", "during-tracker", "after"] {
            let project = format!("portfolios/p/projects/{}", name(subject));
            assert!(subjects.contains(&project), "{project}: {subjects:?}");
        }
        assert!(
            subjects.contains(&format!("portfolios/p/projects/{}/milestones/a", name("during-notifier")))
        );
        assert!(
            !subjects.contains(&format!("portfolios/p/projects/{}", name("during-registry"))),
            "it was lost"
        );
    }
}
