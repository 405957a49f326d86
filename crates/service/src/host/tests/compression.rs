//! gzip: taken from callers within the limit of a message, and given to those that take it.

use super::*;
use crate::config::ByteSize;
use flate2::read::GzDecoder;
use flate2::{Compress, Compression, FlushCompress};
use http::uri::PathAndQuery;
use std::io::Read;
use tonic_health::pb::HealthCheckRequest;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

#[tokio::test]
async fn requests_of_all_services_may_be_compressed() {
    let server = Running::start(Config::default()).await;
    let gzip = CompressionEncoding::Gzip;
    let mut journal = JournalServiceClient::new(server.channel().await).send_compressed(gzip);
    let answer = journal.get_ledger_info(info("科学城")).await.unwrap();
    assert_eq!(answer.into_inner().ledger, "科学城");
    let mut stream = journal.follow(follow("never ends")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let mut health = HealthClient::new(server.channel().await).send_compressed(gzip);
    let request = HealthCheckRequest { service: "milepost.journal.v1.JournalService".to_owned() };
    health.check(request).await.unwrap();
    let mut reflection = ServerReflectionClient::new(server.channel().await).send_compressed(gzip);
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers =
        reflection.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    assert!(soon(answers.message()).await.unwrap().is_some());
    server.context.drain.cancel();
    drop((stream, answers));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_bomb_goes_off_at_the_limit_of_a_message() {
    let mut config = Config::default();
    config.limits.max_request_bytes = ByteSize::mib(2);
    let server = Running::start(config).await;
    let bomb = bomb();
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    let before = peak_bytes();
    for method in ["GetLedgerInfo", "Follow"] {
        let status = compressed(&server, method, &bomb).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::ResourceExhausted, "LIMIT_EXCEEDED"),
            "{status:?}"
        );
        assert_eq!(status.get_details_error_info().unwrap().metadata["limit"], "2097152");
    }
    let grew = peak_bytes() - before;
    // Other tests may share the process.
    assert!(grew < 512 << 20, "it took {grew} bytes");
    let status = compressed(&server, "GetLedgerInfo", b"no gzip").await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "MALFORMED_MESSAGE"));
    server.stop().await.unwrap();
}

/// A gibibyte of zeros, in a little more than a mebibyte: a block of them, which refers to none before it, over
/// and over.
fn bomb() -> Vec<u8> {
    let (zeros, mut block) = (vec![0; 1 << 20], Vec::with_capacity(1 << 20));
    Compress::new(Compression::best(), false).compress_vec(&zeros, &mut block, FlushCompress::Full).unwrap();
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    bomb.extend(block.repeat(1024));
    let mut read = GzDecoder::new(&bomb[..]).take(2 << 20);
    assert_eq!(std::io::copy(&mut read, &mut std::io::sink()).unwrap(), 2 << 20, "it is more than one block");
    bomb
}

/// The most memory that this process had.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A call whose message is these bytes and says that they are gzip.
async fn compressed(server: &Running, method: &str, bytes: &[u8]) -> Result<(), Status> {
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let path = format!("http://{}/milepost.journal.v1.JournalService/{method}", server.address);
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("grpc-encoding", "gzip")
        .body(())
        .unwrap();
    let (response, mut sender) = client.send_request(request, false).unwrap();
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    sender.send_data([&[1], &length[..], bytes].concat().into(), true).unwrap();
    let head = soon(response).await.unwrap().into_parts().0;
    connection.abort();
    match Status::from_header_map(&head.headers) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(()),
    }
}

/// Calls, and keeps the headers of the answer.
async fn answered(channel: Channel, ledger: &str, accept: bool) -> (GetLedgerInfoResponse, Option<String>) {
    let mut grpc = tonic::client::Grpc::new(channel);
    if accept {
        grpc = grpc.accept_compressed(CompressionEncoding::Gzip);
    }
    soon(grpc.ready()).await.unwrap();
    let path = PathAndQuery::from_static("/milepost.journal.v1.JournalService/GetLedgerInfo");
    let codec = milepost_proto::codec::SmallBuffers::<GetLedgerInfoRequest, GetLedgerInfoResponse>::default();
    let answer = soon(grpc.unary(Request::new(info(ledger)), path, codec)).await.unwrap();
    let encoding = answer.metadata().get("grpc-encoding").map(|value| value.to_str().unwrap().to_owned());
    (answer.into_inner(), encoding)
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it_and_short_ones_are_not() {
    let server = Running::start(Config::default()).await;
    let channel = server.channel().await;
    let long = "长".repeat(LONG_CHARACTERS);
    for (ledger, accept, expected, encoding) in [
        ("long", true, long.as_str(), Some("gzip")),
        ("long", false, &long, None),
        ("short", true, "short", None),
    ] {
        let (answer, found) = answered(channel.clone(), ledger, accept).await;
        assert_eq!((found.as_deref(), answer.ledger.as_str()), (encoding, expected), "{ledger}: {accept}");
    }
    // Errors have no message to compress.
    let mut client = JournalServiceClient::new(channel).accept_compressed(CompressionEncoding::Gzip);
    let error = client.get_ledger_info(info("leak")).await.unwrap_err();
    assert_eq!(reason(&error), "INTERNAL");
    let error = client.get_ledger_info(info("panic")).await.unwrap_err();
    assert_eq!(reason(&error), "INTERNAL");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn streams_are_not_compressed() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await.accept_compressed(CompressionEncoding::Gzip);
    let mut stream = client.follow(follow("never ends")).await.unwrap();
    assert!(stream.metadata().get("grpc-encoding").is_none(), "{:?}", stream.metadata());
    assert!(stream.get_mut().message().await.unwrap().is_some());
    server.context.drain.cancel();
    drop(stream);
    server.stop().await.unwrap();
}
