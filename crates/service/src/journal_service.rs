//! `milepost.journal.v1.JournalService`: information on every ledger of the process, and its entries to followers, by its name.
//!
//! Invariants: entries go out as the bytes they are stored as, in order, only when durable; a response
//! holds about `RESPONSE_BYTES`, and an entry that is larger takes several. A follower that is slow is
//! only a position: nothing is queued for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request as HttpRequest;
use milepost_ledger::journal::{JournalInfo, ReadLimit, StoredEntry};
use milepost_ledger::{Entry, Feed, FeedError, Source, position_from_proto, position_to_proto};
use milepost_proto::error::v1::Reason;
use milepost_proto::journal::v1::{
    EntryFragment, FollowRequest, FollowResponse, GetLedgerInfoRequest, GetLedgerInfoResponse,
};
use milepost_types::{LedgerKind, Permission, Position, Rejection};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::BoxStream;
use tonic::{Code, Response, Status};

use crate::access::StreamAccess;
use crate::host::ServiceContext;
use crate::host::raw::{Calls, RawMethods, RawService, ResponseFuture, server_streaming, unary};
use crate::refusal::{draining, read_status, status};
use crate::status::{Answer, internal};

/// Entries of one response stop at about this.
const RESPONSE_BYTES: usize = 256 << 10;
/// The longest run of one entry's bytes.
const FRAGMENT_BYTES: usize = 1 << 20;
/// A quiet stream sends the tail this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A ledger as the service shows it.
pub struct Followed {
    /// Its journal.
    pub source: Source,
    /// How many request ids it remembers at most.
    pub max_request_ids: u64,
    /// For how long.
    pub request_id_window: Duration,
    /// How far it has followed others, when asked.
    pub followed: Box<dyn Fn() -> Vec<Position> + Send + Sync>,
}

/// The service over some ledgers of this process, for a server's routes.
#[derive(Clone)]
pub struct JournalRoutes {
    journals: Arc<Journals>,
    calls: Calls,
}

/// Ledgers of this process.
pub struct Journals {
    ledgers: BTreeMap<&'static str, Followed>,
    drain: CancellationToken,
}

impl Journals {
    /// No ledger yet.
    pub fn new(context: &ServiceContext) -> Self {
        Self { ledgers: BTreeMap::new(), drain: context.drain.clone() }
    }

    /// Shows a ledger.
    #[must_use]
    pub fn with(mut self, ledger: LedgerKind, followed: Followed) -> Self {
        self.ledgers.insert(ledger.as_str(), followed);
        self
    }

    /// The gRPC service.
    pub fn into_service(self, context: &ServiceContext) -> RawService<JournalRoutes> {
        RawService(JournalRoutes { journals: Arc::new(self), calls: Calls::of_process(context) })
    }

    fn ledger(&self, name: &str) -> Result<(&'static str, &Followed), Status> {
        let only = (name.is_empty() && self.ledgers.len() == 1).then(|| self.ledgers.iter().next()).flatten();
        only.or_else(|| self.ledgers.iter().find(|(known, _)| **known == name))
            .map(|(name, found)| (*name, found))
            .ok_or_else(|| {
                let known: Vec<_> = self.ledgers.keys().copied().collect();
                let message =
                    format!("there is no ledger of that name here; this server has: {}", known.join(", "));
                Answer::new(Code::NotFound, Reason::ResourceNotFound, message)
                    .with("kind", "ledger")
                    .with("name", name)
                    .status()
            })
    }

    async fn info(&self, request: &GetLedgerInfoRequest) -> Result<Response<GetLedgerInfoResponse>, Status> {
        let (name, ledger) = self.ledger(&request.ledger)?;
        let (info, tail) = (ledger.source.info(), ledger.source.tail());
        let last = last_entry(&ledger.source, tail).await?;
        Ok(Response::new(GetLedgerInfoResponse {
            ledger: name.to_owned(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            tail: Some(position_to_proto(&tail)),
            parent: info.lineage.parent().as_ref().map(position_to_proto),
            lineage: lineage(&info),
            last_commit_time: last.map(|entry| prost_types::Timestamp {
                seconds: entry.commit_time.as_second(),
                nanos: entry.commit_time.subsec_nanosecond(),
            }),
            format: milepost_ledger::FORMAT,
            max_request_ids: ledger.max_request_ids,
            request_id_window_seconds: ledger.request_id_window.as_secs(),
            followed: (ledger.followed)().iter().map(position_to_proto).collect(),
            disk_bytes: info.disk_bytes,
        }))
    }

    async fn follow(
        &self,
        request: FollowRequest,
        access: StreamAccess,
    ) -> Result<Response<BoxStream<FollowResponse>>, Status> {
        let (_, ledger) = self.ledger(&request.ledger)?;
        let start = Position::start(ledger.source.info().log);
        let after = match &request.after {
        None => start,
        Some(after) => position_from_proto(after).ok_or_else(|| {
            let what = "this is no position; give the log id, the sequence and the 8 bytes of hash as they were answered";
            status(&Rejection::invalid("after", "INVALID_POSITION", what))
        })?,
    };
        // Refuses a position of another history before the stream begins.
        ledger
            .source
            .read(after, ReadLimit { entries: 1, bytes: 1 })
            .await
            .map_err(|error| read_status(&error))?;
        let follow = Follow {
            feed: ledger.source.feed(after),
            lineage: lineage(&ledger.source.info()),
            drain: self.drain.clone(),
            access,
            pending: None,
            started: false,
            opened: Instant::now(),
        };
        Ok(Response::new(Box::pin(futures_util::stream::try_unfold(follow, Follow::next))))
    }
}

impl RawMethods for JournalRoutes {
    const NAME: &'static str = "milepost.journal.v1.JournalService";

