//! Data directories that are made from backups: whole, with the entries that were chosen, or not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::FileJournal;
use milepost_ledger::journal::{Expected, Journal, ReadLimit};
use milepost_types::{LedgerKind, Position};

use super::world::{Registry, World, directory};
use crate::{BackupTarget, Error, Layout, Restored, Wanted, read_chain};

fn journal_dir(data: &Path, kind: LedgerKind) -> PathBuf {
    data.join(kind.as_str()).join("journal")
}

const LAYOUT: Layout = Layout { journal_dir, expected: |kind| Expected::named(kind.into()) };

async fn restore(target: &BackupTarget, wanted: &Wanted, dir: &Path) -> Result<Vec<Restored>, Error> {
    let chain = read_chain(target, None, |_, _| Ok(())).await?;
    let chosen = chain.choose(target, wanted).await?;
    let finish = |beside: &Path| Ok(beside.to_owned());
    let restored = crate::restore(target, &chain, &chosen, dir, LAYOUT, Arc::new(|_, _| ()), finish).await;
    restored.map(|(restored, beside)| {
        assert!(beside != dir && !beside.exists(), "it was finished before it appeared");
        restored
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_directory_has_the_entries_under_new_logs_that_name_the_fork() {
    let world = World::new();
    let (_dir, target) = directory();
    let mut backup = world.backup(&target);
    for _ in 0..3 {
        world.go_on(2);
        backup.run().await.unwrap();
    }
    let above = tempfile::tempdir().unwrap();
    for (name, wanted, registry) in [
        ("全部", Wanted::Latest, 6),
        ("part", Wanted::Sequences([(Registry, 3)].into()), 3),
        ("nothing", Wanted::Sequences([(Registry, 0)].into()), 0),
    ] {
        let data = above.path().join("new").join(name);
        let restored = restore(&target, &wanted, &data).await.unwrap();
        let mode = std::fs::metadata(&data).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "others may read it");
        for Restored { ledger, tail, lineage } in restored {
            let all = world.entries(ledger);
            let expected = &all[..tail.sequence as usize];
            let disk = Arc::new(SystemDisk);
            let (dir, options) = (journal_dir(&data, ledger), Default::default());
            let journal = FileJournal::open(&dir, Expected::named(ledger.into()), options, disk).unwrap();
            let info = journal.info();
            assert_eq!((info.tail, &info.lineage), (tail, &lineage));
            let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
            assert_eq!(journal.read_after(0, limit).unwrap(), expected, "{name} {ledger}");
            let log = world.tail(ledger).log;
            assert_eq!(lineage.parent(), Some(Position { log, ..tail }), "{name} {ledger}");
            assert_ne!(tail.log, log);
            assert!(ledger != Registry || tail.sequence == registry, "{name}: {tail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_exists_is_refused_even_if_it_is_empty() {
    let world = World::new();
    let (_dir, target) = directory();
    world.go_on(1);
    world.backup(&target).run().await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let refused = restore(&target, &Wanted::Latest, data.path()).await.unwrap_err();
    assert!(matches!(refused, Error::Exists { .. }), "{refused}");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_damaged_restores_nothing_and_leaves_nothing_behind() {
    let world = World::new();
    let (dir, target) = directory();
    let mut backup = world.backup(&target);
    for _ in 0..2 {
        world.go_on(2);
        backup.run().await.unwrap();
    }
    // Of the ledger that is restored last, so that the others are built by then. The choice does not read it.
    let log = world.tail(LedgerKind::Notifier).log;
    let object = dir.path().join(crate::range::object(LedgerKind::Notifier, log, 1, 4));
    let mut bytes = std::fs::read(&object).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&object, bytes).unwrap();
    let above = tempfile::tempdir().unwrap();
    let data = above.path().join("data");
    let refused = restore(&target, &Wanted::Latest, &data).await.unwrap_err();
    assert!(matches!(refused, Error::Restore { ledger: LedgerKind::Notifier, .. }), "{refused}");
    assert_eq!(std::fs::read_dir(above.path()).unwrap().count(), 0, "something is left behind");
}
