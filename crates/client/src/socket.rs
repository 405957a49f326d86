//! How channels connect: by sockets whose flushed writes leave together.
//!
//! HTTP clients flush the headers of a request before they look at its body. That costs every unary call a second
//! system call and a second segment, and its server an acknowledgement of its own. Here a flush first lets tasks
//! run that have something to add, such as the body; then everything leaves.
//!
//! Invariant: what was flushed leaves with the next poll of the connection's task, which the flush asks for. What
//! is read waits for none of this. TLS belongs outside.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::TryFutureExt;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::{BoxError, Service, service_fn};

const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);
/// What is held back at most; more is written at once.
const HELD_BYTES: usize = 16 * 1024;

/// Connects endpoints of tonic by TCP, with the settings of Milepost's sockets.
pub fn connector()
-> impl Service<Uri, Response = TokioIo<Socket<TcpStream>>, Error = BoxError, Future: Send> + Clone + Send {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEP_ALIVE));
    service_fn(move |uri| {
        let socket = |stream: TokioIo<TcpStream>| TokioIo::new(Socket::new(stream.into_inner()));
        tcp.clone().call(uri).map_ok(socket).map_err(BoxError::from)
    })
}

/// A socket whose flushes wait for one poll more of the connection's task.
#[derive(Debug)]
pub struct Socket<T> {
    stream: T,
    held: BytesMut,
    /// A flush has asked for the poll that will send what is held.
    asked: bool,
}

impl<T> Socket<T> {
    fn new(stream: T) -> Self {
        Self { stream, held: BytesMut::new(), asked: false }
    }
}

impl<T: AsyncWrite + Unpin> Socket<T> {
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.held))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.held.advance(written),
            }
        }
        self.held.clear();
        self.asked = false;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.held.len() + bytes.len() > HELD_BYTES {
            ready!(self.send(cx))?;
            if bytes.len() > HELD_BYTES {
                return Pin::new(&mut self.stream).poll_write(cx, bytes);
            }
        }
        self.held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.held.is_empty() && !std::mem::replace(&mut self.asked, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.send(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn write(socket: &mut Socket<DuplexStream>, bytes: &[u8]) {
        let cx = &mut Context::from_waker(Waker::noop());
        let written = Pin::new(socket).poll_write(cx, bytes);
        assert!(matches!(written, Poll::Ready(Ok(length)) if length == bytes.len()), "{written:?}");
    }

    fn flush(socket: &mut Socket<DuplexStream>) -> Poll<()> {
        Pin::new(socket).poll_flush(&mut Context::from_waker(Waker::noop())).map(Result::unwrap)
    }

    /// What has arrived.
    fn arrived(far: &mut DuplexStream) -> String {
        let mut bytes = vec![0; 1 << 20];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(far).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Ready(read) => read.map(|()| String::from_utf8(buffer.filled().to_vec()).unwrap()).unwrap(),
            Poll::Pending => String::new(),
        }
    }

    #[test]
    fn what_is_added_before_the_next_poll_leaves_together_with_what_was_flushed() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        for _ in 0..2 {
            write(&mut socket, b"headers ");
            assert_eq!((flush(&mut socket), arrived(&mut far).as_str()), (Poll::Pending, ""));
            write(&mut socket, b"body");
            assert_eq!((flush(&mut socket), arrived(&mut far).as_str()), (Poll::Ready(()), "headers body"));
        }
        assert_eq!(flush(&mut socket), Poll::Ready(()), "nothing is held");
    }

    #[tokio::test]
    async fn a_flush_asks_for_the_poll_that_it_waits_for() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        socket.write_all(b"alone").await.unwrap();
        socket.flush().await.unwrap();
        assert_eq!(arrived(&mut far), "alone");
    }

    #[test]
    fn what_a_full_socket_did_not_take_is_sent_as_it_takes_more() {
        let (near, mut far) = duplex(4);
        let mut socket = Socket::new(near);
        write(&mut socket, b"one two");
        for (polled, sent) in [(Poll::Pending, ""), (Poll::Pending, "one "), (Poll::Ready(()), "two")] {
            assert_eq!((flush(&mut socket), arrived(&mut far).as_str()), (polled, sent));
        }
    }

    #[tokio::test]
    async fn what_is_larger_than_the_buffer_keeps_its_order_and_a_shutdown_sends_the_rest() {
        let (near, mut far) = duplex(1000);
        let mut socket = Socket::new(near);
        let sent: Vec<u8> = (0..100_000u32).map(|i| i.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let write = async move {
            for part in [&sent[..10], &sent[10..HELD_BYTES], &sent[HELD_BYTES..60_000], &sent[60_000..]] {
                socket.write_all(part).await.unwrap();
            }
            socket.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(write, far.read_to_end(&mut received));
        read.unwrap();
        assert!(received == expected);
    }
}
