//! Checkpoints: a frozen table becomes part of the base, off the writer's thread.
//!
//! Invariant: the base goes from the rows at one sequence to the rows at a later one in a single
//! batch. Until that is done, the frozen table stays in front of it. A batch need not be on the disk
//! at once, for the journal is the truth: it is synced at intervals, so that the journal's syncs do not
//! queue behind the store's, and what a crash takes with it is replayed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::base::{Base, Mark, StoreError};
use super::digest::Digest;
use super::layers::Table;

/// The steps of a checkpoint, for tests that stop after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The table is frozen; nothing is written.
    Frozen,
    /// The batch is in sled's hands.
    Written,
    /// It is on the disk, with all before it; not every checkpoint comes so far.
    Synced,
}

/// How a checkpoint went.
pub(crate) type Done = Result<Digest, StoreError>;

/// Told of each step, with the sequence of the checkpoint.
pub(crate) type Observer = Arc<dyn Fn(Step, u64) + Send + Sync>;

struct Work {
    table: Table,
    mark: Mark,
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
        sync_interval: Duration,
        observer: Option<Observer>,
        done: impl Fn(Done) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (work, queue) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(format!("{name}-ckpt"))
            .spawn(move || run(&base, &queue, sync_interval, observer.as_ref(), done))?;
        Ok(Self { work: Some(work), thread: Some(thread) })
    }

    /// Hands a frozen table over. `mark.digest` is the digest before it.
    pub(crate) fn begin(&self, table: Table, mark: Mark) {
        if let Some(work) = &self.work {
            // The thread only ends after this sender is dropped, or by a panic that `done` reported.
            let _ = work.send(Work { table, mark });
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

fn run(
    base: &Base,
    queue: &Receiver<Work>,
    sync_interval: Duration,
    observer: Option<&Observer>,
    done: impl Fn(Done),
) {
    let mut synced = Instant::now();
    while let Ok(Work { table, mark }) = queue.recv() {
        let observe = |step| {
            if let Some(observer) = observer {
                observer(step, mark.sequence);
            }
        };
        observe(Step::Frozen);
        let written = write(base, &table, mark).inspect(|_| observe(Step::Written));
        // What waits for the checkpoint need not wait for the disk.
        let failed = written.is_err();
        done(written);
        if !failed && synced.elapsed() >= sync_interval {
            match base.sync() {
                Ok(()) => observe(Step::Synced),
                Err(error) => done(Err(error)),
            }
            synced = Instant::now();
        }
    }
}

/// Writes one checkpoint. `mark.digest` is the digest before it; the answer is the digest after it.
pub(crate) fn write(base: &Base, table: &Table, mut mark: Mark) -> Done {
    mark.digest = base.digest_with(mark.digest, table)?;
    base.write(table, &mark)?;
    Ok(mark.digest)
}
