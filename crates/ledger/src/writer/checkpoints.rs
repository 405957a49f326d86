//! When a checkpoint begins, and what the writer does with its result.
//!
//! Invariants: at most one checkpoint runs at a time; its table stays in front of the base until its result is
//! taken in; a checkpoint that fails ends the ledger. The rows are written by the checkpoint thread
//! (`store::Checkpointer`), never by the writer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::options::Options;
use crate::shared::Shared;
use crate::store::{Checkpointer, Done};

/// The writer's side of the checkpoints.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    options: Options,
    store_version: u32,
    thread: Checkpointer,
    done: Receiver<Done>,
    running: bool,
}

impl Checkpoints {
    /// Starts the checkpoint thread; `notify` is called on it after each checkpoint.
    pub(super) fn start(
        name: &str,
        store_version: u32,
        options: &Options,
        shared: Arc<Shared>,
        notify: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, done) = channel();
        let observer = options.observe_checkpoint.clone();
        let thread = Checkpointer::start(name, Arc::clone(&shared.base), observer, move |result| {
            let _ = sender.send(result);
            notify();
        })?;
        Ok(Self { shared, options: options.clone(), store_version, thread, done, running: false })
    }

    /// Begins a checkpoint if the memory table is large enough and none is running.
    pub(super) fn begin_if_due(&mut self) {
        if !self.running && !self.shared.failed() && self.shared.state.read().is_due(&self.options) {
            self.begin();
        }
    }

    fn begin(&mut self) {
        let (mark, frozen) = {
            let mut state = self.shared.state.write();
            let mark = state.mark(self.store_version);
            let frozen = state.freeze();
            if frozen.is_empty() {
                return;
            }
            // Readers must see the frozen table in front of the base before the base changes.
            state.layers.frozen = Some(frozen.clone());
            (mark, frozen)
        };
        self.shared.stats.checkpoints.add(1);
        self.shared.stats.checkpoint_rows.add(frozen.len() as u64);
        self.running = true;
        self.thread.begin(frozen, mark);
    }

    /// Takes in the result of the running checkpoint if it comes within `timeout`; the ledger fails if the
    /// checkpoint did. Begins the next one if it is due.
    pub(super) fn collect(&mut self, timeout: Duration) {
        if let Err(reason) = self.take_result(timeout) {
            self.shared.fail(&reason);
        }
        self.begin_if_due();
    }

    fn take_result(&mut self, timeout: Duration) -> Result<(), String> {
        match self.done.recv_timeout(timeout) {
            Ok(Ok(digest)) => {
                let written = {
                    let mut state = self.shared.state.write();
                    state.digest = digest;
                    state.layers.frozen.take()
                };
                if let Some(written) = written {
                    self.thread.drop_table(written);
                }
                self.running = false;
                Ok(())
            }
            Ok(Err(error)) => {
                self.running = false;
                Err(error.with_source())
            }
            Err(RecvTimeoutError::Disconnected) if self.running => {
                self.running = false;
                Err("the checkpoint thread panicked".to_owned())
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    /// Blocks while the memory table is over its bound and a checkpoint is running.
    pub(super) fn wait_for_table_space(&mut self) {
        while self.running
            && self.shared.state.read().table_bytes > self.options.table_bytes
            && !self.shared.failed()
        {
            self.shared.stats.checkpoint_waits.add(1);
            self.collect(Duration::from_secs(1));
        }
    }

    /// Waits until no checkpoint is running.
    pub(super) fn wait_until_idle(&mut self) {
        while self.running {
            self.collect(Duration::from_secs(1));
        }
    }

    /// Makes the last checkpoint. If it fails, only the next start takes longer.
    pub(super) fn write_last(&mut self) {
        self.begin();
        while self.running {
            if let Err(reason) = self.take_result(Duration::from_secs(1)) {
                tracing::warn!(reason, "the last checkpoint failed; the next start replays more entries");
            }
        }
    }
}
