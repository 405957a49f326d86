//! Encodes refusals: the one place that assigns code, reason and details.
//!
//! Invariant: the matches are exhaustive, so that a new refusal does not compile before it is decided
//! what callers see of it. Metadata is what the reason's comment in `error.proto` promises. Nothing is
//! added that the refusal does not carry; an internal failure is reported by its id only.

use std::time::Duration;

use milepost_ledger::SubmitError;
use milepost_ledger::journal::ReadError;
use milepost_proto::error::v1::Reason;
use milepost_types::{Rejection, ResourceKind, limits};
use tonic::{Code, Status};

use crate::status::{Answer, internal, internal_fault};

/// How soon a write that found the queue full may be tried again.
const QUEUE_DELAY: Duration = Duration::from_millis(100);
/// How soon another server, or this one again, may be tried.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// How soon an operator may have made room on the disk.
const DISK_DELAY: Duration = Duration::from_secs(60);

/// The status of a refusal by the rules.
pub fn status(rejection: &Rejection) -> Status {
    let (code, reason) = outcome(rejection);
    let answer = Answer::new(code, reason, rejection.to_string());
    match rejection {
        Rejection::Invalid(violations) => answer.violations(violations),
        Rejection::Denied { permission, place, roles } => {
            answer.with("permission", permission).with("resource", place).with("roles", roles)
        }
        Rejection::NotFound { kind, name } => about(answer.with("kind", kind), *kind, name),
        Rejection::AlreadyExists { kind, name, deleted, .. } => {
            about(answer.with("kind", kind).with("deleted", deleted), *kind, name)
        }
        Rejection::NotDeleted { kind, name } => {
            about(answer.with("kind", kind).with("deleted", false), *kind, name)
        }
        Rejection::Deleted { kind, name } => about(answer, *kind, name),
        Rejection::StaleEtag { name, given, current } => {
            answer.with("name", name).with("given", given).with("current", current)
        }
        Rejection::WrongState { name, action, state, allowed } => answer
            .with("name", name)
            .with("action", action)
            .with("state", state)
            .with("allowed", allowed.join(",")),
        Rejection::Preconditions(conditions) => {
            let conditions = conditions.iter().map(|condition| {
                (condition.kind, condition.subject.as_str(), condition.description.as_str())
            });
            answer.preconditions(conditions)
        }
        Rejection::ClockRefused { from, to, limit_days } => {
            let description = format!("{to} is more than {limit_days} days after {from}");
            answer.preconditions([("CLOCK", "", description.as_str())])
        }
        Rejection::RequestIdReused { request_id } => answer.with("request_id", request_id),
        Rejection::LimitExceeded { what, limit } => answer.with("what", what).with("limit", limit),
        Rejection::AnswerTooLarge { what, asked, fit } => answer
            .with("what", what)
            .with("asked", asked)
            .with("fit", fit)
            .with("limit", limits::ANSWER_ITEM_BYTES),
        Rejection::Filter { field, error } => {
            let violations = Rejection::fault(*field, error.clone());
            let columns: Vec<_> = error.columns().map(|column| column.to_string()).collect();
            let answer = answer.with("column", error.column).with("columns", columns.join(","));
            if let Rejection::Invalid(violations) = violations {
                answer.violations(&violations)
            } else {
                answer
            }
        }
        Rejection::CursorInvalid { earliest, .. } | Rejection::CursorExpired { earliest } => {
            answer.with("earliest_cursor", earliest)
        }
        Rejection::CursorOfOtherLog { given, own, earliest }
        | Rejection::CursorAhead { given, own, earliest }
        | Rejection::CursorDiverged { given, own, earliest } => {
            answer.with("asked", given).with("have", own).with("earliest_cursor", earliest)
        }
        Rejection::LogDiverged { given, own } => answer.with("asked", given).with("have", own),
        Rejection::RevisionNotReached { ledger, asked, have } => {
            answer.with("ledger", ledger).with("asked", asked).with("have", have)
        }
        Rejection::DamagedRow(row) => {
            tracing::error!(table = row.table, key = row.key, what = row.what, "a stored row is damaged");
            answer.with("where", row.place())
        }
        Rejection::RevisionInvalid(_) | Rejection::RevisionElsewhere { .. } | Rejection::PageToken(_) => {
            answer
        }
    }
    .status()
}

