//! Power cuts of a real server: what it wrote and synced is recorded by its system calls, together with
//! what its clients were answered and when, and becomes the disks that could be found afterwards.
//!
//! Each is opened as a server opens it: every entry that a client knows of is there, the journal is a
//! beginning of the whole one, and the store equals its rebuild.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_client::{Client, ConnectOptions};
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions, verify};
use milepost_ledger::journal::sim::{Replay, SimDisk};
use milepost_ledger::journal::{Entries, Journal, StoredEntry};
use milepost_ledger::{Digest, Options, check_store};
use milepost_service::config::ByteSize;
use milepost_service::config::server::Server;
use milepost_service::host::{BoxError, ServiceContext};
use milepost_service::origin::expected;
use milepost_tests::command::{self, Command, Outcome, create_milestone, create_project};
use milepost_tests::random::seeded;
use milepost_tests::{Cluster, Role, recording, strace};
use milepost_types::{LedgerKind, Position, Revision};

const WRITERS: usize = 6;
const ROUNDS: usize = 12;
const IMAGES: usize = 210;

/// When a write was acknowledged, and the revision that its client got.
struct Acknowledged {
    time: i64,
    revision: Revision,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_knows_of_survives_two_hundred_power_cuts() {
    if let Err(why) = strace::available() {
        panic!("system calls cannot be traced here; tests/run installs strace: {why}");
    }
    let mut rng = seeded("power cut");
    // Small, so that segments are made and checkpoints written and synced all the time.
    let mut cluster = Cluster::all(&[("journal.segment_bytes", "1MiB"), ("ledger.checkpoint_rows", "20")]);
    let (trace, data) = (cluster.dir().join("trace"), cluster.data(Role::All));
    cluster.launch(Role::All).wrapper = strace::wrapper(&trace, recording::TRACED);
    cluster.start().await;
    let mut acknowledged = write(&cluster).await;
    // As a crash, and not as a stop, which would sync everything once more.
    cluster.kill(Role::All).await;

    acknowledged.sort_by_key(|acknowledged| acknowledged.time);
    let times: Vec<_> = acknowledged.iter().map(|acknowledged| acknowledged.time).collect();
    let calls = strace::read(&trace);
    let disk = recording::play(&calls, &data, &times);
    eprintln!(
        "{} system calls, {} changes of the disk, {} answers",
        calls.len(),
        disk.changes(),
        acknowledged.len()
    );

    let whole = LedgerKind::ALL.map(|kind| Whole::read(&disk, &data, kind));
    let shared = Path::new("/dev/shm");
    let scratch = if shared.is_dir() {
        tempfile::TempDir::with_prefix_in("milepost-cut-", shared)
    } else {
        tempfile::TempDir::with_prefix("milepost-cut-")
    };
    let scratch = scratch.expect("a directory for images");

    let mut moments: Vec<_> = (0..IMAGES).map(|_| rng.below(disk.changes())).collect();
    moments.sort_unstable();
    let mut replay = Replay::of(&disk);
    let (mut changes, mut held, mut torn) = (0, 0, 0);
    for (number, moment) in moments.into_iter().enumerate() {
        while changes <= moment {
            assert!(replay.step(), "there are as many changes as were counted");
            changes += 1;
        }
        let known = &acknowledged[..replay.marked() as usize];
        let image = replay.image(&mut rng);
        let files = scratch.path().join(number.to_string());
        recording::copy_out(&image, &data, &files);
        for whole in &whole {
            let what = format!("image {number}, after change {changes}, the {}", whole.kind);
            torn += usize::from(whole.check(&files, known, &what).await);
            held += 1;
        }
        std::fs::remove_dir_all(&files).expect("an image is removed");
    }
    eprintln!("{held} journals opened, {torn} of them with a torn tail");
    assert!(torn > 0, "no image had a torn tail: they are no test");
}

/// Many kinds of writes, from several clients; their acknowledgements.
async fn write(cluster: &Cluster) -> Vec<Acknowledged> {
    let client = cluster.client(2);
    command::create_portfolio("p").once(&client).await.expect("a portfolio");
    let writers = (0..WRITERS).map(|writer| {
        let client = client.clone();
        async move {
            let mut acknowledged = Vec::new();
            for round in 0..ROUNDS {
                let id = format!("w{writer}-{round}");
                let name = format!("portfolios/p/projects/{id}");
                let large = milepost_proto::registry::v1::Project {
                    purpose: "长".repeat(1 + round * 300),
                    ..command::project(&id)
                };
                let mut request = create_project("p", &id);
                request.project = Some(large);
                acknowledged.push(send(&client, Command::CreateProject(Box::new(request))).await);
                for id in ["a", "b"] {
                    let request = create_milestone(&name, id);
                    acknowledged.push(send(&client, Command::CreateMilestone(Box::new(request))).await);
                }
            }
            acknowledged
        }
    });
    futures_util::future::join_all(writers).await.into_iter().flatten().collect()
}

async fn send(client: &Client, command: Command) -> Acknowledged {
    let Outcome { revision, .. } = command.once(client).await.expect("it is accepted");
    // By the clock that the trace is written by.
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_micros() as i64;
    Acknowledged { time, revision: revision.parse().expect("a revision") }
}

/// A ledger's journal as it was when the server was killed.
struct Whole {
    kind: LedgerKind,
    entries: Vec<StoredEntry>,
}

impl Whole {
    fn read(disk: &SimDisk, data: &Path, kind: LedgerKind) -> Self {
        let journal = open(&disk.copy(), data, kind);
        let entries: Vec<_> = Entries::after(&journal, 0).map(|entry| entry.expect("an entry")).collect();
        assert!(entries.len() > WRITERS * ROUNDS, "the {kind} has only {} entries", entries.len());
        Self { kind, entries }
    }

