//! The service as its callers see it, over connections in memory, following journals that tests write.

mod backward;
mod cursors;
mod domain;
mod follow;
pub(crate) mod logs;
mod reads;
mod resets;
mod restored;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_client::{Client, Endpoint, Pool};
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Block, Journal};
use milepost_ledger::{Actor, CommandId, Entry, Ledger, Options, Source, position_to_proto};
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{Created, Event, SourceReset};
use milepost_proto::journal::v1::Position as WirePosition;
use milepost_proto::notifier::v1::{EventSelection, ListEventsRequest, ListEventsResponse};
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_service::journal_service::{Followed, Journals};
use milepost_types::{Clock, EventId, Hash, LedgerKind, LogId, ManualClock, Position};
use parking_lot::Mutex;
use prost::Message;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::clock::SourceClock;
use crate::config::Config;
use crate::decide::Rules;
use crate::service::Service;

/// The hour that every test begins at.
pub(crate) const NOW: &str = "2021-05-27T00:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A journal that a test writes.
pub(crate) struct Feeder {
    pub(crate) kind: LedgerKind,
    pub(crate) journal: Arc<MemoryJournal>,
    hash: Mutex<Hash>,
    time: Mutex<Timestamp>,
}

impl Feeder {
    pub(crate) fn new(kind: LedgerKind) -> Self {
        Self::over(kind, Arc::new(MemoryJournal::new(LogId::generate())), Hash::ZERO)
    }

    pub(crate) fn over(kind: LedgerKind, journal: Arc<MemoryJournal>, hash: Hash) -> Self {
        Self { kind, journal, hash: Mutex::new(hash), time: Mutex::new(now()) }
    }

    pub(crate) fn tail(&self) -> Position {
        self.journal.info().tail
    }

    pub(crate) fn hash(&self) -> Hash {
        *self.hash.lock()
    }

    pub(crate) fn set_time(&self, time: Timestamp) {
        *self.time.lock() = time;
    }

    /// Appends an entry with an event for each of these, decided on those positions.
    pub(crate) fn append(&self, events: &[(&str, &str)], decided_on: &[Position]) -> Position {
        let sequence = self.tail().sequence + 1;
        let event = |(index, (kind, subject)): (usize, &(&str, &str))| {
            let id = EventId { log: self.tail().log, sequence, index: index as u32 };
            event(id, self.kind, kind, subject, *self.time.lock())
        };
        self.append_bytes(events.iter().enumerate().map(event).collect(), decided_on)
    }

    /// Appends an entry with one event of a milestone.
    pub(crate) fn one(&self) -> Position {
        self.append(&[("milepost.milestone.achieved", "portfolios/p/projects/x/milestones/m")], &[])
    }

    pub(crate) fn append_bytes(&self, events: Vec<Bytes>, decided_on: &[Position]) -> Position {
        let after = self.tail();
        let entry = Entry {
            sequence: after.sequence + 1,
            commit_time: *self.time.lock(),
            actor: Actor::system("test"),
            command_id: CommandId::Server("s".into()),
            decided_on: decided_on.to_vec(),
            portfolio: "p".into(),
            events,
        };
        let mut hash = self.hash.lock();
        let stored = entry.encode(&hash);
        let block = Block { previous: *hash, entries: vec![stored] };
        *hash = block.entries[0].hash;
        self.journal.append(&after, &block).unwrap()
    }
}

/// An encoded event; `subject` is a portfolio, a project or something below one.
pub(crate) fn event(id: EventId, source: LedgerKind, kind: &str, subject: &str, time: Timestamp) -> Bytes {
    let segments: Vec<_> = subject.split('/').collect();
    let first = |count: usize| segments.get(..count).map(|parts| parts.join("/")).unwrap_or_default();
    let event = Event {
        event_id: id.to_string(),
        source: source.to_string(),
        sequence: id.sequence,
        subject: subject.into(),
        portfolio: first(2),
        project: first(4),
        r#type: kind.into(),
        commit_time: Some(prost_types::Timestamp {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }),
        payload: Some(Payload::Created(Created {})),
        ..Event::default()
    };
    event.encode_to_vec().into()
}

/// An encoded event that says that a ledger follows the tracker from another position on.
pub(crate) fn reset_event(
    id: EventId,
    ledger: LedgerKind,
    previous: Option<Position>,
    position: &Position,
    fork: Option<Position>,
) -> Bytes {
    let reset = SourceReset {
        previous_position: previous.as_ref().map(position_to_proto),
        position: Some(position_to_proto(position)),
        reason: "a test".into(),
        fork: fork.as_ref().map(position_to_proto),
        lineage: vec![],
    };
    let event = Event {
        event_id: id.to_string(),
        source: ledger.to_string(),
        sequence: id.sequence,
        subject: "sources/tracker".into(),
        r#type: "milepost.source.reset".into(),
        payload: Some(Payload::SourceReset(reset)),
        ..Event::default()
    };
    event.encode_to_vec().into()
}

