//! How a refusal looks on the wire: one exhaustive match from what is so to code and reason.
//!
//! Invariant: nothing is told that the refusal does not carry; what went wrong inside is told by its id only.

use std::time::Duration;

use milepost_ledger::SubmitError;
use milepost_proto::error::v1::Reason;
use milepost_types::Rejection;
use tonic::{Code, Status};

use crate::status::{Answer, internal_fault};

/// How long a caller should stay away from a full queue.
const OVERLOADED: Duration = Duration::from_millis(200);
/// How long a caller should stay away from a full disk.
const DISK_LOW: Duration = Duration::from_secs(60);

/// The status of a refusal.
pub fn status(rejection: &Rejection) -> Status {
    let answer = |code, reason| Answer::new(code, reason, rejection.to_string());
    let answer = match rejection {
        Rejection::Invalid(violations) => {
            answer(Code::InvalidArgument, Reason::InvalidFields).violations(violations)
        }
        Rejection::NotFound { kind, name } => answer(Code::NotFound, Reason::ResourceNotFound)
            .with("kind", kind)
            .with("name", name)
            .resource(kind.type_name(), name),
        Rejection::AlreadyExists { kind, name } => answer(Code::AlreadyExists, Reason::ResourceAlreadyExists)
            .with("kind", kind)
            .with("name", name)
            .resource(kind.type_name(), name),
        Rejection::Deleted { kind, name } => answer(Code::FailedPrecondition, Reason::ResourceDeleted)
            .with("name", name)
            .resource(kind.type_name(), name),
        Rejection::StaleEtag { name, given, current } => answer(Code::Aborted, Reason::EtagMismatch)
            .with("name", name)
            .with("given", given)
            .with("current", current),
        Rejection::WrongState { name, action, state, allowed } => {
            answer(Code::FailedPrecondition, Reason::WrongState)
                .with("name", name)
                .with("state", state)
                .with("action", action)
                .with("allowed", allowed.join(","))
        }
        Rejection::Preconditions(conditions) => answer(Code::FailedPrecondition, Reason::PreconditionFailed)
            .preconditions(
                conditions
                    .iter()
                    .map(|found| (found.kind, found.subject.as_str(), found.description.as_str())),
            ),
        Rejection::RequestIdReused { request_id } => {
            answer(Code::InvalidArgument, Reason::RequestIdReused).with("request_id", request_id)
        }
        Rejection::LimitExceeded { what, limit } => {
            answer(Code::ResourceExhausted, Reason::LimitExceeded).with("what", what).with("limit", limit)
        }
        Rejection::ClockRefused { from, to, limit_days } => {
            let step = [("CLOCK", "date", format!("from {from} to {to} is more than {limit_days} days"))];
            let step = step.iter().map(|(kind, subject, text)| (*kind, *subject, text.as_str()));
            answer(Code::FailedPrecondition, Reason::PreconditionFailed).preconditions(step)
        }
        Rejection::Filter { error, .. } => {
            answer(Code::InvalidArgument, Reason::InvalidFilter).with("column", error.column)
        }
        Rejection::CursorInvalid(_) => answer(Code::InvalidArgument, Reason::CursorInvalid),
        Rejection::CursorExpired { earliest } => {
            answer(Code::OutOfRange, Reason::CursorExpired).with("earliest_cursor", earliest)
        }
        Rejection::LogDiverged { given, own } => {
            answer(Code::FailedPrecondition, Reason::LogDiverged).with("asked", given).with("have", own)
        }
        Rejection::RevisionInvalid(_) | Rejection::RevisionElsewhere { .. } => {
            answer(Code::InvalidArgument, Reason::RevisionInvalid)
        }
        Rejection::RevisionNotReached { ledger, asked, have } => {
            answer(Code::DeadlineExceeded, Reason::RevisionNotReached)
                .with("ledger", ledger)
                .with("asked", asked)
                .with("have", have)
        }
        Rejection::PageToken(_) => answer(Code::InvalidArgument, Reason::PageTokenInvalid),
    };
    answer.status()
}

