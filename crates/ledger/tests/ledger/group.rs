//! The answers to commands: receipts, rejections, panics, request ids, bounds.

use std::time::{Duration, Instant};

use milepost_ledger::{Options, SubmitError};

use crate::domain::{Command, TooMuch, add, asked, cell, clock, memory, open, open_with, options, shut, sum};

#[tokio::test]
async fn an_answered_command_is_visible_and_survives_a_restart() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    let receipt = ledger.submit(add(1, 5)).await.unwrap();
    assert_eq!(receipt.position, ledger.position());
    let view = ledger.view();
    assert_eq!((cell(&view, 1), sum(&view)), (5, 5));
    drop(view);
    ledger.close();
    assert!(matches!(ledger.submit(add(1, 5)).await, Err(SubmitError::Closing)));
    drop(ledger);
    let ledger = open(dir.path(), journal);
    assert_eq!(cell(&ledger.view(), 1), 5);
    assert_eq!(ledger.position(), receipt.position);
}

#[tokio::test]
async fn a_rejected_or_panicking_command_leaves_no_trace_in_its_group() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    let system = |command| milepost_ledger::Submission::system("test", command);
    let answers = ledger
        .submit_all(vec![
            add(0, 1),
            add(1, 2_000_000),
            system(Command::PanicInDecide),
            add(1, 2),
            system(Command::PanicInApply),
            system(Command::Unusable),
            add(1, 999_999),
            add(2, 3),
        ])
        .await;
    assert_eq!(answers[0].as_ref().unwrap().position.sequence, 1);
    assert!(matches!(answers[1], Err(SubmitError::Rejected(TooMuch(0)))));
    assert!(matches!(&answers[2], Err(SubmitError::Panicked { message }) if message == "in decide"));
    assert_eq!(answers[3].as_ref().unwrap().position.sequence, 2);
    assert!(matches!(&answers[4], Err(SubmitError::Panicked { message }) if message == "in apply"));
    assert!(matches!(&answers[5], Err(SubmitError::Panicked { message }) if message == "a question"));
    assert!(matches!(answers[6], Err(SubmitError::Rejected(TooMuch(2)))));
    assert_eq!(answers[7].as_ref().unwrap().position, ledger.position());
    let view = ledger.view();
    assert_eq!((cell(&view, 0), sum(&view)), (1, 6));
}

#[tokio::test]
async fn a_repeated_request_id_gets_the_same_answer_within_a_group_later_and_after_reopening() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal.clone());
    let command = || asked("office", "r-1", Command::Add { cell: 1, amount: 5 });
    let other_body = || asked("office", "r-1", Command::Add { cell: 1, amount: 6 });
    let answers = ledger.submit_all(vec![command(), command(), other_body()]).await;
    let first = answers[0].clone().unwrap();
    assert!(!first.replayed);
    let again = answers[1].clone().unwrap();
    assert!(again.replayed);
    assert_eq!((&again.events, again.position), (&first.events, first.position));
    assert!(matches!(answers[2], Err(SubmitError::RequestIdReused { .. })));
    for _ in 0..30 {
        ledger.submit(add(2, 1)).await.unwrap();
    }
    assert_eq!(ledger.submit(command()).await.unwrap(), again);
    shut(ledger);
    let ledger = open(dir.path(), journal);
    assert_eq!(ledger.submit(command()).await.unwrap(), again);
    assert!(matches!(ledger.submit(other_body()).await, Err(SubmitError::RequestIdReused { .. })));
    let other_principal = asked("bank", "r-1", Command::Add { cell: 1, amount: 6 });
    assert!(!ledger.submit(other_principal).await.unwrap().replayed);
    assert_eq!(cell(&ledger.view(), 1), 11);
}

#[tokio::test]
async fn a_rejection_is_not_remembered() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    ledger.submit(add(1, 1_000_000)).await.unwrap();
    let command = || asked("office", "r", Command::Add { cell: 1, amount: 1 });
    assert!(ledger.submit(command()).await.is_err());
    ledger.submit(milepost_ledger::Submission::system("test", Command::Clear { cell: 1 })).await.unwrap();
    assert!(ledger.submit(command()).await.is_ok());
}

#[tokio::test]
async fn validate_only_answers_with_the_would_be_effect_and_changes_nothing() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    let command = |id, amount| asked("office", id, Command::Add { cell: 1, amount });
    let validate = |id, amount| {
        let mut submission = command(id, amount);
        submission.validate_only = true;
        submission
    };
    let group = vec![validate("r", 5), validate("s", 2_000_000), add(1, 1), command("r", 5)];
    let answers = ledger.submit_all(group).await;
    let receipt = answers[0].clone().unwrap();
    assert_eq!((receipt.events.len(), receipt.position.sequence), (1, 0));
    assert!(answers[1].is_err());
    // Nor is its request id remembered, in its group or later.
    assert!(!answers[3].clone().unwrap().replayed);
    assert_eq!(sum(&ledger.view()), 6);
    ledger.submit(validate("t", 5)).await.unwrap();
    assert!(!ledger.submit(command("t", 7)).await.unwrap().replayed);
    assert_eq!(sum(&ledger.view()), 13);
}

#[tokio::test]
async fn a_command_that_changes_nothing_writes_no_entry() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    let receipt =
        ledger.submit(milepost_ledger::Submission::system("test", Command::Clear { cell: 9 })).await.unwrap();
    assert!(receipt.events.is_empty());
    assert_eq!(ledger.position().sequence, 0);
}

#[tokio::test]
async fn an_entry_has_a_size_limit_and_a_block_ends_at_it() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open_with(dir.path(), journal, Options { max_entry_bytes: 10_000, ..options() });
    let large = |bytes| milepost_ledger::Submission::system("test", Command::Large { bytes });
    assert!(matches!(ledger.submit(large(10_001)).await, Err(SubmitError::EntryTooLarge { .. })));
    let answers = ledger.submit_all((0..20).map(|_| large(4000)).collect()).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(ledger.position().sequence, 20);
    assert!(ledger.stats().groups() >= 6, "each block holds at most three");
}

#[tokio::test]
async fn more_commands_than_queue_slots_are_all_answered_in_order() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open_with(dir.path(), journal, Options { queue_bound: 4, group_size: 3, ..options() });
    let answers = ledger.submit_all((0..50).map(|_| add(1, 1)).collect()).await;
    let sequences: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().position.sequence).collect();
    assert_eq!(sequences, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_command_whose_deadline_has_passed_has_no_effect() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), journal);
    let mut late = add(1, 1);
    late.deadline = Instant::now().checked_sub(Duration::from_millis(1));
    assert!(matches!(ledger.submit(late).await, Err(SubmitError::DeadlineExceeded)));
    assert_eq!(ledger.position().sequence, 0);
}

#[tokio::test]
async fn commit_times_never_go_back_when_the_clock_does() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let clock = clock();
    let domain = std::sync::Arc::new(crate::domain::Cells::<1>);
    let ledger =
        milepost_ledger::Ledger::open("cells", dir.path(), journal, domain, clock.clone(), options())
            .unwrap();
    let first = ledger.submit(add(1, 1)).await.unwrap().commit_time;
    clock.set("2001-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(ledger.submit(add(1, 1)).await.unwrap().commit_time, first);
    clock.set("2031-01-01T00:00:00Z".parse().unwrap());
    assert!(ledger.submit(add(1, 1)).await.unwrap().commit_time > first);
}
