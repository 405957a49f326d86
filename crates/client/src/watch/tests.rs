//! The watch against servers that die, drain, repeat, fall silent, and refuse for good.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use milepost_proto::error::v1::Reason;
use milepost_proto::notifier::v1::event_service_server::{EventService, EventServiceServer};
use milepost_proto::notifier::v1::{
    Drain, GetEventRequest, GetEventResponse, GetLogInfoRequest, GetLogInfoResponse, ListEventsRequest,
    ListEventsResponse,
};
use milepost_types::{Hash, LogId, Position};
use proptest::prelude::*;
use tokio_stream::StreamExt;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response};
use tonic_types::{ErrorDetails, StatusExt};

use super::watch_events_request::{From, Start as WireStart};
use super::*;
use crate::credentials::Token;
use crate::testing::{cutting_proxy, in_memory, pool, quick, serve, soon};

const LOG: LogId = LogId::from_bytes([7; 16]);

/// After the event with this index of the whole log; each entry has two. 0 is the start.
fn cursor(events: usize) -> String {
    let entry = events.div_ceil(2) as u64;
    if entry == 0 {
        return Cursor::after(Position::start(LOG)).to_string();
    }
    let position = Position::after(LOG, entry, &Hash::from_bytes([entry as u8; 32]));
    if events.is_multiple_of(2) {
        Cursor::after(position).to_string()
    } else {
        Cursor::inside(position, 0).to_string()
    }
}

fn events(range: std::ops::Range<usize>, padding: usize) -> Vec<Event> {
    let event = |index| Event {
        event_id: format!("log/{index}/0"),
        subject: "x".repeat(padding),
        ..Event::default()
    };
    range.map(event).collect()
}

fn response(range: std::ops::Range<usize>) -> WatchEventsResponse {
    WatchEventsResponse {
        cursor: cursor(range.end),
        checkpoint: range.is_empty(),
        events: events(range, 0),
        phase: Phase::Live.into(),
        ..WatchEventsResponse::default()
    }
}

fn drain(range: std::ops::Range<usize>, after: Duration) -> WatchEventsResponse {
    let drain = Drain { reconnect_after: Some(after.try_into().unwrap()) };
    WatchEventsResponse { drain: Some(drain), ..response(range) }
}

enum Step {
    Send(Box<WatchEventsResponse>),
    Fail(Status),
}

fn send(response: WatchEventsResponse) -> Step {
    Step::Send(Box::new(response))
}

/// Answers the first call by the first script, and so on; after the last one, by all events after the
/// cursor. An answered call stays open unless it fails.
#[derive(Clone)]
struct Server {
    count: usize,
    per_message: usize,
    padding: usize,
    scripts: Arc<Mutex<VecDeque<Vec<Step>>>>,
    asked: Arc<Mutex<Vec<WatchEventsRequest>>>,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(count: usize, scripts: Vec<Vec<Step>>) -> Self {
        Self {
            count,
            per_message: 3,
            padding: 0,
            scripts: Arc::new(Mutex::new(scripts.into())),
            asked: Arc::default(),
            tokens: Arc::default(),
        }
    }

    /// The tokens of the calls that had one.
    fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<From> {
        self.asked.lock().unwrap().iter().filter_map(|request| request.from.clone()).collect()
    }

    /// All events after where the request starts.
    fn truth(&self, from: &Option<From>) -> Vec<Result<WatchEventsResponse, Status>> {
        let mut at = match from {
            Some(From::AfterCursor(text)) => {
                (0..=self.count).find(|n| cursor(*n) == *text).expect("a cursor")
            }
            Some(From::Start(start)) if *start == WireStart::Latest as i32 => self.count,
            _ => 0,
        };
        let mut responses = vec![Ok(response(at..at))];
        while at < self.count {
            let end = (at + self.per_message).min(self.count);
            responses
                .push(Ok(WatchEventsResponse { events: events(at..end, self.padding), ..response(at..end) }));
            at = end;
        }
        responses
    }
}

