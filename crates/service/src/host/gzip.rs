//! Long answers, compressed for callers that take it.
//!
//! What callers send compressed is decompressed where it is decoded, within the limit of a message. Invariant:
//! an answer that is short, or would not become shorter, leaves as it is, so that neither reads of one
//! resource nor writes pay for this; a stream is never compressed, since each of its receivers would need it
//! compressed again.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame};
use milepost_proto::gzip::{self, Begun};
use std::future::poll_fn;
use std::pin::Pin;
use tonic::body::Body;

/// Shorter messages gain little: they fit into a packet or two.
const WORTH_BYTES: usize = 2 * 1024;
/// Longer ones would hold up other calls of the thread for milliseconds.
const BLOCKING_BYTES: usize = 64 * 1024;

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
    let message = gzip::whole_message(data, WORTH_BYTES)?;
    if message.len() > BLOCKING_BYTES {
        tokio::task::spawn_blocking(move || gzip::compress(&message)).await.ok().flatten()
    } else {
        gzip::compress(&message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], message].concat().into()
    }

    #[tokio::test]
    async fn a_long_message_is_compressed_on_either_thread_and_a_short_one_is_not() {
        for length in [WORTH_BYTES, BLOCKING_BYTES + 1] {
            let message = vec![7; length];
            assert_eq!(compress_message(&framed(&message)).await, gzip::compress(&message));
            assert!(gzip::compress(&message).is_some(), "{length}");
        }
        assert_eq!(compress_message(&framed(&[7; WORTH_BYTES - 1])).await, None);
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
