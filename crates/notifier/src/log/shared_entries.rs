//! Large entries that are being read, shared between their readers.
//!
//! Invariant: holds weak references only. A thousand slow readers of one entry of many megabytes hold it once;
//! when they are done it is freed.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::LoggedEntry;

/// Smaller entries are read by each reader for itself.
const LARGE_BYTES: usize = 256 * 1024;

/// Entries by their sequence.
#[derive(Debug, Default)]
pub(super) struct SharedEntries(Mutex<HashMap<u64, Weak<LoggedEntry>>>);

impl SharedEntries {
    /// The entry, if a reader holds it.
    pub(super) fn get(&self, sequence: u64) -> Option<Arc<LoggedEntry>> {
        self.0.lock().get(&sequence)?.upgrade()
    }

    /// Shares an entry of so many bytes for as long as a reader holds it.
    pub(super) fn put(&self, entry: &Arc<LoggedEntry>, bytes: usize) {
        if bytes >= LARGE_BYTES {
            let mut entries = self.0.lock();
            entries.retain(|_, entry| entry.strong_count() > 0);
            entries.insert(entry.position.sequence, Arc::downgrade(entry));
        }
    }
}
