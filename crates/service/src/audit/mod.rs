//! The audit log: refused credentials, denied calls, changes of access, and reads if asked for, as lines of JSON in files
//! of its own.
//!
//! Invariants: recording never waits, and a flood neither grows memory nor fills a disk: what the queue does not take is
//! counted, the same of the same caller within ten seconds is one record, and old files go. What anybody can flood it
//! with is left out first, and changes of access last. The journal never has any of
//! this. No record has a secret. Does not record writes: their entries say who made them.

mod files;
mod record;
mod service;
mod writer;

pub use record::{Kind, Record};
pub use service::AuditRoutes;
pub use writer::{DROPPED_TOTAL, FAILED_TOTAL, RECORDS_TOTAL};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;

use crate::config::audit as config;
use crate::host::{Component, ServiceContext};
use writer::{Counters, Writer};

/// Records that wait to be written, at most.
const QUEUE: usize = 4096;

/// Where records go. Clones share it; without a directory nothing is recorded.
#[derive(Clone, Default)]
pub struct Audit(Option<Arc<Shared>>);

struct Shared {
    config: config::Audit,
    queue: SyncSender<Message>,
    /// Records in the queue, and such as are about to be.
    queued: AtomicUsize,
    /// Until the log is opened.
    waiting: Mutex<Option<Receiver<Message>>>,
    dropped: AtomicU64,
}

enum Message {
    Record(Box<Record>),
    /// No call runs any more.
    Stop,
}

impl Audit {
    /// As the configuration says.
    pub(crate) fn new(config: &config::Audit) -> Self {
        Self(config.directory.is_some().then(|| {
            let (queue, waiting) = sync_channel(QUEUE);
            let (config, waiting) = (config.clone(), Mutex::new(Some(waiting)));
            let (queued, dropped) = (AtomicUsize::new(0), AtomicU64::new(0));
            Arc::new(Shared { config, queue, queued, waiting, dropped })
        }))
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether reads are recorded.
    pub(crate) fn has_reads(&self) -> bool {
        self.0.as_ref().is_some_and(|shared| shared.config.reads)
    }

    /// Records what this makes, unless nothing is recorded.
    pub(crate) fn record(&self, record: impl FnOnce() -> Record) {
        let Some(shared) = &self.0 else { return };
        let record = Box::new(record());
        let has_room = shared.queued.fetch_add(1, Ordering::Relaxed) < room(record.kind);
        if !has_room || shared.queue.try_send(Message::Record(record)).is_err() {
            shared.queued.fetch_sub(1, Ordering::Relaxed);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was recorded, while no log is open.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<Record> {
        let shared = self.0.as_ref().expect("something is recorded");
        let waiting = shared.waiting.lock();
        let queue = waiting.as_ref().expect("no log is open");
        let record = |message| if let Message::Record(record) = message { Some(*record) } else { None };
        let records: Vec<_> = queue.try_iter().filter_map(record).collect();
        shared.queued.fetch_sub(records.len(), Ordering::Relaxed);
        records
    }

    /// The log's share of a server: its files are written until no call runs any more.
    ///
    /// # Errors
    /// If the directory cannot be made, or its newest file not be written.
    pub fn component(&self, context: &ServiceContext) -> io::Result<Option<Component>> {
        let Some(shared) = &self.0 else { return Ok(None) };
        let Some(waiting) = shared.waiting.lock().take() else { return Ok(None) };
        let counters = Counters::register(&context.metrics);
        let check = context.readiness.check("audit.log");
        let clock = Arc::clone(&context.clock);
        let writer = Writer::open(&shared.config, Arc::clone(shared), counters, check, clock)?;
        let thread = std::thread::Builder::new().name("audit-write".to_owned());
        let thread = thread.spawn(move || writer.run(&waiting))?;
        let queue = shared.queue.clone();
        let component = Component::new("audit").on_close(async move {
            let joined = tokio::task::spawn_blocking(move || {
                // The queue has room again as soon as the thread reads on.
                let _ = queue.send(Message::Stop);
                thread.join()
            });
            joined.await?.map_err(|_| "the audit log's thread panicked".into())
        });
        Ok(Some(component))
    }
}

/// How full the queue may be for a record of this kind to be taken: callers that nobody knows, and reads, leave room for
/// what known callers were denied, and all of them for changes of access.
fn room(kind: Kind) -> usize {
    match kind {
        Kind::CredentialRefused | Kind::Read => QUEUE / 2,
        Kind::Denied => QUEUE / 4 * 3,
        Kind::AccessChanged | Kind::Dropped => QUEUE,
    }
}

/// An address as records have it.
pub(crate) fn peer(address: Option<SocketAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}
