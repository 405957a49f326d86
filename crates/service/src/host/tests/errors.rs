//! Every error has an ErrorInfo, whoever made it: the host, the transport, or a service that is not ours.

use super::*;
use bytes::Bytes;
use http::HeaderMap;
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_types::ErrorInfo;

const INFO: &str = "/milepost.journal.v1.JournalService/GetLedgerInfo";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// The answer to a request that is sent as it is.
struct Answered {
    http: http::StatusCode,
    head: HeaderMap,
    status: Status,
}

impl Answered {
    fn info(&self) -> ErrorInfo {
        let info = self.status.get_details_error_info();
        info.unwrap_or_else(|| panic!("no ErrorInfo: {:?}", self.status))
    }
}

/// A call; each of `headers` is set, or left out where it has no value.
async fn send(address: SocketAddr, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Answered {
    let request = http::Request::post(format!("http://{address}{path}"));
    let mut request = request.header("content-type", "application/grpc").body(()).unwrap();
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    for (name, value) in headers {
        match *name {
            ":method" => *request.method_mut() = value.parse().unwrap(),
            name if value.is_empty() => drop(request.headers_mut().remove(name)),
            name => drop(request.headers_mut().insert(name, value.parse().unwrap())),
        }
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let (response, mut sender) = client.send_request(request, false).unwrap();
    // The answer may come before the message, and close the stream.
    let _ = sender.send_data(Bytes::copy_from_slice(body), true);
    let (head, mut body) = soon(response).await.unwrap().into_parts();
    while let Some(data) = soon(body.data()).await {
        body.flow_control().release_capacity(data.unwrap().len()).unwrap();
    }
    let trailers = soon(body.trailers()).await.unwrap();
    connection.abort();
    let status = Status::from_header_map(&trailers.unwrap_or_else(|| head.headers.clone())).unwrap();
    Answered { http: head.status, head: head.headers, status }
}

fn message(bytes: &[u8]) -> Vec<u8> {
    [&[0], &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented_with_a_reason() {
    let server = Running::start(Config::default()).await;
    for path in [
        "/",
        "/milepost.journal.v1.JournalService",
        "/milepost.journal.v1.JournalService/NoSuchMethod",
        // In the schemas, but not on this server.
        "/milepost.registry.v1.ProjectService/GetProject",
        "/no.such.Service/Method",
        "/grpc.health.v1.Health/NoSuchMethod",
        "/grpc.reflection.v1.ServerReflection/NoSuchMethod",
    ] {
        let answered = send(server.address, path, &[], &message(b"")).await;
        assert_eq!(answered.status.code(), Code::Unimplemented, "{path}");
        let info = answered.info();
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("milepost.dev", "METHOD_UNKNOWN"),
            "{path}"
        );
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_call_is_refused_as_the_protocol_says_with_a_reason() {
    let server = Running::start(Config::default()).await;
    for (header, value, http) in [
        ("content-type", "application/json", 415),
        ("content-type", "application/grpc-web", 415),
        ("content-type", "", 415),
        (":method", "GET", 405),
        ("grpc-timeout", "soon", 200),
        ("grpc-timeout", "123456789S", 200),
    ] {
        for path in [INFO, REFLECTION, "/grpc.health.v1.Health/Check"] {
            let answered = send(server.address, path, &[(header, value)], &message(b"")).await;
            let what = format!("{path}, {header}: {value}");
            assert_eq!(
                (answered.http.as_u16(), answered.status.code()),
                (http, Code::InvalidArgument),
                "{what}"
            );
            let info = answered.info();
            assert_eq!(
                (info.reason.as_str(), info.metadata["header"].as_str()),
                ("PROTOCOL_VIOLATION", header)
            );
        }
    }
    // Many clients leave it out.
    assert_eq!(send(server.address, INFO, &[("te", "")], &message(b"")).await.status.code(), Code::Ok);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_encoding_that_is_not_known_is_named_with_those_that_are() {
    let server = Running::start(Config::default()).await;
    for path in
        [INFO, "/milepost.journal.v1.JournalService/Follow", REFLECTION, "/grpc.health.v1.Health/Check"]
    {
        for encoding in ["zstd", "deflate", "snappy"] {
            let body = [&[1], &message(b"x")[1..]].concat();
            let answered = send(server.address, path, &[("grpc-encoding", encoding)], &body).await;
            assert_eq!(answered.status.code(), Code::Unimplemented, "{path}: {encoding}");
            assert_eq!(answered.info().reason, "ENCODING_UNKNOWN", "{path}: {encoding}");
            assert_eq!(answered.info().metadata["supported"], "gzip,identity");
            assert_eq!(answered.head["grpc-accept-encoding"], "gzip,identity", "{path}: {encoding}");
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_side_services_say_why_too() {
    let server = Running::start(Config::default()).await;
    let mut health = HealthClient::new(server.channel().await);
    let request = || HealthCheckRequest { service: "no.such.Service".to_owned() };
    let check = health.check(request()).await.unwrap_err();
    let watch = health.watch(request()).await.unwrap_err();
    for status in [check, watch] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
        let metadata = status.get_details_error_info().unwrap().metadata;
        assert_eq!((metadata["kind"].as_str(), metadata["name"].as_str()), ("service", "no.such.Service"));
    }
    // In the trailers of a stream. Field 3: the file of a name; field 4: of a symbol.
    for (field, kind) in [(0x1a, "file"), (0x22, "symbol")] {
        let answered = send(server.address, REFLECTION, &[], &message(&[field, 3, b'a', b'.', b'B'])).await;
        assert_eq!(answered.status.code(), Code::NotFound, "{kind}: {:?}", answered.status);
        let info = answered.info();
        assert_eq!((info.reason.as_str(), info.metadata["kind"].as_str()), ("RESOURCE_NOT_FOUND", kind));
        assert_eq!(info.metadata["name"], "a.B");
    }
    let empty = send(server.address, REFLECTION, &[], &message(b"")).await;
    assert_eq!(
        (empty.status.code(), empty.info().reason.as_str()),
        (Code::InvalidArgument, "MALFORMED_MESSAGE")
    );
    let malformed =
        send(server.address, "/grpc.health.v1.Health/Check", &[], &message(&[0x0a, 9, b'x'])).await;
    assert_eq!(malformed.info().reason, "MALFORMED_MESSAGE");
    // Beyond 4 MiB, which is the transport's own limit for them.
    let large = send(server.address, "/grpc.health.v1.Health/Check", &[], &[0, 0, 0x50, 0, 0]).await;
    assert_eq!(
        (large.status.code(), large.info().reason.as_str()),
        (Code::ResourceExhausted, "LIMIT_EXCEEDED")
    );
    assert_eq!(large.info().metadata["limit"], "4194304");
    server.stop().await.unwrap();
}
