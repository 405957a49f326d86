//! A service's ledger in a process: its files, its options from the configuration, its metrics, and what its
//! failure and its end mean for the process.
//!
//! Layout: `DATA/{ledger}/journal` is the truth, `DATA/{ledger}/store` is derived from it. Invariant: a
//! ledger that has failed stops the process; one that is closed has everything on the disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_ledger::journal::disk::{SystemDisk, make_private};
use milepost_ledger::journal::file::FileOptions;
use milepost_ledger::journal::{self, Engine, OpenMode};
use milepost_ledger::{Domain, Ledger, Options};
use milepost_types::{LedgerKind, Position};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::config::server::Server;
use crate::host::{BoxError, Component, ServiceContext};
use crate::journal_service::Followed;
use crate::origin::expected;
use crate::room;

/// The directory of a ledger under the data directory; its store is under it.
pub fn dir(data_dir: &Path, kind: LedgerKind) -> PathBuf {
    data_dir.join(kind.as_str())
}

/// The directory of a ledger's journal.
pub fn journal_dir(data_dir: &Path, kind: LedgerKind) -> PathBuf {
    dir(data_dir, kind).join("journal")
}

/// What the configuration says of journals.
pub fn file_options(config: &Server) -> FileOptions {
    FileOptions {
        segment_bytes: config.journal.segment_bytes.bytes(),
        min_free_bytes: config.journal.min_free_bytes.bytes(),
        cache_bytes: config.journal.cache_bytes.length(),
        ..FileOptions::default()
    }
}

/// The journal engine that the configuration asks for.
fn engine(config: &Server) -> Engine {
    Engine::file(file_options(config))
}

/// What the configuration says of ledgers.
pub fn ledger_options(config: &Server) -> Options {
    let ledger = &config.ledger;
    Options {
        group_size: ledger.group_size,
        queue_bound: ledger.queue_bound,
        checkpoint_rows: ledger.checkpoint_rows,
        table_bytes: ledger.memory_table_bytes.length(),
        cache_bytes: ledger.cache_bytes.length(),
        max_entry_bytes: ledger.max_entry_bytes.length(),
        max_request_ids: ledger.max_request_ids,
        request_id_window: ledger.request_id_window,
        ..Options::default()
    }
}

/// Opens a service's ledger, which may take long; the readiness check `{ledger}.ledger` tells of it.
///
/// # Errors
/// If the journal cannot be read, is in use, or the store can neither be used nor rebuilt.
pub async fn open<D: Domain>(
    context: &ServiceContext,
    config: &Server,
    kind: LedgerKind,
    domain: D,
) -> Result<Ledger<D>, BoxError> {
    let check = context.readiness.check(format!("{kind}.ledger"));
    check.not_ready("opening");
    let (dir, journal_dir) = (dir(&config.data_dir, kind), journal_dir(&config.data_dir, kind));
    let (engine, options, clock) = (engine(config), ledger_options(config), Arc::clone(&context.clock));
    let runtime = tokio::runtime::Handle::current();
    let opened = tokio::task::spawn_blocking(move || {
        let _runtime = runtime.enter();
        // Journal and store see to what is theirs. The data directory is as its owner wants it.
        make_private(&SystemDisk, [dir.clone()]);
        let journal = journal::open(engine, &journal_dir, expected(kind), OpenMode::ReadWrite)?;
        Ok::<_, BoxError>(Ledger::open(kind.as_str(), &dir, journal, Arc::new(domain), clock, options)?)
    });
    let ledger = opened.await??;
    check.ready();
    context.metrics.register_collector(Counted { kind, ledger: ledger.clone() });
    Ok(ledger)
}

/// Makes a component answer for its ledger: the process stops if it fails, want of room on its disk shows, and it
/// is closed last.
#[must_use]
pub fn attach<D: Domain>(
    component: Component,
    context: &ServiceContext,
    kind: LedgerKind,
    ledger: &Ledger<D>,
) -> Component {
    let (mut failure, drain) = (ledger.failure(), context.drain.clone());
    let check = context.readiness.check(format!("{kind}.ledger"));
    check.ready();
    let closing = ledger.clone();
    let disk = context.readiness.check(format!("{kind}.disk"));
    disk.ready();
    let room = room::watch(kind, ledger.clone(), disk, context.drain.clone());
    component
        .task("disk", async move {
            room.await;
            Ok(())
        })
        .task("ledger", async move {
            tokio::select! {
                () = drain.cancelled() => Ok(()),
                failed = failure.wait_for(Option::is_some) => {
                    let reason = failed.ok().and_then(|reason| reason.clone()).unwrap_or_default();
                    check.not_ready(reason.clone());
                    Err(reason.into())
                }
            }
        })
        .on_close(async move { Ok(tokio::task::spawn_blocking(move || closing.close()).await?) })
}

