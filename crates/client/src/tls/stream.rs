//! A stream of TLS whose errors say what to change.
//!
//! With TLS 1.3 a server refuses a client certificate only after the client believes that the handshake is over: the
//! refusal comes with the first read, or a write fails first because the server has closed already. Invariant: after
//! a write that failed the stream is read once more, and if that tells why, the write fails for that reason.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::words::{explained, is_fault};

/// A stream of TLS that explains its errors.
#[derive(Debug)]
pub struct Explained<T>(T);

impl<T: AsyncRead + Unpin> Explained<T> {
    pub(super) fn new(stream: T) -> Self {
        Self(stream)
    }

    /// Reads why a write failed, if the server said so before it closed.
    fn reason(&mut self, cx: &mut Context<'_>, failed: io::Error) -> io::Error {
        let mut ignored = [0; 256];
        match Pin::new(&mut self.0).poll_read(cx, &mut ReadBuf::new(&mut ignored)) {
            Poll::Ready(Err(error)) => Some(explained(error)).filter(is_fault).unwrap_or(failed),
            _ => failed,
        }
    }

    fn with_reason<V>(&mut self, cx: &mut Context<'_>, ended: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        ended.map_err(|failed| self.reason(cx, failed))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Explained<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf).map_err(explained)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Explained<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(cx, bytes);
        self.with_reason(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write_vectored(cx, slices);
        self.with_reason(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.0).poll_flush(cx);
        self.with_reason(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.0).poll_shutdown(cx);
        self.with_reason(cx, shut_down)
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription::UnknownCA;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Its writes fail; its reads end as they are to.
    struct Closed(Option<io::Error>);

    impl AsyncRead for Closed {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.0.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
        }
    }

    impl AsyncWrite for Closed {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_write_that_fails_says_what_the_server_said_before_it_closed() {
        let alert = rustls::Error::AlertReceived(UnknownCA);
        let mut refused = Explained(Closed(Some(io::Error::new(io::ErrorKind::InvalidData, alert))));
        let error = refused.write_all(b"x").await.unwrap_err();
        assert!(is_fault(&error) && error.to_string().contains("does not trust"), "{error}");
        for said in [None, Some(io::ErrorKind::ConnectionReset.into())] {
            let mut broken = Explained(Closed(said));
            assert_eq!(broken.flush().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
