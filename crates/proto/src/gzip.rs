//! Compressed messages: one whole message of a body, with the prefix that gRPC puts before it.
//!
//! Invariant: a frame that is not exactly one message, is short, or would not become shorter is left as it is. When to
//! compress, on which thread, and which header says so is for servers and clients to decide; decompressing is tonic's.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// The compression flag and the length before a message, in bytes.
const PREFIX_BYTES: usize = 5;

/// The message of a frame that is one whole message, not compressed, of at least `worth_bytes`; else none.
pub fn whole_message(frame: &Bytes, worth_bytes: usize) -> Option<Bytes> {
    let length = frame.len().checked_sub(PREFIX_BYTES)?;
    let prefix = [&[0], &u32::try_from(length).ok()?.to_be_bytes()[..]].concat();
    (length >= worth_bytes && frame[..PREFIX_BYTES] == prefix).then(|| frame.slice(PREFIX_BYTES..))
}

/// A frame of the message, compressed; none if it would not be shorter. Takes about 5 ms a MiB.
pub fn compress(message: &[u8]) -> Option<Bytes> {
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + message.len() / 2);
    bytes.put_bytes(0, PREFIX_BYTES);
    let mut encoder = GzEncoder::new(bytes.writer(), Compression::fast());
    encoder.write_all(message).ok()?;
    let mut bytes = encoder.finish().ok()?.into_inner();
    let length = bytes.len() - PREFIX_BYTES;
    bytes[0] = 1;
    bytes[1..PREFIX_BYTES].copy_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    (length < message.len()).then(|| bytes.freeze())
}

/// A body whose first frame was taken out of it; none if it had none.
pub struct Begun {
    /// What is sent first: the frame that was taken out, or another in its place.
    pub first: Option<Result<Frame<Bytes>, Status>>,
    /// What is sent after it.
    pub rest: Body,
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

    const WORTH_BYTES: usize = 2048;

    fn framed(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], message].concat().into()
    }

    #[test]
    fn a_long_message_is_compressed_and_comes_back() {
        for length in [WORTH_BYTES, 100 * WORTH_BYTES] {
            let message: Vec<u8> = (0..length).map(|i| (i / 7 % 251) as u8).collect();
            let whole = whole_message(&framed(&message), WORTH_BYTES).unwrap();
            assert_eq!(whole, message);
            let compressed = compress(&whole).unwrap();
            let (prefix, body) = compressed.split_at(PREFIX_BYTES);
            assert_eq!(prefix, [&[1], &(body.len() as u32).to_be_bytes()[..]].concat());
            assert!(body.len() < length / 2, "{} of {length}", body.len());
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(body).read_to_end(&mut back).unwrap();
            assert_eq!(back, message);
        }
    }

    #[test]
    fn what_is_short_or_dense_or_no_whole_message_leaves_as_it_is() {
        assert_eq!(whole_message(&framed(&[0; WORTH_BYTES - 1]), WORTH_BYTES), None);
        let mut random = 7_u64;
        let dense: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        })
        .take(WORTH_BYTES)
        .collect();
        assert_eq!(compress(&dense), None);
        let two = [framed(&[0; WORTH_BYTES]), framed(&[0; WORTH_BYTES])].concat();
        assert_eq!(whole_message(&two.into(), WORTH_BYTES), None);
        assert_eq!(whole_message(&Bytes::from_static(b"abc"), 0), None);
    }
}
