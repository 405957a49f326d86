//! Backups that end at any write, stored or not: what is there stays whole, and the next run completes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::world::{World, memory};
use crate::testing::Faults;
use crate::{BackupTarget, Error, verify};

/// The writes of a backup of all three ledgers after the first one: the probe is found, a range each, a manifest.
const WRITES: usize = 1 + 3 + 1;

#[tokio::test]
async fn a_backup_that_ends_at_any_write_leaves_what_was_there_and_is_completed_by_the_next() {
    for writes in 0..WRITES {
        for stores_the_last in [false, true] {
            let world = World::new();
            let (store, target) = memory();
            world.go_on(2);
            world.backup(&target).run().await.unwrap();
            world.go_on(2);
            let faults = Faults { writes: Some(writes), stores_the_last, ..Faults::default() };
            let faulty = store.with(faults);
            let failing = BackupTarget::with_store("failing", Arc::new(faulty.clone()));
            let failed = world.backup(&failing).run().await.unwrap_err();
            assert!(matches!(failed, Error::Store { .. }), "{writes}: {failed}");
            assert!(faulty.written() > writes, "the fault was not met");

            let at = format!("after {writes} writes, {stores_the_last}");
            let verified = verify(&target, &mut |_, _| {}).await;
            assert!(verified.fault.is_none(), "{at}: {verified:?}");
            let made = u64::from(stores_the_last && writes == WRITES - 1);
            assert_eq!(verified.manifests, 1 + made, "{at}");

            // More was written meanwhile, so that ranges end elsewhere.
            world.go_on(1);
            let outcome = world.backup(&target).run().await.unwrap();
            assert_eq!(outcome.manifest, 2 + made, "{at}");
            let verified = verify(&target, &mut |_, _| {}).await;
            assert!(verified.fault.is_none(), "{at}: {verified:?}");
            for (kind, position) in verified.positions {
                assert_eq!(position, world.tail(kind), "{at}");
            }
        }
    }
}

#[tokio::test]
async fn another_backup_after_a_failure_takes_over_the_ranges_that_it_finds() {
    let world = World::new();
    let (store, target) = memory();
    world.go_on(3);
    // The probe twice, and all ranges.
    let faults = Faults { writes: Some(2 + 3), ..Faults::default() };
    let failing = BackupTarget::with_store("failing", Arc::new(store.with(faults)));
    world.backup(&failing).run().await.unwrap_err();
    let found = objects(&store).await;
    let outcome = world.backup(&target).run().await.unwrap();
    assert_eq!((outcome.manifest, outcome.entries), (1, 3 + 3 + 6));
    let (kept, new): (BTreeSet<_>, BTreeSet<_>) =
        objects(&store).await.into_iter().partition(|object| found.contains(object));
    assert_eq!((kept, new.len()), (found, 1), "it adds its manifest, and no range: {new:?}");
    assert!(verify(&target, &mut |_, _| {}).await.fault.is_none());
}

/// The names of all that is stored.
async fn objects(store: &dyn ObjectStore) -> BTreeSet<String> {
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    listed.into_iter().map(|object| object.location.to_string()).collect()
}

#[tokio::test]
async fn a_range_with_other_entries_under_the_same_name_is_an_error() {
    let world = World::new();
    let (store, target) = memory();
    world.go_on(1);
    let log = world.tail(super::world::Registry).log;
    let object = crate::range::object(super::world::Registry, log, 1, 1);
    let other = zstd::bulk::compress(b"other entries", 3).unwrap();
    let store: &dyn ObjectStore = &store;
    store.put(&Path::from(object.as_str()), other.into()).await.unwrap();
    let refused = world.backup(&target).run().await.unwrap_err();
    assert!(matches!(&refused, Error::OtherObject { object: named, .. } if *named == object), "{refused}");
}
