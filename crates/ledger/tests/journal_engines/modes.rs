//! File modes, and what works on a read-only disk.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::conformance::{Chain, append};
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions, verify};
use milepost_ledger::journal::sim::{Call, Fault};
use milepost_ledger::journal::{Journal, export};

use crate::support::{dir, expected, filled, open, open_read_only, path};

fn options() -> FileOptions {
    FileOptions { segment_bytes: 8192, min_free_bytes: 0, ..FileOptions::default() }
}

/// The modes of a directory and of everything in it, by name.
fn modes(dir: &Path) -> Vec<(String, u32)> {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut modes = vec![(".".to_owned(), mode(dir))];
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        modes.push((file.file_name().into_string().unwrap(), mode(&file.path())));
    }
    modes.sort();
    modes
}

fn private() -> Vec<(String, u32)> {
    let files = ["00000001.segment", "00000002.segment", "lock", "witness"];
    let files = files.into_iter().map(|name| (name.to_owned(), 0o600));
    std::iter::once((".".to_owned(), 0o700)).chain(files).collect()
}

#[test]
fn a_journal_is_private_and_one_of_an_earlier_version_becomes_private() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data/registry/journal");
    let journal = FileJournal::open(&dir, expected(), options(), Arc::new(SystemDisk)).unwrap();
    let mut chain = Chain::default();
    (0..2).for_each(|_| append(&journal, &mut chain, [vec![1; 3000]]));
    assert_eq!(modes(&dir), private());
    let above = modes(&parent.path().join("data"));
    assert_eq!(above, [(".".to_owned(), 0o700), ("registry".to_owned(), 0o700)]);
    drop(journal);

    // As it was made before.
    std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o755)).unwrap();
    for file in std::fs::read_dir(&dir).unwrap() {
        std::fs::set_permissions(file.unwrap().path(), PermissionsExt::from_mode(0o644)).unwrap();
    }
    let before = modes(&dir);
    drop(FileJournal::open_read_only(&dir, expected(), options(), Arc::new(SystemDisk)).unwrap());
    assert_eq!(modes(&dir), before, "who only reads changes nothing");
    drop(FileJournal::open(&dir, expected(), options(), Arc::new(SystemDisk)).unwrap());
    assert_eq!(modes(&dir), private());
}

#[test]
fn a_journal_opens_even_if_its_modes_cannot_be_changed() {
    let (disk, chain) = filled(12, true);
    disk.fail(Fault::next(Call::MakePrivate, ErrorKind::PermissionDenied));
    let journal = open(&disk).unwrap();
    milepost_ledger::journal::conformance::assert_holds(&journal, &chain);
    let private = disk.made_private();
    assert!(!private.contains(&dir().to_owned()), "the first is refused");
    assert!(private.contains(&path("lock")) && private.contains(&path("00000001.segment")), "{private:?}");
}

#[test]
fn a_journal_on_a_read_only_disk_can_be_verified_and_exported() {
    let (disk, chain) = filled(12, true);
    disk.set_read_only(true);
    let verified = verify(dir(), expected(), &disk, &mut |_| {}).unwrap();
    assert_eq!(verified.tail.sequence, chain.entries().len() as u64);
    let journal = open_read_only(&disk).unwrap();
    let mut out = Vec::new();
    let exported = export::export(&journal, &mut out, &mut |_| {}).unwrap();
    assert_eq!((exported.tail, exported.bytes), (journal.info().tail, out.len() as u64));
    assert_eq!(disk.changes(), 0);
    assert!(disk.made_private().is_empty());
}
