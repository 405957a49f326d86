//! Generated messages and services, the descriptor set that reflection and JSON read, what writes have in
//! common, the codec of calls, their compression, what the schemas say of resources, and a walker over encoded fields.
//!
//! Invariant: maps are ordered (`BTreeMap`), so that one message has one encoding. No logic of the domain:
//! the schemas under `proto/` are normative, and their comments are the documentation.

// What prost and tonic generate is documented by the schemas' comments, as far as they go.
#![allow(missing_docs, clippy::all, unreachable_pub)]

pub mod codec;
pub mod gzip;
pub mod resource;
pub mod rule;
#[cfg(test)]
mod tests;
pub mod wire;

/// The encoded `FileDescriptorSet` of every schema with its imports and comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The metadata key by which a caller says who it is; see `proto/README.md`.
pub const PRINCIPAL_METADATA: &str = "x-milepost-principal";
/// The metadata key that names the principal that a caller acts for.
pub const ON_BEHALF_OF_METADATA: &str = "x-milepost-on-behalf-of";

macro_rules! package {
    ($($name:literal),*) => {
        /// Version 1.
        pub mod v1 {
            $(include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));)*
        }
    };
}

/// The vendored Google types.
pub mod google {
    /// `google.type`: civil dates and money.
    pub mod r#type {
        include!(concat!(env!("OUT_DIR"), "/google.r#type.rs"));
    }
    /// `google.api`: field behaviour.
    pub mod api {
        include!(concat!(env!("OUT_DIR"), "/google.api.rs"));
    }
}

/// Ours.
pub mod milepost {
    /// Access: rules of methods, grants, service accounts, API tokens.
    pub mod access {
        package!("milepost.access.v1");

        impl std::fmt::Debug for v1::CreateApiTokenResponse {
            /// Without the token.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = f.debug_struct("CreateApiTokenResponse");
                shown.field("api_token", &self.api_token).field("revision", &self.revision);
                shown.finish_non_exhaustive()
            }
        }
    }
    /// The audit log.
    pub mod audit {
        package!("milepost.audit.v1");
    }
    /// Reasons of errors.
    pub mod error {
        package!("milepost.error.v1");
    }
    /// Events.
    pub mod event {
        package!("milepost.event.v1");
    }
    /// Computed figures.
    pub mod figure {
        package!("milepost.figure.v1");
    }
    /// Journals and how they are followed.
    pub mod journal {
        package!("milepost.journal.v1");
    }
    /// The event log.
    pub mod notifier {
        package!("milepost.notifier.v1");
    }
    /// What a field holds.
    pub mod options {
        package!("milepost.options.v1");
    }
    /// Portfolios, organizations, projects, phases, batches.
    pub mod registry {
        package!("milepost.registry.v1");
    }
    /// Milestones.
    pub mod tracker {
        package!("milepost.tracker.v1");
    }
}

pub use milepost::{access, audit, error, event, figure, journal, notifier, options, registry, tracker};

/// A request that changes something: it may be sent again under its id, and tried without effect.
///
/// Every request of the schemas that has a `request_id` is one.
pub trait WriteRequest: prost::Message + Clone + Default {
    /// The request id; empty: none was given.
    fn request_id_mut(&mut self) -> &mut String;

    /// Whether nothing is to be changed.
    fn validate_only(&self) -> bool;
}

macro_rules! write_request {
    ($request:path) => {
        impl WriteRequest for $request {
            fn request_id_mut(&mut self) -> &mut String {
                &mut self.request_id
            }

            fn validate_only(&self) -> bool {
                self.validate_only
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/write_requests.rs"));
