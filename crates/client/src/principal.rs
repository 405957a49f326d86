//! The channel of a client that says who makes its calls.
//!
//! Invariant: every call through it carries the client's principal, unless the call names one itself. The
//! server does not verify it and records it as claimed.

use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response};
use milepost_proto::PRINCIPAL_METADATA;
use milepost_types::limits;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::Service;

use crate::error::Error;

/// A channel whose calls carry a principal, if the client was given one.
#[derive(Debug, Clone)]
pub struct PrincipalChannel {
    channel: Channel,
    principal: Option<HeaderValue>,
}

impl PrincipalChannel {
    pub(crate) fn new(channel: Channel, principal: Option<HeaderValue>) -> Self {
        Self { channel, principal }
    }
}

/// A principal as metadata.
///
/// # Errors
/// If it is no id of 1 to 200 visible ASCII characters.
pub(crate) fn principal(text: &str) -> Result<HeaderValue, Error> {
    let is_id =
        (1..=limits::PRINCIPAL_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| is_id);
    value.ok_or_else(|| Error::Principal { text: text.to_owned() })
}

impl Service<Request<Body>> for PrincipalChannel {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = <Channel as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(principal) = &self.principal {
            request.headers_mut().entry(PRINCIPAL_METADATA).or_insert_with(|| principal.clone());
        }
        self.channel.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_an_id_of_visible_characters() {
        assert!(principal("office-1").is_ok());
        assert!(principal(&"x".repeat(200)).is_ok());
        for text in ["", "a b", "李", "a\n", &"x".repeat(201)] {
            let error = principal(text).expect_err(text).to_string();
            assert!(error.contains("1 to 200 visible ASCII characters"), "{error}");
        }
    }
}
