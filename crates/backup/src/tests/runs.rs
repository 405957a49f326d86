//! Backups that are made one after the other, by the server they belong to and by others.

use milepost_ledger::journal::memory::MemoryJournal;
use milepost_types::{Lineage, LogId};

use super::world::{Notifier, Registry, Tracker, World, directory, memory};
use crate::{Error, read_chain, verify};

#[tokio::test]
async fn only_new_entries_are_written_and_nothing_where_there_is_none() {
    let world = World::new();
    let (dir, target) = directory();
    let mut backup = world.backup(&target);
    world.go_on(3);
    let first = backup.run().await.unwrap();
    assert_eq!((first.manifest, first.is_new, first.entries), (1, true, 3 + 3 + 6));
    assert_eq!(
        first.positions.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        [Notifier, Tracker, Registry]
    );
    let again = backup.run().await.unwrap();
    assert_eq!((again.manifest, again.is_new, again.entries), (1, false, 0));

    world.write(30);
    let second = backup.run().await.unwrap();
    assert_eq!((second.manifest, second.is_new, second.entries), (2, true, 1));
    // After a restart it goes on.
    world.go_on(1);
    let third = world.backup(&target).run().await.unwrap();
    assert_eq!((third.manifest, third.entries), (3, 1 + 1 + 2));
    let verified = verify(&target, &mut |_, _| {}).await;
    assert!(verified.fault.is_none(), "{verified:?}");
    assert_eq!((verified.manifests, verified.entries), (3, 12 + 1 + 4));
    assert_eq!(verified.positions[&Registry], world.tail(Registry));
    let log = world.tail(Registry).log.to_string();
    let ranges = std::fs::read_dir(dir.path().join("registry").join(log)).unwrap();
    assert_eq!(ranges.count(), 3);
}

#[tokio::test]
async fn a_log_longer_than_a_range_takes_several_and_an_entry_may_be_longer_than_one() {
    let world = World::new();
    let (_, target) = memory();
    for size in [3 << 20, 3 << 20, 9 << 20, 10, 10] {
        world.write(size);
    }
    world.backup(&target).run().await.unwrap();
    let chain = read_chain(&target, None, |_, _| Ok(())).await.unwrap();
    let ranges = chain.ledgers[&Registry].ranges.iter().map(|range| (range.first, range.last));
    assert_eq!(ranges.collect::<Vec<_>>(), [(1, 2), (3, 3), (4, 5)]);
    assert!(verify(&target, &mut |_, _| {}).await.fault.is_none());
}

#[tokio::test]
async fn of_two_servers_with_one_target_the_second_loses_and_says_so() {
    let world = World::new();
    let (_, target) = memory();
    let mut first = world.backup(&target);
    let mut second = world.backup(&target);
    world.go_on(1);
    first.run().await.unwrap();
    second.run().await.unwrap();
    world.go_on(1);
    first.run().await.unwrap();
    world.go_on(1);
    let raced = second.run().await.unwrap_err();
    assert!(matches!(raced, Error::Raced { number: 2, .. }), "{raced}");
    assert!(raced.to_string().contains("stop the other one"), "{raced}");
    assert!(verify(&target, &mut |_, _| {}).await.fault.is_none());

    // Another office has no business here at all.
    let other = World::new();
    other.go_on(9);
    let refused = other.backup(&target).run().await.unwrap_err();
    assert!(matches!(refused, Error::OtherLog { ledger: Notifier, .. }), "{refused}");
}

#[tokio::test]
async fn a_journal_that_lost_what_the_target_has_is_not_backed_up_over_it() {
    let mut world = World::new();
    let (_, target) = memory();
    world.go_on(3);
    world.backup(&target).run().await.unwrap();
    let tail = world.tail(Registry);
    world.rewind(Registry, 2);
    let refused = world.backup(&target).run().await.unwrap_err();
    assert!(refused.to_string().contains(&tail.to_string()), "{refused}");
    assert!(matches!(refused, Error::Diverged { ledger: Registry, .. }), "{refused}");
    // It grew again, with other entries.
    world.go_on(2);
    let refused = world.backup(&target).run().await.unwrap_err();
    assert!(matches!(refused, Error::Diverged { ledger: Registry, .. }), "{refused}");
}

#[tokio::test]
async fn a_restored_log_goes_on_in_the_target_of_the_one_before_and_whole() {
    let mut world = World::new();
    let (_, target) = memory();
    world.go_on(3);
    world.backup(&target).run().await.unwrap();
    world.restore(Registry, 2);
    world.write(30);
    let outcome = world.backup(&target).run().await.unwrap();
    assert_eq!((outcome.manifest, outcome.entries), (2, 3));
    let chain = read_chain(&target, None, |_, _| Ok(())).await.unwrap();
    let registry = &chain.ledgers[&Registry];
    assert_eq!((registry.log, registry.sequence), (world.tail(Registry).log, 3));
    assert_eq!(registry.lineage, world.journal_lineage(Registry));
    let verified = verify(&target, &mut |_, _| {}).await;
    assert!(verified.fault.is_none(), "{verified:?}");
    // The history that was given up is still there.
    let before = read_chain(&target, Some(1), |_, _| Ok(())).await.unwrap();
    assert_eq!(before.ledgers[&Registry].sequence, 3);
    assert_ne!(before.ledgers[&Registry].log, registry.log);
}

#[tokio::test]
async fn a_process_without_one_of_the_ledgers_is_refused_and_one_with_more_is_not() {
    let world = World::new();
    let (_, target) = memory();
    world.go_on(1);
    let some = world.ledgers().into_iter().filter(|ledger| ledger.kind == Registry).collect();
    let mut registry = crate::Backup::new(target.clone(), some, world.clock.clone(), "0.0.0-test");
    registry.run().await.unwrap();
    world.backup(&target).run().await.unwrap();
    world.go_on(1);
    let some = world.ledgers().into_iter().filter(|ledger| ledger.kind == Registry).collect();
    let refused =
        crate::Backup::new(target, some, world.clock.clone(), "0.0.0-test").run().await.unwrap_err();
    assert!(matches!(refused, Error::LedgerElsewhere { .. }), "{refused}");
}

#[tokio::test]
async fn an_entry_whose_hash_is_wrong_is_not_backed_up() {
    let mut world = World::new();
    let (_, target) = memory();
    world.go_on(2);
    let mut entries = world.entries(Tracker);
    entries[1].bytes = entries[0].bytes.clone();
    world.replace(Tracker, MemoryJournal::with_entries(LogId::generate(), Lineage::default(), entries));
    let refused = world.backup(&target).run().await.unwrap_err();
    assert!(matches!(refused, Error::Entry { ledger: Tracker, sequence: 2, .. }), "{refused}");
    assert!(matches!(read_chain(&target, None, |_, _| Ok(())).await, Err(Error::Empty { .. })));
}
