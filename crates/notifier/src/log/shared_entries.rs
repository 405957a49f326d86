//! Large entries that somebody is reading right now, so that others who read them share the memory.
//!
//! Invariant: keeps nothing alive. A thousand slow readers inside one entry of many megabytes hold it
//! once, and not at all when they have gone on.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::LoggedEntry;

/// Smaller entries are read anew by each reader.
const LARGE_BYTES: usize = 256 * 1024;

/// Entries by their sequence.
#[derive(Debug, Default)]
pub(super) struct SharedEntries(Mutex<HashMap<u64, Weak<LoggedEntry>>>);

impl SharedEntries {
    /// The entry, if somebody holds it.
    pub(super) fn get(&self, sequence: u64) -> Option<Arc<LoggedEntry>> {
        self.0.lock().get(&sequence)?.upgrade()
    }

    /// Lets others share an entry of so many bytes for as long as it is held.
    pub(super) fn put(&self, entry: &Arc<LoggedEntry>, bytes: usize) {
        if bytes >= LARGE_BYTES {
            let mut entries = self.0.lock();
            entries.retain(|_, entry| entry.strong_count() > 0);
            entries.insert(entry.position.sequence, Arc::downgrade(entry));
        }
    }
}
