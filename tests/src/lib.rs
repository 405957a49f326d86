//! The Cluster harness: real milepost processes on ports and directories of their own.
//!
//! Invariants: a process that was started here ends with the test that started it, whatever becomes of
//! the test; every wait has a deadline, and one that passes says what was waited for and shows the log.
//! The harness polls where a process can only be asked; the cases do not.

pub mod authority;
pub mod binary;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod demo;
pub mod document;
pub mod files;
pub mod history;
pub mod http;
pub mod http2;
pub mod load;
pub mod log;
pub mod methods;
pub mod past;
pub mod ports;
pub mod promises;
pub mod protected;
pub mod random;
pub mod recording;
pub mod resource;
pub mod server;
pub mod store;
pub mod strace;
pub mod terminal;
pub mod wait;
pub mod watching;
pub mod wire;

pub use cluster::{Cluster, Role};
pub use server::{Launch, Server};
pub use wait::within;
