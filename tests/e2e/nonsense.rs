//! Nonsense at every API: each is refused with a status that says what is wrong, all of it, and changes
//! nothing: the ledgers are where they were.

use std::time::{Duration, Instant};

use bytes::Bytes;
use milepost_client::{Client, Failure};
use milepost_proto::error::v1::Reason;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::journal::v1::{FollowRequest, GetLedgerInfoRequest};
use milepost_proto::notifier::v1 as notifier;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use milepost_tests::command::{create_milestone, create_portfolio, create_project, date, milestone, project};
use milepost_tests::history::{self, sequence};
use milepost_tests::methods::{self, Method};
use milepost_tests::random::seeded;
use milepost_tests::wait::until;
use milepost_tests::{Cluster, Role, wire, within};
use milepost_types::{Cursor, HashPrefix, LedgerKind, LogId, Position, Revision};
use prost::Message;
use tonic::{Code, Request};

const PATIENCE: Duration = Duration::from_secs(30);

/// An office with one project and two milestones.
async fn office() -> (Cluster, Client) {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for id in ["x", "y"] {
        client.projects().create_project(create_project("p", id)).await.expect("a project");
    }
    for id in ["a", "b"] {
        let request = create_milestone("portfolios/p/projects/x", id);
        client.milestones().create_milestone(request).await.expect("a milestone");
    }
    history::settled(&client).await;
    (cluster, client)
}

async fn positions(client: &Client) -> Vec<u64> {
    days_begun(client).await;
    // What was done before is followed by now.
    history::settled(client).await;
    let mut positions = Vec::new();
    for ledger in LedgerKind::ALL {
        positions.push(sequence(client, ledger).await);
    }
    positions
}

/// Waits until every portfolio has its first day: it begins by itself a moment after the portfolio was
/// made, and must not be taken for an effect of what is tested.
async fn days_begun(client: &Client) {
    until(PATIENCE, "the first day of every portfolio", async || {
        let portfolios =
            client.portfolios().list_portfolios(registry::ListPortfoliosRequest::default()).await;
        let portfolios = portfolios.map_err(|status| status.to_string())?.into_inner().portfolios;
        let types = vec!["milepost.portfolio.date_advanced".to_owned()];
        let selection = Some(notifier::EventSelection { types, ..Default::default() });
        let request = notifier::ListEventsRequest { selection, page_size: 1000, ..Default::default() };
        let events = client.events().list_events(request).await.map_err(|status| status.to_string())?;
        let begun: Vec<_> = events.into_inner().events.into_iter().map(|event| event.subject).collect();
        match portfolios.iter().find(|portfolio| !begun.contains(&portfolio.name)) {
            Some(portfolio) => Err(format!("{} has no day", portfolio.name)),
            None => Ok(()),
        }
    })
    .await;
}

/// Calls, and gives back why it was refused.
macro_rules! refused {
    ($client:expr, $stub:ident.$method:ident($request:expr)) => {{
        let reply = within(PATIENCE, stringify!($method), $client.$stub().$method($request)).await;
        let status = reply.err().unwrap_or_else(|| panic!("{} was not refused", stringify!($method)));
        Failure::from(status)
    }};
}

#[track_caller]
fn assert_reason(failure: &Failure, code: Code, reason: Reason) {
    assert_eq!((failure.code, failure.reason), (code, Some(reason)), "{failure:?}");
}

