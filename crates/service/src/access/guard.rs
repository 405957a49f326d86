//! The one way from a decoded request to a handler.
//!
//! Invariant: [`Permitted`] is made here only, and handlers take nothing else: no method can be served unchecked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_ledger::{Domain, Ledger, Read};
use milepost_proto::error::v1::Reason;
use milepost_proto::rule::{AccessRequest, RuleKind};
use milepost_types::{Clock, Permission, Rejection};
use parking_lot::Mutex;
use tonic::{Code, Request, Status};

use super::permit::Permit;
use super::stream::StreamAccess;
use super::{Access, Authority, Sender};
use crate::host::ServiceContext;
use crate::refusal;
use crate::status::Answer;

/// Rows that decisions about access are made on.
pub trait AccessRows: Send + Sync {
    /// Reads them, as one cut.
    fn read(&self, read: &mut dyn FnMut(&dyn Read));

    /// How old they may be: since when nothing was heard of where they come from.
    fn age(&self) -> Duration;
}

/// The registry's own rows.
impl<D: Domain> AccessRows for Ledger<D> {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(&self.view());
    }

    fn age(&self) -> Duration {
        Duration::ZERO
    }
}

/// Where there is no service: nothing was ever granted.
pub(crate) struct NoRows;

impl AccessRows for NoRows {
    fn read(&self, _: &mut dyn FnMut(&dyn Read)) {}

    fn age(&self) -> Duration {
        Duration::MAX
    }
}

/// When a service had last taken over everything that the registry knew. Clones share it.
#[derive(Debug, Clone)]
pub struct Heard(Arc<Mutex<Instant>>);

impl Default for Heard {
    /// A start counts: what the rows say is as old as the process can know.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Heard {
    /// Now.
    pub fn now(&self) {
        *self.0.lock() = Instant::now();
    }

    /// How long ago.
    pub fn ago(&self) -> Duration {
        self.0.lock().elapsed()
    }
}

/// Decides whether calls are allowed. Clones share it.
#[derive(Clone)]
pub struct Guard {
    access: Access,
    pub(super) rows: Arc<dyn AccessRows>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Guard {
    /// A guard that decides on these rows.
    pub fn new(context: &ServiceContext, rows: Arc<dyn AccessRows>) -> Self {
        context.access.attach(&rows);
        Self { access: context.access.clone(), rows, clock: Arc::clone(&context.clock) }
    }

    /// Allows a request, or refuses it.
    ///
    /// # Errors
    /// If it is not known who calls, if that principal may not do this, or if it cannot be known whether.
    pub fn permit<Q: AccessRequest>(&self, request: Request<Q>) -> Result<Permitted<Q>, Status> {
        if !self.access.enforced || Q::RULE.kind == RuleKind::Public {
            return Ok(self.permitted(request, Permit::of_system()));
        }
        let holder = match request.extensions().get::<Authority>().map(|authority| &authority.0) {
            Some(Sender::Process) => return Ok(self.permitted(request, Permit::of_system())),
            Some(Sender::Holder(holder)) => Arc::clone(holder),
            None => return Err(unknown_caller()),
        };
        if let Some(age) = self.too_old() {
            return Err(stale(age));
        }
        let permit = Permit::of(holder, request.get_ref());
        // Until rows say otherwise.
        let mut checked = Err(Rejection::denied(Q::RULE.permissions, ""));
        self.rows.read(&mut |rows| checked = permit.check(rows, self.clock.now()));
        checked.map_err(|rejection| refusal::status(&rejection))?;
        Ok(self.permitted(request, permit))
    }

    fn permitted<Q>(&self, request: Request<Q>, permit: Permit) -> Permitted<Q> {
        Permitted { request, permit, guard: self.clone() }
    }

    /// How old the rows are, if that is too old.
    pub(super) fn too_old(&self) -> Option<Duration> {
        Some(self.rows.age()).filter(|age| *age > self.access.max_staleness)
    }
}

/// A request whose sender may ask for it.
pub struct Permitted<Q> {
    request: Request<Q>,
    permit: Permit,
    guard: Guard,
}

impl<Q> Permitted<Q> {
    /// The request.
    pub fn request(&self) -> &Request<Q> {
        &self.request
    }

    /// What it asks for.
    pub fn get_ref(&self) -> &Q {
        self.request.get_ref()
    }

    /// What its sender may do.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// What its sender may do, for as long as it is answered: where it holds these permissions.
    pub fn stream_access(&self, permissions: &'static [Permission]) -> StreamAccess {
        StreamAccess::new(self.guard.clone(), self.permit.clone(), permissions)
    }

    /// What it asks for.
    pub fn into_inner(self) -> Q {
        self.request.into_inner()
    }
}

/// Nothing tells who calls.
pub(crate) fn unknown_caller() -> Status {
    let message = "this server must know who calls: send a token in the metadata `authorization: Bearer TOKEN`, or a \
                   client certificate (milepost: --token-file, or --cert and --cert-key)";
    Answer::new(Code::Unauthenticated, Reason::CredentialMissing, message).status()
}

pub(super) fn stale(age: Duration) -> Status {
    let seconds = age.as_secs();
    let message = format!(
        "nothing was heard of the registry for {seconds} s, so it is not known who may do what; try again later"
    );
    Answer::new(Code::Unavailable, Reason::AccessStale, message)
        .with("age_seconds", seconds)
        .retry_after(Duration::from_secs(10))
        .status()
}
