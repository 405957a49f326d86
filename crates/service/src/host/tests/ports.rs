//! The addresses of a server, its side services, and its admin port.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    text
}

#[tokio::test]
async fn the_admin_port_answers_and_counts_calls() {
    let server = Running::start(Config::default()).await;
    server.client().await.get_ledger_info(info("fine")).await.unwrap();
    let metrics = get(server.admin, "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    for expected in [
        "milepost_server_calls_total{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\",code=\"OK\"} 1\n",
        "milepost_server_call_duration_seconds_count{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\"} 1\n",
        "milepost_server_connections_total 1\n",
        "milepost_process_cpu_seconds_total ",
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    assert!(get(server.admin, "/readyz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get(server.admin, "/healthz").await.ends_with("alive\n"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_admin_port_answers_while_the_server_opens_and_drains() {
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Config::default()
    };
    let listeners = Listeners::bind(&config).await.unwrap();
    let admin = listeners.addresses().1.unwrap();
    let (opened, go) = (CancellationToken::new(), CancellationToken::new());
    let closing = CancellationToken::new();
    let (opening, may_open, context) = (opened.clone(), go.clone(), ServiceContext::new(&config));
    let (at_close, checked) = (closing.clone(), context.clone());
    let shutdown = CancellationToken::new();
    let stopped = shutdown.clone();
    let server = tokio::spawn(async move {
        let open = |context: ServiceContext| async move {
            let check = context.readiness.check("test.ledger");
            opening.cancel();
            may_open.cancelled().await;
            check.ready();
            Ok(vec![Component::new("test").on_close(async move {
                at_close.cancelled().await;
                drop(check);
                Ok(())
            })])
        };
        run(&config, context, listeners, open, stopped.cancelled_owned()).await
    });
    soon(opened.cancelled()).await;
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 503 "));
    go.cancel();
    soon(checked.readiness.watch().wait_for(|report| report.ready())).await.unwrap();
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 200 "));
    shutdown.cancel();
    soon(checked.readiness.watch().wait_for(|report| report.draining)).await.unwrap();
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 503 "));
    assert!(get(admin, "/healthz").await.starts_with("HTTP/1.1 200 "));
    closing.cancel();
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn reflection_names_our_services_and_the_side_services() {
    let server = Running::start(Config::default()).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(server.channel().await);
    let answers = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap();
    let answer = soon(answers.into_inner().message()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<String> = services.service.into_iter().map(|service| service.name).collect();
    for expected in
        ["milepost.journal.v1.JournalService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]
    {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = Listeners::bind(&Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_listen: None,
        ..Config::default()
    })
    .await
    .unwrap();
    let address = first.addresses().0.unwrap();
    let error = Listeners::bind(&Config { listen: address, ..Config::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
}
