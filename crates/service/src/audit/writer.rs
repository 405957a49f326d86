//! The thread that writes the log.
//!
//! Invariants: a record is written when it comes, unless the same was written of the same caller less than ten seconds
//! before: then it is counted, and the count is written when those are over. A disk that takes nothing is an error once,
//! a metric and a degraded check; calls go on. Old files that cannot be removed are an error once and a degraded check;
//! records go on.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use milepost_types::Clock;
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
struct RepeatKey {
    kind: Kind,
    caller: String,
    on_behalf_of: String,
    credential: String,
    method: String,
    code: String,
}

impl RepeatKey {
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
    clock: Arc<dyn Clock>,
    repeated: HashMap<RepeatKey, Repeated>,
    /// Why nothing can be written, if it is so.
    unwritable: Option<String>,
    /// Why old files stay, if they do.
    unremovable: Option<String>,
}

impl Writer {
    /// Opens the log.
    pub(super) fn open(
        config: &config::Audit,
        shared: Arc<Shared>,
        counters: Counters,
        check: Check,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let directory = config.directory.clone().unwrap_or_default();
        let files = Files::open(&directory, config.max_file_bytes.0, config.max_files);
        let files = files.map_err(|error| {
            io::Error::new(error.kind(), format!("audit.directory, {}: {error}", directory.display()))
        })?;
        check.ready();
        let repeated = HashMap::new();
        Ok(Self { shared, files, counters, check, clock, repeated, unwritable: None, unremovable: None })
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
                    Message::Record(record) => {
                        self.shared.queued.fetch_sub(1, Ordering::Relaxed);
                        lines.extend(self.take(*record));
                    }
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
        let (now, same) = (Instant::now(), RepeatKey::of(&record));
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
            Record { count, ..Record::new(self.clock.now(), Kind::Dropped) }
        })
    }

    fn write(&mut self, records: &[Record]) {
        let lines: String = records.iter().map(Record::line).collect();
        match self.files.append(&lines).and_then(|()| self.files.sync()) {
            Ok(()) => {
                self.counters.records.inc_by(records.len() as u64);
                if self.unwritable.take().is_some() {
                    tracing::info!("the audit log is written again");
                    self.show();
                }
            }
            Err(error) => {
                self.counters.failed.inc();
                // Whatever was in them is said to be missing once there is room again.
                let lost: u64 = records.iter().map(|record| record.count).sum();
                self.shared.dropped.fetch_add(lost, Ordering::Relaxed);
                let reason = format!("the audit log cannot be written: {error}");
                if self.unwritable.replace(reason).is_none() {
                    tracing::error!(error = %error, "the audit log cannot be written; calls go on");
                    self.show();
                }
            }
        }
        self.remove_old();
    }

    /// Removes what is too much, once the records are written.
    fn remove_old(&mut self) {
        let reason = match self.files.remove_old() {
            Ok(false) => return,
            Ok(true) => None,
            Err(error) => Some(format!("old files of the audit log cannot be removed: {error}")),
        };
        if let Some(reason) = reason.as_ref().filter(|_| self.unremovable.is_none()) {
            tracing::error!(reason, "the audit log grows");
        }
        self.unremovable = reason;
        self.show();
    }

    /// Shows in readiness whether anything is wrong.
    fn show(&self) {
        match self.unwritable.as_ref().or(self.unremovable.as_ref()) {
            Some(reason) => self.check.degraded(reason.clone()),
            None => self.check.ready(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Audit;
    use super::super::files::contents;
    use super::*;
    use crate::readiness::Readiness;
    use jiff::Timestamp;
    use milepost_types::ManualClock;

    fn refused(peer: &str) -> Record {
        Record {
            peer: peer.into(),
            code: "UNAUTHENTICATED".into(),
            ..Record::new(START, Kind::CredentialRefused)
        }
    }

    /// When a test is.
    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn written(send: impl FnOnce(&Audit)) -> Vec<Record> {
        let dir = tempfile::tempdir().unwrap();
        let config = config::Audit { directory: Some(dir.path().to_owned()), ..config::Audit::default() };
        let audit = Audit::new(&config);
        let shared = audit.0.clone().unwrap();
        let check = Readiness::new().check("audit.log");
        let clock = Arc::new(ManualClock::new(START));
        let writer = Writer::open(&config, Arc::clone(&shared), Counters::default(), check, clock).unwrap();
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
        let taken = QUEUED / 2;
        assert_eq!((dropped.len(), dropped[0].count), (1, (QUEUED * 2 - taken) as u64));
        assert_eq!(dropped[0].time, START, "the clock is the server's");
        assert_eq!(many.len(), taken + 1);
    }

    #[test]
    fn who_floods_with_credentials_or_calls_that_are_refused_leaves_room_for_changes_of_access() {
        let of = |kind, i: usize| Record { principal: format!("user:corp/{i}"), ..Record::new(START, kind) };
        let records = written(|audit| {
            for kind in [Kind::CredentialRefused, Kind::Read, Kind::Denied] {
                (0..QUEUED).for_each(|i| audit.record(|| of(kind, i)));
            }
            audit.record(|| of(Kind::AccessChanged, 0));
        });
        let count = |kind| records.iter().filter(|record| record.kind == kind).count();
        let kinds = [Kind::CredentialRefused, Kind::Read, Kind::Denied, Kind::AccessChanged].map(count);
        assert_eq!(kinds, [QUEUED / 2, 0, QUEUED / 4, 1]);
        let dropped = records.iter().find(|record| record.kind == Kind::Dropped).unwrap();
        assert_eq!(dropped.count as usize, QUEUED * 3 - QUEUED / 4 * 3);
    }

    #[test]
    fn a_queue_that_was_emptied_takes_as_much_again() {
        let config = config::Audit { directory: Some("unused".into()), ..config::Audit::default() };
        let audit = Audit::new(&config);
        for _ in 0..3 {
            (0..QUEUED).for_each(|i| audit.record(|| refused(&i.to_string())));
            assert_eq!(audit.waiting().len(), QUEUED / 2);
        }
    }

    #[test]
    fn records_are_written_though_old_files_cannot_be_removed_and_readiness_says_so_until_they_can() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Some(dir.path().to_owned());
        let config = config::Audit { directory, max_files: 2, ..config::Audit::default() };
        let shared = Audit::new(&config).0.unwrap();
        let readiness = Readiness::new();
        let clock = Arc::new(ManualClock::new(START));
        let check = readiness.check("audit.log");
        let mut writer =
            Writer::open(&config, Arc::clone(&shared), Counters::default(), check, clock).unwrap();
        writer.files = Files::open(dir.path(), 1, 2).unwrap();
        let state = || readiness.report().checks["audit.log"].clone();
        let oldest = dir.path().join("audit-00000001.jsonl");
        for number in 1..6 {
            writer.write(&[refused("10.0.0.1:1")]);
            assert_eq!(
                contents(dir.path(), number).unwrap().iter().filter(|byte| **byte == b'\n').count(),
                1
            );
            if number == 1 {
                std::fs::remove_file(&oldest).unwrap();
                std::fs::create_dir(&oldest).unwrap();
            }
        }
        assert_eq!(state().as_str(), "degraded");
        assert!(state().reason().contains("audit-00000001.jsonl"), "{}", state().reason());
        assert_eq!((writer.counters.failed.get(), shared.dropped.load(Ordering::Relaxed)), (0, 0));
        std::fs::remove_dir(&oldest).unwrap();
        writer.write(&[refused("10.0.0.1:1")]);
        assert_eq!(state().as_str(), "ready");
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
        let change = || Record { principal: "user:corp/a".into(), ..Record::new(START, Kind::AccessChanged) };
        assert_eq!(written(|audit| (0..5).for_each(|_| audit.record(change))).len(), 5);
    }
}
