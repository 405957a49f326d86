//! Two ledgers on one journal: optimistic writers that lose nothing and do nothing twice.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{AppendError, Block, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry};
use milepost_ledger::{Actor, CommandId, Entry, FeedError, Ledger, SubmitError};
use milepost_types::{Hash, Position};
use proptest::prelude::*;
use tokio::sync::watch;

use crate::domain::{Cells, Command, TooMuch, add, asked, cells, memory, open, shut, sum};

#[tokio::test]
async fn a_command_that_loses_the_race_is_decided_again_after_the_winner() {
    let (one_dir, two_dir, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), memory());
    let one = open(one_dir.path(), journal.clone());
    // It hears of nothing that others write, so that it learns of it by losing.
    let two = open(two_dir.path(), Arc::new(Wrapped { log: journal.clone(), shared: false, late: false }));
    one.submit(add(1, 600_000)).await.unwrap();
    let refused = two.submit(add(1, 600_000)).await;
    assert!(matches!(refused, Err(SubmitError::Rejected(TooMuch(600_000)))), "{refused:?}");
    assert_eq!(two.stats().conflicts(), 1);
    let lost = one.submit(add(3, 1)).await.unwrap().position;
    let won = two.submit(add(3, 2)).await.unwrap().position;
    assert_eq!((lost.sequence, won.sequence, two.stats().conflicts()), (2, 3, 2));
    assert_eq!(cells(&two.view()), [(1, 600_000), (3, 3)]);
    let done = asked("office", "r", Command::Add { cell: 2, amount: 1 });
    let first = one.submit(done.clone()).await.unwrap();
    let again = two.submit(done).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.position, two.stats().conflicts()), (first.position, 3));
}

#[tokio::test]
async fn an_idle_ledger_shows_entries_of_another_process() {
    let (one_dir, two_dir, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), memory());
    let one = open(one_dir.path(), journal.clone());
    let two = open(two_dir.path(), journal);
    let position = one.submit(add(1, 5)).await.unwrap().position;
    two.wait_for(position, Instant::now() + Duration::from_secs(30)).await.unwrap();
    assert_eq!(sum(&two.view()), 5);
}

#[tokio::test]
async fn a_reader_gets_an_entry_only_when_the_rows_have_its_effect() {
    let (one_dir, two_dir, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), memory());
    let one = open(one_dir.path(), journal.clone());
    // It hears of nothing that others write, so that an entry stays without effect here.
    let two = open(two_dir.path(), Arc::new(Wrapped { log: journal.clone(), shared: false, late: false }));
    let (source, limit) = (two.source(), ReadLimit::default());
    let start = source.tail();
    let mut feed = source.feed(start);
    let sequences =
        |entries: Vec<StoredEntry>| entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>();

    let first = two.submit(add(1, 1)).await.unwrap().position;
    let second = one.submit(add(1, 5)).await.unwrap().position;
    assert_eq!((journal.info().tail, source.tail(), sum(&two.view())), (second, first, 1));
    assert_eq!(sequences(source.read(start, limit).await.unwrap()), [1]);
    assert_eq!(sequences(source.read_after(0, limit).await.unwrap()), [1]);
    assert_eq!(sequences(feed.next(limit).await.unwrap()), [1]);
    assert!(pin!(feed.next(limit)).poll(&mut Context::from_waker(Waker::noop())).is_pending());

    two.submit(add(1, 3)).await.unwrap();
    assert_eq!(sequences(feed.next(limit).await.unwrap()), [2, 3]);
    assert_eq!(sum(&two.view()), 9);
    shut(two);
    assert!(matches!(feed.next(limit).await, Err(FeedError::Closed)));
}

/// A log of which not everything is heard.
struct Wrapped {
    log: Arc<MemoryJournal>,
    /// Whether its tail is watched at all.
    shared: bool,
    /// Another process appends just before its tail is watched, and its watchers are notified only of what comes
    /// after that.
    late: bool,
}

impl Journal for Wrapped {
    fn append(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        self.log.append(after, block)
    }

    fn read(&self, after: &Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.log.read(after, limit)
    }

    fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.log.read_after(sequence, limit)
    }

    fn tail(&self) -> watch::Receiver<Position> {
        if !self.late {
            return self.log.tail();
        }
        let entry = Entry {
            sequence: 1,
            commit_time: "2021-05-27T00:00:00Z".parse().unwrap(),
            actor: Actor::system("test"),
            command_id: CommandId::Server("s".into()),
            decided_on: vec![],
            portfolio: String::new(),
            events: vec![bytes::Bytes::from_static(b"nothing that a cell knows")],
        };
        let block = Block { previous: Hash::ZERO, entries: vec![entry.encode(&Hash::ZERO)] };
        self.log.append(&self.log.info().tail, &block).unwrap();
        let mut tail = self.log.tail();
        tail.mark_unchanged();
        tail
    }

    fn info(&self) -> JournalInfo {
        self.log.info()
    }

    fn in_memory(&self, sequence: u64) -> bool {
        self.log.in_memory(sequence)
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    fn poisoned(&self) -> Option<String> {
        self.log.poisoned()
    }

    fn close(&self) -> std::io::Result<()> {
        self.log.close()
    }
}

