//! The runbooks of `deploy/README.md`, and the commands of `deploy/backup.md`, on real servers.
//!
//! Invariant: the commands are those of the documents, in their order, with the places of a test in them; a case takes one after
//! another and fails if it leaves one out. What stands there for each way to deploy is for `deploy/check`.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use milepost_client::{Client, Endpoint, Endpoints, TlsOptions};
use milepost_tests::authority::Authority;
use milepost_tests::cli::{self, Run, run_command};
use milepost_tests::command::{Command as Write, create_portfolio, create_project};
use milepost_tests::document::{self, blocks, commands};
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, binary, demo, files, history, http};
use milepost_types::LedgerKind;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::backup::raise_min_reader;
use super::follow::project;
use super::tls::{RELOADED, logged, see, watch};
use super::upgrade::golden;

const PATIENCE: Duration = Duration::from_secs(60);
/// How long the certificate of a server lasts that is to expire while it runs: time enough to take it over.
const SHORT_SECONDS: i64 = 8;

/// The commands of a runbook that are the same for every way to deploy, with the places of a test.
struct Runbook {
    dir: PathBuf,
    commands: VecDeque<String>,
}

impl Runbook {
    fn open(heading: &str, dir: &Path) -> Self {
        let place = dir.display();
        let certificates = binary::root().join("deploy/certificates").display().to_string();
        let localized = |command: String| {
            command
                .replace("sudo ", "")
                .replace("/var/lib/milepost", &format!("{place}/data"))
                .replace("/var/backups/milepost", &format!("{place}/backups"))
                .replace("deploy/compose/tls", &format!("{place}/tls"))
                .replace("deploy/certificates", &certificates)
        };
        let all = blocks(&document::read("deploy/README.md"), heading);
        let all = all.iter().flat_map(|block| commands(block));
        let commands = all.filter(|command| !command.starts_with("kubectl ")).map(localized).collect();
        Self { dir: dir.to_owned(), commands }
    }

    /// The next command, which has these words.
    fn next(&mut self, words: &str) -> String {
        let command = self.commands.pop_front().unwrap_or_else(|| panic!("there is no step {words:?}"));
        assert!(command.contains(words), "the next step is not {words:?}: {command}");
        command
    }

    /// Takes the next step, which succeeds.
    async fn step(&mut self, words: &str) -> Run {
        let command = self.next(words);
        self.run(&command).await.succeeded()
    }

    /// Runs a command of a runbook once more, changed.
    async fn run(&self, command: &str) -> Run {
        run_command(document::shell(&self.dir, command)).await
    }

    fn end(self) {
        assert!(self.commands.is_empty(), "these steps were not taken: {:?}", self.commands);
    }
}

/// A server that backs itself up when it starts, and then when it is long over.
fn office() -> Cluster {
    let mut cluster = Cluster::all(&[("backup.interval", "1h")]);
    let target = format!("file://{}", cluster.dir().join("backups").display());
    cluster.launch(Role::All).set.push(("backup.target".to_owned(), target));
    cluster
}

/// Restarts the server, and waits until everything that it has is in its backup.
async fn back_up(cluster: &mut Cluster) {
    history::settled(&cluster.client(1)).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    cluster.start().await;
    let client = cluster.client(1);
    let mut entries = 0;
    for ledger in LedgerKind::ALL {
        entries += history::sequence(&client, ledger).await;
    }
    let line = format!("milepost_backup_entries {entries}\n");
    let admin = cluster.server(Role::All).admin();
    until(PATIENCE, format!("{line:?} in the metrics"), async || {
        let (_, metrics) = http::get(admin, "/metrics").await.map_err(|error| error.to_string())?;
        if metrics.contains(&line) { Ok(()) } else { Err(metrics) }
    })
    .await;
}

async fn serve(cluster: &mut Cluster, data: PathBuf) {
    cluster.launch(Role::All).data = data;
    cluster.start().await;
}

async fn shell(cluster: &Cluster, script: &str) -> Run {
    run_command(demo::shell(cluster, script)).await
}

