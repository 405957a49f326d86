//! Where restores end: times, sequences, and followers that must not be ahead.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milepost_ledger::CommandId;
use milepost_types::LedgerKind;

use super::world::{Notifier, Registry, START, Tracker, World, memory};
use crate::{Chain, Error, Wanted, read_chain};

/// The time after so many entries of a world.
fn time(entries: i64) -> Timestamp {
    Timestamp::from_second(START + entries).unwrap()
}

fn sequences(wanted: &[(LedgerKind, u64)]) -> Wanted {
    Wanted::Sequences(wanted.iter().copied().collect())
}

struct Backed {
    target: crate::BackupTarget,
    chain: Chain,
}

impl Backed {
    /// A backup of a world, in one run.
    async fn of(world: &World) -> Self {
        let (_, target) = memory();
        world.backup(&target).run().await.unwrap();
        let chain = read_chain(&target, None, |_, _| Ok(())).await.unwrap();
        Self { target, chain }
    }

    /// What is chosen of the registry, the tracker and the notifier.
    async fn choose(&self, wanted: Wanted) -> Result<[u64; 3], Error> {
        let chosen = self.chain.choose(&self.target, &wanted).await?;
        let by_kind: BTreeMap<_, _> = chosen.iter().map(|chosen| (chosen.ledger, chosen.sequence)).collect();
        Ok([Registry, Tracker, Notifier].map(|kind| by_kind[&kind]))
    }
}

#[tokio::test]
async fn a_time_names_the_last_entries_until_then_exactly() {
    let world = World::new();
    // Four entries a round: the registry's, the tracker's, two of the notifier.
    world.go_on(4);
    let backed = Backed::of(&world).await;
    for (after, chosen) in [
        (3, [1, 1, 1]),
        (4, [1, 1, 2]),
        (5, [2, 1, 2]),
        (6, [2, 2, 2]),
        (7, [2, 2, 3]),
        (8, [2, 2, 4]),
        (15, [4, 4, 7]),
        (16, [4, 4, 8]),
    ] {
        assert_eq!(backed.choose(Wanted::At(time(after))).await.unwrap(), chosen, "after {after}");
    }
    let between = Timestamp::from_millisecond(time(5).as_millisecond() + 999).unwrap();
    assert_eq!(backed.choose(Wanted::At(between)).await.unwrap(), [2, 1, 2]);
    assert_eq!(backed.choose(Wanted::Latest).await.unwrap(), [4, 4, 8]);
}

#[tokio::test]
async fn a_time_that_one_ledger_does_not_have_is_refused_with_what_every_ledger_has() {
    let world = World::new();
    world.go_on(2);
    let backed = Backed::of(&world).await;
    for (at, lacks) in [(time(0), Registry), (time(1), Tracker), (time(2), Notifier), (time(9), Registry)] {
        let refused = backed.choose(Wanted::At(at)).await.unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, Error::Outside { .. }), "{said}");
        assert!(said.contains(&format!("nothing of the {lacks} at {at}")), "{said}");
        for kind in LedgerKind::ALL {
            assert!(said.contains(&format!("{kind} has entries 1 to ")), "{said}");
        }
        assert!(said.contains(&time(1).to_string()) && said.contains(&time(8).to_string()), "{said}");
    }
}

#[tokio::test]
async fn a_sequence_takes_the_followers_back_and_one_that_is_ahead_is_refused_with_the_last_that_is_not() {
    let world = World::new();
    world.go_on(4);
    let backed = Backed::of(&world).await;
    assert_eq!(backed.choose(sequences(&[(Registry, 2)])).await.unwrap(), [2, 2, 4]);
    assert_eq!(backed.choose(sequences(&[(Tracker, 1)])).await.unwrap(), [4, 1, 3]);
    assert_eq!(backed.choose(sequences(&[(Notifier, 5)])).await.unwrap(), [4, 4, 5]);
    assert_eq!(backed.choose(sequences(&[(Registry, 3), (Tracker, 2)])).await.unwrap(), [3, 2, 5]);
    assert_eq!(backed.choose(sequences(&[(Registry, 0)])).await.unwrap(), [0, 0, 0]);
    let ahead = backed.choose(sequences(&[(Registry, 2), (Tracker, 4)])).await.unwrap_err();
    assert!(
        matches!(ahead, Error::Ahead { follower: Tracker, source_ledger: Registry, most: 2, .. }),
        "{ahead}"
    );
    let past = backed.choose(sequences(&[(Tracker, 5)])).await.unwrap_err();
    assert!(past.to_string().contains("no entry 5 of the tracker; registry has entries 1 to 4"), "{past}");
}

#[tokio::test]
async fn a_follower_whose_clock_is_behind_is_not_restored_ahead_of_its_source() {
    let world = World::new();
    world.go_on(2);
    // The registry writes at 20 what the others take over at 11 to 13 by their clocks.
    world.clock.set(time(19));
    world.write(30);
    world.clock.set(time(10));
    world.follow();
    world.clock.set(time(30));
    let backed = Backed::of(&world).await;
    let chosen = backed.chain.choose(&backed.target, &Wanted::At(time(15))).await.unwrap();
    let found: Vec<_> = chosen.iter().map(|chosen| (chosen.sequence, chosen.wanted)).collect();
    assert_eq!(found, [(2, 2), (2, 3), (4, 6)]);
    assert_eq!(chosen[1].time, Some(time(6)));
}

#[tokio::test]
async fn a_command_of_a_follower_counts_as_what_it_was_decided_on() {
    let world = World::new();
    world.go_on(2);
    world.reforecast();
    world.follow_by_notifier();
    world.write(30);
    world.reforecast();
    world.follow_by_notifier();
    let backed = Backed::of(&world).await;
    assert_eq!(backed.choose(Wanted::Latest).await.unwrap(), [3, 4, 8]);
    assert_eq!(backed.choose(sequences(&[(Registry, 2)])).await.unwrap(), [2, 3, 6]);
}

#[tokio::test]
async fn a_follower_of_a_restored_source_is_compared_in_the_log_that_it_followed() {
    let mut world = World::new();
    world.go_on(4);
    let old = world.tail(Registry);
    world.restore(Registry, 3);
    // It has followed entry 4 of the log before, which the restored one does not have.
    let backed = Backed::of(&world).await;
    assert_eq!(backed.choose(Wanted::Latest).await.unwrap(), [3, 3, 6]);
    // Its operator has reset it to the restored log since: that counts.
    let to = world.tail(Registry);
    assert_ne!(to.log, old.log);
    for follower in [Tracker, Notifier] {
        world.append(follower, CommandId::Server("reset".into()), vec![to], 10);
    }
    let backed = Backed::of(&world).await;
    assert_eq!(backed.choose(Wanted::Latest).await.unwrap(), [3, 5, 9]);
}
