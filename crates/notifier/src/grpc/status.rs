//! The statuses of reads that fail.

use std::time::Duration;

use milepost_proto::error::v1::Reason;
use milepost_service::refusal;
use milepost_service::status::{Answer, internal};
use tonic::{Code, Status};

use crate::error::ReadFailure;

/// The status of a read that failed or was refused.
pub(crate) fn read_failure(failure: ReadFailure) -> Status {
    match failure {
        ReadFailure::Refused(rejection) => refusal::status(&rejection),
        ReadFailure::Journal(error) => refusal::read_status(&error),
        ReadFailure::Entry(error) => internal("an entry of the journal cannot be understood", &error),
    }
}

/// The status that ends a stream whose end was announced.
pub(crate) fn draining(pause: Duration) -> Status {
    let message = "this stream has ended as announced; reconnect and go on after its last cursor";
    Answer::new(Code::Unavailable, Reason::Draining, message).retry_after(pause).status()
}
