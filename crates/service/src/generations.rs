//! What is kept for a while, within a bound of memory and without a search for what to drop.
//!
//! Invariant: at most `limit` entries. When the newer half is full it becomes the older one, which is dropped as a whole.
//! Does not know how long an entry is good: who reads it does.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Entries in two generations.
#[derive(Debug)]
pub(crate) struct Generations<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
    limit: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// None yet, and never more than so many.
    pub(crate) fn new(limit: usize) -> Self {
        Self { newer: HashMap::new(), older: HashMap::new(), limit }
    }

    /// An entry that is still kept.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.newer.get(key).or_else(|| self.older.get(key))
    }

    /// Keeps an entry, in place of one of the same key.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.newer.len() >= self.limit / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_never_more_than_the_limit() {
        let mut kept = Generations::new(10);
        for key in 0..1000 {
            kept.put(key, key * 2);
            assert!(kept.count() <= 10);
        }
        assert_eq!((kept.get(&999), kept.get(&996), kept.get(&0)), (Some(&1998), Some(&1992), None));
        kept.put(999, 1);
        assert_eq!(kept.get(&999), Some(&1), "the newer one counts");
    }
}