#[tokio::test]
async fn entries_appended_while_a_ledger_opened_are_shown_without_waiting_for_more() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), memory());
    let ledger = open(dir.path(), Arc::new(Wrapped { log: journal.clone(), shared: true, late: true }));
    let tail = journal.info().tail;
    assert_eq!(tail.sequence, 1);
    ledger.wait_for(tail, Instant::now() + Duration::from_secs(10)).await.unwrap();
}

#[derive(Debug, Clone)]
struct Act {
    ledger: bool,
    cell: u8,
    amount: u64,
    id: u8,
}

fn act() -> impl Strategy<Value = Act> {
    (any::<bool>(), 0..4u8, 1..400_000u64, 0..30u8).prop_map(|(ledger, cell, amount, id)| Act {
        ledger,
        cell,
        amount,
        id,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn two_ledgers_end_with_one_view_no_command_lost_or_done_twice_every_refusal_justified(
        acts in prop::collection::vec(act(), 1..120)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (dirs, journal) = ([tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()], memory());
            let ledgers = [open(dirs[0].path(), journal.clone()), open(dirs[1].path(), journal.clone())];
            let running: Vec<_> = acts
                .iter()
                .map(|act| {
                    let ledger = ledgers[usize::from(act.ledger)].clone();
                    // One id may come several times, at either ledger: with this body, or with another.
                    let command = asked("p", &act.id.to_string(), Command::Add { cell: act.cell, amount: act.amount });
                    tokio::spawn(async move { ledger.submit(command).await })
                })
                .collect();
            let mut answers = Vec::new();
            for run in running {
                answers.push(run.await.unwrap());
            }
            check(&acts, &answers, journal.as_ref());
            settle(&ledgers, journal.info().tail).await;
            let one = cells(&ledgers[0].view());
            assert_eq!(one, cells(&ledgers[1].view()));
            ledgers.into_iter().for_each(shut);
        });
    }
}

async fn settle(ledgers: &[Ledger<Cells>; 2], tail: Position) {
    for ledger in ledgers {
        ledger.wait_for(tail, Instant::now() + Duration::from_secs(30)).await.unwrap();
    }
}

type Answer = Result<milepost_ledger::Receipt, SubmitError<TooMuch>>;

/// Runs the journal by hand, and holds every answer against it.
fn check(acts: &[Act], answers: &[Answer], journal: &dyn milepost_ledger::journal::Journal) {
    let limit = milepost_ledger::journal::ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let entries = journal.read_after(0, limit).unwrap();
    let mut values = [0u64; 4];
    let mut history = vec![values];
    let mut ids = std::collections::HashMap::new();
    for stored in &entries {
        let entry = milepost_ledger::Entry::decode(stored).unwrap();
        let event = &entry.events[0];
        values[usize::from(event[0])] = u64::from_be_bytes(event[1..].try_into().unwrap());
        history.push(values);
        let milepost_ledger::CommandId::Request { id, body } = entry.command_id else {
            panic!("no request id")
        };
        assert!(ids.insert(id, (entry.sequence, body)).is_none(), "an id was used twice");
    }
    for (act, answer) in acts.iter().zip(answers) {
        let used = ids.get(&act.id.to_string());
        match answer {
            Ok(receipt) => {
                assert_eq!(receipt.position.sequence, used.unwrap().0);
                let at = receipt.position.sequence as usize;
                let before = history[at - 1][usize::from(act.cell)];
                assert_eq!(history[at][usize::from(act.cell)], before + act.amount);
            }
            Err(SubmitError::Rejected(TooMuch(value))) => {
                assert!(value + act.amount > 1_000_000);
                assert!(history.iter().any(|values| values[usize::from(act.cell)] == *value), "never so");
            }
            Err(SubmitError::RequestIdReused { .. }) => {
                let asked =
                    asked("p", &act.id.to_string(), Command::Add { cell: act.cell, amount: act.amount });
                let Some(milepost_ledger::CommandId::Request { body, .. }) = asked.command_id else {
                    unreachable!()
                };
                assert_ne!(used.unwrap().1, body);
            }
            Err(error) => panic!("{error}"),
        }
    }
    let done = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|receipt| !receipt.replayed)).count();
    assert_eq!(done, entries.len(), "every entry has exactly one caller that got it as new");
}