/// A server with portfolio `p` and project `kept`, which are backed up.
async fn backed_up() -> Cluster {
    let mut cluster = office();
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    project(&cluster.client(1), "kept").await;
    back_up(&mut cluster).await;
    cluster
}

/// What the events are about that a command has printed.
fn subjects(run: &Run) -> Vec<String> {
    let subject = |event: &Value| event["subject"].as_str().expect("an event").to_owned();
    lines(&run.out).iter().map(subject).collect()
}

/// The ids of the projects of a portfolio.
async fn projects(cluster: &Cluster, portfolio: &str) -> Vec<String> {
    let list = format!("milepost project list {portfolio} --format json --order-by name");
    let listed = shell(cluster, &list).await.succeeded();
    let id = |object: &Value| {
        let name = object["name"].as_str().expect("a name");
        name.rsplit('/').next().unwrap_or(name).to_owned()
    };
    lines(&listed.out).iter().map(id).collect()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_ends_with_the_last_backup_or_at_a_time_and_says_what_there_is_where_a_ledger_has_nothing()
{
    let mut cluster = backed_up().await;
    project(&cluster.client(1), "last").await;
    let (dir, data) = (cluster.dir().to_owned(), cluster.data(Role::All));
    let mut runbook = Runbook::open("### A restore", &dir);

    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    runbook.step("milepost backup list").await;
    runbook.step("milepost backup verify").await;
    let restore = runbook.next("milepost backup restore");
    let onto_volume = runbook.run(&restore.replace("/restored", "")).await.failed();
    assert!(onto_volume.code == Some(5) && onto_volume.err.contains("another name"), "{onto_volume:?}");
    let restored = runbook.run(&format!("{restore} -o json")).await.succeeded();
    runbook.step("milepost journal verify").await;
    runbook.end();
    serve(&mut cluster, data.join("restored")).await;
    assert_eq!(projects(&cluster, "p").await, ["kept", "last"], "a server that stops makes a last backup");
    project(&cluster.client(1), "later").await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");

    // As the document says: another name, a later time, or an entry.
    let runbook = Runbook::open("### A restore", &dir);
    let from = |object: &Value| object["available"]["from"].as_str().expect("a time").to_owned();
    let begins: Vec<_> = lines(&restored.out).iter().map(from).collect();
    let (first, last) = (begins.iter().min().expect("ledgers"), begins.iter().max().expect("ledgers"));
    let to = |name: &str, point: &str| format!("{} {point}", restore.replace("/restored", name));
    let lacking = runbook.run(&to("/lacking", &format!("--at {first}"))).await.failed();
    assert!(lacking.code == Some(5) && lacking.err.contains("the backup has nothing of the"), "{lacking:?}");
    for begin in &begins {
        assert!(lacking.err.contains(begin.as_str()), "{begin} is not said: {lacking:?}");
    }
    assert!(!data.join("lacking").exists(), "something is left behind");
    runbook.run(&to("/later", &format!("--at {last}"))).await.succeeded();
    runbook.run(&to("/entry", "--sequence registry=1")).await.succeeded();
    serve(&mut cluster, data.join("entry")).await;
    assert!(projects(&cluster, "p").await.is_empty(), "the first entry is the portfolio alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_lost_disk_a_cursor_of_the_backup_goes_on_and_one_beyond_it_is_refused_and_goes_on_from_its_time()
 {
    let mut cluster = backed_up().await;
    project(&cluster.client(1), "lost").await;
    let watch = |file: &str, more: &str| {
        format!("milepost event watch --cursor-file {file} --type project.created --format json {more}")
    };
    for (file, count, last) in [("within", 1, "kept"), ("beyond", 2, "lost")] {
        let seen = shell(&cluster, &watch(file, &format!("--count {count}"))).await.succeeded();
        assert_eq!(subjects(&seen).last(), Some(&format!("portfolios/p/projects/{last}")));
    }

    cluster.kill(Role::All).await;
    let (dir, volume) = (cluster.dir().to_owned(), cluster.data(Role::All));
    fs::remove_dir_all(&volume).expect("the disk is lost");
    fs::create_dir(&volume).expect("a new one is mounted");
    let mut runbook = Runbook::open("### A disk is lost", &dir);
    let listed = runbook.step("milepost backup list").await;
    runbook.step("milepost backup restore").await;
    runbook.step("milepost journal verify").await;
    runbook.end();
    serve(&mut cluster, volume.join("restored")).await;
    assert_eq!(projects(&cluster, "p").await, ["kept"]);

    project(&cluster.client(1), "after").await;
    let after = ["portfolios/p/projects/after"];
    let within = shell(&cluster, &watch("within", "--count 1")).await.succeeded();
    assert_eq!(subjects(&within), after);
    let beyond = shell(&cluster, &watch("beyond", "--count 1")).await.failed();
    assert!(beyond.code == Some(5) && beyond.err.contains("LOG_DIVERGED"), "{beyond:?}");
    fs::remove_file(dir.join("beyond")).expect("a cursor file");
    let time = listed.out.lines().last().and_then(|line| line.split_whitespace().nth(1)).expect("a time");
    let beyond = shell(&cluster, &watch("beyond", &format!("--since {time} --count 1"))).await.succeeded();
    assert_eq!(subjects(&beyond), after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_is_checked_and_backed_up_and_the_way_back_is_that_backup() {
    let golden = golden("format-1").await;
    let mut cluster = Cluster::all(&[]);
    let (dir, data) = (cluster.dir().to_owned(), cluster.data(Role::All));
    fs::rename(golden.path().join("data"), &data).expect("the data directory can be moved");
    let mut runbook = Runbook::open("### An upgrade", &dir);

    let check = runbook.next("milepost upgrade check");
    runbook.run(&check).await.succeeded();
    let made = runbook.step("milepost backup run").await;
    assert!(made.out.contains("manifest 1:"), "{made:?}");
    cluster.start().await;
    let before = projects(&cluster, "golden").await;
    let create = "milepost project create golden upgraded --display-name 新版";
    shell(&cluster, create).await.succeeded();
    assert_eq!(projects(&cluster, "golden").await.len(), before.len() + 1);
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");

    // What a newer version has written, for the version that is here.
    for ledger in LedgerKind::ALL {
        raise_min_reader(&files::segments(&data, ledger.as_str())[0]);
    }
    let refused = runbook.run(&check).await.failed();
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.err.contains("restore a backup from before the upgrade"), "{refused:?}");
    let place = data.to_str().expect("UTF-8");
    let serves = ["serve", "all", "--listen", "127.0.0.1:0", "--admin-listen", "none", "--data-dir", place];
    assert!(cli::run(serves).await.failed().err.contains("newer version"), "it starts on newer data");
    runbook.step("milepost backup restore").await;
    runbook.end();
    serve(&mut cluster, data.join("before")).await;
    assert_eq!(projects(&cluster, "golden").await, before);
}

/// A protected server whose files `deploy/certificates` made, and a manager, the office.
struct Certified {
    dir: TempDir,
    cluster: Cluster,
}

impl Certified {
    async fn start() -> Self {
        let dir = TempDir::with_prefix("milepost-runbook-").expect("a temporary directory");
        let script = binary::root().join("deploy/certificates");
        let script = script.display();
        for arguments in ["tls localhost", "--client office tls"] {
            run_command(document::shell(dir.path(), &format!("{script} {arguments}"))).await.succeeded();
        }
        let place = dir.path().join("tls/server").display().to_string();
        let set = [
            ("tls.certificate", format!("{place}/tls.crt")),
            ("tls.key", format!("{place}/tls.key")),
            ("tls.client_ca", format!("{place}/client-ca.crt")),
            ("access.certificates", "true".to_owned()),
            ("access.bootstrap_administrators", "cert:urn:milepost:administrator".to_owned()),
        ];
        let set: Vec<_> = set.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut cluster = Cluster::all(&set);
        cluster.start().await;
        let office = Self { dir, cluster };
        let portfolio = "portfolio create p --display-name p --time-zone UTC --currency CNY";
        office.run("administrator", portfolio).await.succeeded();
        let grant = "grant create portfolios/p/grants/office --grant-principal cert:urn:milepost:office";
        office.run("administrator", &format!("{grant} --role manager --reason because")).await.succeeded();
        // The notifier hears of a grant a moment after it is made.
        until(PATIENCE, "the grant at the notifier", async || {
            let listed = office.run("office", "event list").await;
            if listed.code == Some(0) { Ok(()) } else { Err(listed.err) }
        })
        .await;
        office
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.cluster.server(Role::All).grpc().port())
    }

    fn of_client(&self, file: &str) -> PathBuf {
        self.dir.path().join("tls/client").join(file)
    }

    /// Runs the command line with the certificate of a client.
    async fn run(&self, who: &str, words: &str) -> Run {
        let mut command = document::shell(self.dir.path(), &format!("milepost {words}"));
        command.env("MILEPOST_ENDPOINT", self.url()).env("MILEPOST_CA", self.of_client("ca.crt"));
        command.env("MILEPOST_CERT", self.of_client(&format!("{who}.crt")));
        command.env("MILEPOST_CERT_KEY", self.of_client(&format!("{who}.key")));
        run_command(command).await
    }

    /// A client of the office, with one connection that stays open.
    fn client(&self) -> Client {
        let file = |name| Some(self.of_client(name));
        let tls = TlsOptions {
            ca: file("ca.crt"),
            certificate: file("office.crt"),
            key: file("office.key"),
            domain: None,
        };
        let endpoint = Endpoint::parse(&self.url()).and_then(|endpoint| endpoint.tls(tls));
        Client::new(&Endpoints::one(endpoint.expect("an endpoint")), 1)
    }

    /// Gives the server a certificate of the same authority that lasts only seconds, and waits until it is in use.
    async fn shorten(&self) {
        let authorities = self.dir.path().join("tls/authorities");
        let authority = Authority::existing(&authorities, "server-ca", "Milepost servers");
        let short = authority.server(SHORT_SECONDS);
        let server = self.dir.path().join("tls/server");
        fs::write(server.join("tls.crt"), &short.certificate).expect("the file can be written");
        fs::write(server.join("tls.key"), &short.key).expect("the file can be written");
        self.cluster.signal(Role::All, Signal::HUP);
        logged(&self.cluster, RELOADED, 1).await;
    }
}

async fn write(client: &Client, id: &str) {
    let command = Write::CreateProject(Box::new(create_project("p", id)));
    command.once(client).await.expect("a project");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_expires_stops_no_stream_and_a_renewed_one_is_taken_over_without_a_word() {
    let mut office = Certified::start().await;
    let client = office.client();
    let mut watch = watch(&client);
    write(&client, "before").await;
    see(&mut watch, "portfolios/p/projects/before").await;
    let state = watch.state();

    office.shorten().await;
    let read = "project get p before";
    let refuses = until(PATIENCE, "a client that refuses the server", async || {
        let run = office.run("office", read).await;
        if run.code == Some(0) { Err(run.out) } else { Ok(run) }
    });
    let refuses = refuses.await;
    assert!(refuses.err.contains("expired"), "{refuses:?}");
    write(&client, "meanwhile").await;
    see(&mut watch, "portfolios/p/projects/meanwhile").await;
    // A second server on the same files, as one that is restarted.
    let launch = office.cluster.launch(Role::All);
    let data = launch.data.with_file_name("restarted").display().to_string();
    let mut words = vec!["serve".to_owned(), "all".to_owned(), "--data-dir".to_owned(), data];
    words.extend(["--listen", "127.0.0.1:0", "--admin-listen", "none"].map(str::to_owned));
    words.extend(launch.set.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]));
    let refused = cli::run(&words).await.failed();
    assert_eq!(refused.code, Some(64), "{refused:?}");
    for says in ["tls.certificate: a certificate in it expired at", "renew it"] {
        assert!(refused.err.contains(says), "{says:?} is not said: {refused:?}");
    }

    let mut runbook = Runbook::open("### A certificate expires", office.dir.path());
    runbook.step("deploy/certificates").await;
    runbook.end();
    logged(&office.cluster, RELOADED, 2).await;
    office.run("office", read).await.succeeded();
    write(&client, "after").await;
    see(&mut watch, "portfolios/p/projects/after").await;
    assert!(!state.has_changed().unwrap_or(true), "the watch was interrupted: {:?}", *state.borrow());
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
    office.cluster.start().await;
    office.run("office", read).await.succeeded();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_steps_run_as_written_and_leave_two_administrators() {
    let office = Certified::start().await;
    let blocks = blocks(&document::read("deploy/README.md"), "## The first steps");
    // Services apart are for `deploy/check`.
    let blocks: Vec<_> = blocks.iter().filter(|block| !block.contains("registry=https://")).collect();
    let mut script = "set -e\n".to_owned();
    blocks.iter().for_each(|block| script += block);
    assert!(script.matches("milepost grant create ").count() >= 3, "{script}");
    // Nobody types as fast as this runs: the notifier hears of a grant a moment after it is made.
    let wait = "until milepost event list >/dev/null; do sleep 0.1; done; milepost event watch";
    let script = script
        .replace("milepost event watch", wait)
        .replace("https://localhost:7400", &office.url())
        .replace("deploy/compose/tls", "tls")
        .replace("deploy/certificates", &binary::root().join("deploy/certificates").display().to_string());
    let steps = run_command(document::shell(office.dir.path(), &script)).await.succeeded();
    assert!(steps.out.contains("portfolios/harbour/projects/quay"), "{steps:?}");
    for who in ["administrator", "second"] {
        let grant =
            format!("grant create grants/of-{who} --grant-principal cert:urn:milepost:x --role viewer");
        office.run(who, &format!("{grant} --reason because")).await.succeeded();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_grant_the_glass_is_broken_for_somebody_who_grants_to_another() {
    let mut office = Certified::start().await;
    let admin = |id: &str, who: &str| {
        format!(
            "grant create grants/{id} --grant-principal cert:urn:milepost:{who} --role admin --reason because"
        )
    };
    office.run("administrator", &admin("gone", "gone")).await.succeeded();
    let shut_out = office.run("administrator", &admin("again", "administrator")).await.failed();
    assert!(shut_out.err.contains("access.manage denied"), "{shut_out:?}");

    let mut runbook = Runbook::open("### Nobody can grant any more", office.cluster.dir());
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
    let broken = runbook.step("milepost access break-glass").await;
    runbook.end();
    office.cluster.start().await;
    office.run("office", &admin("again", "administrator")).await.succeeded();
    let name = broken.out.split_whitespace().find(|word| word.starts_with("grants/")).expect("a grant");
    let revoke = format!("grant delete {}", name.trim_end_matches([',', ';', '.']));
    office.run("administrator", &revoke).await.succeeded();
    let ended = office.run("office", &admin("more", "second")).await.failed();
    assert!(ended.err.contains("access.manage denied"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_document_of_backups_run_as_written_and_fail_with_the_codes_it_has() {
    let dir = TempDir::with_prefix("milepost-backup-").expect("a temporary directory");
    let blocks = blocks(&document::read("deploy/backup.md"), "## Try it");
    // One shell for all, as for a reader: a line needs what an earlier one has set.
    let script = format!("set -e\n{}", blocks.join("\n").replace("\nmilepost ", "\necho; milepost "));
    assert!(script.matches("milepost ").count() >= 8, "it shows too few commands: {script}");
    run_command(document::shell(dir.path(), &script)).await.succeeded();
    fs::create_dir(dir.path().join("empty")).expect("a directory");
    for (words, code) in [
        ("backup run --data-dir none --target file://$PWD/other", 1),
        ("backup list --target file://$PWD/none", 1),
        ("backup list --target ftp://x", 2),
        ("backup list --target file://$PWD/empty", 3),
        ("backup restore --target file://$PWD/backups --manifest 9 --data-dir new", 3),
        ("upgrade check --data-dir none", 3),
        ("backup restore --target file://$PWD/backups --data-dir restored", 5),
    ] {
        let run = run_command(document::shell(dir.path(), &format!("milepost {words}"))).await.failed();
        assert_eq!(run.code, Some(code), "{words}: {run:?}");
    }
}
