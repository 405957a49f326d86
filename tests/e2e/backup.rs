//! Backups by the real program: of a server that is killed while it makes them, by hand, verified, listed,
//! and restored at the end, at a time and at a sequence; and what is refused, of backups and of journals of a
//! newer version.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use milepost_tests::cli::{self, Run};
use milepost_tests::command::create_portfolio;
use milepost_tests::load::Load;
use milepost_tests::promises::Record;
use milepost_tests::random::seeded;
use milepost_tests::wait::at_once;
use milepost_tests::{Cluster, Role, binary, files, history, http};
use serde_json::{Value, json};

use super::follow::{milestone, project, ready};

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command that works on files, with its outcome as JSON.
async fn operate(words: &str, options: &[(&str, &str)]) -> Run {
    let mut command = tokio::process::Command::new(binary::milepost());
    command.args(words.split(' ')).args(["-o", "json"]);
    for (option, value) in options {
        command.args([option, value]);
    }
    cli::run_command(command).await
}

#[track_caller]
pub(super) fn objects(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.out.lines().map(parse).collect()
}

/// The error of a run that failed with this code, for this reason.
#[track_caller]
pub(super) fn error(run: &Run, code: i32, reason: &str) -> String {
    let line = run.err.lines().last().unwrap_or_default();
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let error = &object["error"];
    assert_eq!((run.code, error["reason"].as_str()), (Some(code), Some(reason)), "{run:?}");
    error["message"].as_str().unwrap_or_else(|| panic!("{run:?}")).to_owned()
}

/// What the journals of a stopped server make of their stores: for each ledger, rows, digest and sequence.
pub(super) async fn state(data: &Path) -> Vec<[Value; 4]> {
    let rebuilt = operate("store rebuild", &[("--data-dir", text(data))]).await.succeeded();
    let of = |object: &Value| {
        let sequence = &object["position"]["sequence"];
        [&object["ledger"], &object["rows"], &object["digest"], sequence].map(Clone::clone)
    };
    objects(&rebuilt).iter().map(of).collect()
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn at(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("{key}: {object}")).to_owned()
}

/// A stopped server that was backed up twice by hand, and its state at either time.
struct Office {
    cluster: Cluster,
    data: PathBuf,
    url: String,
    states: [Vec<[Value; 4]>; 2],
}

impl Office {
    async fn backed_up_twice() -> Self {
        let mut cluster = Cluster::all(&[]);
        let (data, url) =
            (cluster.data(Role::All), format!("file://{}", cluster.dir().join("备份").display()));
        let mut states = Vec::new();
        for round in ["a", "b"] {
            cluster.start().await;
            let client = cluster.client(1);
            if round == "a" {
                create_portfolio("p").once(&client).await.expect("a portfolio");
            }
            project(&client, round).await;
            milestone(&client, round, "m").await.expect("a milestone");
            history::settled(&client).await;
            assert!(cluster.stop(Role::All).await.success(), "it stops in order");
            let options = [("--data-dir", text(&data)), ("--target", &url)];
            let made = objects(&operate("backup run", &options).await.succeeded()).remove(0);
            assert_eq!(made["new"], true, "{made}");
            let again = objects(&operate("backup run", &options).await.succeeded()).remove(0);
            assert_eq!((&again["new"], &again["manifest"]), (&json!(false), &made["manifest"]));
            states.push(state(&data).await);
        }
        let [first, second] = [states.remove(0), states.remove(0)];
        Self { cluster, data, url, states: [first, second] }
    }