    fn answer(&self, method: &str, request: HttpRequest<Body>) -> Option<ResponseFuture> {
        let (journals, calls) = (&self.journals, &self.calls);
        Some(match method {
            "GetLedgerInfo" => unary(journals, calls, request, |journals, asked| async move {
                journals.info(asked.get_ref()).await
            }),
            "Follow" => server_streaming(journals, calls, request, |journals, asked| async move {
                let access = asked.stream_access(&[Permission::JournalFollow]);
                journals.follow(asked.into_inner(), access).await
            }),
            _ => return None,
        })
    }
}

fn lineage(info: &JournalInfo) -> Vec<milepost_proto::journal::v1::Position> {
    info.lineage.forks().iter().map(position_to_proto).collect()
}

async fn last_entry(source: &Source, tail: Position) -> Result<Option<Entry>, Status> {
    let Some(before) = tail.sequence.checked_sub(1) else { return Ok(None) };
    let entries = source
        .read_after(before, ReadLimit { entries: 1, bytes: 1 })
        .await
        .map_err(|error| read_status(&error))?;
    let decoded = entries.first().map(Entry::decode).transpose();
    decoded.map_err(|error| internal("the last entry cannot be decoded", &error))
}

/// One follower: a place in the feed, and the rest of an entry too large for one response.
struct Follow {
    feed: Feed,
    /// What the log was restored from; sent once.
    lineage: Vec<milepost_proto::journal::v1::Position>,
    drain: CancellationToken,
    /// Whether it may go on.
    access: StreamAccess,
    pending: Option<(StoredEntry, usize)>,
    started: bool,
    opened: Instant,
}

impl Follow {
    async fn next(mut self) -> Result<Option<(FollowResponse, Self)>, Status> {
        if let Some((entry, from)) = self.pending.take() {
            let fragment = self.cut(entry, from);
            let response = self.respond(vec![fragment]);
            return Ok(Some((response, self)));
        }
        let limit = ReadLimit { entries: 1024, bytes: RESPONSE_BYTES };
        // The first response carries the tail at once, so that a follower knows how far it has to go.
        let patience = if self.started { HEARTBEAT } else { Duration::ZERO };
        self.started = true;
        let entries = tokio::select! {
            biased;
            () = self.drain.cancelled() => {
                return Err(draining());
            }
            entries = tokio::time::timeout(patience, self.feed.next(limit)) => entries,
        };
        let entries = match entries {
            Ok(entries) => entries.map_err(feed_error)?,
            Err(_) => Vec::new(),
        };
        self.access.check(String::new)?;
        let fragments = entries.into_iter().map(|entry| self.cut(entry, 0)).collect();
        let response = self.respond(fragments);
        Ok(Some((response, self)))
    }

    /// The next run of an entry's bytes; the rest is kept for the next response.
    fn cut(&mut self, entry: StoredEntry, from: usize) -> EntryFragment {
        let to = entry.bytes.len().min(from + FRAGMENT_BYTES);
        let last = to == entry.bytes.len();
        let hash =
            if last { bytes::Bytes::copy_from_slice(entry.hash.as_bytes()) } else { bytes::Bytes::new() };
        let fragment =
            EntryFragment { sequence: entry.sequence, hash, data: entry.bytes.slice(from..to), last };
        if !last {
            self.pending = Some((entry, to));
        }
        fragment
    }

