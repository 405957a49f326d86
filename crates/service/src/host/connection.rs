//! The life of an HTTP/2 connection: what it must send in time to stay open, and how long it may delay a stop.
//!
//! Invariants: a connection whose other side has not said that it speaks HTTP/2, or has made no call, ends
//! within the configured times; one that had a call stays until it is closed, or the server stops. Then it is
//! asked to finish. While an answer is being made, or bytes leave, it is waited for, up to the limit, which is
//! kept outside; once nothing moves any more, its other side does not read, and it is cut after the grace.

use super::socket::Socket;
use crate::config::server::Keepalive;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The length of what an HTTP/2 client begins with.
const PREFACE_BYTES: u64 = 24;
/// Fewer bytes than this within a grace are signs of life of the two sides, and no answers.
const MOVED_BYTES: u64 = 1024;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End<T> {
    /// By itself.
    Closed(T),
    /// It was cut: its other side did not say that it speaks HTTP/2.
    NoPreface,
    /// It was cut: its other side made no call, and did not close it when asked to.
    NoCall,
    /// It was cut while the server stopped: its other side did not read. So many streams were open.
    Unread(usize),
}

/// Drives a connection, which began at this time, to its end. `finish` asks it to take no more streams, and
/// to end with the last of those that are open.
pub(super) async fn live<C, R, T>(
    mut connection: Pin<&mut C>,
    finish: fn(Pin<&mut C>),
    socket: &Socket<T>,
    keepalive: &Keepalive,
    began: Instant,
    stop: &CancellationToken,
) -> End<R>
where
    C: Future<Output = R>,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut stopped = pin!(stop.cancelled());
    let preface = async {
        sleep_until(began + keepalive.preface_timeout).await;
        if socket.read_bytes() >= PREFACE_BYTES {
            pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = until_call(connection.as_mut(), socket) => if let Some(ended) = ended {
            return End::Closed(ended);
        },
        () = stopped.as_mut() => if socket.read_bytes() < PREFACE_BYTES {
            return End::NoPreface;
        },
        () = preface => return End::NoPreface,
        () = sleep_until(began + keepalive.first_call_timeout) => {
            finish(connection.as_mut());
            match timeout(keepalive.drain_grace, until_call(connection.as_mut(), socket)).await {
                Ok(Some(ended)) => return End::Closed(ended),
                // It came at the last moment.
                Ok(None) => {}
                Err(_) => return End::NoCall,
            }
        },
    }
    tokio::select! {
        biased;
        ended = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx)) => return End::Closed(ended),
        () = stopped => {}
    }
    finish(connection.as_mut());
    loop {
        let before = socket.written_bytes();
        let ended = poll_fn(|cx| socket.poll_connection(connection.as_mut(), cx));
        if let Ok(ended) = timeout(keepalive.drain_grace, ended).await {
            return End::Closed(ended);
        }
        if !socket.streams().is_answering() && socket.written_bytes() - before < MOVED_BYTES {
            return End::Unread(socket.streams().open_count());
        }
    }
}

/// Drives a connection until it has had a call; if it ended before, its result.
pub(super) async fn until_call<C, R, T>(mut connection: Pin<&mut C>, socket: &Socket<T>) -> Option<R>
where
    C: Future<Output = R>,
    T: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|cx| match socket.poll_connection(connection.as_mut(), cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if socket.streams().was_any() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Context;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Interval;

    const SECOND: Duration = Duration::from_secs(1);
    /// More than counts as signs of life.
    const PART: [u8; 2048] = [0; 2048];

    /// Reads what comes, writes a part each second while there are any, and ends when it is asked to and has none.
    struct Scripted {
        socket: Socket<DuplexStream>,
        parts: usize,
        every: Interval,
        asked: bool,
        polite: bool,
    }

    impl Future for Scripted {
        type Output = &'static str;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'static str> {
            let this = &mut *self;
            let mut bytes = [0; 64];
            while Pin::new(&mut this.socket)
                .poll_read(cx, &mut tokio::io::ReadBuf::new(&mut bytes))
                .is_ready()
            {}
            while this.parts > 0 && this.every.poll_tick(cx).is_ready() {
                this.parts -= 1;
                assert!(Pin::new(&mut this.socket).poll_write(cx, &PART).is_ready());
                assert!(Pin::new(&mut this.socket).poll_flush(cx).is_ready());
            }
            if this.asked && this.polite && this.parts == 0 { Poll::Ready("closed") } else { Poll::Pending }
        }
    }

    /// A connection's end and how long it took, from its first call or its beginning.
    async fn life(
        parts: usize,
        polite: bool,
        stop: bool,
        begin: impl FnOnce(&Socket<DuplexStream>),
    ) -> (End<&'static str>, u64) {
        let (near, mut far) = duplex(1 << 20);
        let socket = Socket::new(near);
        far.write_all(&[b'x'; PREFACE_BYTES as usize]).await.unwrap();
        begin(&socket);
        let keepalive = Keepalive {
            preface_timeout: 10 * SECOND,
            first_call_timeout: 60 * SECOND,
            drain_grace: 2 * SECOND,
            ..Keepalive::default()
        };
        let every = tokio::time::interval(SECOND);
        let connection = Scripted { socket: socket.clone(), parts, every, asked: false, polite };
        let (began, token) = (Instant::now(), CancellationToken::new());
        if stop {
            // After its first poll, in which it reads.
            let token = token.clone();
            tokio::spawn(async move { token.cancel() });
        }
        let reads =
            tokio::spawn(async move { while far.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} });
        let connection = pin!(connection);
        let ended = live(connection, |mut it| it.asked = true, &socket, &keepalive, began, &token);
        let ended = timeout(1000 * SECOND, ended).await.expect("it ends");
        reads.abort();
        (ended, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn one_without_a_call_is_asked_to_go_and_then_cut() {
        assert_eq!(life(0, true, false, |_| {}).await, (End::Closed("closed"), 60));
        assert_eq!(life(0, false, false, |_| {}).await, (End::NoCall, 62));
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_server_stops_one_is_waited_for_as_long_as_something_moves() {
        assert_eq!(life(0, true, true, |_| {}).await, (End::Closed("closed"), 0));
        assert_eq!(life(0, false, true, |_| {}).await, (End::Unread(0), 2));
        let (ended, took) = life(30, true, true, |_| {}).await;
        assert_eq!((ended, took), (End::Closed("closed"), 29));
        let (ended, took) = life(30, false, true, |_| {}).await;
        assert!(ended == End::Unread(0) && (31..=34).contains(&took), "{ended:?} after {took} s");
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_server_stops_one_is_waited_for_as_long_as_an_answer_is_being_made() {
        let answer = |socket: &Socket<DuplexStream>| {
            let mut stream = socket.streams().open();
            tokio::spawn(async move {
                tokio::time::sleep(25 * SECOND).await;
                stream.answered();
                std::future::pending::<()>().await;
            });
        };
        let (ended, took) = life(0, false, true, answer).await;
        assert!(ended == End::Unread(1) && (26..=28).contains(&took), "{ended:?} after {took} s");
    }
}
