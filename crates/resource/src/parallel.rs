//! Work on many things, on as many threads as there are processors.
//!
//! Invariant: the answers come in the order of the things, whoever is done first; a panic in a thread is one of the
//! caller's. Few things are worked on by the caller's own thread.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

/// What `work` makes of the parts of these items, each of which has so many, but for the last. Each thread takes the next
/// part when it is done with one, so what it costs to find items goes on beside the work on those before.
pub fn in_parts<T: Send, R: Send>(
    items: impl Iterator<Item = T> + Send,
    size: usize,
    work: impl Fn(Vec<T>) -> R + Sync,
) -> Vec<R> {
    let size = size.max(1);
    let source = Mutex::new((0_usize, items.fuse()));
    let next = || {
        // Poisoned: what finds items has panicked in a thread, and that is raised again below.
        let (number, items) = &mut *source.lock().ok()?;
        let part: Vec<T> = items.take(size).collect();
        *number += 1;
        (!part.is_empty()).then_some((*number, part))
    };
    let Some((first, part)) = next() else { return Vec::new() };
    if part.len() < size {
        return vec![work(part)];
    }
    let work_on_rest = || {
        let mut done = Vec::new();
        while let Some((number, part)) = next() {
            done.push((number, work(part)));
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let running: Vec<_> = (1..threads).map(|_| scope.spawn(work_on_rest)).collect();
        let mut done = vec![(first, work(part))];
        done.append(&mut work_on_rest());
        for thread in running {
            done.append(&mut thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, made)| made).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn parts_come_in_order_and_none_is_left_out() {
        for (len, size) in [(0, 1), (1, 1), (7, 0), (1_000, 1), (1_000, 300), (1_000, 1_000), (1_000, 5_000)]
        {
            let items: Vec<usize> = (0..len).collect();
            let parts = in_parts(items.iter().copied(), size, |part| part);
            assert!(parts.iter().rev().skip(1).all(|part| part.len() == size.max(1)), "{len} {size}");
            assert_eq!(parts.concat(), items, "{len} {size}");
        }
    }

    #[test]
    fn a_panic_is_one_of_the_caller_wherever_it_was() {
        let caught = |items: Box<dyn Iterator<Item = u32> + Send>, bad: u32| {
            catch_unwind(AssertUnwindSafe(|| {
                in_parts(items, 2, |part| assert!(!part.contains(&bad), "work"))
            }))
        };
        for bad in [0, 9] {
            assert!(caught(Box::new(0..100), bad).is_err(), "{bad}");
        }
        let failing = (0..100).inspect(|i| assert_ne!(*i, 9, "items"));
        assert!(caught(Box::new(failing), 1_000).is_err());
        assert!(caught(Box::new(0..100), 1_000).is_ok());
    }
}
