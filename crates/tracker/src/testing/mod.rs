//! What tests share: the rules on rows in memory without a ledger, and a registry to follow.

pub(crate) mod registry;
pub(crate) mod world;

pub(crate) use registry::Registry;
pub(crate) use world::World;
