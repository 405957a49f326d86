//! Calls of methods that are known by their path only, with messages that are encoded already.
//!
//! For programs that read the schemas at run time. Retries are the caller's: see [`crate::Retry`].

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use milepost_types::LedgerKind;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Response, Status};

use crate::client::{Client, REPLY_BYTES};

impl Client {
    /// Calls the unary method of a service at this path, as in `/milepost.registry.v1.ProjectService/GetProject`.
    ///
    /// # Errors
    /// What the server refused, or why it could not be called.
    pub async fn unary(
        &self,
        ledger: LedgerKind,
        path: PathAndQuery,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let grpc = tonic::client::Grpc::new(self.pool(ledger).channel());
        let grpc = grpc.max_decoding_message_size(REPLY_BYTES);
        let mut grpc = grpc.accept_compressed(CompressionEncoding::Gzip);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        grpc.unary(request, path, Encoded).await
    }
}

/// The codec of messages that are encoded already.
#[derive(Debug, Clone, Copy)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
