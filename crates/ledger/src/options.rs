//! The options of a ledger, with defaults for an office of ten thousand projects.
//!
//! Invariant: no option changes what is stored in the journal. The journal has options of its own.

use std::sync::Arc;
use std::time::Duration;

use crate::store::Step;

/// The options of a ledger. Every bound is per ledger.
#[derive(Clone)]
pub struct Options {
    /// At most this many commands are committed together.
    pub group_size: usize,
    /// At most this many commands are queued; further callers wait until their deadline.
    pub queue_bound: usize,
    /// A checkpoint begins when the memory table has this many rows. After a crash, the entries since the last
    /// checkpoint are replayed.
    pub checkpoint_rows: usize,
    /// A checkpoint begins when half as many bytes were put into the memory table; at this many, the writer
    /// waits for the running one.
    pub table_bytes: usize,
    /// The size of the row cache in bytes; sled's own cache gets as much again.
    pub cache_bytes: usize,
    /// The largest entry, in bytes.
    pub max_entry_bytes: usize,
    /// At least this many request ids are remembered, unless they are older than the window.
    pub max_request_ids: usize,
    /// How long a request id is remembered.
    pub request_id_window: Duration,
    /// Called at each step of a checkpoint; for tests.
    pub observe_checkpoint: Option<Arc<dyn Fn(Step, u64) + Send + Sync>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            group_size: 1024,
            queue_bound: 4096,
            checkpoint_rows: 100_000,
            table_bytes: 64 << 20,
            cache_bytes: 64 << 20,
            max_entry_bytes: 64 << 20,
            max_request_ids: 262_144,
            request_id_window: Duration::from_secs(24 * 60 * 60),
            observe_checkpoint: None,
        }
    }
}
