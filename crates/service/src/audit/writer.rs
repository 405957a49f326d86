//! The thread that writes the log.
//!
//! Invariants: a record is written when it comes, unless the same was written of the same caller less than ten seconds
//! before: then it is counted, and the count is written when those are over. A disk that takes nothing is an error once,
//! a metric and a degraded check; calls go on.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;

use super::files::Files;
use super::record::{Kind, Record};
use super::{Message, Shared};
use crate::config::audit as config;
use crate::readiness::Check;
use crate::telemetry::Metrics;

/// Records that were written.
pub const RECORDS_TOTAL: &str = "milepost_audit_records_total";
/// Records that were left out, because there were more than could be written.
pub const DROPPED_TOTAL: &str = "milepost_audit_dropped_total";
/// Attempts to write that failed.
pub const FAILED_TOTAL: &str = "milepost_audit_failed_total";

/// How long the same of the same caller is one record.
const WINDOW: Duration = Duration::from_secs(10);
/// Different things that are counted at once; what is beyond them is written each time.
const COUNTED: usize = 4096;
/// How long the thread waits for a record before it looks at its counts.
const PATIENCE: Duration = Duration::from_millis(250);
/// Records of one write, at most.
const AT_ONCE: usize = 256;

/// What an operator sees of the log.
#[derive(Debug, Default)]
pub(super) struct Counters {
    records: Counter,
    dropped: Counter,
    failed: Counter,
}

impl Counters {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let this = Self::default();
        metrics.register(RECORDS_TOTAL, "Records of the audit log that were written", this.records.clone());
        metrics.register(DROPPED_TOTAL, "Records of the audit log that were left out", this.dropped.clone());
        metrics.register(FAILED_TOTAL, "Writes of the audit log that failed", this.failed.clone());
        this
    }
}

/// What makes two records the same: not what was wrong, which whoever floods can choose.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    kind: Kind,
    caller: String,
    on_behalf_of: String,
    credential: String,
    method: String,
    code: String,
}

impl Same {
    fn of(record: &Record) -> Self {
        // Ports of one machine change with each connection.
        let address = record.peer.rsplit_once(':').map_or(record.peer.as_str(), |(address, _)| address);
        let caller = if record.principal.is_empty() { address } else { &record.principal };
        let Record { kind, on_behalf_of, credential, method, code, .. } = record.clone();
        Self { kind, caller: caller.to_owned(), on_behalf_of, credential, method, code }
    }
}

/// Records that are the same as one that was written.
struct Repeated {
    until: Instant,
    /// The first of them, with how many there were and the resources of all.
    first: Option<Record>,
}

/// Writes the log.
pub(super) struct Writer {
    shared: Arc<Shared>,
    files: Files,
    counters: Counters,
    check: Check,
    repeated: HashMap<Same, Repeated>,
    failing: bool,
}

impl Writer {
    /// Opens the log.
    pub(super) fn open(
        config: &config::Audit,
        shared: Arc<Shared>,
        counters: Counters,
        check: Check,
    ) -> io::Result<Self> {
        let directory = config.directory.clone().unwrap_or_default();
        let files = Files::open(&directory, config.max_file_bytes.0, config.max_files);
        let files = files.map_err(|error| {
            io::Error::new(error.kind(), format!("audit.directory, {}: {error}", directory.display()))
        })?;
        check.ready();
        Ok(Self { shared, files, counters, check, repeated: HashMap::new(), failing: false })
    }

