//! The life of a process and of a server: bind, serve, drain.
//!
//! Invariants: no task is detached, every queue is bounded, every unary call has a deadline. A service
//! knows of all this only the [`Kit`] that it is opened with and the [`Part`] that it answers with.

mod accept;
mod assemble;
mod body;
mod calls;
mod clean;
mod connection;
mod error;
mod grpc;
mod gzip;
mod health;
mod kit;
mod listeners;
mod methods;
mod protocol;
mod routes;
mod run;
pub mod served;
mod signals;
mod socket;
mod streams;

pub use calls::Deadline;
pub use error::Error;
pub use kit::{BoxError, Kit, Part};
pub use listeners::Listeners;
pub use run::{Ending, run};
pub use signals::with_signals;

#[cfg(test)]
mod tests;
