//! Real servers for the tests: on sockets, behind a proxy that cuts connections at a byte, and in memory
//! where time is paused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::service::Routes;

use crate::backoff::Backoff;
use crate::channel::{Endpoint, Pool};

/// Serves on a free port until the runtime ends.
pub(crate) async fn serve(routes: Routes) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// A server whose connections are in memory, so that paused time waits for them.
pub(crate) fn in_memory(routes: Routes) -> Pool {
    let (accept, incoming) = tokio::sync::mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_routes(routes);
    let incoming = UnboundedReceiverStream::new(incoming);
    tokio::spawn(server.serve_with_incoming(incoming));
    let connect = tower::service_fn(move |_: tonic::transport::Uri| {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let accepted = accept.send(Ok::<_, std::io::Error>(far)).map_err(std::io::Error::other);
        async move { accepted.map(|()| TokioIo::new(near)) }
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://in.memory");
    Pool::from(Endpoint::tuned(endpoint).connect_with_connector_lazy(connect))
}

/// Passes on so many of the server's bytes on the first connection, on the second, and so forth, then
/// closes it; connections after that are passed on whole. Also counts them.
pub(crate) async fn cutting_proxy(target: SocketAddr, cuts: Vec<usize>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let Ok((near, _)) = listener.accept().await else { return };
            let cut = cuts.get(count.fetch_add(1, Ordering::SeqCst)).copied();
            tokio::spawn(pass(near, target, cut));
        }
    });
    (address, accepted)
}

async fn pass(near: TcpStream, target: SocketAddr, cut: Option<usize>) -> std::io::Result<()> {
    let far = TcpStream::connect(target).await?;
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let upward = tokio::spawn(async move { copy(&mut from_near, &mut to_far).await });
    let mut left = cut.unwrap_or(usize::MAX);
    let mut buffer = vec![0; 16 * 1024];
    while left > 0 {
        let room = buffer.len().min(left);
        let read = from_far.read(&mut buffer[..room]).await?;
        if read == 0 {
            break;
        }
        to_near.write_all(&buffer[..read]).await?;
        left -= read;
    }
    upward.abort();
    Ok(())
}

/// A connection to a test's server.
pub(crate) fn pool(address: SocketAddr) -> Pool {
    Endpoint::parse(&format!("http://{address}")).unwrap().pool(1)
}

/// Delays that tests can wait for.
pub(crate) fn quick() -> Backoff {
    Backoff { min: Duration::from_millis(1), max: Duration::from_millis(4) }
}

/// Fails a test that would never end.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in good time")
}
