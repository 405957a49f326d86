//! A cache of rows of the base, so that a read of a hot row needs no sled.
//!
//! Invariant: a cached row is equal to the base's. Two generations, each up to half the bound: a row that is
//! read moves to the young one, and the old one is dropped whole when the young one is full. It never reads the base.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;

/// The memory of a row besides its bytes.
const ROW_OVERHEAD_BYTES: usize = 128;

/// A bounded cache of rows; `None` is kept too: the base has no such row.
pub(crate) struct Cache {
    generations: Mutex<Generations>,
    half_bytes: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Bytes, Option<Bytes>>,
    old: HashMap<Bytes, Option<Bytes>>,
    young_bytes: usize,
}

impl Cache {
    /// A cache that holds about `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { generations: Mutex::default(), half_bytes: bytes / 2 }
    }

    /// The cached row of a key; the outer `None` if none is cached.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let mut generations = self.generations.lock();
        if let Some(value) = generations.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = generations.old.remove_entry(key)?;
        self.keep(&mut generations, key, value.clone());
        Some(value)
    }

    /// Caches a row.
    pub(crate) fn put(&self, key: Bytes, value: Option<Bytes>) {
        let mut generations = self.generations.lock();
        generations.old.remove(&key);
        self.keep(&mut generations, key, value);
    }

    /// Updates a row that was written to the base, if it is cached.
    pub(crate) fn replace(&self, key: &Bytes, value: &Option<Bytes>) {
        let mut generations = self.generations.lock();
        if generations.old.remove(key).is_some() || generations.young.contains_key(key) {
            self.keep(&mut generations, key.clone(), value.clone());
        }
    }

    fn keep(&self, generations: &mut Generations, key: Bytes, value: Option<Bytes>) {
        generations.young_bytes += ROW_OVERHEAD_BYTES + key.len() + value.as_ref().map_or(0, Bytes::len);
        generations.young.insert(key, value);
        if generations.young_bytes > self.half_bytes {
            generations.old = std::mem::take(&mut generations.young);
            generations.young_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Bytes {
        Bytes::from(format!("{number:04}"))
    }

    #[test]
    fn a_row_that_is_read_stays_and_others_are_evicted() {
        let cache = Cache::new(20 * ROW_OVERHEAD_BYTES);
        cache.put(key(0), Some(key(0)));
        for number in 1..1000 {
            cache.put(key(number), None);
            assert_eq!(cache.get(&key(0)), Some(Some(key(0))), "after {number} others");
        }
        assert_eq!(cache.get(&key(1)), None);
        let generations = cache.generations.lock();
        assert!(generations.young.len() + generations.old.len() <= 20);
    }

    #[test]
    fn a_written_row_is_updated_only_if_it_is_cached() {
        let cache = Cache::new(10 * ROW_OVERHEAD_BYTES);
        cache.put(key(0), Some(key(1)));
        (1..6).for_each(|number| cache.put(key(number), None));
        for known in [0, 5] {
            cache.replace(&key(known), &Some(key(2)));
            assert_eq!(cache.get(&key(known)), Some(Some(key(2))));
        }
        cache.replace(&key(9), &Some(key(2)));
        assert_eq!(cache.get(&key(9)), None);
    }

    #[test]
    fn a_newer_value_replaces_an_old_one_in_either_generation() {
        let cache = Cache::new(10 * ROW_OVERHEAD_BYTES);
        cache.put(key(0), Some(key(1)));
        (1..6).for_each(|number| cache.put(key(number), None));
        cache.put(key(0), None);
        assert_eq!(cache.get(&key(0)), Some(None));
    }
}
