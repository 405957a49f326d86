//! Who and what: portfolios, organizations, projects, phases, batches, annual lists and reports, collections, indicators,
//! liaison officers and alliances; policies and whom they fit; and who may do what.
//!
//! Each resource is its schema and a page of rules: crate `resource` does the rest. `tables` names the tables
//! and the domain of the ledger, `methods` reads the requests of the methods that only some resources have, and
//! `service` is what a process runs. Invariants: a decision and an application depend on rows and
//! the entry's own context alone; the rows are what the journal says. It has no configuration of its own, and
//! nothing runs in it but calls, its ledger, and the task that finds whom policies fit after something changed.

mod access;
mod alliance;
mod annual_list;
mod batch;
mod collection;
mod indicator;
mod liaison;
mod members;
mod methods;
mod organization;
mod phase;
mod policy;
mod portfolio;
mod project;
mod reference;
mod report;
mod service;
mod stay;
mod tables;

#[cfg(test)]
mod tests;

pub use service::{
    Broken, Error, LIST_RETURNED_TOTAL, LIST_SCANNED_TOTAL, Service, break_glass, rebuild_store, revoke,
};
