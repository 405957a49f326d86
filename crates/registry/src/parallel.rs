//! Work on many things, on as many threads as there are processors.
//!
//! Invariant: the answers come in the order of the things, whoever is done first; a panic in a thread is one of the
//! caller's. Few things are worked on by the caller's own thread.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// What `work` makes of the parts of these items, each of which has `at_least` so many, but for the last.
pub(crate) fn in_parts<T: Sync, R: Send>(
    items: &[T],
    at_least: usize,
    work: impl Fn(&[T]) -> R + Sync,
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

/// What `work` makes of parts of items that are still being read: one part is worked on while the next is read. Each has
/// so many, but for the last.
///
/// # Errors
/// The first fault of reading.
pub(crate) fn while_read<T: Send, E, R: Send>(
    items: impl Iterator<Item = Result<T, E>>,
    size: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Result<Vec<R>, E> {
    let (work, threads) = (&work, thread::available_parallelism().map_or(1, NonZero::get));
    thread::scope(|scope| {
        let (mut running, mut done, mut part) = (VecDeque::new(), Vec::new(), Vec::new());
        let join =
            |thread: ScopedJoinHandle<'_, R>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        for item in items {
            part.push(item?);
            if part.len() >= size {
                let whole = std::mem::take(&mut part);
                running.push_back(scope.spawn(move || work(&whole)));
                if running.len() > threads {
                    done.extend(running.pop_front().map(join));
                }
            }
        }
        let last = work(&part);
        done.extend(running.into_iter().map(join));
        done.push(last);
        Ok(done)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_comes_in_order_too_and_a_fault_of_reading_ends_it() {
        for (len, size) in [(0, 1), (1, 1), (7, 1), (7, 7), (1_000, 300)] {
            let items = (0..len).map(Ok::<usize, usize>);
            let parts = while_read(items, size, <[usize]>::to_vec).unwrap();
            assert!(parts.iter().all(|part| part.len() <= size), "{len} {size}");
            assert_eq!(parts.concat(), (0..len).collect::<Vec<_>>(), "{len} {size}");
            let faulty = (0..len).map(|item| if item < 5 { Ok(item) } else { Err(item) });
            assert_eq!(
                while_read(faulty, size, <[usize]>::len).err(),
                (len > 5).then_some(5),
                "{len} {size}"
            );
        }
    }

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
