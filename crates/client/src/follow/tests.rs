//! The follower against servers that die, repeat, cut off, send wrong hashes, and return with another log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use milepost_proto::journal::v1::journal_service_server::{JournalService, JournalServiceServer};
use milepost_proto::journal::v1::{EntryFragment, GetLedgerInfoRequest, GetLedgerInfoResponse};
use milepost_types::{Hash, LogId};
use proptest::prelude::*;
use tokio_stream::StreamExt;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response};
use tonic_types::{ErrorDetails, StatusExt};

use super::assembly::chain;
use super::*;
use crate::testing::{cutting_proxy, in_memory, pool, quick, serve, soon};

mod idle;

const LOG: LogId = LogId::from_bytes([7; 16]);

/// The entries of a log, each of this many bytes.
fn log(sizes: &[usize]) -> Vec<FollowedEntry> {
    let mut previous = Hash::ZERO;
    let mut entries = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        let bytes = Bytes::from(vec![index as u8; *size]);
        previous = chain(&previous, &bytes);
        entries.push(FollowedEntry { sequence: index as u64 + 1, hash: previous, bytes });
    }
    entries
}

fn tail(entries: &[FollowedEntry]) -> Position {
    entries.last().map_or(Position::start(LOG), |last| Position::after(LOG, last.sequence, &last.hash))
}

fn fragments(entries: &[FollowedEntry], piece: usize) -> Vec<EntryFragment> {
    let mut all = Vec::new();
    for entry in entries {
        let mut data = entry.bytes.clone();
        loop {
            let part = data.split_to(piece.min(data.len()));
            let last = data.is_empty();
            let hash = if last { Bytes::copy_from_slice(entry.hash.as_bytes()) } else { Bytes::new() };
            all.push(EntryFragment { sequence: entry.sequence, hash, data: part, last });
            if last {
                break;
            }
        }
    }
    all
}

fn response(fragments: Vec<EntryFragment>, tail: Position) -> FollowResponse {
    FollowResponse { fragments, tail: Some(position::to_proto(&tail)), lineage: vec![], elapsed: None }
}

type Script = Vec<Result<FollowResponse, Status>>;

/// Answers the first call by the first script, and so on; after the last one, by the log. An answered
/// call stays open after its last response unless that is an error.
#[derive(Clone)]
struct Server {
    entries: Arc<Vec<FollowedEntry>>,
    piece: usize,
    scripts: Arc<Mutex<VecDeque<Script>>>,
    asked: Arc<Mutex<Vec<Option<Position>>>>,
}

impl Server {
    fn new(entries: Vec<FollowedEntry>, piece: usize, scripts: Vec<Script>) -> Self {
        Self {
            entries: Arc::new(entries),
            piece,
            scripts: Arc::new(Mutex::new(scripts.into())),
            asked: Arc::default(),
        }
    }

    fn routes(&self) -> Routes {
        Routes::new(JournalServiceServer::new(self.clone()))
    }

    fn asked(&self) -> Vec<Option<u64>> {
        self.asked.lock().unwrap().iter().map(|after| after.map(|after| after.sequence)).collect()
    }
}

#[tonic::async_trait]
impl JournalService for Server {
    type FollowStream = BoxStream<FollowResponse>;

    async fn get_ledger_info(
        &self,
        _: Request<GetLedgerInfoRequest>,
    ) -> Result<Response<GetLedgerInfoResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let after = request.into_inner().after.map(|after| position::from_proto(&after).unwrap());
        self.asked.lock().unwrap().push(after);
        let script = self.scripts.lock().unwrap().pop_front();
        let responses = script.unwrap_or_else(|| {
            let from = after.map_or(0, |after| after.sequence as usize);
            let fragments = fragments(&self.entries[from..], self.piece);
            let mut responses = vec![Ok(response(Vec::new(), tail(&self.entries)))];
            responses.extend(fragments.chunks(3).map(|few| Ok(response(few.to_vec(), tail(&self.entries)))));
            responses
        });
        let ended = matches!(responses.last(), Some(Err(_)) | None);
        let rest: Self::FollowStream =
            if ended { Box::pin(tokio_stream::empty()) } else { Box::pin(tokio_stream::pending()) };
        Ok(Response::new(Box::pin(tokio_stream::iter(responses).chain(rest))))
    }
}

