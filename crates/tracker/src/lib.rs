//! When, and how well: milestones with baseline, forecast and actual dates, templates of them; service requests;
//! supervision; campaigns; warnings; and the public timeline.
//!
//! A service on a ledger, in rooms: `milestone`, `template`, `service_request`, `supervision`, `campaign`, `timeline` and
//! `warning` have the rules of these, which crate `resource` serves and stores; `act` the rule of their civil days;
//! `mirror`, `parent` and `source` what is known of the registry and how its log is followed; `decide` loads what a command
//! is about and asks them; `apply` puts what an event carries into `tables`; `convert` is the room that reads and writes
//! messages; `methods` reads requests. Beside the calls two tasks run: `follow` takes the registry's journal over, `sweep`
//! lets days begin.
//! Invariants: a decision and an application depend on rows and the entry's own context alone; the rows are
//! what the journal says; every entry says how far the registry had been followed when it was decided.

mod act;
mod apply;
mod campaign;
mod command;
mod config;
mod convert;
mod decide;
mod error;
mod follow;
mod methods;
mod metrics;
mod milestone;
mod mirror;
mod names;
mod parent;
mod service;
mod service_request;
mod source;
mod supervision;
mod sweep;
mod tables;
mod template;
mod timeline;
mod warning;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use error::Error;
pub use metrics::{
    DAYS_ADVANCED_TOTAL, FOLLOW_LAG_ENTRIES, FOLLOWED_ENTRIES_TOTAL, FOLLOWED_SKIPPED_ENTRIES_TOTAL,
    LIST_RETURNED_TOTAL, LIST_SCANNED_TOTAL, PORTFOLIOS_UNCONFIRMED,
};
pub use service::{Service, rebuild_store, reset_follower};