#[tonic::async_trait]
impl EventService for Server {
    type WatchEventsStream = BoxStream<WatchEventsResponse>;

    async fn list_events(
        &self,
        _: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_event(&self, _: Request<GetEventRequest>) -> Result<Response<GetEventResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_log_info(
        &self,
        _: Request<GetLogInfoRequest>,
    ) -> Result<Response<GetLogInfoResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let token = request.metadata().get("authorization");
        self.tokens.lock().unwrap().extend(token.map(|token| token.to_str().unwrap().to_owned()));
        let request = request.into_inner();
        self.asked.lock().unwrap().push(request.clone());
        let responses: Vec<_> = match self.scripts.lock().unwrap().pop_front() {
            None => self.truth(&request.from),
            Some(steps) => steps
                .into_iter()
                .map(|step| match step {
                    Step::Send(response) => Ok(*response),
                    Step::Fail(status) => Err(status),
                })
                .collect(),
        };
        let ended = matches!(responses.last(), Some(Err(_)));
        let rest: Self::WatchEventsStream =
            if ended { Box::pin(tokio_stream::empty()) } else { Box::pin(tokio_stream::pending()) };
        Ok(Response::new(Box::pin(tokio_stream::iter(responses).chain(rest))))
    }
}

fn options() -> WatchOptions {
    WatchOptions { backoff: quick(), ..WatchOptions::default() }
}

async fn watch(server: &Server, start: Start) -> Watch {
    let address = serve(Routes::new(EventServiceServer::new(server.clone()))).await;
    Watch::new(&pool(address), start, Selection::default(), options())
}

/// A watch that time may be paused for.
fn watch_in_memory(server: &Server, options: WatchOptions) -> Watch {
    let pool = in_memory(Routes::new(EventServiceServer::new(server.clone())));
    Watch::new(&pool, Start::Earliest, Selection::default(), options)
}

/// The next batch; a reset is not expected.
async fn next(watch: &mut Watch) -> Batch {
    match watch.next().await.expect("no end").unwrap() {
        Delivery::Batch(batch) => batch,
        Delivery::Reset(reset) => panic!("{reset:?}"),
    }
}

async fn collect(watch: &mut Watch, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let batch = soon(next(watch)).await;
        ids.extend(batch.events.into_iter().map(|event| event.event_id));
    }
    ids
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    events(range, 0).into_iter().map(|event| event.event_id).collect()
}

fn after(events: usize) -> From {
    From::AfterCursor(cursor(events))
}

#[tokio::test]
async fn a_server_that_dies_is_resumed_after_the_last_batch() {
    let scripts = vec![
        vec![Step::Fail(Status::unavailable("starting"))],
        vec![send(response(0..3)), Step::Fail(Status::unavailable("draining"))],
        vec![send(response(3..4)), send(response(4..4)), Step::Fail(Status::unknown("h2"))],
    ];
    let server = Server::new(10, scripts);
    let mut watch = watch(&server, Start::Earliest).await;
    assert_eq!(collect(&mut watch, 10).await, ids(0..10));
    assert_eq!(watch.cursor(), Some(&*cursor(10)));
    let earliest = From::Start(WireStart::Earliest.into());
    assert_eq!(server.asked(), [earliest.clone(), earliest, after(3), after(4)]);
}

#[tokio::test]
async fn now_is_fixed_by_the_first_response() {
    // Two events happen after the first response and before the watch is back.
    let scripts = vec![vec![send(response(4..4)), Step::Fail(Status::unavailable("gone"))]];
    let server = Server::new(6, scripts);
    let mut watch = watch(&server, Start::Latest).await;
    assert_eq!(collect(&mut watch, 2).await, ids(4..6));
    assert_eq!(server.asked(), [From::Start(WireStart::Latest.into()), after(4)]);
}

