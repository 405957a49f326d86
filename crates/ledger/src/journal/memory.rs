//! The memory engine: a journal for tests, lost when it is dropped.
//!
//! Invariants: the same as of every engine (the conformance suite runs on it). Several ledgers
//! may share one through an `Arc`, as they would a replicated log. For tests, an append can be made to
//! fail in each possible way.

use std::fmt;
use std::io;

use milepost_types::{Hash, Lineage, LogId, Position};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{AppendError, Block, DiskRoom, Journal, JournalInfo, ReadError, ReadLimit, StoredEntry};

/// The space reported by an append that fails with `Failure::DiskLow`.
const LOW: DiskRoom = DiskRoom { free_bytes: 0, floor_bytes: 1, needed_bytes: 0 };

/// How the next append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// `DiskLow`; the journal can be appended to again.
    DiskLow,
    /// `Poisoned`, and the block is not stored.
    Lost,
    /// `Poisoned`, but the block is stored: it is there when the log is opened again.
    Stored,
}

/// A journal in memory.
pub struct MemoryJournal {
    log: LogId,
    lineage: Lineage,
    state: Mutex<State>,
    tail: watch::Receiver<Position>,
}

struct State {
    entries: Vec<StoredEntry>,
    /// `None` when it takes no more appends.
    sender: Option<watch::Sender<Position>>,
    poisoned: Option<String>,
    failures: Vec<Failure>,
}

impl State {
    fn hash(&self) -> Hash {
        self.entries.last().map_or(Hash::ZERO, |last| last.hash)
    }
}

impl MemoryJournal {
    /// An empty log with this id.
    pub fn new(log: LogId) -> Self {
        Self::with_entries(log, Lineage::default(), Vec::new())
    }

    /// A log that already holds `entries`, which are from sequence 1 on and chained; `lineage` is what it
    /// was restored from.
    pub fn with_entries(log: LogId, lineage: impl Into<Lineage>, entries: Vec<StoredEntry>) -> Self {
        let last = entries.last();
        let tail = last.map_or(Position::start(log), |last| Position::after(log, last.sequence, &last.hash));
        let (sender, receiver) = watch::channel(tail);
        let state = State { entries, sender: Some(sender), poisoned: None, failures: Vec::new() };
        Self { log, lineage: lineage.into(), state: Mutex::new(state), tail: receiver }
    }

    /// The same log, as another process would open it after this one ended.
    #[must_use]
    pub fn reopened(&self) -> Self {
        Self::with_entries(self.log, self.lineage.clone(), self.state.lock().entries.clone())
    }

    /// Makes the next append that passes the fence fail; several calls queue up.
    pub fn fail_next(&self, failure: Failure) {
        self.state.lock().failures.push(failure);
    }

    fn read_after(
        &self,
        after: &Position,
        compare: bool,
        limit: ReadLimit,
    ) -> Result<Vec<StoredEntry>, ReadError> {
        let state = self.state.lock();
        let tail = *self.tail.borrow();
        if self.lineage.resolve(self.log, *after).is_none() {
            return Err(ReadError::elsewhere(*after, &self.lineage, tail));
        }
        if after.sequence > tail.sequence {
            return Err(ReadError::Ahead { asked: *after, tail });
        }
        let from = after.sequence as usize;
        let have = match from.checked_sub(1) {
            Some(last) => Position::after(self.log, after.sequence, &state.entries[last].hash),
            None => Position::start(self.log),
        };
        if compare && have.hash != after.hash {
            return Err(ReadError::Diverged { asked: *after, have });
        }
        let mut bytes = 0;
        let durable = &state.entries[from..tail.sequence as usize];
        let wanted = durable.iter().enumerate().take_while(|(index, entry)| {
            let more = *index == 0 || (*index < limit.entries && bytes < limit.bytes);
            bytes += entry.bytes.len();
            more
        });
        Ok(wanted.map(|(_, entry)| entry.clone()).collect())
    }
}

impl Journal for MemoryJournal {
    fn append(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        let mut state = self.state.lock();
        if let Some(reason) = state.poisoned.clone() {
            return Err(AppendError::Poisoned { reason });
        }
        let tail = *self.tail.borrow();
        if *after != tail {
            return Err(AppendError::Conflict { tail });
        }
        block.check(&tail, &state.hash())?;
        let failure = if state.failures.is_empty() { None } else { Some(state.failures.remove(0)) };
        if failure == Some(Failure::DiskLow) {
            return Err(AppendError::DiskLow(LOW));
        }
        if failure != Some(Failure::Lost) {
            state.entries.extend(block.entries.iter().cloned());
        }
        if failure.is_some() {
            let reason = "a failure injected by a test".to_owned();
            state.poisoned = Some(reason.clone());
            state.sender = None;
            return Err(AppendError::Poisoned { reason });
        }
        let sequence = state.entries.len() as u64;
        let tail = Position::after(self.log, sequence, &state.hash());
        if let Some(sender) = &state.sender {
            sender.send_replace(tail);
        }
        Ok(tail)
    }

    fn read(&self, after: &Position, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        self.read_after(after, true, limit)
    }

    fn read_after(&self, sequence: u64, limit: ReadLimit) -> Result<Vec<StoredEntry>, ReadError> {
        let after = Position { sequence, ..Position::start(self.log) };
        self.read_after(&after, false, limit)
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.tail.clone()
    }

    fn info(&self) -> JournalInfo {
        let (log, lineage, tail) = (self.log, self.lineage.clone(), *self.tail.borrow());
        JournalInfo { name: None, log, tail, format: 1, lineage, disk_bytes: 0 }
    }

    fn in_memory(&self, sequence: u64) -> bool {
        (1..=self.tail.borrow().sequence).contains(&sequence)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn poisoned(&self) -> Option<String> {
        self.state.lock().poisoned.clone()
    }

    /// Does nothing: others may still append to a shared log. It is closed when the last of them drops it.
    fn close(&self) -> io::Result<()> {
        match self.poisoned() {
            Some(reason) => Err(io::Error::other(reason)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("log", &self.log).finish_non_exhaustive()
    }
}
