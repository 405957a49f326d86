//! Checks that a request follows the gRPC protocol, before anything else of it is read.
//!
//! Invariant: a request that is not gRPC is refused with the HTTP status that the protocol has for it, and with an
//! error in our form beside it; a timeout is either kept or refused, never ignored. The header `te` is not
//! checked: many clients leave it out.

use crate::status::Answer;
use http::{HeaderMap, Method, Request, StatusCode};
use milepost_proto::error::v1::Reason;
use std::time::Duration;
use tonic::{Code, Status};

/// Why a request is no call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// Not `POST`.
    Method,
    /// Not `application/grpc`, or with a format of messages that is not ours.
    ContentType,
    /// Not at most eight digits and a unit.
    Timeout,
}

impl Violation {
    pub(super) fn http_status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // It is gRPC, so the answer to it is, too.
            Self::Timeout => StatusCode::OK,
        }
    }

    pub(super) fn status(&self) -> Status {
        let (header, message) = match self {
            Self::Method => (":method", "a call is a POST"),
            Self::ContentType => ("content-type", "the content type of a call is application/grpc"),
            Self::Timeout => {
                ("grpc-timeout", "a timeout is at most eight digits and one of the units H, M, S, m, u, n")
            }
        };
        let message = format!("this is no call by the rules of gRPC: {message}");
        Answer::new(Code::InvalidArgument, Reason::ProtocolViolation, message).with("header", header).status()
    }
}

/// The timeout of a call, if its caller gave one.
///
/// # Errors
/// If the request is no call.
pub(super) fn timeout<B>(request: &Request<B>) -> Result<Option<Duration>, Violation> {
    if request.method() != Method::POST {
        return Err(Violation::Method);
    }
    let content_type = request.headers().get("content-type").map_or(&b""[..], |value| value.as_bytes());
    if !is_grpc(content_type) {
        return Err(Violation::ContentType);
    }
    grpc_timeout(request.headers())
}

/// Whether a content type is `application/grpc`, of protobuf messages, whatever its parameters.
fn is_grpc(content_type: &[u8]) -> bool {
    let Some(rest) = content_type.strip_prefix(b"application/grpc") else { return false };
    let rest = rest.strip_prefix(b"+proto").unwrap_or(rest);
    matches!(rest.first(), None | Some(b';' | b' '))
}

/// At most eight digits and a unit.
fn grpc_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Violation> {
    let Some(text) = headers.get("grpc-timeout") else { return Ok(None) };
    parse(text.as_bytes()).map(Some).ok_or(Violation::Timeout)
}

fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0, |count, digit| count * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(count * 3600),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            grpc_timeout(&headers)
        };
        for (text, expected) in [
            ("3H", Duration::from_secs(10_800)),
            ("2M", Duration::from_secs(120)),
            ("42S", Duration::from_secs(42)),
            ("13m", Duration::from_millis(13)),
            ("99999999u", Duration::from_micros(99_999_999)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(read(text), Ok(Some(expected)), "{text}");
        }
        for text in ["", "S", "1", "1s", "+1S", "-1S", "123456789S", "1.5S", "1 S"] {
            assert_eq!(read(text), Err(Violation::Timeout), "{text}");
        }
        assert_eq!(grpc_timeout(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_call_is_a_post_of_protobuf_messages() {
        let read = |method: &str, content_type: &str| {
            timeout(&Request::builder().method(method).header("content-type", content_type).body(()).unwrap())
        };
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert_eq!(read("POST", content_type), Ok(None), "{content_type}");
        }
        for content_type in ["", "application/json", "application/grpc-web", "application/grpc+json"] {
            assert_eq!(read("POST", content_type), Err(Violation::ContentType), "{content_type}");
        }
        assert_eq!(read("GET", "application/grpc"), Err(Violation::Method));
        assert_eq!(timeout(&Request::post("/").body(()).unwrap()), Err(Violation::ContentType));
    }
}
