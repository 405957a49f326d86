//! What tests share: the rules on rows in memory without a ledger, a registry to follow, and a whole
//! tracker in the process.

pub(crate) mod registry;
pub(crate) mod registry_server;
pub(crate) mod running;
pub(crate) mod world;

pub(crate) use registry::Registry;
pub(crate) use registry_server::RegistryServer;
pub(crate) use running::Running;
pub(crate) use world::World;
