//! What went wrong with a call, decoded for programs and explained to people.
//!
//! Invariant: nothing the server said is lost: code, reason, metadata and every violation are kept.
//! Whether a call may be sent again is decided in `retry`; this module only records what is known.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use milepost_proto::error::v1::Reason;
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use crate::words;

/// Why a call or its preparation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text is not the address of a server.
    #[error("{url:?} is no address of a server: {what}")]
    Endpoint {
        /// The text.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// A text is not a principal.
    #[error("{text:?} is no principal: give an id of 1 to 200 visible ASCII characters")]
    Principal {
        /// The text.
        text: String,
    },
    /// Options of TLS do not go together.
    #[error("{what}")]
    Tls {
        /// What is wrong with them.
        what: String,
    },
    /// A token cannot be used. The text does not show it.
    #[error("{what}")]
    Token {
        /// What is wrong.
        what: String,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] Box<Failure>),
}

impl Error {
    /// The failed call, if it was one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Error::Call(failure) => Some(failure),
            Error::Endpoint { .. } | Error::Principal { .. } | Error::Tls { .. } | Error::Token { .. } => {
                None
            }
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Error::Call(Box::new(status.into()))
    }
}

/// A faulty field of a request, or a condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The path of the field in the request; for a condition, the resource that it does not hold for.
    pub field: String,
    /// Why, for programs; may be empty.
    pub reason: String,
    /// Why, for people.
    pub description: String,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The gRPC code.
    pub code: Code,
    /// The reason, if the server gave one that this version knows.
    pub reason: Option<Reason>,
    /// What happened, for people.
    pub message: String,
    /// Facts that go with the reason.
    pub metadata: BTreeMap<String, String>,
    /// Every faulty field.
    pub violations: Vec<FieldFault>,
    /// Every condition that does not hold.
    pub preconditions: Vec<FieldFault>,
    /// How long the server asks to wait before trying again.
    pub retry_after: Option<Duration>,
    /// Whether the connection failed: the server may or may not have seen the request.
    pub connection: bool,
    /// Whether there was no connection: nothing accepted one at the endpoint, so the server has not seen the
    /// request.
    pub unreachable: bool,
    /// Whether the two sides do not agree on TLS: another attempt fails alike, and the message says what to change.
    pub tls: bool,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        // A status that a server sent has no source; those made of a transport's errors have.
        let source = std::error::Error::source(&status);
        let violations = details.bad_request().map(|bad| &bad.field_violations[..]).unwrap_or_default();
        let conditions =
            details.precondition_failure().map(|failed| &failed.violations[..]).unwrap_or_default();
        Self {
            code: status.code(),
            reason: info.and_then(|info| Reason::from_str_name(&format!("REASON_{}", info.reason))),
            message: match source {
                Some(source) => words::transport(source),
                None => words::message(status.message()),
            },
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
            violations: violations
                .iter()
                .map(|violation| FieldFault {
                    field: violation.field.clone(),
                    reason: violation.reason.clone(),
                    description: violation.description.clone(),
                })
                .collect(),
            preconditions: conditions
                .iter()
                .map(|violation| FieldFault {
                    field: violation.subject.clone(),
                    reason: violation.r#type.clone(),
                    description: violation.description.clone(),
                })
                .collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            connection: source.is_some(),
            unreachable: source.is_some_and(is_unreachable),
            tls: source.is_some_and(words::is_tls),
        }
    }
}

/// Whether an error of the transport says that no connection could be made.
fn is_unreachable(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<ConnectError>())
}

impl Failure {
    /// The deadline passed on this side.
    pub(crate) fn deadline(last: Option<&Failure>) -> Self {
        let message = match last {
            Some(last) => format!("the deadline passed; the last attempt said: {}", last.message),
            None => "the deadline passed without an answer".to_owned(),
        };
        Self {
            code: Code::DeadlineExceeded,
            reason: Some(Reason::DeadlineExceeded),
            message,
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            preconditions: Vec::new(),
            retry_after: None,
            connection: true,
            unreachable: last.is_some_and(|last| last.unreachable),
            tls: false,
        }
    }

    /// A fact of the reason, by its key.
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The earliest cursor that can be read from, where a cursor was refused.
    pub fn earliest_cursor(&self) -> Option<&str> {
        self.fact("earliest_cursor")
    }

