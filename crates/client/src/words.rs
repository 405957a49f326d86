//! Connection failures in plain words for people.
//!
//! Invariant: no text of a library or of the system reaches users as it is where a plain one is known; numbers of the
//! system's errors never do. An error is recognised by its kind where it has one, else by its text.

use std::error::Error;
use std::io::{self, ErrorKind};

use h2::Reason;
use milepost_types::without_number;

use crate::tls::is_fault;

/// The text of tonic for an answer that is not gRPC: the bytes come from the wire, so there is no error kind.
const NO_STATUS: &str = "grpc-status header missing";
/// What tonic says, on either side, of a call whose deadline passed.
const DEADLINE: &str = "Timeout expired";

const LOST: &str = "the connection was lost";
const NO_GRPC: &str = "what answers there is no gRPC server, or it speaks TLS: then write https://";

/// A transport's error.
pub(crate) fn transport(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    let mut dns = false;
    loop {
        if let Some(words) = innermost.downcast_ref::<h2::Error>().map(http2) {
            return words;
        }
        if let Some(error) = innermost.downcast_ref::<io::Error>() {
            // Some wrap what lies deeper, an error of HTTP/2 among it.
            if error.get_ref().is_none() || innermost.source().is_none() {
                return if dns { unknown_host() } else { io(error) };
            }
        }
        dns |= innermost.to_string() == "dns error";
        match innermost.source() {
            Some(source) => innermost = source,
            None => return text(&innermost.to_string()),
        }
    }
}

/// Whether an error is of TLS, and would come again at another attempt.
pub(crate) fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let of_tls = |error: &(dyn Error + 'static)| {
        let of_http2 = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io);
        error.downcast_ref::<io::Error>().or(of_http2).is_some_and(is_fault)
    };
    std::iter::successors(Some(error), |&error| error.source()).any(of_tls)
}

/// What a server, or something else in its place, said.
pub(crate) fn message(message: &str) -> String {
    match message {
        DEADLINE => "the call was cut off at its deadline".to_owned(),
        none if none.starts_with(NO_STATUS) => NO_GRPC.to_owned(),
        said => said.to_owned(),
    }
}

fn unknown_host() -> String {
    "no host of that name is known".to_owned()
}

fn http2(error: &h2::Error) -> String {
    if let Some(error) = error.get_io() {
        return io(error);
    }
    match error.reason() {
        Some(Reason::REFUSED_STREAM) => "the server takes no more calls on this connection",
        Some(Reason::ENHANCE_YOUR_CALM) => "the server asks for fewer calls",
        Some(Reason::HTTP_1_1_REQUIRED) => NO_GRPC,
        Some(Reason::FRAME_SIZE_ERROR | Reason::PROTOCOL_ERROR | Reason::COMPRESSION_ERROR) => NO_GRPC,
        _ if error.is_go_away() => "the server closed the connection",
        _ if error.is_reset() => "the server ended the call",
        _ => LOST,
    }
    .to_owned()
}

fn io(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused: nothing listens there",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => LOST,
        ErrorKind::UnexpectedEof => LOST,
        ErrorKind::TimedOut => "nothing answered in time",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to that host",
        ErrorKind::NotConnected => "there is no connection to that host",
        ErrorKind::AddrNotAvailable => "this machine has no port left for another connection",
        ErrorKind::PermissionDenied => "this machine does not allow the connection",
        _ => return text(&error.to_string()),
    }
    .to_owned()
}

/// A text of a library without the parts that mean nothing to users.
fn text(said: &str) -> String {
    match said {
        DEADLINE => "nothing answered in time".to_owned(),
        "operation was canceled" | "connection closed" | "channel closed" => LOST.to_owned(),
        "connection closed before message completed" => LOST.to_owned(),
        "invalid HTTP version parsed" => NO_GRPC.to_owned(),
        said => without_number(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Wrapped {
        what: &'static str,
        source: Box<dyn Error + Send + Sync>,
    }

    fn wrapped(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Wrapped {
        Wrapped { what, source: source.into() }
    }

    #[test]
    fn errors_of_the_system_are_words_without_numbers() {
        for (number, words) in [
            (111, "the connection was refused: nothing listens there"),
            (104, "the connection was lost"),
            (32, "the connection was lost"),
            (110, "nothing answered in time"),
            (113, "there is no way to that host"),
            (24, "Too many open files"),
        ] {
            let error = wrapped(
                "transport error",
                wrapped("tcp connect error", io::Error::from_raw_os_error(number)),
            );
            assert_eq!(transport(&error), words, "{number}");
        }
    }

    #[test]
    fn errors_of_http_2_and_of_the_transport_are_words() {
        let pipe = io::Error::new(ErrorKind::BrokenPipe, "stream closed because of a broken pipe");
        assert_eq!(transport(&wrapped("h2 protocol error", pipe)), LOST);
        for (reason, words) in [
            (Reason::FRAME_SIZE_ERROR, NO_GRPC),
            (Reason::ENHANCE_YOUR_CALM, "the server asks for fewer calls"),
            (Reason::INTERNAL_ERROR, LOST),
        ] {
            assert_eq!(transport(&wrapped("transport error", h2::Error::from(reason))), words);
        }
        assert_eq!(transport(&wrapped("transport error", "operation was canceled")), LOST);
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(transport(&wrapped("dns error", lookup)), "no host of that name is known");
        assert_eq!(message("Timeout expired"), "the call was cut off at its deadline");
        assert_eq!(message("grpc-status header missing, mapped from HTTP status code 404"), NO_GRPC);
        assert_eq!(message("there is no project"), "there is no project");
    }
}
