//! The writer around an accepted socket: the frames of many streams leave in one system call.
//!
//! h2 flushes after every DATA frame, which costs a system call each. Here a flush only wakes the
//! connection's own task once more; by the time that runs, every stream that had something to say has
//! said it, and the next poll's read, which h2 makes before it writes anything, sends it all.
//!
//! Invariant: bytes that were flushed leave the process at the next poll of the connection's task, and
//! that poll is certain: the flush woke it, or the socket will when it can be written again. This leans
//! on h2 reading in every poll that can make progress, so it fits no other protocol; TLS belongs
//! outside of it. A test sends through many streams and waits for each message.

use bytes::{Buf, BytesMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is held back at most; more is written at once.
const HELD_BYTES: usize = 64 * 1024;
/// An idle connection keeps no larger buffer than this.
const IDLE_BYTES: usize = 16 * 1024;

/// A socket whose writes are held back until the next poll.
#[derive(Debug)]
pub(super) struct Socket<T> {
    stream: T,
    held: BytesMut,
    /// A flush was asked for, and this task will be polled again.
    owed: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Socket<T> {
    pub(super) fn new(stream: T) -> Self {
        Self { stream, held: BytesMut::new(), owed: false }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.held.len();
        while !self.held.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.held))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.held.advance(written),
            }
        }
        self.owed = false;
        if self.held.capacity() > IDLE_BYTES && sent < IDLE_BYTES {
            self.held = BytesMut::new();
        } else {
            self.held.clear();
        }
        Poll::Ready(Ok(()))
    }

    /// Whether `length` more bytes are to be held back; sends what is held if they do not fit.
    fn hold(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<bool>> {
        if self.held.len() + length > HELD_BYTES {
            ready!(self.send(cx))?;
        }
        Poll::Ready(Ok(length <= HELD_BYTES))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.owed
            && let Poll::Ready(Err(error)) = self.send(cx)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if ready!(self.hold(cx, bytes.len()))? {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        if ready!(self.hold(cx, length))? {
            slices.iter().for_each(|slice| self.held.extend_from_slice(slice));
            return Poll::Ready(Ok(length));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Pin::new(&mut self.stream).poll_flush(cx);
        }
        if !self.owed {
            self.owed = true;
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::{ArcWake, waker};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl ArcWake for Wakes {
        fn wake_by_ref(wakes: &Arc<Self>) {
            wakes.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(socket: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 256 * 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(socket).poll_read(cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| Some(buffer.filled().to_vec())).unwrap(),
            Poll::Pending => None,
        }
    }

    #[test]
    fn flushed_writes_leave_together_at_the_next_read_which_the_flush_woke() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        let wakes = Arc::new(Wakes::default());
        let waker = waker(wakes.clone());
        let cx = &mut Context::from_waker(&waker);
        for part in [&b"one "[..], b"two "] {
            assert!(Pin::new(&mut socket).poll_write(cx, part).is_ready());
            assert!(Pin::new(&mut socket).poll_flush(cx).is_ready());
        }
        let slices = [IoSlice::new(b"three "), IoSlice::new(b"four")];
        assert!(matches!(Pin::new(&mut socket).poll_write_vectored(cx, &slices), Poll::Ready(Ok(10))));
        assert!(Pin::new(&mut socket).poll_flush(cx).is_ready());
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(read(&mut far, cx), None);
        assert_eq!(read(&mut socket, cx), None);
        assert_eq!(read(&mut far, cx).unwrap(), b"one two three four");
        let before = wakes.0.load(Ordering::Relaxed);
        assert!(Pin::new(&mut socket).poll_flush(cx).is_ready());
        assert_eq!(wakes.0.load(Ordering::Relaxed), before, "nothing is owed any more");
    }

    #[test]
    fn what_was_not_flushed_is_held_until_there_is_much_of_it_or_the_end() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let half = vec![b'x'; HELD_BYTES / 2 + 1];
        assert!(Pin::new(&mut socket).poll_write(cx, &half).is_ready());
        assert_eq!(read(&mut socket, cx), None);
        assert_eq!(read(&mut far, cx), None);
        assert!(Pin::new(&mut socket).poll_write(cx, &half).is_ready());
        assert_eq!(read(&mut far, cx).unwrap().len(), half.len());
        assert!(Pin::new(&mut socket).poll_shutdown(cx).is_ready());
        assert_eq!(read(&mut far, cx).unwrap().len(), half.len());
    }

    #[tokio::test]
    async fn what_is_larger_than_the_buffer_keeps_its_order() {
        let (near, mut far) = duplex(1000);
        let mut socket = Socket::new(near);
        let sent: Vec<u8> = (0..300_000u32).map(|i| i.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let write = async move {
            for part in [&sent[..10], &sent[10..200_000], &sent[200_000..]] {
                socket.write_all(part).await.unwrap();
            }
            socket.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(write, far.read_to_end(&mut received));
        read.unwrap();
        assert!(received == expected);
    }

    #[test]
    fn a_buffer_that_was_large_is_let_go_when_little_is_written() {
        let (near, _far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        for length in [HELD_BYTES, 10] {
            assert!(Pin::new(&mut socket).poll_write(cx, &vec![0; length]).is_ready());
            assert!(Pin::new(&mut socket).poll_flush(cx).is_ready());
            read(&mut socket, cx);
        }
        assert!(socket.held.capacity() <= IDLE_BYTES);
    }
}