/// The status of a command that has no receipt.
pub fn submit_status(error: &SubmitError<Rejection>) -> Status {
    let answer = |code, reason, message: &str| Answer::new(code, reason, message);
    let answer = match error {
        SubmitError::Rejected(rejection) => return status(rejection),
        SubmitError::RequestIdReused { id } => {
            let message =
                "the request id was used before for another request; give each request an id of its own";
            answer(Code::InvalidArgument, Reason::RequestIdReused, message).with("request_id", id)
        }
        SubmitError::EntryTooLarge { bytes, limit } => {
            let message =
                format!("the change takes {bytes} bytes, more than one entry may have; make it in parts");
            answer(Code::ResourceExhausted, Reason::LimitExceeded, &message)
                .with("what", "bytes of one entry")
                .with("limit", limit)
        }
        SubmitError::DeadlineExceeded => {
            let message =
                "the deadline passed before the call took effect; it has had none, and may be sent again";
            answer(Code::DeadlineExceeded, Reason::DeadlineExceeded, message)
        }
        SubmitError::Overloaded => {
            let message = "too many writes are waiting; the call has had no effect, and may be sent again a little later";
            answer(Code::ResourceExhausted, Reason::Overloaded, message).retry_after(OVERLOADED)
        }
        SubmitError::Panicked { message } => return internal_fault("a command panicked", message),
        SubmitError::DiskLow { free_bytes, floor_bytes } => {
            let message = "the server's disk has too little room for writes; its operator must make some";
            answer(Code::ResourceExhausted, Reason::DiskLow, message)
                .with("free_bytes", free_bytes)
                .with("floor_bytes", floor_bytes)
                .retry_after(DISK_LOW)
        }
        SubmitError::Closing => {
            let message = "the server is stopping; the call has had no effect, and may be sent again";
            answer(Code::Unavailable, Reason::Draining, message)
        }
        SubmitError::Failed { reason } => {
            tracing::warn!(reason, "a write was not acknowledged");
            let message = "the server cannot write any more and is stopping; whether the call took effect is known \
                           after a restart: send it again under the same request id";
            answer(Code::Unavailable, Reason::JournalFailed, message)
        }
    };
    answer.status()
}

#[cfg(test)]
mod tests {
    use milepost_types::{PortfolioName, Violations};
    use tonic_types::StatusExt;

    use super::*;

    fn told(status: &Status) -> (Code, String) {
        (status.code(), status.get_error_details().error_info().unwrap().reason.clone())
    }

    #[test]
    fn every_violation_is_told_with_its_field_and_reason() {
        let mut violations = Violations::new();
        violations.push("project.display_name", "REQUIRED", "say what people call it");
        violations.push("project.investment.units", "NEGATIVE", "an investment is not negative");
        let refused = status(&Rejection::Invalid(violations));
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".into()));
        let details = refused.get_error_details();
        let fields = &details.bad_request().unwrap().field_violations;
        let fields: Vec<_> =
            fields.iter().map(|found| (found.field.as_str(), found.reason.as_str())).collect();
        assert_eq!(fields, [("project.display_name", "REQUIRED"), ("project.investment.units", "NEGATIVE")]);
    }

    #[test]
    fn a_resource_that_is_missing_is_named() {
        let name: PortfolioName = "portfolios/wsc".parse().unwrap();
        let refused = status(&Rejection::not_found(&name));
        assert_eq!(told(&refused), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
        let details = refused.get_error_details();
        assert_eq!(details.resource_info().unwrap().resource_name, "portfolios/wsc");
        assert_eq!(details.error_info().unwrap().metadata["name"], "portfolios/wsc");
    }

    #[test]
    fn what_may_be_sent_again_says_when_and_what_failed_inside_stays_there() {
        let busy = submit_status(&SubmitError::Overloaded);
        assert_eq!(told(&busy), (Code::ResourceExhausted, "OVERLOADED".into()));
        assert!(busy.get_error_details().retry_info().unwrap().retry_delay.is_some());
        let low = submit_status(&SubmitError::DiskLow { free_bytes: 1, floor_bytes: 2 });
        assert_eq!(told(&low), (Code::ResourceExhausted, "DISK_LOW".into()));
        let failed = submit_status(&SubmitError::Failed { reason: "secret".into() });
        assert_eq!(told(&failed), (Code::Unavailable, "JOURNAL_FAILED".into()));
        let panicked = submit_status(&SubmitError::Panicked { message: "secret".into() });
        assert_eq!(told(&panicked), (Code::Internal, "INTERNAL".into()));
        assert!(![failed, panicked].iter().any(|status| format!("{status:?}").contains("secret")));
    }
}
