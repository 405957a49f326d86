//! Between bytes and messages on one side and the domain's values on the other.
//!
//! Invariant: an event's bytes are passed on as they are; only its envelope is read.

pub(crate) mod entry;
pub(crate) mod envelope;
pub(crate) mod notice;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod reset;

/// Whether a text has the shape of a resource's name, of any type that the schemas have.
pub(crate) fn is_resource_name(text: &str) -> bool {
    milepost_proto::resource::TYPES.iter().any(|resource| resource.shape().ids(text).is_ok())
}
