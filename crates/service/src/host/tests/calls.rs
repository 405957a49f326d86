//! Deadlines, panics, and messages that cannot be decoded, as a caller sees them.

use super::*;
use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use tokio::net::TcpStream;

/// What a raw call got: the status of its head or trailers, and how many body bytes.
struct Raw {
    status: Status,
    body_bytes: usize,
}

/// One call as bytes, so that no client library adds deadlines or checks of its own.
async fn raw(address: SocketAddr, method: &str, timeout: Option<&str>, body: &[u8], end: bool) -> Raw {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request =
        http::Request::post(format!("http://{address}/milepost.journal.v1.JournalService/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let (response, mut sender) = client.send_request(request.body(()).unwrap(), false).unwrap();
    sender.send_data(Bytes::copy_from_slice(body), end).unwrap();
    let response = soon(response).await.unwrap();
    let head: HeaderMap = response.headers().clone();
    let mut body = response.into_body();
    let mut body_bytes = 0;
    while let Some(data) = soon(body.data()).await {
        let data = data.unwrap();
        body_bytes += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    let trailers = soon(body.trailers()).await.unwrap();
    connection.abort();
    let status = Status::from_header_map(&trailers.unwrap_or(head)).unwrap();
    Raw { status, body_bytes }
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.len()).unwrap());
    bytes.put_slice(message);
    bytes.to_vec()
}

/// A message whose field 1 is this text.
fn message(text: &[u8]) -> Vec<u8> {
    frame(&[&[0x0a, u8::try_from(text.len()).unwrap()], text].concat())
}

#[tokio::test]
async fn a_call_is_answered_and_counted() {
    let server = Running::start(Config::default()).await;
    let answer = server.client().await.get_ledger_info(info("科学城")).await.unwrap().into_inner();
    assert_eq!(answer.ledger, "科学城");
    let counted = "milepost_server_calls_total{method=\"milepost.journal.v1.JournalService/GetLedgerInfo\",code=\"OK\"}";
    assert_eq!(server.metric(counted), 1.0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_unary_call_without_a_deadline_gets_the_configured_one() {
    let mut config = Config::default();
    config.limits.unary_timeout = Duration::from_millis(50);
    let server = Running::start(config).await;
    let error = soon(server.client().await.get_ledger_info(info("hang"))).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_callers_deadline_holds_if_it_is_no_longer_than_allowed() {
    let mut config = Config::default();
    config.limits.unary_timeout_max = Duration::from_secs(40);
    let server = Running::start(config).await;
    let remaining = async |timeout: Option<u64>| {
        let mut request = Request::new(info("remaining"));
        if let Some(seconds) = timeout {
            request.set_timeout(Duration::from_secs(seconds));
        }
        server.client().await.get_ledger_info(request).await.unwrap().into_inner().disk_bytes
    };
    for (given, least, most) in
        [(None, 20_000, 30_000), (Some(11), 5_000, 11_000), (Some(3600), 31_000, 40_000)]
    {
        let remaining = remaining(given).await;
        assert!((least..=most).contains(&remaining), "{given:?}: {remaining} ms");
    }
    let hung = raw(server.address, "GetLedgerInfo", Some("50m"), &message(b"hang"), true).await;
    assert_eq!(hung.status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&hung.status), "DEADLINE_EXCEEDED");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_handler_that_minds_its_deadline_answers_itself() {
    let server = Running::start(Config::default()).await;
    let answer = raw(server.address, "GetLedgerInfo", Some("50m"), &message(b"mindful"), true).await;
    assert_eq!(answer.status.message(), "what was there by the deadline");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_that_never_comes_is_cut_off_also_before_a_stream() {
    let mut config = Config::default();
    config.limits.unary_timeout = Duration::from_millis(50);
    let server = Running::start(config).await;
    for method in ["GetLedgerInfo", "Follow"] {
        let answer = raw(server.address, method, None, b"", false).await;
        assert_eq!(answer.status.code(), Code::DeadlineExceeded, "{method}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_outlives_the_unary_deadline_but_not_its_callers() {
    let mut config = Config::default();
    config.limits.unary_timeout = Duration::from_millis(1);
    config.limits.unary_timeout_max = Duration::from_millis(1);
    let server = Running::start(config).await;
    let mut unbounded = server.client().await.follow(follow("never ends")).await.unwrap().into_inner();
    assert!(unbounded.message().await.unwrap().is_some());

    let started = Instant::now();
    let bounded = raw(server.address, "Follow", Some("400m"), &message(b"never ends"), true).await;
    assert_eq!((bounded.status.code(), bounded.body_bytes), (Code::DeadlineExceeded, 5));
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert!(timeout(Duration::ZERO, unbounded.message()).await.is_err(), "it is still open");
    server.context.drain.cancel();
    drop(unbounded);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_panic_is_internal_for_its_call_alone() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await;
    let error = client.get_ledger_info(info("panic")).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Internal, "INTERNAL"));
    assert!(!format!("{error:?}").contains("on request"), "{error:?}");

    let mut stream = client.follow(follow("panic")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let error = soon(stream.message()).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Internal, "INTERNAL"));
    assert!(stream.message().await.unwrap().is_none());

    assert_eq!(client.get_ledger_info(info("fine")).await.unwrap().into_inner().ledger, "fine");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_decoded_is_the_callers_fault() {
    let mut config = Config::default();
    config.limits.max_request_bytes = crate::config::ByteSize::kib(64);
    let server = Running::start(config).await;
    let oversized = frame(&vec![0; 64 * 1024 + 1]);
    let mut truncated = message(b"half of it");
    truncated.truncate(8);
    let malformed = (Code::InvalidArgument, "MALFORMED_MESSAGE");
    for (what, body, (code, expected)) in [
        ("invalid UTF-8", message(b"\xff\xfe"), malformed),
        ("a field that runs over the end", frame(&[0x0a, 0x10, b'x']), malformed),
        ("no message", vec![], malformed),
        ("half a message", truncated, malformed),
        ("an unknown compression flag", vec![7, 0, 0, 0, 0], malformed),
        ("a compressed message without an encoding", vec![1, 0, 0, 0, 0], malformed),
        ("a message that is too large", oversized, (Code::ResourceExhausted, "LIMIT_EXCEEDED")),
    ] {
        for method in ["GetLedgerInfo", "Follow"] {
            let answer = raw(server.address, method, None, &body, true).await;
            assert_eq!(
                (answer.status.code(), reason(&answer.status).as_str()),
                (code, expected),
                "{method}: {what}"
            );
        }
    }
    let too_large = raw(server.address, "Follow", None, &frame(&vec![0; 70_000]), true).await.status;
    assert_eq!(too_large.get_details_error_info().unwrap().metadata["limit"], "65536");
    assert_eq!(
        server.client().await.get_ledger_info(info("fine")).await.unwrap().into_inner().ledger,
        "fine"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_status_that_is_not_in_our_form_keeps_its_internals_inside() {
    let server = Running::start(Config::default()).await;
    let error = server.client().await.get_ledger_info(info("leak")).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Internal, "INTERNAL"));
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    let unknown = raw(server.address, "NoSuchMethod", None, b"", true).await.status;
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(reason(&unknown), "METHOD_UNKNOWN");
    server.stop().await.unwrap();
}
