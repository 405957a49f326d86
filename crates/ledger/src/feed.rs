//! Reading a journal up to its tail, and then waiting for the tail to move.
//!
//! Invariant: entries come in order, each once, and only when they are durable; of a ledger, only when its rows have
//! their effect too: who hears of an entry finds it in every list. A slow reader costs nobody anything: a feed is only a
//! position and buffers nothing.

use std::sync::Arc;

use milepost_types::Position;
use tokio::sync::watch;

use crate::journal::{DiskRoom, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry};

/// The read side of a ledger's journal.
#[derive(Clone)]
pub struct Source {
    journal: Arc<dyn Journal>,
    /// The last entry that readers get.
    tail: watch::Receiver<Position>,
}

/// Why a feed ended.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The journal could not be read.
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    /// The journal takes no more entries: the server is stopping.
    #[error("the journal is closed")]
    Closed,
}

impl Source {
    /// The read side of this journal, up to its own tail.
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        let tail = journal.tail();
        Self { journal, tail }
    }

    /// The read side of this journal, up to the position that `tail` says.
    pub(crate) fn up_to(journal: Arc<dyn Journal>, tail: watch::Receiver<Position>) -> Self {
        Self { journal, tail }
    }

    /// Identity, format and size of the journal.
    pub fn info(&self) -> JournalInfo {
        self.journal.info()
    }

    /// The disk space for the next append, measured now; `None` if the engine has no disk of its own. May block.
    ///
    /// # Errors
    /// If the disk cannot be measured.
    pub fn room(&self) -> std::io::Result<Option<DiskRoom>> {
        self.journal.room()
    }

    /// The position of the last entry that readers get.
    pub fn tail(&self) -> Position {
        *self.tail.borrow()
    }

    /// The entries after `after`; empty at the tail. What is not in memory is read on a blocking thread.
    ///
    /// # Errors
    /// As the journal's `read`.
    pub async fn read(&self, after: Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        let tail = self.tail();
        // Without this, a follower that keeps up would start a thread for each empty read, its largest cost.
        if tail == after {
            return Ok(Vec::new());
        }
        let read = move |journal: &dyn Journal| journal.read(&after, limit).map(|found| up_to(tail, found));
        if self.journal.in_memory(after.sequence.saturating_add(1)) {
            return read(&*self.journal);
        }
        let journal = Arc::clone(&self.journal);
        blocking(move || read(&*journal)).await
    }

    /// The entries after the one with this sequence, without comparing hashes: for a reader that has
    /// the sequence from this log.
    ///
    /// # Errors
    /// As the journal's `read_after`.
    pub async fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.map_after(sequence, limit, |entries| entries).await
    }

    /// As `read_after`, and maps the result on the same thread as the read.
    ///
    /// # Errors
    /// As the journal's `read_after`.
    pub async fn map_after<T: Send + 'static>(
        &self,
        sequence: u64,
        limit: ReadLimit,
        map: impl FnOnce(Vec<StoredEntry>) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let tail = self.tail();
        let read = move |journal: &dyn Journal| {
            journal.read_after(sequence, limit).map(|found| map(up_to(tail, found)))
        };
        if self.journal.in_memory(sequence.saturating_add(1)) {
            return read(&*self.journal);
        }
        let journal = Arc::clone(&self.journal);
        blocking(move || read(&*journal)).await
    }

    /// The equivalent of a position in this log; see [`JournalInfo::resolve`].
    pub fn resolve(&self, position: Position) -> Option<Position> {
        self.info().resolve(position)
    }

    /// The entries after a position, present and future.
    pub fn feed(&self, after: Position) -> Feed {
        Feed { tail: self.tail.clone(), source: self.clone(), after }
    }
}

/// The entries up to a position of the same log.
fn up_to(tail: Position, mut entries: Vec<StoredEntry>) -> Vec<StoredEntry> {
    entries.truncate(entries.partition_point(|entry| entry.sequence <= tail.sequence));
    entries
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A cursor in a journal that waits at the tail.
pub struct Feed {
    source: Source,
    tail: watch::Receiver<Position>,
    after: Position,
}

impl Feed {
    /// The next entries, at least one; waits at the tail. Safe to cancel.
    ///
    /// # Errors
    /// If the journal cannot be read, or takes no more entries.
    pub async fn next(&mut self, limit: ReadLimit) -> Result<Vec<StoredEntry>, FeedError> {
        loop {
            self.tail.borrow_and_update();
            let entries = self.source.read(self.after, limit).await?;
            if let Some(last) = entries.last() {
                // Entries after a position of an ancestor log belong to this log.
                self.after = Position::after(self.tail().log, last.sequence, &last.hash);
                return Ok(entries);
            }
            self.tail.changed().await.map_err(|_| FeedError::Closed)?;
        }
    }

    /// The last position that was read.
    pub fn position(&self) -> Position {
        self.after
    }

    /// The position of the last entry that readers get.
    pub fn tail(&self) -> Position {
        *self.tail.borrow()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use milepost_types::{HashPrefix, LogId};

    use super::*;
    use crate::journal::conformance::{Chain, append};
    use crate::journal::memory::MemoryJournal;

    #[test]
    fn a_reader_at_the_tail_is_answered_without_a_thread_and_another_history_is_still_noticed() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        append(&*journal, &mut Chain::default(), [vec![1], vec![2]]);
        let source = Source::new(journal);
        let tail = source.tail();
        // There is no runtime here, so a blocking thread would panic.
        let mut read = pin!(source.read(tail, ReadLimit::default()));
        let answer = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(&answer, Poll::Ready(Ok(entries)) if entries.is_empty()), "{answer:?}");

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let foreign = Position { hash: HashPrefix::from_bytes([9; 8]), ..tail };
        let answer = runtime.block_on(source.read(foreign, ReadLimit::default()));
        assert!(matches!(answer, Err(ReadError::Diverged { .. })), "{answer:?}");
    }
}
