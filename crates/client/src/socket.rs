//! How channels connect: by sockets that coalesce what is flushed.
//!
//! hyper sends the headers of an HTTP/2 request before it looks at the body, which costs a unary call a second system
//! call and a second segment, and its server a TCP acknowledgement of its own. Here a flush first wakes the
//! connection's task once more, so that what other tasks queue meanwhile leaves with it. The server wraps the polls
//! of its connections for the same end (`host::socket` of crate `service`); those of a client are tonic's own.
//!
//! Invariant: what was flushed leaves with the next poll of the connection's task at the latest, which the flush asks
//! for. What is read waits for none of this. TLS is outside of this, and
//! writes its records into it.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::TryFutureExt;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tower::{BoxError, Service, service_fn};

use crate::tls::{Explained, Tls};

const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Room for a whole DATA frame of 16 KiB.
const BUFFER_BYTES: usize = 32 * 1024;
/// More than this leaves when it is flushed: there is little to win, and large bodies would wait for every frame.
const HELD_BYTES: usize = 4 * 1024;

/// What endpoints of tonic connect by; the timeout is for all addresses of a host together. Endpoints with a timeout
/// or TCP settings of their own do not tell the connector. Public for the bench, which takes it for other systems.
pub fn connector(
    timeout: Duration,
) -> impl Service<Uri, Response = TokioIo<Socket<TcpStream>>, Error = BoxError, Future: Send> + Clone + Send {
    let tcp = tcp(timeout);
    service_fn(move |uri| {
        let socket = |stream: TokioIo<TcpStream>| TokioIo::new(Socket::new(stream.into_inner()));
        tcp.clone().call(uri).map_ok(socket).map_err(BoxError::from)
    })
}

/// The same with TLS on top; the timeout is for the connection, and again for the handshake.
pub(crate) fn tls_connector(
    timeout: Duration,
    tls: Tls,
) -> impl Service<Uri, Response = TokioIo<Explained<TlsStream<Socket<TcpStream>>>>, Error = BoxError, Future: Send>
+ Clone
+ Send {
    let tcp = tcp(timeout);
    service_fn(move |uri| {
        let (connecting, tls) = (tcp.clone().call(uri), tls.clone());
        async move {
            let socket = Socket::new(connecting.await?.into_inner());
            Ok(TokioIo::new(tls.connect(socket, timeout).await?))
        }
    })
}

fn tcp(timeout: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEP_ALIVE));
    tcp.set_connect_timeout(Some(timeout));
    tcp
}

/// A socket whose flushes wait for one more poll of the connection's task.
#[derive(Debug)]
pub struct Socket<T> {
    stream: BufWriter<T>,
    /// The task was woken to see what else there is to send.
    woken: bool,
}

impl<T: AsyncWrite> Socket<T> {
    fn new(stream: T) -> Self {
        Self { stream: BufWriter::with_capacity(BUFFER_BYTES, stream), woken: false }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<T> {
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if (1..=HELD_BYTES).contains(&self.stream.buffer().len()) && !mem::replace(&mut self.woken, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.woken = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::Waker;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_stream::wrappers::UnboundedReceiverStream;
    use tonic::service::Routes;
    use tonic::transport::Endpoint;

    use super::*;
    use crate::testing::soon;

    fn write(socket: &mut Socket<DuplexStream>, bytes: &[u8]) {
        let written = Pin::new(socket).poll_write(&mut Context::from_waker(Waker::noop()), bytes);
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
        soon(socket.flush()).await.unwrap();
        assert_eq!(arrived(&mut far), "alone");
    }

    #[test]
    fn much_leaves_when_it_is_flushed() {
        let (near, mut far) = duplex(1 << 20);
        let mut socket = Socket::new(near);
        write(&mut socket, &[b'x'; HELD_BYTES]);
        assert_eq!((flush(&mut socket), arrived(&mut far).len()), (Poll::Pending, 0));
        write(&mut socket, b"x");
        assert_eq!((flush(&mut socket), arrived(&mut far).len()), (Poll::Ready(()), HELD_BYTES + 1));
        write(&mut socket, &[b'x'; HELD_BYTES + 1]);
        assert_eq!((flush(&mut socket), arrived(&mut far).len()), (Poll::Ready(()), HELD_BYTES + 1));
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
            for part in [&sent[..10], &sent[10..BUFFER_BYTES], &sent[BUFFER_BYTES..90_000], &sent[90_000..]] {
                socket.write_all(part).await.unwrap();
            }
            socket.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(write, far.read_to_end(&mut received));
        read.unwrap();
        assert!(received == expected);
    }

    /// Notes what is written in one call.
    struct Noting {
        stream: DuplexStream,
        writes: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    impl AsyncRead for Noting {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Noting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
            self.writes.lock().unwrap().push(bytes[..written].to_vec());
            Poll::Ready(Ok(written))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_shutdown(cx)
        }
    }

    /// The types of the HTTP/2 frames in these bytes.
    fn frames(mut bytes: &[u8]) -> Vec<u8> {
        let mut types = Vec::new();
        while let [a, b, c, kind, ..] = *bytes {
            types.push(kind);
            bytes = &bytes[9 + u32::from_be_bytes([0, a, b, c]) as usize..];
        }
        types
    }

    /// The reason for all of this; it leans on the order in which hyper and h2 do things.
    #[tokio::test]
    async fn the_headers_and_the_body_of_a_request_leave_in_one_write() {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        let (accept, incoming) = tokio::sync::mpsc::unbounded_channel();
        let server = tonic::transport::Server::builder().add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(UnboundedReceiverStream::new(incoming)));
        let writes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&writes);
        let channel = Endpoint::from_static("http://in.memory").connect_with_connector_lazy(service_fn(
            move |_: Uri| {
                let (stream, far) = duplex(1 << 20);
                accept.send(Ok::<_, io::Error>(far)).unwrap();
                let socket = Socket::new(Noting { stream, writes: Arc::clone(&noted) });
                async move { Ok::<_, io::Error>(TokioIo::new(socket)) }
            },
        ));
        let mut grpc = tonic::client::Grpc::new(channel);
        for _ in 0..3 {
            writes.lock().unwrap().clear();
            soon(grpc.ready()).await.unwrap();
            let path = http::uri::PathAndQuery::from_static("/no.Service/Say");
            let codec = milepost_proto::codec::SmallBuffers::<String, String>::default();
            let request = tonic::Request::new("hello".to_owned());
            assert!(soon(grpc.unary(request, path, codec)).await.is_err(), "there is no such service");
        }
        let writes = writes.lock().unwrap();
        let requests: Vec<_> =
            writes.iter().map(|bytes| frames(bytes)).filter(|types| types.contains(&HEADERS)).collect();
        // An empty DATA frame ends the body.
        assert_eq!(requests, [[HEADERS, DATA, DATA]], "of {writes:?}");
    }
}