    fn respond(&mut self, fragments: Vec<EntryFragment>) -> FollowResponse {
        let lineage = std::mem::take(&mut self.lineage);
        // Before the tail is read: it may be younger than this says, never older.
        let elapsed = prost_types::Duration::try_from(self.opened.elapsed()).ok();
        FollowResponse { fragments, tail: Some(position_to_proto(&self.feed.tail())), lineage, elapsed }
    }
}

fn feed_error(error: FeedError) -> Status {
    match error {
        FeedError::Read(error) => read_status(&error),
        FeedError::Closed => {
            let message = "the journal takes no more entries: the server is stopping";
            Answer::new(Code::Unavailable, Reason::JournalFailed, message).status()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use milepost_ledger::journal::memory::MemoryJournal;
    use milepost_ledger::journal::{Block, Journal};
    use milepost_ledger::{Actor, CommandId};
    use milepost_types::{Hash, HashPrefix, LogId};
    use tokio_stream::StreamExt;
    use tonic_types::StatusExt;

    use super::*;
    use crate::config::server::Server;

    /// Appends an entry with one event of `bytes`.
    fn append(journal: &dyn Journal, previous: &mut Hash, bytes: usize) -> StoredEntry {
        let tail = journal.info().tail;
        let entry = Entry {
            sequence: tail.sequence + 1,
            commit_time: "2021-05-27T00:00:00Z".parse().unwrap(),
            actor: Actor::system("test"),
            command_id: CommandId::Server("s".into()),
            decided_on: vec![],
            portfolio: String::new(),
            events: vec![bytes::Bytes::from(vec![7; bytes])],
        };
        let stored = entry.encode(previous);
        journal.append(&tail, &Block { previous: *previous, entries: vec![stored.clone()] }).unwrap();
        *previous = stored.hash;
        stored
    }

    async fn follow(
        journals: &Journals,
        request: FollowRequest,
    ) -> Result<Response<BoxStream<FollowResponse>>, Status> {
        let access = StreamAccess::of_system(&ServiceContext::new(&Server::default()));
        journals.follow(request, access).await
    }

    fn journals(journal: &Arc<MemoryJournal>) -> (Journals, ServiceContext) {
        let context = ServiceContext::new(&Server::default());
        let followed = Followed {
            source: Source::new(journal.clone()),
            max_request_ids: 5,
            request_id_window: Duration::from_secs(60),
            followed: Box::new(Vec::new),
        };
        (Journals::new(&context).with(LedgerKind::Registry, followed), context)
    }

    #[tokio::test]
    async fn entries_come_verbatim_large_ones_in_parts_and_the_drain_ends_the_stream() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        let mut previous = Hash::ZERO;
        let mut written: Vec<_> =
            [10, 300_000, 20, 3 << 20, 30].map(|bytes| append(journal.as_ref(), &mut previous, bytes)).into();
        let (journals, context) = journals(&journal);
        let request = FollowRequest { ledger: "registry".into(), after: None };
        let mut stream = follow(&journals, request).await.unwrap().into_inner();
        let (mut read, mut data) = (Vec::new(), Vec::new());
        while read.len() < 6 {
            let response = stream.next().await.unwrap().unwrap();
            let length: usize = response.fragments.iter().map(|fragment| fragment.data.len()).sum();
            assert!(length <= RESPONSE_BYTES + FRAGMENT_BYTES);
            for fragment in response.fragments {
                data.extend_from_slice(&fragment.data);
                if fragment.last {
                    let bytes = bytes::Bytes::from(std::mem::take(&mut data));
                    let hash = Hash::from_bytes(fragment.hash.as_ref().try_into().unwrap());
                    read.push(StoredEntry { sequence: fragment.sequence, hash, bytes });
                }
            }
            // What comes after the tail was reached comes too.
            if read.len() == 5 && written.len() == 5 {
                written.push(append(journal.as_ref(), &mut previous, 40));
            }
        }
        assert_eq!(read, written);
        context.drain.cancel();
        let status = loop {
            match stream.next().await.unwrap() {
                Ok(_) => {}
                Err(status) => break status,
            }
        };
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "DRAINING");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_tells_the_tail_at_once_and_then_now_and_again() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        append(journal.as_ref(), &mut Hash::ZERO.clone(), 10);
        let tail = journal.info().tail;
        let (journals, _kit) = journals(&journal);
        let request = FollowRequest { ledger: String::new(), after: Some(position_to_proto(&tail)) };
        let mut stream = follow(&journals, request).await.unwrap().into_inner();
        let mut before = tokio::time::Instant::now();
        for wait in [Duration::ZERO, HEARTBEAT, HEARTBEAT] {
            let response = stream.next().await.unwrap().unwrap();
            let (fragments, lineage, elapsed) = (vec![], vec![], response.elapsed);
            assert!(elapsed.is_some_and(|elapsed| elapsed.seconds >= 0 && elapsed.nanos >= 0));
            let tail = Some(position_to_proto(&tail));
            assert_eq!(response, FollowResponse { fragments, tail, lineage, elapsed });
            let now = tokio::time::Instant::now();
            let waited = now - before;
            assert!(waited >= wait && waited < wait + Duration::from_millis(10), "{waited:?}");
            before = now;
        }
    }

    #[tokio::test]
    async fn a_position_of_another_history_is_refused_with_both() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        append(journal.as_ref(), &mut Hash::ZERO.clone(), 10);
        let (journals, _kit) = journals(&journal);
        let right = journal.info().tail;
        let wrong = [
            Position { hash: HashPrefix::from_bytes([9; 8]), ..right },
            Position { sequence: 2, ..right },
            Position { sequence: u64::MAX, ..right },
            Position { log: LogId::generate(), ..right },
        ];
        for position in wrong {
            let request = FollowRequest { ledger: String::new(), after: Some(position_to_proto(&position)) };
            let status = follow(&journals, request).await.err().unwrap();
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, "LOG_DIVERGED");
            assert_eq!(info.metadata["asked"], position.to_string());
            assert!(info.metadata["have"].starts_with(&right.log.to_string()));
        }
    }

    #[tokio::test]
    async fn what_is_no_position_is_a_faulty_field() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        let (journals, _kit) = journals(&journal);
        let after = milepost_proto::journal::v1::Position { log_id: "x".into(), ..Default::default() };
        let request = FollowRequest { ledger: String::new(), after: Some(after) };
        let status = follow(&journals, request).await.err().unwrap();
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "INVALID_FIELDS");
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "after");
    }

    #[tokio::test]
    async fn a_position_of_the_log_it_was_restored_from_is_followed_on_and_the_lineage_told_once() {
        let old = MemoryJournal::new(LogId::generate());
        let mut previous = Hash::ZERO;
        let written: Vec<_> = [10, 20, 30].map(|bytes| append(&old, &mut previous, bytes)).into();
        let fork = old.info().tail;
        let log = LogId::generate();
        let restored = Arc::new(MemoryJournal::with_entries(log, Some(fork), written.clone()));
        let (journals, _kit) = journals(&restored);
        let after = |sequence: usize| match sequence {
            0 => Position::start(fork.log),
            _ => Position::after(fork.log, sequence as u64, &written[sequence - 1].hash),
        };
        for sequence in 0..=3 {
            let after = Some(position_to_proto(&after(sequence)));
            let request = FollowRequest { ledger: String::new(), after };
            let mut stream = follow(&journals, request).await.unwrap().into_inner();
            let first = stream.next().await.unwrap().unwrap();
            assert_eq!(first.lineage, [position_to_proto(&fork)]);
            assert_eq!(first.tail.as_ref().map(|tail| &tail.log_id), Some(&log.to_string()));
            let sequences: Vec<_> = first.fragments.iter().map(|fragment| fragment.sequence).collect();
            let tail = restored.info().tail.sequence;
            assert_eq!(sequences, (sequence as u64 + 1..=tail).collect::<Vec<_>>());
            let sent = append(restored.as_ref(), &mut previous, 40 + sequence);
            let mut next = stream.next().await.unwrap().unwrap();
            while next.fragments.last().is_none_or(|last| last.sequence != sent.sequence) {
                next = stream.next().await.unwrap().unwrap();
            }
            assert_eq!(next.lineage, []);
        }
        let info = journals.info(&GetLedgerInfoRequest::default()).await.unwrap();
        assert_eq!(info.into_inner().lineage, [position_to_proto(&fork)]);
        let beyond = Position { sequence: 4, ..fork };
        let request = FollowRequest { ledger: String::new(), after: Some(position_to_proto(&beyond)) };
        let status = follow(&journals, request).await.err().unwrap();
        let details = status.get_error_details();
        let facts = &details.error_info().unwrap().metadata;
        assert_eq!(
            (&facts["asked"], &facts["have"]),
            (&beyond.to_string(), &Position { log, ..fork }.to_string())
        );
    }

    #[tokio::test]
    async fn a_ledger_is_told_by_name() {
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        let (journals, _kit) = journals(&journal);
        let ask = |ledger: &str| GetLedgerInfoRequest { ledger: ledger.into() };
        let info = journals.info(&ask("")).await.unwrap().into_inner();
        assert_eq!((info.ledger.as_str(), info.last_commit_time), ("registry", None));
        append(journal.as_ref(), &mut Hash::ZERO.clone(), 10);
        let info = journals.info(&ask("registry")).await.unwrap().into_inner();
        assert_eq!(info.last_commit_time.unwrap().seconds, 1_622_073_600);
        assert_eq!(info.tail.unwrap().sequence, 1);
        let unknown = journals.info(&ask("tracker")).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }
}
