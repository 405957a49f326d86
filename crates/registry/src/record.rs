//! A record: one resource with its name, what callers say of it, where it stands, and its life.
//!
//! Invariant: the rules that every noun shares stand here and nowhere else: a stale etag is refused, a
//! deleted resource can only be undeleted, and what changes nothing is accepted without a trace.

use jiff::Timestamp;
use milepost_ledger::Context;
use milepost_types::{Etag, Rejection, ResourceName, Violations};

use crate::details::Details;

/// When a command takes effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The commit time, which becomes `create_time`, `update_time` or `delete_time`.
    pub(crate) time: Timestamp,
    /// The sequence of the entry, which becomes the etag.
    pub(crate) etag: Etag,
    /// What the clock says: it tells which day it is.
    pub(crate) now: Timestamp,
}

impl Moment {
    /// The moment of a command.
    pub(crate) fn of(context: &Context) -> Self {
        Self { time: context.commit_time, etag: Etag(context.sequence), now: context.now }
    }
}

/// Since when a resource is there, when it changed, and whether it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) create_time: Timestamp,
    pub(crate) update_time: Timestamp,
    pub(crate) delete_time: Option<Timestamp>,
    pub(crate) etag: Etag,
}

/// One resource. `S` is what only its own methods change; most nouns have none of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record<N, D, S = ()> {
    pub(crate) name: N,
    pub(crate) details: D,
    pub(crate) standing: S,
    pub(crate) life: Life,
}

/// A wish to create a resource. Without an id the server makes one.
#[derive(Debug, Clone)]
pub(crate) struct Create<P, D> {
    pub(crate) parent: P,
    pub(crate) id: Option<milepost_types::ResourceId>,
    pub(crate) details: D,
}

/// A wish to change fields of a resource.
#[derive(Debug, Clone)]
pub(crate) struct Update<N, P> {
    pub(crate) name: N,
    pub(crate) etag: Option<Etag>,
    pub(crate) patch: P,
}

/// The resource that a custom method, a deletion or an undeletion is about.
#[derive(Debug, Clone)]
pub(crate) struct Target<N> {
    pub(crate) name: N,
    pub(crate) etag: Option<Etag>,
}

/// A resource after an update, with the fields that changed.
pub(crate) struct Updated<R> {
    pub(crate) record: R,
    pub(crate) changed: Vec<&'static str>,
}

impl<N: ResourceName, D: Details, S: Clone> Record<N, D, S> {
    /// A new resource.
    pub(crate) fn create(name: N, details: D, standing: S, moment: &Moment) -> Self {
        let life =
            Life { create_time: moment.time, update_time: moment.time, delete_time: None, etag: moment.etag };
        Self { name, details, standing, life }
    }

    /// Whether it is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.life.delete_time.is_some()
    }

    /// Refuses a stale etag.
    pub(crate) fn check_etag(&self, given: Option<Etag>) -> Result<(), Rejection> {
        Rejection::check_etag(&self.name, given, self.life.etag)
    }

    /// Refuses a stale etag, and any change of a deleted resource.
    pub(crate) fn check_changeable(&self, given: Option<Etag>) -> Result<(), Rejection> {
        self.check_etag(given)?;
        if self.is_deleted() { Err(Rejection::deleted(&self.name)) } else { Ok(()) }
    }

    /// A copy that is changed at this moment.
    pub(crate) fn touched(&self, moment: &Moment) -> Self {
        let mut record = self.clone();
        record.life.update_time = moment.time;
        record.life.etag = moment.etag;
        record
    }

    /// The resource after an update; `None` if nothing changes.
    pub(crate) fn update(
        &self,
        update: &Update<N, D::Patch>,
        moment: &Moment,
    ) -> Result<Option<Updated<Self>>, Rejection> {
        self.check_changeable(update.etag)?;
        let mut record = self.touched(moment);
        if let Err(found) = record.details.apply(&update.patch) {
            // What was stored by looser rules may stay as it is; what the update breaks anew may not.
            let mut held = Violations::new();
            self.details.rules(&mut held);
            let found = found.without(&held);
            if !found.is_empty() {
                return Err(invalid::<D>(found));
            }
        }
        let changed = record.details.differing(&self.details);
        Ok((!changed.is_empty()).then_some(Updated { record, changed }))
    }

    /// The resource after its deletion; `None` if it is deleted already.
    pub(crate) fn delete(&self, etag: Option<Etag>, moment: &Moment) -> Result<Option<Self>, Rejection> {
        self.check_etag(etag)?;
        Ok((!self.is_deleted()).then(|| {
            let mut record = self.touched(moment);
            record.life.delete_time = Some(moment.time);
            record
        }))
    }

    /// The resource after its deletion was taken back. Refuses one that is not deleted (AIP-164).
    pub(crate) fn undelete(&self, etag: Option<Etag>, moment: &Moment) -> Result<Self, Rejection> {
        self.check_etag(etag)?;
        if !self.is_deleted() {
            return Err(Rejection::not_deleted(&self.name));
        }
        let mut record = self.touched(moment);
        record.life.delete_time = None;
        Ok(record)
    }
}

/// Violations in a resource, as violations in the request that holds it.
pub(crate) fn invalid<D: Details>(found: Violations) -> Rejection {
    let mut violations = Violations::new();
    violations.nest(D::NOUN, found);
    Rejection::Invalid(violations)
}
