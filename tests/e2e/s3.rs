//! Backups to S3: to a real server that honours conditions, and not to one that overwrites, nor for long to one that
//! never answers.
//!
//! `tests/run` installs the servers and names them in `TESTS_SEAWEEDFS` and `TESTS_S3RVER`; the case of one that could
//! not be installed says that it was left out. They listen on loopback alone, and end with the test that started them.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use milepost_tests::cli::{Run, run_command};
use milepost_tests::command::create_portfolio;
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, binary, files, history, ports};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::backup::{error, objects, state, text};
use super::follow::{degraded, milestone, project, ready};

/// How long a store may take to listen. Generous: machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// A target in a bucket that `s3rver` is told to make, and SeaweedFS makes when it is first written to.
const TARGET: &str = "s3://backups/office";

/// Where a server of S3 is, and its credentials.
struct Place {
    address: SocketAddr,
    /// Of the access key and of the secret.
    credential: &'static str,
}

impl Place {
    /// The variables that a backup takes them from.
    fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.credential.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.credential.to_owned()),
        ]
    }

    /// An office, not started yet, whose server has this target.
    fn office(&self, interval: &str) -> Cluster {
        let mut cluster = Cluster::all(&[("backup.target", TARGET), ("backup.interval", interval)]);
        let variables = self.variables().map(|(name, value)| format!("{name}={value}").into());
        let wrapper = std::iter::once(OsString::from("/usr/bin/env")).chain(variables);
        cluster.launch(Role::All).wrapper = wrapper.collect();
        cluster
    }

    /// Runs a command for backups in this target, with its outcome as JSON.
    async fn backup(&self, words: &[&str]) -> Run {
        let mut command = Command::new(binary::milepost());
        command.arg("backup").args(words).args(["--target", TARGET, "-o", "json"]).envs(self.variables());
        run_command(command).await
    }
}

/// A server of S3 that was started here.
struct Store {
    place: Place,
    dir: TempDir,
    /// Sockets in /tmp that it leaves behind, by how their names end.
    sockets: Vec<String>,
    // Ends when it is dropped.
    _process: Child,
}

impl Store {
    /// SeaweedFS, if it is here.
    async fn seaweedfs() -> Option<Self> {
        let dir = TempDir::with_prefix("milepost-s3-").expect("a temporary directory");
        let credential = "milepost-tests";
        let mut command = tool("TESTS_SEAWEEDFS", "SeaweedFS")?;
        command.args(["server", "-filer", "-s3", "-volume.max=5", "-master.volumeSizeLimitMB=64"]);
        // It tells nobody of itself, and opens no port but those below.
        command.args(["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        let place = dir.path().display();
        command.arg(format!("-dir={place}")).args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]);
        for part in ["filer", "s3"] {
            command.arg(format!("-{part}.localSocket={place}/{part}.sock"));
        }
        let (mut sockets, mut address) = (Vec::new(), None);
        for part in ["master", "volume", "filer", "s3"] {
            let (http, grpc) = (ports::free(), ports::free());
            command.arg(format!("-{part}.port={}", http.port()));
            command.arg(format!("-{part}.port.grpc={}", grpc.port()));
            sockets.push(format!("-grpc-{}.sock", grpc.port()));
            address = Some(http);
        }
        command.env("AWS_ACCESS_KEY_ID", credential).env("AWS_SECRET_ACCESS_KEY", credential);
        let place = Place { address: address.expect("the last one is of S3"), credential };
        Some(Self::start(command, place, dir, sockets).await)
    }

    /// The s3rver, if it is here: it ignores conditions.
    async fn s3rver() -> Option<Self> {
        let dir = TempDir::with_prefix("milepost-s3-").expect("a temporary directory");
        // It knows no other key than this.
        let place = Place { address: ports::free(), credential: "S3RVER" };
        let mut command = tool("TESTS_S3RVER", "s3rver")?;
        command.arg("--directory").arg(dir.path()).args(["--configure-bucket", "backups"]);
        command.args(["--address", "127.0.0.1", "--port", &place.address.port().to_string()]);
        Some(Self::start(command, place, dir, Vec::new()).await)
    }