/// A ledger as the journal service shows it; `followed` tells how far it has followed others.
pub fn followed<D: Domain>(
    config: &Server,
    ledger: &Ledger<D>,
    followed: impl Fn() -> Vec<Position> + Send + Sync + 'static,
) -> Followed {
    Followed {
        source: ledger.source(),
        max_request_ids: config.ledger.max_request_ids as u64,
        request_id_window: config.ledger.request_id_window,
        followed: Box::new(followed),
    }
}

// What follows `milepost_{ledger}_` in the names of metrics; counters get `_total`.

/// Entries that this process committed.
const ENTRIES: &str = "entries";
/// Group commits, each with one sync.
const GROUP_COMMITS: &str = "group_commits";
/// Commands that were rejected or failed, without an effect.
const REFUSED_COMMANDS: &str = "refused_commands";
/// Time spent deciding and applying commands.
const DECIDE_SECONDS: &str = "decide_seconds";
/// Time spent appending to the journal and syncing it.
const APPEND_SECONDS: &str = "append_seconds";
/// Checkpoints of the store.
const CHECKPOINTS: &str = "checkpoints";
/// How often the writer waited for a checkpoint, because the memory table was full.
const CHECKPOINT_WAITS: &str = "checkpoint_waits";
/// The last durable sequence.
const SEQUENCE: &str = "sequence";
/// The journal's size on disk, preallocated space included.
const JOURNAL_BYTES: &str = "journal_bytes";
/// Free space on the journal's disk.
const JOURNAL_FREE_BYTES: &str = "journal_free_bytes";
/// With less free space than this, writes are refused.
const JOURNAL_NEEDED_BYTES: &str = "journal_needed_bytes";
/// Commands that were refused for lack of space on the journal's disk.
const DISK_LOW_COMMANDS: &str = "disk_low_commands";

/// What is counted of one ledger, read at each scrape.
struct Counted<D: Domain> {
    kind: LedgerKind,
    ledger: Ledger<D>,
}

impl<D: Domain> fmt::Debug for Counted<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<D: Domain> Collector for Counted<D> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let stats = self.ledger.stats();
        let mut put = |thing: &str, help: &str, metric: &dyn EncodeAny| {
            metric.encode_as(&mut encoder, &format!("milepost_{}_{thing}", self.kind), help)
        };
        put(ENTRIES, "Entries committed", &ConstCounter::new(stats.entries()))?;
        put(GROUP_COMMITS, "Group commits", &ConstCounter::new(stats.groups()))?;
        put(
            REFUSED_COMMANDS,
            "Commands rejected or failed, without an effect",
            &ConstCounter::new(stats.refused()),
        )?;
        put(
            DISK_LOW_COMMANDS,
            "Commands refused for lack of space on the journal's disk",
            &ConstCounter::new(stats.disk_low()),
        )?;
        put(
            DECIDE_SECONDS,
            "Time spent deciding and applying commands",
            &ConstCounter::new(stats.decide_time().as_secs_f64()),
        )?;
        put(
            APPEND_SECONDS,
            "Time spent appending to the journal and syncing it",
            &ConstCounter::new(stats.append_time().as_secs_f64()),
        )?;
        put(CHECKPOINTS, "Checkpoints begun", &ConstCounter::new(stats.checkpoints()))?;
        put(
            CHECKPOINT_WAITS,
            "Waits of the writer for a checkpoint",
            &ConstCounter::new(stats.checkpoint_waits()),
        )?;
        let info = self.ledger.source().info();
        put(SEQUENCE, "The last durable sequence", &ConstGauge::new(info.tail.sequence as i64))?;
        put(JOURNAL_BYTES, "Size of the journal on disk", &ConstGauge::new(info.disk_bytes as i64))?;
        // What cannot be measured is no number; the check of the disk says why.
        let Ok(Some(room)) = self.ledger.source().room() else { return Ok(()) };
        let gauge = |bytes: u64| ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
        let needed = room.floor_bytes.saturating_add(room.needed_bytes);
        put(JOURNAL_FREE_BYTES, "Free space on the journal's disk", &gauge(room.free_bytes))?;
        put(JOURNAL_NEEDED_BYTES, "Free space below which writes are refused", &gauge(needed))
    }
}

