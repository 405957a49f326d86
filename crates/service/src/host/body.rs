//! The body of a response: its permit, deadline and panic guard while the call is open.
//!
//! Invariants: the call's permit and its count are given back when the body is dropped, for whatever reason; a panic in a stream, and a stream that outlives its caller's deadline, end in trailers with
//! a status, not in a broken connection; so does every error, in our form. Streams of third-party services end when the server
//! drains; ours watch the drain themselves, to send their last cursor.

use super::calls::{deadline_exceeded, panicked};
use super::clean::clean;
use super::methods::Method;
use super::streams::OpenStream;
use crate::limits::PrincipalStream;
use crate::refusal::draining;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::body::Body;
use tonic::{Code, Status};

/// A call from its first byte to its last: counts it and holds what it takes.
pub(super) struct OpenCall {
    pub(super) method: Arc<Method>,
    began: Instant,
    /// None until it is known; a call dropped before was given up by its caller.
    pub(super) code: Option<Code>,
    _permit: Option<OwnedSemaphorePermit>,
    /// A stream counts for its principal.
    open: Option<PrincipalStream>,
    stream: OpenStream,
}

impl OpenCall {
    pub(super) fn new(method: Arc<Method>, permit: Option<OwnedSemaphorePermit>, stream: OpenStream) -> Self {
        method.began();
        Self { method, began: Instant::now(), code: None, _permit: permit, open: None, stream }
    }

    /// Holds what counts for its principal until its end.
    pub(super) fn holds(&mut self, open: Option<PrincipalStream>) {
        self.open = open;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.method.ended(self.code.unwrap_or(Code::Cancelled), self.began.elapsed());
    }
}

/// What ends a stream from outside.
#[derive(Default)]
pub(super) struct Ends {
    /// The caller's deadline.
    pub(super) deadline: Option<Pin<Box<Sleep>>>,
    /// The server's drain.
    pub(super) drain: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// A response body with its call.
pub(super) struct CallBody {
    inner: Body,
    call: OpenCall,
    ends: Ends,
    finished: bool,
}

impl CallBody {
    pub(super) fn new(inner: Body, mut call: OpenCall, ends: Ends) -> Self {
        call.stream.answered();
        Self { inner, call, ends, finished: false }
    }

    fn finish(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.finished = true;
        self.call.code = Some(status.code());
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(match status.add_header(&mut trailers) {
            Ok(()) => Ok(Frame::trailers(trailers)),
            Err(status) => Err(status),
        }))
    }

    /// The status that an event outside of the stream ends it with, if there was one.
    fn ended(&mut self, cx: &mut Context<'_>) -> Option<Status> {
        if let Some(deadline) = &mut self.ends.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Some(deadline_exceeded());
        }
        if let Some(drain) = &mut self.ends.drain
            && drain.as_mut().poll(cx).is_ready()
        {
            return Some(draining());
        }
        None
    }
}

impl HttpBody for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.finished {
            return Poll::Ready(None);
        }
        let inner = &mut this.inner;
        match catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx))) {
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.finished = true;
                    this.call.code =
                        trailers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
                    // Reading a status copies the trailers.
                    if this.call.code != Some(Code::Ok)
                        && let Some(status) = Status::from_header_map(trailers)
                        && let Some(status) = clean(&status, &this.call.method)
                    {
                        return this.finish(&status);
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(Poll::Ready(end)) => {
                this.finished = true;
                Poll::Ready(end)
            }
            Ok(Poll::Pending) => match this.ended(cx) {
                Some(status) => this.finish(&status),
                None => Poll::Pending,
            },
            Err(_) => {
                // The stream that panicked is not polled again.
                this.inner = Body::empty();
                let status = panicked(&this.call.method.name);
                this.finish(&status)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.finished || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.finished { SizeHint::with_exact(0) } else { self.inner.size_hint() }
    }
}
