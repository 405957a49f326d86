//! All entries of a journal in order, for tools that read a whole log.
//!
//! Invariant: ends at the tail that was durable when it was reached, or with the first error. It does not wait for
//! new entries.

use std::collections::VecDeque;

use super::{Journal, ReadError, ReadLimit, StoredEntry};

/// An iterator over the entries of a journal.
pub struct Entries<'a> {
    journal: &'a dyn Journal,
    after: u64,
    limit: ReadLimit,
    read: VecDeque<StoredEntry>,
    failed: bool,
}

impl<'a> Entries<'a> {
    /// The entries after the one with this sequence; 0 for all.
    pub fn after(journal: &'a dyn Journal, sequence: u64) -> Self {
        let limit = ReadLimit { entries: 8192, bytes: 1 << 20 };
        Self { journal, after: sequence, limit, read: VecDeque::new(), failed: false }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<StoredEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() && !self.failed {
            match self.journal.read_after(self.after, self.limit) {
                Ok(entries) => self.read = entries.into(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        let entry = self.read.pop_front()?;
        self.after = entry.sequence;
        Some(Ok(entry))
    }
}
