//! The notifier: the event log in one order, and its watchers.
//!
//! The notifier follows the journals of registry and tracker and takes over their entries into a log of
//! its own, where no effect comes before its cause. Clients list the log and watch it; each holds its own
//! position, a cursor.
//!
//! Invariants: each source entry is in the log exactly once, its events byte for byte as they were
//! stored; a watcher gets every event after its start that it selected, in order, each once, and a slow
//! one does not slow down others.

mod apply;
mod audience;
mod clock;
mod config;
mod convert;
mod decide;
mod envelope;
mod error;
mod follower;
mod grpc;
mod hub;
mod log;
mod metrics;
mod reset;
mod selection;
mod service;
mod source;
mod stream;
mod tables;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use error::Error;
#[doc(hidden)]
pub use hub::FanOut;
pub use service::{Service, rebuild_store, reset_follower};
