//! Merges ordered runs into one: how a list reads several ranges.
//!
//! Invariant: the output is ordered if each run is. The order of equal items is unspecified.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use milepost_ledger::Direction;

/// The items of all runs, each of which is in the order of the direction.
pub fn merged<I: Iterator<Item: Ord>>(runs: Vec<I>, direction: Direction) -> impl Iterator<Item = I::Item> {
    let heads = runs.into_iter().filter_map(|mut run| Some(Head { item: run.next()?, run, direction }));
    let mut heads: BinaryHeap<_> = heads.collect();
    std::iter::from_fn(move || {
        let mut head = heads.peek_mut()?;
        match head.run.next() {
            Some(next) => Some(std::mem::replace(&mut head.item, next)),
            None => Some(PeekMut::pop(head).item),
        }
    })
}

/// A run and its next item; the one to come first is the greatest.
struct Head<I: Iterator> {
    item: I::Item,
    run: I,
    direction: Direction,
}

impl<I: Iterator<Item: Ord>> Ord for Head<I> {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.item.cmp(&other.item);
        if self.direction == Direction::Forward { order.reverse() } else { order }
    }
}

impl<I: Iterator<Item: Ord>> PartialOrd for Head<I> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<I: Iterator<Item: Ord>> PartialEq for Head<I> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<I: Iterator<Item: Ord>> Eq for Head<I> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_out_in_order_in_both_directions() {
        let up = [vec![1, 4, 7], vec![], vec![2, 4], vec![3]];
        let all = [1, 2, 3, 4, 4, 7];
        let down = up.iter().map(|run| run.iter().rev());
        assert!(merged(down.collect(), Direction::Backward).eq(all.iter().rev()));
        assert!(merged(up.iter().map(|run| run.iter()).collect(), Direction::Forward).eq(&all));
    }
}
