//! Why the tracker does not open, and why a call of it fails.

use std::time::Duration;

use milepost_ledger::SubmitError;
use milepost_proto::error::v1::Reason;
use milepost_service::host::BoxError;
use milepost_service::refusal;
use milepost_service::status::{Answer, internal};
use milepost_types::{DamagedRow, Rejection};
use tonic::{Code, Status};

use crate::command::Refusal;
use crate::grpc::forecasts;

/// How soon a dependency that could not be reached may be tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why the tracker cannot be opened, its store not be rebuilt, or its follower not be reset.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read or is in use, or the store can neither be used nor rebuilt.
    #[error("the tracker's ledger cannot be opened")]
    Open(#[source] BoxError),
    /// The URL of the registry is none.
    #[error("the registry cannot be followed")]
    Registry(#[source] milepost_client::Error),
    /// The store cannot be rebuilt.
    #[error("the tracker's store cannot be rebuilt")]
    Rebuild(#[source] milepost_ledger::Error),
    /// The follower cannot be reset.
    #[error("the tracker's follower cannot be reset: {0}")]
    Reset(String),
}

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The rules refuse it, or a read of rows.
    Refused(Rejection),
    /// It has no receipt.
    Submit(SubmitError<Refusal>),
    /// It needs what the registry knows, and the registry does not answer.
    RegistryUnavailable(String),
    /// Something is wrong in the server.
    Internal {
        /// What was to be done.
        what: &'static str,
        /// What went wrong.
        error: BoxError,
    },
    /// The history cannot be read.
    History(forecasts::Error),
}

impl From<DamagedRow> for Failure {
    fn from(row: DamagedRow) -> Self {
        Failure::Refused(row.into())
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Failure::Refused(rejection)
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(rejection) => refusal::status(&rejection),
            Failure::Submit(error) => refusal::submit_status(&plain(error)),
            Failure::RegistryUnavailable(why) => {
                let message = format!("this needs what the registry knows, and it cannot be asked: {why}");
                Answer::new(Code::Unavailable, Reason::DependencyUnavailable, message)
                    .with("service", "registry")
                    .retry_after(RETRY_DELAY)
                    .status()
            }
            Failure::Internal { what, error } => internal(what, error.as_ref()),
            Failure::History(forecasts::Error::Read(error)) => refusal::read_status(&error),
            Failure::History(error) => internal("the history of forecasts cannot be read", &error),
        }
    }
}

/// The error without what only the tracker wants to know.
fn plain(error: SubmitError<Refusal>) -> SubmitError<Rejection> {
    match error {
        SubmitError::Rejected(refusal) => SubmitError::Rejected(refusal.rejection),
        SubmitError::RequestIdReused { id } => SubmitError::RequestIdReused { id },
        SubmitError::EntryTooLarge { bytes, limit } => SubmitError::EntryTooLarge { bytes, limit },
        SubmitError::DeadlineExceeded => SubmitError::DeadlineExceeded,
        SubmitError::Overloaded => SubmitError::Overloaded,
        SubmitError::Panicked { message } => SubmitError::Panicked { message },
        SubmitError::DiskLow(room) => SubmitError::DiskLow(room),
        SubmitError::Closing => SubmitError::Closing,
        SubmitError::Failed { reason } => SubmitError::Failed { reason },
    }
}
