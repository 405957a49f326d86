//! The lock: one journal, one process.

use std::process::Command;
use std::sync::Arc;

use milepost_ledger::journal::Journal;
use milepost_ledger::journal::conformance::assert_holds;
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions, OpenError};
use milepost_ledger::journal::sim::SimDisk;

use crate::support::{create, expected, filled, open};

const DIR: &str = "MILEPOST_TEST_LOCKED_DIR";

#[test]
fn a_second_process_on_the_same_directory_is_refused_by_name_and_pid() {
    let options = FileOptions { segment_bytes: 8192, min_free_bytes: 0, ..FileOptions::default() };
    if let Some(dir) = std::env::var_os(DIR) {
        // The second process.
        let refused = FileJournal::open(dir.as_ref(), expected(), options, Arc::new(SystemDisk))
            .expect_err("it is locked");
        println!("refused: {refused}");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let first = FileJournal::open(dir.path(), expected(), options.clone(), Arc::new(SystemDisk))
        .expect("a new journal");
    let second = Command::new(std::env::current_exe().expect("this binary"))
        .args([
            "--exact",
            "lock::a_second_process_on_the_same_directory_is_refused_by_name_and_pid",
            "--nocapture",
        ])
        .env(DIR, dir.path())
        .output()
        .expect("a second process");
    let said = String::from_utf8_lossy(&second.stdout);
    let refused = format!("refused: {} is in use by process {}", dir.path().display(), std::process::id());
    assert!(second.status.success() && said.contains(&refused), "{said}");

    drop(first);
    FileJournal::open(dir.path(), expected(), options, Arc::new(SystemDisk)).expect("it is free again");
}

#[test]
fn a_second_journal_in_the_same_process_is_refused() {
    let disk = SimDisk::default();
    let first = create(&disk);
    let changes = disk.changes();
    assert!(matches!(open(&disk), Err(OpenError::Locked { pid: Some(_), .. })));
    assert_eq!(disk.changes(), changes);
    drop(first);
    open(&disk).expect("it is free again");
}

#[test]
fn a_closed_journal_is_unlocked_even_while_a_reader_still_uses_it() {
    let (disk, chain) = filled(3, false);
    let first = open(&disk).expect("it opens");
    first.close().expect("a clean stop");
    let second = open(&disk).expect("it is free");
    assert_holds(&first, &chain);
    assert_holds(&second, &chain);
}
