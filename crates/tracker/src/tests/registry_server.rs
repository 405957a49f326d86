//! A registry that can be followed: a journal in memory behind a `JournalService`, reached in the process,
//! which can be stopped, started again and exchanged for another.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use milepost_client::Pool;
use milepost_ledger::Source;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Block, Journal};
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_service::journal_service::{Followed, Journals};
use milepost_types::{Hash, LedgerKind, Position};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use super::Registry;

type Incoming = mpsc::Sender<io::Result<DuplexStream>>;

/// Where the server is now, if it runs.
#[derive(Clone, Default)]
struct Gate(Arc<std::sync::Mutex<Option<Incoming>>>);

/// The registry.
pub(crate) struct RegistryServer {
    pub(crate) recorded: Registry,
    journal: Arc<MemoryJournal>,
    gate: Gate,
    running: Option<CancellationToken>,
    pub(crate) pool: Pool,
}

impl RegistryServer {
    /// A registry with this history, which does not run yet.
    pub(crate) fn stopped(recorded: Registry) -> Self {
        let gate = Gate::default();
        let pool = Pool::new((0..2).map(|_| gate.channel()).collect());
        let journal = Arc::new(MemoryJournal::new(recorded.log));
        let mut registry = Self { recorded, journal, gate, running: None, pool };
        registry.publish();
        registry
    }

    /// A registry that runs.
    pub(crate) fn running(recorded: Registry) -> Self {
        let mut registry = Self::stopped(recorded);
        registry.start();
        registry
    }

    /// Makes known what was recorded.
    pub(crate) fn publish(&mut self) -> Position {
        let tail = self.journal.info().tail;
        let from = tail.sequence as usize;
        let entries = self.recorded.entries[from..].to_vec();
        if entries.is_empty() {
            return tail;
        }
        let previous = from.checked_sub(1).map_or(Hash::ZERO, |last| self.recorded.entries[last].hash);
        self.journal.append(&tail, &Block { previous, entries }).unwrap()
    }

    /// Tells something and makes it known.
    pub(crate) fn say<T>(&mut self, say: impl FnOnce(&mut Registry) -> T) -> Position {
        say(&mut self.recorded);
        self.publish()
    }

    pub(crate) fn start(&mut self) {
        let context = ServiceContext::new(&Server::default());
        let journals = Journals::new(&context).with(
            LedgerKind::Registry,
            Followed {
                source: Source::new(Arc::clone(&self.journal) as Arc<dyn Journal>),
                max_request_ids: 1,
                request_id_window: Duration::from_secs(1),
                followed: Box::new(Vec::new),
            },
        );
        self.running = Some(context.drain.clone());
        self.gate.serve(
            tonic::transport::Server::builder().add_service(journals.into_service(&context)),
            context.drain,
        );
    }

    /// Ends every connection; there are no new ones.
    pub(crate) fn stop(&mut self) {
        self.gate.close();
        if let Some(running) = self.running.take() {
            running.cancel();
        }
    }

    /// Takes connections and answers nothing.
    pub(crate) fn hang(&mut self) {
        self.stop();
        let (incoming, mut connections) = mpsc::channel(8);
        *self.gate.0.lock().unwrap() = Some(incoming);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Some(connection) = connections.recv().await {
                held.push(connection);
            }
        });
    }

    /// Exchanges the log for another one, at the same address.
    pub(crate) fn exchange(&mut self, recorded: Registry) {
        self.stop();
        let journal = MemoryJournal::with_entries(recorded.log, recorded.lineage.clone(), Vec::new());
        self.journal = Arc::new(journal);
        self.recorded = recorded;
        self.publish();
        self.start();
    }
}

impl Gate {
    fn channel(&self) -> tonic::transport::Channel {
        let gate = self.clone();
        let connect = move |_| {
            let gate = gate.clone();
            async move {
                let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
                let server = gate.0.lock().unwrap().clone().ok_or_else(refused)?;
                let (near, far) = tokio::io::duplex(1 << 20);
                server.send(Ok(far)).await.map_err(|_| refused())?;
                Ok::<_, io::Error>(TokioIo::new(near))
            }
        };
        Endpoint::from_static("http://registry").connect_with_connector_lazy(tower::service_fn(connect))
    }

    fn serve(&self, router: tonic::transport::server::Router, stop: CancellationToken) {
        let (incoming, connections) = mpsc::channel(8);
        *self.0.lock().unwrap() = Some(incoming);
        let connections = ReceiverStream::new(connections);
        tokio::spawn(router.serve_with_incoming_shutdown(connections, stop.cancelled_owned()));
    }

    fn close(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// A channel to a service in the process.
pub(crate) fn channel_to(
    router: tonic::transport::server::Router,
    stop: CancellationToken,
) -> tonic::transport::Channel {
    let gate = Gate::default();
    gate.serve(router, stop);
    gate.channel()
}
