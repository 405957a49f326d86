//! Free space on the disk of a ledger's journal, for operators: the check `{ledger}.disk`, and a log line
//! when it changes.
//!
//! Invariant: the check has the result that the next write would have, at most an interval late, even without
//! writes. It is degraded and never unready: without room reads and streams go on, and taking the server out
//! of rotation would end them and free nothing.

use std::time::Duration;

use milepost_ledger::{Domain, Ledger};
use milepost_types::{LedgerKind, without_number};
use tokio_util::sync::CancellationToken;

use crate::readiness::Check;

/// How often the disk is looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the check true until the drain.
pub(crate) async fn watch<D: Domain>(
    kind: LedgerKind,
    ledger: Ledger<D>,
    check: Check,
    drain: CancellationToken,
) {
    let mut refusals = ledger.refusals_for_room();
    let mut short = false;
    loop {
        refusals.mark_unchanged();
        let looking = ledger.clone();
        let shortage = tokio::task::spawn_blocking(move || looking.shortage()).await;
        let reason = match shortage {
            Ok(Ok(None)) => None,
            Ok(Ok(Some(room))) => Some(format!(
                "writes are refused until there is room, reads go on: {room}; make room, or lower \
                 journal.min_free_bytes"
            )),
            Ok(Err(error)) => {
                let error = without_number(&error.to_string());
                Some(format!("the room on the journal's disk cannot be measured: {error}"))
            }
            // The process ends.
            Err(_) => return,
        };
        match (&reason, short) {
            (Some(reason), false) => tracing::error!(ledger = %kind, reason, "the journal's disk is low"),
            (None, true) => tracing::info!(ledger = %kind, "the journal's disk has room again, writes go on"),
            _ => {}
        }
        short = reason.is_some();
        match reason {
            Some(reason) => check.degraded(reason),
            None => check.ready(),
        }
        tokio::select! {
            () = drain.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
            // The first refusal shows at once; those that follow it say nothing new.
            Ok(()) = refusals.changed(), if !short => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use milepost_ledger::journal::file::{FileJournal, FileOptions};
    use milepost_ledger::journal::sim::SimDisk;
    use milepost_ledger::{
        Context, Decision, Entry, Options, Read, Submission, SubmitError, Unusable, Write,
    };
    use milepost_types::SystemClock;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

    use super::*;
    use crate::origin::expected;
    use crate::readiness::{Readiness, Report, State};

    struct Nothing;

    impl Domain for Nothing {
        type Command = ();
        type Rejection = ();
        const STORE_VERSION: u32 = 1;

        fn decide(&self, _: &dyn Read, (): &(), _: &Context) -> Result<Decision, ()> {
            Ok(Decision { events: vec![Bytes::from_static(b"event")], ..Decision::default() })
        }

        fn apply(&self, _: &mut dyn Write, _: &Entry) -> Result<(), Unusable> {
            Ok(())
        }
    }

    /// The messages of the lines that were logged about disks.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl<S: tracing::Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
            struct Message(String);
            impl Visit for Message {
                fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                    if field.name() == "message" {
                        self.0 = format!("{value:?}");
                    }
                }
            }
            let mut message = Message(String::new());
            event.record(&mut message);
            if message.0.contains("disk") {
                self.0.lock().unwrap().push(format!("{} {}", event.metadata().level(), message.0));
            }
        }
    }

    /// Waits until the check is as it should be; the paused clock runs on meanwhile.
    async fn until(readiness: &Readiness, wanted: fn(&State) -> bool) -> Report {
        let mut reports = readiness.watch();
        let reached = reports.wait_for(|report| wanted(&report.checks["registry.disk"]));
        let reached = tokio::time::timeout(10 * INTERVAL, reached).await;
        reached.expect("the check changes in time").expect("somebody reports").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn want_of_room_shows_where_operators_look_once_and_is_over_without_a_write() {
        let lines = Lines::default();
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
        let disk = SimDisk::default();
        let options = FileOptions { segment_bytes: 8192, min_free_bytes: 1 << 20, ..FileOptions::default() };
        let journal = FileJournal::open(
            Path::new("/journal"),
            expected(LedgerKind::Registry),
            options,
            Arc::new(disk.clone()),
        )
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (journal, clock) = (Arc::new(journal), Arc::new(SystemClock));
        let ledger =
            Ledger::open("registry", dir.path(), journal, Arc::new(Nothing), clock, Options::default());
        let ledger = ledger.unwrap();
        let (readiness, drain) = (Readiness::new(), CancellationToken::new());
        let check = readiness.check("registry.disk");
        let watching = tokio::spawn(watch(LedgerKind::Registry, ledger.clone(), check, drain.clone()));
        until(&readiness, |state| *state == State::Ready).await;

        // It shows without writes, and the server stays in rotation.
        disk.set_free_bytes(1 << 19);
        let report = until(&readiness, |state| matches!(state, State::Degraded(_))).await;
        assert!(report.ready());
        let reason = report.checks["registry.disk"].reason();
        assert!(reason.contains("writes are refused") && reason.contains("512 KiB free"), "{reason}");
        for _ in 0..20 {
            let refused = ledger.submit(Submission::system("test", ())).await;
            assert!(matches!(refused, Err(SubmitError::DiskLow(_))), "{refused:?}");
        }

        disk.set_free_bytes(1 << 30);
        until(&readiness, |state| *state == State::Ready).await;
        ledger.submit(Submission::system("test", ())).await.unwrap();
        drain.cancel();
        watching.await.unwrap();
        let lines = lines.0.lock().unwrap().clone();
        assert_eq!(
            lines,
            ["ERROR the journal's disk is low", "INFO the journal's disk has room again, writes go on"]
        );
        ledger.close();
    }
}
