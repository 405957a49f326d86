//! Sending a call again where that is safe.
//!
//! Invariants: a read may always be sent again; a write only under the request id of its first attempt,
//! which the client makes if the caller gave none. A call that was refused for a reason which another
//! attempt does not change is never sent again, `ABORTED` included: the caller must decide again. No
//! attempt begins after the deadline, and each request carries the time that is left.

use std::future::Future;
use std::time::{Duration, Instant};

use milepost_proto::WriteRequest;
use milepost_proto::error::v1::Reason;
use milepost_types::RequestId;
use tonic::{Code, Request, Response, Status};

use crate::backoff::Backoff;
use crate::error::{Error, Failure};

/// A call that is cancelled this close to its deadline was cancelled because of it.
const CLOSE: Duration = Duration::from_millis(10);

/// When calls are sent again, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// The delays between attempts.
    pub backoff: Backoff,
    /// The deadline of a call that is given none, from its beginning. Default: 30 s.
    pub timeout: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { backoff: Backoff::default(), timeout: Duration::from_secs(30) }
    }
}

impl Retry {
    /// The deadline of a call that begins now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Reads until there is an answer, a final refusal, or the deadline has passed.
    ///
    /// ```no_run
    /// # use milepost_client::{Client, Error};
    /// # use milepost_proto::registry::v1::{GetProjectRequest, GetProjectResponse};
    /// # async fn example(client: Client, request: GetProjectRequest) -> Result<GetProjectResponse, Error> {
    /// let retry = client.retry();
    /// retry.read(retry.deadline(), request, |request| {
    ///     let mut projects = client.projects();
    ///     async move { projects.get_project(request).await }
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn read<Q, T, F>(
        &self,
        deadline: Instant,
        request: Q,
        mut call: impl FnMut(Request<Q>) -> F,
    ) -> Result<T, Error>
    where
        Q: Clone,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut delays = self.backoff.delays();
        let mut last: Option<Box<Failure>> = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Call(late(last)));
            }
            let mut attempt = Request::new(request.clone());
            attempt.set_timeout(left);
            let failure = match tokio::time::timeout_at(deadline.into(), call(attempt)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => Box::new(Failure::from(status)),
                Err(_) => return Err(Error::Call(late(last))),
            };
            // Either side's tonic ends a call at its deadline with CANCELLED.
            if failure.code == Code::Cancelled && Instant::now() + CLOSE >= deadline {
                return Err(Error::Call(late(last)));
            }
            if !may_pass(&failure) {
                return Err(Error::Call(failure));
            }
            let delay = delays.next(failure.retry_after);
            tracing::debug!(code = ?failure.code, reason = failure.message, ?delay, "trying again");
            if Instant::now() + delay >= deadline {
                return Err(Error::Call(failure));
            }
            last = Some(failure);
            tokio::time::sleep(delay).await;
        }
    }

    /// As [`Retry::read`], for a write: every attempt carries the same request id.
    ///
    /// # Errors
    /// Why the last attempt failed. After a lost connection or a deadline the write may or may not have
    /// taken effect: sending the same request with the same request id returns its outcome.
    pub async fn write<Q, T, F>(
        &self,
        deadline: Instant,
        mut request: Q,
        call: impl FnMut(Request<Q>) -> F,
    ) -> Result<T, Error>
    where
        Q: WriteRequest,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let id = request.request_id_mut();
        if id.is_empty() {
            *id = RequestId::generate().to_string();
        }
        self.read(deadline, request, call).await
    }
}

fn late(last: Option<Box<Failure>>) -> Box<Failure> {
    Box::new(Failure::deadline(last.as_deref()))
}

/// Whether another attempt may succeed.
fn may_pass(failure: &Failure) -> bool {
    match failure.code {
        _ if failure.tls => false,
        Code::Unavailable => true,
        Code::ResourceExhausted => {
            failure.retry_after.is_some() && failure.reason != Some(Reason::LimitExceeded)
        }
        // The connection broke: tonic has several codes for it, none of which the server sent.
        _ => failure.connection && failure.code != Code::DeadlineExceeded,
    }
}

#[cfg(test)]
mod tests;
