//! The one way from a decoded request to a handler.
//!
//! Invariant: [`Permitted`] is made here only, and handlers take nothing else: no method can be served unchecked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use milepost_ledger::{Actor, Domain, Ledger, Read};
use milepost_proto::error::v1::Reason;
use milepost_proto::rule::{AccessRequest, RuleKind};
use milepost_types::{Clock, Permission, Rejection};
use tonic::{Code, Request, Status};

use super::caller_grants::GrantCache;
use super::held::Holder;
use super::permit::Permit;
use super::stream::StreamAccess;
use super::{Access, Authority, Sender};
use crate::audit::{self, Audit, Kind, Record};
use crate::host::{Peer, ServiceContext, code_name};
use crate::refusal;
use crate::status::Answer;

/// Rows that decisions about access are made on.
pub trait AccessRows: Send + Sync {
    /// Reads them, as one cut.
    fn read(&self, read: &mut dyn FnMut(&dyn Read));

    /// How old they may be: since when nothing was heard of where they come from; `None` if that is not known.
    fn age(&self) -> Option<Duration>;
}

/// The registry's own rows.
impl<D: Domain> AccessRows for Ledger<D> {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(&self.view());
    }

    fn age(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

/// Where there is no service: nothing was ever granted.
pub(crate) struct NoRows;

impl AccessRows for NoRows {
    fn read(&self, _: &mut dyn FnMut(&dyn Read)) {}

    fn age(&self) -> Option<Duration> {
        None
    }
}

/// Decides whether calls are allowed. Clones share it: every stream has one.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    access: Access,
    rows: Arc<dyn AccessRows>,
    grants: GrantCache,
    clock: Arc<dyn Clock>,
    audit: Audit,
}

impl Guard {
    /// A guard that decides on these rows.
    pub fn new(context: &ServiceContext, rows: Arc<dyn AccessRows>) -> Self {
        context.access.attach(&rows);
        let (access, clock) = (context.access.clone(), Arc::clone(&context.clock));
        let audit = context.audit.clone();
        Self(Arc::new(Inner { access, rows, grants: GrantCache::default(), clock, audit }))
    }

    /// Allows a request, or refuses it.
    ///
    /// # Errors
    /// If it is not known who calls, if that principal may not do this, or if it cannot be known whether.
    pub fn permit<Q: AccessRequest>(&self, request: Request<Q>) -> Result<Permitted<Q>, Status> {
        if !self.0.access.enforced || Q::RULE.kind == RuleKind::Public {
            return Ok(self.permitted(request, Permit::of_system()));
        }
        let holder = match request.extensions().get::<Authority>().map(|authority| &authority.0) {
            Some(Sender::Process) => return Ok(self.permitted(request, Permit::of_system())),
            Some(Sender::Holder(holder)) => Arc::clone(holder),
            None => return Err(unknown_caller()),
        };
        self.check_age()?;
        let peer = request.extensions().get::<Peer>().map(|peer| peer.address);
        // Where there are no rows, there are no grants.
        let mut known = None;
        self.0.rows.read(&mut |rows| known = Some(self.0.grants.known(rows, &holder)));
        let denied = || Rejection::denied(Q::RULE.permissions, "");
        let permit =
            known.map(|known| Permit::of(Arc::clone(&holder), request.get_ref(), known)).ok_or_else(denied);
        let checked = permit.and_then(|permit| permit.check_known(self.0.clock.now()).map(|()| permit));
        let note = self.note(&holder, request.get_ref(), peer, checked.is_ok());
        match checked {
            Ok(permit) => Ok(Permitted { note, ..self.permitted(request, permit) }),
            Err(rejection) => {
                let status = refusal::status(&rejection);
                if let Some(note) = note {
                    note.answered(Some(&status));
                }
                Err(status)
            }
        }
    }

    /// What is to be recorded of a call once its answer is known: of one that is denied, that changes access, or, if that
    /// is asked for, that reads.
    fn note<Q: AccessRequest>(
        &self,
        holder: &Holder,
        request: &Q,
        peer: Option<SocketAddr>,
        is_allowed: bool,
    ) -> Option<PendingRecord> {
        let kind = match () {
            () if !self.0.audit.is_on() => return None,
            () if !is_allowed => Kind::Denied,
            () if Q::RULE.changes_access() && !request.is_dry_run() => Kind::AccessChanged,
            () if Q::RULE.is_read() && self.0.audit.has_reads() => Kind::Read,
            () => return None,
        };
        let mut names = Vec::new();
        request.visit_resources(&mut |name| names.push(name));
        let Actor { principal, on_behalf_of, credential, .. } = holder.actor.clone();
        let (method, peer) = (Q::RULE.method.to_owned(), audit::peer(peer));
        let record = Record::new(self.0.clock.now(), kind).about(names.into_iter());
        let record = Box::new(Record { method, principal, on_behalf_of, credential, peer, ..record });
        Some(PendingRecord { audit: self.0.audit.clone(), record: Some(record) })
    }