/// Any metric, under a name.
trait EncodeAny {
    fn encode_as(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result;
}

impl<M: EncodeMetric> EncodeAny for M {
    fn encode_as(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use bytes::Bytes;
    use milepost_ledger::{Context, Decision, Entry, Read, Submission, Unusable, Write};

    use super::*;

    struct Nothing;

    impl Domain for Nothing {
        type Command = ();
        type Rejection = ();
        const STORE_VERSION: u32 = 1;

        fn decide(&self, _: &dyn Read, (): &(), _: &Context) -> Result<Decision, ()> {
            Ok(Decision { events: vec![Bytes::from_static(b"event")], ..Decision::default() })
        }

        fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
            rows.put(vec![1], Bytes::copy_from_slice(&entry.sequence.to_be_bytes()));
            Ok(())
        }
    }

    #[test]
    fn the_defaults_of_the_configuration_are_those_of_the_ledger() {
        let (ours, ledgers) = (ledger_options(&Server::default()), Options::default());
        assert_eq!(ours.group_size, ledgers.group_size);
        assert_eq!((ours.queue_bound, ours.checkpoint_rows), (ledgers.queue_bound, ledgers.checkpoint_rows));
        assert_eq!((ours.table_bytes, ours.cache_bytes), (ledgers.table_bytes, ledgers.cache_bytes));
        assert_eq!(ours.max_entry_bytes, ledgers.max_entry_bytes);
        assert_eq!(
            (ours.max_request_ids, ours.request_id_window),
            (ledgers.max_request_ids, ledgers.request_id_window)
        );
        let (ours, journals) = (file_options(&Server::default()), FileOptions::default());
        assert_eq!((ours.segment_bytes, ours.cache_bytes), (journals.segment_bytes, journals.cache_bytes));
        assert_eq!(ours.min_free_bytes, journals.min_free_bytes);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_journal_of_another_ledger_is_refused_with_both_names() {
        for (own, other) in
            LedgerKind::ALL.into_iter().flat_map(|own| LedgerKind::ALL.map(|other| (own, other)))
        {
            let data = tempfile::tempdir().unwrap();
            let config = Server { data_dir: data.path().to_owned(), ..Server::default() };
            // The metrics of a context hold its ledgers.
            open(&ServiceContext::new(&config), &config, own, Nothing).await.unwrap().close();
            std::fs::rename(dir(data.path(), own), data.path().join("moved")).unwrap();
            std::fs::rename(data.path().join("moved"), dir(data.path(), other)).unwrap();
            let opened = open(&ServiceContext::new(&config), &config, other, Nothing).await;
            match opened {
                Ok(ledger) => {
                    assert_eq!(own, other);
                    ledger.close();
                }
                Err(error) => {
                    let both = format!("holds the journal of the {own}, not of the {other}");
                    assert!(own != other && error.to_string().contains(&both), "{error}");
                }
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_ledger_is_opened_where_it_belongs_counted_and_kept() {
        let data = tempfile::tempdir().unwrap();
        let config = Server { data_dir: data.path().to_owned(), ..Server::default() };
        // As earlier versions made it.
        std::fs::create_dir(dir(data.path(), LedgerKind::Registry)).unwrap();
        for sequence in 1..=2 {
            let context = ServiceContext::new(&config);
            let ledger = open(&context, &config, LedgerKind::Registry, Nothing).await.unwrap();
            let receipt = ledger.submit(Submission::system("test", ())).await.unwrap();
            assert_eq!(receipt.position.sequence, sequence);
            let metrics = context.metrics.encode();
            assert!(metrics.contains("milepost_registry_entries_total 1"), "{metrics}");
            assert!(metrics.contains(&format!("milepost_registry_sequence {sequence}")), "{metrics}");
            assert!(metrics.contains("milepost_registry_disk_low_commands_total 0"), "{metrics}");
            let gauge = |name: &str| {
                let line = metrics.lines().find_map(|line| line.strip_prefix(name)).expect(name);
                line.trim().parse::<u64>().unwrap()
            };
            assert_eq!(gauge("milepost_registry_journal_needed_bytes "), 256 << 20, "{metrics}");
            assert!(gauge("milepost_registry_journal_free_bytes ") > 0, "{metrics}");
            let second = open(&context, &config, LedgerKind::Registry, Nothing).await;
            assert!(second.err().unwrap().to_string().contains("in use by process"));
            ledger.close();
        }
        let own = dir(data.path(), LedgerKind::Registry);
        assert_eq!(std::fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(journal_dir(data.path(), LedgerKind::Registry).is_dir());
        assert!(dir(data.path(), LedgerKind::Registry).join("store").is_dir());
    }
}
