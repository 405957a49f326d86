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
use tonic::transport::Channel;
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::channel::{Lease, Pool};

type Here = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A way to another service; clones share it.
#[derive(Clone)]
pub struct Link(Way);

#[derive(Clone)]
enum Way {
    Pool(Pool),
    Here(Here),
}

impl Link {
    /// The way to a gRPC service of this process.
    pub fn here<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(Way::Here(BoxCloneSyncService::new(service)))
    }

    /// What a call is made on that is soon over.
    pub fn call(&self) -> Line {
        Line(match &self.0 {
            Way::Pool(pool) => End::Connection { channel: pool.channel(), _lease: None },
            Way::Here(here) => End::Here(here.clone()),
        })
    }

    /// What a stream is opened on. On a pool it keeps its place until the last clone is dropped.
    pub fn line(&self) -> Line {
        Line(match &self.0 {
            Way::Pool(pool) => {
                let lease = pool.lease();
                End::Connection { channel: lease.channel(), _lease: Some(Arc::new(lease)) }
            }
            Way::Here(here) => End::Here(here.clone()),
        })
    }
}

impl From<Pool> for Link {
    fn from(pool: Pool) -> Self {
        Self(Way::Pool(pool))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Pool(pool) => f.debug_tuple("Link").field(pool).finish(),
            Way::Here(_) => f.write_str("Link(here)"),
        }
    }
}

/// One end of a link, as clients of tonic take it; clones are one place.
#[derive(Clone)]
pub struct Line(End);

#[derive(Clone)]
enum End {
    Connection { channel: Channel, _lease: Option<Arc<Lease>> },
    Here(Here),
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, tonic::transport::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.0 {
            End::Connection { channel, .. } => channel.poll_ready(cx),
            End::Here(here) => here.poll_ready(cx).map_err(|never| match never {}),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.0 {
            End::Connection { channel, .. } => channel.call(request).boxed(),
            End::Here(here) => here.call(request).map_err(|never| match never {}).boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Endpoint;

    #[tokio::test]
    async fn a_line_keeps_its_place_on_a_pool_until_its_last_clone_is_gone() {
        let pool = Endpoint::parse("http://127.0.0.1:1").unwrap().pool(2);
        let link = Link::from(pool.clone());
        let line = link.line();
        let clone = line.clone();
        let other = link.line();
        assert_eq!(pool.streams(), [1, 1]);
        drop(line);
        let _call = link.call();
        assert_eq!(pool.streams(), [1, 1], "a call takes no place");
        drop((clone, other));
        assert_eq!(pool.streams(), [0, 0]);
    }
}