fn options() -> FollowOptions {
    FollowOptions { max_entry_bytes: 10_000, backoff: quick(), ..FollowOptions::default() }
}

async fn follower(server: &Server, after: Option<Position>) -> Follower {
    let address = serve(server.routes()).await;
    Follower::new(pool(address), LedgerKind::Registry, after, options())
}

async fn collect(follower: &mut Follower, count: usize) -> Vec<FollowedEntry> {
    let mut entries = Vec::new();
    while entries.len() < count {
        entries.extend(soon(follower.next()).await.unwrap().entries);
    }
    entries
}

fn diverged(asked: Position, have: Position) -> Status {
    let facts = [("asked".to_owned(), asked.to_string()), ("have".to_owned(), have.to_string())];
    let details = ErrorDetails::with_error_info("LOG_DIVERGED", "milepost.dev", facts);
    Status::with_error_details(Code::FailedPrecondition, "diverged", details)
}

#[tokio::test]
async fn entries_come_whole_with_the_tail() {
    let entries = log(&[10, 0, 5000, 1]);
    let server = Server::new(entries.clone(), 700, vec![]);
    let mut follower = follower(&server, None).await;
    let first = soon(follower.next()).await.unwrap();
    let as_of = first.as_of;
    assert_eq!(first, FollowBatch { restored: None, entries: vec![], tail: tail(&entries), as_of });
    assert_eq!(*follower.state().borrow(), FollowState::Connected);
    assert_eq!(collect(&mut follower, 4).await, entries);
    assert_eq!(follower.position(), Some(tail(&entries)));
}

#[tokio::test]
async fn a_server_that_dies_is_followed_further_after_the_last_whole_entry() {
    let entries = log(&[100; 5]);
    let end = tail(&entries);
    let all = fragments(&entries, 40);
    let scripts = vec![
        vec![Err(Status::unavailable("not yet"))],
        vec![Ok(response(all[..4].to_vec(), end)), Err(Status::unavailable("draining"))],
        vec![],
        vec![Ok(response(all[3..8].to_vec(), end)), Err(Status::internal("broken"))],
    ];
    let server = Server::new(entries.clone(), 40, scripts);
    let mut follower = follower(&server, None).await;
    assert_eq!(collect(&mut follower, 5).await, entries);
    assert_eq!(server.asked(), [None, None, Some(1), Some(1), Some(2)]);
}

#[tokio::test]
async fn what_repeats_skips_or_breaks_the_chain_is_not_believed() {
    let entries = log(&[100; 4]);
    let end = tail(&entries);
    let mut forged = entries[2].clone();
    forged.bytes = Bytes::from_static(b"forged");
    let mut nameless = fragments(&entries[2..3], 1000);
    nameless[0].hash = Bytes::new();
    let scripts = vec![
        vec![
            Ok(response(fragments(&entries[..2], 1000), end)),
            Ok(response(fragments(&entries[1..3], 1000), end)),
        ],
        vec![Ok(response(fragments(&entries[3..], 1000), end))],
        vec![Ok(response(fragments(&[forged], 1000), end))],
        vec![Ok(response(nameless, end))],
        vec![Ok(FollowResponse::default())],
    ];
    let server = Server::new(entries.clone(), 1000, scripts);
    let mut follower = follower(&server, None).await;
    assert_eq!(collect(&mut follower, 4).await, entries);
    assert_eq!(server.asked(), [None, Some(2), Some(2), Some(2), Some(2), Some(2)]);
}

#[tokio::test]
async fn after_a_position_order_and_chain_are_checked_from_the_first_entry_on() {
    let entries = log(&[100; 4]);
    let mut forged = entries[2].clone();
    forged.bytes = Bytes::from_static(b"forged");
    let pair = [entries[1].clone(), forged];
    // A gap and a repetition, while nothing but the order can tell; then what does not chain.
    let scripts = [&entries[2..], &entries[..1], &pair]
        .map(|sent| vec![Ok(response(fragments(sent, 1000), tail(&entries)))]);
    let server = Server::new(entries.clone(), 1000, scripts.into());
    let mut follower = follower(&server, Some(tail(&entries[..1]))).await;
    assert_eq!(collect(&mut follower, 3).await, entries[1..]);
    assert_eq!(server.asked(), [Some(1), Some(1), Some(1), Some(2)]);
}

