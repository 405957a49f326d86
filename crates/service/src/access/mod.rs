//! Access: who calls, and what that principal may do.
//!
//! The host finds out who calls ([`Holder`]); a [`Guard`] decides, after a request is decoded, whether its sender may
//! ask for that, and makes it [`Permitted`], which is all that handlers take; a decision checks the [`Permit`] again
//! on its own rows, so that nothing is committed after a revocation.
//!
//! Invariants: everything fails closed: once authentication is configured, a call without a known caller is refused.
//! A decision about access is made from the name of a resource, before anything is known of the resource itself, and
//! is never kept. Which permission a method needs stands in the schemas, and which role has it in crate `types`.

mod caller_grants;
pub mod freshness;
mod guard;
mod held;
mod identify;
mod metrics;
mod permit;
mod scopes;
mod service;
mod stream;
pub mod table;

pub use guard::{AccessRows, Guard, Permitted};
pub(crate) use guard::{NoRows, PendingRecord};
pub use held::Holder;
pub(crate) use identify::Identify;
pub(crate) use metrics::AccessMetrics;
pub use metrics::BREAK_GLASS_GRANTS;
pub use permit::Permit;
pub use scopes::Scopes;
pub use service::AccessRoutes;
pub use stream::StreamAccess;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How calls of a process are authorized. Clones share it.
#[derive(Clone, Default)]
pub struct Access {
    enforced: bool,
    /// Grants that are older than this are no ground for a decision.
    max_staleness: Duration,
    rows: Arc<OnceLock<Arc<dyn AccessRows>>>,
}

impl Access {
    /// Every call is allowed: nothing is configured that tells who calls.
    pub fn open() -> Self {
        Self::default()
    }

    /// Calls are authorized by grants, which may be this old.
    pub fn enforced(max_staleness: Duration) -> Self {
        Self { enforced: true, max_staleness, rows: Arc::default() }
    }

    /// Whether calls are authorized.
    pub fn is_enforced(&self) -> bool {
        self.enforced
    }

    /// Whether grants of this age, if it is known, may be decided on.
    fn is_recent(&self, age: Option<Duration>) -> bool {
        age.is_some_and(|age| age <= self.max_staleness)
    }

    /// The rows that tell of tokens and grants where no service is concerned. The first service that is opened has
    /// the newest.
    pub fn rows(&self) -> Option<&Arc<dyn AccessRows>> {
        self.rows.get()
    }

    fn attach(&self, rows: &Arc<dyn AccessRows>) {
        let _ = self.rows.set(Arc::clone(rows));
    }
}

/// Who sends a call: an extension of every request that came through a host, or within the process. No header sets
/// it.
#[derive(Debug, Clone)]
pub struct Authority(pub(crate) Sender);

#[derive(Debug, Clone)]
pub(crate) enum Sender {
    /// A service of this process.
    Process,
    /// This principal.
    Holder(Arc<Holder>),
}

impl Authority {
    /// Marks a call as one of a service of this process, which is the only one that can make it this way.
    pub fn of_process<B>(mut request: http::Request<B>) -> http::Request<B> {
        request.extensions_mut().insert(Self(Sender::Process));
        request
    }

    /// A principal calls that was authenticated.
    pub fn of(holder: Holder) -> Self {
        Self(Sender::Holder(Arc::new(holder)))
    }

    /// The principal; none if a service of this process calls.
    pub fn holder(&self) -> Option<&Arc<Holder>> {
        match &self.0 {
            Sender::Process => None,
            Sender::Holder(holder) => Some(holder),
        }
    }
}

#[cfg(test)]
mod tests;
