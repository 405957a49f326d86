//! Why the tracker does not open; and the answer to a call that needs the registry while it cannot be asked.

use std::time::Duration;

use milepost_proto::error::v1::Reason;
use milepost_service::host::BoxError;
use milepost_service::status::Answer;
use tonic::{Code, Status};

/// How soon a dependency that could not be reached may be tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why the tracker cannot be opened, its store not be rebuilt, or its follower not be reset.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read or is in use, or the store can neither be used nor rebuilt.
    #[error("the tracker's ledger cannot be opened")]
    Open(#[source] BoxError),
    /// The URL of the registry is malformed, or what is in section `upstream` cannot be used with it.
    #[error("the registry cannot be followed")]
    Registry(#[source] milepost_client::Error),
    /// The store cannot be rebuilt.
    #[error("the tracker's store cannot be rebuilt")]
    Rebuild(#[source] milepost_ledger::Error),
    /// The follower cannot be reset.
    #[error("the tracker's follower cannot be reset: {0}")]
    Reset(String),
}

/// The answer to a call that needs what the registry knows, which does not answer.
pub(crate) fn registry_unavailable(why: &str) -> Status {
    let message = format!("this needs what the registry knows, and it cannot be asked: {why}");
    Answer::new(Code::Unavailable, Reason::DependencyUnavailable, message)
        .with("service", "registry")
        .retry_after(RETRY_DELAY)
        .status()
}