    async fn restore(&self, name: &str, point: &[(&str, &str)]) -> (Run, PathBuf) {
        let dir = self.cluster.dir().join(name);
        let options = [("--data-dir", text(&dir)), ("--target", &self.url)];
        (operate("backup restore", &[&options, point].concat()).await, dir)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_at_its_end_at_a_time_and_at_a_sequence_as_the_rows_that_were_there() {
    let mut office = Office::backed_up_twice().await;
    let target = [("--target", office.url.as_str())];
    let verified = objects(&operate("backup verify", &target).await.succeeded()).remove(0);
    assert_eq!((&verified["ok"], &verified["manifests"]), (&json!(true), &json!("2")));
    let manifests = objects(&operate("backup list", &target).await.succeeded());
    assert_eq!(manifests.len(), 2);
    assert_eq!(manifests[1]["ledgers"], verified["ledgers"]);
    let [first, second] = &office.states;
    assert_ne!(first, second, "the two times differ in nothing");

    let time = at(&manifests[0], "time");
    let sequences: Vec<String> =
        first.iter().map(|[ledger, .., sequence]| format!("{ledger}={sequence}").replace('"', "")).collect();
    let sequences: Vec<_> = sequences.iter().map(|one| ("--sequence", one.as_str())).collect();
    for (name, point, expected) in [
        ("latest", &[][..], second),
        ("at", &[("--at", time.as_str())][..], first),
        ("sequence", &sequences[..], first),
        ("manifest", &[("--manifest", "1")][..], first),
    ] {
        let (run, dir) = office.restore(name, point).await;
        let restored = objects(&run.succeeded());
        assert_eq!(&state(&dir).await, expected, "{name}");
        let stood = manifests[1]["ledgers"].as_array().expect("ledgers");
        assert_eq!(restored.len(), stood.len());
        for (object, own) in restored.iter().zip(stood) {
            assert_eq!(object["ledger"], own["ledger"]);
            assert_eq!(object["lineage"][0]["logId"], own["tail"]["logId"], "{object}");
            assert_ne!(object["tail"]["logId"], own["tail"]["logId"], "{object}");
        }
    }

    // It is served, followers go on by themselves, and so do backups into the same target.
    let restored = office.cluster.dir().join("latest");
    let launch = office.cluster.launch(Role::All);
    launch.data = restored;
    launch.set.push(("backup.target".to_owned(), office.url.clone()));
    office.cluster.start().await;
    let client = office.cluster.client(1);
    project(&client, "after").await;
    milestone(&client, "after", "m").await.expect("a milestone");
    history::settled(&client).await;
    Record::read(&client).await.assert_rows(&client).await;
    ready(&office.cluster, Role::All).await;
    let admin = office.cluster.server(Role::All).admin();
    let (_, metrics) = http::get(admin, "/metrics").await.expect("metrics");
    let metric = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("milepost_backup_{name} ")));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}: {metrics}"))
    };
    assert!(metric("last_success_timestamp_seconds") > 1e9 && metric("entries") > 0.0, "{metrics}");
    assert!(metric("failures_total").abs() < 0.5, "{metrics}");
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
    let verified =
        objects(&operate("backup verify", &[("--target", &office.url)]).await.succeeded()).remove(0);
    let manifests = at(&verified, "manifests").parse::<u64>().expect("a number");
    assert!(manifests > 2, "{verified}");
    // The log that was restored from goes on elsewhere: the target is no longer its own.
    let options = [("--data-dir", text(&office.data)), ("--target", office.url.as_str())];
    let refused = operate("backup run", &options).await.failed();
    error(&refused, 5, "TARGET_OF_OTHER_LEDGERS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_backup_does_not_have_and_a_directory_that_exists_are_refused_and_nothing_is_left() {
    let office = Office::backed_up_twice().await;
    let (run, dir) = office.restore("restored", &[]).await;
    let available: Vec<_> = objects(&run.succeeded())
        .iter()
        .map(|object| (at(&object["available"], "from"), at(object, "ledger")))
        .collect();
    let before = files::contents(&dir);
    let (again, _) = office.restore("restored", &[]).await;
    assert!(error(&again.failed(), 5, "EXISTS").contains("another name"));
    files::assert_same(&before, &files::contents(&dir));

    // One ledger has its first entry at that time; another one does not yet.
    let (first, owner) = available.iter().min().expect("ledgers");
    let (last, lacking) = available.iter().max().expect("ledgers");
    assert_ne!(first, last, "all ledgers begin at one time");
    let (run, dir) = office.restore("lacking", &[("--at", first)]).await;
    let said = error(&run.failed(), 5, "NOT_IN_BACKUP");
    assert!(!said.contains(&format!("nothing of the {owner}")), "{said}");
    assert!(
        said.contains("nothing of the ") && said.contains(&format!("{lacking} has entries 1 to ")),
        "{said}"
    );
    assert!(!dir.exists());

    let (run, dir) = office.restore("lacking", &[("--sequence", "tracker=999999")]).await;
    assert!(error(&run.failed(), 5, "NOT_IN_BACKUP").contains("no entry 999999 of the tracker"));
    let (run, _) =
        office.restore("lacking", &[("--sequence", "registry=1"), ("--sequence", "tracker=3")]).await;
    assert!(error(&run.failed(), 5, "FOLLOWER_AHEAD").contains("give at most"));
    assert!(!dir.exists());
    let known = ["data", "restored", "备份", "all.log"];
    let left: Vec<_> = std::fs::read_dir(office.cluster.dir())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| !known.iter().any(|known| name == known))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // A range with another bit is found, by name.
    let objects_in = files::contents(&office.cluster.dir().join("备份"));
    let (path, bytes) = objects_in
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|extension| extension == "entries"))
        .expect("a range");
    let mut spoilt = bytes;
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    std::fs::write(&path, spoilt).expect("it is written");
    let run = operate("backup verify", &[("--target", &office.url)]).await.failed();
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(error(&run, 1, "BACKUP_DAMAGED").contains(name), "{run:?}");
    assert_eq!(objects(&run)[0]["ok"], false);
}

/// The objects of a backup of all three ledgers: a range of each, and the manifest.
const OBJECTS: usize = 3 + 1;

