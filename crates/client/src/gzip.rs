//! Large requests, compressed, before they are sent: that takes a caller about 10 ms a MiB.
//!
//! Invariant: a request that is short, or would not become shorter, leaves as it is, and so does a stream of requests.
//! Servers of this version, to which this client belongs, take gzip for every method.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http::{HeaderValue, Request};
use http_body::{Body as HttpBody, Frame};
use milepost_proto::gzip::{self, Begun};
use tonic::body::Body;

const ENCODING: &str = "grpc-encoding";
/// Shorter requests gain little: most are a few hundred bytes and leave in one packet.
const WORTH_BYTES: usize = 8 * 1024;

/// Compresses the message of a request, if it is worth it.
pub(crate) fn compress(request: Request<Body>) -> Request<Body> {
    if request.headers().contains_key(ENCODING) {
        return request;
    }
    let (mut head, mut rest) = request.into_parts();
    // The message of a unary call is there already. What is not is polled again by who sends it.
    let first = Pin::new(&mut rest).poll_frame(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(mut first) = first else { return Request::from_parts(head, rest) };
    if let Some(Ok(frame)) = &first
        && let Some(message) = frame.data_ref().and_then(|data| gzip::whole_message(data, WORTH_BYTES))
        && let Some(compressed) = gzip::compress(&message)
    {
        head.headers.insert(ENCODING, HeaderValue::from_static("gzip"));
        first = Some(Ok(Frame::data(compressed)));
    }
    Request::from_parts(head, Body::new(Begun { first, rest }))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;

    use bytes::Bytes;
    use tonic::Status;

    use super::*;

    struct Frames(VecDeque<Bytes>);

    impl HttpBody for Frames {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
        }
    }

    fn framed(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], message].concat().into()
    }

    /// The encoding and the bytes that a request of these frames is sent with.
    async fn sent(frames: Vec<Bytes>) -> (Option<HeaderValue>, Vec<Bytes>) {
        let request = compress(Request::new(Body::new(Frames(frames.into()))));
        let (head, mut body) = request.into_parts();
        let mut data = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            data.push(frame.unwrap().into_data().unwrap());
        }
        (head.headers.get(ENCODING).cloned(), data)
    }

    #[tokio::test]
    async fn a_large_request_becomes_smaller() {
        let message: Vec<u8> = (0..WORTH_BYTES * 4).map(|i| (i / 7 % 251) as u8).collect();
        let (encoding, data) = sent(vec![framed(&message)]).await;
        assert_eq!(encoding.unwrap(), "gzip");
        assert_eq!(data, [gzip::compress(&message).unwrap()]);
        assert!(data[0].len() < message.len() / 2, "{} bytes", data[0].len());
    }

    #[tokio::test]
    async fn what_is_short_or_no_whole_message_leaves_as_it_is() {
        let (short, long) = (framed(&[0; WORTH_BYTES - 1]), framed(&[0; WORTH_BYTES]));
        let two = Bytes::from([&long[..], &long[..]].concat());
        for frames in [vec![], vec![short.clone()], vec![two], vec![short, long]] {
            assert_eq!(sent(frames.clone()).await, (None, frames));
        }
    }
}