    /// Opens what a cut left in `files` and checks it; whether the journal's tail was torn.
    async fn check(&self, files: &Path, known: &[Acknowledged], what: &str) -> bool {
        let dir = journal_dir(files, self.kind);
        let torn = verify(&dir, expected(self.kind), &SystemDisk, &mut |_| {})
            .is_ok_and(|verified| verified.torn.is_some());
        reopen(self.kind, files).await.unwrap_or_else(|error| panic!("{what}: it does not open: {error:?}"));

        let journal = FileJournal::open_read_only(&dir, expected(self.kind), options(), Arc::new(SystemDisk));
        let journal = journal.unwrap_or_else(|error| panic!("{what}: {error}"));
        let found: Vec<_> = Entries::after(&journal, 0).map(|entry| entry.expect("an entry")).collect();
        assert!(found.len() <= self.entries.len(), "{what}: more entries than there ever were");
        assert!(found == self.entries[..found.len()], "{what}: other entries than were written");
        let of_this = known.iter().filter(|acknowledged| acknowledged.revision.ledger == self.kind);
        let must = of_this.map(|acknowledged| acknowledged.revision.position.sequence).max().unwrap_or(0);
        assert!(found.len() as u64 >= must, "{what}: {} entries, but {must} were acknowledged", found.len());

        let scratch = tempfile::tempdir().expect("a directory");
        let store = files.join(self.kind.as_str());
        let reopened = check_store(&store, scratch.path(), &Options::default());
        let reopened = reopened.unwrap_or_else(|error| panic!("{what}: {error}"));
        let rebuilt = rebuild(self.kind, &files.join("beside").join(self.kind.as_str()), &journal);
        match reopened {
            Some(reopened) => {
                assert_eq!(reopened, rebuilt, "{what}: the store is not what the journal makes of it")
            }
            None => assert_eq!(rebuilt.0.sequence, 0, "{what}: the store is empty"),
        }
        torn
    }
}

fn journal_dir(data: &Path, kind: LedgerKind) -> PathBuf {
    data.join(kind.as_str()).join("journal")
}

fn options() -> FileOptions {
    FileOptions { min_free_bytes: 0, ..FileOptions::default() }
}

fn open(disk: &SimDisk, data: &Path, kind: LedgerKind) -> FileJournal {
    let dir = journal_dir(data, kind);
    let opened = FileJournal::open(&dir, expected(kind), options(), Arc::new(disk.clone()));
    opened.unwrap_or_else(|error| panic!("the {kind}'s journal does not open: {error}"))
}

/// Opens a ledger as its server does, brings it up to its journal, and stops it in order.
async fn reopen(kind: LedgerKind, files: &Path) -> Result<(), BoxError> {
    let mut server = Server { data_dir: files.to_owned(), ..Server::default() };
    server.journal.min_free_bytes = ByteSize::mib(0);
    let (context, options) = (ServiceContext::new(&server), ConnectOptions::default());
    match kind {
        LedgerKind::Registry => milepost_registry::Service::open(&context, &server).await?.close(),
        LedgerKind::Tracker => {
            let config = milepost_tracker::Config::default();
            let registry = config.registry(&options)?.ok_or("no registry")?;
            milepost_tracker::Service::open(&context, &server, &config, registry).await?.close();
        }
        LedgerKind::Notifier => {
            let config = milepost_notifier::Config::default();
            let sources = [
                config.registry(&options)?.ok_or("no registry")?,
                config.tracker(&options)?.ok_or("no tracker")?,
            ];
            milepost_notifier::Service::open(&context, &server, &config, sources).await?.close();
        }
    }
    Ok(())
}

fn rebuild(kind: LedgerKind, dir: &Path, journal: &dyn Journal) -> (Position, Digest) {
    let options = Options::default();
    match kind {
        LedgerKind::Registry => milepost_registry::rebuild_store(dir, journal, &options).expect("a rebuild"),
        LedgerKind::Tracker => milepost_tracker::rebuild_store(dir, journal, &options).expect("a rebuild"),
        LedgerKind::Notifier => milepost_notifier::rebuild_store(dir, journal, &options).expect("a rebuild"),
    }
}