    /// What to do about it, for people; `None` if the message already says so.
    pub fn hint(&self) -> Option<&'static str> {
        if self.tls {
            return None;
        }
        if self.unreachable && self.code != Code::DeadlineExceeded {
            return Some("check that the server runs and that the endpoint is right");
        }
        Some(match (self.reason, self.code) {
            (Some(Reason::TooMany), _) if self.fact("what") == Some("connections") => {
                "the server is full: try again later, or have its operator raise limits.max_connections"
            }
            (None, code) if self.connection && code != Code::DeadlineExceeded => {
                "something accepted the connection and broke it: the server may be stopping, or the \
                 endpoint may be that of something else"
            }
            (Some(Reason::EtagMismatch), _) => "read the resource again, then decide again",
            (Some(Reason::RequestIdReused), _) => "use a new request id for a new request",
            (Some(Reason::CursorExpired), _) => "start again from the earliest cursor",
            (Some(Reason::CursorInvalid), _) => {
                "give the cursor exactly as the server answered it, or start again from the earliest cursor"
            }
            (Some(Reason::CursorOfOtherLog), _) => {
                "give the cursor to the server that answered it, or start again from the earliest cursor"
            }
            (Some(Reason::CursorAhead), _) => {
                "ask the operator whether this log lost its end; to go on, start again from the earliest cursor"
            }
            (Some(Reason::LogDiverged), _) if self.earliest_cursor().is_some() => {
                "drop what was read before, and start again from the earliest cursor"
            }
            (Some(Reason::LogDiverged), _) => {
                "the log was restored: ask without the old position, or revision, and read again"
            }
            (Some(Reason::PageTokenInvalid), _) => "start again without a page token",
            (Some(Reason::Overloaded | Reason::TooMany), _) => {
                "try again a little later, or with fewer calls at once"
            }
            (Some(Reason::DiskLow), _) => "the operator must make room on the server's disk",
            (Some(Reason::Draining), _) => "the server is stopping; try again",
            (Some(Reason::DataLoss), _) => "the operator must look at the server's log",
            (Some(Reason::Internal), _) => "this is a fault of the server; report it with the fault id",
            (_, Code::DeadlineExceeded) => "give the call more time, or check that the server is reachable",
            (_, Code::Unimplemented) => {
                "the server does not know this call: it is older than this client and must be upgraded, or it is \
                 another service; `milepost ledger info` shows its version"
            }
            (_, Code::Unavailable) => "try again a little later",
            _ => return None,
        })
    }
}

impl std::error::Error for Failure {}

/// The message, every violation on a line of its own, and a hint.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message.is_empty() { self.code.description() } else { &self.message })?;
        for fault in self.violations.iter().chain(&self.preconditions) {
            match fault.field.as_str() {
                "" => write!(f, "\n  {}", fault.description)?,
                field => write!(f, "\n  {field}: {}", fault.description)?,
            }
        }
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::soon;
    use milepost_proto::journal::v1::GetLedgerInfoRequest;
    use milepost_proto::journal::v1::journal_service_client::JournalServiceClient;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tonic_types::ErrorDetails;

    #[test]
    fn everything_the_server_said_is_kept() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_FIELDS", "milepost.dev", [("asked".to_owned(), "x".to_owned())])
            .add_bad_request_violation("project.display_name", "the field is required")
            .add_bad_request_violation("project.period", "ends before it starts")
            .add_precondition_failure_violation("STATE", "portfolios/p", "it is deleted")
            .set_retry_info(Some(Duration::from_millis(1500)));
        let status = Status::with_error_details(Code::InvalidArgument, "the request is not valid", details);
        let failure = Failure::from(status);
        assert_eq!(failure.reason, Some(Reason::InvalidFields));
        assert_eq!(failure.fact("asked"), Some("x"));
        assert_eq!(failure.retry_after, Some(Duration::from_millis(1500)));
        assert!(!failure.connection);
        let text = failure.to_string();
        for part in
            ["not valid", "project.display_name: the field", "project.period: ends", "portfolios/p: it is"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn every_refused_cursor_says_how_to_go_on() {
        for reason in [
            Reason::CursorInvalid,
            Reason::CursorOfOtherLog,
            Reason::CursorAhead,
            Reason::CursorExpired,
            Reason::LogDiverged,
        ] {
            let name = reason.as_str_name().strip_prefix("REASON_").unwrap();
            let facts = [("earliest_cursor".to_owned(), "Qw".to_owned())];
            let details = ErrorDetails::with_error_info(name, "milepost.dev", facts);
            let failure = Failure::from(Status::with_error_details(Code::FailedPrecondition, "no", details));
            assert_eq!((failure.reason, failure.earliest_cursor()), (Some(reason), Some("Qw")));
            assert!(failure.hint().unwrap().contains("earliest cursor"), "{failure}");
        }
    }

    #[test]
    fn reasons_of_newer_servers_and_plain_statuses_are_no_obstacle() {
        let details = ErrorDetails::with_error_info("NOT_YET_INVENTED", "milepost.dev", []);
        let failure = Failure::from(Status::with_error_details(Code::Aborted, "no", details));
        assert_eq!((failure.reason, failure.hint()), (None, None));
        let failure = Failure::from(Status::unimplemented(""));
        assert!(failure.to_string().contains("hint:"));
    }

    /// The failure of a call to a server that closes every connection without an answer.
    async fn broken() -> Failure {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.shutdown().await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
        call(address).await
    }

    async fn call(address: SocketAddr) -> Failure {
        let channel = crate::Endpoint::parse(&format!("http://{address}")).unwrap().channel();
        let mut journal = JournalServiceClient::new(channel);
        soon(journal.get_ledger_info(GetLedgerInfoRequest::default())).await.unwrap_err().into()
    }

    #[test]
    fn a_server_that_is_full_is_not_taken_for_one_that_is_not_there() {
        let hint = |what: &str| {
            let facts = [("what".to_owned(), what.to_owned())];
            let details = ErrorDetails::with_error_info("TOO_MANY", "milepost.dev", facts);
            Failure::from(Status::with_error_details(Code::ResourceExhausted, "no", details)).hint().unwrap()
        };
        assert!(hint("connections").contains("the server is full"));
        assert!(hint("calls").contains("fewer calls"));
    }

    #[tokio::test]
    async fn nobody_there_and_a_connection_that_broke_are_two_things() {
        let broken = broken().await;
        assert!(broken.connection && !broken.unreachable, "{broken:?}");
        assert!(broken.to_string().contains("accepted the connection and broke it"), "{broken}");
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let nobody = call(free).await;
        assert!(nobody.connection && nobody.unreachable, "{nobody:?}");
        assert!(nobody.to_string().contains("check that the server runs"), "{nobody}");
    }
}
