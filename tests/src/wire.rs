//! Calls whose messages are bytes, right or wrong: what no generated stub would send.

#[path = "../transcript/raw.rs"]
mod raw;

use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;

use raw::Raw;

/// Calls a unary method, as in `/milepost.registry.v1.ProjectService/CreateProject`.
///
/// # Errors
/// What the server answers, or the transport.
///
/// # Panics
/// If `method` is no path.
pub async fn unary(channel: Channel, method: &str, message: Bytes) -> Result<Bytes, Status> {
    raw::call(&channel, method.strip_prefix('/').expect("a path"), message).await
}

/// As [`unary`], or [`first`] if it `streams`, with the message compressed by gzip.
///
/// # Errors
/// What the server answers, or the transport.
///
/// # Panics
/// If `method` is no path.
pub async fn compressed(
    channel: Channel,
    method: &str,
    message: Bytes,
    streams: bool,
) -> Result<Option<Bytes>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel).send_compressed(CompressionEncoding::Gzip);
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path: PathAndQuery = method.parse().expect("a path");
    let request = tonic::Request::new(message);
    if streams {
        grpc.server_streaming(request, path, Raw).await?.into_inner().message().await
    } else {
        Ok(Some(grpc.unary(request, path, Raw).await?.into_inner()))
    }
}

/// Opens a server stream and waits for its first message.
///
/// # Errors
/// What the server answers, or the transport.
///
/// # Panics
/// If `method` is no path.
pub async fn first(channel: Channel, method: &str, message: Bytes) -> Result<Option<Bytes>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path: PathAndQuery = method.parse().expect("a path");
    grpc.server_streaming(tonic::Request::new(message), path, Raw).await?.into_inner().message().await
}

/// Opens a server stream and waits for no message of it: that it begins is the answer.
///
/// # Errors
/// What the server answers instead, or the transport.
///
/// # Panics
/// If `method` is no path.
pub async fn open(channel: Channel, method: &str, message: Bytes) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path: PathAndQuery = method.parse().expect("a path");
    grpc.server_streaming(tonic::Request::new(message), path, Raw).await.map(drop)
}

/// One protobuf field of bytes or text, which need not be what it should.
pub fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 12);
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(content.len() as u64, &mut out);
    out.extend_from_slice(content);
    out
}
