//! What requests have in common, and what rows have: names, etags, ids to be, resources that must be there.
//!
//! Invariant: a fault is recorded under the field of the request that it was found in; the value is
//! withheld.

use milepost_proto::registry::v1 as proto;
use milepost_service::mask::{Known, Mask};
use milepost_types::{Etag, ResourceId, ResourceName, Violations};
use prost::Message;
use prost_types::FieldMask;

use super::{Unreadable, value};
use crate::details::Details;
use crate::record::{Create, Life, Record, Target, Update};
use crate::tables::Tag;

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

/// The details in a request to create: all that the resource must have, and all rules of the whole.
pub(crate) fn details<D: Details, M>(
    message: Option<M>,
    patch: impl FnOnce(M, &Mask, &mut Violations) -> D::Patch,
    violations: &mut Violations,
) -> Option<D> {
    let message = violations.require(D::NOUN, message)?;
    let mut found = Violations::new();
    let patch = patch(message, &Mask::All, &mut found);
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

/// A wish to change fields of a resource.
pub(crate) fn update<D: Details, M: Resource, N: ResourceName>(
    mask: Option<FieldMask>,
    known: &Known,
    message: Option<M>,
    patch: impl FnOnce(M, &Mask, &mut Violations) -> D::Patch,
    violations: &mut Violations,
) -> Option<Update<N, D::Patch>> {
    let mask = Mask::read(mask, known, violations);
    let message = violations.require(D::NOUN, message)?;
    let name = violations.check(format!("{}.name", D::NOUN), message.name().parse());
    let etag = violations.check(format!("{}.etag", D::NOUN), Etag::from_field(message.etag()));
    let mut found = Violations::new();
    let patch = patch(message, &mask?, &mut found);
    violations.nest(D::NOUN, found);
    Some(Update { name: name?, etag: etag?, patch })
}

/// The record that was stored, from what its message says of it.
pub(crate) fn stored<M: Resource, N: ResourceName, D, S>(
    message: M,
    read: impl FnOnce(M) -> Result<(D, S), Unreadable>,
) -> Result<Record<N, D, S>, Unreadable> {
    let (name, life) = (value::stored_name("name", message.name())?, message.life()?);
    let (details, standing) = read(message)?;
    Ok(Record { name, details, standing, life })
}

/// What the messages of all resources have.
pub(crate) trait Resource: Message + Default {
    /// The table of its rows.
    const TABLE: Tag;

    fn name(&self) -> &str;
    fn etag(&self) -> &str;
    fn is_deleted(&self) -> bool;

    /// The life that was stored.
    fn life(&self) -> Result<Life, Unreadable>;
}

macro_rules! resources {
    ($($message:ident in $table:ident),*) => {$(
        impl Resource for proto::$message {
            const TABLE: Tag = Tag::$table;

            fn name(&self) -> &str {
                &self.name
            }

            fn etag(&self) -> &str {
                &self.etag
            }

            fn is_deleted(&self) -> bool {
                self.delete_time.is_some()
            }

            fn life(&self) -> Result<Life, Unreadable> {
                let instant = |field, time| value::stored(field, value::stored_instant(field, time)?);
                Ok(Life {
                    create_time: instant("create_time", self.create_time)?,
                    update_time: instant("update_time", self.update_time)?,
                    delete_time: value::stored_instant("delete_time", self.delete_time)?,
                    etag: self.etag.parse().map_err(|error| Unreadable::of("etag", error))?,
                })
            }
        }
    )*};
}

resources!(
    Portfolio in Portfolios,
    Organization in Organizations,
    Project in Projects,
    Phase in Phases,
    Batch in Batches
);