#[tokio::test]
async fn another_history_ends_it_and_names_both_positions() {
    let entries = log(&[100; 4]);
    let have = Position::after(LOG, 2, &Hash::from_bytes([3; 32]));
    let asked = tail(&entries[..2]);
    let server = Server::new(entries, 1000, vec![vec![Err(diverged(asked, have))]]);
    let mut follower = follower(&server, Some(asked)).await;
    let error = soon(follower.next()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&asked.to_string()) && text.contains(&have.to_string()), "{text}");
    assert_eq!(error, FollowError::Diverged { ledger: LedgerKind::Registry, asked, have: Some(have) });
    assert_eq!(soon(follower.next()).await, Err(error.clone()));
    assert_eq!(*follower.state().borrow(), FollowState::Ended(error));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_log_that_is_another_by_its_tail_ends_it_even_if_the_server_says_nothing() {
    let entries = log(&[100; 2]);
    let other = Position::start(LogId::from_bytes([8; 16]));
    let server = Server::new(entries.clone(), 1000, vec![vec![Ok(response(vec![], other))]]);
    let asked = tail(&entries);
    let mut follower = follower(&server, Some(asked)).await;
    let error = soon(follower.next()).await.unwrap_err();
    assert_eq!(error, FollowError::Diverged { ledger: LedgerKind::Registry, asked, have: Some(other) });
}

/// The first response of a log that was restored, with what comes after `after`.
fn restored(entries: &[FollowedEntry], after: usize, log: LogId, lineage: &[Position]) -> Script {
    let tail = Position { log, ..tail(entries) };
    let lineage = lineage.iter().map(position::to_proto).collect();
    vec![Ok(FollowResponse { lineage, ..response(fragments(&entries[after..], 1000), tail) })]
}

#[tokio::test]
async fn a_log_that_was_restored_is_followed_on_up_to_the_fork_and_said_to_be_another() {
    let entries = log(&[100; 6]);
    let (first, second) = (LogId::from_bytes([8; 16]), LogId::from_bytes([9; 16]));
    let fork = tail(&entries[..4]);
    let lineage = [Position { log: first, ..tail(&entries[..3]) }, tail(&entries[..3])];
    let gone = || Err(Status::unavailable("stopped"));
    let scripts = vec![
        vec![Ok(response(fragments(&entries[..2], 1000), tail(&entries[..2]))), gone()],
        // Restored, and the connection breaks at once; then restored again.
        [restored(&entries[..2], 2, first, &[fork]), vec![gone()]].concat(),
        restored(&entries, 2, second, &lineage),
    ];
    let server = Server::new(entries.clone(), 1000, scripts);
    let mut follower = follower(&server, None).await;
    assert_eq!(soon(follower.next()).await.unwrap().entries, entries[..2]);
    for (log, fork, lineage, new) in
        [(first, fork, &[fork][..], &entries[..0]), (second, tail(&entries[..3]), &lineage, &entries[2..])]
    {
        let batch = soon(follower.next()).await.unwrap();
        let on = batch.restored.expect("it is another log");
        assert_eq!(on.after, Position { log, ..tail(&entries[..2]) });
        assert_eq!((on.fork, on.lineage.forks()), (Some(Position { log, ..fork }), lineage));
        assert_eq!(batch.entries, new);
    }
    assert_eq!(follower.position(), Some(Position { log: second, ..tail(&entries) }));
    let asked: Vec<_> =
        server.asked.lock().unwrap().iter().map(|after| after.map(|after| after.log)).collect();
    assert_eq!(asked, [None, Some(LOG), Some(first)]);
}

#[tokio::test]
async fn beyond_the_fork_a_restored_log_ends_it_and_from_its_start_it_is_reported() {
    let entries = log(&[100; 4]);
    let (log, fork) = (LogId::from_bytes([8; 16]), tail(&entries[..2]));
    let script = || vec![restored(&entries, 0, log, &[fork])];
    let server = Server::new(entries.clone(), 1000, script());
    let asked = tail(&entries[..3]);
    let mut beyond = follower(&server, Some(asked)).await;
    let error = soon(beyond.next()).await.unwrap_err();
    let have = Some(Position { log, ..tail(&entries) });
    assert_eq!(error, FollowError::Diverged { ledger: LedgerKind::Registry, asked, have });

    let server = Server::new(entries.clone(), 1000, script());
    let mut new = follower(&server, None).await;
    let batch = soon(new.next()).await.unwrap();
    let on = batch.restored.expect("it was restored");
    assert_eq!((on.after, on.fork, on.lineage.forks()), (Position::start(log), None, &[fork][..]));
    assert_eq!(batch.entries, entries);
}

