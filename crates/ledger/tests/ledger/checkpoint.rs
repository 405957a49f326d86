//! Stores: live, reopened, stopped after any step of a checkpoint, and damaged ones equal their rebuild.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Journal, ReadLimit};
use milepost_ledger::{Digest, Error, Ledger, Options, Step, Submission, check_store};
use milepost_types::Position;
use proptest::prelude::*;

use crate::domain::{
    Cells, Command, add, asked, cells, clock, memory, open, open_with, options, rebuilt, shut, sum,
};

/// What `check_store` says, with a directory for its copy.
fn check(dir: &Path, options: &Options) -> Result<Option<(Position, Digest)>, Error> {
    let scratch = tempfile::tempdir().unwrap();
    check_store(dir, scratch.path(), options)
}

fn digest(dir: &Path) -> Digest {
    check(dir, &options()).unwrap().unwrap().1
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => (0..40u8, 0..300_000u64).prop_map(|(cell, amount)| Command::Add { cell, amount }),
        2 => (0..40u8).prop_map(|cell| Command::Clear { cell }),
        1 => (0..40u8).prop_map(|cells| Command::AddToAll { cells }),
        1 => Just(Command::PanicInApply),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_live_store_equals_its_rebuild_row_by_row(
        groups in prop::collection::vec(prop::collection::vec((command(), 0..60u32), 1..12), 1..12)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
            let ids = Options { max_request_ids: 20, ..options() };
            for group in groups {
                let ledger = open_with(dir.path(), journal.clone(), ids.clone());
                let group = group.into_iter().map(|(command, id)| asked("p", &id.to_string(), command));
                ledger.submit_all(group.collect()).await;
                let view = ledger.view();
                assert_eq!(cells(&view).iter().map(|(_, value)| value).sum::<u64>(), sum(&view));
                drop(view);
                shut(ledger);
            }
            let elsewhere = tempfile::tempdir().unwrap();
            let rebuilt = milepost_ledger::rebuild(elsewhere.path(), journal.as_ref(), &Cells::<1>, &ids).unwrap();
            let live = check(dir.path(), &ids).unwrap();
            // A ledger whose every command was refused has never written a checkpoint.
            assert!(live == Some(rebuilt) || (live.is_none() && rebuilt.0.sequence == 0));
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_any_step_of_a_checkpoint_leaves_a_store_that_equals_its_rebuild() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let images = tempfile::tempdir().unwrap();
    let taken: Arc<Mutex<Vec<(Step, PathBuf)>>> = Arc::default();
    let (from, to, list) = (dir.path().to_owned(), images.path().to_owned(), Arc::clone(&taken));
    let observe = move |step, sequence| {
        let image = to.join(format!("{sequence}-{step:?}"));
        copy(&from, &image);
        list.lock().unwrap().push((step, image));
    };
    let ledger = open_with(
        dir.path(),
        journal.clone(),
        Options { observe_checkpoint: Some(Arc::new(observe)), ..options() },
    );
    // On a busy machine checkpoints are rarer, not absent.
    let enough = || taken.lock().unwrap().iter().filter(|(at, _)| *at == Step::Synced).count() >= 3;
    let mut rounds = 0u64;
    while rounds < 400 || !enough() {
        ledger.submit(add((rounds % 50) as u8, 1)).await.unwrap();
        rounds += 1;
    }
    shut(ledger);
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    for step in [Step::Frozen, Step::Recorded, Step::Written, Step::Synced] {
        assert!(taken.iter().filter(|(at, _)| *at == step).count() >= 3, "{step:?} was seen");
    }
    let rebuilt = rebuilt(journal.as_ref());
    for (step, image) in taken {
        let ledger = open(&image, journal.clone());
        assert_eq!(sum(&ledger.view()), rounds, "after {step:?}");
        shut(ledger);
        assert_eq!(digest(&image), rebuilt.1, "after {step:?}");
    }
}

/// A ledger of a few hundred rows, closed; its journal, and what its store must hold.
async fn filled(dir: &Path) -> (Arc<dyn Journal>, Digest) {
    let journal = memory();
    let ledger = open(dir, journal.clone());
    for round in 0..300u64 {
        ledger.submit(add((round % 200) as u8, 1)).await.unwrap();
    }
    shut(ledger);
    let digest = digest(dir);
    (journal, digest)
}

#[tokio::test]
async fn a_store_with_any_byte_changed_or_truncated_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    let file = dir.path().join("store/db");
    let length = fs::metadata(&file).unwrap().len();
    let bytes = fs::read(&file).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    for round in 0..40 {
        let image = tempfile::tempdir().unwrap();
        copy(dir.path(), image.path());
        let mut damaged = bytes.clone();
        if round % 4 == 0 {
            damaged.truncate((length / 41 * (round + 1)) as usize);
        } else {
            damaged[used[used.len() / 41 * round as usize]] ^= 1 << (round % 8);
        }
        fs::write(image.path().join("store/db"), damaged).unwrap();
        let ledger = open(image.path(), journal.clone());
        assert_eq!(sum(&ledger.view()), 300, "round {round}");
        shut(ledger);
        assert_eq!(digest(image.path()), right, "round {round}");
    }
}

#[tokio::test]
async fn a_store_of_another_version_or_another_log_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    for _ in 0..2 {
        let newer =
            Ledger::open("cells", dir.path(), journal.clone(), Arc::new(Cells::<2>), clock(), options());
        assert_eq!(sum(&newer.as_ref().unwrap().view()), 300);
        shut(newer.unwrap());
        assert_ne!(digest(dir.path()), right, "it has the rows of its version");
        let older = open(dir.path(), journal.clone());
        assert_eq!(sum(&older.view()), 300);
        shut(older);
        assert_eq!(digest(dir.path()), right);
    }
    let (elsewhere, other) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(elsewhere.path(), other.clone());
    ledger.submit(Submission::system("test", Command::AddToAll { cells: 9 })).await.unwrap();
    shut(ledger);
    assert_eq!(sum(&open(dir.path(), other).view()), 9);
}

