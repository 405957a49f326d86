//! The writer around an accepted socket: the frames of many streams leave in one system call.
//!
//! h2 flushes after every DATA frame, which costs a system call each. Here a flush only notes that something is to
//! leave. Where the connection has one stream open, that leaves once the poll of the connection's task is over,
//! with all that the poll wrote. Where it has more, the task is woken once more instead; by the end of that poll,
//! every stream that had something to say has said it, and it leaves all together.
//!
//! Invariant: bytes that were flushed leave the process at the end of this poll of the connection's task, or of
//! the next, which is certain: it was woken, or the socket will wake it when it can be written again. TLS belongs
//! outside of this. A test sends through many streams and waits for each message.

use super::streams::Streams;
use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is held back at most; more is written at once.
const HELD_BYTES: usize = 64 * 1024;
/// An idle connection keeps no larger buffer than this.
const IDLE_BYTES: usize = 16 * 1024;

/// A socket whose writes are held back; clones share it.
#[derive(Debug)]
pub(super) struct Socket<T> {
    held: Arc<Mutex<Held<T>>>,
    streams: Streams,
}

#[derive(Debug)]
struct Held<T> {
    stream: T,
    bytes: BytesMut,
    /// A flush was asked for.
    owed: bool,
    /// The task was woken to see what else there is to send.
    woken: bool,
    /// Why what was held could not be sent; for who reads next.
    failed: Option<io::Error>,
    /// Bytes that came, and bytes that left.
    read: u64,
    written: u64,
}

impl<T> Clone for Socket<T> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), streams: self.streams.clone() }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Socket<T> {
    pub(super) fn new(stream: T) -> Self {
        let held = Held {
            stream,
            bytes: BytesMut::new(),
            owed: false,
            woken: false,
            failed: None,
            read: 0,
            written: 0,
        };
        Self { held: Arc::new(Mutex::new(held)), streams: Streams::default() }
    }

    /// The streams of the connection on this socket.
    pub(super) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// How many bytes came since the beginning.
    pub(super) fn read_bytes(&self) -> u64 {
        self.held.lock().read
    }

    /// How many bytes left since the beginning.
    pub(super) fn written_bytes(&self) -> u64 {
        self.held.lock().written
    }

