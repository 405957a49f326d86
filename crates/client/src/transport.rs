//! How one service reaches another: over connections, or, where both are in one process, by a plain call.
//!
//! Invariant: the API is the same either way, message by message. A call within the process does without
//! sockets, frames and the tasks that serve them, and without what a server has around its calls: limits,
//! deadline, metrics, and a panic is its caller's. It is polled by its caller, and ends with it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use http::{Request, Response};
use tonic::body::Body;
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::channel::{Lease, Pool};
use crate::credentials::CredentialChannel;

/// A gRPC service of this process.
type LocalService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// How calls reach another service; clones share its connections.
#[derive(Clone)]
pub enum Transport {
    /// Over connections to a server.
    Remote(Pool),
    /// By a plain call within this process.
    InProcess(LocalService),
}

impl Transport {
    /// The transport to a gRPC service of this process.
    pub fn in_process<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self::InProcess(BoxCloneSyncService::new(service))
    }

    /// The channel for a short call.
    pub fn call_channel(&self) -> TransportChannel {
        TransportChannel(match self {
            Self::Remote(pool) => Channels::Remote { channel: pool.channel(), _lease: None },
            Self::InProcess(service) => Channels::InProcess(service.clone()),
        })
    }

    /// The channel for a long stream. It occupies a stream of the pool until its last clone is dropped.
    pub fn stream_channel(&self) -> TransportChannel {
        TransportChannel(match self {
            Self::Remote(pool) => {
                let lease = pool.lease();
                Channels::Remote { channel: lease.channel(), _lease: Some(Arc::new(lease)) }
            }
            Self::InProcess(service) => Channels::InProcess(service.clone()),
        })
    }
}

impl From<Pool> for Transport {
    fn from(pool: Pool) -> Self {
        Self::Remote(pool)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(pool) => f.debug_tuple("Remote").field(pool).finish(),
            Self::InProcess(_) => f.write_str("InProcess"),
        }
    }
}

/// A channel of a [`Transport`], as generated clients of tonic take it. Clones occupy one stream together.
#[derive(Clone)]
pub struct TransportChannel(Channels);

#[derive(Clone)]
enum Channels {
    Remote { channel: CredentialChannel, _lease: Option<Arc<Lease>> },
    InProcess(LocalService),
}

impl Service<Request<Body>> for TransportChannel {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, tonic::transport::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.0 {
            Channels::Remote { channel, .. } => channel.poll_ready(cx),
            Channels::InProcess(service) => service.poll_ready(cx).map_err(|never| match never {}),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.0 {
            Channels::Remote { channel, .. } => channel.call(request).boxed(),
            Channels::InProcess(service) => service.call(request).map_err(|never| match never {}).boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Endpoint;

    #[tokio::test]
    async fn a_stream_channel_occupies_the_pool_until_its_last_clone_is_dropped() {
        let pool = Endpoint::parse("http://127.0.0.1:1").unwrap().pool(2);
        let transport = Transport::from(pool.clone());
        let stream = transport.stream_channel();
        let clone = stream.clone();
        let other = transport.stream_channel();
        assert_eq!(pool.streams(), [1, 1]);
        drop(stream);
        let _call = transport.call_channel();
        assert_eq!(pool.streams(), [1, 1], "a call occupies no stream");
        drop((clone, other));
        assert_eq!(pool.streams(), [0, 0]);
    }
}