#[tokio::test]
async fn a_store_ahead_of_its_journal_is_not_touched_until_an_operator_decides() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    let all = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let entries = journal.read_after(0, all).unwrap();
    let shortened = || {
        let entries = entries[..entries.len() - 1].to_vec();
        Arc::new(MemoryJournal::with_entries(journal.info().log, None, entries))
    };
    let (restored, grown) = (shortened(), shortened());
    let elsewhere = tempfile::tempdir().unwrap();
    let ledger = open(elsewhere.path(), grown.clone());
    for _ in 0..5 {
        ledger.submit(add(99, 7)).await.unwrap();
    }
    shut(ledger);
    for lacking in [restored.clone(), grown, memory()] {
        let opened = Ledger::open("cells", dir.path(), lacking, Arc::new(Cells::<1>), clock(), options());
        let error = opened.err().unwrap();
        assert!(matches!(error, milepost_ledger::Error::StoreAhead { .. }), "{error:?}");
        assert_eq!(digest(dir.path()), right, "the store was touched");
    }
    milepost_ledger::rebuild(dir.path(), restored.as_ref(), &Cells::<1>, &options()).unwrap();
    assert_eq!(open(dir.path(), restored.clone()).position().sequence, restored.info().tail.sequence);
}

#[tokio::test]
async fn the_remains_of_a_killed_rebuild_or_swap_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    copy(&dir.path().join("store"), &dir.path().join("store.rebuild"));
    fs::write(dir.path().join("store.rebuild/db"), b"half").unwrap();
    fs::write(dir.path().join("store/snap.00000000.generating"), b"torn").unwrap();
    shut(open(dir.path(), journal.clone()));
    assert_eq!(digest(dir.path()), right);
    // Killed between the two renames: only the old store is left.
    fs::rename(dir.path().join("store"), dir.path().join("store.old")).unwrap();
    shut(open(dir.path(), journal));
    assert_eq!(digest(dir.path()), right);
    assert!(!dir.path().join("store.old").exists());
}

#[tokio::test]
async fn a_dropped_ledger_releases_its_store() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    for round in 1..=3u64 {
        let ledger = open(dir.path(), journal.clone());
        ledger.submit(add(1, 1)).await.unwrap();
        assert_eq!(sum(&ledger.view()), round);
    }
}

#[tokio::test]
async fn a_second_handle_on_a_store_in_use_is_refused_not_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = filled(dir.path()).await;
    let _ledger = open(dir.path(), journal.clone());
    let second = Ledger::open("cells", dir.path(), journal, Arc::new(Cells::<1>), clock(), options());
    let error = second.err().unwrap();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("open in another process"), "{source}");
}

#[tokio::test]
async fn a_store_in_use_is_neither_removed_nor_disturbed_by_a_check() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    let ledger = open(dir.path(), journal.clone());
    // What a rebuild under way in another process has made so far.
    fs::create_dir(dir.path().join("store.rebuild")).unwrap();
    let rebuilt = milepost_ledger::rebuild(dir.path(), journal.as_ref(), &Cells::<1>, &options());
    for error in [rebuilt.err().unwrap(), check(dir.path(), &options()).err().unwrap()] {
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("open in another process"), "{source}");
    }
    assert!(dir.path().join("store.rebuild").is_dir());
    shut(ledger);
    assert_eq!(digest(dir.path()), right);
    milepost_ledger::rebuild(dir.path(), journal.as_ref(), &Cells::<1>, &options()).unwrap();
    assert_eq!(digest(dir.path()), right);
}

#[test]
fn a_check_without_a_store_creates_none() {
    let dir = tempfile::tempdir().unwrap();
    assert!(check(dir.path(), &options()).unwrap().is_none());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Every file under a directory with its content, and when it and its directory were last changed.
fn files(dir: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let changed = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let mut files = vec![(dir.to_owned(), changed(dir), Vec::new())];
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.clone(), changed(&path), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_check_changes_nothing_of_a_store_even_if_a_checkpoint_is_unfinished() {
    let dir = tempfile::tempdir().unwrap();
    let journal = memory();
    let (image, half) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (dir.path().to_owned(), image.path().to_owned());
    let observe = move |step, _| {
        if step == Step::Recorded {
            copy(&from, &to);
        }
    };
    let options = Options { observe_checkpoint: Some(Arc::new(observe)), ..options() };
    let ledger = open_with(dir.path(), journal.clone(), options.clone());
    ledger.submit(add(1, 1)).await.unwrap();
    shut(ledger);
    let whole = digest(dir.path());
    // As a crash leaves it after the checkpoint was recorded and before sled saw a row of it.
    copy(image.path(), half.path());
    fs::write(half.path().join("store/snap.0000.generating"), b"torn").unwrap();

    let store = half.path().join("store");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o500)).unwrap();
    let before = files(&store);
    assert_eq!(digest(half.path()), whole, "what is recorded counts");
    assert_eq!(files(&store), before);
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_store_is_private_and_one_of_an_earlier_version_becomes_private() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, right) = filled(dir.path()).await;
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("store"), mode("store/pending")), (0o700, 0o600));
    fs::set_permissions(dir.path().join("store"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(digest(dir.path()), right);
    assert_eq!(mode("store"), 0o755, "who only reads changes nothing");
    shut(open(dir.path(), journal));
    assert_eq!(mode("store"), 0o700);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            // A file may vanish between the listing and the copy, as it may in a real crash.
            match fs::copy(file.path(), target) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
    }
}