    /// Polls the connection on this socket, and sees to it that what it flushed leaves.
    pub(super) fn poll_connection<C: Future>(
        &self,
        connection: Pin<&mut C>,
        cx: &mut Context<'_>,
    ) -> Poll<C::Output> {
        let ended = connection.poll(cx);
        let mut held = self.held.lock();
        if ended.is_pending() && held.owed {
            if self.streams.open_count() > 1 && !std::mem::replace(&mut held.woken, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            held.woken = false;
            if let Poll::Ready(Err(error)) = held.send(cx) {
                held.failed = Some(error);
                cx.waker().wake_by_ref();
            }
        }
        ended
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Held<T> {
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.bytes.len();
        while !self.bytes.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.bytes))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => {
                    self.written += written as u64;
                    self.bytes.advance(written);
                }
            }
        }
        self.owed = false;
        if self.bytes.capacity() > IDLE_BYTES && sent < IDLE_BYTES {
            self.bytes = BytesMut::new();
        } else {
            self.bytes.clear();
        }
        Poll::Ready(Ok(()))
    }

    /// Whether `length` more bytes are to be held back; sends what is held if they do not fit.
    fn hold(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<bool>> {
        if self.bytes.len() + length > HELD_BYTES {
            ready!(self.send(cx))?;
        }
        Poll::Ready(Ok(length <= HELD_BYTES))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut held = self.held.lock();
        if let Some(error) = held.failed.take() {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut held.stream).poll_read(cx, buf))?;
        held.read += (buf.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut held = self.held.lock();
        if ready!(held.hold(cx, bytes.len()))? {
            held.bytes.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut held.stream).poll_write(cx, bytes))?;
        held.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut held = self.held.lock();
        let length = slices.iter().map(|slice| slice.len()).sum();
        if ready!(held.hold(cx, length))? {
            slices.iter().for_each(|slice| held.bytes.extend_from_slice(slice));
            return Poll::Ready(Ok(length));
        }
        let written = ready!(Pin::new(&mut held.stream).poll_write_vectored(cx, slices))?;
        held.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.held.lock().stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut held = self.held.lock();
        if held.bytes.is_empty() {
            return Pin::new(&mut held.stream).poll_flush(cx);
        }
        held.owed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut held = self.held.lock();
        ready!(held.send(cx))?;
        Pin::new(&mut held.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::{ArcWake, waker};
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

    /// Polls a connection that writes and flushes these parts.
    fn poll_writing(socket: &Socket<tokio::io::DuplexStream>, parts: &[&[u8]], cx: &mut Context<'_>) {
        let mut writing = socket.clone();
        let connection = std::future::poll_fn(move |cx| {
            for part in parts {
                assert!(Pin::new(&mut writing).poll_write(cx, part).is_ready());
                assert!(Pin::new(&mut writing).poll_flush(cx).is_ready());
            }
            Poll::<()>::Pending
        });
        assert!(socket.poll_connection(std::pin::pin!(connection), cx).is_pending());
    }

    #[test]
    fn flushed_writes_of_many_streams_leave_together_with_the_next_poll_which_the_flush_woke() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        let _streams = [socket.streams().open(), socket.streams().open()];
        let wakes = Arc::new(Wakes::default());
        let waker = waker(wakes.clone());
        let cx = &mut Context::from_waker(&waker);
        poll_writing(&socket, &[b"one ", b"two "], cx);
        let slices = [IoSlice::new(b"three "), IoSlice::new(b"four")];
        assert!(matches!(Pin::new(&mut socket).poll_write_vectored(cx, &slices), Poll::Ready(Ok(10))));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        assert_eq!(read(&mut far, cx), None);
        poll_writing(&socket, &[b" five"], cx);
        assert_eq!(read(&mut far, cx).unwrap(), b"one two three four five");
        let before = wakes.0.load(Ordering::Relaxed);
        poll_writing(&socket, &[], cx);
        assert_eq!(wakes.0.load(Ordering::Relaxed), before, "nothing is owed any more");
        poll_writing(&socket, &[b"six"], cx);
        assert_eq!(wakes.0.load(Ordering::Relaxed), before + 1, "and is woken again for what is");
    }

    #[test]
    fn flushed_writes_of_a_lone_stream_leave_with_the_poll_that_wrote_them() {
        let (near, mut far) = duplex(1 << 20);
        let socket = Socket::new(near);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let other = socket.streams().open();
        let _stream = socket.streams().open();
        poll_writing(&socket, &[b"held"], cx);
        assert_eq!(read(&mut far, cx), None);
        drop(other);
        poll_writing(&socket, &[b" one ", b"two"], cx);
        assert_eq!(read(&mut far, cx).unwrap(), b"held one two");
    }

    #[test]
    fn what_a_full_socket_did_not_take_leaves_at_the_next_poll() {
        let (near, mut far) = duplex(4);
        let socket = Socket::new(near);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        poll_writing(&socket, &[b"one two"], cx);
        assert_eq!(read(&mut far, cx).unwrap(), b"one ");
        poll_writing(&socket, &[], cx);
        assert_eq!(read(&mut far, cx).unwrap(), b"two");
    }

    #[test]
    fn what_could_not_be_sent_is_told_to_who_reads_next() {
        let (near, far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        drop(far);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        poll_writing(&socket, &[b"lost"], cx);
        let (mut bytes, socket) = ([0], Pin::new(&mut socket));
        let read = socket.poll_read(cx, &mut ReadBuf::new(&mut bytes));
        assert!(matches!(read, Poll::Ready(Err(_))), "{read:?}");
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
        let socket = Socket::new(near);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        for length in [HELD_BYTES, 10] {
            poll_writing(&socket, &[&vec![0; length]], cx);
        }
        assert!(socket.held.lock().bytes.capacity() <= IDLE_BYTES);
    }
}
