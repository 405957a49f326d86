//! The life of a process and of a server: bind, serve, drain.
//!
//! Invariants: no task is detached, every queue is bounded, every unary call has a deadline. A service
//! knows of all this only the [`ServiceContext`] that it is opened with and the [`Component`] that it answers with.

mod accept;
mod assemble;
mod body;
mod calls;
mod clean;
mod connection;
mod context;
mod counted;
mod error;
mod grpc;
mod gzip;
mod health;
mod listeners;
pub(crate) mod methods;
mod protocol;
pub mod raw;
mod routes;
mod run;
mod signals;
mod socket;
mod streams;
pub(crate) mod tls;

pub use calls::Deadline;
pub use context::{BoxError, Component, ServiceContext};
pub use error::Error;
pub use listeners::Listeners;
pub(crate) use methods::code_name;
pub use run::{Ending, run};
pub use signals::with_signals;
pub use tls::Peer;

#[cfg(test)]
mod tests;
