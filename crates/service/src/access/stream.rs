//! The access of a stream: the same as when it began, or the stream ends.
//!
//! Invariant: what a stream is about to send was read before it is checked, so that nothing is sent that was committed
//! after a revocation. A check costs one row as long as nothing about access changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milepost_ledger::Read;
use milepost_proto::error::v1::Reason;
use milepost_types::Permission;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::guard::{Guard, NoRows};
use super::permit::Permit;
use super::scopes::Scopes;
use super::table::{self, Changed};
use crate::host::ServiceContext;
use crate::status::Answer;

/// The access of a stream.
pub struct StreamAccess {
    guard: Guard,
    permit: Permit,
    permissions: &'static [Permission],
    /// Where each of the permissions is held.
    scopes: Vec<Scopes>,
    /// The last change of access that this is of.
    changed: Changed,
    /// When the credential or the next grant ends.
    ends: Option<Timestamp>,
}

impl StreamAccess {
    pub(super) fn new(guard: Guard, permit: Permit, permissions: &'static [Permission]) -> Self {
        // Not of now: what changed since the call was allowed must be looked at.
        let changed = permit.changed();
        let mut access = Self { guard, permit, permissions, scopes: Vec::new(), changed, ends: None };
        if access.permit.holder().is_none() {
            access.scopes = vec![Scopes::everywhere(); permissions.len()];
            return access;
        }
        let now = access.guard.now();
        access.guard.clone().read_rows(&mut |rows| {
            access.scopes = access.scopes_now(rows, now);
            access.ends = access.permit.next_end(rows, now);
        });
        access
    }

    /// The access of a stream within the process, for tests and tools.
    pub fn of_system(context: &ServiceContext) -> Self {
        Self::new(Guard::new(context, Arc::new(NoRows)), Permit::of_system(), &[])
    }

    /// Where each of the permissions is held, in their order.
    pub fn scopes(&self) -> &[Scopes] {
        &self.scopes
    }

    /// When it must be checked even if nothing is sent.
    pub fn ends(&self) -> Option<Instant> {
        let left = self.ends?.duration_since(self.guard.now());
        Some(Instant::now() + Duration::try_from(left).unwrap_or_default())
    }

    /// Whether the stream may go on; `cursor` tells its caller where to begin again.
    ///
    /// # Errors
    /// If the credential has ended, if its holder may see more or less than when the stream began, or if it is not known
    /// whether.
    pub fn check(&mut self, cursor: impl Fn() -> String) -> Result<(), Status> {
        let Some(holder) = self.permit.holder().cloned() else { return Ok(()) };
        let now = self.guard.now();
        if holder.expire_time.is_some_and(|end| end <= now) {
            let message = "the credential has ended; get another, and go on after the cursor";
            return Err(Answer::new(Code::Unauthenticated, Reason::CredentialExpired, message)
                .with("cursor", cursor())
                .status());
        }
        self.guard.check_age()?;
        let mut same = false;
        self.guard.clone().read_rows(&mut |rows| same = self.is_same(rows, now));
        if same {
            return Ok(());
        }
        let message = "what the caller may see has changed; open another stream, after the cursor";
        Err(Answer::new(Code::PermissionDenied, Reason::AccessChanged, message)
            .with("cursor", cursor())
            .status())
    }

    fn is_same(&mut self, rows: &dyn Read, now: Timestamp) -> bool {
        if table::changed(rows) == self.changed && self.ends.is_none_or(|ends| now < ends) {
            return true;
        }
        self.changed = table::changed(rows);
        self.ends = self.permit.next_end(rows, now);
        self.permit.check(rows, now).is_ok() && self.scopes_now(rows, now) == self.scopes
    }

    fn scopes_now(&self, rows: &dyn Read, now: Timestamp) -> Vec<Scopes> {
        let scopes = |permission: &Permission| self.permit.scopes_of(rows, now, *permission);
        self.permissions.iter().map(scopes).collect()
    }
}
