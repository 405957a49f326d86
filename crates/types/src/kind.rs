//! What kinds of resources there are, as errors name them.
//!
//! Invariant: the type name of a kind is public and never changes.

use std::fmt;

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKind {
    type_name: &'static str,
    noun: &'static str,
}

impl ResourceKind {
    /// An event of a log, by its event id.
    pub const EVENT: Self = Self::new("milepost.dev/Event", "event");

    /// The kind with this type, as `google.rpc.ResourceInfo` carries it, and this word for people.
    pub const fn new(type_name: &'static str, noun: &'static str) -> Self {
        Self { type_name, noun }
    }

    /// The type as `google.rpc.ResourceInfo` carries it: `milepost.dev/Project`.
    pub const fn type_name(self) -> &'static str {
        self.type_name
    }

    /// The word for people: `project`.
    pub const fn noun(self) -> &'static str {
        self.noun
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun)
    }
}