    /// Reads the rows that it decides on, as one cut.
    pub(super) fn read_rows(&self, read: &mut dyn FnMut(&dyn Read)) {
        self.0.rows.read(read);
    }

    /// What the time is.
    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn permitted<Q>(&self, request: Request<Q>, permit: Permit) -> Permitted<Q> {
        Permitted { request, permit, guard: self.clone(), note: None }
    }

    /// Refuses to decide on rows that are too old.
    ///
    /// # Errors
    /// If they are, or may be.
    pub(super) fn check_age(&self) -> Result<(), Status> {
        let age = self.0.rows.age();
        if self.0.access.is_recent(age) { Ok(()) } else { Err(stale(age)) }
    }
}

/// A request whose sender may ask for it.
pub struct Permitted<Q> {
    request: Request<Q>,
    permit: Permit,
    guard: Guard,
    /// What is to be recorded once it is answered.
    note: Option<PendingRecord>,
}

impl<Q> Permitted<Q> {
    /// What is to be recorded once it is answered.
    pub(crate) fn take_note(&mut self) -> Option<PendingRecord> {
        self.note.take()
    }

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

    /// Reads the rows that it was allowed by, as they are now.
    pub(super) fn read_rows(&self, read: &mut dyn FnMut(&dyn Read)) {
        self.guard.read_rows(read);
    }

    /// What it asks for.
    pub fn into_inner(self) -> Q {
        self.request.into_inner()
    }
}

/// What is to be recorded of a call. It is recorded also if nobody waits for the answer any more: the change may be made
/// nevertheless.
pub(crate) struct PendingRecord {
    audit: Audit,
    /// Until it is recorded.
    record: Option<Box<Record>>,
}

impl PendingRecord {
    /// Records the call, which was refused with this status if there is one.
    pub(crate) fn answered(mut self, refused: Option<&Status>) {
        let detail = refused.map_or_else(String::new, |status| status.message().to_owned());
        self.record(refused.map_or(Code::Ok, Status::code), detail);
    }

    fn record(&mut self, code: Code, detail: String) {
        let Some(record) = self.record.take() else { return };
        self.audit.record(|| Record { code: code_name(code).to_owned(), detail, ..*record });
    }
}

impl Drop for PendingRecord {
    fn drop(&mut self) {
        self.record(Code::Unknown, "the call ended before its answer, so it may have been done".to_owned());
    }
}

/// Nothing tells who calls.
pub(crate) fn unknown_caller() -> Status {
    let message = "this server must know who calls: send a token in the metadata `authorization: Bearer TOKEN`, or a \
                   client certificate (milepost: --token-file, or --cert and --cert-key)";
    Answer::new(Code::Unauthenticated, Reason::CredentialMissing, message).status()
}

fn stale(age: Option<Duration>) -> Status {
    let since = match age {
        Some(age) => format!("for {} s", age.as_secs()),
        None => "since this server started".to_owned(),
    };
    let message = format!(
        "nothing was heard of the registry {since}, so it is not known who may do what; try again later"
    );
    let answer = Answer::new(Code::Unavailable, Reason::AccessStale, message);
    let answer = match age {
        Some(age) => answer.with("age_seconds", age.as_secs()),
        None => answer,
    };
    answer.retry_after(Duration::from_secs(10)).status()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::audit::Audit as Config;

    #[test]
    fn a_call_is_recorded_once_with_its_answer_or_as_one_that_nobody_waited_for() {
        let audit = Audit::new(&Config { directory: Some("unused".into()), ..Config::default() });
        let note = || {
            let record = Record::new("2021-05-27T04:00:00Z".parse().unwrap(), Kind::AccessChanged);
            PendingRecord { audit: audit.clone(), record: Some(Box::new(record)) }
        };
        note().answered(None);
        note().answered(Some(&Status::not_found("there is none")));
        drop(note());
        let recorded: Vec<_> =
            audit.waiting().into_iter().map(|record| (record.code, record.detail)).collect();
        assert_eq!(
            recorded[..2],
            [("OK".into(), String::new()), ("NOT_FOUND".into(), "there is none".into())]
        );
        assert!(recorded[2].0 == "UNKNOWN" && recorded[2].1.contains("may have been done"), "{recorded:?}");
        assert_eq!(recorded.len(), 3);
    }
}