    /// Writes what comes until no call runs any more.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        let mut stopped = false;
        while !stopped {
            let mut lines = Vec::new();
            let first = match queue.recv_timeout(PATIENCE) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
            };
            let rest = std::iter::from_fn(|| queue.try_recv().ok());
            for message in first.into_iter().chain(rest.take(AT_ONCE)) {
                match message {
                    Message::Record(record) => lines.extend(self.take(*record)),
                    Message::Stop => stopped = true,
                }
            }
            lines.extend(self.ended(stopped));
            lines.extend(self.dropped());
            if !lines.is_empty() {
                self.write(&lines);
            }
        }
    }

    /// What is to be written of a record now.
    fn take(&mut self, record: Record) -> Option<Record> {
        let (now, same) = (Instant::now(), Same::of(&record));
        // Every change of access is one.
        if record.kind == Kind::AccessChanged {
            return Some(record);
        }
        match self.repeated.get_mut(&same) {
            Some(repeated) if now < repeated.until => {
                match &mut repeated.first {
                    Some(first) => first.add(&record),
                    first => *first = Some(record),
                }
                None
            }
            _ => {
                // What a repetition before counted is written when its time is over, below.
                if self.repeated.len() < COUNTED && !self.repeated.contains_key(&same) {
                    self.repeated.insert(same, Repeated { until: now + WINDOW, first: None });
                }
                Some(record)
            }
        }
    }

    /// Counts whose time is over, or all of them.
    fn ended(&mut self, all: bool) -> Vec<Record> {
        let now = Instant::now();
        let over = self.repeated.extract_if(|_, repeated| all || repeated.until <= now);
        over.filter_map(|(_, repeated)| repeated.first).collect()
    }

    /// How many records the queue did not take.
    fn dropped(&mut self) -> Option<Record> {
        let count = self.shared.dropped.swap(0, Ordering::Relaxed);
        (count > 0).then(|| {
            self.counters.dropped.inc_by(count);
            Record { count, ..Record::new(now(), Kind::Dropped) }
        })
    }

    fn write(&mut self, records: &[Record]) {
        let lines: String = records.iter().map(Record::line).collect();
        match self.files.append(&lines).and_then(|()| self.files.sync()) {
            Ok(()) => {
                self.counters.records.inc_by(records.len() as u64);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the audit log is written again");
                    self.check.ready();
                }
            }
            Err(error) => {
                self.counters.failed.inc();
                // Whatever was in them is said to be missing once there is room again.
                let lost: u64 = records.iter().map(|record| record.count).sum();
                self.shared.dropped.fetch_add(lost, Ordering::Relaxed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(error = %error, "the audit log cannot be written; calls go on");
                    self.check.degraded(format!("the audit log cannot be written: {error}"));
                }
            }
        }
    }
}

fn now() -> Timestamp {
    milepost_types::Clock::now(&milepost_types::SystemClock)
}

#[cfg(test)]
mod tests {
    use super::super::Audit;
    use super::super::files::contents;
    use super::*;
    use crate::readiness::Readiness;

    fn refused(peer: &str) -> Record {
        Record {
            peer: peer.into(),
            code: "UNAUTHENTICATED".into(),
            ..Record::new(now(), Kind::CredentialRefused)
        }
    }

    fn written(send: impl FnOnce(&Audit)) -> Vec<Record> {
        let dir = tempfile::tempdir().unwrap();
        let config = config::Audit { directory: Some(dir.path().to_owned()), ..config::Audit::default() };
        let audit = Audit::new(&config);
        let shared = audit.0.clone().unwrap();
        let check = Readiness::new().check("audit.log");
        let writer = Writer::open(&config, Arc::clone(&shared), Counters::default(), check).unwrap();
        let queue = shared.waiting.lock().take().unwrap();
        send(&audit);
        let thread = std::thread::spawn(move || writer.run(&queue));
        shared.queue.send(Message::Stop).unwrap();
        thread.join().unwrap();
        let bytes = contents(dir.path(), 1).unwrap();
        bytes.split(|byte| *byte == b'\n').filter_map(Record::read).collect()
    }

    #[test]
    fn a_flood_from_one_machine_is_two_records_and_one_of_many_is_counted() {
        let records = written(|audit| {
            (0..1000).for_each(|port| audit.record(|| refused(&format!("10.0.0.1:{port}"))));
        });
        let counts: Vec<_> = records.iter().map(|record| record.count).collect();
        assert_eq!(counts, [1, 999]);
        let many = written(|audit| {
            (0..QUEUED * 2)
                .for_each(|i| audit.record(|| refused(&format!("10.0.{}.{}:1", i / 250, i % 250))));
        });
        let dropped: Vec<_> = many.iter().filter(|record| record.kind == Kind::Dropped).collect();
        assert_eq!((dropped.len(), dropped[0].count), (1, QUEUED as u64));
        assert_eq!(many.len(), QUEUED + 1);
    }

    const QUEUED: usize = super::super::QUEUE;

    #[test]
    fn repeats_name_the_resources_of_all_and_when_they_began() {
        let at = |second, name: &'static str| Record {
            principal: "user:corp/a".into(),
            ..Record::new(Timestamp::from_second(second).unwrap(), Kind::Denied).about([name].into_iter())
        };
        let records = written(|audit| {
            for (second, name) in
                [(1, "portfolios/a"), (2, "portfolios/b"), (3, "portfolios/c"), (4, "portfolios/b")]
            {
                audit.record(|| at(second, name));
            }
        });
        let found: Vec<_> = records.iter().map(|record| (record.time.as_second(), record.count)).collect();
        assert_eq!(found, [(1, 1), (2, 3)]);
        assert_eq!(records[1].resources, ["portfolios/b", "portfolios/c"]);
    }

    #[test]
    fn every_change_of_access_is_a_record() {
        let change = || Record { principal: "user:corp/a".into(), ..Record::new(now(), Kind::AccessChanged) };
        assert_eq!(written(|audit| (0..5).for_each(|_| audit.record(change))).len(), 5);
    }
}