/// The code and reason of each refusal.
fn outcome(rejection: &Rejection) -> (Code, Reason) {
    match rejection {
        Rejection::Invalid(_) => (Code::InvalidArgument, Reason::InvalidFields),
        Rejection::Denied { .. } => (Code::PermissionDenied, Reason::PermissionDenied),
        Rejection::NotFound { .. } => (Code::NotFound, Reason::ResourceNotFound),
        Rejection::AlreadyExists { .. } | Rejection::NotDeleted { .. } => {
            (Code::AlreadyExists, Reason::ResourceAlreadyExists)
        }
        Rejection::Deleted { .. } => (Code::FailedPrecondition, Reason::ResourceDeleted),
        Rejection::StaleEtag { .. } => (Code::Aborted, Reason::EtagMismatch),
        Rejection::WrongState { .. } => (Code::FailedPrecondition, Reason::WrongState),
        Rejection::Preconditions(_) | Rejection::ClockRefused { .. } => {
            (Code::FailedPrecondition, Reason::PreconditionFailed)
        }
        Rejection::RequestIdReused { .. } => (Code::InvalidArgument, Reason::RequestIdReused),
        Rejection::LimitExceeded { .. } => (Code::ResourceExhausted, Reason::LimitExceeded),
        Rejection::AnswerTooLarge { .. } => (Code::ResourceExhausted, Reason::AnswerTooLarge),
        Rejection::Filter { .. } => (Code::InvalidArgument, Reason::InvalidFilter),
        Rejection::CursorInvalid { .. } => (Code::InvalidArgument, Reason::CursorInvalid),
        Rejection::CursorOfOtherLog { .. } => (Code::InvalidArgument, Reason::CursorOfOtherLog),
        Rejection::CursorAhead { .. } => (Code::FailedPrecondition, Reason::CursorAhead),
        Rejection::CursorExpired { .. } => (Code::OutOfRange, Reason::CursorExpired),
        Rejection::LogDiverged { .. } | Rejection::CursorDiverged { .. } => {
            (Code::FailedPrecondition, Reason::LogDiverged)
        }
        Rejection::RevisionInvalid(_) | Rejection::RevisionElsewhere { .. } => {
            (Code::InvalidArgument, Reason::RevisionInvalid)
        }
        Rejection::RevisionNotReached { .. } => (Code::DeadlineExceeded, Reason::RevisionNotReached),
        Rejection::PageToken(_) => (Code::InvalidArgument, Reason::PageTokenInvalid),
        Rejection::DamagedRow(_) => (Code::DataLoss, Reason::DataLoss),
    }
}

fn about(answer: Answer, kind: ResourceKind, name: &str) -> Answer {
    answer.with("name", name).resource(kind.type_name(), name)
}

/// The status of a command that has no receipt.
pub fn submit_status(error: &SubmitError<Rejection>) -> Status {
    match error {
        SubmitError::Rejected(rejection) => status(rejection),
        SubmitError::RequestIdReused { id } => {
            let message = format!(
                "the request id {id} was used before for another request; use a new id for a new request"
            );
            Answer::new(Code::InvalidArgument, Reason::RequestIdReused, message)
                .with("request_id", id)
                .status()
        }
        SubmitError::EntryTooLarge { bytes, limit } => {
            let message =
                format!("the change takes {bytes} bytes, more than the limit of {limit}; do less at once");
            Answer::new(Code::ResourceExhausted, Reason::LimitExceeded, message)
                .with("what", "bytes of one change")
                .with("limit", limit)
                .status()
        }
        SubmitError::DeadlineExceeded => {
            let message = "the deadline passed before the command took effect; it has had none";
            Answer::new(Code::DeadlineExceeded, Reason::DeadlineExceeded, message).status()
        }
        SubmitError::Overloaded => {
            let message = "too many writes are waiting; try again later";
            Answer::new(Code::ResourceExhausted, Reason::Overloaded, message)
                .retry_after(QUEUE_DELAY)
                .status()
        }
        SubmitError::Panicked { message } => internal_fault("a command panicked", message),
        SubmitError::DiskLow(room) => {
            let message = format!(
                "the server refuses writes until its operator makes room on its disk, reads go on: {room}"
            );
            Answer::new(Code::ResourceExhausted, Reason::DiskLow, message)
                .with("free_bytes", room.free_bytes)
                .with("floor_bytes", room.floor_bytes)
                .with("needed_bytes", room.needed_bytes)
                .retry_after(DISK_DELAY)
                .status()
        }
        SubmitError::Closing => draining(),
        // The ledger has logged why, and the process is stopping because of it.
        SubmitError::Failed { reason: _ } => {
            let message = "the server cannot write any more and is stopping; whether this took effect is \
                           known when it is back: ask again with the same request id";
            Answer::new(Code::Unavailable, Reason::JournalFailed, message).retry_after(RESTART_DELAY).status()
        }
    }
}

