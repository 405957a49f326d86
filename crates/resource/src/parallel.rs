//! Work on many things, on as many threads as there are processors.
//!
//! Invariant: the answers come in the order of the things, whoever is done first; a panic in a thread is one of the
//! caller's. Few things are worked on by the caller's own thread.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// What `work` makes of the parts of these items, each of which has `at_least` so many, but for the last.
pub fn in_parts<'a, T: Sync, R: Send>(
    items: &'a [T],
    at_least: usize,
    work: impl Fn(&'a [T]) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(threads).max(at_least).max(1);
    if items.len() <= share {
        return vec![work(items)];
    }
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = items.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_order_and_none_is_left_out() {
        for (len, at_least) in [(0, 1), (1, 1), (7, 1), (1_000, 1), (1_000, 300), (1_000, 5_000)] {
            let items: Vec<usize> = (0..len).collect();
            let parts = in_parts(&items, at_least, <[usize]>::to_vec);
            assert!(parts.iter().rev().skip(1).all(|part| part.len() >= at_least), "{len} {at_least}");
            assert_eq!(parts.concat(), items, "{len} {at_least}");
        }
    }
}
