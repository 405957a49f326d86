//! How a server stops: in which order, how long it waits, what it drops, what stops it.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

#[tokio::test]
async fn an_idle_server_stops_at_once_and_its_clients_learn_of_it() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await;
    client.get_ledger_info(info("fine")).await.unwrap();
    let started = Instant::now();
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 0 });
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(client.get_ledger_info(info("late")).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn polite_streams_end_by_themselves_and_nothing_is_dropped() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await;
    let mut stream = client.follow(follow("polite")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let started = Instant::now();
    let (ending, last) = tokio::join!(server.stop(), stream.message());
    assert_eq!(ending.unwrap(), Ending { dropped_connections: 0 });
    assert_eq!(last.unwrap_err().message(), "go on elsewhere");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_call_that_is_being_answered_is_waited_for() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await;
    let mut request = Request::new(info("mindful"));
    request.set_timeout(Duration::from_millis(300));
    let call = tokio::spawn(async move { client.get_ledger_info(request).await });
    soon(async {
        while server
            .metric("milepost_server_open_calls{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\"}")
            < 1.0
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 0 });
    assert!(call.is_finished());
}

#[tokio::test]
async fn a_stream_that_never_ends_is_dropped_at_the_limit() {
    let config = Config { drain_timeout: Duration::from_millis(200), ..Config::default() };
    let server = Running::start(config).await;
    let mut client = server.client().await;
    let mut stream = client.follow(follow("never ends")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let started = Instant::now();
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 1 });
    let took = started.elapsed();
    assert!((Duration::from_millis(200)..Duration::from_secs(4)).contains(&took), "{took:?}");
    assert!(soon(stream.message()).await.is_err());
}

#[tokio::test]
async fn a_call_that_never_ends_is_dropped_at_the_limit() {
    let config = Config { drain_timeout: Duration::from_millis(200), ..Config::default() };
    let server = Running::start(config).await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.get_ledger_info(info("hang")).await });
    soon(async {
        while server
            .metric("milepost_server_open_calls{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\"}")
            < 1.0
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.stop().await.unwrap(), Ending { dropped_connections: 1 });
    assert!(soon(call).await.unwrap().is_err());
}

#[tokio::test]
async fn health_says_not_serving_before_streams_end_and_its_watch_ends_too() {
    let server = Running::start(Config::default()).await;
    let mut health = HealthClient::new(server.channel().await);
    let service = "milepost.journal.v1.JournalService".to_owned();
    let mut watch = health.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    let serving = watch.message().await.unwrap().unwrap().status();
    assert_eq!(serving, ServingStatus::Serving);
    let mut stream = server.client().await.follow(follow("polite")).await.unwrap().into_inner();
    stream.message().await.unwrap();

    let (ending, seen) = tokio::join!(server.stop(), async {
        let status = soon(watch.message()).await.unwrap().unwrap().status();
        let end = soon(watch.message()).await.unwrap_err();
        (status, end.code(), reason(&end))
    });
    assert_eq!(seen, (ServingStatus::NotServing, Code::Unavailable, "DRAINING".to_owned()));
    assert_eq!(ending.unwrap(), Ending { dropped_connections: 0 });
}

#[tokio::test]
async fn health_follows_the_checks_of_the_part() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let server = Running::start_with(Config::default(), move |component, context| {
        let _ =
            sender.send((context.readiness.check("test.ledger"), context.readiness.check("other.ledger")));
        component
    })
    .await;
    let (ours, other) = soon(receiver).await.unwrap();
    let mut health = HealthClient::new(server.channel().await);
    let service = "milepost.journal.v1.JournalService".to_owned();
    let mut component = health.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    let mut whole = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let next = async |watch: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>| {
        soon(watch.message()).await.unwrap().unwrap().status()
    };
    assert_eq!(next(&mut component).await, ServingStatus::NotServing);
    assert_eq!(next(&mut whole).await, ServingStatus::NotServing);
    ours.ready();
    assert_eq!(next(&mut component).await, ServingStatus::Serving);
    other.degraded("behind");
    assert_eq!(next(&mut whole).await, ServingStatus::Serving);
    ours.not_ready("the journal failed");
    assert_eq!(next(&mut component).await, ServingStatus::NotServing);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn parts_close_after_calls_and_tasks_have_ended() {
    let task_ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Mutex::new(None));
    let (task, closing) = (task_ended.clone(), (task_ended.clone(), seen.clone()));
    let server = Running::start_with(Config::default(), move |component, context| {
        let drain = context.drain.clone();
        component
            .task("follower", async move {
                drain.cancelled().await;
                tokio::task::yield_now().await;
                task.store(true, Ordering::Relaxed);
                Ok(())
            })
            .on_close(async move {
                *closing.1.lock() = Some(closing.0.load(Ordering::Relaxed));
                Ok(())
            })
    })
    .await;
    server.client().await.get_ledger_info(info("fine")).await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(*seen.lock(), Some(true));
}

#[tokio::test]
async fn a_task_that_fails_stops_the_process_in_good_order() {
    let closed = Arc::new(AtomicBool::new(false));
    let closing = closed.clone();
    let fail = CancellationToken::new();
    let failing = fail.clone();
    let server = Running::start_with(Config::default(), move |component, _| {
        component
            .task("ledger", async move {
                failing.cancelled().await;
                Err("the journal cannot be written".into())
            })
            .on_close(async move {
                closing.store(true, Ordering::Relaxed);
                Ok(())
            })
    })
    .await;
    let mut stream = server.client().await.follow(follow("polite")).await.unwrap().into_inner();
    stream.message().await.unwrap();
    fail.cancel();
    let error = soon(server.server).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Task { component: "test", task: "ledger", .. }), "{error:?}");
    assert_eq!(stream.message().await.unwrap_err().message(), "go on elsewhere");
    assert!(closed.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_task_that_panics_stops_the_process_and_one_that_ends_well_does_not() {
    let panic = CancellationToken::new();
    let panicking = panic.clone();
    let server = Running::start_with(Config::default(), move |component, _| {
        component.task("once", async { Ok(()) }).task("follower", async move {
            panicking.cancelled().await;
            panic!("in the task")
        })
    })
    .await;
    server.client().await.get_ledger_info(info("fine")).await.unwrap();
    panic.cancel();
    let error = soon(server.server).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Task { task: "follower", .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_still_opening_can_be_stopped() {
    let config =
        Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), admin_listen: None, ..Config::default() };
    let listeners = Listeners::bind(&config).await.unwrap();
    let open = |_| pending::<Result<Vec<Component>, BoxError>>();
    let ending = soon(run(&config, ServiceContext::new(&config), listeners, open, async {})).await;
    assert_eq!(ending.unwrap(), Ending { dropped_connections: 0 });
}

#[tokio::test]
async fn a_part_that_cannot_be_opened_is_told() {
    let config =
        Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), admin_listen: None, ..Config::default() };
    let listeners = Listeners::bind(&config).await.unwrap();
    let open = |_| async { Err("segment 3 is damaged".into()) };
    let error =
        soon(run(&config, ServiceContext::new(&config), listeners, open, pending())).await.unwrap_err();
    let Error::Open(source) = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "segment 3 is damaged");
}
