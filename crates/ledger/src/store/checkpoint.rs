//! Checkpoints: a frozen table becomes part of the base, off the writer's thread.
//!
//! Invariant: the base goes from the rows at one sequence to the rows at a later one whole: what is to be
//! written is recorded first, and after a crash the rest of it is done on open. Until it is done, the frozen
//! table stays in front of the base, so that nobody sees a part. Checkpoints are large and rare, since a row
//! that changes often is then written once, and since the journal's syncs queue behind the store's.

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
    /// What is to be written is on the disk, beside sled.
    Recorded,
    /// It is in sled's hands.
    Written,
    /// sled has it on the disk.
    Synced,
}

/// How a checkpoint went.
pub(crate) type Done = Result<Digest, StoreError>;

/// Told of each step, with the sequence of the checkpoint.
pub(crate) type Observer = Arc<dyn Fn(Step, u64) + Send + Sync>;

enum Work {
    Write(Table, Mark),
    DropTable(Table),
}

/// The checkpoint thread; at most one checkpoint is under way.
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

    /// Hands a frozen table over. `mark.digest` is the digest before it.
    pub(crate) fn begin(&self, table: Table, mark: Mark) {
        self.send(Work::Write(table, mark));
    }

    /// Has the thread drop a table that was written: that takes long.
    pub(crate) fn drop_table(&self, table: Table) {
        self.send(Work::DropTable(table));
    }

    fn send(&self, work: Work) {
        if let Some(queue) = &self.work {
            // The thread only ends after this sender is dropped, or by a panic that `done` reported.
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
