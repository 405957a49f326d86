//! Large requests, compressed, before they are sent: that takes a caller about 10 ms a MiB.
//!
//! Invariant: a request that is short, or would not become shorter, leaves as it is, and so does a stream of requests.
//! Servers of this version, to which this client belongs, take gzip for every method.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, Request};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

const ENCODING: &str = "grpc-encoding";
/// Shorter requests gain little: most are a few hundred bytes and leave in one packet.
const WORTH_BYTES: usize = 8 * 1024;
/// The compression flag and the length before a message.
const PREFIX_BYTES: usize = 5;

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
        && let Some(compressed) = frame.data_ref().and_then(compress_message)
    {
        head.headers.insert(ENCODING, HeaderValue::from_static("gzip"));
        first = Some(Ok(Frame::data(compressed)));
    }
    Request::from_parts(head, Body::new(Begun { first, rest }))
}

/// A frame that is one whole message, compressed; none if it is not, or is not worth it.
fn compress_message(data: &Bytes) -> Option<Bytes> {
    let length = data.len().checked_sub(PREFIX_BYTES)?;
    let prefix = [&[0], &u32::try_from(length).ok()?.to_be_bytes()[..]].concat();
    if length < WORTH_BYTES || data[..PREFIX_BYTES] != prefix {
        return None;
    }
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + length / 2);
    bytes.put_bytes(0, PREFIX_BYTES);
    let mut encoder = GzEncoder::new(bytes.writer(), Compression::fast());
    encoder.write_all(&data[PREFIX_BYTES..]).ok()?;
    let mut bytes = encoder.finish().ok()?.into_inner();
    let compressed = u32::try_from(bytes.len() - PREFIX_BYTES).ok()?;
    bytes[0] = 1;
    bytes[1..PREFIX_BYTES].copy_from_slice(&compressed.to_be_bytes());
    (bytes.len() < data.len()).then(|| bytes.freeze())
}

/// A body whose first frame was taken out of it; none if it had none.
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
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::io::Read;

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
    async fn a_large_request_becomes_smaller_and_comes_back() {
        let message: Vec<u8> = (0..WORTH_BYTES * 4).map(|i| (i / 7 % 251) as u8).collect();
        let (encoding, data) = sent(vec![framed(&message)]).await;
        assert_eq!(encoding.unwrap(), "gzip");
        let (prefix, body) = data[0].split_at(PREFIX_BYTES);
        assert_eq!(prefix, [&[1], &(body.len() as u32).to_be_bytes()[..]].concat());
        assert!(data.len() == 1 && body.len() < message.len() / 2, "{} bytes", body.len());
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(body).read_to_end(&mut back).unwrap();
        assert_eq!(back, message);
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
