//! A journal that fails: nothing unacknowledged is believed, and the ledger says so and stops.

use milepost_ledger::SubmitError;
use milepost_ledger::journal::memory::Failure;

use crate::domain::{add, asked, cell, memory, open, shut, sum};

#[tokio::test]
async fn a_failed_append_changes_nothing_that_can_be_seen_and_ends_the_ledger() {
    for failure in [Failure::Lost, Failure::Stored] {
        let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
        let ledger = open(dir.path(), journal.clone());
        ledger.submit(add(1, 1)).await.unwrap();
        journal.fail_next(failure);
        let command = || asked("office", "r", crate::domain::Command::Add { cell: 1, amount: 5 });
        assert!(matches!(ledger.submit(command()).await, Err(SubmitError::Failed { .. })));
        assert!(matches!(ledger.submit(add(2, 1)).await, Err(SubmitError::Failed { .. })));
        assert_eq!(sum(&ledger.view()), 1, "readers go on with what is durable");
        assert!(ledger.failure().borrow().is_some());
        shut(ledger);

        // After a restart the same request id tells what became of it, and does it at most once.
        let journal = std::sync::Arc::new(journal.reopened());
        let ledger = open(dir.path(), journal);
        let again = ledger.submit(command()).await.unwrap();
        assert_eq!(again.replayed, failure == Failure::Stored);
        assert_eq!(cell(&ledger.view(), 1), 6);
    }
}

#[tokio::test]
async fn a_low_disk_refuses_writes_and_the_ledger_goes_on() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    journal.fail_next(Failure::DiskLow);
    assert!(matches!(ledger.submit(add(1, 1)).await, Err(SubmitError::DiskLow { floor_bytes: 1, .. })));
    assert_eq!(sum(&ledger.view()), 0);
    assert_eq!(ledger.submit(add(1, 1)).await.unwrap().position.sequence, 1);
    assert!(ledger.failure().borrow().is_none());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails_the_ledger() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    // The directory goes from under the store: the sync of the next checkpoint cannot succeed.
    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    let mut failure = ledger.failure();
    for round in 0..100 {
        let _ = ledger.submit(add(round, 1)).await;
    }
    failure.wait_for(Option::is_some).await.unwrap();
    let failed = ledger.submit(add(1, 1)).await;
    assert!(matches!(failed, Err(SubmitError::Failed { .. })), "{failed:?}");
    shut(ledger);
    let ledger = open(dir.path(), journal);
    assert_eq!(sum(&ledger.view()), ledger.position().sequence, "the journal brings it back");
}
