//! Errors that no handler of ours made, in our form.
//!
//! Invariant: every error that leaves a server has an ErrorInfo. Errors of the transport, the health service and
//! the reflection service are recognised by their texts: a message that cannot be decoded is the caller's fault,
//! and an unknown error is reported as internal. The cases of `tests/errors.rs` fail when these
//! texts change.

use super::methods::Method;
use crate::status::{Answer, internal_fault};
use milepost_proto::error::v1::Reason;
use tonic::{Code, Status};

/// The encodings of requests that a server takes; the transport names them in its refusal of another.
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
/// How the transport begins to say that a message cannot be decoded, or did not come.
const MALFORMED: [&str; 7] = [
    "failed to decode Protobuf message",
    "protocol error: received message",
    "Unexpected EOF decoding stream",
    "Missing request message",
    "Error decompressing",
    "h2 protocol error",
    "error reading a body from connection",
];

/// The status to send in place of one that did not come from a handler of ours, which all have details.
pub(super) fn clean(status: &Status, method: &Method) -> Option<Status> {
    if status.code() == Code::Ok || !status.details().is_empty() {
        return None;
    }
    let message = status.message();
    let says = |beginnings: &[&str]| beginnings.iter().any(|beginning| message.starts_with(beginning));
    Some(match status.code() {
        Code::OutOfRange if says(&["Error, decoded message length too large"]) => too_large(message),
        Code::ResourceExhausted if says(&["Error decompressing: size limit"]) => too_large(message),
        _ if says(&MALFORMED) => {
            let message = format!("the message cannot be decoded: {message}");
            Answer::new(Code::InvalidArgument, Reason::MalformedMessage, message).status()
        }
        // Of the reflection service: it asks for nothing.
        Code::InvalidArgument => {
            Answer::new(Code::InvalidArgument, Reason::MalformedMessage, message).status()
        }
        Code::Unimplemented => match status.metadata().get(ACCEPT_ENCODING) {
            Some(_) => unknown_encoding(status),
            None => unknown_method(),
        },
        // Of the reflection service: `symbol 'a.B' not found`, or `extensions are not supported`.
        Code::NotFound => {
            let mut words = message.split('\'');
            let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let kind = if name.is_empty() { "extension" } else { kind.trim_end() };
            Answer::new(Code::NotFound, Reason::ResourceNotFound, message)
                .with("kind", kind)
                .with("name", name)
                .status()
        }
        code => internal_fault("a call failed", &format!("{}: {code:?}: {message}", method.name)),
    })
}

fn unknown_method() -> Status {
    let message = "there is no such service or method on this server";
    Answer::new(Code::Unimplemented, Reason::MethodUnknown, message).status()
}

fn unknown_encoding(status: &Status) -> Status {
    let supported = status.metadata().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let supported = supported.unwrap_or_default();
    let message = format!("the request is compressed in a way that is not known here; known are {supported}");
    let answer = Answer::new(Code::Unimplemented, Reason::EncodingUnknown, message);
    let mut answer = answer.with("supported", supported).status();
    if let Ok(supported) = supported.parse() {
        answer.metadata_mut().insert(ACCEPT_ENCODING, supported);
    }
    answer
}

fn too_large(message: &str) -> Status {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    // `… the limit is: 65536 bytes`, `… size limit, of 65536 bytes, …`
    let limits = ["limit is: ", "limit, of "].iter().filter_map(|before| message.split_once(before));
    let limit = limits.map(|(_, after)| digits(after)).next().unwrap_or_default();
    let message = format!("the message is larger than the limit of {limit} bytes; send less at once");
    Answer::new(Code::ResourceExhausted, Reason::LimitExceeded, message)
        .with("what", "message bytes")
        .with("limit", limit)
        .status()
}