/// How many objects a target in a directory has. What is being written is none yet: its name has a number sign.
fn stored(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let count = |path: PathBuf| match path.is_dir() {
        true => stored(&path),
        false => usize::from(!path.to_string_lossy().contains('#')),
    };
    entries.map(|entry| count(entry.expect("a directory entry").path())).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_during_backups_leave_a_backup_that_is_whole_and_equals_the_journals() {
    let mut rng = seeded("backup");
    let mut cluster = Cluster::all(&[]);
    let url = format!("file://{}", cluster.dir().join("backups").display());
    cluster
        .launch(Role::All)
        .set
        .extend([("backup.target".to_owned(), url.clone()), ("backup.interval".to_owned(), "1s".to_owned())]);
    cluster.start().await;
    let backups = cluster.dir().join("backups");
    let (mut load, _) = Load::start(&cluster.client(4), 16, 4).await;
    ready(&cluster, Role::All).await;
    let whole = async || {
        let verified = operate("backup verify", &[("--target", &url)]).await.succeeded();
        assert_eq!(objects(&verified)[0]["ok"], true);
    };
    for round in 0..10 {
        // Wherever the backups are.
        load.more(1 + rng.below(100) as u64).await;
        cluster.kill(Role::All).await;
        whole().await;
        // The first backup of a server begins when it does: after each of its objects. The last is its manifest.
        let goal = stored(&backups) + 1 + round % OBJECTS;
        cluster.spawn(Role::All);
        at_once(PATIENCE, format!("{goal} objects in the target"), async || match stored(&backups) {
            count if count >= goal => Ok(()),
            count => Err(format!("there are {count}")),
        })
        .await;
        cluster.kill(Role::All).await;
        whole().await;
        cluster.start().await;
    }
    load.stop().await;
    history::settled(&cluster.client(1)).await;
    ready(&cluster, Role::All).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");

    let (data, restored) = (cluster.data(Role::All), cluster.dir().join("restored"));
    operate("backup run", &[("--data-dir", text(&data)), ("--target", &url)]).await.succeeded();
    let verified = objects(&operate("backup verify", &[("--target", &url)]).await.succeeded()).remove(0);
    let manifests = at(&verified, "manifests").parse::<u64>().expect("a number");
    assert!(manifests > 2, "kills left hardly a backup: {verified}");
    operate("backup restore", &[("--data-dir", text(&restored)), ("--target", &url)]).await.succeeded();
    assert_eq!(state(&restored).await, state(&data).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_for_newer_readers_is_refused_by_the_check_and_by_the_server_and_stays_as_it_is() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    create_portfolio("p").once(&cluster.client(1)).await.expect("a portfolio");
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let data = cluster.data(Role::All);
    let options = [("--data-dir", text(&data))];
    let checked = objects(&operate("upgrade check", &options).await.succeeded());
    assert_eq!(checked.len(), 3);
    assert!(checked.iter().all(|object| object["minReader"] == object["reads"]), "{checked:?}");

    raise_min_reader(&files::segments(&data, "tracker")[0]);
    let before = files::contents(&data);
    let run = operate("upgrade check", &options).await.failed();
    let ok: Vec<_> = objects(&run).iter().map(|object| object["ok"].clone()).collect();
    assert_eq!((run.code, ok), (Some(5), vec![json!(true), json!(false), json!(true)]), "{run:?}");
    assert!(run.err.contains("tracker was written by a newer version"), "{run:?}");
    let serve = ["serve", "all", "--listen", "127.0.0.1:0", "--admin-listen", "none"];
    for words in [&serve[..], &["journal", "verify"]] {
        let refused = cli::run([words, &["--data-dir", text(&data)]].concat()).await.failed();
        assert!(refused.err.contains("newer version"), "{refused:?}");
    }
    files::assert_same(&of_tracker(before), &of_tracker(files::contents(&data)));
    let missing = cluster.dir().join("none");
    let missing = operate("upgrade check", &[("--data-dir", text(&missing))]).await.failed();
    assert_eq!(missing.code, Some(3), "{missing:?}");
}

/// The files of the tracker's journal alone: a server that is refused one may have opened another before.
fn of_tracker(mut contents: BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<PathBuf, Vec<u8>> {
    contents.retain(|path, _| path.components().any(|part| part.as_os_str() == "tracker"));
    contents.retain(|path, _| path.components().any(|part| part.as_os_str() == "journal"));
    contents
}

/// Writes the format and the oldest reader of a later version into a segment's header, with its checksum.
/// Layout:
/// `ledger::journal::segment`.
pub(super) fn raise_min_reader(segment: &Path) {
    const HEAD: usize = 4096;
    let mut bytes = std::fs::read(segment).expect("a segment");
    bytes[8..10].copy_from_slice(&9_u16.to_le_bytes());
    bytes[10..12].copy_from_slice(&9_u16.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..HEAD - 4]);
    bytes[HEAD - 4..HEAD].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(segment, bytes).expect("a segment is written");
}
