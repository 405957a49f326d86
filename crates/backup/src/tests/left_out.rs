//! What a restore leaves out: of its own log, and of those that were given up or followed.

use milepost_types::LogId;

use super::world::{Registry, World, memory};
use crate::{BackupTarget, Chain, read_chain};

/// The sequences that are left out of each log, if `log` of this chain is restored up to `end`.
async fn left_out(target: &BackupTarget, chain: &Chain, log: LogId, end: u64) -> Vec<(LogId, Vec<u64>)> {
    let own = chain.logs(Registry).find(|own| own.log == log).unwrap();
    let mut found: Vec<(LogId, Vec<u64>)> = Vec::new();
    let show = |log, entry: &milepost_ledger::journal::StoredEntry| match found.last_mut() {
        Some((last, sequences)) if *last == log => sequences.push(entry.sequence),
        _ => found.push((log, vec![entry.sequence])),
    };
    chain.read_left_out(target, Registry, (own, end), show).await.unwrap();
    found
}

#[tokio::test]
async fn what_logs_have_of_their_own_is_left_out_and_what_they_have_in_common_is_not() {
    let mut world = World::new();
    let (_, target) = memory();
    let mut logs = Vec::new();
    // The second is the first up to 5, the third the second up to 3. Each is backed up twice.
    for restore in [None, Some(5), Some(3)] {
        if let Some(sequence) = restore {
            world.restore(Registry, sequence);
        }
        let mut backup = world.backup(&target);
        for _ in 0..2 {
            (0..4).for_each(|_| world.write(10));
            backup.run().await.unwrap();
        }
        logs.push(world.tail(Registry).log);
    }
    let chain = read_chain(&target, None, |_, _| Ok(())).await.unwrap();
    assert_eq!(chain.logs(Registry).map(|log| log.log).collect::<Vec<_>>(), logs);
    let [first, second, third] = logs[..] else { panic!("three logs") };
    let from = |log, after: u64, last: u64| (log, (after + 1..=last).collect::<Vec<_>>());
    let (whole, of_second, of_third) = (8, 13, 11);
    for (log, end, expected) in [
        (first, 6, [from(first, 6, whole), from(second, 5, of_second), from(third, 3, of_third)]),
        (first, 2, [from(first, 2, whole), from(second, 2, of_second), from(third, 2, of_third)]),
        (second, 6, [from(first, 5, whole), from(second, 6, of_second), from(third, 3, of_third)]),
        (third, 10, [from(first, 3, whole), from(second, 3, of_second), from(third, 10, of_third)]),
    ] {
        assert_eq!(left_out(&target, &chain, log, end).await, expected, "{log} up to {end}");
    }
    let at_the_end = left_out(&target, &chain, third, of_third).await;
    assert_eq!(at_the_end, [from(first, 3, whole), from(second, 3, of_second)]);

    // As of a manifest of the first log, it is the log that there is, and none was given up.
    let early = read_chain(&target, Some(2), |_, _| Ok(())).await.unwrap();
    assert_eq!(early.logs(Registry).map(|log| log.log).collect::<Vec<_>>(), [first]);
    assert_eq!(left_out(&target, &early, first, 8).await, []);
}
