//! Long answers, compressed for callers that take it.
//!
//! What callers send compressed is decompressed where it is decoded, within the limit of a message. Invariant:
//! an answer that is short, or would not become shorter, leaves as it is, so that neither reads of one
//! resource nor writes pay for this; a stream is never compressed, since each of its receivers would need it
//! compressed again.

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;

/// Shorter messages gain little: they fit into a packet or two.
const WORTH_BYTES: usize = 2 * 1024;
/// Longer ones would hold up other calls of the thread for milliseconds.
const BLOCKING_BYTES: usize = 64 * 1024;
/// The compression flag and the length before a message.
const PREFIX_BYTES: usize = 5;

/// Whether the caller takes gzip.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get("grpc-accept-encoding").and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|encoding| encoding.trim() == "gzip"))
}

/// Compresses the message of a unary answer, if it is worth it.
pub(super) async fn compress(response: Response<Body>) -> Response<Body> {
    let (mut head, mut rest) = response.into_parts();
    let mut first = poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)).await;
    if let Some(Ok(frame)) = &first
        && let Some(data) = frame.data_ref()
        && let Some(compressed) = compress_message(data).await
    {
        head.headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        first = Some(Ok(Frame::data(compressed)));
    }
    Response::from_parts(head, Body::new(Begun { first, rest }))
}

/// A frame that is one whole message, compressed; none if it is not, or is not worth it.
async fn compress_message(data: &Bytes) -> Option<Bytes> {
    let length = data.len().checked_sub(PREFIX_BYTES)?;
    let prefix = [&[0], &u32::try_from(length).ok()?.to_be_bytes()[..]].concat();
    if length < WORTH_BYTES || data[..PREFIX_BYTES] != prefix {
        return None;
    }
    let message = data.slice(PREFIX_BYTES..);
    let compressed = if length > BLOCKING_BYTES {
        tokio::task::spawn_blocking(move || gzip(&message)).await.ok()
    } else {
        Some(gzip(&message))
    };
    compressed.flatten().filter(|compressed| compressed.len() < data.len())
}

/// A compressed message with its prefix.
fn gzip(message: &[u8]) -> Option<Bytes> {
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + message.len() / 2);
    bytes.put_bytes(0, PREFIX_BYTES);
    let mut encoder = GzEncoder::new(bytes.writer(), Compression::fast());
    encoder.write_all(message).ok()?;
    let mut bytes = encoder.finish().ok()?.into_inner();
    let length = u32::try_from(bytes.len() - PREFIX_BYTES).ok()?;
    bytes[0] = 1;
    bytes[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    Some(bytes.freeze())
}

/// A body whose first frame was taken out of it.
struct Begun {
    first: Option<Result<Frame<Bytes>, Status>>,
    rest: Body,
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn framed(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], message].concat().into()
    }

    #[tokio::test]
    async fn a_long_message_is_compressed_and_comes_back() {
        for length in [WORTH_BYTES, BLOCKING_BYTES + 1] {
            let message: Vec<u8> = (0..length).map(|i| (i / 7 % 251) as u8).collect();
            let compressed = compress_message(&framed(&message)).await.unwrap();
            let (prefix, body) = compressed.split_at(PREFIX_BYTES);
            assert_eq!(prefix, [&[1], &(body.len() as u32).to_be_bytes()[..]].concat());
            assert!(body.len() < length / 2, "{} of {length}", body.len());
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(body).read_to_end(&mut back).unwrap();
            assert_eq!(back, message);
        }
    }

    #[tokio::test]
    async fn what_is_short_or_dense_or_no_whole_message_leaves_as_it_is() {
        assert_eq!(compress_message(&framed(&[0; WORTH_BYTES - 1])).await, None);
        let mut random = 7_u64;
        let dense: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        })
        .take(WORTH_BYTES)
        .collect();
        assert_eq!(compress_message(&framed(&dense)).await, None);
        let two = [framed(&[0; WORTH_BYTES]), framed(&[0; WORTH_BYTES])].concat();
        assert_eq!(compress_message(&two.into()).await, None);
        assert_eq!(compress_message(&Bytes::from_static(b"abc")).await, None);
    }

    #[test]
    fn a_caller_takes_gzip_if_it_lists_it() {
        for (accepted, expected) in
            [("gzip", true), ("identity, deflate, gzip", true), ("identity,deflate", false), ("xgzip", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-accept-encoding", HeaderValue::from_static(accepted));
            assert_eq!(is_accepted(&headers), expected, "{accepted}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
