//! Limits of callers on a real server: one that calls too often is refused while others go on; a flood of bogus
//! credentials is cut off, changes nothing, and does not cost others their calls; so is a connection that brings too many.

use std::time::Duration;

use milepost_client::Client;
use milepost_proto::registry::v1::{CreateProjectRequest, ListPortfoliosRequest, Project};
use milepost_tests::protected::Protected;
use milepost_tests::{Role, files, http, within};
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt;

use super::tls::counted;

const PATIENCE: Duration = Duration::from_secs(30);

/// The code of a call: of one that may read nothing, PERMISSION_DENIED.
async fn code(client: &Client) -> Code {
    let asked = client.portfolios().list_portfolios(ListPortfoliosRequest::default()).await;
    asked.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_that_calls_too_often_is_refused_and_another_goes_on() {
    let office =
        Protected::start(&["ann", "bob"], &[("limits.calls_per_second", "1"), ("limits.calls_burst", "5")])
            .await;
    let (ann, bob) = (office.client(Some("ann")), office.client(Some("bob")));
    let mut codes = Vec::new();
    for _ in 0..10 {
        codes.push(code(&ann).await);
    }
    assert_eq!(codes[..5], [Code::PermissionDenied; 5]);
    assert!(codes[5..].contains(&Code::ResourceExhausted), "{codes:?}");
    assert_eq!(code(&bob).await, Code::PermissionDenied, "it is known, and may read nothing");
    let (_, metrics) =
        http::get(office.cluster.server(Role::All).admin(), "/metrics").await.expect("metrics");
    assert!(metrics.contains("milepost_limits_refused_total{limit=\"calls_per_second\"}"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_that_sends_too_much_is_refused_and_changes_nothing_and_another_goes_on() {
    let set = [
        ("limits.max_request_bytes", "64 KiB"),
        ("limits.bytes_per_second", "1 KiB"),
        ("limits.bytes_burst", "64 KiB"),
    ];
    let office = Protected::start(&["ann", "bob"], &set).await;
    office.portfolio("a").await;
    for who in ["ann", "bob"] {
        office.grant(&format!("grants/{who}"), &format!("cert:urn:office:{who}"), "manager").await;
    }
    let (ann, long) = (office.client(Some("ann")), "城".repeat(600));
    let project = |id: usize| CreateProjectRequest {
        parent: "portfolios/a".into(),
        project_id: format!("p{id}"),
        project: Some(Project { display_name: "p".into(), purpose: long.clone(), ..Project::default() }),
        ..CreateProjectRequest::default()
    };
    let mut created = 0;
    let refused = loop {
        match ann.projects().create_project(project(created)).await {
            Ok(_) => created += 1,
            Err(status) => break status,
        }
        assert!(created < 1000, "nothing is refused");
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().expect("a reason").metadata["what"], "bytes_per_second");
    assert!(details.retry_info().is_some_and(|info| info.retry_delay.is_some()));
    let listed = office.does("bob", "project list a --format json").await;
    assert_eq!(listed.matches("\"etag\"").count(), created);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_bogus_credentials_is_cut_off_and_costs_others_nothing() {
    let office =
        Protected::start(&["ann"], &[("limits.refusals_per_second", "1"), ("audit.directory", "DIR/audit")])
            .await;
    let data = office.cluster.data(Role::All);
    let before = files::contents(&data);
    let rss = resident_kib(office.cluster.server(Role::All).pid());
    let mut flooding = JoinSet::new();
    for task in 0..4 {
        let client = office.client(None);
        flooding.spawn(async move {
            let mut limited = 0;
            for number in 0..5_000 {
                let token = format!("mp_t{task}x{number}_00000000");
                let bogus = client.clone().with_token(&token).expect("a token");
                match code(&bogus).await {
                    Code::ResourceExhausted => limited += 1,
                    // A connection is closed after 100 of them, and made again. A call that was sent meanwhile was not
                    // taken: gRPC says of GOAWAY that it is INTERNAL.
                    Code::Unauthenticated | Code::Unavailable | Code::Cancelled | Code::Internal => {}
                    other => panic!("{other:?}"),
                }
            }
            limited
        });
    }
    let ann = office.client(Some("ann"));
    let mut calls = 0;
    let mut limited = 0;
    while !flooding.is_empty() {
        tokio::select! {
            Some(done) = flooding.join_next() => limited += done.expect("it goes on"),
            answered = code(&ann) => {
                // From the same address, with a good credential.
                assert_eq!(answered, Code::PermissionDenied);
                calls += 1;
            }
        }
    }
    assert!(limited > 15_000 && calls > 0, "{limited} of 20000 limited, {calls} calls");
    assert_eq!(files::contents(&data), before, "no journal grows");
    let grown = resident_kib(office.cluster.server(Role::All).pid()).saturating_sub(rss);
    assert!(grown < 64 << 10, "{grown} KiB");
    let log: usize = files::contents(&office.dir.path().join("audit")).values().map(Vec::len).sum();
    assert!(log < 64 << 10, "{log} bytes of audit log");
    let (_, metrics) =
        http::get(office.cluster.server(Role::All).admin(), "/metrics").await.expect("metrics");
    assert!(metrics.contains("\nmilepost_audit_records_total "), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_closed_after_a_hundred_refused_credentials_and_others_go_on() {
    let office = Protected::start(&["ann"], &[("limits.refusals_burst", "1000")]).await;
    let server = office.cluster.server(Role::All).grpc();
    // Each client has one connection, and cannot make another.
    let [(one, passed_of_one), (other, passed_of_other)] = [counted(server).await, counted(server).await];
    let bogus = office.client_through(one.port(), None);
    let ann = office.client_through(other.port(), Some("ann"));
    assert_eq!(code(&ann).await, Code::PermissionDenied, "it is known, and may read nothing");
    for number in 1..=100 {
        let token = format!("mp_t{number}_00000000");
        let bogus = bogus.clone().with_token(&token).expect("a token");
        assert_eq!(code(&bogus).await, Code::Unauthenticated, "credential {number}");
    }
    within(PATIENCE, "end of the connection", passed_of_one).await.expect("it is passed on");
    assert_eq!(code(&bogus).await, Code::Unavailable);
    assert_eq!(code(&ann).await, Code::PermissionDenied);
    assert!(!passed_of_other.is_finished());
    let log = office.cluster.server(Role::All).log();
    assert!(log.contains("too many of its credentials were refused"), "{log}");
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}
