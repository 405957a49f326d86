//! Disks that are broken, full, read only, in use, of another time: a server that cannot trust what it
//! finds says what and where, writes nothing, and ends; a store that cannot be used is rebuilt, and the
//! log says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use milepost_client::Failure;
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions};
use milepost_ledger::{Context, Decision, Domain, Entry, Options, Read, Unusable, Write};
use milepost_proto::error::v1::Reason;
use milepost_proto::registry::v1 as registry;
use milepost_service::origin::expected;
use milepost_tests::cli::{self, Run, assert_no_panic};
use milepost_tests::command::{Command, create_portfolio, create_project, project};
use milepost_tests::files::{self, Frame, frames, segments};
use milepost_tests::promises::Record;
use milepost_tests::random::seeded;
use milepost_tests::resource::rows;
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, strace};
use milepost_types::LedgerKind;
use tonic::Code;

/// An office with so many projects of about 10 KiB, stopped in order.
async fn stopped(projects: usize) -> Cluster {
    // Segments are preallocated, and the cases copy them back and forth: most of a minute, with those of the default size.
    let mut cluster = Cluster::all(&[("journal.segment_bytes", "1MiB")]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for number in 0..projects {
        large_project(&client, &format!("project-{number}")).await.expect("a project");
    }
    milepost_tests::history::settled(&client).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    cluster
}

async fn large_project(client: &milepost_client::Client, id: &str) -> Result<(), Failure> {
    let request = registry::CreateProjectRequest {
        project: Some(registry::Project { purpose: "长".repeat(3000), ..project(id) }),
        ..create_project("p", id)
    };
    Command::CreateProject(Box::new(request)).once(client).await.map(drop)
}

/// Starts the server on what there is, which it refuses; what it said.
async fn refuses_to_start(cluster: &mut Cluster) -> String {
    let before = files::contents(&cluster.data(Role::All));
    cluster.spawn(Role::All);
    let server = cluster.take(Role::All);
    let log_of = cluster.launch(Role::All).log.clone();
    let status = server.ended().await;
    assert!(status.code().is_some_and(|code| code != 0), "it ended with {status}");
    let log = std::fs::read_to_string(log_of).expect("a log");
    assert_no_panic(&log);
    files::assert_same(&before, &files::contents(&cluster.data(Role::All)));
    log
}

async fn verify(data: &Path) -> Run {
    let data = data.as_os_str();
    cli::run(["journal".as_ref(), "verify".as_ref(), "--data-dir".as_ref(), data]).await
}

/// That a message says which segment, at which byte, near which sequence.
#[track_caller]
fn assert_names(text: &str, segment: &Path, frame: Frame) {
    let Frame { offset, sequence, .. } = frame;
    assert!(text.contains(&segment.display().to_string()), "the segment is not named:\n{text}");
    assert!(text.contains(&format!("at byte {offset}")), "byte {offset} is not named:\n{text}");
    assert!(text.contains(&format!("sequence {sequence}")), "sequence {sequence} is not named:\n{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_found_wherever_it_is() {
    let mut rng = seeded("damage");
    let mut cluster = stopped(12).await;
    let data = cluster.data(Role::All);
    assert!(verify(&data).await.succeeded().out.contains("registry: 13 entries"), "it is whole before");
    let whole = files::contents(&data);
    for round in 0..24 {
        let ledger = ["registry", "notifier"][round % 2];
        let segment = segments(&data, ledger)[0].clone();
        let mut bytes = whole[&segment].clone();
        let frames = frames(&bytes);
        // The last one too, which is no torn tail: the witness knows of it.
        let frame =
            if round < 4 { *frames.last().expect("a frame") } else { frames[rng.below(frames.len())] };
        let at = match round % 3 {
            0 => frame.offset + rng.below(64),
            _ => frame.offset + rng.below(frame.length),
        };
        bytes[at] ^= 1 << rng.below(8);
        std::fs::write(&segment, bytes).expect("a segment is written");

        let verified = verify(&data).await.failed();
        assert_names(&verified.err, &segment, frame);
        if round % 4 == 0 {
            assert_names(&refuses_to_start(&mut cluster).await, &segment, frame);
        }
        files::restore(&data, &whole);
    }
    // The head of a segment, and nothing else of it.
    let segment = segments(&data, "registry")[0].clone();
    let mut bytes = whole[&segment].clone();
    bytes[40] ^= 1;
    std::fs::write(&segment, bytes).expect("a segment is written");
    let verified = verify(&data).await.failed();
    assert!(verified.err.contains(&segment.display().to_string()), "{verified:?}");
    files::restore(&data, &whole);
    cluster.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_is_cut_or_missing_is_missed() {
    let mut cluster = stopped(350).await;
    let data = cluster.data(Role::All);
    let whole = files::contents(&data);
    let all = segments(&data, "registry");
    assert!(all.len() >= 4, "there are several segments: {all:?}");
    let first_of = |segment: &PathBuf| frames(&whole[segment])[0];

    for (nth, segment) in all.iter().enumerate() {
        std::fs::remove_file(segment).expect("a segment is removed");
        let verified = verify(&data).await.failed();
        let log = refuses_to_start(&mut cluster).await;
        // Of the last one nothing is left but what the witness knows: the log ends too early.
        let named = if nth + 1 == all.len() { &all[nth - 1] } else { segment };
        for text in [&verified.err, &log] {
            assert!(text.contains(&named.display().to_string()), "{nth}: the segment is not named:\n{text}");
            let sequence = format!("sequence {}", first_of(segment).sequence);
            assert!(text.contains(&sequence), "{nth}: {sequence} is not named:\n{text}");
        }
        files::restore(&data, &whole);
    }
    for (nth, segment) in all.iter().enumerate() {
        let length = whole[segment].len() as u64;
        for cut in [length / 2, 4096, 100, 0] {
            std::fs::File::options()
                .write(true)
                .open(segment)
                .and_then(|file| file.set_len(cut))
                .expect("a cut");
            let verified = verify(&data).await.failed();
            assert!(verified.err.contains(&segment.display().to_string()), "{nth}, {cut}: {verified:?}");
            if cut != 100 {
                let log = refuses_to_start(&mut cluster).await;
                assert!(log.contains(&segment.display().to_string()), "{nth}, {cut}:\n{log}");
            }
            files::restore(&data, &whole);
        }
    }
    cluster.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_of_a_newer_version_is_not_opened() {
    let mut cluster = stopped(3).await;
    let data = cluster.data(Role::All);
    let whole = files::contents(&data);
    let segment =
        segments(&data, "tracker").into_iter().chain(segments(&data, "registry")).next_back().unwrap();
    // Format and oldest reader, and the checksum that a newer version would write.
    let mut bytes = whole[&segment].clone();
    bytes[8..10].copy_from_slice(&7_u16.to_le_bytes());
    bytes[10..12].copy_from_slice(&7_u16.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..4092]);
    bytes[4092..4096].copy_from_slice(&checksum.to_le_bytes());
    std::fs::write(&segment, bytes).expect("a segment is written");
    let verified = verify(&data).await.failed();
    let log = refuses_to_start(&mut cluster).await;
    for text in [&verified.err, &log] {
        assert!(text.contains("newer version"), "{text}");
        assert!(text.contains(&segment.display().to_string()), "{text}");
    }
    files::restore(&data, &whole);
    cluster.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_directory_is_told_of_the_first() {
    let mut cluster = stopped(1).await;
    cluster.start().await;
    let first = cluster.server(Role::All).pid();
    let data = cluster.data(Role::All);
    let run = cli::run([
        "serve".as_ref(),
        "all".as_ref(),
        "--listen".as_ref(),
        "127.0.0.1:0".as_ref(),
        "--admin-listen".as_ref(),
        "127.0.0.1:0".as_ref(),
        "--data-dir".as_ref(),
        data.as_os_str(),
    ]);
    let run = run.await.failed();
    assert!(run.err.contains("in use") && run.err.contains(&first.to_string()), "{run:?}");
    assert!(run.err.contains(&data.display().to_string()), "{run:?}");
    // The same with another role, and with the commands that write.
    let run = cli::run([
        "serve".as_ref(),
        "registry".as_ref(),
        "--listen".as_ref(),
        "127.0.0.1:0".as_ref(),
        "--admin-listen".as_ref(),
        "none".as_ref(),
        "--data-dir".as_ref(),
        data.as_os_str(),
    ]);
    assert!(run.await.failed().err.contains("in use"));
    for what in ["rebuild", "check"] {
        let run = cli::run(["store".as_ref(), what.as_ref(), "--data-dir".as_ref(), data.as_os_str()]);
        let refused = run.await.failed();
        assert!(refused.err.contains("in use") || refused.err.contains("another process"), "{refused:?}");
    }
    // The first goes on.
    let client = cluster.client(1);
    large_project(&client, "after-all").await.expect("the first server works");
    assert!(rows(&client).await.contains_key("portfolios/p/projects/project-0"), "it has what it had");
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    milepost_tests::store::assert_equals_rebuild(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_cannot_be_written_is_named() {
    let mut cluster = stopped(1).await;
    let data = cluster.data(Role::All);
    if !rustix::process::geteuid().is_root() {
        eprintln!("LEFT OUT: only root can make a directory read only for certain");
        return;
    }
    let _mounted = Mounted::bind_read_only(&data);
    let log = refuses_to_start(&mut cluster).await;
    assert!(log.contains(&data.display().to_string()) && log.contains("Read-only"), "{log}");
    // Who only reads may read.
    assert!(verify(&data).await.succeeded().out.contains("registry: 2 entries"));
}

/// A file system that is there as long as this is.
struct Mounted(PathBuf);

impl Mounted {
    fn with(arguments: &[&str], at: &Path) -> Self {
        let status = std::process::Command::new("mount").args(arguments).arg(at).status().expect("mount");
        assert!(status.success(), "mount {arguments:?} {}: {status}", at.display());
        Self(at.to_owned())
    }

    fn bind_read_only(dir: &Path) -> Self {
        let mounted = Self::with(&["--bind", &dir.display().to_string()], dir);
        drop(Self::with(&["-o", "remount,bind,ro"], dir).keep());
        mounted
    }

    fn tmpfs(dir: &Path, size: &str) -> Self {
        std::fs::create_dir_all(dir).expect("a directory");
        Self::with(&["-t", "tmpfs", "-o", &format!("size={size}"), "milepost-test"], dir)
    }

    fn resize(&self, size: &str) {
        drop(Self::with(&["-o", &format!("remount,size={size}")], &self.0).keep());
    }

    /// Only another setting of a file system that somebody else keeps.
    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
        }
    }
}

/// Waits until the check of the registry's disk is in a state; the server stays in rotation meanwhile.
async fn disk_check(cluster: &Cluster, wanted: &str) {
    let look = async || {
        let readiness = cluster.server(Role::All).readiness().await;
        let checks = readiness["checks"].as_array().expect("checks").iter();
        let check = checks.into_iter().find(|check| check["name"] == "registry.disk").expect("it is there");
        if check["state"] == wanted { Ok(readiness["ready"].clone()) } else { Err(check.to_string()) }
    };
    let ready = until(Duration::from_secs(60), format!("{wanted} disk"), look).await;
    assert_eq!(ready, true, "reads go on, so it may be sent traffic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_refuses_writes_and_loses_none() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("LEFT OUT: only root can make a file system that is soon full");
        return;
    }
    // With a floor that is met first, and with none, so that the disk is really full.
    for floor in ["16MiB", "0B"] {
        // The floor leaves room for what the stores have still to write.
        let set = [
            ("journal.segment_bytes", "1MiB"),
            ("journal.min_free_bytes", floor),
            ("ledger.checkpoint_rows", "20"),
        ];
        let mut cluster = Cluster::all(&set);
        let disk = Mounted::tmpfs(&cluster.data(Role::All), "40m");
        cluster.start().await;
        let client = cluster.client(1);
        create_portfolio("p").once(&client).await.expect("a portfolio");
        let mut kept = Vec::new();
        let failure = loop {
            let id = format!("project-{}", kept.len());
            match large_project(&client, &id).await {
                Ok(()) => kept.push(format!("portfolios/p/projects/{id}")),
                Err(failure) => break failure,
            }
            assert!(kept.len() < 20_000, "the disk is never full");
        };
        eprintln!("floor {floor}: full after {} projects: {failure:?}", kept.len());
        let alive = match (failure.code, failure.reason) {
            (Code::ResourceExhausted, Some(Reason::DiskLow)) => {
                let facts = ["free_bytes", "floor_bytes", "needed_bytes"].map(|key| failure.fact(key));
                assert!(facts.iter().all(Option::is_some), "{facts:?}");
                true
            }
            // A write that was begun and not finished, or a store that cannot be: the server must not go
            // on, and while it stops it may be gone before it answers.
            (Code::Unavailable, Some(Reason::JournalFailed)) if floor == "0B" => false,
            _ if floor == "0B" && (failure.connection || failure.reason == Some(Reason::Draining)) => false,
            other => panic!("refused with {other:?}: {failure}"),
        };
        if alive {
            let rows = rows(&client).await;
            assert!(kept.iter().all(|name| rows.contains_key(name)), "reads go on");
            disk_check(&cluster, "degraded").await;
            disk.resize("200m");
            disk_check(&cluster, "ready").await;
            large_project(&client, "more-room").await.expect("writes go on once there is room");
            kept.push("portfolios/p/projects/more-room".to_owned());
            assert!(cluster.stop(Role::All).await.success(), "it stops in order");
        } else {
            let server = cluster.take(Role::All);
            let status = server.ended().await;
            assert!(!status.success(), "it ends because it must: {status}");
            disk.resize("200m");
        }
        cluster.start().await;
        let client = cluster.client(1);
        let rows = rows(&client).await;
        for name in &kept {
            assert!(rows.contains_key(name), "{name} was acknowledged and is gone");
        }
        Record::read(&client).await.assert_streams();
        let log = std::fs::read_to_string(&cluster.launch(Role::All).log).expect("a log");
        assert_no_panic(&log);
        assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_ends_the_server_and_loses_nothing() {
    let mut cluster = stopped(1).await;
    // The twentieth sync of the registry's journal, and of no other file.
    let segment = segments(&cluster.data(Role::All), "registry")[0].clone();
    let mut wrapper = strace::wrapper(Path::new("/dev/null"), &["fdatasync"]);
    wrapper.extend(["-P".into(), segment.clone().into()]);
    wrapper.extend(["-e".into(), "inject=fdatasync:error=EIO:when=20".into()]);
    cluster.launch(Role::All).wrapper = wrapper;
    cluster.start().await;
    let client = cluster.client(1);
    let mut kept = 0;
    let failure = loop {
        match large_project(&client, &format!("synced-{kept}")).await {
            Ok(()) => kept += 1,
            Err(failure) => break failure,
        }
        assert!(kept < 1000, "no sync failed");
    };
    // The client asks again under the same id, and may find that the server has ended meanwhile.
    assert_eq!(failure.code, Code::Unavailable, "{failure:?}");
    assert!(failure.reason == Some(Reason::JournalFailed) || failure.connection, "{failure:?}");
    let server = cluster.take(Role::All);
    let log_of = cluster.launch(Role::All).log.clone();
    assert!(!server.ended().await.success(), "it ends because it must");
    let log = std::fs::read_to_string(log_of).expect("a log");
    assert!(log.contains(&format!("cannot sync {}", segment.display())), "{log}");
    assert_no_panic(&log);

    cluster.launch(Role::All).wrapper.clear();
    cluster.start().await;
    let client = cluster.client(1);
    let rows = rows(&client).await;
    for number in 0..kept {
        let name = format!("portfolios/p/projects/synced-{number}");
        assert!(rows.contains_key(&name), "{name} was acknowledged and is gone");
    }
    Record::read(&client).await.assert_streams();
}

/// The rules of another version of the registry, whose rows are not those of this one.
struct OtherVersion<const VERSION: u32>;

impl<const VERSION: u32> Domain for OtherVersion<VERSION> {
    type Command = ();
    type Rejection = ();

    const STORE_VERSION: u32 = VERSION;

    fn decide(&self, _: &dyn Read, (): &(), _: &Context) -> Result<Decision, ()> {
        Err(())
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        rows.put(entry.sequence.to_be_bytes().to_vec(), Bytes::from_static(b"of another version"));
        Ok(())
    }
}

fn rebuild_as<D: Domain>(data: &Path, domain: &D) {
    let dir = data.join("registry");
    let (expected, options) = (expected(LedgerKind::Registry), FileOptions::default());
    let journal = FileJournal::open_read_only(&dir.join("journal"), expected, options, Arc::new(SystemDisk));
    milepost_ledger::rebuild(&dir, &journal.expect("a journal"), domain, &Options::default())
        .expect("a rebuild");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_used_is_rebuilt_and_the_log_says_so() {
    let mut rng = seeded("damage");
    let mut cluster = stopped(30).await;
    let data = cluster.data(Role::All);
    cluster.start().await;
    let expected = rows(&cluster.client(1)).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let whole = files::contents(&data);
    let store = data.join("registry/store");

    let ways = ["older", "newer", "deleted", "emptied", "garbage", "half", "bits", "of the tracker"];
    for way in ways {
        match way {
            "older" => rebuild_as(&data, &OtherVersion::<0>),
            "newer" => rebuild_as(&data, &OtherVersion::<9999>),
            "deleted" => std::fs::remove_dir_all(&store).expect("it is removed"),
            "emptied" => std::fs::write(store.join("db"), b"").expect("it is emptied"),
            "garbage" => {
                let noise: Vec<u8> = (0..200_000).map(|_| rng.bits() as u8).collect();
                std::fs::write(store.join("db"), noise).expect("it is overwritten");
            }
            "half" => {
                let bytes = &whole[&store.join("db")];
                std::fs::write(store.join("db"), &bytes[..bytes.len() / 2]).expect("it is cut");
            }
            "bits" => {
                let mut bytes = whole[&store.join("db")].clone();
                let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(1);
                for _ in 0..200 {
                    let at = rng.below(used);
                    bytes[at] ^= 1 << rng.below(8);
                }
                std::fs::write(store.join("db"), bytes).expect("it is overwritten");
            }
            _ => {
                assert_eq!(way, "of the tracker");
                std::fs::remove_dir_all(&store).expect("it is removed");
                files::copy(&data.join("tracker/store"), &store);
            }
        }
        cluster.start().await;
        let log = cluster.server(Role::All).log();
        assert_eq!(rows(&cluster.client(1)).await, expected, "after a store was {way}");
        assert_no_panic(&log);
        if way != "deleted" && way != "emptied" {
            let said = log.contains("rebuild") && log.contains(&data.join("registry").display().to_string());
            assert!(said, "nothing was said of a store that was {way}:\n{log}");
        }
        assert!(cluster.stop(Role::All).await.success(), "it stops in order");
        milepost_tests::store::assert_equals_rebuild(&data).await;
        files::restore(&data, &whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_saw_more_than_its_journal_keeps_the_server_from_starting_until_an_operator_decides() {
    let mut cluster = stopped(3).await;
    let data = cluster.data(Role::All);
    let journal = data.join("registry/journal");
    let older = files::contents(&journal);
    cluster.start().await;
    large_project(&cluster.client(1), "soon-forgotten").await.expect("a project");
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let whole = files::contents(&data);

    for way in ["restored", "gone"] {
        std::fs::remove_dir_all(&journal).expect("it is removed");
        std::fs::create_dir(&journal).expect("a directory");
        if way == "restored" {
            files::restore(&journal, &older);
        }
        cluster.spawn(Role::All);
        let server = cluster.take(Role::All);
        let log_of = cluster.launch(Role::All).log.clone();
        let status = server.ended().await;
        let log = std::fs::read_to_string(log_of).expect("a log");
        assert!(status.code().is_some_and(|code| code != 0), "{way}: it ended with {status}:\n{log}");
        assert_no_panic(&log);
        for text in ["entries are missing", "store rebuild", &data.join("registry").display().to_string()] {
            assert!(log.contains(text), "{way}: no {text:?} in:\n{log}");
        }
        // Put back, it is all there again.
        files::restore(&data, &whole);
        cluster.start().await;
        let rows = rows(&cluster.client(1)).await;
        assert!(format!("{rows:?}").contains("soon-forgotten"), "{way}: {rows:?}");
        assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    }
}