/// A notifier over a journal in memory, served in memory.
pub(crate) struct Fixture {
    pub(crate) registry: Arc<Feeder>,
    pub(crate) tracker: Arc<Feeder>,
    pub(crate) notifier: Service,
    pub(crate) ledger: Ledger<Rules>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) context: ServiceContext,
    pub(crate) client: Client,
    _store: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), Arc::new(MemoryJournal::new(LogId::generate())))
    }

    pub(crate) fn with(config: Config, journal: Arc<MemoryJournal>) -> Self {
        let feeders = [LedgerKind::Registry, LedgerKind::Tracker].map(|kind| Arc::new(Feeder::new(kind)));
        Self::following(config, journal, feeders)
    }

    pub(crate) fn following(config: Config, journal: Arc<MemoryJournal>, sources: [Arc<Feeder>; 2]) -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let context = ServiceContext::with_clock(&Server::default(), clock.clone());
        let source_clock = Arc::new(SourceClock::new(clock.clone()));
        let store = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(
            "notifier",
            store.path(),
            journal.clone(),
            Arc::new(Rules),
            source_clock.clone() as Arc<dyn Clock>,
            Options::default(),
        )
        .unwrap();
        let transports =
            sources.each_ref().map(|source| Pool::from(serve(journals(&context, source))).into());
        let notifier = Service::assemble(&context, &config, ledger.clone(), source_clock, transports);
        let pool = Pool::from(serve(Routes::new(notifier.routes(&context))));
        let client = Client::with_pools(pool.clone(), pool.clone(), pool);
        let [registry, tracker] = sources;
        Self { registry, tracker, notifier, ledger, journal, clock, context, client, _store: store }
    }

    /// Runs the followers and the publisher until the runtime ends or the context drains.
    pub(crate) fn run(&self) {
        for task in self.notifier.tasks(&self.context) {
            tokio::spawn(task);
        }
    }

    /// Waits until the log has everything that was fed.
    pub(crate) async fn caught_up(&self) {
        let fed = [&self.registry, &self.tracker].map(|source| (source.kind, source.tail()));
        let mut positions = self.ledger.positions();
        let all = || {
            use crate::source::Followed as _;
            let view = self.ledger.view();
            let rows = crate::tables::Rows(&view);
            fed.iter().all(|(kind, tail)| tail.sequence == 0 || rows.applied(*kind) == Some(*tail))
        };
        soon(async {
            while !all() {
                positions.changed().await.unwrap();
            }
            let hub = &self.notifier.api().streams().hub;
            while hub.published().sequence < self.ledger.position().sequence {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) async fn list(&self, request: ListEventsRequest) -> Result<ListEventsResponse, tonic::Status> {
        Ok(self.client.events().list_events(request).await?.into_inner())
    }

    /// Every event in the log that a selection matches.
    pub(crate) async fn all(&self, selection: EventSelection) -> Vec<Event> {
        let mut request =
            ListEventsRequest { page_size: 1000, selection: Some(selection), ..ListEventsRequest::default() };
        let mut events = Vec::new();
        loop {
            let page = self.list(request.clone()).await.unwrap();
            events.extend(page.events);
            if page.next_page_token.is_empty() {
                return events;
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn journals(context: &ServiceContext, source: &Feeder) -> Routes {
    let followed = Followed {
        source: Source::new(source.journal.clone()),
        max_request_ids: 0,
        request_id_window: Duration::ZERO,
        followed: Box::new(Vec::new),
    };
    Routes::new(Journals::new(context).with(source.kind, followed).into_service(context))
}

/// Serves in memory until the runtime ends.
pub(crate) fn serve(routes: Routes) -> Channel {
    let (accept, incoming) = tokio::sync::mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(UnboundedReceiverStream::new(incoming)));
    let connect = tower::service_fn(move |_: tonic::transport::Uri| {
        let (near, far) = tokio::io::duplex(256 * 1024);
        let accepted = accept.send(Ok::<_, std::io::Error>(far)).map_err(std::io::Error::other);
        async move { accepted.map(|()| hyper_util::rt::TokioIo::new(near)) }
    });
    Endpoint::tuned(tonic::transport::Endpoint::from_static("http://in.memory"))
        .connect_with_connector_lazy(connect)
}

/// Fails a test that would never end.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in good time")
}

pub(crate) fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

pub(crate) fn wire(position: &Position) -> WirePosition {
    position_to_proto(position)
}

/// A selection of types, bookkeeping included if it is named.
pub(crate) fn types(types: &[&str]) -> EventSelection {
    EventSelection {
        types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        ..EventSelection::default()
    }
}
