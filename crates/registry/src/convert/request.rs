//! What requests have in common: names, etags, ids to be, resources that must be there.
//!
//! Invariant: a fault is recorded under the field of the request that it was found in; the value is
//! withheld.

use std::fmt::Display;

use milepost_types::{Etag, ResourceId, ResourceName, Violations};
use prost_types::Timestamp;

use super::value;
use crate::details::{Details, Rules};
use crate::record::{Create, Life, Target};

/// The name of the resource that a request is about.
pub(crate) fn name<N: ResourceName>(given: &str, violations: &mut Violations) -> Option<N> {
    violations.check("name", given.parse())
}

/// The resource that a request is about, and the etag that it must have.
pub(crate) fn target<N: ResourceName>(
    given: &str,
    etag: &str,
    violations: &mut Violations,
) -> Option<Target<N>> {
    let name = name(given, violations);
    let etag = violations.check("etag", Etag::from_field(etag));
    Some(Target { name: name?, etag: etag? })
}

/// The id that a resource is to have; empty: the server makes one.
pub(crate) fn id(field: &str, given: &str, violations: &mut Violations) -> Option<Option<ResourceId>> {
    let given = (!given.is_empty()).then_some(given);
    violations.check_optional(field, given, str::parse)
}

/// The name and the etag of the resource in an update.
pub(crate) fn updated<N: ResourceName, D: Rules>(
    given: &str,
    etag: &str,
    violations: &mut Violations,
) -> (Option<N>, Option<Option<Etag>>) {
    let name = violations.check(format!("{}.name", D::NOUN), given.parse());
    let etag = violations.check(format!("{}.etag", D::NOUN), Etag::from_field(etag));
    (name, etag)
}

/// The details of a resource that is to be created: all that it must have, and all rules of the whole.
pub(crate) fn created<D: Details>(
    patch: D::Patch,
    found: Violations,
    violations: &mut Violations,
) -> Option<D> {
    let sound = found.is_empty();
    violations.nest(D::NOUN, found);
    match D::create(patch) {
        // What is missing was recorded when it was read.
        Ok(details) => details.filter(|_| sound),
        Err(broken) => {
            violations.nest(D::NOUN, broken);
            None
        }
    }
}

/// A wish to create, from its parts.
pub(crate) fn create<P, D>(
    parent: Option<P>,
    id: Option<Option<ResourceId>>,
    details: Option<D>,
) -> Option<Create<P, D>> {
    Some(Create { parent: parent?, id: id?, details: details? })
}

/// What a row holds.
///
/// # Panics
/// If that is none of what it should be: it was checked before it was written.
pub(crate) fn stored<T>(what: &str, name: &str, value: Option<T>, faults: impl Display) -> T {
    value.unwrap_or_else(|| panic!("the row of {what} {name} cannot be read: {faults}"))
}

/// The life of a row's resource.
pub(crate) fn life(
    create_time: Option<Timestamp>,
    update_time: Option<Timestamp>,
    delete_time: Option<Timestamp>,
    etag: &str,
) -> Life {
    Life {
        create_time: value::instant(create_time.as_ref()),
        update_time: value::instant(update_time.as_ref()),
        delete_time: delete_time.map(|time| value::instant(Some(&time))),
        etag: etag.parse().unwrap_or_else(|error| panic!("a row has no etag: {error}")),
    }
}
