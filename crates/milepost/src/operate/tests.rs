//! Commands on data directories with and without damage, as operators give them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::Journal;
use milepost_ledger::journal::conformance::{Chain, append};
use milepost_ledger::journal::disk::SystemDisk;
use milepost_ledger::journal::file::{FileJournal, FileOptions};
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;

use super::*;

/// A journal with one entry in the place of each ledger's.
fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    for kind in LedgerKind::ALL {
        let options = FileOptions { segment_bytes: 8192, min_free_bytes: 0, ..FileOptions::default() };
        let dir = journal_dir(data.path(), kind);
        let journal = FileJournal::open(&dir, expected(kind), options, Arc::new(SystemDisk)).unwrap();
        append(&journal, &mut Chain::default(), ["an entry"]);
        journal.close().unwrap();
    }
    data
}

fn spoil(data: &Path, kind: LedgerKind) {
    let segment = journal_dir(data, kind).join("00000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[4096 + 70] ^= 1;
    std::fs::write(segment, bytes).unwrap();
}

fn ledgers(data: &Path) -> Ledgers {
    Ledgers { data: Data { data_dir: data.to_owned() }, ledger: None }
}

#[test]
fn a_bad_ledger_keeps_no_other_from_being_looked_at_and_each_is_named() {
    let data = data();
    journal::check(&ledgers(data.path())).unwrap();
    spoil(data.path(), LedgerKind::ALL[0]);
    let message = journal::check(&ledgers(data.path())).unwrap_err().to_string();
    assert_eq!(message, format!("1 of 3 ledgers failed: {}", LedgerKind::ALL[0]));
    spoil(data.path(), LedgerKind::ALL[2]);
    let message = journal::check(&ledgers(data.path())).unwrap_err().to_string();
    assert_eq!(message, format!("2 of 3 ledgers failed: {}, {}", LedgerKind::ALL[0], LedgerKind::ALL[2]));
    // Stores are rebuilt from whole journals, whatever another journal is like.
    let message = store::rebuild(&ledgers(data.path())).unwrap_err().to_string();
    assert!(message.contains(LedgerKind::ALL[0].as_str()), "{message}");
    assert!(message.contains(LedgerKind::ALL[1].as_str()), "its entry is none of the tracker's: {message}");
}

#[test]
fn a_data_directory_that_cannot_be_looked_into_is_not_one_without_ledgers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let message = ledgers(file.path()).present().unwrap_err().to_string();
    assert!(
        message.contains(&file.path().display().to_string()) && !message.contains("holds no ledger"),
        "{message}"
    );
    let empty = tempfile::tempdir().unwrap();
    let message = ledgers(empty.path()).present().unwrap_err().to_string();
    assert!(message.contains("holds no ledger"), "{message}");
}

#[test]
fn an_export_and_what_is_restored_from_it_are_their_owners_alone() {
    let (data, other) = (data(), tempfile::tempdir().unwrap());
    let file = other.path().join("registry.export");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let at = |data_dir: &Path| Data { data_dir: data_dir.to_owned() };
    let ledger = LedgerKind::Registry;
    journal::write(&journal::Export { data: at(data.path()), ledger, file: file.clone() }).unwrap();
    assert_eq!(mode(&file), 0o600);
    let restored = other.path().join("restored");
    journal::restore(&journal::Import { data: at(&restored), ledger, file }).unwrap();
    for dir in [restored.clone(), restored.join("registry"), journal_dir(&restored, LedgerKind::Registry)] {
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
    }
}

#[test]
fn a_store_that_cannot_be_copied_says_where_to_and_what_to_do() {
    let data = data();
    let nowhere = data.path().join("nowhere");
    let none = store::check_one(data.path(), LedgerKind::Registry, data.path()).unwrap();
    assert!(none.is_none(), "there is no store yet");
    let message = store::check_one(data.path(), LedgerKind::Registry, &nowhere).unwrap_err().to_string();
    assert!(message.contains("nowhere") && message.contains("--scratch"), "{message}");
}