#[tokio::test]
async fn what_a_server_repeats_is_left_out() {
    let scripts = vec![vec![
        send(response(0..2)),
        send(response(0..2)),
        send(response(1..1)),
        send(response(2..3)),
        send(response(2..3)),
        send(response(3..3)),
        Step::Fail(Status::unavailable("gone")),
    ]];
    let server = Server::new(5, scripts);
    let mut watch = watch(&server, Start::Earliest).await;
    assert_eq!(collect(&mut watch, 5).await, ids(0..5));
    assert_eq!(server.asked()[1..], [after(3)]);
}

/// A reset after the event with this index, in an entry of its own that has no event of the watch.
fn reset(events: usize, reset: SourceResetNotice) -> WatchEventsResponse {
    WatchEventsResponse { source_reset: Some(reset), checkpoint: false, ..response(events..events) }
}

#[tokio::test]
async fn a_reset_is_an_outcome_of_its_own_and_comes_once() {
    let notice = SourceResetNotice {
        source: "tracker".into(),
        revoked_events: Some(EventRange { after_sequence: 1, up_to_sequence: 2 }),
        repeated_events: Some(EventRange { after_sequence: 0, up_to_sequence: 1 }),
        ..SourceResetNotice::default()
    };
    let scripts = vec![
        vec![
            send(response(0..3)),
            send(reset(4, notice.clone())),
            // A server that repeats it.
            send(reset(4, notice.clone())),
            Step::Fail(Status::unavailable("gone")),
        ],
        vec![send(response(4..5))],
    ];
    let server = Server::new(5, scripts);
    let mut watch = watch(&server, Start::Earliest).await;
    assert_eq!(soon(next(&mut watch)).await.events.len(), 3);
    assert_eq!(watch.cursor(), Some(&*cursor(3)), "it is not passed before it was given out");
    let delivery = soon(watch.next()).await.unwrap().unwrap();
    assert_eq!(delivery.cursor(), cursor(4));
    let Delivery::Reset(reset) = delivery else { panic!("{delivery:?}") };
    assert_eq!((&reset.notice, watch.cursor()), (&notice, Some(&*cursor(4))));
    assert_eq!(soon(next(&mut watch)).await.events.len(), 1, "and then what follows it");
    assert_eq!(server.asked()[1..], [after(4)]);

    let event = |source: &str, sequence| Event { source: source.into(), sequence, ..Event::default() };
    let flags = |source, sequence| {
        let event = event(source, sequence);
        (reset.revokes(&event), reset.repeats(&event))
    };
    assert_eq!(flags("tracker", 1), (false, true));
    assert_eq!(flags("tracker", 2), (true, false));
    assert_eq!(flags("tracker", 3), (false, false));
    assert_eq!(flags("registry", 2), (false, false));
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_given_out_and_its_pause_honoured() {
    let pause = Duration::from_secs(7);
    let scripts = vec![vec![send(drain(0..3, pause)), Step::Fail(Status::unavailable("draining"))]];
    let server = Server::new(5, scripts);
    let mut watch = watch_in_memory(&server, options());
    assert_eq!(next(&mut watch).await.events.len(), 3);
    assert!(
        matches!(&*watch.state().borrow(), WatchState::Interrupted { reason, .. } if reason.contains("stopping"))
    );
    let drained = tokio::time::Instant::now();
    while next(&mut watch).await.events.is_empty() {}
    assert!(drained.elapsed() >= pause && drained.elapsed() < pause + Duration::from_secs(1));
    assert_eq!(server.asked()[1..], [after(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_left_after_three_intervals() {
    let server = Server::new(5, vec![vec![send(response(0..3))]]);
    let interval = Some(Duration::from_secs(2));
    let mut watch = watch_in_memory(&server, WatchOptions { checkpoint_interval: interval, ..options() });
    assert_eq!(next(&mut watch).await.events.len(), 3);
    let quiet = tokio::time::Instant::now();
    while next(&mut watch).await.events.is_empty() {}
    assert!(quiet.elapsed() >= Duration::from_secs(6) && quiet.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn what_no_attempt_can_change_ends_it_with_the_reason() {
    for (code, reason) in [
        (Code::OutOfRange, Reason::CursorExpired),
        (Code::FailedPrecondition, Reason::LogDiverged),
        (Code::InvalidArgument, Reason::CursorInvalid),
        (Code::InvalidArgument, Reason::CursorOfOtherLog),
        (Code::FailedPrecondition, Reason::CursorAhead),
    ] {
        let name = reason.as_str_name().strip_prefix("REASON_").unwrap();
        let facts = [("earliest_cursor".to_owned(), cursor(2))];
        let details = ErrorDetails::with_error_info(name, "milepost.dev", facts);
        let status = Status::with_error_details(code, "no", details);
        let server = Server::new(5, vec![vec![Step::Fail(status)]]);
        let mut watch = watch(&server, Start::After(cursor(1))).await;
        let error = soon(watch.next()).await.unwrap().unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!((failure.reason, failure.earliest_cursor()), (Some(reason), Some(&*cursor(2))));
        assert!(soon(watch.next()).await.is_none());
        assert_eq!(server.asked().len(), 1);
    }
}

/// How a server ends a stream at the cursor after so many events; none: it refuses to begin one.
fn ended(code: Code, reason: &str, events: Option<usize>) -> Step {
    let facts: HashMap<_, _> =
        events.map(|events| ("cursor".to_owned(), cursor(events))).into_iter().collect();
    let details = ErrorDetails::with_error_info(reason, "milepost.dev", facts);
    Step::Fail(Status::with_error_details(code, "no", details))
}

fn access_changed(events: usize) -> Step {
    ended(Code::PermissionDenied, "ACCESS_CHANGED", Some(events))
}

fn expired(events: Option<usize>) -> Step {
    ended(Code::Unauthenticated, "CREDENTIAL_EXPIRED", events)
}

fn reason_of(watch: &Watch) -> String {
    match &*watch.state().borrow() {
        WatchState::Interrupted { reason, .. } => reason.clone(),
        state => panic!("it is not interrupted: {state:?}"),
    }
}

/// The failure that ends a watch, and that it is the end.
async fn end(watch: &mut Watch) -> Failure {
    let error = loop {
        match soon(watch.next()).await.expect("an end with a reason") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(soon(watch.next()).await.is_none());
    error.failure().expect("a failed call").clone()
}

#[tokio::test]
async fn access_that_changes_is_no_end_and_the_watch_goes_on_after_what_it_gave_out() {
    let scripts = vec![
        vec![send(response(0..3)), access_changed(3)],
        vec![send(response(3..3)), access_changed(5)],
        vec![access_changed(5)],
    ];
    let server = Server::new(10, scripts);
    let mut watch = watch(&server, Start::Earliest).await;
    assert_eq!(collect(&mut watch, 10).await, ids(0..10));
    // What the old access hid between both cursors may be seen now.
    assert_eq!(server.asked()[1..], [after(3), after(3), after(3)]);
}

#[tokio::test]
async fn now_is_fixed_by_a_change_of_access_before_the_first_response() {
    let server = Server::new(6, vec![vec![access_changed(4)]]);
    let mut watch = watch(&server, Start::Latest).await;
    assert_eq!(collect(&mut watch, 2).await, ids(4..6));
    assert_eq!(server.asked()[1..], [after(4)]);
}

#[tokio::test]
async fn access_that_is_denied_after_it_changed_ends_the_watch_with_the_reason() {
    let denied = ended(Code::PermissionDenied, "PERMISSION_DENIED", None);
    let server = Server::new(5, vec![vec![send(response(0..3)), access_changed(3)], vec![denied]]);
    let mut watch = watch(&server, Start::Earliest).await;
    assert_eq!(end(&mut watch).await.reason, Some(Reason::PermissionDenied));
    assert_eq!(server.asked().len(), 2);
}

/// A file with a token, and a watch with it over connections in memory.
fn watch_with_token(server: &Server, token: Token) -> Watch {
    let pool = in_memory(Routes::new(EventServiceServer::new(server.clone()))).with(token).unwrap();
    Watch::new(&pool, Start::Earliest, Selection::default(), options())
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_file_is_read_again_once_it_has_ended() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "first").unwrap();
    let scripts = vec![
        vec![send(response(0..3)), expired(Some(3))],
        // It was not replaced yet.
        vec![expired(None)],
    ];
    let server = Server::new(7, scripts);
    let mut watch = watch_with_token(&server, Token::file(file.path().to_owned()).unwrap());
    assert_eq!(next(&mut watch).await.events.len(), 3);
    // Between two writes of whoever replaces it, the file is empty for a moment.
    std::fs::write(&file, "").unwrap();
    let moment = tokio::time::timeout(Duration::from_secs(1), watch.next()).await;
    assert!(moment.is_err(), "{moment:?}");
    assert!(reason_of(&watch).contains("a token is one word"), "{}", reason_of(&watch));
    std::fs::write(&file, "second").unwrap();
    assert_eq!(collect(&mut watch, 4).await, ids(3..7));
    assert_eq!(server.asked()[1..], [after(3), after(3)]);
    assert_eq!(server.tokens(), ["Bearer first", "Bearer second", "Bearer second"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_replaced_for_a_minute_ends_the_watch() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "first").unwrap();
    let mut scripts = vec![vec![send(response(0..3)), expired(Some(3))]];
    scripts.extend((0..100_000).map(|_| vec![expired(None)]));
    let server = Server::new(7, scripts);
    let mut watch = watch_with_token(&server, Token::file(file.path().to_owned()).unwrap());
    assert_eq!(next(&mut watch).await.events.len(), 3);
    let began = tokio::time::Instant::now();
    let failure = loop {
        if let Err(error) = watch.next().await.unwrap() {
            break error.failure().unwrap().clone();
        }
        assert_eq!(reason_of(&watch), "the credential has ended");
    };
    assert_eq!(failure.reason, Some(Reason::CredentialExpired));
    assert!((60..62).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_token_as_it_was_given_ends_the_watch_when_it_has_ended() {
    let server = Server::new(5, vec![vec![send(response(0..3)), expired(Some(3))]]);
    let mut watch = watch_with_token(&server, Token::given("fixed").unwrap());
    assert_eq!(end(&mut watch).await.reason, Some(Reason::CredentialExpired));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_credential_that_was_never_taken_is_no_interruption() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "old").unwrap();
    for first in [expired(None), ended(Code::Unauthenticated, "CREDENTIAL_INVALID", None)] {
        let server = Server::new(5, vec![vec![first]]);
        let mut watch = watch_with_token(&server, Token::file(file.path().to_owned()).unwrap());
        assert_eq!(end(&mut watch).await.code, Code::Unauthenticated);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn patience_ends_it_with_the_last_failure() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = WatchOptions { patience: Some(Duration::ZERO), ..options() };
    let mut watch = Watch::new(&pool(address), Start::Latest, Selection::default(), options);
    let error = watch.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(watch.next().await.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_byte_a_connection_breaks_at_each_event_comes_once(
        count in 1usize..120,
        per_message in 1usize..40,
        padding in 0usize..300,
        cuts in prop::collection::vec(0usize..6000, 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let server = Server { per_message, padding, ..Server::new(count, vec![]) };
            let address = serve(Routes::new(EventServiceServer::new(server.clone()))).await;
            let (address, _) = cutting_proxy(address, cuts).await;
            let mut watch = Watch::new(&pool(address), Start::Earliest, Selection::default(), options());
            assert_eq!(collect(&mut watch, count).await, ids(0..count));
        });
    }
}
