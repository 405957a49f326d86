//! The form of every error on the wire: code, message, ErrorInfo, and details to act on.
//!
//! Invariants: every status has an ErrorInfo of domain `milepost.dev`; all of it together fits into
//! the 8 KiB of trailers that common clients accept (C-core's limit), so long lists are cut and give
//! the number of omitted members. An internal failure is logged once under an id, and only the id is sent.

use milepost_proto::error::v1::Reason;
use milepost_types::Violations;
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};
use uuid::Uuid;

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "milepost.dev";

/// Bytes of a message; its non-ASCII bytes become three each on the wire.
const MESSAGE_BYTES: usize = 500;
/// Bytes of the lists in the details, before base64 makes a third more of them.
const LIST_BYTES: usize = 3_000;
/// Bytes of any one text in the details.
const TEXT_BYTES: usize = 300;

/// A status in the making.
#[derive(Debug)]
pub struct Answer {
    code: Code,
    reason: Reason,
    message: String,
    metadata: HashMap<String, String>,
    details: ErrorDetails,
}

impl Answer {
    /// An answer with this code and reason; `message` says what is so and what to do.
    pub fn new(code: Code, reason: Reason, message: impl Into<String>) -> Self {
        let message = cut(message.into(), MESSAGE_BYTES);
        Self { code, reason, message, metadata: HashMap::new(), details: ErrorDetails::new() }
    }

    /// Adds metadata that the reason documents.
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), cut(value.to_string(), TEXT_BYTES));
        self
    }

    /// Says when to try again.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.details.set_retry_info(Some(delay));
        self
    }

    /// Names the resource that it is about.
    pub fn resource(mut self, kind: &str, name: &str) -> Self {
        self.details.set_resource_info(kind, cut(name.to_owned(), TEXT_BYTES), "", "");
        self
    }

    /// Names every faulty field, as many as fit; `omitted_violations` in the metadata counts the rest.
    pub fn violations(mut self, violations: &Violations) -> Self {
        let mut room = LIST_BYTES;
        let mut fields = Vec::new();
        for violation in violations {
            let mut field = FieldViolation::new(
                cut(violation.field.clone(), TEXT_BYTES),
                cut(violation.description.clone(), TEXT_BYTES),
            );
            field.reason = violation.reason.to_owned();
            let size = field.field.len() + field.description.len() + field.reason.len() + 16;
            match room.checked_sub(size) {
                Some(rest) => room = rest,
                None => break,
            }
            fields.push(field);
        }
        let omitted = violations.count() - fields.len();
        self.details.set_bad_request(fields);
        if omitted > 0 { self.with("omitted_violations", omitted) } else { self }
    }

    /// Names every condition that does not hold as (type, subject, description), as many as fit.
    pub fn preconditions<'a>(
        mut self,
        conditions: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Self {
        let mut room = LIST_BYTES;
        let mut kept = Vec::new();
        let mut omitted = 0_usize;
        for (kind, subject, description) in conditions {
            let subject = cut(subject.to_owned(), TEXT_BYTES);
            let description = cut(description.to_owned(), TEXT_BYTES);
            match room.checked_sub(kind.len() + subject.len() + description.len() + 16) {
                Some(rest) if omitted == 0 => {
                    room = rest;
                    kept.push(PreconditionViolation::new(kind, subject, description));
                }
                _ => omitted += 1,
            }
        }
        self.details.set_precondition_failure(kept);
        if omitted > 0 { self.with("omitted_violations", omitted) } else { self }
    }

    /// The status.
    pub fn status(mut self) -> Status {
        self.details.set_error_info(reason_name(self.reason), DOMAIN, self.metadata);
        Status::with_error_details(self.code, self.message, self.details)
    }
}

/// The reason as ErrorInfo carries it: the enum value's name without its prefix.
pub fn reason_name(reason: Reason) -> &'static str {
    reason.as_str_name().trim_start_matches("REASON_")
}

/// Logs a fault of the server, with its whole chain, and answers with nothing but its id.
pub fn internal(what: &str, error: &(dyn Error + 'static)) -> Status {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        chain = format!("{chain}: {error}");
        source = error.source();
    }
    internal_fault(what, &chain)
}

/// As [`internal`], for a fault that is only a text.
pub fn internal_fault(what: &str, detail: &str) -> Status {
    let fault_id = Uuid::now_v7();
    tracing::error!(%fault_id, detail, "{what}");
    let message = format!("a fault of the server; its operator finds it in the log as {fault_id}");
    Answer::new(Code::Internal, Reason::Internal, message).with("fault_id", fault_id).status()
}

/// At most this many bytes of a text, cut between characters and marked.
fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let end = text.floor_char_boundary(bytes - '…'.len_utf8());
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_domain_reason_and_metadata() {
        let status = Answer::new(Code::Unavailable, Reason::Draining, "the server is stopping")
            .with("key", 3)
            .retry_after(Duration::from_secs(1))
            .resource("milepost.dev/Project", "portfolios/p/projects/x")
            .status();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "the server is stopping"));
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), (DOMAIN, "DRAINING"));
        assert_eq!(info.metadata["key"], "3");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
        assert_eq!(details.resource_info().unwrap().resource_name, "portfolios/p/projects/x");
    }

    #[test]
    fn the_largest_answer_fits_into_what_clients_accept() {
        let mut violations = Violations::new();
        for i in 0..2_000 {
            violations.push(format!("项目[{i}].名称"), "INVALID", "名".repeat(5_000));
        }
        let status = Answer::new(Code::InvalidArgument, Reason::InvalidFields, "科".repeat(5_000))
            .with("name", "学".repeat(5_000))
            .resource("milepost.dev/Project", &"城".repeat(5_000))
            .violations(&violations)
            .status();
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(size < 8 * 1024, "{size}");
        let details = status.get_error_details();
        let kept = details.bad_request().unwrap().field_violations.len();
        assert!(kept >= 5, "{kept}");
        assert_eq!(details.error_info().unwrap().metadata["omitted_violations"], (2_000 - kept).to_string());
    }

    #[test]
    fn internals_stay_inside_and_are_found_by_their_id() {
        let error = std::io::Error::other("secret of the house");
        let status = internal("cannot do it", &error);
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
        let details = status.get_error_details();
        let id = &details.error_info().unwrap().metadata["fault_id"];
        assert!(status.message().contains(id.as_str()));
    }
}