/// Exactly these fields were at fault, and a person can read why.
#[track_caller]
fn assert_fields(failure: &Failure, fields: &[&str]) {
    assert_reason(failure, Code::InvalidArgument, Reason::InvalidFields);
    let mut found: Vec<_> = failure.violations.iter().map(|fault| fault.field.as_str()).collect();
    found.sort_unstable();
    let mut expected = fields.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected, "{failure}");
    for fault in &failure.violations {
        assert!(!fault.description.is_empty() && !fault.reason.is_empty(), "{fault:?}");
        assert!(fault.description.len() < 2000, "a description repeats too much: {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_required_field_is_asked_for_by_every_method() {
    let (cluster, client) = office().await;
    let before = positions(&client).await;
    let channel = channel(&cluster).await;
    let mut asked = 0;
    for method in methods::all().into_iter().filter(|method| !method.required().is_empty()) {
        let failure = Failure::from(call(&channel, &method, Bytes::new()).await.expect_err(&method.path));
        let required = method.required();
        asked += required.len();
        assert_reason(&failure, Code::InvalidArgument, Reason::InvalidFields);
        for field in required {
            let named = failure.violations.iter().any(|fault| fault.field == field);
            assert!(named, "{} does not ask for {field}: {failure}", method.path);
        }
    }
    assert!(asked > 50, "only {asked} required fields were found");
    assert_eq!(positions(&client).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_none_are_refused_by_every_method() {
    let (cluster, client) = office().await;
    let before = positions(&client).await;
    let channel = channel(&cluster).await;
    let mut rng = seeded("nonsense");
    let malformed = |failure: &Failure, path: &str, what: &str| {
        let expected = (Code::InvalidArgument, Some(Reason::MalformedMessage));
        assert_eq!((failure.code, failure.reason), expected, "{path}, {what}: {failure:?}");
    };
    let mut methods = 0;
    for method in methods::all() {
        methods += 1;
        if let Some(number) = method.text_field() {
            let message = Bytes::from(wire::field(number, b"portfolios/\xff\xfe"));
            let failure = Failure::from(call(&channel, &method, message).await.expect_err(&method.path));
            malformed(&failure, &method.path, "invalid UTF-8");
        }
        // A field that says it is longer than the message.
        let message = Bytes::from_static(&[0x0A, 0x7F, b'x']);
        let failure = Failure::from(call(&channel, &method, message).await.expect_err(&method.path));
        malformed(&failure, &method.path, "a message cut short");
        for _ in 0..20 {
            let noise: Vec<u8> = (0..rng.below(64)).map(|_| rng.bits() as u8).collect();
            if let Err(status) = call(&channel, &method, noise.clone().into()).await {
                let code = status.code();
                let ours =
                    !matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable);
                assert!(ours, "{} took {noise:?} for a fault of its own: {status:?}", method.path);
            }
        }
    }
    assert!(methods > 50, "only {methods} methods were found");
    assert_eq!(positions(&client).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_names_are_named() {
    let (_cluster, client) = office().await;
    let before = positions(&client).await;
    let long = "x".repeat(10 << 20);
    for name in [
        "",
        "x",
        "projects/x",
        "portfolios/p/projects",
        "portfolios/P/projects/x",
        "portfolios/p/projects/x/",
        "portfolios//projects/x",
        "portfolios/p/projects/-",
        "portfolios/p/projects/重庆",
        "portfolios/p/projects/x\0",
        "/portfolios/p/projects/x",
        &long,
    ] {
        let request = registry::GetProjectRequest { name: name.to_owned(), min_revisions: Vec::new() };
        assert_fields(&refused!(client, projects.get_project(request)), &["name"]);
        let request = tracker::ListMilestonesRequest { parent: name.to_owned(), ..Default::default() };
        if name != "portfolios/p/projects/-" {
            assert_fields(&refused!(client, milestones.list_milestones(request)), &["parent"]);
        }
        let request = registry::StartProjectRequest { name: name.to_owned(), ..Default::default() };
        assert_fields(&refused!(client, projects.start_project(request)), &["name"]);
    }
    for id in ["-x", "x-", "X", "1x", "a_b", "a".repeat(64).as_str(), long.as_str()] {
        let request =
            registry::CreateProjectRequest { project_id: id.to_owned(), ..create_project("p", "unused") };
        assert_fields(&refused!(client, projects.create_project(request)), &["project_id"]);
    }
    let missing =
        registry::GetProjectRequest { name: "portfolios/p/projects/no".to_owned(), ..Default::default() };
    let failure = refused!(client, projects.get_project(missing));
    assert_reason(&failure, Code::NotFound, Reason::ResourceNotFound);
    assert_eq!(failure.fact("name"), Some("portfolios/p/projects/no"));
    assert_eq!(positions(&client).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_request_is_told_at_once() {
    let (_cluster, client) = office().await;
    let before = positions(&client).await;
    let long = "长".repeat((10 << 20) / 3);
    let money = |code: &str, units, nanos| Some(Money { currency_code: code.to_owned(), units, nanos });
    let request = registry::CreateProjectRequest {
        project: Some(registry::Project {
            display_name: long.clone(),
            investment: money("CNY", i64::MAX, 2_000_000_000),
            annual_plans: vec![registry::AnnualPlan {
                year: 2021,
                investment: money("cny", 1, 0),
                ..Default::default()
            }],
            planned_period: Some(registry::Period {
                start_date: Some(date(2021, 2, 30)),
                end_date: Some(date(0, 13, 1)),
            }),
            parent_project: "nonsense".to_owned(),
            ..project("faulty")
        }),
        request_id: "with a blank".to_owned(),
        ..create_project("p", "faulty")
    };
    let failure = refused!(client, projects.create_project(request));
    assert_fields(
        &failure,
        &[
            "project.display_name",
            "project.investment",
            "project.annual_plans[0].investment.currency_code",
            "project.planned_period.start_date",
            "project.planned_period.end_date",
            "project.parent_project",
            "request_id",
        ],
    );
    assert!(failure.to_string().len() < 10_000, "the answer repeats ten megabytes");
    assert!(failure.to_string().contains("2021-02-30"), "it shows the date: {failure}");

    for (day, why) in [
        ((2021, 2, 30), "no such day"),
        ((2023, 0, 1), "partial"),
        ((2023, 5, 0), "partial"),
        ((0, 5, 5), "partial"),
        ((10_000, 1, 1), "too late"),
        ((-4, 1, 1), "before all"),
        ((2023, 13, 1), "no such month"),
    ] {
        let day = Some(Date { year: day.0, month: day.1, day: day.2 });
        let request = tracker::CreateMilestoneRequest {
            milestone: Some(tracker::Milestone { baseline_date: day, forecast_date: day, ..milestone("m") }),
            ..create_milestone("portfolios/p/projects/x", "m")
        };
        let failure = refused!(client, milestones.create_milestone(request));
        assert_fields(&failure, &["milestone.baseline_date", "milestone.forecast_date"]);
        let request = tracker::ReforecastMilestoneRequest {
            name: "portfolios/p/projects/x/milestones/a".to_owned(),
            forecast_date: day,
            ..Default::default()
        };
        let failure = refused!(client, milestones.reforecast_milestone(request));
        assert_fields(&failure, &["forecast_date"]);
        assert!(!failure.violations[0].description.is_empty(), "{why}");
    }
    for (units, nanos) in [(1, -1), (-1, 1), (0, 1_000_000_000), (0, i32::MIN), (i64::MIN, -999_999_999)] {
        let request = registry::CreateProjectRequest {
            project: Some(registry::Project { investment: money("CNY", units, nanos), ..project("m") }),
            ..create_project("p", "m")
        };
        let failure = refused!(client, projects.create_project(request));
        assert_reason(&failure, Code::InvalidArgument, Reason::InvalidFields);
        assert!(failure.violations[0].field.starts_with("project.investment"), "{failure}");
    }

    // Too much at all.
    let request = registry::CreateProjectRequest {
        project: Some(registry::Project { purpose: "x".repeat(20 << 20), ..project("huge") }),
        ..create_project("p", "huge")
    };
    let failure = refused!(client, projects.create_project(request));
    assert_reason(&failure, Code::ResourceExhausted, Reason::LimitExceeded);
    assert_eq!(positions(&client).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_that_overflow_are_refused_whole() {
    let (_cluster, client) = office().await;
    let most = Some(Money { currency_code: "CNY".to_owned(), units: i64::MAX, nanos: 999_999_999 });
    let mut members = Vec::new();
    for id in ["rich", "richer"] {
        let request = registry::CreateProjectRequest {
            project: Some(registry::Project { investment: most.clone(), ..project(id) }),
            ..create_project("p", id)
        };
        let created =
            client.projects().create_project(request).await.expect("the most there is").into_inner();
        members.push(created.project.expect("a project").name);
    }
    let before = positions(&client).await;
    let request = registry::CreateBatchRequest {
        parent: "portfolios/p".to_owned(),
        batch_id: "overflow".to_owned(),
        batch: Some(registry::Batch {
            display_name: "过多".to_owned(),
            start_date: Some(date(2021, 9, 30)),
            members,
            ..Default::default()
        }),
        ..Default::default()
    };
    // Refused when it is made, or when it is started; never a sum that is none.
    match client.batches().create_batch(request).await.map_err(Failure::from) {
        Err(failure) => {
            assert!(matches!(failure.code, Code::InvalidArgument | Code::FailedPrecondition), "{failure:?}");
            assert_eq!(positions(&client).await, before);
        }
        Ok(created) => {
            let batch = created.into_inner().batch.expect("a batch");
            assert!(batch.registered_investments.is_empty(), "{batch:?}");
            let before = positions(&client).await;
            let request = registry::StartBatchRequest { name: batch.name, ..Default::default() };
            let failure = refused!(client, batches.start_batch(request));
            assert_eq!(failure.code, Code::FailedPrecondition, "{failure:?}");
            assert_eq!(positions(&client).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_were_made_for_something_else_are_refused() {
    let (_cluster, client) = office().await;
    let before = positions(&client).await;
    let list = |filter: &str, token: &str| registry::ListProjectsRequest {
        parent: "portfolios/p".to_owned(),
        page_size: 1,
        filter: filter.to_owned(),
        page_token: token.to_owned(),
        ..Default::default()
    };
    let page = client.projects().list_projects(list("", "")).await.expect("a page").into_inner();
    let token = page.next_page_token;
    assert!(!token.is_empty(), "there are two projects and a page of one");
    let next = client.projects().list_projects(list("", &token)).await.expect("the next page").into_inner();
    assert_eq!(next.projects[0].name, "portfolios/p/projects/y");

    let other_filter = refused!(client, projects.list_projects(list("key = true", &token)));
    assert_reason(&other_filter, Code::InvalidArgument, Reason::PageTokenInvalid);
    let damaged = format!("{}A", &token[..token.len() - 1]);
    for token in ["x", "长", &damaged, &"A".repeat(10 << 20)] {
        if token != page.revision {
            let failure = refused!(client, projects.list_projects(list("", token)));
            assert_reason(&failure, Code::InvalidArgument, Reason::PageTokenInvalid);
        }
    }
    let request = registry::ListPortfoliosRequest { page_token: token.clone(), ..Default::default() };
    let other_method = refused!(client, portfolios.list_portfolios(request));
    assert_reason(&other_method, Code::InvalidArgument, Reason::PageTokenInvalid);
    let request = tracker::ListMilestonesRequest {
        parent: "portfolios/p/projects/x".to_owned(),
        page_token: token.clone(),
        ..Default::default()
    };
    let other_service = refused!(client, milestones.list_milestones(request));
    assert_reason(&other_service, Code::InvalidArgument, Reason::PageTokenInvalid);
    let request = notifier::ListEventsRequest { page_token: token, ..Default::default() };
    let other_service = refused!(client, events.list_events(request));
    assert_reason(&other_service, Code::InvalidArgument, Reason::PageTokenInvalid);

    for (filter, column) in
        [("key =", "6"), ("nonsense = 1", "1"), ("key = 长", "7"), ("key = true OR", "12")]
    {
        let failure = refused!(client, projects.list_projects(list(filter, "")));
        assert_reason(&failure, Code::InvalidArgument, Reason::InvalidFilter);
        assert!(failure.fact("column").is_some(), "{failure:?} (expected about {column})");
    }
    let request = registry::ListProjectsRequest { order_by: "nonsense".to_owned(), ..list("", "") };
    assert_fields(&refused!(client, projects.list_projects(request)), &["order_by"]);
    assert_eq!(positions(&client).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_etags_and_reused_request_ids_are_refused() {
    let (_cluster, client) = office().await;
    let name = "portfolios/p/projects/x".to_owned();
    let request = registry::GetProjectRequest { name: name.clone(), ..Default::default() };
    let project = client.projects().get_project(request).await.expect("it").into_inner().project.expect("it");
    let update = |purpose: &str, etag: &str, request_id: &str| registry::UpdateProjectRequest {
        project: Some(registry::Project {
            name: name.clone(),
            purpose: purpose.to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["purpose".to_owned()] }),
        request_id: request_id.to_owned(),
        validate_only: false,
    };
    let updated = client.projects().update_project(update("one", &project.etag, "once")).await;
    let updated = updated.expect("an update").into_inner().project.expect("it");
    let before = positions(&client).await;

    let stale = refused!(client, projects.update_project(update("two", &project.etag, "")));
    assert_reason(&stale, Code::Aborted, Reason::EtagMismatch);
    assert_eq!(stale.fact("given"), Some(project.etag.as_str()));
    assert_eq!(stale.fact("current"), Some(updated.etag.as_str()));
    for etag in ["nonsense", "-1", "99999999999999999999999"] {
        let failure = refused!(client, projects.update_project(update("two", etag, "")));
        assert!(matches!(failure.code, Code::Aborted | Code::InvalidArgument), "{failure:?}");
    }
    let reused = refused!(client, projects.update_project(update("three", "", "once")));
    assert_reason(&reused, Code::InvalidArgument, Reason::RequestIdReused);
    assert_eq!(reused.fact("request_id"), Some("once"));
    // Another method, too.
    let request = registry::PrepareProjectRequest {
        name: name.clone(),
        request_id: "once".to_owned(),
        ..Default::default()
    };
    let reused = refused!(client, projects.prepare_project(request));
    assert_reason(&reused, Code::InvalidArgument, Reason::RequestIdReused);
    // The same again is no fault, and has the first answer.
    let again = client.projects().update_project(update("one", &project.etag, "once")).await;
    assert_eq!(again.expect("the first answer").into_inner().project, Some(updated));
    // A mask of fields that do not exist, or are not the caller's.
    for path in ["nonsense", "status", "create_time", "name"] {
        let request = registry::UpdateProjectRequest {
            update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
            ..update("four", "", "")
        };
        let failure = refused!(client, projects.update_project(request));
        assert_reason(&failure, Code::InvalidArgument, Reason::InvalidFields);
        assert!(failure.violations[0].field.starts_with("update_mask"), "{failure}");
    }
    history::settled(&client).await;
    assert_eq!(positions(&client).await[..2], before[..2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_that_are_none_are_refused() {
    let (_cluster, client) = office().await;
    let before = positions(&client).await;
    let info = client.events().get_log_info(notifier::GetLogInfoRequest {}).await.expect("info").into_inner();
    let latest: Cursor = info.latest_cursor.parse().expect("a cursor");
    let hash = HashPrefix::from_bytes([7; 8]);
    let at = |log, sequence| Cursor::after(Position { log, sequence, hash }).to_string();
    let watch = |cursor: &str| notifier::WatchEventsRequest {
        from: Some(notifier::watch_events_request::From::AfterCursor(cursor.to_owned())),
        ..Default::default()
    };
    let (log, sequence) = (latest.position.log, latest.position.sequence);
    let damaged = format!("{}x", info.latest_cursor);
    let cases = [
        ("nonsense".to_owned(), Code::InvalidArgument, Reason::CursorInvalid),
        (damaged, Code::InvalidArgument, Reason::CursorInvalid),
        (at(LogId::generate(), 1), Code::InvalidArgument, Reason::CursorOfOtherLog),
        (at(log, sequence + 1000), Code::FailedPrecondition, Reason::CursorAhead),
        (at(log, sequence), Code::FailedPrecondition, Reason::LogDiverged),
    ];
    for (cursor, code, reason) in cases {
        // A stream may say so when it opens, or as its first message.
        let opened = within(PATIENCE, "a stream", client.events().watch_events(watch(&cursor))).await;
        let status = match opened {
            Ok(stream) => {
                within(PATIENCE, "its end", stream.into_inner().message()).await.expect_err("no message")
            }
            Err(status) => status,
        };
        let request = notifier::ListEventsRequest { after_cursor: cursor, ..Default::default() };
        for failure in [Failure::from(status), refused!(client, events.list_events(request))] {
            assert_reason(&failure, code, reason);
            assert_eq!(failure.earliest_cursor(), Some(&*info.earliest_cursor), "{failure:?}");
        }
    }
    let ahead = Revision { ledger: LedgerKind::Registry, position: Position { log, sequence: 9, hash } };
    let read = |revision: String| registry::GetProjectRequest {
        name: "portfolios/p/projects/x".to_owned(),
        min_revisions: vec![revision],
    };
    for (revision, code, reason) in [
        ("nonsense".to_owned(), Code::InvalidArgument, Reason::RevisionInvalid),
        (ahead.to_string(), Code::FailedPrecondition, Reason::LogDiverged),
    ] {
        let failure = refused!(client, projects.get_project(read(revision)));
        assert_reason(&failure, code, reason);
    }
    // One that may come, but does not within the deadline.
    let registry = history::info(&client, LedgerKind::Registry).await.tail.expect("a tail");
    let log = registry.log_id.parse().expect("a log id");
    let position = Position { log, sequence: registry.sequence + 1, hash };
    let mut request = Request::new(read(Revision { ledger: LedgerKind::Registry, position }.to_string()));
    request.set_timeout(Duration::from_millis(300));
    let asked = Instant::now();
    let failure = refused!(client, projects.get_project(request));
    // Whose clock is first, the client's or the server's, is open.
    assert!(matches!(failure.code, Code::DeadlineExceeded | Code::Cancelled), "{failure:?}");
    assert!(asked.elapsed() < Duration::from_secs(5), "it waited {:?}", asked.elapsed());

    let failure = refused!(
        client,
        events.get_event(notifier::GetEventRequest { event_id: "nonsense".to_owned(), ..Default::default() })
    );
    assert_fields(&failure, &["event_id"]);
    let mut journal = client.journal(LedgerKind::Registry);
    let unknown = GetLedgerInfoRequest { ledger: "nonsense".to_owned() };
    let failure = Failure::from(journal.get_ledger_info(unknown).await.expect_err("no such ledger"));
    assert!(matches!(failure.code, Code::InvalidArgument | Code::NotFound), "{failure:?}");
    let after = Some(milepost_proto::journal::v1::Position { sequence: registry.sequence + 5, ..registry });
    let request = FollowRequest { ledger: "registry".to_owned(), after };
    let status = match journal.follow(request).await {
        Ok(stream) => {
            within(PATIENCE, "its end", stream.into_inner().message()).await.expect_err("no message")
        }
        Err(status) => status,
    };
    assert_reason(&Failure::from(status), Code::FailedPrecondition, Reason::LogDiverged);
    assert_eq!(positions(&client).await, before);
}

async fn channel(cluster: &Cluster) -> tonic::transport::Channel {
    let url = cluster.server(Role::All).url();
    tonic::transport::Endpoint::from_shared(url).expect("a URL").connect().await.expect("a connection")
}

/// Calls a method with a message as it is; of a stream the first message.
async fn call(
    channel: &tonic::transport::Channel,
    method: &Method,
    message: Bytes,
) -> Result<Option<Bytes>, tonic::Status> {
    let channel = channel.clone();
    if method.streams {
        let first =
            tokio::time::timeout(Duration::from_millis(200), wire::first(channel, &method.path, message));
        // One that has nothing to say yet was not refused.
        first.await.unwrap_or(Ok(None))
    } else {
        within(PATIENCE, &method.path, wire::unary(channel, &method.path, message)).await.map(Some)
    }
}

#[test]
fn the_wire_helpers_write_what_they_say() {
    let request =
        registry::GetProjectRequest { name: "portfolios/p/projects/x".to_owned(), ..Default::default() };
    assert_eq!(wire::field(1, request.name.as_bytes()), request.encode_to_vec());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_takes_a_compressed_request_as_it_takes_a_plain_one() {
    let (cluster, _client) = office().await;
    let channel = channel(&cluster).await;
    let mut methods = 0;
    // Those that ask for a field refuse an empty message alike, and change nothing.
    for method in methods::all().into_iter().filter(|method| !method.required().is_empty()) {
        methods += 1;
        let plain = call(&channel, &method, Bytes::new()).await.expect_err(&method.path);
        let compressed = wire::compressed(channel.clone(), &method.path, Bytes::new(), method.streams);
        let compressed = within(PATIENCE, &method.path, compressed).await.expect_err(&method.path);
        let (plain, compressed) = (Failure::from(plain), Failure::from(compressed));
        assert_eq!((plain.code, plain.reason), (compressed.code, compressed.reason), "{compressed:?}");
        assert_eq!(plain.violations, compressed.violations, "{}", method.path);
    }
    assert!(methods > 20, "only {methods} methods were found");
}
