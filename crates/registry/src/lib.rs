//! Who and what: portfolios, organizations, projects, phases and batches.
//!
//! A service on a ledger, in rooms: one pure module per noun has its model and rules; `decide` loads
//! what a command is about and asks them; `apply` puts what an event tells into `tables`; `list` reads
//! pages; `convert` is the only room that reads and writes messages; `grpc` answers calls. Invariants:
//! a decision and an application depend on rows and the entry's own context alone; the rows are what the
//! journal says. It has no configuration of its own, and nothing runs in it but calls and its ledger.

mod apply;
mod batch;
mod change;
mod command;
mod convert;
mod decide;
mod details;
mod grpc;
mod list;
mod metrics;
mod organization;
mod phase;
mod portfolio;
mod project;
mod record;
mod service;
mod tables;

#[cfg(test)]
mod tests;

pub use metrics::{LIST_LOOKED_AT_TOTAL, LIST_TOLD_TOTAL};
pub use service::{Error, Service, rebuild_store};
