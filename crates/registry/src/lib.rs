//! Who and what: portfolios, organizations, projects, phases and batches.
//!
//! A service on a ledger, in rooms: one pure module per noun has its model and rules; `decide` loads
//! what a command is about and asks them; `apply` puts what an event tells into `tables`; `list` reads
//! pages; `convert` is the only room that reads and writes messages; `grpc` answers calls. Invariants:
//! a decision and an application depend on rows and the entry's own context alone; the rows are what the
//! journal says. It has no configuration of its own, and nothing runs in it but calls and its ledger.

mod batch;
mod methods;
mod organization;
mod phase;
mod portfolio;
mod project;
mod service;
mod tables;

#[cfg(test)]
mod tests;

pub use service::{Error, LIST_RETURNED_TOTAL, LIST_SCANNED_TOTAL, Service, rebuild_store};