#[tokio::test]
async fn an_entry_beyond_the_bound_ends_it_after_what_came_before() {
    let entries = log(&[100, 10_001]);
    let server = Server::new(entries.clone(), 4000, vec![]);
    let mut follower = follower(&server, None).await;
    assert_eq!(collect(&mut follower, 1).await, entries[..1]);
    let error = soon(follower.next()).await.unwrap_err();
    assert_eq!(
        error,
        FollowError::EntryTooLarge { ledger: LedgerKind::Registry, sequence: 2, limit: 10_000 }
    );
}

#[tokio::test]
async fn it_says_since_when_it_cannot_reach_a_server_and_when_it_does_again() {
    // A port on which nothing listens any more.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut follower = Follower::new(pool(address), LedgerKind::Tracker, None, options());
    let mut state = follower.state();
    assert_eq!(*state.borrow(), FollowState::Connecting);
    let waiting = tokio::spawn(async move { (follower.next().await, follower) });
    let unreachable = soon(state.wait_for(|state| *state != FollowState::Connecting)).await.unwrap().clone();
    let FollowState::Unreachable { reason, .. } = &unreachable else { panic!("{unreachable:?}") };
    assert!(reason.contains("refused"), "{reason}");

    let entries = log(&[1]);
    let server = Server::new(entries.clone(), 10, vec![]);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tokio::spawn(
        tonic::transport::Server::builder().add_routes(server.routes()).serve_with_incoming(incoming),
    );
    soon(state.wait_for(|state| *state == FollowState::Connected)).await.unwrap();
    let (first, _) = soon(waiting).await.unwrap();
    assert_eq!(first.unwrap().tail, tail(&entries));
}

#[tokio::test]
async fn a_server_that_stops_in_order_is_warned_of_only_when_it_does_not_come_back() {
    let draining = || {
        let details = ErrorDetails::with_error_info("DRAINING", "milepost.dev", []);
        Status::with_error_details(Code::Unavailable, "the server is stopping", details)
    };
    let scripts = vec![vec![Err(draining())], vec![Err(Status::unavailable("gone"))]];
    let server = Server::new(log(&[1]), 10, scripts);
    let mut follower = follower(&server, None).await;
    let mut warned = Vec::new();
    for calls in 1..=2 {
        let mut state = follower.state();
        while server.asked().len() < calls || !state.has_changed().unwrap() {
            assert_eq!(follower.next().now_or_never(), None);
            tokio::task::yield_now().await;
        }
        assert!(matches!(*state.borrow_and_update(), FollowState::Unreachable { .. }));
        warned.push(follower.warned);
    }
    collect(&mut follower, 1).await;
    warned.push(follower.warned);
    assert_eq!(warned, [false, true, false]);
}

#[tokio::test]
async fn the_end_of_access_or_of_a_credential_is_warned_of_only_when_the_next_attempt_is_refused_too() {
    for (code, reason) in
        [(Code::PermissionDenied, "ACCESS_CHANGED"), (Code::Unauthenticated, "CREDENTIAL_EXPIRED")]
    {
        let ended = || {
            let details = ErrorDetails::with_error_info(reason, "milepost.dev", []);
            Err(Status::with_error_details(code, "no", details))
        };
        let entries = log(&[1, 1]);
        let first = || Ok(response(fragments(&entries[..1], 10), tail(&entries)));
        let scripts = vec![vec![first(), ended()], vec![ended()]];
        let server = Server::new(entries.clone(), 10, scripts);
        let mut follower = follower(&server, None).await;
        let mut got = collect(&mut follower, 1).await;
        let mut warned = Vec::new();
        for calls in 1..=2 {
            let mut state = follower.state();
            while server.asked().len() < calls || !state.has_changed().unwrap() {
                assert_eq!(follower.next().now_or_never(), None);
                tokio::task::yield_now().await;
            }
            assert!(matches!(*state.borrow_and_update(), FollowState::Unreachable { .. }));
            warned.push(follower.warned);
        }
        got.extend(collect(&mut follower, 1).await);
        warned.push(follower.warned);
        assert_eq!((got, warned), (entries, vec![false, true, false]), "{reason}");
        assert_eq!(server.asked(), [None, Some(1), Some(1)]);
    }
}