/// The status of a read of a journal that brought nothing.
pub fn read_status(error: &ReadError) -> Status {
    match error {
        ReadError::Diverged { asked, have } | ReadError::Ahead { asked, tail: have } => {
            status(&Rejection::LogDiverged { given: *asked, own: *have })
        }
        ReadError::Damaged(damage) => {
            // Where the damage is on the server's disk is its operator's business.
            tracing::error!(%damage, "the journal is damaged");
            let place = format!("near sequence {}", damage.sequence);
            let message = format!("the journal is damaged {place}; nothing was skipped");
            Answer::new(Code::DataLoss, Reason::DataLoss, message).with("where", place).status()
        }
        ReadError::Io { .. } => internal("the journal cannot be read", error),
    }
}

/// The status of a call that came, or was still open, while the server stops.
pub fn draining() -> Status {
    Answer::new(
        Code::Unavailable,
        Reason::Draining,
        "the server is stopping; connect to another, or try again",
    )
    .retry_after(RESTART_DELAY)
    .status()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::DOMAIN;
    use milepost_ledger::journal::{Damage, DiskRoom};
    use milepost_types::filter::{FilterError, FilterFault};
    use milepost_types::{
        Cursor, DamagedRow, Etag, HashPrefix, LedgerKind, LogId, Position, Precondition, TokenError,
        TokenKind, Violations,
    };
    use prost::Message;
    use std::collections::BTreeMap;
    use tonic_types::StatusExt;

    fn position(sequence: u64) -> Position {
        Position { log: LogId::from_bytes([1; 16]), sequence, hash: HashPrefix::from_bytes([2; 8]) }
    }

    fn every_rejection() -> Vec<Rejection> {
        let (kind, name) =
            (ResourceKind::new("milepost.dev/Project", "project"), "portfolios/p/projects/x".to_owned());
        let token = TokenError::Damaged { expected: TokenKind::Page };
        let earliest = Cursor::after(position(1));
        let mut violations = Violations::one("project.display_name", "REQUIRED", "give one");
        violations.push("page_size", "INVALID_PAGE_SIZE", "is negative");
        vec![
            Rejection::Invalid(violations),
            Rejection::NotFound { kind, name: name.clone() },
            Rejection::AlreadyExists { kind, name: name.clone(), deleted: true, is_fixed: false },
            Rejection::Deleted { kind, name: name.clone() },
            Rejection::StaleEtag {
                name: name.clone(),
                given: "3".parse::<Etag>().unwrap(),
                current: "4".parse::<Etag>().unwrap(),
            },
            Rejection::WrongState {
                name,
                action: "start",
                state: "CANCELLED".into(),
                allowed: vec!["PROPOSED".into(), "PREPARATION".into()],
            },
            Rejection::Preconditions(vec![
                Precondition {
                    kind: "NOT_STARTABLE",
                    subject: "a".into(),
                    description: "is cancelled".into(),
                },
                Precondition { kind: "NOT_STARTABLE", subject: "b".into(), description: "is deleted".into() },
            ]),
            Rejection::RequestIdReused { request_id: "r-1".parse().unwrap() },
            Rejection::LimitExceeded { what: "milestones of one project", limit: 9 },
            Rejection::AnswerTooLarge { what: "projects", asked: 400, fit: 312 },
            Rejection::ClockRefused {
                from: "2021-05-27".parse().unwrap(),
                to: "2031-05-27".parse().unwrap(),
                limit_days: 400,
            },
            Rejection::Filter {
                field: "filter",
                error: FilterError {
                    others: vec![FilterFault { column: 19, message: "no such value".into() }],
                    ..FilterError::new(7, "no such field")
                },
            },
            Rejection::CursorInvalid { error: token, earliest },
            Rejection::CursorOfOtherLog { given: position(9), own: position(3), earliest },
            Rejection::CursorAhead { given: position(9), own: position(3), earliest },
            Rejection::CursorDiverged { given: position(9), own: position(3), earliest },
            Rejection::CursorExpired { earliest },
            Rejection::LogDiverged { given: position(9), own: position(3) },
            Rejection::RevisionInvalid(token),
            Rejection::RevisionElsewhere { ledger: LedgerKind::Tracker },
            Rejection::RevisionNotReached { ledger: LedgerKind::Tracker, asked: 9, have: 3 },
            Rejection::PageToken(token),
            Rejection::NotDeleted { kind, name: "portfolios/p/projects/y".to_owned() },
            Rejection::DamagedRow(DamagedRow::new("registry.projects", b"\x03wsc\0x", "it has no etag")),
        ]
    }

    fn every_submit_error() -> Vec<SubmitError<Rejection>> {
        vec![
            SubmitError::RequestIdReused { id: "r-1".into() },
            SubmitError::EntryTooLarge { bytes: 9, limit: 8 },
            SubmitError::DeadlineExceeded,
            SubmitError::Overloaded,
            SubmitError::Panicked { message: "secret of the house".into() },
            SubmitError::DiskLow(DiskRoom { free_bytes: 1, floor_bytes: 2, needed_bytes: 3 }),
            SubmitError::Closing,
            SubmitError::Failed { reason: "/var/lib: secret of the house".into() },
        ]
    }

    /// What the comments of `error.proto` promise for a reason.
    struct Promise {
        code: String,
        keys: Vec<String>,
        /// Keys that a refused cursor has besides.
        of_a_cursor: Vec<String>,
    }

    /// The promise of each reason.
    fn promised() -> BTreeMap<String, Promise> {
        let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let file = set.file.into_iter().find(|file| file.name().ends_with("error/v1/error.proto")).unwrap();
        let comments = file.source_code_info.unwrap().location;
        file.enum_type[0]
            .value
            .iter()
            .enumerate()
            .map(|(i, value)| {
                let path = [5, 0, 2, i32::try_from(i).unwrap()];
                let comment =
                    comments.iter().find(|location| location.path == path).unwrap().leading_comments();
                let code = comment.trim().split('.').next().unwrap().to_owned();
                let metadata = comment.split_once("Metadata:").map_or("", |(_, list)| list);
                let keys = |list: &str| list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                let (always, of_a_cursor) =
                    metadata.split_once("of a cursor also:").unwrap_or((metadata, ""));
                let promise = Promise { code, keys: keys(always), of_a_cursor: keys(of_a_cursor) };
                (value.name().trim_start_matches("REASON_").to_owned(), promise)
            })
            .collect()
    }

    fn code_name(code: Code) -> String {
        let words = format!("{code:?}");
        let spaced = words
            .chars()
            .flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain([c.to_ascii_uppercase()]));
        spaced.skip(1).collect()
    }

    #[test]
    fn every_refusal_has_the_code_and_metadata_that_its_reason_promises() {
        let promised = promised();
        let of_a_cursor = |rejection: &Rejection| matches!(rejection, Rejection::CursorDiverged { .. });
        let rejections: Vec<_> =
            every_rejection().iter().map(|rejection| (status(rejection), of_a_cursor(rejection))).collect();
        let submitted = every_submit_error();
        let submitted = submitted.iter().map(|error| (submit_status(error), false));
        for (status, of_a_cursor) in rejections.into_iter().chain(submitted) {
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.domain, DOMAIN);
            let promise = &promised[&info.reason];
            assert_eq!(code_name(status.code()), promise.code, "{}", info.reason);
            let besides = if of_a_cursor { &promise.of_a_cursor[..] } else { &[] };
            let mut keys: Vec<_> = promise.keys.iter().chain(besides).collect();
            keys.sort();
            let mut given: Vec<_> = info.metadata.keys().collect();
            given.sort();
            assert_eq!(given, keys, "{}", info.reason);
            assert!(status.message().len() > 10, "{status:?}");
            assert!(!format!("{status:?}").contains("secret"), "{status:?}");
        }
    }

    #[test]
    fn every_faulty_field_and_every_condition_is_named() {
        let rejections = every_rejection();
        let details = status(&rejections[0]).get_error_details();
        let fields = &details.bad_request().unwrap().field_violations;
        assert_eq!(
            (fields[0].field.as_str(), fields[0].reason.as_str()),
            ("project.display_name", "REQUIRED")
        );
        assert_eq!((fields[1].field.as_str(), fields[1].description.as_str()), ("page_size", "is negative"));
        let details = status(&rejections[6]).get_error_details();
        let conditions = &details.precondition_failure().unwrap().violations;
        assert_eq!(conditions.len(), 2);
        assert_eq!((conditions[1].r#type.as_str(), conditions[1].subject.as_str()), ("NOT_STARTABLE", "b"));
        let details = status(&rejections[1]).get_error_details();
        assert_eq!(details.resource_info().unwrap().resource_type, "milepost.dev/Project");
        let filter =
            rejections.iter().find(|rejection| matches!(rejection, Rejection::Filter { .. })).unwrap();
        let details = status(filter).get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        let said = |index: usize| (violations[index].field.as_str(), violations[index].description.as_str());
        assert_eq!(said(0), ("filter", "column 7: no such field"));
        assert_eq!(said(1), ("filter", "column 19: no such value"));
        let metadata = &details.error_info().unwrap().metadata;
        assert_eq!((metadata["column"].as_str(), metadata["columns"].as_str()), ("7", "7,19"));
    }

    #[test]
    fn what_may_pass_says_when_to_try_again() {
        for error in every_submit_error() {
            let passes = matches!(
                error,
                SubmitError::Overloaded
                    | SubmitError::DiskLow { .. }
                    | SubmitError::Closing
                    | SubmitError::Failed { .. }
            );
            let what = error.to_string();
            assert_eq!(submit_status(&error).get_details_retry_info().is_some(), passes, "{what}");
        }
    }

    #[test]
    fn a_refusal_for_want_of_room_tells_people_sizes_and_programs_bytes() {
        let room = DiskRoom { free_bytes: 46_088_192, floor_bytes: 1 << 20, needed_bytes: 64 << 20 };
        let status = submit_status(&SubmitError::DiskLow(room));
        assert_eq!(
            status.message(),
            "the server refuses writes until its operator makes room on its disk, reads go on: 43.9 MiB free on \
             the journal's disk, but a write needs 64 MiB above the floor of 1 MiB"
        );
        let metadata = status.get_details_error_info().unwrap().metadata;
        let bytes = ["free_bytes", "floor_bytes", "needed_bytes"].map(|key| metadata[key].as_str());
        assert_eq!(bytes, ["46088192", "1048576", "67108864"]);
    }

    #[test]
    fn a_damaged_journal_is_data_loss_without_paths() {
        let damage = Damage {
            segment: "/secret/00000001.journal".into(),
            offset: 4096,
            sequence: 17,
            what: "a bad checksum".into(),
        };
        let status = read_status(&ReadError::Damaged(damage));
        assert_eq!(status.code(), Code::DataLoss);
        assert_eq!(status.get_details_error_info().unwrap().metadata["where"], "near sequence 17");
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
        let diverged = read_status(&ReadError::Ahead { asked: position(9), tail: position(3) });
        assert_eq!(diverged.code(), Code::FailedPrecondition);
    }
}
