//! Whether a watch goes on after a failure, and why it was interrupted, for people.
//!
//! Invariants: access that has changed is asked for again, and what the server then says counts. The end of a credential
//! is survived only where another may take its place, and for a minute at most if none does. Does not decide when the
//! next attempt is made.

use std::time::Duration;

use milepost_proto::error::v1::Reason;
use tokio::time::Instant;
use tonic::Code;

use crate::error::Failure;

/// How long a credential that has ended may stay in its place.
const RENEWAL: Duration = Duration::from_secs(60);

/// The interruptions of one watch.
#[derive(Debug)]
pub(super) struct Interruptions {
    /// Whether the credential comes from where it can be replaced.
    can_renew: bool,
    /// Whether the server has answered once.
    was_connected: bool,
    /// Since when the server takes the credential no more.
    refused_since: Option<Instant>,
}

impl Interruptions {
    pub(super) fn new(can_renew: bool) -> Self {
        Self { can_renew, was_connected: false, refused_since: None }
    }

    /// The server has answered.
    pub(super) fn connected(&mut self) {
        self.was_connected = true;
        self.refused_since = None;
    }

    /// Why the watch is interrupted, for people; none if the failure ends it.
    pub(super) fn take(&mut self, failure: &Failure) -> Option<String> {
        if failure.reason == Some(Reason::AccessChanged) {
            return Some("what the caller may see has changed".to_owned());
        }
        if is_credential(failure) {
            return self.is_renewal_awaited(failure).then(|| match failure.reason {
                Some(_) => "the credential has ended".to_owned(),
                None => failure.message.clone(),
            });
        }
        // Once it was connected, certificates are being replaced, and the next attempt may find them whole.
        let ends = is_final(failure) || (failure.tls && !self.was_connected);
        (!ends).then(|| failure.message.clone())
    }

    fn is_renewal_awaited(&mut self, failure: &Failure) -> bool {
        // A stream that was open has a cursor in its last word: this server took the credential before.
        let was_open = self.was_connected || failure.fact("cursor").is_some();
        let since = *self.refused_since.get_or_insert_with(Instant::now);
        self.can_renew && was_open && since.elapsed() < RENEWAL
    }
}

/// Whether the credential has ended, or cannot be read at the moment: then no server said why.
fn is_credential(failure: &Failure) -> bool {
    let is_unread = failure.reason.is_none() && !failure.connection;
    failure.code == Code::Unauthenticated && (is_unread || failure.reason == Some(Reason::CredentialExpired))
}

/// Whether another attempt would fail in the same way.
fn is_final(failure: &Failure) -> bool {
    !failure.connection
        && matches!(
            failure.code,
            Code::InvalidArgument
                | Code::OutOfRange
                | Code::FailedPrecondition
                | Code::NotFound
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Unimplemented
                | Code::DataLoss
        )
}