/// The entries of the next batch that has some.
async fn entries_of_next(follower: &mut Follower) -> Vec<FollowedEntry> {
    loop {
        let entries = follower.next().await.unwrap().entries;
        if !entries.is_empty() {
            return entries;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_left_for_another_connection() {
    let entries = log(&[10; 4]);
    let end = tail(&entries);
    let server =
        Server::new(entries.clone(), 1000, vec![vec![Ok(response(fragments(&entries[..2], 1000), end))]]);
    let mut follower = Follower::new(in_memory(server.routes()), LedgerKind::Registry, None, options());
    assert_eq!(follower.next().await.unwrap().entries, entries[..2]);
    let quiet = tokio::time::Instant::now();
    assert_eq!(entries_of_next(&mut follower).await, entries[2..]);
    let limit = FollowOptions::default().silence;
    assert!(quiet.elapsed() >= limit && quiet.elapsed() < limit + Duration::from_secs(1));
    assert_eq!(server.asked(), [None, Some(2)]);
}

#[tokio::test]
async fn a_service_of_the_same_process_is_followed_without_a_connection() {
    let entries = log(&[10, 3000, 0, 10]);
    let end = tail(&entries);
    let broken = vec![
        Ok(response(fragments(&entries[..1], 1000), end)),
        Err(tonic::Status::unavailable("the server is stopping")),
    ];
    let server = Server::new(entries.clone(), 1000, vec![broken]);
    let here = Transport::in_process(server.routes());
    let mut follower = Follower::new(here, LedgerKind::Registry, None, options());
    assert_eq!(collect(&mut follower, entries.len()).await, entries);
    assert_eq!(server.asked(), [None, Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_was_busy_does_not_take_that_for_the_servers_silence() {
    let entries = log(&[10; 2]);
    let end = tail(&entries);
    let server =
        Server::new(entries.clone(), 1000, vec![vec![Ok(response(fragments(&entries[..1], 1000), end))]]);
    let mut follower =
        Follower::new(Transport::in_process(server.routes()), LedgerKind::Registry, None, options());
    assert_eq!(follower.next().await.unwrap().entries, entries[..1]);
    tokio::time::sleep(FollowOptions::default().silence * 2).await;
    // The script's stream sends nothing more.
    let asked = tokio::time::Instant::now();
    assert_eq!(entries_of_next(&mut follower).await, entries[1..]);
    assert!(asked.elapsed() >= FollowOptions::default().silence, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn next_may_be_cancelled_at_any_time() {
    let entries = log(&[50; 60]);
    let server = Server::new(entries.clone(), 20, vec![]);
    let mut follower = follower(&server, None).await;
    let mut found = Vec::new();
    let all = async {
        while found.len() < entries.len() {
            // One poll each: whatever was under way must survive that it is dropped.
            match std::future::poll_fn(|cx| Poll::Ready(Box::pin(follower.next()).poll_unpin(cx))).await {
                Poll::Ready(batch) => found.extend(batch.unwrap().entries),
                Poll::Pending => tokio::task::yield_now().await,
            }
        }
    };
    soon(all).await;
    assert_eq!(found, entries);
    assert_eq!(server.asked().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_byte_a_connection_breaks_at_each_entry_comes_once(
        sizes in prop::collection::vec(0usize..2000, 1..40),
        piece in 1usize..900,
        cuts in prop::collection::vec(0usize..6000, 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let entries = log(&sizes);
            let server = Server::new(entries.clone(), piece, vec![]);
            let (address, _) = cutting_proxy(serve(server.routes()).await, cuts).await;
            let mut follower = Follower::new(pool(address), LedgerKind::Registry, None, options());
            assert_eq!(collect(&mut follower, entries.len()).await, entries);
        });
    }
}
