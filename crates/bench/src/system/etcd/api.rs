//! As much of etcd's v3 API as is measured, written by hand: its crates need a protobuf compiler to build.
//!
//! Tags and names are those of `etcdserverpb` (rpc.proto) and `mvccpb` (kv.proto) of etcd 3.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::uri::PathAndQuery;
use tokio::sync::oneshot;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

/// Catching up, etcd sends up to a thousand writes in one message.
const MESSAGE_BYTES: usize = 1 << 30;

#[derive(Clone, PartialEq, prost::Message)]
struct PutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RangeRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
}

/// Of a put's answer and a range's.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(int64, tag = "3")]
    revision: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WatchRequest {
    #[prost(message, optional, tag = "1")]
    create: Option<WatchCreate>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WatchCreate {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    range_end: Vec<u8>,
    #[prost(int64, tag = "3")]
    start_revision: i64,
}

/// What a watch brings.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WatchResponse {
    #[prost(bool, tag = "3")]
    pub created: bool,
    #[prost(bool, tag = "4")]
    pub canceled: bool,
    #[prost(string, tag = "6")]
    pub cancel_reason: String,
    #[prost(message, repeated, tag = "11")]
    pub events: Vec<Event>,
}

/// A write that is watched.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Event {
    #[prost(message, optional, tag = "2")]
    pub kv: Option<KeyValue>,
}

/// What was written.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub key: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub value: Bytes,
}

/// A watch; it ends when it is dropped.
pub struct Watching {
    pub messages: Streaming<WatchResponse>,
    _alive: oneshot::Sender<Infallible>,
}

/// A client on a connection.
#[derive(Clone)]
pub struct Client(Grpc<Channel>);

impl Client {
    pub fn new(channel: Channel) -> Self {
        Self(Grpc::new(channel).max_decoding_message_size(MESSAGE_BYTES))
    }

    /// Writes a key.
    pub async fn put(&mut self, key: String, value: Vec<u8>) -> Result<(), Status> {
        let request = PutRequest { key: key.into_bytes(), value };
        self.unary("/etcdserverpb.KV/Put", request).await.map(drop)
    }

    /// The store's revision: 1 when it is empty, one more with each write.
    pub async fn revision(&mut self) -> Result<i64, Status> {
        let answer = self.unary("/etcdserverpb.KV/Range", RangeRequest { key: vec![0] }).await?;
        answer
            .header
            .map(|header| header.revision)
            .ok_or_else(|| Status::internal("an answer without header"))
    }

    /// Watches the keys from `key` to before `end`, from a revision on; 0: from now on.
    pub async fn watch(&mut self, key: &str, end: &str, start_revision: i64) -> Result<Watching, Status> {
        let (key, range_end) = (key.as_bytes().to_vec(), end.as_bytes().to_vec());
        let create = Some(WatchCreate { key, range_end, start_revision });
        // The watch lives until its requests end, and they must: a body that is being sent keeps its stream,
        // and with it the watch in etcd and the connection, though nobody reads the answers.
        let (alive, ended) = oneshot::channel();
        let requests = stream::iter([WatchRequest { create }]).chain(stream::pending()).take_until(ended);
        self.ready().await?;
        let path = PathAndQuery::from_static("/etcdserverpb.Watch/Watch");
        let codec = ProstCodec::<WatchRequest, WatchResponse>::default();
        let messages = self.0.streaming(Request::new(requests), path, codec).await?.into_inner();
        Ok(Watching { messages, _alive: alive })
    }

    async fn unary<M>(&mut self, path: &'static str, request: M) -> Result<Answer, Status>
    where
        M: prost::Message + 'static,
    {
        self.ready().await?;
        let codec = ProstCodec::<M, Answer>::default();
        let answer = self.0.unary(Request::new(request), PathAndQuery::from_static(path), codec).await?;
        Ok(answer.into_inner())
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))
    }
}
