//! Checkpoints: a frozen table becomes part of the base, off the writer's thread.
//!
//! Invariant: the base moves from the rows at one sequence to the rows at a later one as a whole: the rows are
//! recorded first, and after a crash the rest of them is written on open. Until then the frozen
//! table stays in front of the base, so that no reader sees a part. Checkpoints are large and rare, because a row
//! that changes often is then written once, and because the journal's syncs wait behind the store's. When one
//! begins is decided by the writer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::base::Base;
use super::change::Table;
use super::digest::Digest;
use super::error::StoreError;
use super::mark::Mark;

/// The steps of a checkpoint, for tests that stop after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The table is frozen; nothing is written.
    Frozen,
    /// The rows are recorded on the disk, beside sled.
    Recorded,
    /// The rows are written to sled, not synced.
    Written,
    /// The rows are on the disk.
    Synced,
}

/// The result of a checkpoint: the digest after it.
pub(crate) type Done = Result<Digest, StoreError>;

/// Called at each step, with the sequence of the checkpoint.
pub(crate) type Observer = Arc<dyn Fn(Step, u64) + Send + Sync>;

enum Work {
    Write(Table, Mark),
    DropTable(Table),
}

/// The checkpoint thread; at most one checkpoint runs at a time.
pub(crate) struct Checkpointer {
    work: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread; `done` is called on it after each checkpoint.
    pub(crate) fn start(
        name: &str,
        base: Arc<Base>,
        observer: Option<Observer>,
        done: impl Fn(Done) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (work, queue) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(format!("{name}-ckpt"))
            .spawn(move || run(&base, &queue, observer.as_ref(), done))?;
        Ok(Self { work: Some(work), thread: Some(thread) })
    }

    /// Passes a frozen table to the thread. `mark.digest` is the digest before it.
    pub(crate) fn begin(&self, table: Table, mark: Mark) {
        self.send(Work::Write(table, mark));
    }

    /// Drops a written table on the thread, because that takes long.
    pub(crate) fn drop_table(&self, table: Table) {
        self.send(Work::DropTable(table));
    }

    fn send(&self, work: Work) {
        if let Some(queue) = &self.work {
            // The thread ends only when this sender is dropped, or by a panic, which closes the channel of `done`.
            let _ = queue.send(work);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(base: &Base, queue: &Receiver<Work>, observer: Option<&Observer>, done: impl Fn(Done)) {
    while let Ok(work) = queue.recv() {
        let (table, mark) = match work {
            Work::Write(table, mark) => (table, mark),
            Work::DropTable(table) => {
                drop(table);
                continue;
            }
        };
        let observe = |step| {
            if let Some(observer) = observer {
                observer(step, mark.sequence);
            }
        };
        observe(Step::Frozen);
        done(write(base, &table, mark, observe));
    }
}

/// Writes one checkpoint, durably. `mark.digest` is the digest before it; the answer is the digest after it.
pub(crate) fn write(base: &Base, table: &Table, mut mark: Mark, observe: impl Fn(Step)) -> Done {
    let (rows, digest) = base.difference(mark.digest, table)?;
    mark.digest = digest;
    base.record(&rows, &mark)?;
    observe(Step::Recorded);
    base.write(&rows, &mark)?;
    observe(Step::Written);
    base.sync()?;
    observe(Step::Synced);
    Ok(mark.digest)
}
