//! A resource that may be trusted.
//!
//! Invariant: it was checked as a request, or read from a row, which was checked when it was accepted.

use std::ops::Deref;

use jiff::Timestamp;
use milepost_proto::resource::Resource;
use milepost_types::{Etag, Rejection};

use crate::Name;
use crate::rules::Scope;
use crate::value::instant_message;

/// A resource that may be trusted. It changes only by [`Checked::changed`].
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<R: Resource> {
    name: Name<R>,
    resource: R,
}

impl<R: Resource> Checked<R> {
    /// The resource of this name that a row holds.
    pub(crate) fn stored(name: Name<R>, resource: R) -> Self {
        Self { name, resource }
    }

    /// A new resource, of fields that were checked: those that a request says, or that a method takes over of another.
    pub fn created<D>(name: Name<R>, fields: &R, scope: &Scope<'_, D>) -> Self {
        let mut resource = fields.clone();
        let meta = resource.meta();
        *meta.name = name.to_string();
        *meta.create_time = Some(instant_message(scope.context.commit_time));
        let mut checked = Self { name, resource };
        checked.touch(scope);
        checked
    }

    /// Its name.
    pub fn name(&self) -> &Name<R> {
        &self.name
    }

    /// Whether it is deleted.
    pub fn is_deleted(&self) -> bool {
        self.resource.delete_time().is_some()
    }

    /// The message.
    pub fn into_inner(self) -> R {
        self.resource
    }

    /// Refuses a stale etag.
    pub(crate) fn check_etag(&self, given: Option<Etag>) -> Result<(), Rejection> {
        // An etag that cannot be read is none that anybody has.
        let current = self.resource.etag().parse().unwrap_or(Etag(0));
        Rejection::check_etag(&self.name, given, current)
    }

    /// Refuses a stale etag, and any change of a deleted resource.
    pub(crate) fn check_changeable(&self, given: Option<Etag>) -> Result<(), Rejection> {
        self.check_etag(given)?;
        if self.is_deleted() { Err(Rejection::deleted(&self.name)) } else { Ok(()) }
    }

    /// The resource after a change at this commit.
    #[must_use]
    pub fn changed<D>(&self, scope: &Scope<'_, D>, change: impl FnOnce(&mut R)) -> Self {
        let mut after = self.clone();
        change(&mut after.resource);
        after.touch(scope);
        after
    }

    /// Its name, and the message, of which what is computed is brought up to date.
    pub(crate) fn parts_mut(&mut self) -> (&Name<R>, &mut R) {
        (&self.name, &mut self.resource)
    }

    /// The resource after its deletion, or after that was taken back.
    pub(crate) fn with_delete_time<D>(&self, scope: &Scope<'_, D>, time: Option<Timestamp>) -> Self {
        self.changed(scope, |resource| *resource.meta().delete_time = time.map(instant_message))
    }

    fn touch<D>(&mut self, scope: &Scope<'_, D>) {
        let meta = self.resource.meta();
        *meta.update_time = Some(instant_message(scope.context.commit_time));
        *meta.etag = Etag(scope.context.sequence).to_string();
    }

    /// The names of the fields that differ, sorted, as events have them.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let fields = R::FIELDS.iter().enumerate();
        let announced = fields.filter(|(_, field)| {
            !field.unannounced && !matches!(field.name, "name" | "create_time" | "update_time" | "etag")
        });
        let differing = announced.filter(|(i, _)| !self.resource.same(*i, &other.resource));
        let mut names: Vec<_> = differing.map(|(_, field)| field.name).collect();
        names.sort_unstable();
        names
    }
}

impl<R: Resource> Deref for Checked<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.resource
    }
}