    /// Starts it, and waits until it listens.
    async fn start(mut command: Command, place: Place, dir: TempDir, sockets: Vec<String>) -> Self {
        let log = dir.path().join("log");
        let out = std::fs::File::create(&log).expect("a log file");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a log file")).stderr(out);
        let process = command.kill_on_drop(true).spawn().expect("the store can be started");
        until(PATIENCE, "store that listens", async || match TcpStream::connect(place.address).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{error}: {}", std::fs::read_to_string(&log).unwrap_or_default())),
        })
        .await;
        Self { place, dir, sockets, _process: process }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let left = std::fs::read_dir("/tmp").into_iter().flatten().filter_map(Result::ok);
        let is_own = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("seaweedfs-") && self.sockets.iter().any(|end| name.ends_with(end))
        };
        for path in left.map(|entry| entry.path()).filter(is_own) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A program that `tests/run` installs; it is killed if this process is.
fn tool(variable: &str, name: &str) -> Option<Command> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        eprintln!("LEFT OUT: there is no {name} here; tests/run installs it and names it in {variable}");
        return None;
    };
    if !Path::new("/usr/bin/setpriv").exists() {
        return Some(Command::new(path));
    }
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(path);
    Some(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_in_s3_is_verified_and_restored_as_the_rows_that_were_there() {
    let Some(store) = Store::seaweedfs().await else { return };
    let mut cluster = store.place.office("1s");
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for round in ["a", "b"] {
        project(&client, round).await;
        milestone(&client, round, "m").await.expect("a milestone");
        history::settled(&client).await;
        ready(&cluster, Role::All).await;
    }
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let data = cluster.data(Role::All);
    let again = objects(&store.place.backup(&["run", "--data-dir", text(&data)]).await.succeeded()).remove(0);
    assert_eq!(again["new"], json!(false), "the server made the last backup itself: {again}");
    let verified = objects(&store.place.backup(&["verify"]).await.succeeded()).remove(0);
    assert_eq!((&verified["ok"], &verified["ledgers"]), (&json!(true), &again["ledgers"]), "{verified}");
    assert_eq!(verified["manifests"], again["manifest"]);

    let restored = cluster.dir().join("restored");
    store.place.backup(&["restore", "--data-dir", text(&restored)]).await.succeeded();
    assert_eq!(state(&restored).await, state(&data).await);
    // What is restored goes on in the same target.
    cluster.launch(Role::All).data = restored;
    cluster.start().await;
    project(&cluster.client(1), "c").await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let after = objects(&store.place.backup(&["verify"]).await.succeeded()).remove(0);
    assert_eq!(after["ok"], json!(true), "{after}");
    assert_ne!(after["manifests"], verified["manifests"], "nothing was added");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_overwrites_is_refused_by_the_server_and_by_hand_and_gets_nothing_but_the_probe() {
    let Some(store) = Store::s3rver().await else { return };
    let mut cluster = store.place.office("1s");
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    let reason = degraded(&cluster, Role::All, &["overwrites objects"]).await;
    assert!(reason.contains("If-None-Match"), "{reason}");
    assert_eq!(cluster.server(Role::All).readiness().await["ready"], true);
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");

    let data = cluster.data(Role::All);
    let refused = store.place.backup(&["run", "--data-dir", text(&data)]).await.failed();
    assert!(error(&refused, 5, "TARGET_OVERWRITES").contains("If-None-Match"), "{refused:?}");
    let stored = files::contents(&store.dir.path().join("backups"));
    let names: Vec<_> = stored.keys().filter_map(|path| path.file_name()?.to_str()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("probe.")), "{names:?}");
    error(&store.place.backup(&["verify"]).await.failed(), 3, "NO_BACKUP");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_long_for_a_store_that_never_answers() {
    // It takes connections, as far as the system does, and says nothing.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let place = Place { address: silent.local_addr().expect("its address"), credential: "x" };
    let mut cluster = place.office("1h");
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    let begun = Instant::now();
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    let log = std::fs::read_to_string(&cluster.launch(Role::All).log).expect("the log");
    assert!(log.contains("the last backup took too long"), "{log}");
}
